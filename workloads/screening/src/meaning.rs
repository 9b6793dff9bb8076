//! Words that mean the same: `kompaniya` is a company, `intl` is international, Bill may be William.
//!
//! `organisation_words.tsv` holds a word of organisations and what it means, one word a line; forms in other languages are
//! transliterated. They are facts from the project rigour (MIT) in our own form. `nicknames.tsv` holds given names, each with the
//! short forms that stand for it, from the project nicknames (Apache-2.0). A short form may stand for several names, which are not
//! the same by that.

use std::{collections::HashMap, sync::LazyLock};

/// What words of one meaning have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// One thing that organisations are called by, numbered in the order of the table.
    OfOrganisations(u16),
    /// One given name, by its line in the table.
    GivenName(u16),
}

/// Two words of organisations with one meaning.
const SAME_WORD: f64 = 0.95;
/// A name and its short form, or two short forms of one name.
const SHORT_FORM: f64 = 0.9;

impl Meaning {
    pub(crate) fn is_a_given_name(self) -> bool {
        matches!(self, Self::GivenName(_))
    }

    /// How alike two different words are that have it.
    pub(crate) fn likeness(self) -> f64 {
        if self.is_a_given_name() { SHORT_FORM } else { SAME_WORD }
    }
}

static MEANINGS: LazyLock<HashMap<&'static str, Vec<Meaning>>> = LazyLock::new(|| {
    let mut all: HashMap<_, Vec<Meaning>> = HashMap::new();
    let mut numbers: HashMap<&str, u16> = HashMap::new();
    let words = include_str!("organisation_words.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (word, meaning) in words {
        let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        let number = *numbers.entry(meaning).or_insert(next);
        all.entry(word).or_default().push(Meaning::OfOrganisations(number));
    }
    let names = include_str!("nicknames.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (line, (name, forms)) in (0..).zip(names) {
        for word in std::iter::once(name).chain(forms.split(' ')) {
            all.entry(word).or_default().push(Meaning::GivenName(line));
        }
    }
    all
});

/// The meanings of a normalised word, those of organisations first.
pub(crate) fn of(word: &str) -> &'static [Meaning] {
    MEANINGS.get(word).map_or(&[], Vec::as_slice)
}

/// Whether it is one of the words that say what kind of body it is.
pub(crate) fn is_of_organisations(word: &str) -> bool {
    of(word).first().is_some_and(|meaning| !meaning.is_a_given_name())
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
        assert!(shared("kompaniya", "company").is_some_and(|meaning| !meaning.is_a_given_name()));
        assert!(shared("intl", "international").is_some_and(|meaning| !meaning.is_a_given_name()));
        assert!(shared("bill", "william").is_some_and(Meaning::is_a_given_name));
        assert_eq!(shared("albert", "gilbert").map(Meaning::is_a_given_name), None);
        assert_eq!(shared("bank", "trade"), None);
        assert_eq!(shared("zqx", "zqx"), None);
    }

    #[test]
    fn the_tables_hold_normalised_words_alone() {
        let is_normal = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let strange: Vec<_> = MEANINGS.keys().filter(|word| !is_normal(word) || word.is_empty()).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}
