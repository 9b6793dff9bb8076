//! Watchlist formats, versions and deltas: publisher's bytes in, checked entries out. No I/O but [`directory`].
//!
//! ```text
//! folder ──► directory ──┐                     ┌► ofac: files ► table ► primary, alias, address ► remarks ┐
//! download, store ───────┴► SourceFile ► parse ┤                                                         ├► Parsed
//!                                              └► un: xml ► record ───────────────────────────────────────┘
//! Parsed ► shrink (refuse a list that lost a fifth) ► delta (what changed) ► whoever stores or indexes it
//! ```
//!
//! A list is used whole or not at all: a file that is cut, damaged or does not fit the others is refused with the file,
//! the line and the reason, because a list that is quietly short finds nobody. What is well-formed but not understood
//! (a remark in free prose, a country that does not exist) is kept as text and counted in [`Parsed::not_understood`].

use chrono::NaiveDate;
pub use kyb_domain::list::{
    Entry, EntryKind, ListFormat, ListId, ListVersion, ListedName, NameKind, PublishedBy, Watchlist,
};

mod dates;
pub mod delta;
pub mod directory;
mod draft;
mod error;
mod ofac;
mod reading;
pub mod shrink;
mod source;
mod un;
mod version;

pub use error::{ListError, Place};

/// One of a publisher's files.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name without a folder, such as `sdn.csv`.
    pub name: String,
    /// Its whole content.
    pub bytes: Vec<u8>,
}

/// The publisher's date and where it was read; what the document itself says wins over it.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    /// The date.
    pub date: NaiveDate,
    /// Where it was read.
    pub by: PublishedBy,
}

/// A list read in full, and what of it was not understood.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The list.
    pub watchlist: Watchlist,
    /// What was seen but not understood: a label such as `remark:Phone No.` or `country:Atlantis` and how often. At most
    /// 200 labels and one `…:other` for each kind of label.
    pub not_understood: std::collections::BTreeMap<String, u64>,
}

/// What a format's reader hands back: the entries, what it did not understand, and the date that the document states.
struct Contents {
    entries: Vec<Entry>,
    not_understood: std::collections::BTreeMap<String, u64>,
    stated: Option<NaiveDate>,
}

/// Reads a whole list. Nothing is returned unless every file is whole and consistent.
///
/// `files` are exactly the publisher's: `sdn.csv`, `alt.csv` and `add.csv`, or `cons_prim.csv`, `cons_alt.csv` and
/// `cons_add.csv` (in any letter case) for [`ListFormat::OfacCsv`]; one XML file of any name for [`ListFormat::UnXml`].
pub fn parse(
    list: &ListId,
    format: ListFormat,
    files: &[SourceFile],
    published: Published,
) -> Result<Parsed, ListError> {
    let contents = match format {
        ListFormat::OfacCsv => ofac::read(list, files)?,
        ListFormat::UnXml => un::read(list, files)?,
    };
    let stated = contents.stated.map(|date| Published { date, by: PublishedBy::Document });
    let published = stated.unwrap_or(published);
    let version = ListVersion {
        list: list.clone(),
        format,
        published: published.date,
        published_by: published.by,
        sha256: version::fingerprint(files),
        entries: u32::try_from(contents.entries.len()).unwrap_or(u32::MAX), // a file that large is never downloaded
    };
    let watchlist = Watchlist { version, entries: contents.entries };
    Ok(Parsed { watchlist, not_understood: contents.not_understood })
}
