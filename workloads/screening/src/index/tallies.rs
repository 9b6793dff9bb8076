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
    /// Met in a way in which the sums say little; then no bound applies.
    pub(super) unbounded: bool,
}

impl Tally {
    fn new(name: NameNumber, unbounded: bool) -> Self {
        Self { name, word: 0, last: Partner::default(), sums: Sums::default(), unbounded }
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
}

/// See the module.
///
/// One place a name of the index, most of which are never written: they come from the system as zeros that take no memory
/// before they are used, and clearing costs only what was used.
#[derive(Default)]
pub(super) struct Tallies {
    /// By name number, its position in `met` from 1; [`NOT_MET`], or [`EXEMPT`].
    place: Vec<u32>,
    met: Vec<Tally>,
    exempt: Vec<NameNumber>,
}

const NOT_MET: u32 = 0;
const EXEMPT: u32 = u32::MAX;

impl Tallies {
    pub(super) fn clear(&mut self, names: NameNumber) {
        if self.place.len() != names as usize {
            self.place = vec![NOT_MET; names as usize];
        }
        let met = self.met.drain(..).map(|tally| tally.name);
        met.chain(self.exempt.drain(..)).for_each(|name| self.place[name as usize] = NOT_MET);
    }

    /// All that were met.
    pub(super) fn all(&self) -> &[Tally] {
        &self.met
    }

    pub(super) fn meet(&mut self, name: NameNumber) -> &mut Tally {
        let place = &mut self.place[name as usize];
        if *place == NOT_MET || *place == EXEMPT {
            let unbounded = *place == EXEMPT;
            self.met.push(Tally::new(name, unbounded));
            *place = u32::try_from(self.met.len()).unwrap_or(EXEMPT - 1);
        }
        &mut self.met[*place as usize - 1]
    }

    pub(super) fn met(&mut self, name: NameNumber) -> Option<&mut Tally> {
        let place = self.place[name as usize].checked_sub(1)?;
        self.met.get_mut(place as usize)
    }

    /// No bound applies to this name once it is met.
    pub(super) fn exempt(&mut self, name: NameNumber) {
        if self.place[name as usize] == NOT_MET {
            self.place[name as usize] = EXEMPT;
            self.exempt.push(name);
        }
    }

    pub(super) fn is_exempt(&self, name: NameNumber) -> bool {
        self.place[name as usize] == EXEMPT
    }
}
