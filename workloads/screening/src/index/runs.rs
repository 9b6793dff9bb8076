//! Neighbouring words of names written as one, and which names have each. There are several times as many as names and
//! hardly two are the same, so they are sorted where they lie, and nothing is kept of them but their spellings and what they count.

use std::ops::Range;

use super::{
    NameNumber, Names, Postings,
    spellings::{Spellings, Texts, order},
    vocabulary::Vocabulary,
};
use crate::{
    align::{LONGEST_JOINED, LONGEST_RUN, SHORTEST_JOINED, acronym, run_likeness},
    name::Name,
    spelling::{Spelling, Spelt},
    word_class::Class,
};

/// Neighbouring words of a name written as one, or the first letters of all of them.
pub(super) struct Run {
    pub(super) text: String,
    /// Which words of the name.
    pub(super) words: Range<usize>,
}

/// All runs of neighbours that can agree with one word of another name.
pub(super) fn of(name: &Name) -> Vec<Run> {
    let count = name.words.len();
    let windows = (2..=LONGEST_RUN)
        .flat_map(|length| (0..(count + 1).saturating_sub(length)).map(move |at| at..at + length));
    let of_fit_length = windows.filter(|run| {
        let letters = name.words[run.clone()].iter().map(|word| word.text.len()).sum();
        (SHORTEST_JOINED..=LONGEST_JOINED).contains(&letters)
    });
    let joined = of_fit_length.map(|words| {
        let text = Spelt::joined(name.words[words.clone()].iter().map(|word| word.text.as_str())).text;
        Run { text, words }
    });
    let words = name.words.iter().map(|word| (word.text.as_str(), word.class, word.information.is_common));
    joined.chain(acronym(words).map(|text| Run { text, words: 0..count })).collect()
}

/// What the words of a run count together, at most in all the names that have it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RunWeight {
    pub(super) core: f32,
    pub(super) all: f32,
}

/// All runs of the names of an index, by number.
#[derive(Default)]
pub(super) struct Runs {
    spellings: Spellings,
    names: Postings,
    weights: Vec<RunWeight>,
}

impl Runs {
    /// Those that are like a word, and how much.
    pub(super) fn like(&self, word: Spelling<'_>) -> Vec<(u32, f64)> {
        alike_enough(self.spellings.alike_from_the_first_letter(word))
    }

    pub(super) fn names_of(&self, run: u32) -> &[NameNumber] {
        self.names.of(run)
    }

    pub(super) fn weight(&self, run: u32) -> RunWeight {
        self.weights[run as usize]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.spellings.heap_bytes() + self.names.heap_bytes() + size_of::<RunWeight>() * self.weights.len()
    }
}

/// Those of `alike` that are alike enough for a run and a word, with what they count as such.
pub(super) fn alike_enough(alike: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    alike.into_iter().filter_map(|(number, likeness)| Some((number, run_likeness(likeness)?))).collect()
}

/// Runs as they come, in the order of names.
#[derive(Default)]
pub(super) struct NewRuns {
    text: Texts,
    key: Texts,
    names: Vec<NameNumber>,
    /// First and last word of each.
    words: Vec<[u8; 2]>,
}

impl NewRuns {
    pub(super) fn read(&mut self, name: &Name, number: NameNumber) {
        for Run { text, words } in of(name) {
            let run = Spelt::new(text);
            self.text.push(&run.text);
            self.key.push(&run.key);
            self.names.push(number);
            // A name has few words, see `MOST_WORDS`.
            self.words.push([words.start, words.end - 1].map(|at| u8::try_from(at).unwrap_or(u8::MAX)));
        }
    }

    /// Each run once, and the names that have it.
    pub(super) fn finish(self, names: &Names, vocabulary: &Vocabulary) -> Runs {
        let sorted = self.sorted();
        let is_new = |at: usize| at == 0 || self.order(sorted[at - 1]) != self.order(sorted[at]);
        let (mut distinct, mut postings, mut weights) = (vec![], Postings::default(), vec![]);
        for (at, item) in sorted.iter().enumerate() {
            if is_new(at) {
                distinct.push(*item);
                postings.open();
                weights.push(RunWeight::default());
            }
            let name = self.names[*item as usize];
            // A name may have a run twice.
            if is_new(at) || postings.names.last() != Some(&name) {
                postings.names.push(name);
            }
            if let Some(most) = weights.last_mut() {
                let weight = names.weight_of(name, self.words[*item as usize], vocabulary);
                *most = RunWeight { core: most.core.max(weight.core), all: most.all.max(weight.all) };
            }
        }
        postings.open();
        let spelling = |item| Spelling::of(self.text.get(item), self.key.get(item));
        Runs { spellings: Spellings::of(distinct.into_iter().map(spelling)), names: postings, weights }
    }

    /// The items in the order of their spellings, those of one spelling in the order of names.
    fn sorted(&self) -> Vec<u32> {
        let items = 0..u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        // Most comparisons end at the length and the first letters, which lie beside each other.
        let mut sorted: Vec<(u64, u32)> = items.map(|item| (beginning(self.key.get(item)), item)).collect();
        sorted.sort_unstable_by(|(a_begins, a), (b_begins, b)| {
            a_begins.cmp(b_begins).then_with(|| (self.order(*a), a).cmp(&(self.order(*b), b)))
        });
        sorted.into_iter().map(|(_, item)| item).collect()
    }

    fn order(&self, item: u32) -> (usize, &str, &str) {
        order(self.text.get(item), self.key.get(item))
    }
}

impl Names {
    /// What the words of a run count together.
    fn weight_of(&self, name: NameNumber, [first, last]: [u8; 2], vocabulary: &Vocabulary) -> RunWeight {
        let start = self.first_word[name as usize] as usize;
        let mut weight = RunWeight::default();
        for at in start + usize::from(first)..=start + usize::from(last) {
            let class = self.classes[at];
            #[expect(clippy::cast_possible_truncation, reason = "small weights that need few digits")]
            let of_word = vocabulary.weight(self.words[at], class) as f32;
            weight.all += of_word;
            weight.core += if class == Class::Core { of_word } else { 0.0 };
        }
        weight
    }
}

/// The length of a key and its first letters as a number: it orders keys as [`order`] does, as far as it goes.
fn beginning(key: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes[0] = u8::try_from(key.len()).unwrap_or(u8::MAX);
    for (place, letter) in bytes[1..].iter_mut().zip(key.bytes()) {
        *place = letter;
    }
    u64::from_be_bytes(bytes)
}
