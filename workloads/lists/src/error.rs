//! Why a list was refused. Every message says where the fault is and what to do.

use std::path::PathBuf;

use kyb_domain::list::ListId;

/// Where on a line a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line as a whole.
    Line,
    /// A field of a csv record, from 1.
    Field(u32),
    /// A character of the line, from 1.
    Column(u32),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line => Ok(()),
            Self::Field(field) => write!(f, ", field {field}"),
            Self::Column(column) => write!(f, ", column {column}"),
        }
    }
}

/// Why a list was refused. None of these gets better by trying again with the same files.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A file breaks its format.
    #[error("{file}, line {line}{place}: {problem}")]
    Malformed {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// Where on the line.
        place: Place,
        /// What is wrong.
        problem: String,
    },
    /// A file ends too early.
    #[error("{file} is cut off: {problem}; get the whole file from its publisher again")]
    Truncated {
        /// Which file.
        file: String,
        /// How that shows.
        problem: String,
    },
    /// Not the files that the format consists of.
    #[error("list {list} is read from {expected}; {problem}")]
    WrongFiles {
        /// Which list.
        list: ListId,
        /// The files that are needed.
        expected: String,
        /// Which are missing, unknown or there twice.
        problem: String,
    },
    /// A folder holds only a part of a list's files; ignoring it would look as if the list had been searched.
    #[error("{}: has {present} but not {missing}; put the missing files beside them or take the others away", folder.display())]
    PartOfList {
        /// Which folder.
        folder: PathBuf,
        /// What is there.
        present: String,
        /// What is missing.
        missing: String,
    },
    /// A folder without a list.
    #[error("{}: holds {wanted}; expected, there or in a folder directly below: {EXPECTED_FILES}", folder.display())]
    NothingFound {
        /// Which folder.
        folder: PathBuf,
        /// What was looked for: `no watchlist`, `no UN list`.
        wanted: String,
    },
    /// The same list twice.
    #[error("list {list} is there twice, in {} and in {}; keep one", first.display(), second.display())]
    Twice {
        /// Which list.
        list: ListId,
        /// One place.
        first: PathBuf,
        /// The other place.
        second: PathBuf,
    },
    /// A file among the lists that looks like one and is none that we can read; passing over it would look as if it had
    /// been searched.
    #[error("{}: is no list that can be read ({what}); take it out of the folder of lists", path.display())]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// What it is instead: `its root is sdnList`.
        what: String,
    },
    /// A file or folder that can't be read.
    #[error("can't read {}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// The new version lost more than a fifth of the old one's entries.
    #[error(
        "the new version has {new} entries, the one in use has {old}: below the {} that at least 80 % would be, so the \
         old one stays in use; look at the publisher's site, and if the list really shrank, load it by hand",
        crate::shrink::least(*old)
    )]
    Shrunk {
        /// Entries of the version in use.
        old: u32,
        /// Entries of the new version.
        new: u32,
    },
}

/// What a folder of lists may hold, in words.
const EXPECTED_FILES: &str = "OFAC's sdn.csv, alt.csv and add.csv, or cons_prim.csv, cons_alt.csv and cons_add.csv, or its \
                              sdn_advanced.xml or cons_advanced.xml; the EU's, the UK's or the UN's list as .xml, the UK's \
                              as .csv; OpenSanctions' or Senzing's JSON lines; or a .csv of your own with the columns id, \
                              type and name";
