//! All names of all lists in memory, as flat arrays: entries, their names, the words of the names, and for each word the
//! names that have it. Built once per set of list versions, never changed.

mod before;
mod bound;
mod build;
pub(crate) mod candidates;
mod runs;
mod spellings;
mod tallies;
mod vocabulary;

use std::{collections::HashMap, ops::Range, sync::Arc};

use kyb_domain::{
    identifier::{Identifier, IdentifierKind},
    list::{Entry, EntryKind, ListId, ListedName, Watchlist},
};

use crate::{
    align::Term,
    evidence::comparable,
    legal_form::FormNumber,
    word_class::{Class, Style},
};
use runs::Runs;
use vocabulary::Vocabulary;

/// Number of an entry in the index, over all lists.
pub(crate) type EntryNumber = u32;
/// Number of a name in the index, over all entries; names of one entry follow each other.
pub(crate) type NameNumber = u32;

/// See the module.
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Index {
    lists: Vec<Arc<Watchlist>>,
    entries: Vec<Place>,
    names: Names,
    /// The words of the names, and which names have each.
    vocabulary: Arc<Vocabulary>,
    /// Those that say how rare a word is: the same, or of the index that this one was narrowed from.
    rarities: Arc<Vocabulary>,
    words: ByStyle,
    runs: Runs,
    identifiers: HashMap<(IdentifierKind, String), Vec<EntryNumber>>,
    /// Names that are part of another, see [`crate::alternatives`]; they come after the names of their entry.
    parts: HashMap<NameNumber, Part>,
}

/// One of several names that were published as one.
#[cfg_attr(test, derive(PartialEq))]
struct Part {
    text: String,
    /// The position of the whole among the names of its entry.
    of: usize,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(PartialEq))]
struct Place {
    list: u16,
    position: u32,
    style: Style,
    first_name: NameNumber,
}

/// The names, each array by name number; `first_*` have one more item, the end.
#[derive(Default)]
#[cfg_attr(test, derive(PartialEq))]
struct Names {
    entry: Vec<EntryNumber>,
    first_word: Vec<u32>,
    words: Vec<u32>,
    classes: Vec<Class>,
    first_form: Vec<u32>,
    forms: Vec<FormNumber>,
    summaries: Vec<Summary>,
}

/// What a look-up asks of a name before its words.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(PartialEq))]
struct Summary {
    /// Weight of the core words, and of all others.
    core_weight: f32,
    other_weight: f32,
    /// The first letters of the core words, see [`letters`].
    first_letters: u32,
    /// One bit for each core word that may be initials, see [`signature`].
    shorts: u32,
    list: u16,
    initials: u8,
    is_of_a_person: bool,
}

/// Names of persons and those of others, apart: one look-up is for either.
#[cfg_attr(test, derive(PartialEq))]
struct ByStyle {
    person: ByWord,
    organisation: ByWord,
}

impl ByStyle {
    fn of(&self, style: Style) -> &ByWord {
        match style {
            Style::Person => &self.person,
            Style::Organisation => &self.organisation,
        }
    }
}

/// The names that have a word, by what it does in them: only where a word tells can it be what a name is found by.
#[cfg_attr(test, derive(PartialEq))]
struct ByWord {
    telling: Postings,
    common: Postings,
}

/// For each word the names that have it, in one array; `first` has one more item, the end.
#[derive(Default)]
#[cfg_attr(test, derive(PartialEq))]
struct Postings {
    first: Vec<u32>,
    names: Vec<NameNumber>,
}

impl Postings {
    /// What is put into `names` from here on belongs to the next word.
    fn open(&mut self) {
        self.first.push(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
    }

    fn of(&self, word: u32) -> &[NameNumber] {
        &self.names[range(&self.first, word)]
    }

    fn heap_bytes(&self) -> usize {
        4 * (self.first.len() + self.names.len())
    }
}

fn range(first: &[u32], number: u32) -> Range<usize> {
    first[number as usize] as usize..first[number as usize + 1] as usize
}

impl Index {
    pub(crate) fn build(lists: &[Arc<Watchlist>]) -> Self {
        build::build(lists, None)
    }

    /// The index of `lists`, with what this one knows of entries that have not changed.
    pub(crate) fn rebuilt(&self, lists: &[Arc<Watchlist>]) -> Self {
        build::build(lists, Some(self))
    }

    /// The index of some of the entries, with words as rare as they are here.
    pub(crate) fn narrowed(&self, keep: impl Fn(&ListId, &Entry) -> bool) -> Self {
        build::narrowed(self, keep)
    }

    pub(crate) fn lists(&self) -> &[Arc<Watchlist>] {
        &self.lists
    }

    /// The list that an entry is on, by position in [`Self::lists`].
    pub(crate) fn list_of(&self, entry: EntryNumber) -> usize {
        usize::from(self.entries[entry as usize].list)
    }

    pub(crate) fn entry(&self, entry: EntryNumber) -> &Entry {
        let place = self.entries[entry as usize];
        &self.lists[usize::from(place.list)].entries[place.position as usize]
    }

    pub(crate) fn style_of(&self, entry: EntryNumber) -> Style {
        self.entries[entry as usize].style
    }

    pub(crate) fn entry_of(&self, name: NameNumber) -> EntryNumber {
        self.names.entry[name as usize]
    }

    /// The name as published, for a part the whole.
    pub(crate) fn listed_name(&self, name: NameNumber) -> &ListedName {
        let entry = self.entry_of(name);
        let position = self
            .parts
            .get(&name)
            .map_or_else(|| (name - self.entries[entry as usize].first_name) as usize, |part| part.of);
        &self.entry(entry).names[position]
    }

    /// The text of a name that was published as part of another.
    pub(crate) fn part(&self, name: NameNumber) -> Option<&str> {
        self.parts.get(&name).map(|part| part.text.as_str())
    }

    /// All names of an entry.
    pub(crate) fn names_of(&self, entry: EntryNumber) -> Range<NameNumber> {
        let first = self.entries[entry as usize].first_name;
        let next = self.entries.get(entry as usize + 1).map(|place| place.first_name);
        first..next.unwrap_or_else(|| self.name_count())
    }

    pub(crate) fn name_count(&self) -> NameNumber {
        // The constructor counts names in this type.
        NameNumber::try_from(self.names.entry.len()).unwrap_or(NameNumber::MAX)
    }

    /// The words of a name, ready to align, in place of what `terms` held.
    pub(crate) fn terms<'a>(&'a self, name: NameNumber, terms: &mut Vec<Term<'a>>) {
        terms.clear();
        let at = range(&self.names.first_word, name);
        let words = self.names.words[at.clone()].iter().zip(&self.names.classes[at]);
        terms.extend(words.map(|(word, class)| self.vocabulary.term(*word, *class)));
    }

    pub(crate) fn forms(&self, name: NameNumber) -> &[FormNumber] {
        &self.names.forms[range(&self.names.first_form, name)]
    }

    /// How rare a word is on the lists, see [`crate::weigh::rarity`].
    pub(crate) fn rarity(&self, text: &str, key: &str) -> f64 {
        self.rarities.rarity_of(text, key)
    }

    /// Entries that carry the same identifier.
    pub(crate) fn with_identifier(&self, identifier: &Identifier) -> &[EntryNumber] {
        self.identifiers.get(&(identifier.kind, comparable(identifier))).map_or(&[], Vec::as_slice)
    }

    /// Roughly how many bytes the index takes, the lists themselves not counted.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names = &self.names;
        let words =
            4 * (names.entry.len() + names.first_word.len() + names.words.len() + names.first_form.len());
        let summaries = size_of::<Summary>() * names.summaries.len();
        let weights = summaries + names.classes.len() + names.forms.len();
        let by_word = [&self.words.person, &self.words.organisation];
        let by_word = by_word.into_iter().flat_map(|words| [&words.telling, &words.common]);
        let postings = by_word.map(Postings::heap_bytes).sum::<usize>();
        let parts = self.parts.values().map(|part| part.text.len() + 64).sum::<usize>();
        let identifiers = self.identifiers.keys().map(|(_, value)| value.len() + 64).sum::<usize>();
        words
            + weights
            + postings
            + identifiers
            + parts
            + self.vocabulary.heap_bytes()
            + self.runs.heap_bytes()
            + self.entries.len() * size_of::<Place>()
    }
}

/// Which of the letters a to z there are, one bit each.
fn letters(bytes: impl Iterator<Item = u8>) -> u32 {
    let places = bytes.filter(u8::is_ascii_lowercase).map(|letter| letter - b'a');
    places.fold(0, |all, place| all | 1 << place)
}

/// A bit for letters that may be initials: two sets of such letters that have none in common have no bit in common or, seldom, one.
fn signature(letters: &[u8]) -> u32 {
    let number = letters.iter().fold(letters.len(), |number, letter| 11 * number + usize::from(*letter));
    1 << (number % 32)
}

/// How the names of an entry are read.
fn style(kind: EntryKind) -> Style {
    match kind {
        EntryKind::Person => Style::Person,
        EntryKind::Organization | EntryKind::Vessel | EntryKind::Aircraft => Style::Organisation,
    }
}
