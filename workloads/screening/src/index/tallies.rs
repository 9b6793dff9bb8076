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
    pub(super) fn add(&mut self, word: u8, pair: &Sums) {
        if self.word == word {
            self.sums.exchange(&mut self.last, pair);
        } else {
            self.word = word;
            self.last = Partner::of(pair);
            self.sums.add(pair);
        }
    }

    /// Adds a pair of a word that may have been counted already: never less than it can come to.
    pub(super) fn add_as_well(&mut self, pair: &Sums) {
        self.sums.add_as_well(pair);
    }
}

/// See the module.
///
/// One place a name of the index, most of which are never written: they come from the system as zeros that take no memory
/// before they are used, and clearing costs only what was used.
#[derive(Default)]
pub(super) struct Tallies {
    /// By name number, its position in `met` from 1; [`NOT_MET`].
    place: Vec<u32>,
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

    /// All that were met.
    pub(super) fn all(&self) -> &[Tally] {
        &self.met
    }

    /// A name that was not met.
    pub(super) fn meet(&mut self, name: NameNumber) -> &mut Tally {
        let at = self.met.len();
        self.met.push(Tally::new(name));
        self.place[name as usize] = u32::try_from(at + 1).unwrap_or(u32::MAX);
        &mut self.met[at]
    }

    pub(super) fn met(&mut self, name: NameNumber) -> Option<&mut Tally> {
        let place = self.place[name as usize].checked_sub(1)?;
        self.met.get_mut(place as usize)
    }
}
