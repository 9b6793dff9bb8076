//! Countries by their ISO 3166-1 alpha-2 code.

use serde::{Deserialize, Serialize};

use crate::Invalid;

#[path = "country_table.rs"]
mod table;
use table::COUNTRIES;

/// An ISO 3166-1 alpha-2 code that is assigned (or `XK`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 2, max_length = 2, example = "DE"))]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The two capital letters.
    pub fn as_str(&self) -> &'static str {
        self.row().map_or("", |(code, _, _)| code)
    }

    /// The English short name.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// The country that a publisher means by `text`: a code, an English name or a known further spelling; accents and
    /// case do not matter. `None` where it means none that we know.
    pub fn recognise(text: &str) -> Option<Self> {
        let folded = fold(text);
        if folded.is_empty() {
            return None;
        }
        COUNTRIES
            .iter()
            .find(|(code, name, others)| {
                code.eq_ignore_ascii_case(&folded)
                    || fold(name) == folded
                    || others.contains(&folded.as_str())
            })
            .and_then(|(code, _, _)| Self::try_from(*code).ok())
    }

    fn row(self) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
        COUNTRIES.binary_search_by(|(code, _, _)| code.as_bytes().cmp(&self.0)).ok().map(|at| &COUNTRIES[at])
    }
}

/// Lower case without the accents that occur in country names.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        'å' | 'ã' | 'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ó' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ü' | 'û' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        '’' => '\'',
        other => other,
    };
    text.trim().chars().flat_map(char::to_lowercase).map(plain).collect()
}

impl TryFrom<&str> for CountryCode {
    type Error = Invalid;
    fn try_from(text: &str) -> Result<Self, Invalid> {
        let refused = || Invalid::new("country", "must be an ISO 3166-1 alpha-2 code, such as `DE`");
        let code =
            <[u8; 2]>::try_from(text.as_bytes()).map_err(|_| refused())?.map(|b| b.to_ascii_uppercase());
        let country = Self(code);
        if country.row().is_some() { Ok(country) } else { Err(refused()) }
    }
}

impl TryFrom<String> for CountryCode {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::try_from(text.as_str())
    }
}

impl std::str::FromStr for CountryCode {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::try_from(text)
    }
}

impl From<CountryCode> for String {
    fn from(country: CountryCode) -> String {
        country.as_str().to_owned()
    }
}

impl std::fmt::Display for CountryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_look_ups_find_every_row() {
        assert!(COUNTRIES.is_sorted_by_key(|(code, _, _)| *code));
        for (code, name, _) in COUNTRIES {
            assert_eq!(CountryCode::try_from(*code).unwrap().name(), *name);
        }
    }

    #[test]
    fn a_publishers_spelling_is_recognised() {
        for (text, code) in
            [("Iran", "IR"), ("Korea, North", "KP"), ("Burma", "MM"), ("RUSSIA", "RU"), ("de", "DE")]
        {
            assert_eq!(CountryCode::recognise(text), CountryCode::try_from(code).ok(), "{text}");
        }
        assert_eq!(CountryCode::recognise("Atlantis"), None);
    }

    #[test]
    fn an_unassigned_code_is_refused() {
        for bad in ["", "D", "DEU", "ZZ", "é"] {
            assert!(CountryCode::try_from(bad).is_err(), "{bad}");
        }
    }
}
