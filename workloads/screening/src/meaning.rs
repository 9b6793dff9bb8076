//! Words that mean the same: `kompaniya` is a company, `intl` is international, `First` is `1`, Bill may be William.
//!
//! `organisation_words.tsv` holds a word of organisations and what it means, one word a line; forms in other languages are
//! transliterated. They are facts from the project rigour (MIT) in our own form. `nicknames.tsv` holds given names, each with the
//! short forms that stand for it, from the project nicknames (Apache-2.0). A short form may stand for several names, which are not
//! the same by that.

use std::{collections::HashMap, sync::LazyLock};

use crate::numbers;

/// What words of one meaning have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// One thing that organisations are called by, numbered in the order of the table.
    OfOrganisations(u16),
    /// One given name, by its line in the table.
    GivenName(u16),
    /// A number, see [`crate::numbers`].
    Number(u8),
}

/// Two words of organisations with one meaning.
const SAME_WORD: f64 = 0.95;
/// A name and its short form, or two short forms of one name.
const SHORT_FORM: f64 = 0.9;

impl Meaning {
    /// How alike two different words are that have it.
    pub(crate) fn likeness(self) -> f64 {
        match self {
            Self::OfOrganisations(_) => SAME_WORD,
            Self::GivenName(_) => SHORT_FORM,
            Self::Number(_) => 1.0,
        }
    }
}

static MEANINGS: LazyLock<HashMap<String, Vec<Meaning>>> = LazyLock::new(|| {
    let mut all: HashMap<String, Vec<Meaning>> = HashMap::new();
    let mut numbers: HashMap<&str, u16> = HashMap::new();
    let words = include_str!("organisation_words.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (word, meaning) in words {
        let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        let number = *numbers.entry(meaning).or_insert(next);
        all.entry(word.to_owned()).or_default().push(Meaning::OfOrganisations(number));
    }
    let names = include_str!("nicknames.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (line, (name, forms)) in (0..).zip(names) {
        for word in std::iter::once(name).chain(forms.split(' ')) {
            all.entry(word.to_owned()).or_default().push(Meaning::GivenName(line));
        }
    }
    for (word, number) in numbers::spellings() {
        let meanings = all.entry(word).or_default();
        if !meanings.contains(&Meaning::Number(number)) {
            meanings.push(Meaning::Number(number));
        }
    }
    all
});

/// The meanings of a normalised word: those of organisations first, then given names, then a number.
pub(crate) fn of(word: &str) -> &'static [Meaning] {
    MEANINGS.get(word).map_or(&[], Vec::as_slice)
}

/// Whether it is one of the words that say what kind of body it is.
pub(crate) fn is_of_organisations(word: &str) -> bool {
    matches!(of(word), [Meaning::OfOrganisations(_), ..])
}

/// Whether it is a number, in digits or in words.
pub(crate) fn is_a_number(word: &str) -> bool {
    matches!(of(word), [.., Meaning::Number(_)])
}

/// A meaning that both have.
pub(crate) fn shared(a: &[Meaning], b: &[Meaning]) -> Option<Meaning> {
    a.iter().find(|meaning| b.contains(meaning)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_share_a_meaning_across_languages_and_names_with_their_short_forms() {
        let shared = |a, b| shared(of(a), of(b));
        assert!(matches!(shared("kompaniya", "company"), Some(Meaning::OfOrganisations(_))));
        assert!(matches!(shared("intl", "international"), Some(Meaning::OfOrganisations(_))));
        assert!(matches!(shared("bill", "william"), Some(Meaning::GivenName(_))));
        assert_eq!(shared("fortyfour", "44"), Some(Meaning::Number(44)));
        assert_eq!(shared("albert", "gilbert"), None);
        assert_eq!(shared("bank", "trade"), None);
        assert_eq!(shared("zqx", "zqx"), None);
    }

    #[test]
    fn the_tables_hold_normalised_words_alone() {
        let is_normal = |word: &&String| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let strange: Vec<_> = MEANINGS.keys().filter(|word| !is_normal(word) || word.is_empty()).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}
