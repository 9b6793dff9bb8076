//! How ordinary a word of a name is, in bits: a word that one name in 2ⁿ has says n bits about who is meant.
//!
//! `ordinary_names.tsv` holds given names and surnames with the share of people who bear them, as −log₂ in whole bits: names of
//! the US census of 1990 (public domain, as in the package names of PyPI, MIT), and of the name lists by language of the project
//! Faker (MIT), each language counted as a fifth of all people, so that a name that is common anywhere is common. A word that many
//! bodies have says little wherever it stands: `General Trading` is told from other names by nothing else, and yet is common.

use std::{collections::HashMap, sync::LazyLock};

use crate::word_class::{self, Class};

/// What a word says about who is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Information {
    /// 4 to [`MOST`].
    pub(crate) bits: u8,
    /// Whether people are called so.
    pub(crate) is_a_name: bool,
    /// Whether it is one of the words that many bodies have.
    pub(crate) is_common: bool,
}

/// What a word says that is in no table, from four letters on: one in 260,000.
const UNKNOWN: u8 = 18;

/// What a shorter one says: there are not so many, and abbreviations meet by chance.
const UNKNOWN_BY_LENGTH: [u8; 4] = [4, 5, 8, 11];

/// A longer one says a bit more for each letter above so many: it is less and less often met, or misspelt into another word.
const LONG: usize = 9;

/// The most that any word says.
const MOST: u8 = 24;

static NAMES: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let lines = include_str!("ordinary_names.tsv").lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(name, bits)| Some((name, bits.parse().ok()?))).collect()
});

impl Information {
    /// Of a normalised word.
    pub(crate) fn of(word: &str) -> Self {
        let long = u8::try_from(word.len().saturating_sub(LONG)).unwrap_or(MOST);
        let unknown = UNKNOWN_BY_LENGTH.get(word.len()).copied().unwrap_or((UNKNOWN + long).min(MOST));
        let listed = NAMES.get(word).copied();
        let bits = listed.unwrap_or(unknown);
        let is_common = word_class::is_common(word);
        let bits = if is_common { bits.min(Class::MOST_BITS_OF_GENERIC) } else { bits };
        Self { bits, is_a_name: listed.is_some(), is_common }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_to_its_last_line() {
        let lines = include_str!("ordinary_names.tsv").lines().count();
        assert_eq!(NAMES.len(), lines, "each line is a word of its own with its bits");
        assert!(NAMES.values().all(|bits| (4..=UNKNOWN).contains(bits)));
        assert!(NAMES.keys().all(|name| name.bytes().all(|letter| letter.is_ascii_alphanumeric())));
    }

    #[test]
    fn a_common_name_says_less_than_a_rare_one_and_a_long_word_more_than_a_short_one() {
        let bits = |word: &str| Information::of(word).bits;
        assert!(bits("maria") < bits("smith") && bits("smith") < bits("vvqx"));
        assert!(bits("vvq") < bits("vvqx") && bits("vq") < bits("vvq"));
        assert!(bits("vvqx") == bits("vvqxvvqxv") && bits("vvqxvvqxv") < bits("vvqxvvqxvv"));
        assert_eq!(bits(&"vq".repeat(24)), MOST);
        assert!(bits("trading") < bits("vvqx") && Information::of("trading").is_common);
        assert!(Information::of("maria").is_a_name && !Information::of("vvqx").is_a_name);
    }
}
