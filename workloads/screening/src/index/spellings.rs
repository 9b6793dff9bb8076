//! Spellings, each once, in the order of key length: a look-up visits only those whose length is near enough, skips most of
//! these by their consonants, and most of the rest by the cost of edits, sixteen at a time. None of these tests can skip a spelling
//! that is alike enough, so a misspelt word is always found.

use std::{cmp::Ordering, ops::Range};

use crate::{
    normalise::LONGEST_WORD,
    spelling::{
        MOST_EDITS_OF_CONSONANTS, Sixteen, Spelling, consonants_are_near, edit_budget, edits_of_consonants,
        length_slack, likeness,
    },
};

/// See the module. Arrays are by the spelling's number.
#[derive(Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Spellings {
    /// Each key, followed by its text where that is another.
    letters: String,
    /// Where in `letters` the key and the text end.
    ends: Vec<[u32; 2]>,
    consonants: Vec<[u64; 2]>,
    /// First spelling of each key length, and in it of each first letter; one more item, the end.
    first: Vec<u32>,
}

/// How many letters there may be, all of which are ASCII.
const LETTERS: usize = 128;

/// By what spellings are ordered.
pub(super) fn order<'a>(text: &'a str, key: &'a str) -> (usize, &'a str, &'a str) {
    (key.len(), key, text)
}

impl Spellings {
    /// Of `all`, in their order, none twice.
    pub(super) fn of<'a>(all: impl Iterator<Item = Spelling<'a>>) -> Self {
        let mut spellings = Self { first: vec![0; (LONGEST_WORD + 1) * LETTERS + 1], ..Self::default() };
        for spelling in all {
            let letter = spelling.key.bytes().next().unwrap_or(0);
            spellings.first[place(spelling.key.len(), letter) + 1] += 1;
            spellings.push(spelling);
        }
        let first = &mut spellings.first;
        for place in 1..first.len() {
            first[place] += first[place - 1];
        }
        spellings.letters.shrink_to_fit();
        spellings.ends.shrink_to_fit();
        spellings.consonants.shrink_to_fit();
        spellings
    }

    fn push(&mut self, spelling: Spelling<'_>) {
        let end = |letters: &str| u32::try_from(letters.len()).unwrap_or(u32::MAX);
        self.letters.push_str(spelling.key);
        let end_of_key = end(&self.letters);
        if spelling.text != spelling.key {
            self.letters.push_str(spelling.text);
        }
        self.ends.push([end_of_key, end(&self.letters)]);
        self.consonants.push(spelling.consonants);
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Where the key and the text lie in `letters`.
    fn place_of(&self, number: u32) -> [Range<usize>; 2] {
        let before = (number as usize).checked_sub(1).map_or(0, |before| self.ends[before][1]);
        let [end_of_key, end] = self.ends[number as usize];
        let start = if end == end_of_key { before } else { end_of_key };
        [before as usize..end_of_key as usize, start as usize..end as usize]
    }

    pub(super) fn get(&self, number: u32) -> Spelling<'_> {
        let [key, text] = self.place_of(number).map(|place| &self.letters[place]);
        Spelling { text, key, consonants: self.consonants[number as usize] }
    }

    /// The number of a spelling, if it is there.
    pub(super) fn find(&self, text: &str, key: &str) -> Option<u32> {
        let range = self.beginning(key.len(), key.bytes().next()?);
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            let spelling = self.get(middle);
            match (spelling.key, spelling.text).cmp(&(key, text)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Those alike to `wanted`, in no order.
    pub(super) fn alike(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        let mut found = vec![];
        for length in near_lengths(wanted) {
            self.collect(wanted, self.of_length(length), &mut found);
        }
        found
    }

    /// The same, but only those whose key has the same first letter, best first: enough for neighbours written as one, see
    /// [`crate::align`].
    pub(super) fn alike_from_the_first_letter(&self, wanted: Spelling<'_>) -> Vec<(u32, f64)> {
        let mut found = vec![];
        let Some(&letter) = wanted.key.as_bytes().first() else { return found };
        for length in near_lengths(wanted) {
            self.collect(wanted, self.beginning(length, letter), &mut found);
        }
        best_first(found)
    }

    fn collect(&self, wanted: Spelling<'_>, numbers: Range<u32>, found: &mut Vec<(u32, f64)>) {
        // The budget goes by the shorter of two words, so that of the wanted one is the most there can be.
        let budget = edit_budget(wanted.text.len());
        // With a number that is known, the loop over all spellings has no loop in it.
        match edits_of_consonants(budget) {
            0 => self.collect_within::<0>(wanted, budget, numbers, found),
            1 => self.collect_within::<1>(wanted, budget, numbers, found),
            2 => self.collect_within::<2>(wanted, budget, numbers, found),
            _ => self.collect_within::<MOST_EDITS_OF_CONSONANTS>(wanted, budget, numbers, found),
        }
    }

    fn collect_within<const EDITS: u32>(
        &self,
        wanted: Spelling<'_>,
        budget: u8,
        numbers: Range<u32>,
        found: &mut Vec<(u32, f64)>,
    ) {
        let is_its_key = wanted.key == wanted.text;
        let mut near = vec![];
        let [mut keys, mut texts] = [wanted.key, wanted.text].map(|letters| Sixteen::new(letters, budget));
        let consonants = &self.consonants[numbers.start as usize..numbers.end as usize];
        for (number, consonants) in numbers.zip(consonants) {
            let [by_key, by_text] = consonants_are_near(*consonants, wanted.consonants, EDITS);
            if by_key || by_text {
                let [key, text] = self.place_of(number);
                // What differs neither in its key nor from it is compared once.
                let texts_are_keys = is_its_key && key == text;
                if by_key {
                    keys.offer(number, &self.letters.as_bytes()[key], &mut near);
                }
                if by_text && !texts_are_keys {
                    texts.offer(number, &self.letters.as_bytes()[text], &mut near);
                }
            }
        }
        keys.finish(&mut near);
        texts.finish(&mut near);
        near.sort_unstable();
        near.dedup();
        let alike = near.into_iter().map(|number| (number, likeness(wanted, self.get(number))));
        found.extend(alike.filter(|(_, likeness)| *likeness > 0.0));
    }

    /// Those of one key length.
    fn of_length(&self, length: usize) -> Range<u32> {
        let length = length.min(LONGEST_WORD);
        self.first[place(length, 0)]..self.first[place(length + 1, 0)]
    }

    /// Those of one key length that begin with a letter.
    fn beginning(&self, length: usize, letter: u8) -> Range<u32> {
        let place = place(length.min(LONGEST_WORD), letter);
        self.first[place]..self.first[place + 1]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.letters.len() + (8 + 16) * self.consonants.len() + 4 * self.first.len()
    }
}

/// Where in [`Spellings::first`] a key length and a first letter stand.
fn place(length: usize, letter: u8) -> usize {
    length * LETTERS + usize::from(letter) % LETTERS
}

fn near_lengths(wanted: Spelling<'_>) -> impl Iterator<Item = usize> {
    let (length, slack) = (wanted.key.len(), length_slack(wanted.text.len()));
    length.saturating_sub(slack).max(1)..=length + slack
}

/// Each number once, by its best likeness, best first.
pub(super) fn best_first(mut found: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    found.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    found.dedup_by_key(|(number, _)| *number);
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found
}

/// Many short strings in one.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
    }

    pub(super) fn get(&self, at: u32) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at as usize - 1] };
        &self.all[start as usize..self.ends[at as usize] as usize]
    }
}
