//! Which words of two names belong together, and how alike the names are by that.
//!
//! Order does not matter: publishers write `SURNAME, Given`. [`pairs`] finds the words, or runs of neighbours, that may be
//! the same; the best of them are taken first, and no word twice. [`similarity`] makes one figure of what was taken and
//! of what was left over.

mod pairs;
mod similarity;

use crate::{meaning::Meaning, spelling::Spelling, syllables::Sound, word_class::Class};

pub(crate) use pairs::{
    LONGEST_JOINED, LONGEST_RUN, SAME_CONSONANTS, SAME_SOUND, SHORTEST_JOINED, abbreviates, acronym,
    can_abbreviate, run_likeness,
};
pub(crate) use similarity::{CONTRADICTION, ENOUGH_BITS, INITIAL_FITS, MISSING};

/// A word to align: its spelling, what it counts, and what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    pub(crate) spelling: Spelling<'a>,
    /// What it counts beside the other words of its name, above 0 and at most 1.
    pub(crate) weight: f64,
    pub(crate) class: Class,
    /// How much it says about who is meant, in bits, see [`crate::ordinary::Information`].
    pub(crate) bits: f64,
    /// Whether people are called so.
    pub(crate) is_a_name: bool,
    /// Whether many bodies have the word.
    pub(crate) is_common: bool,
    pub(crate) meanings: &'static [Meaning],
    /// See [`crate::syllables`].
    pub(crate) sounds: &'a [Sound],
    /// Whether it was written in a script that leaves vowels out, see [`crate::abjad`].
    pub(crate) is_abjad: bool,
}

/// Terms `left` of one name that agree with terms `right` of the other; one of the two may be a run of neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) left: Run,
    pub(crate) right: Run,
    /// Above 0 and at most 1.
    pub(crate) likeness: f64,
    pub(crate) ground: Ground,
}

/// Why two words are taken for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Equal, or spelt alike.
    Spelling,
    /// Different words of organisations for one thing.
    Meaning,
    /// One given name as two languages write it.
    GivenName,
    /// A given name and a short form of it.
    ShortForm,
    /// Different ways to write Chinese or Korean syllables.
    Sound,
    /// One is written without vowels, and has the consonants of the other.
    Consonants,
    /// The first letter of one is all there is of the other.
    Initial,
    /// One name is the first letters of all words of the other.
    Acronym,
}

/// Neighbouring terms, by position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Run {
    fn one(at: usize) -> Self {
        Self { start: at, end: at + 1 }
    }

    /// One bit for each term of the run. Positions are below 64, see [`crate::normalise::MOST_WORDS`].
    fn bits(self) -> u64 {
        (self.start..self.end).fold(0, |bits, at| bits | 1 << at)
    }
}

/// How two names fit together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alignment {
    /// 0 to 1, without legal forms.
    pub(crate) similarity: f64,
    /// Same words, in whatever order.
    pub(crate) exact: bool,
    pub(crate) pairs: Vec<Pair>,
    /// One bit for each term that found a partner, of the left name and of the right one.
    pub(crate) used: [u64; 2],
    /// What kept the similarity below what the words alone come to.
    pub(crate) limit: Option<Limit>,
}

/// Why names whose words are alike are less alike than their words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Only words agree that many names have, none that tells one name from others.
    NoTellingWord,
    /// The words that agree say so few bits about who is meant.
    LittleInformation { bits: f64 },
}

/// Aligns two names. Symmetric but for which side is called left.
pub(crate) fn align(left: &[Term<'_>], right: &[Term<'_>]) -> Alignment {
    let mut used = [0_u64; 2];
    let mut taken = vec![];
    for option in pairs::best_first(left, right) {
        let bits = [option.pair.left.bits(), option.pair.right.bits()];
        if used[0] & bits[0] == 0 && used[1] & bits[1] == 0 {
            used = [used[0] | bits[0], used[1] | bits[1]];
            taken.push(option);
        }
    }
    let complete =
        used[0].count_ones() as usize == left.len() && used[1].count_ones() as usize == right.len();
    let exact = complete && taken.iter().all(|option| option.pair.likeness >= 1.0);
    let (similarity, limit) = if exact { (1.0, None) } else { similarity::of(&taken, [left, right], used) };
    let pairs = taken.into_iter().map(|option| option.pair).collect();
    Alignment { similarity, exact, pairs, used, limit }
}
