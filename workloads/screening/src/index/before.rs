//! What the index before knows: names of entries that have not changed are not taken apart again, and runs that are in order stay so.

use std::{collections::HashMap, ops::Range};

use kyb_domain::list::{Entry, ListId};

use super::{EntryNumber, Index, NameNumber, range};

/// A word or name of the index before that is not in the new one, so far.
pub(super) const GONE: u32 = u32::MAX;

/// An index that is to be replaced, and where its words and names go.
pub(super) struct Before<'a> {
    pub(super) index: &'a Index,
    entries: HashMap<(&'a ListId, &'a str), EntryNumber>,
    /// The new number of each of its words, [`GONE`] until it is met.
    pub(super) words: Vec<u32>,
    /// The same of its names.
    pub(super) names: Vec<NameNumber>,
}

impl<'a> Before<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        let numbered = (0..).zip(&index.entries);
        let entries = numbered.map(|(number, place)| {
            let list = &index.lists[usize::from(place.list)];
            ((&list.version.list, list.entries[place.position as usize].id.as_str()), number)
        });
        Self {
            index,
            entries: entries.collect(),
            words: vec![GONE; index.vocabulary.len()],
            names: vec![GONE; index.name_count() as usize],
        }
    }

    /// The names of an entry that reads as it did and was not taken over yet: nothing keeps a list from having one twice. Of a word it is
    /// known only that some name has it without vowels, so names with such words are read again.
    pub(super) fn names_of(&self, list: &ListId, entry: &Entry) -> Option<Range<NameNumber>> {
        let number = *self.entries.get(&(list, entry.id.as_str()))?;
        let known = self.index.entry(number);
        let names = self.index.names_of(number);
        let is_abjad = |name: NameNumber| {
            let words = &self.index.names.words[range(&self.index.names.first_word, name)];
            words.iter().any(|word| self.index.vocabulary.is_abjad(*word))
        };
        let is_taken = |name: NameNumber| self.names[name as usize] != GONE;
        let reads_the_same = known.kind == entry.kind && known.names == entry.names;
        (reads_the_same && !names.clone().any(|name| is_taken(name) || is_abjad(name))).then_some(names)
    }
}

#[cfg(test)]
#[path = "before_tests.rs"]
mod tests;
