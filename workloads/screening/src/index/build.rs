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
    ByStyle, ByWord, EntryNumber, Index, NameNumber, Names, Part, Place, Postings, Summary,
    before::{Before, GONE},
    letters, range,
    runs::NewRuns,
    signature,
    spellings::order,
    style,
    vocabulary::{NewWord, Vocabulary},
};
use crate::{
    align::can_abbreviate,
    alternatives,
    evidence::{comparable, is_evidence},
    name::{Name, NameWord},
    spelling::Spelt,
    weigh::rarity,
    word_class::{Class, Style},
};

/// An index of all entries. What the one before knows is taken over.
pub(super) fn build(lists: &[Arc<Watchlist>], before: Option<&Index>) -> Index {
    let mut reader = Reader { before: before.map(Before::of), ..Reader::default() };
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

#[derive(Default)]
struct Reader<'a> {
    before: Option<Before<'a>>,
    entries: Vec<Place>,
    /// Their words in the order of appearance, and without weights.
    names: Names,
    words: Numbering,
    runs: NewRuns,
    /// How many entries have each word.
    in_entries: Vec<u32>,
    identifiers: HashMap<(IdentifierKind, String), Vec<EntryNumber>>,
    parts: HashMap<NameNumber, Part>,
}

impl Reader<'_> {
    fn read(&mut self, list: u16, watchlist: &Watchlist, keep: impl Fn(&Entry) -> bool) {
        for (position, entry) in (0..).zip(&watchlist.entries).filter(|(_, entry)| keep(entry)) {
            let number = EntryNumber::try_from(self.entries.len()).unwrap_or(EntryNumber::MAX);
            let first_name = self.names.next();
            let style = style(entry.kind);
            self.entries.push(Place { list, position, style, first_name });
            let mut words = BTreeSet::new();
            let known =
                self.before.as_ref().and_then(|before| before.names_of(&watchlist.version.list, entry));
            match known {
                Some(names) => names.for_each(|name| self.take_over(name, number, &mut words)),
                None => self.read_names(number, entry, style, &mut words),
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

    fn read_names(&mut self, number: EntryNumber, entry: &Entry, style: Style, words: &mut BTreeSet<u32>) {
        for listed in &entry.names {
            self.read_name(number, &listed.text, style, words);
        }
        for (of, text) in parts(entry, style) {
            let name = self.read_name(number, &text, style, words);
            self.parts.insert(name, Part { text, of });
        }
    }

    /// Takes over a name of the index before.
    fn take_over(&mut self, name: NameNumber, entry: EntryNumber, words: &mut BTreeSet<u32>) {
        let Some(before) = &mut self.before else { return };
        let (known, number) = (before.index, self.names.next());
        let of_name = &known.names.words[range(&known.names.first_word, name)];
        let numbers: Vec<u32> = of_name.iter().map(|word| self.words.taken_over(*word, before)).collect();
        self.names.take_over(&known.names, name, entry, &numbers, self.entries[entry as usize].list);
        if let Some(part) = known.parts.get(&name) {
            self.parts.insert(number, Part { text: part.text.clone(), of: part.of });
        }
        before.names[name as usize] = number;
        words.extend(numbers);
    }

    fn read_name(
        &mut self,
        entry: EntryNumber,
        text: &str,
        style: Style,
        words: &mut BTreeSet<u32>,
    ) -> NameNumber {
        let name = Name::parse(text, style);
        let number = self.names.next();
        self.runs.read(&name, number);
        let numbers = name.words.iter().map(|word| self.words.number(word));
        let numbers: Vec<u32> = numbers.collect();
        self.names.push(entry, &name, &numbers, self.entries[entry as usize]);
        words.extend(numbers);
        number
    }

    /// Words are as rare as `known` says, or as they are among these entries.
    fn finish(mut self, lists: &[Arc<Watchlist>], known: Option<Arc<Vocabulary>>) -> Index {
        let entries = self.entries.len();
        for (word, in_entries) in self.words.words.iter_mut().zip(&self.in_entries) {
            word.rarity = match &known {
                Some(known) => known.rarity_of(&word.spelt.text, &word.spelt.key),
                None => rarity(*in_entries as usize, entries),
            };
        }
        let renumbered = self.words.sort();
        let vocabulary = Arc::new(Vocabulary::new(&self.words.words));
        self.names.finish(&renumbered, &vocabulary);
        let runs = self.runs.finish(&self.names, &vocabulary, self.before.as_ref());
        let of_style = |style| ByWord {
            telling: Postings::of_words(&self.names, style, true, self.words.words.len()),
            common: Postings::of_words(&self.names, style, false, self.words.words.len()),
        };
        let words = ByStyle { person: of_style(Style::Person), organisation: of_style(Style::Organisation) };
        Index {
            lists: lists.to_vec(),
            entries: self.entries,
            words,
            names: self.names,
            rarities: known.unwrap_or_else(|| Arc::clone(&vocabulary)),
            vocabulary,
            runs,
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
    fn number(&mut self, word: &NameWord) -> u32 {
        let text = &word.text;
        if let Some(number) = self.numbers.get(text) {
            self.words[*number as usize].is_abjad |= word.is_abjad;
            return *number;
        }
        self.add(NewWord { spelt: Spelt::new(text.clone()), rarity: 1.0, is_abjad: word.is_abjad })
    }

    /// The number of a word of the index before.
    fn taken_over(&mut self, word: u32, before: &mut Before<'_>) -> u32 {
        if before.words[word as usize] == GONE {
            let spelling = before.index.vocabulary.spelling(word);
            before.words[word as usize] = self.numbers.get(spelling.text).copied().unwrap_or_else(|| {
                self.add(NewWord { spelt: Spelt::from(spelling), rarity: 1.0, is_abjad: false })
            });
        }
        before.words[word as usize]
    }

    fn add(&mut self, word: NewWord) -> u32 {
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.numbers.insert(word.spelt.text.clone(), number);
        self.words.push(word);
        number
    }

    /// Puts the words into the vocabulary's order; the new number of each old one.
    fn sort(&mut self) -> Vec<u32> {
        let mut sorted: Vec<usize> = (0..self.words.len()).collect();
        let by = |at: usize| order(&self.words[at].spelt.text, &self.words[at].spelt.key);
        sorted.sort_unstable_by(|a, b| by(*a).cmp(&by(*b)));
        let mut renumbered = vec![0; sorted.len()];
        let mut old: Vec<Option<NewWord>> = std::mem::take(&mut self.words).into_iter().map(Some).collect();
        for (new, at) in (0..).zip(sorted) {
            renumbered[at] = new;
            self.words.extend(old[at].take());
        }
        renumbered
    }
}

impl Names {
    /// The number that the next name gets.
    fn next(&self) -> NameNumber {
        NameNumber::try_from(self.entry.len()).unwrap_or(NameNumber::MAX)
    }

    fn push(&mut self, entry: EntryNumber, name: &Name, words: &[u32], place: Place) {
        let telling = || name.words.iter().filter(|word| word.class == Class::Core);
        let initials = name.words.iter().filter(|word| word.class == Class::Initial).count();
        self.entry.push(entry);
        self.open();
        self.words.extend(words);
        self.classes.extend(name.words.iter().map(|word| word.class));
        self.forms.extend(&name.forms);
        self.summaries.push(Summary {
            core_weight: 0.0,
            other_weight: 0.0,
            first_letters: letters(telling().filter_map(|word| word.text.bytes().next())),
            shorts: telling()
                .filter(|word| can_abbreviate(word.class, &word.text))
                .fold(0, |shorts, word| shorts | signature(word.text.as_bytes())),
            list: place.list,
            initials: u8::try_from(initials).unwrap_or(u8::MAX),
            is_of_a_person: place.style == Style::Person,
        });
    }

    /// The same with what `known` has of a name.
    fn take_over(&mut self, known: &Self, name: NameNumber, entry: EntryNumber, words: &[u32], list: u16) {
        self.entry.push(entry);
        self.open();
        self.words.extend(words);
        self.classes.extend(&known.classes[range(&known.first_word, name)]);
        self.forms.extend(&known.forms[range(&known.first_form, name)]);
        self.summaries.push(Summary { list, ..known.summaries[name as usize] });
    }

    fn open(&mut self) {
        self.first_word.push(u32::try_from(self.words.len()).unwrap_or(u32::MAX));
        self.first_form.push(u32::try_from(self.forms.len()).unwrap_or(u32::MAX));
    }

    /// Gives the words their numbers in the vocabulary, and the names their weights.
    fn finish(&mut self, renumbered: &[u32], vocabulary: &Vocabulary) {
        self.open();
        self.words.iter_mut().for_each(|word| *word = renumbered[*word as usize]);
        for name in 0..self.next() {
            let at = range(&self.first_word, name);
            let words = || self.words[at.clone()].iter().zip(&self.classes[at.clone()]);
            let weight = |core: bool| -> f64 {
                let of_kind = words().filter(|(_, class)| (**class == Class::Core) == core);
                of_kind.map(|(word, class)| vocabulary.weight(*word, *class)).sum()
            };
            #[expect(clippy::cast_possible_truncation, reason = "weights are small numbers of few digits")]
            let [core, other] = [weight(true) as f32, weight(false) as f32];
            let summary = &mut self.summaries[name as usize];
            (summary.core_weight, summary.other_weight) = (core, other);
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        self.entry.shrink_to_fit();
        for numbers in [&mut self.first_word, &mut self.words, &mut self.first_form] {
            numbers.shrink_to_fit();
        }
        self.classes.shrink_to_fit();
        self.forms.shrink_to_fit();
        self.summaries.shrink_to_fit();
    }
}

impl Postings {
    /// Which names of a style have each of so many words, where it tells or where it does not.
    fn of_words(names: &Names, style: Style, tells: bool, words: usize) -> Self {
        let mut first = vec![0; words + 1];
        let mut pairs = vec![];
        let is_of_style =
            |name: &NameNumber| names.summaries[*name as usize].is_of_a_person == (style == Style::Person);
        for name in (0..names.next()).filter(is_of_style) {
            let at = range(&names.first_word, name);
            let of_class = names.words[at.clone()].iter().zip(&names.classes[at]);
            let of_class = of_class.filter(|(_, class)| (**class == Class::Core) == tells);
            pairs.extend(of_class.map(|(word, _)| (*word, name)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        for (word, _) in &pairs {
            first[*word as usize + 1] += 1;
        }
        for word in 1..first.len() {
            first[word] += first[word - 1];
        }
        Self { first, names: pairs.into_iter().map(|(_, name)| name).collect() }
    }
}
