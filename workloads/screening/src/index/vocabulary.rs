//! Every word once, and what is known of it beside its spelling.

use std::{collections::HashMap, hash::Hash};

use super::spellings::{Spellings, best_first};
use crate::{
    abjad::{self, Consonants},
    align::{SAME_CONSONANTS, SAME_SOUND, Term},
    meaning::{self, Meaning},
    name::NameWord,
    ordinary::Information,
    spelling::{Spelling, Spelt},
    syllables::{self, Sound},
    word_class::Class,
};

/// See the module. Arrays are by word number.
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Vocabulary {
    spellings: Spellings,
    rarity: Vec<f32>,
    information: Vec<Information>,
    meanings: Vec<&'static [Meaning]>,
    by_meaning: HashMap<Meaning, Vec<u32>>,
    sounds: Vec<Vec<Sound>>,
    by_sound: HashMap<Sound, Vec<u32>>,
    is_abjad: Vec<bool>,
    /// By [`Consonants::skeleton`].
    by_consonants: HashMap<Box<str>, Vec<u32>>,
}

/// A word to put into the vocabulary.
pub(super) struct NewWord {
    pub(super) spelt: Spelt,
    pub(super) rarity: f64,
    /// Whether some name has it in a script that leaves vowels out.
    pub(super) is_abjad: bool,
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
        let sounds: Vec<_> = words.iter().map(|word| syllables::sounds(&word.spelt.text)).collect();
        let by_sound = numbers_by(
            (0..).zip(&sounds).flat_map(|(word, all)| all.iter().map(move |one| (one.clone(), word))),
        );
        let is_abjad = words.iter().map(|word| word.is_abjad).collect();
        let skeleton = |word: &NewWord| Some(Consonants::of(&word.spelt.text)?.skeleton.into_boxed_str());
        let by_consonants = numbers_by((0..).zip(words).filter_map(|(at, word)| Some((skeleton(word)?, at))));
        Self {
            spellings,
            rarity,
            information,
            meanings,
            by_meaning,
            sounds,
            by_sound,
            is_abjad,
            by_consonants,
        }
    }

    /// How many words there are.
    pub(super) fn len(&self) -> usize {
        self.rarity.len()
    }

    /// Whether some name has the word in a script that leaves vowels out.
    pub(super) fn is_abjad(&self, word: u32) -> bool {
        self.is_abjad[word as usize]
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
            sounds: &self.sounds[word as usize],
            is_abjad: self.is_abjad[word as usize],
        }
    }

    /// 1 for a word that no list has.
    pub(super) fn rarity_of(&self, text: &str, key: &str) -> f64 {
        self.spellings.find(text, key).map_or(1.0, |word| f64::from(self.rarity[word as usize]))
    }

    /// Words alike to `wanted`, by spelling, meaning, sound or consonants, best first.
    pub(super) fn alike(&self, word: &NameWord) -> Vec<(u32, f64)> {
        let wanted = word.spelling();
        let mut found = self.spellings.alike(wanted);
        for meaning in meaning::of(wanted.text) {
            let same = self.by_meaning.get(meaning).into_iter().flatten();
            found.extend(same.map(|word| (*word, meaning.likeness())));
        }
        for sound in &word.sounds {
            let same = self.by_sound.get(sound).into_iter().flatten();
            found.extend(same.map(|word| (*word, SAME_SOUND)));
        }
        found.extend(self.with_consonants(word).map(|word| (word, SAME_CONSONANTS)));
        best_first(found)
    }

    /// Words that `word` may be without vowels, or that may be `word`.
    fn with_consonants(&self, word: &NameWord) -> impl Iterator<Item = u32> {
        let wanted = Consonants::of(&word.text);
        let same = wanted.as_ref().and_then(|wanted| self.by_consonants.get(wanted.skeleton.as_str()));
        let in_other_script = same.into_iter().flatten().copied();
        let in_other_script = in_other_script.filter(|one| self.is_abjad[*one as usize] != word.is_abjad);
        in_other_script.filter(move |one| {
            let other = Consonants::of(self.spelling(*one).text);
            wanted.as_ref().zip(other.as_ref()).is_some_and(|(wanted, other)| {
                if word.is_abjad { abjad::may_be(wanted, other) } else { abjad::may_be(other, wanted) }
            })
        })
    }

    /// See [`Spellings::alike_from_the_first_letter`].
    pub(super) fn alike_from_the_first_letter(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        self.spellings.alike_from_the_first_letter(wanted)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        // Each of a few letters, here and as a key.
        let sounds = self.sounds.iter().flatten().count() * 2 * (size_of::<Sound>() + 8);
        let numbers = self.by_meaning.values().chain(self.by_consonants.values());
        let numbers = numbers.map(|words| 4 * words.len() + 48).sum::<usize>();
        // The rarity, the information, the meanings and the place of the sounds.
        self.spellings.heap_bytes() + (4 + 3 + 16 + 24 + 1) * self.rarity.len() + sounds + numbers
    }
}

/// The numbers of words by what they have in common.
fn numbers_by<K: Eq + Hash>(words: impl Iterator<Item = (K, u32)>) -> HashMap<K, Vec<u32>> {
    let mut all: HashMap<K, Vec<u32>> = HashMap::new();
    words.for_each(|(key, word)| all.entry(key).or_default().push(word));
    all
}
