//! The code table: every NAICS 2022 code and its title.

use std::{collections::HashMap, sync::OnceLock};

const CSV: &str = include_str!("../data/naics_2022.csv");

/// A code and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// Two to six digits; sectors that span several codes are written `31-33`.
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
}

/// The title of a code of any level, such as `311811` or `3118`; sectors also by one of their codes, `32` for `31-33`.
pub fn code_title(code: &str) -> Option<&'static str> {
    titles().get(code).copied()
}

/// Every code, in the order of the table.
pub(crate) fn codes() -> impl Iterator<Item = Code> {
    // rows are `code,title` or `code,"title, with commas"`; the table is ours, so a row can't be anything else
    CSV.lines()
        .skip(1)
        .filter_map(|row| row.split_once(','))
        .map(|(code, title)| Code { code, title: title.trim_matches('"') })
}

fn titles() -> &'static HashMap<String, &'static str> {
    static TITLES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    TITLES.get_or_init(|| {
        let mut titles = HashMap::new();
        for Code { code, title } in codes() {
            let (first, last) = code.split_once('-').unwrap_or((code, code));
            if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
                titles.extend((first..=last).map(|code| (code.to_string(), title)));
            }
            titles.insert(code.to_owned(), title);
        }
        titles
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_code_of_naics_2022() {
        assert_eq!(codes().count(), 2125);
        let of_length =
            |n: usize| codes().filter(|code| code.code.len() == n && !code.code.contains('-')).count();
        assert_eq!([2, 3, 4, 5, 6].map(of_length), [17, 96, 308, 689, 1012]);
        assert_eq!(code_title("311811"), Some("Retail Bakeries"));
        assert_eq!(code_title("32"), Some("Manufacturing"));
        assert_eq!(code_title("999999"), None);
    }

    #[test]
    fn the_table_says_what_its_publisher_says() {
        let path = "../../../shared/data/naics/naics_2022.json";
        let published: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let published = published
            .iter()
            .map(|row| (row["code"].as_str().unwrap(), row["label"].as_str().unwrap().trim()));
        assert!(published.eq(codes().map(|code| (code.code, code.title))));
    }
}
