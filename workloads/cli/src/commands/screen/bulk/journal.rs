//! The journal beside an output: what was asked, and how far the output is whole and on disk. JSON lines; the first is the
//! [`Run`], every other a [`Checkpoint`]. A last line without its line feed was torn and does not count.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Counts, run::Run};

/// A place in the output up to which it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Checkpoint {
    /// Rows of the input that are answered, by answer.
    pub(super) counts: Counts,
    /// Length of the output.
    pub(super) bytes: u64,
    /// SHA-256 of the output.
    pub(super) sha256: String,
    /// Whether it is all of the output.
    pub(super) finished: bool,
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) run: Run,
    /// The last one; none where the program ended before the first.
    pub(super) checkpoint: Option<Checkpoint>,
    /// How much of the journal is whole.
    whole: u64,
}

/// A journal to write to.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

/// Where the journal of an output is.
pub(super) fn beside(output: &Path) -> PathBuf {
    with_ending(output, ".journal")
}

/// The path with something added to its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes renames and new names in the folder of `path` survive a loss of power.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Reads a journal; `None` where there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Said>> {
    match fs::read(path) {
        Ok(bytes) => parse(&bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> io::Result<Said> {
    // the journal appears under its name with its first line whole: a journal without one was cut by somebody else
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
    let run = serde_json::from_slice(lines.next().unwrap_or_default())?;
    let checkpoint = lines.next_back().map(serde_json::from_slice).transpose()?;
    Ok(Said { run, checkpoint, whole: whole as u64 })
}

impl Journal {
    /// Begins a journal. Whatever has its name is replaced at once or not at all.
    pub(super) fn begin(path: &Path, run: &Run) -> io::Result<Self> {
        let new = with_ending(path, ".new");
        let mut file = File::create(&new)?;
        write_line(&mut file, run)?;
        fs::rename(&new, path)?;
        sync_folder_of(path)?;
        Ok(Self { file })
    }

    /// Goes on with a journal after its last whole line.
    pub(super) fn go_on(path: &Path, said: &Said) -> io::Result<Self> {
        let file = File::options().append(true).open(path)?;
        file.set_len(said.whole)?;
        Ok(Self { file })
    }

    /// Adds a checkpoint, and returns when it is on disk. What it speaks of must be there before.
    pub(super) fn add(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        write_line(&mut self.file, checkpoint)
    }
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}
