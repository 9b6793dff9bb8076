//! Sanctions lists: who publishes what, in which version, and how fresh it is.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{Invalid, country::CountryCode, date::DateSpan, identifier::Identifier, invalid::checked_string};

/// A list's name in this installation, such as `ofac-sdn`: 1 to 40 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "ofac-sdn"))]
#[serde(try_from = "String", into = "String")]
pub struct ListId(std::sync::Arc<str>);

checked_string!(ListId);

impl TryFrom<String> for ListId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if allowed && (1..=40).contains(&text.len()) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new("list", "must be 1 to 40 of a-z, 0-9 and `-`, such as `ofac-sdn`"))
    }
}

/// How a list's files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ListFormat {
    /// OFAC's three csv files: primary names, aliases, addresses (SDN and consolidated non-SDN lists alike).
    OfacCsv,
    /// OFAC's lists in the Advanced Sanctions Data Model: `sdn_advanced.xml`, `cons_advanced.xml`.
    OfacXml,
    /// The EU's consolidated list of financial sanctions in XML, schema 1.1.
    EuXml,
    /// The UK Sanctions List as csv.
    UkCsv,
    /// The UK Sanctions List in XML.
    UkXml,
    /// The UN Security Council Consolidated List in XML.
    UnXml,
    /// Entities of OpenSanctions (FollowTheMoney) as JSON lines: `entities.ftm.json`, `targets.nested.json`.
    OpenSanctions,
    /// Records of the Senzing Entity Specification as JSON lines.
    Senzing,
    /// A tenant's own list as csv with a header.
    OwnCsv,
}

/// Where a publication date was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PublishedBy {
    /// In the document itself.
    Document,
    /// In the `Last-Modified` header of the download (RFC 9110 §8.8.2).
    HttpHeader,
    /// In the file's time stamp; only as good as whoever copied the file.
    FileTime,
    /// Nowhere: the publisher gave no date, so it is the day of the download.
    Download,
}

/// One version of one list, named by its publisher's date and its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListVersion {
    /// Which list.
    pub list: ListId,
    /// The format it was read from.
    pub format: ListFormat,
    /// The publisher's date.
    pub published: NaiveDate,
    /// Where that date was read.
    pub published_by: PublishedBy,
    /// SHA-256 over the publisher's files in the order of their names, as 64 hexadecimal digits.
    pub sha256: String,
    /// How many entries it holds.
    pub entries: u32,
}

impl ListVersion {
    /// The version in short: `2019-06-14+1f3a5b7c9d0e`.
    pub fn label(&self) -> String {
        format!("{}+{}", self.published, self.sha256.get(..12).unwrap_or(&self.sha256))
    }
}

/// Why a list that is in use should not be trusted to be current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stale {
    /// In plain words: which source failed, how, and since when.
    pub why: String,
}

/// A wanted list as it stands now. A list is fresh when its source was read successfully not longer ago than allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListState {
    /// Which list.
    pub list: ListId,
    /// The version in use; `None` where none was ever read.
    pub version: Option<ListVersion>,
    /// When the source was last read successfully, changed or not.
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it is not fresh; `None` while it is. A list without a version is always stale.
    pub stale: Option<Stale>,
}

impl ListState {
    /// In use and current.
    pub fn is_fresh(&self) -> bool {
        self.version.is_some() && self.stale.is_none()
    }
}

/// What a listed entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A natural person.
    Person,
    /// A company, organisation or authority; also what the publisher leaves untyped.
    Organization,
    /// A ship.
    Vessel,
    /// An aircraft.
    Aircraft,
}

/// What a publisher calls a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// The entry's own name.
    Primary,
    /// Also known as, good quality.
    Alias,
    /// Formerly known as.
    Former,
    /// Now known as.
    NowKnownAs,
    /// The name in its original script.
    OriginalScript,
    /// A weak alias: broad or generic, no ground for a hit by itself (OFAC FAQ 122; UN quality `Low`).
    Weak,
}

/// One name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListedName {
    /// What the publisher calls it.
    pub kind: NameKind,
    /// The name as published, `SURNAME, Given` order included.
    pub text: String,
}

/// One listed party, as its publisher describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The publisher's own id (`ent_num` of OFAC, `DATAID` of the UN, `Unique ID` of the UK).
    pub id: String,
    /// The reference that people cite, where there is one (`CDi.001` of the UN, `EU.27.28` of the EU).
    pub reference: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// Its names; the first is the primary one, and there is at least one.
    pub names: Vec<ListedName>,
    /// Programmes or regimes it is listed under.
    pub programs: Vec<String>,
    /// Countries of residence, registration, nationality or flag.
    pub countries: Vec<CountryCode>,
    /// Dates of birth.
    pub birth_dates: Vec<DateSpan>,
    /// Identifiers.
    pub identifiers: Vec<Identifier>,
    /// Addresses, each in one line.
    pub addresses: Vec<String>,
    /// What the publisher adds in prose.
    pub remarks: Option<String>,
}

impl Entry {
    /// The name to show for the entry.
    pub fn caption(&self) -> &str {
        self.names.first().map_or(self.id.as_str(), |name| name.text.as_str())
    }
}

/// One whole list, read, checked and ready to index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchlist {
    /// Which version it is.
    pub version: ListVersion,
    /// Its entries, in the publisher's order, no id twice.
    pub entries: Vec<Entry>,
}
