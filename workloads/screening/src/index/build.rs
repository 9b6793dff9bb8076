//! Lists in, index out.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use kyb_domain::{
    identifier::IdentifierKind,
    list::{Entry, ListId, NameKind, Watchlist},
};

use super::{
    EntryNumber, Index, NameNumber, Names, Part, Place, Postings, letters, runs, style,
    vocabulary::{NewWord, Vocabulary},
};
use crate::{
    align::can_abbreviate,
    alternatives,
    evidence::{comparable, is_evidence},
    name::{Name, joined},
    weigh::rarity,
    word_class::{Class, Style},
};

pub(super) fn build(lists: &[Arc<Watchlist>]) -> Index {
    let mut reader = Reader::default();
    for (list, watchlist) in (0..).zip(lists) {
        reader.read(list, watchlist, |_| true);
    }
    reader.finish(lists, None)
}

/// The entries of an index that are to be kept, see [`Index::narrowed`].
pub(super) fn narrowed(whole: &Index, keep: impl Fn(&ListId, &Entry) -> bool) -> Index {
    let mut reader = Reader::default();
    for (list, watchlist) in (0..).zip(&whole.lists) {
        reader.read(list, watchlist, |entry| keep(&watchlist.version.list, entry));
    }
    reader.finish(&whole.lists, Some(Arc::clone(&whole.rarities)))
}

/// A name taken apart, its words as numbers in order of appearance.
struct ReadName {
    entry: EntryNumber,
    words: Vec<(u32, Class)>,
    runs: Vec<u32>,
    name: Name,
}

#[derive(Default)]
struct Reader {
    entries: Vec<Place>,
    names: Vec<ReadName>,
    words: Numbering,
    runs: Numbering,
    /// How many entries have each word.
    in_entries: Vec<u32>,
    identifiers: HashMap<(IdentifierKind, String), Vec<EntryNumber>>,
    parts: HashMap<NameNumber, Part>,
}

impl Reader {
    fn read(&mut self, list: u16, watchlist: &Watchlist, keep: impl Fn(&Entry) -> bool) {
        for (position, entry) in (0..).zip(&watchlist.entries).filter(|(_, entry)| keep(entry)) {
            let number = EntryNumber::try_from(self.entries.len()).unwrap_or(EntryNumber::MAX);
            let first_name = NameNumber::try_from(self.names.len()).unwrap_or(NameNumber::MAX);
            let style = style(entry.kind);
            self.entries.push(Place { list, position, style, first_name });
            let mut words = BTreeSet::new();
            for listed in &entry.names {
                self.read_name(number, &listed.text, style, &mut words);
            }
            for (of, text) in parts(entry, style) {
                let name = self.read_name(number, &text, style, &mut words);
                self.parts.insert(name, Part { text, of });
            }
            self.in_entries.resize(self.words.words.len(), 0);
            for word in words {
                self.in_entries[word as usize] += 1;
            }
            for identifier in entry.identifiers.iter().filter(|identifier| is_evidence(identifier)) {
                let entries = self.identifiers.entry((identifier.kind, comparable(identifier))).or_default();
                if entries.last() != Some(&number) {
                    entries.push(number);
                }
            }
        }
    }

    fn read_name(
        &mut self,
        entry: EntryNumber,
        text: &str,
        style: Style,
        words: &mut BTreeSet<u32>,
    ) -> NameNumber {
        let read = self.take_apart(entry, Name::parse(text, style));
        words.extend(read.words.iter().map(|(word, _)| *word));
        let number = NameNumber::try_from(self.names.len()).unwrap_or(NameNumber::MAX);
        self.names.push(read);
        number
    }

    fn take_apart(&mut self, entry: EntryNumber, name: Name) -> ReadName {
        let words = name.words.iter().map(|word| (self.words.number(&word.text), word.class)).collect();
        let runs = runs(&name).into_iter().map(|run| self.runs.number(&run)).collect();
        ReadName { entry, words, runs, name }
    }

    /// Words are as rare as `known` says, or as they are among these entries.
    fn finish(mut self, lists: &[Arc<Watchlist>], known: Option<Arc<Vocabulary>>) -> Index {
        let entries = self.entries.len();
        for (word, in_entries) in self.words.words.iter_mut().zip(&self.in_entries) {
            word.rarity = match &known {
                Some(known) => known.rarity_of(&word.text, &word.key),
                None => rarity(*in_entries as usize, entries),
            };
        }
        let (word_numbers, run_numbers) = (self.words.sort(), self.runs.sort());
        let vocabulary = Arc::new(Vocabulary::new(&self.words.words));
        let mut names = Names::default();
        let (mut words, mut runs) = (vec![], vec![]);
        for (number, read) in (0..).zip(&self.names) {
            let read_words: Vec<_> =
                read.words.iter().map(|(word, class)| (word_numbers[*word as usize], *class)).collect();
            words.extend(read_words.iter().map(|(word, _)| (*word, number)));
            runs.extend(read.runs.iter().map(|run| (run_numbers[*run as usize], number)));
            names.push(read, &read_words, &vocabulary);
        }
        names.close();
        Index {
            lists: lists.to_vec(),
            entries: self.entries,
            names,
            words: Postings::new(self.words.words.len(), words),
            rarities: known.unwrap_or_else(|| Arc::clone(&vocabulary)),
            vocabulary,
            runs: Postings::new(self.runs.words.len(), runs),
            run_vocabulary: Vocabulary::new(&self.runs.words),
            identifiers: self.identifiers,
            parts: self.parts,
        }
    }
}

/// The names that an entry's names hold, and the position of each whole. A weak alias counts only as it stands.
fn parts(entry: &Entry, style: Style) -> Vec<(usize, String)> {
    let strong = entry.names.iter().enumerate().filter(|(_, listed)| listed.kind != NameKind::Weak);
    strong
        .flat_map(|(of, listed)| {
            alternatives::of(&listed.text, style).into_iter().map(move |text| (of, text))
        })
        .collect()
}

/// Words by number, in the order of appearance.
#[derive(Default)]
struct Numbering {
    numbers: HashMap<String, u32>,
    words: Vec<NewWord>,
}

impl Numbering {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let word = joined(std::iter::once(text), Class::Core);
        self.words.push(NewWord { text: word.text, key: word.key, consonants: word.consonants, rarity: 1.0 });
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Puts the words into the vocabulary's order; the new number of each old one.
    fn sort(&mut self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.words.len()).collect();
        order.sort_by_cached_key(|at| Vocabulary::order(&self.words[*at].key, &self.words[*at].text));
        let mut renumbered = vec![0; order.len()];
        let mut old: Vec<Option<NewWord>> = std::mem::take(&mut self.words).into_iter().map(Some).collect();
        for (new, at) in (0..).zip(order) {
            renumbered[at] = new;
            self.words.extend(old[at].take());
        }
        renumbered
    }
}

impl Names {
    fn push(&mut self, read: &ReadName, words: &[(u32, Class)], vocabulary: &Vocabulary) {
        let weight = |core: bool| -> f64 {
            let of_kind = words.iter().filter(|(_, class)| (*class == Class::Core) == core);
            of_kind.map(|(word, class)| vocabulary.weight(*word, *class)).sum()
        };
        let initials = words.iter().filter(|(_, class)| *class == Class::Initial).count();
        let telling = || read.name.words.iter().filter(|word| word.class == Class::Core);
        self.first_letters.push(letters(telling().filter_map(|word| word.text.bytes().next())));
        self.has_short.push(telling().any(|word| can_abbreviate(word.class, &word.text)));
        self.entry.push(read.entry);
        self.open();
        self.words.extend(words.iter().map(|(word, _)| *word));
        self.classes.extend(words.iter().map(|(_, class)| *class));
        self.forms.extend(&read.name.forms);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "weights are small numbers that need few digits"
        )]
        self.core_weight.push(weight(true) as f32);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "weights are small numbers that need few digits"
        )]
        self.other_weight.push(weight(false) as f32);
        self.initials.push(u8::try_from(initials).unwrap_or(u8::MAX));
    }

    fn open(&mut self) {
        self.first_word.push(u32::try_from(self.words.len()).unwrap_or(u32::MAX));
        self.first_form.push(u32::try_from(self.forms.len()).unwrap_or(u32::MAX));
    }

    fn close(&mut self) {
        self.open();
    }
}

impl Postings {
    fn new(words: usize, mut pairs: Vec<(u32, NameNumber)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut first = vec![0; words + 1];
        for (word, _) in &pairs {
            first[*word as usize + 1] += 1;
        }
        for word in 1..first.len() {
            first[word] += first[word - 1];
        }
        Self { first, names: pairs.into_iter().map(|(_, name)| name).collect() }
    }
}
