//! How ordinary a word of a name is, in bits: a word that one name in 2^n has says n bits about who is meant.
//!
//! `ordinary_names.tsv` holds given names and surnames with the share of people who bear them, as −log2 in whole bits: names of the US
//! census of 1990 (public domain), and of the name lists by language of the project Faker (MIT), each language counted as a fifth of
//! all people, so that a name that is common anywhere is common.

use std::{collections::HashMap, sync::LazyLock};

static NAMES: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let lines = include_str!("ordinary_names.tsv").lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(name, bits)| Some((name, bits.parse().ok()?))).collect()
});

/// What a word says that is in no table.
pub(crate) const UNKNOWN: f64 = 18.0;

/// The bits of a normalised word, 4 to [`UNKNOWN`].
pub(crate) fn bits(word: &str) -> f64 {
    match NAMES.get(word) {
        Some(bits) => f64::from(*bits),
        None if word.len() <= 3 => 2.0 + 3.0 * f64::from(u8::try_from(word.len()).unwrap_or(0)),
        None => UNKNOWN,
    }
}

/// Whether people are called so.
pub(crate) fn is_a_name(word: &str) -> bool {
    NAMES.contains_key(word)
}
