//! Spellings, each once, in the order of key length: a look-up visits only those whose length is near enough, and skips most
//! of these by their consonants. Neither test can skip a spelling that is alike enough, so a misspelt word is always found.

use std::{cmp::Ordering, ops::Range};

use crate::{
    normalise::LONGEST_WORD,
    spelling::{
        MOST_EDITS_OF_CONSONANTS, Skeleton, Spelling, consonants_are_near, edit_budget, edits_of_consonants,
        length_slack, likeness, skeleton,
    },
};

/// See the module. Arrays are by the spelling's number.
#[derive(Default)]
pub(super) struct Spellings {
    text: Texts,
    key: Texts,
    consonants: Vec<[u64; 2]>,
    /// Of the key and of the text.
    skeletons: Vec<[u64; 2]>,
    /// First spelling of each key length; one more item, the end.
    first_of_length: Vec<u32>,
}

/// By what spellings are ordered.
pub(super) fn order<'a>(text: &'a str, key: &'a str) -> (usize, &'a str, &'a str) {
    (key.len(), key, text)
}

impl Spellings {
    /// Of `all`, in their order, none twice.
    pub(super) fn of<'a>(all: impl Iterator<Item = Spelling<'a>>) -> Self {
        let mut spellings = Self { first_of_length: vec![0; LONGEST_WORD + 2], ..Self::default() };
        for spelling in all {
            spellings.text.push(spelling.text);
            spellings.key.push(spelling.key);
            spellings.consonants.push(spelling.consonants);
            spellings.skeletons.push([skeleton(spelling.key), skeleton(spelling.text)]);
            spellings.first_of_length[spelling.key.len() + 1] += 1;
        }
        let first = &mut spellings.first_of_length;
        for length in 1..first.len() {
            first[length] += first[length - 1];
        }
        spellings.text.shrink();
        spellings.key.shrink();
        spellings.consonants.shrink_to_fit();
        spellings.skeletons.shrink_to_fit();
        spellings
    }

    pub(super) fn get(&self, number: u32) -> Spelling<'_> {
        Spelling {
            text: self.text.get(number),
            key: self.key.get(number),
            consonants: self.consonants[number as usize],
        }
    }

    /// The number of a spelling, if it is there.
    pub(super) fn find(&self, text: &str, key: &str) -> Option<u32> {
        let range = self.of_length(key.len());
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            match (self.key.get(middle), self.text.get(middle)).cmp(&(key, text)) {
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
            let of_length = self.of_length(length);
            let start = self.first_from(of_length.clone(), letter);
            let end = self.first_from(start..of_length.end, letter + 1);
            self.collect(wanted, start..end, &mut found);
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
        let [key, text] = [wanted.key, wanted.text].map(|letters| Skeleton::new(skeleton(letters), budget));
        let at = numbers.start as usize..numbers.end as usize;
        for ((number, consonants), skeletons) in
            numbers.zip(&self.consonants[at.clone()]).zip(&self.skeletons[at])
        {
            let [by_key, by_text] = consonants_are_near(*consonants, wanted.consonants, EDITS);
            if by_key && key.may_become(skeletons[0]) || by_text && text.may_become(skeletons[1]) {
                let likeness = likeness(wanted, self.get(number));
                if likeness > 0.0 {
                    found.push((number, likeness));
                }
            }
        }
    }

    /// The first of `numbers`, all of one key length, whose key begins with `letter` or a later one.
    fn first_from(&self, numbers: Range<u32>, letter: u8) -> u32 {
        let (mut low, mut high) = (numbers.start, numbers.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            if self.key.get(middle).as_bytes()[0] < letter { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Those of one key length.
    fn of_length(&self, length: usize) -> Range<u32> {
        let last = self.first_of_length.len() - 1;
        self.first_of_length[length.min(last)]..self.first_of_length[(length + 1).min(last)]
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.text.heap_bytes() + self.key.heap_bytes() + 32 * self.consonants.len()
    }
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

    pub(super) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.all.len() + 4 * self.ends.len()
    }
}
