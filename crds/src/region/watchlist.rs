//! Where a region's watchlists come from.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{
    schema::enum_schema,
    text::{ListName, Period, Sha256},
};

/// How a list's files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WatchlistFormat {
    /// OFAC's three csv files: primary names, aliases, addresses.
    OfacCsv,
    /// OFAC's lists in the Advanced Sanctions Data Model, XML.
    OfacXml,
    /// The EU's consolidated list of financial sanctions in XML.
    EuXml,
    /// The UK Sanctions List as csv.
    UkCsv,
    /// The UK Sanctions List in XML.
    UkXml,
    /// The UN Security Council Consolidated List in XML.
    UnXml,
    /// Entities of OpenSanctions (FollowTheMoney) as JSON lines.
    OpenSanctions,
    /// Records of the Senzing Entity Specification as JSON lines.
    Senzing,
    /// A list of one's own as csv with a header.
    OwnCsv,
}
enum_schema!(
    WatchlistFormat,
    ["OfacCsv", "OfacXml", "EuXml", "UkCsv", "UkXml", "UnXml", "OpenSanctions", "Senzing", "OwnCsv"]
);

impl WatchlistFormat {
    /// The publisher's own names of its files in a folder. None where one list is published under several names, or under none: then the
    /// file itself has to be named.
    pub const fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::OfacCsv => &["sdn.csv", "alt.csv", "add.csv"],
            Self::UnXml => &["consolidated.xml"],
            Self::OfacXml
            | Self::EuXml
            | Self::UkCsv
            | Self::UkXml
            | Self::OpenSanctions
            | Self::Senzing
            | Self::OwnCsv => &[],
        }
    }
}

/// One watchlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.url) != has(self.urls)").message("a watchlist needs exactly one of url and urls"),
    validation = Rule::new("self.format != 'OfacCsv' || !has(self.url) || self.url.endsWith('/')")
        .message("OFAC publishes three files: let url end in `/` to name their folder, or name each file in urls"),
    validation = Rule::new("self.format in ['OfacCsv', 'UnXml'] || !has(self.url) || !self.url.endsWith('/')")
        .message("only the files of OfacCsv and UnXml have names that a folder can be searched for: let url name the file"),
)]
pub struct WatchlistSource {
    /// The list's name, such as `ofac-sdn`; screenings report it.
    pub name: ListName,
    /// How its files are written: `OfacCsv`, `OfacXml`, `EuXml`, `UkCsv`, `UkXml`, `UnXml`, `OpenSanctions`, `Senzing` or `OwnCsv`.
    pub format: WatchlistFormat,
    /// Where it comes from: a file, or a folder if it ends in `/`. In a folder the files have their publisher's names:
    /// `sdn.csv`, `alt.csv`, `add.csv` for OfacCsv, `consolidated.xml` for UnXml; lists of other formats are one file. Instead
    /// of `urls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    #[x_kube(validation = plain_url())]
    pub url: Option<String>,
    /// One URL for each of the publisher's files, 1 to 10. Instead of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), inner(length(min = 1, max = 500)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(u, u.matches('^https?://[^@ ]+$'))")
            .message("urls must begin with https:// or http:// and hold no user name or password"),
    )]
    pub urls: Option<Vec<String>>,
    /// How often the source is read, `1s` to `7d`; `1h` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Period>,
    /// How long after the last successful reading the list counts as fresh; longer than `refresh`, at most `365d`; `24h`
    /// where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Period>,
    /// The SHA-256 of the one version that is accepted though it lost more than a fifth of its entries. The refusal names
    /// it; set it after you looked at the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_shrink: Option<Sha256>,
}

fn plain_url() -> kube::core::Rule {
    kube::core::Rule::new("self.matches('^https?://[^@ ]+$')")
        .message("url must begin with https:// or http:// and hold no user name or password")
}

impl WatchlistSource {
    /// One URL for each of the publisher's files.
    pub fn file_urls(&self) -> Vec<String> {
        match (&self.urls, &self.url) {
            (Some(urls), _) => urls.clone(),
            (None, Some(folder)) if folder.ends_with('/') => {
                self.format.file_names().iter().map(|file| format!("{folder}{file}")).collect()
            }
            (None, url) => url.iter().cloned().collect(),
        }
    }
}
