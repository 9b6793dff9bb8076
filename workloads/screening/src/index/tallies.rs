//! The names that were met while the subject's words are gone through, and where each stands among them.

use super::{
    NameNumber,
    bound::{Partner, Sums},
};

/// What is known of a name so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    pub(super) name: NameNumber,
    /// The last word of the subject that it was counted for, from 1, and with what.
    word: u8,
    last: Partner,
    pub(super) sums: Sums,
}

impl Tally {
    fn new(name: NameNumber) -> Self {
        Self { name, word: 0, last: Partner::default(), sums: Sums::default() }
    }

    /// Adds a pair. A second one of the same word of the subject counts only by what it adds more, for the first may be another
    /// word's partner: of `Muhammad Mohamed` and `Muhammad Mukhammad` both words of the first are most like the same word.
    fn add(&mut self, word: u8, pair: &Sums) {
        if self.word == word {
            self.sums.exchange(&mut self.last, pair);
        } else {
            self.word = word;
            self.last = Partner::of(pair);
            self.sums.add(pair);
        }
    }

    /// Adds a pair whose listed word is common. The subject's word may have been counted already: never less than it can come to.
    fn add_as_well(&mut self, pair: &Sums) {
        self.sums.add_as_well(&pair.where_common());
    }
}

/// What the subject's words meet in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Partners {
    /// Single words.
    Words,
    /// Neighbouring words written as one, too.
    Runs,
}

/// What is foreseen of a name.
#[derive(Clone, Copy)]
pub(super) struct Foreseen {
    /// How many words of the subject have a partner in it.
    pub(super) words: u8,
    /// The last of them.
    last: u8,
    pub(super) by: Partners,
}

impl Foreseen {
    fn read(place: u32) -> Self {
        let [words, last, by_runs, _] = place.to_le_bytes();
        Self { words, last, by: if by_runs == 0 { Partners::Words } else { Partners::Runs } }
    }

    fn written(self) -> u32 {
        u32::from_le_bytes([self.words, self.last, u8::from(self.by == Partners::Runs), 0])
    }

    fn and(self, word: u8, by: Partners) -> Self {
        let words = if self.last == word { self.words } else { self.words.saturating_add(1) };
        Self { words, last: word, by: if by == Partners::Runs { by } else { self.by } }
    }
}

/// See the module. First all names are foreseen, then those of them are met that can lead to anything, and to these pairs are added.
///
/// One place a name of the index, most of which are never written: they come from the system as zeros that take no memory
/// before they are used, and clearing costs only what was used.
#[derive(Default)]
pub(super) struct Tallies {
    /// By name number, what is [`Foreseen`]; then its position in `met` from 1, or [`NOT_MET`].
    place: Vec<u32>,
    foreseen: Vec<NameNumber>,
    met: Vec<Tally>,
}

const NOT_MET: u32 = 0;

impl Tallies {
    pub(super) fn clear(&mut self, names: NameNumber) {
        if self.place.len() != names as usize {
            self.place = vec![NOT_MET; names as usize];
        }
        self.met.drain(..).for_each(|tally| self.place[tally.name as usize] = NOT_MET);
    }

    /// Foresees that a word of the subject, by its number, has a partner in the name.
    pub(super) fn foresee(&mut self, name: NameNumber, word: u8, by: Partners) {
        let place = &mut self.place[name as usize];
        if *place == NOT_MET {
            self.foreseen.push(name);
        }
        *place = Foreseen::read(*place).and(word, by).written();
    }

    /// The same if a name is foreseen already.
    pub(super) fn foresee_again(&mut self, name: NameNumber, word: u8, by: Partners) {
        if self.place[name as usize] != NOT_MET {
            self.foresee(name, word, by);
        }
    }

    /// Meets those of the foreseen names that are `wanted`.
    pub(super) fn meet(&mut self, wanted: impl Fn(NameNumber, Foreseen) -> bool) {
        for name in self.foreseen.drain(..) {
            let place = &mut self.place[name as usize];
            let foreseen = Foreseen::read(*place);
            *place = NOT_MET;
            if wanted(name, foreseen) {
                self.met.push(Tally::new(name));
                *place = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
            }
        }
    }

    /// See [`Tally::add`]; nothing where the name was not met.
    pub(super) fn add(&mut self, name: NameNumber, word: u8, pair: &Sums) {
        if let Some(tally) = self.met(name) {
            tally.add(word, pair);
        }
    }

    /// See [`Tally::add_as_well`]; nothing where the name was not met.
    pub(super) fn add_as_well(&mut self, name: NameNumber, pair: &Sums) {
        if let Some(tally) = self.met(name) {
            tally.add_as_well(pair);
        }
    }

    /// All that were met.
    pub(super) fn all(&self) -> &[Tally] {
        &self.met
    }

    fn met(&mut self, name: NameNumber) -> Option<&mut Tally> {
        let place = self.place[name as usize].checked_sub(1)?;
        self.met.get_mut(place as usize)
    }
}
