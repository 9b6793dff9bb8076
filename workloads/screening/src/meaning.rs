//! Words that mean the same: `kompaniya` is a company, `intl` is international, Bill may be William.
//!
//! `organisation_words.tsv` holds a word and what it means, one line a word; forms in other languages are transliterated. They are
//! facts from the project rigour (MIT) in our own form. `nicknames.tsv` holds given names, each with the short forms that stand for it,
//! from the project nicknames (Apache-2.0). A short form may stand for several names, which are not the same by that.

use std::{collections::HashMap, sync::LazyLock};

/// What words of one meaning have in common. Below [`FIRST_OF_NAMES`] a meaning of organisations' words, from there on a given name.
pub(crate) type Meaning = u16;

const FIRST_OF_NAMES: Meaning = 1_000;

/// Two words of organisations with one meaning.
const SAME_WORD: f64 = 0.95;
/// A name and its short form.
const SHORT_FORM: f64 = 0.9;

static MEANINGS: LazyLock<HashMap<&'static str, Vec<Meaning>>> = LazyLock::new(|| {
    let mut all: HashMap<_, Vec<Meaning>> = HashMap::new();
    let mut numbers: HashMap<&str, Meaning> = HashMap::new();
    for (word, meaning) in
        include_str!("organisation_words.tsv").lines().filter_map(|line| line.split_once('\t'))
    {
        let next = Meaning::try_from(numbers.len()).unwrap_or(0);
        all.entry(word).or_default().push(*numbers.entry(meaning).or_insert(next));
    }
    let names = include_str!("nicknames.tsv").lines().filter_map(|line| line.split_once('\t'));
    for (meaning, (name, forms)) in (FIRST_OF_NAMES..).zip(names) {
        for word in std::iter::once(name).chain(forms.split(' ')) {
            all.entry(word).or_default().push(meaning);
        }
    }
    all
});

/// The meanings of a normalised word.
pub(crate) fn of(word: &str) -> &'static [Meaning] {
    MEANINGS.get(word).map_or(&[], Vec::as_slice)
}

/// Whether it is one of the words that say what kind of body it is.
pub(crate) fn is_of_organisations(word: &str) -> bool {
    of(word).first().is_some_and(|meaning| *meaning < FIRST_OF_NAMES)
}

/// How alike two words are by what they mean.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    let shared = of(a).iter().find(|meaning| of(b).contains(meaning));
    shared.map_or(0.0, |meaning| if *meaning < FIRST_OF_NAMES { SAME_WORD } else { SHORT_FORM })
}
