//! Every word once, and what is known of it beside its spelling.

use std::{collections::HashMap, hash::Hash};

use super::spellings::{Spellings, best_first};
use crate::{
    align::{SAME_SOUND, Term},
    meaning::{self, Meaning},
    ordinary::Information,
    spelling::{Spelling, Spelt},
    syllables,
    word_class::Class,
};

/// See the module. Arrays are by word number.
pub(super) struct Vocabulary {
    spellings: Spellings,
    rarity: Vec<f32>,
    information: Vec<Information>,
    meanings: Vec<&'static [Meaning]>,
    by_meaning: HashMap<Meaning, Vec<u32>>,
    /// See [`syllables::sound`]; most words have none.
    sound: Vec<Option<Box<str>>>,
    by_sound: HashMap<Box<str>, Vec<u32>>,
}

/// A word to put into the vocabulary.
pub(super) struct NewWord {
    pub(super) spelt: Spelt,
    pub(super) rarity: f64,
}

impl Vocabulary {
    /// `words` in the order of their spellings, see [`Spellings`].
    pub(super) fn new(words: &[NewWord]) -> Self {
        let spellings = Spellings::of(words.iter().map(|word| word.spelt.spelling()));
        #[expect(clippy::cast_possible_truncation, reason = "a weight between 0 and 1 needs no more digits")]
        let rarity = words.iter().map(|word| word.rarity as f32).collect();
        let information = words.iter().map(|word| Information::of(&word.spelt.text)).collect();
        let meanings: Vec<_> = words.iter().map(|word| meaning::of(&word.spelt.text)).collect();
        let by_meaning =
            numbers_by((0..).zip(&meanings).flat_map(|(word, all)| all.iter().map(move |one| (*one, word))));
        let sound: Vec<_> =
            words.iter().map(|word| syllables::sound(&word.spelt.text).map(String::into_boxed_str)).collect();
        let by_sound = numbers_by((0..).zip(&sound).filter_map(|(word, sound)| Some((sound.clone()?, word))));
        Self { spellings, rarity, information, meanings, by_meaning, sound, by_sound }
    }

    pub(super) fn spelling(&self, word: u32) -> Spelling<'_> {
        self.spellings.get(word)
    }

    /// What a word counts in a name where it is of `class`.
    pub(super) fn weight(&self, word: u32, class: Class) -> f64 {
        class.factor() * f64::from(self.rarity[word as usize])
    }

    pub(super) fn term(&self, word: u32, class: Class) -> Term<'_> {
        let information = self.information[word as usize];
        Term {
            spelling: self.spelling(word),
            weight: self.weight(word, class),
            class,
            bits: class.bits(information),
            is_a_name: information.is_a_name,
            is_common: information.is_common,
            meanings: self.meanings[word as usize],
            sound: self.sound[word as usize].as_deref(),
        }
    }

    /// 1 for a word that no list has.
    pub(super) fn rarity_of(&self, text: &str, key: &str) -> f64 {
        self.spellings.find(text, key).map_or(1.0, |word| f64::from(self.rarity[word as usize]))
    }

    /// Words alike to `wanted`, by spelling, meaning or sound, best first.
    pub(super) fn alike(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        let mut found = self.spellings.alike(wanted);
        for meaning in meaning::of(wanted.text) {
            let same = self.by_meaning.get(meaning).into_iter().flatten();
            found.extend(same.map(|word| (*word, meaning.likeness())));
        }
        let sound = syllables::sound(wanted.text);
        let same = sound.and_then(|sound| self.by_sound.get(sound.as_str())).into_iter().flatten();
        found.extend(same.map(|word| (*word, SAME_SOUND)));
        best_first(found)
    }

    /// See [`Spellings::alike_from_the_first_letter`].
    pub(super) fn alike_from_the_first_letter(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        self.spellings.alike_from_the_first_letter(wanted)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let sounds = self.sound.iter().flatten().map(|sound| 2 * sound.len() + 32).sum::<usize>();
        let numbers = self.by_meaning.values().map(|words| 4 * words.len() + 32).sum::<usize>();
        // The rarity, the information, the meanings and the place of the sound.
        self.spellings.heap_bytes() + (4 + 3 + 16 + 16) * self.rarity.len() + sounds + numbers
    }
}

/// The numbers of words by what they have in common.
fn numbers_by<K: Eq + Hash>(words: impl Iterator<Item = (K, u32)>) -> HashMap<K, Vec<u32>> {
    let mut all: HashMap<K, Vec<u32>> = HashMap::new();
    words.for_each(|(key, word)| all.entry(key).or_default().push(word));
    all
}
