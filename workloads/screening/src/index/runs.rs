//! Neighbouring words of names written as one, and which names have each. There are several times as many as names and
//! hardly two are the same, so they are sorted where they lie, and nothing is kept of them but their spellings.

use std::collections::BTreeSet;

use super::{
    NameNumber, Postings,
    spellings::{Spellings, Texts, order},
};
use crate::{
    align::{LONGEST_JOINED, LONGEST_RUN, SHORTEST_JOINED, acronym},
    name::Name,
    spelling::{Spelling, Spelt},
};

/// All runs of neighbours that can agree with one word of another name, written as one, and the name's first letters.
pub(super) fn of(name: &Name) -> BTreeSet<String> {
    let texts: Vec<&str> = name.words.iter().map(|word| word.text.as_str()).collect();
    let windows = (2..=LONGEST_RUN).flat_map(|length| texts.windows(length));
    let of_fit_length = windows
        .filter(|run| (SHORTEST_JOINED..=LONGEST_JOINED).contains(&run.iter().map(|word| word.len()).sum()));
    let words = name.words.iter().map(|word| (word.text.as_str(), word.class, word.information.is_common));
    of_fit_length.map(|run| Spelt::joined(run.iter().copied()).text).chain(acronym(words)).collect()
}

/// Runs as they come: one item for each name that has one, in the order of names.
#[derive(Default)]
pub(super) struct NewRuns {
    text: Texts,
    key: Texts,
    names: Vec<NameNumber>,
}

impl NewRuns {
    pub(super) fn read(&mut self, name: &Name, number: NameNumber) {
        for run in of(name) {
            let run = Spelt::new(run);
            self.text.push(&run.text);
            self.key.push(&run.key);
            self.names.push(number);
        }
    }

    /// Each run once, and the names that have it.
    pub(super) fn finish(self) -> (Spellings, Postings) {
        let sorted = self.sorted();
        let is_new = |at: usize| at == 0 || self.order(sorted[at - 1]) != self.order(sorted[at]);
        let (mut distinct, mut postings) = (vec![], Postings::default());
        for (at, item) in sorted.iter().enumerate() {
            if is_new(at) {
                distinct.push(*item);
                postings.open();
            }
            postings.names.push(self.names[*item as usize]);
        }
        postings.open();
        let spelling = |item| Spelling::of(self.text.get(item), self.key.get(item));
        (Spellings::of(distinct.into_iter().map(spelling)), postings)
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

/// The length of a key and its first letters as a number: it orders keys as [`order`] does, as far as it goes.
fn beginning(key: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes[0] = u8::try_from(key.len()).unwrap_or(u8::MAX);
    for (place, letter) in bytes[1..].iter_mut().zip(key.bytes()) {
        *place = letter;
    }
    u64::from_be_bytes(bytes)
}
