//! Which list a file is, told by how it begins: the root element of XML, the first object of JSON lines, the header of csv.
//! Enough to tell lists apart, not to trust them.

use crate::{ListFormat, csv, eu, json, ofac, own, uk, un, xml};

/// How much of a file is looked at.
pub(crate) const HEAD: usize = 64 << 10;

/// What a file seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sniffed {
    /// A list of this format, and what it is called where nobody gave it a name.
    List(ListFormat, &'static str),
    /// It looks like a list and is none that we can read; in words what it is instead.
    Unknown(String),
    /// Something else.
    Other,
}

/// How a file that may be a list is written, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Xml,
    JsonLines,
    Csv,
}

impl Written {
    /// `None` for a file that can be no list.
    pub(crate) fn by(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "xml" => Some(Self::Xml),
            "json" | "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// What the file called `name` that begins with `head` seems to be. OFAC's csv files are told by their names before.
    pub(crate) fn sniff(self, name: &str, head: &[u8]) -> Sniffed {
        let head = String::from_utf8_lossy(head);
        match self {
            Self::Xml => document(name, &head),
            Self::JsonLines => lines(&head),
            Self::Csv => table(&head),
        }
    }
}

fn document(name: &str, head: &str) -> Sniffed {
    match xml::root_name(head).as_deref() {
        // Both lists have the same root and name their list only at the end; the publisher's file names tell.
        Some(ofac::advanced::ROOT) if name.to_ascii_lowercase().starts_with("cons") => {
            Sniffed::List(ListFormat::OfacXml, "ofac-consolidated")
        }
        Some(ofac::advanced::ROOT) => Sniffed::List(ListFormat::OfacXml, "ofac-sdn"),
        Some(eu::ROOT) => Sniffed::List(ListFormat::EuXml, "eu-consolidated"),
        Some(uk::xml::ROOT) => Sniffed::List(ListFormat::UkXml, "uk-sanctions"),
        Some(un::ROOT) => Sniffed::List(ListFormat::UnXml, "un-consolidated"),
        Some(root) => Sniffed::Unknown(format!("its root is {root}")),
        None => Sniffed::Unknown("it begins with no root element".to_owned()),
    }
}

fn lines(head: &str) -> Sniffed {
    let names = json::first_names(head);
    let has = |wanted: &[&str]| wanted.iter().all(|name| names.iter().any(|known| known == name));
    if has(&["schema", "properties"]) {
        Sniffed::List(ListFormat::OpenSanctions, "opensanctions")
    } else if has(&["DATA_SOURCE"]) || has(&["RECORD_ID"]) {
        Sniffed::List(ListFormat::Senzing, "senzing")
    } else {
        Sniffed::Unknown("its first line is no entity of OpenSanctions and no record of Senzing".to_owned())
    }
}

/// Tables lie about everywhere, so one with another header is none of ours. What is called csv and is no table at all is a
/// download that went wrong.
fn table(head: &str) -> Sniffed {
    let start = head.trim_start_matches('\u{feff}').trim_start();
    let header = csv::header_names(head);
    if start.trim_start_matches('"').starts_with(uk::csv::FIRST_LINE)
        || header.iter().any(|name| name == "ofsigroupid")
    {
        Sniffed::List(ListFormat::UkCsv, "uk-sanctions")
    } else if own::REQUIRED.iter().all(|name| header.iter().any(|known| known == name)) {
        Sniffed::List(ListFormat::OwnCsv, "own")
    } else if start.starts_with(['<', '{', '\0']) {
        Sniffed::Unknown("it is called csv and is no table".to_owned())
    } else {
        Sniffed::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_by_how_it_begins() {
        let list = |format, name| Sniffed::List(format, name);
        let long =
            format!("{{\"id\":\"1\",\"schema\":\"Person\",\"properties\":{{\"name\":[\"{}", "x".repeat(HEAD));
        for (name, head, expected) in [
            ("SDN_ADVANCED.XML", "<Sanctions Version=\"3\">", list(ListFormat::OfacXml, "ofac-sdn")),
            ("CONS_ADVANCED.XML", "<Sanctions>", list(ListFormat::OfacXml, "ofac-consolidated")),
            ("a.xml", "<?xml version=\"1.0\"?><export>", list(ListFormat::EuXml, "eu-consolidated")),
            ("a.xml", "<Designations>", list(ListFormat::UkXml, "uk-sanctions")),
            ("a.xml", "<CONSOLIDATED_LIST>", list(ListFormat::UnXml, "un-consolidated")),
            ("entities.ftm.json", &long, list(ListFormat::OpenSanctions, "opensanctions")),
            ("a.jsonl", "{\"DATA_SOURCE\":\"A\",\"RECORD_ID\":1}", list(ListFormat::Senzing, "senzing")),
            ("a.CSV", "Report Date: 05-Mar-2024\r\n", list(ListFormat::UkCsv, "uk-sanctions")),
            ("a.csv", "Last Updated,Unique ID,OFSI Group ID\n", list(ListFormat::UkCsv, "uk-sanctions")),
            ("a.csv", "\u{feff}Name,ID,\"Type\"\n", list(ListFormat::OwnCsv, "own")),
            ("a.csv", "id,status\n", Sniffed::Other),
            ("README.md", "<export>", Sniffed::Other),
            ("a.xml", "<sdnList>", Sniffed::Unknown("its root is sdnList".into())),
            ("a.csv", "<html>", Sniffed::Unknown("it is called csv and is no table".into())),
        ] {
            let found =
                Written::by(name).map_or(Sniffed::Other, |written| written.sniff(name, head.as_bytes()));
            assert_eq!(found, expected, "{name} {}", &head[..head.len().min(40)]);
        }
        for head in ["", "[]", "{\"name\":\"index\"}", "\0\0\0"] {
            for written in [Written::Xml, Written::JsonLines] {
                let found = written.sniff("a", head.as_bytes());
                assert!(matches!(found, Sniffed::Unknown(_)), "{written:?} {head:?}");
            }
        }
    }
}
