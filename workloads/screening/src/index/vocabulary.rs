//! Every word once, in the order of key length: a look-up visits only words whose length is near enough, and skips most of
//! those by their consonants. Neither test can skip a word that is alike enough, so a misspelt word is always found.

use std::{collections::HashMap, hash::Hash, ops::Range};

use crate::{
    align::{SAME_SOUND, Term},
    meaning::{self, Meaning},
    normalise::LONGEST_WORD,
    ordinary::Information,
    spelling::{Spelling, consonants_are_near, edit_budget, edits_of_consonants, length_slack, likeness},
    syllables,
    word_class::Class,
};

/// See the module. Arrays are by word number.
pub(super) struct Vocabulary {
    text: Texts,
    key: Texts,
    consonants: Vec<[u64; 2]>,
    rarity: Vec<f32>,
    information: Vec<Information>,
    meanings: Vec<&'static [Meaning]>,
    by_meaning: HashMap<Meaning, Vec<u32>>,
    /// See [`syllables::sound`]; most words have none.
    sound: Vec<Option<Box<str>>>,
    by_sound: HashMap<Box<str>, Vec<u32>>,
    /// First word of each key length; one more item, the end.
    first_of_length: Vec<u32>,
}

/// Many short strings in one.
#[derive(Default)]
struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
    }

    fn get(&self, at: u32) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at as usize - 1] };
        &self.all[start as usize..self.ends[at as usize] as usize]
    }
}

/// A word to put into the vocabulary.
pub(super) struct NewWord {
    pub(super) text: String,
    pub(super) key: String,
    pub(super) consonants: [u64; 2],
    pub(super) rarity: f64,
}

impl Vocabulary {
    /// The order in which words must come.
    pub(super) fn order(key: &str, text: &str) -> (usize, String, String) {
        (key.len(), key.to_owned(), text.to_owned())
    }

    /// `words` in the order of [`Self::order`], none twice.
    pub(super) fn new(words: &[NewWord]) -> Self {
        let (mut text, mut key) = (Texts::default(), Texts::default());
        let mut first_of_length = vec![0; LONGEST_WORD + 2];
        for word in words {
            text.push(&word.text);
            key.push(&word.key);
            first_of_length[word.key.len() + 1] += 1;
        }
        for length in 1..first_of_length.len() {
            first_of_length[length] += first_of_length[length - 1];
        }
        let consonants = words.iter().map(|word| word.consonants).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a weight between 0 and 1 needs no more digits")]
        let rarity = words.iter().map(|word| word.rarity as f32).collect();
        let information = words.iter().map(|word| Information::of(&word.text)).collect();
        let meanings: Vec<_> = words.iter().map(|word| meaning::of(&word.text)).collect();
        let by_meaning =
            numbers_by((0..).zip(&meanings).flat_map(|(word, all)| all.iter().map(move |one| (*one, word))));
        let sound: Vec<_> =
            words.iter().map(|word| syllables::sound(&word.text).map(String::into_boxed_str)).collect();
        let by_sound = numbers_by((0..).zip(&sound).filter_map(|(word, sound)| Some((sound.clone()?, word))));
        Self {
            text,
            key,
            consonants,
            rarity,
            information,
            meanings,
            by_meaning,
            sound,
            by_sound,
            first_of_length,
        }
    }

    pub(super) fn spelling(&self, word: u32) -> Spelling<'_> {
        Spelling {
            text: self.text.get(word),
            key: self.key.get(word),
            consonants: self.consonants[word as usize],
        }
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
        let words = self.of_length(key.len());
        let order = (key, text);
        let (mut low, mut high) = (words.start, words.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            match (self.key.get(middle), self.text.get(middle)).cmp(&order) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return f64::from(self.rarity[middle as usize]),
            }
        }
        1.0
    }

    /// Words alike to `wanted`, by spelling, meaning or sound, best first.
    pub(super) fn alike(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        let mut found = vec![];
        for length in near_lengths(wanted) {
            self.collect(wanted, self.of_length(length), &mut found);
        }
        for meaning in meaning::of(wanted.text) {
            let same = self.by_meaning.get(meaning).into_iter().flatten();
            found.extend(same.map(|word| (*word, meaning.likeness())));
        }
        let sound = syllables::sound(wanted.text);
        let same = sound.and_then(|sound| self.by_sound.get(sound.as_str())).into_iter().flatten();
        found.extend(same.map(|word| (*word, SAME_SOUND)));
        sorted(found)
    }

    /// The same, but only words whose key has the same first letter: enough for neighbours written as one, see
    /// [`crate::align`].
    pub(super) fn alike_from_the_first_letter(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        let mut found = vec![];
        let Some(&letter) = wanted.key.as_bytes().first() else { return found };
        for length in near_lengths(wanted) {
            let words = self.of_length(length);
            let start = self.first_from(words.clone(), letter);
            let end = self.first_from(start..words.end, letter + 1);
            self.collect(wanted, start..end, &mut found);
        }
        sorted(found)
    }

    fn collect(&self, wanted: Spelling<'_>, words: Range<u32>, found: &mut Vec<(u32, f64)>) {
        // The budget goes by the shorter of two words, so that of the wanted one is the most there can be.
        let most_apart = edits_of_consonants(edit_budget(wanted.text.len()));
        let consonants = &self.consonants[words.start as usize..words.end as usize];
        for (word, consonants) in words.zip(consonants) {
            let [by_key, by_text] = consonants_are_near(*consonants, wanted.consonants, most_apart);
            if by_key || by_text {
                let likeness = likeness(wanted, self.spelling(word));
                if likeness > 0.0 {
                    found.push((word, likeness));
                }
            }
        }
    }

    /// The first of `words`, all of one key length, whose key begins with `letter` or a later one.
    fn first_from(&self, words: Range<u32>, letter: u8) -> u32 {
        let (mut low, mut high) = (words.start, words.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            if self.key.get(middle).as_bytes()[0] < letter { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The words of one key length.
    fn of_length(&self, length: usize) -> Range<u32> {
        let last = self.first_of_length.len() - 1;
        self.first_of_length[length.min(last)]..self.first_of_length[(length + 1).min(last)]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts =
            [&self.text, &self.key].map(|texts| texts.all.len() + 4 * texts.ends.len()).iter().sum::<usize>();
        let sounds = self.sound.iter().flatten().map(|sound| 2 * sound.len() + 32).sum::<usize>();
        let numbers = self.by_meaning.values().map(|words| 4 * words.len() + 32).sum::<usize>();
        // Two sets of consonants, the rarity, the information, the meanings and the place of the sound.
        texts + (16 + 4 + 3 + 16 + 16) * self.consonants.len() + sounds + numbers
    }
}

fn near_lengths(wanted: Spelling<'_>) -> impl Iterator<Item = usize> {
    let (length, slack) = (wanted.key.len(), length_slack(wanted.text.len()));
    length.saturating_sub(slack).max(1)..=length + slack
}

/// Each word once, by its best likeness, best first.
fn sorted(mut found: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    found.dedup_by_key(|(word, _)| *word);
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// The numbers of words by what they have in common.
fn numbers_by<K: Eq + Hash>(words: impl Iterator<Item = (K, u32)>) -> HashMap<K, Vec<u32>> {
    let mut all: HashMap<K, Vec<u32>> = HashMap::new();
    words.for_each(|(key, word)| all.entry(key).or_default().push(word));
    all
}
