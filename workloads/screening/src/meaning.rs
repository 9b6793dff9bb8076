//! Words that mean the same: `kompaniya` is a company, `intl` is international, `First` is `1`, Bill may be William.
//!
//! `organisation_words.tsv` holds a word of organisations and what it means, one word a line; forms in other languages are
//! transliterated. They are facts from the project rigour (MIT) in our own form. `given_names.tsv` holds in each line one given name
//! as neighbouring languages and their transliterations write it: a passport's `Serhiy` is a newspaper's `Sergei`. `nicknames.tsv`
//! holds given names, each with the short forms that stand for it, from the project nicknames (Apache-2.0). A short form may stand for
//! several names, which are not the same by that. `abbreviations.tsv` holds customary short forms of words of organisations, each with the words that it may stand
//! for; words without vowels (`srvcs`) need no table.

use std::{collections::HashMap, sync::LazyLock};

use crate::numbers;

/// What words of one meaning have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// One thing that organisations are called by, numbered in the order of the table.
    OfOrganisations(u16),
    /// One given name in several languages, by its line in the table.
    GivenName(u16),
    /// A given name and the short forms of it, by its line in the table.
    ShortForm(u16),
    /// A number, see [`crate::numbers`].
    Number(u8),
}

/// Two words of organisations with one meaning.
const SAME_WORD: f64 = 0.95;
/// One given name in two languages.
const SAME_GIVEN_NAME: f64 = 0.94;
/// A name and its short form, or two short forms of one name.
const SHORT_FORM: f64 = 0.9;

impl Meaning {
    /// How alike two different words are that have it.
    pub(crate) fn likeness(self) -> f64 {
        match self {
            Self::OfOrganisations(_) => SAME_WORD,
            Self::GivenName(_) => SAME_GIVEN_NAME,
            Self::ShortForm(_) => SHORT_FORM,
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
    let short = include_str!("abbreviations.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (short, words) in short {
        let of_words =
            words.split(' ').filter_map(|word| all.get(word)?.first().copied()).collect::<Vec<_>>();
        let meanings = all.entry(short.to_owned()).or_default();
        meanings.extend(of_words);
    }
    for (line, forms) in (0..).zip(include_str!("given_names.tsv").lines()) {
        for word in forms.split(' ') {
            all.entry(word.to_owned()).or_default().push(Meaning::GivenName(line));
        }
    }
    let names = include_str!("nicknames.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (line, (name, forms)) in (0..).zip(names) {
        for word in std::iter::once(name).chain(forms.split(' ')) {
            all.entry(word.to_owned()).or_default().push(Meaning::ShortForm(line));
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

/// The meanings of words of organisations by what is left of them without vowels.
static WITHOUT_VOWELS: LazyLock<HashMap<String, Vec<Meaning>>> = LazyLock::new(|| {
    let mut all: HashMap<String, Vec<Meaning>> = HashMap::new();
    let words = include_str!("organisation_words.tsv").lines().filter_map(|line| line.split_once('\t'));
    for word in words.map(|(word, _)| word).filter(|word| word.len() > SHORTEST_WITHOUT_VOWELS + 1) {
        let meanings = all.entry(without_vowels(word)).or_default();
        let new = of_table(word).iter().find(|meaning| matches!(meaning, Meaning::OfOrganisations(_)));
        meanings.extend(new.filter(|new| !meanings.contains(new)).copied().into_iter().collect::<Vec<_>>());
    }
    // What several words leave stands for none of them.
    all.retain(|letters, meanings| letters.len() >= SHORTEST_WITHOUT_VOWELS && meanings.len() == 1);
    all
});

/// Two consonants stand for too much.
const SHORTEST_WITHOUT_VOWELS: usize = 3;
/// From so many consonants on, one vowel may be left: `srvces`.
const LONG_WITHOUT_VOWELS: usize = 5;

/// A word without its vowels, but with its first letter.
fn without_vowels(word: &str) -> String {
    let letters = word.char_indices().filter(|(at, letter)| *at == 0 || !is_vowel(*letter));
    letters.map(|(_, letter)| letter).collect()
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

/// The meanings of a normalised word: those of organisations first, then given names, then a number.
pub(crate) fn of(word: &str) -> &'static [Meaning] {
    let known = of_table(word);
    if known.is_empty() { of_abbreviated(word) } else { known }
}

/// Whether it means something as it stands, not as another word without vowels.
pub(crate) fn is_in_a_table(word: &str) -> bool {
    !of_table(word).is_empty()
}

fn of_table(word: &str) -> &'static [Meaning] {
    MEANINGS.get(word).map_or(&[], Vec::as_slice)
}

/// Of a word that was written without vowels.
fn of_abbreviated(word: &str) -> &'static [Meaning] {
    let vowels = word.chars().skip(1).filter(|letter| is_vowel(*letter)).count();
    let most = usize::from(word.len() > LONG_WITHOUT_VOWELS);
    if vowels > most || word.len() - vowels < SHORTEST_WITHOUT_VOWELS {
        return &[];
    }
    WITHOUT_VOWELS.get(&without_vowels(word)).map_or(&[], Vec::as_slice)
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
        assert!(matches!(shared("bill", "william"), Some(Meaning::ShortForm(_))));
        assert!(matches!(shared("fedor", "fyodor"), Some(Meaning::GivenName(_))));
        assert_eq!(shared("fortyfour", "44"), Some(Meaning::Number(44)));
        for (short, long) in [
            ("comm", "communications"),
            ("comm", "commercial"),
            ("srvces", "services"),
            ("srvcs", "services"),
            ("svcs", "service"),
            ("trdng", "trading"),
            ("tech", "technologies"),
            ("mfg", "manufacturing"),
        ] {
            assert!(matches!(shared(short, long), Some(Meaning::OfOrganisations(_))), "{short} {long}");
        }
        assert_eq!(of("grip"), [], "a word with vowels is no abbreviation");
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
