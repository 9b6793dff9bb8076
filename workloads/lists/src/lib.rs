//! Watchlist formats, versions and deltas: publisher's bytes in, checked entries out. No I/O but [`directory`].
//!
//! ```text
//! folder ──► directory ──┐                     ┌► ofac: three csv files, or the advanced XML ┐
//! download, store ───────┴► SourceFile ► parse ┼► eu, uk, un: XML; uk: csv                   ├► draft ► Parsed
//!                                              ├► open_sanctions, senzing: JSON lines        │
//!                                              └► own: a tenant's own csv ───────────────────┘
//! Parsed ► shrink (refuse a list that lost a fifth) ► delta (what changed) ► whoever stores or indexes it
//! ```
//!
//! | module | what |
//! |---|---|
//! | `xml`, `json`, `csv` | bytes to elements, objects, records: strictly and with positions |
//! | `ofac`, `eu`, `uk`, `un`, `open_sanctions`, `senzing`, `own` | what one publisher means by them |
//! | `draft`, `reading` | an entry, and a whole list, while it is read |
//! | `names`, `identifiers`, `dates` | what a published text is, whoever published it |
//! | `sniff`, [`directory`] | which list a file is |
//!
//! A list is used whole or not at all: a file that is cut, damaged or does not fit the others is refused with the file,
//! the line and the reason, because a list that is quietly short finds nobody. What is well-formed but not understood
//! (a remark in free prose, a country that does not exist) is kept as text and counted in [`Parsed::not_understood`].

use chrono::NaiveDate;
pub use kyb_domain::list::{
    Entry, EntryKind, ListFormat, ListId, ListVersion, ListedName, NameKind, PublishedBy, Watchlist,
};

use draft::Drafts;
use reading::Reading;

mod csv;
mod dates;
pub mod delta;
pub mod directory;
mod draft;
mod error;
mod eu;
mod identifiers;
mod json;
mod names;
mod ofac;
mod open_sanctions;
mod own;
mod reading;
mod senzing;
pub mod shrink;
mod sniff;
mod source;
mod uk;
mod un;
mod version;
mod xml;

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
    /// The version of the format, as the document states it: `3` in OFAC's advanced XML. The other publishers state none.
    pub format_version: Option<String>,
}

/// What a format's reader hands back: the entries, what it did not understand, and the date and the version of the format
/// that the document states.
struct Contents {
    entries: Vec<Entry>,
    not_understood: std::collections::BTreeMap<String, u64>,
    stated: Option<NaiveDate>,
    format_version: Option<String>,
}

impl Contents {
    /// The contents of `file`, which must hold an entry.
    fn new(file: &SourceFile, drafts: Drafts, reading: Reading) -> Result<Self, ListError> {
        let entries = drafts.finish();
        if entries.is_empty() {
            return Err(file.cut("it holds no entry"));
        }
        Ok(Self { entries, not_understood: reading.into_counts(), stated: None, format_version: None })
    }
}

/// Reads a whole list. Nothing is returned unless every file is whole and consistent.
///
/// `files` are exactly the publisher's: `sdn.csv`, `alt.csv` and `add.csv`, or `cons_prim.csv`, `cons_alt.csv` and
/// `cons_add.csv` (in any letter case) for [`ListFormat::OfacCsv`]; one file of any name for every other format.
pub fn parse(
    list: &ListId,
    format: ListFormat,
    files: &[SourceFile],
    published: Published,
) -> Result<Parsed, ListError> {
    let contents = match format {
        ListFormat::OfacCsv => ofac::read(list, files)?,
        ListFormat::OfacXml => ofac::advanced::read(list, files)?,
        ListFormat::EuXml => eu::read(list, files)?,
        ListFormat::UkCsv => uk::csv::read(list, files)?,
        ListFormat::UkXml => uk::xml::read(list, files)?,
        ListFormat::UnXml => un::read(list, files)?,
        ListFormat::OpenSanctions => open_sanctions::read(list, files)?,
        ListFormat::Senzing => senzing::read(list, files)?,
        ListFormat::OwnCsv => own::read(list, files)?,
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
    let (not_understood, format_version) = (contents.not_understood, contents.format_version);
    Ok(Parsed { watchlist, not_understood, format_version })
}
