//! Neighbouring words of names written as one, and which names have each. There are several times as many as names and
//! hardly two are the same, so they are sorted where they lie, and nothing is kept of them but their spellings and what they count.

use std::ops::Range;

use itertools::{EitherOrBoth, Itertools as _};

use super::{
    NameNumber, Names, Postings,
    before::{Before, GONE},
    range,
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
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct RunWeight {
    pub(super) core: f32,
    pub(super) all: f32,
}

/// All runs of the names of an index, by number.
#[derive(Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Runs {
    spellings: Spellings,
    names: Postings,
    /// Which words of each of these names, in the order of `names`.
    words: Vec<Ends>,
    weights: Vec<RunWeight>,
}

/// The first and the last word of a run. A name has few words, see [`MOST_WORDS`](crate::normalise::MOST_WORDS).
type Ends = [u8; 2];

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

    /// The names that have a run and were taken over, under their new numbers.
    fn taken_over<'a>(
        &'a self,
        run: u32,
        renamed: &'a [NameNumber],
    ) -> impl Iterator<Item = (NameNumber, Ends)> {
        let at = range(&self.names.first, run);
        let names = self.names.names[at.clone()].iter().map(|name| renamed[*name as usize]);
        names.zip(self.words[at].iter().copied()).filter(|(name, _)| *name != GONE)
    }

    /// Adds the next run with the names that have it, and leaves none in `of_run`.
    fn add(&mut self, of_run: &mut Vec<(NameNumber, Ends)>, names: &Names, vocabulary: &Vocabulary) {
        // Lists may have been put into another order, and a name may have a run twice.
        of_run.sort_by_key(|(name, _)| *name);
        self.names.open();
        self.weights.push(of_run.iter().fold(RunWeight::default(), |most, (name, words)| {
            let weight = names.weight_of(*name, *words, vocabulary);
            RunWeight { core: most.core.max(weight.core), all: most.all.max(weight.all) }
        }));
        for (name, words) in of_run.drain(..) {
            self.names.names.push(name);
            self.words.push(words);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.spellings.heap_bytes()
            + self.names.heap_bytes()
            + size_of::<Ends>() * self.words.len()
            + size_of::<RunWeight>() * self.weights.len()
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
    words: Vec<Ends>,
}

impl NewRuns {
    pub(super) fn read(&mut self, name: &Name, number: NameNumber) {
        for Run { text, words } in of(name) {
            let run = Spelt::new(text);
            self.text.push(&run.text);
            self.key.push(&run.key);
            self.names.push(number);
            self.words.push([words.start, words.end - 1].map(|at| u8::try_from(at).unwrap_or(u8::MAX)));
        }
    }

    /// Each run once, and the names that have it: these, and names that were taken over, whose runs are in order already.
    pub(super) fn finish(self, names: &Names, vocabulary: &Vocabulary, before: Option<&Before<'_>>) -> Runs {
        let none = Runs::default();
        let (old, renamed) =
            before.map_or((&none, &[][..]), |before| (&before.index.runs, before.names.as_slice()));
        let sorted = self.sorted();
        let new = sorted.chunk_by(|a, b| self.order(*a) == self.order(*b));
        let all = (0..old.spellings.len()).merge_join_by(new, |run, items| {
            let run = old.spellings.get(*run);
            order(run.text, run.key).cmp(&self.order(items[0]))
        });
        let (mut runs, mut spellings, mut of_run) = (Runs::default(), vec![], vec![]);
        for (known, items) in all.map(EitherOrBoth::left_and_right) {
            let items = items.unwrap_or_default();
            of_run.extend(known.into_iter().flat_map(|run| old.taken_over(run, renamed)));
            of_run.extend(items.iter().map(|item| (self.names[*item as usize], self.words[*item as usize])));
            if !of_run.is_empty() {
                spellings.push((known, items.first()));
                runs.add(&mut of_run, names, vocabulary);
            }
        }
        runs.names.open();
        let spelling = |(known, item): (Option<u32>, Option<&u32>)| match (known, item) {
            (Some(run), _) => Some(old.spellings.get(run)),
            (None, item) => item.map(|item| Spelling::of(self.text.get(*item), self.key.get(*item))),
        };
        runs.spellings = Spellings::of(spellings.into_iter().filter_map(spelling));
        runs
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
    fn weight_of(&self, name: NameNumber, [first, last]: Ends, vocabulary: &Vocabulary) -> RunWeight {
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
