//! One figure for what two names have in common.
//!
//! With `w` the weights of words,
//!
//! ```text
//!              Σ w·likeness over pairs
//! ─────────────────────────────────────────────────
//! Σ w over pairs + 2·min(ua, ub) + β·|ua − ub|
//! ```
//!
//! where `ua` and `ub` are the weights of the words left over on either side. Words left over on both sides contradict
//! each other; words left over on one side are only missing on the other, which costs far less, as long as more than one
//! word agreed.
//!
//! Names that are not the same are then limited by what their agreement says about who is meant ([`most_with`]): words
//! that a million people are called agree between strangers.

use super::{Ground, Limit, Term, pairs::Choice};
use crate::{
    spelling::{differ_by_transliteration, is_one_typing_error},
    syllables::is_chinese,
    word_class::Class,
};

/// Weight of words that contradict each other; see the module.
pub(crate) const CONTRADICTION: f64 = 2.0;
/// Weight of words missing on one side where at least two words agree: two of four words that agree to the letter are just a
/// hit, for listed persons often have four names and use two.
pub(crate) const MISSING: f64 = 0.22;
/// The same where a single word agrees, by its letters at most: a short one says very little.
const MISSING_BESIDE_ONE: [(usize, f64); 3] = [(3, 1.2), (5, 0.8), (7, 0.5)];
/// `J` may be `Joachim`.
pub(crate) const INITIAL_FITS: f64 = 0.7;
/// The most that names can reach of which no telling word agrees.
const COMMON_WORDS_ONLY: f64 = 0.4;
/// What a misspelling in the only word that tells counts on top: nothing else confirms it.
const MISSPELT_ALONE: f64 = 0.5;
/// A word alone of so many letters must be the same.
const TOO_SHORT_TO_MISSPELL: usize = 3;

/// Bits that a word loses with its likeness: all 18 of an unknown word at a likeness of 0.4. A misspelt rare word is still rare,
/// for there is hardly another that it could be.
const BITS_FOR_LIKENESS: f64 = 30.0;
/// Bits lost where both spellings are names of their own: `Maria` and `Mario` are two people.
const BITS_FOR_TWO_NAMES: f64 = 4.0;
/// Bits lost for each telling word that the longer name has and the other does not.
const BITS_FOR_WORD_LOST: f64 = 2.0;
/// From so many bits on nothing limits the similarity: one person in four million has as much in common by chance, so that a
/// list of ten thousand names meets a stranger in four hundred.
pub(crate) const ENOUGH_BITS: f64 = 22.0;
/// The most that names come to which are not the same, by the bits of what agrees; straight between the steps. 10 bits are one
/// ordinary name, 14 a common given name with a common surname, 18 one word that no table of names has.
const MOST_BY_BITS: [(f64, f64); 6] =
    [(0.0, 0.4), (6.0, 0.6), (10.0, 0.75), (14.0, 0.815), (18.0, 0.95), (ENOUGH_BITS, 1.0)];

/// The similarity of names that are not the same, and what limited it.
pub(super) fn of(taken: &[Choice<'_>], names: [&[Term<'_>]; 2], used: [u64; 2]) -> (f64, Option<Limit>) {
    let sums = Sums::of(taken);
    if sums.weight <= 0.0 {
        return (0.0, None);
    }
    let by_words = sums.by_words(names, used);
    let limits = [
        (sums.telling_words == 0).then_some((COMMON_WORDS_ONLY, Limit::NoTellingWord)),
        (!is_plain_misspelling(taken, names, used) && !is_same_name_without_vowels(taken, names, used))
            .then(|| sums.by_information(names, used)),
    ];
    limits.into_iter().flatten().fold((by_words, None), |(least, limit), (most, by)| {
        if most < least { (most, Some(by)) } else { (least, limit) }
    })
}

/// Whether every word of either name found a partner.
fn is_complete(names: [&[Term<'_>]; 2], used: [u64; 2]) -> bool {
    [0, 1].into_iter().all(|side| used[side].count_ones() as usize == names[side].len())
}

/// Whether the names are the same but that one is written without vowels: two words or more that tell, and nothing left over.
fn is_same_name_without_vowels(taken: &[Choice<'_>], names: [&[Term<'_>]; 2], used: [u64; 2]) -> bool {
    let is_same =
        |choice: &Choice<'_>| choice.pair.likeness >= 1.0 || choice.pair.ground == Ground::Consonants;
    is_complete(names, used)
        && taken.iter().all(is_same)
        && taken.iter().filter(|choice| choice.telling > 0).count() >= 2
}

/// Whether the names are the same but for one word that nobody is called: `Vkitor Ivanov` is no stranger who has a name like
/// Viktor Ivanov's, so that it does not matter how many are called Viktor.
fn is_plain_misspelling(taken: &[Choice<'_>], names: [&[Term<'_>]; 2], used: [u64; 2]) -> bool {
    let mut misspelt = taken.iter().filter(|choice| choice.pair.likeness < 1.0);
    let (Some(one), None) = (misspelt.next(), misspelt.next()) else { return false };
    let words = [&names[0][one.pair.left.start], &names[1][one.pair.right.start]];
    // Chinese names are made of few syllables, each a name of its own: Cheng is no misspelt Sheng.
    let is_a_word = |term: &Term<'_>| {
        term.is_a_name || term.is_common || !term.meanings.is_empty() || is_chinese(term.sounds)
    };
    // Who leaves a letter out of a common word has not called a body otherwise.
    let is_a_misspelt_word = one.telling > 0 || words.iter().any(|term| term.is_common);
    is_complete(names, used)
        && is_a_misspelt_word
        && one.pair.ground == Ground::Spelling
        && [one.pair.left, one.pair.right].iter().all(|run| run.end - run.start == 1)
        && words.into_iter().filter(|term| is_a_word(term)).count() == 1
        && is_one_typing_error(words[0].spelling.text, words[1].spelling.text)
}

/// What the agreement of two words says about who is meant, in bits.
pub(super) fn shared_bits(a: &Term<'_>, b: &Term<'_>, likeness: f64, ground: Ground) -> f64 {
    let bits = a.bits.min(b.bits);
    // An initial is no misspelling of the word that it stands for.
    if likeness >= 1.0 || ground == Ground::Initial {
        return bits;
    }
    let is_one_name = matches!(ground, Ground::ShortForm | Ground::GivenName)
        || differ_by_transliteration(a.spelling.key, b.spelling.key);
    let two_names = a.is_a_name && b.is_a_name && !is_one_name;
    bits_left(bits - if two_names { BITS_FOR_TWO_NAMES } else { 0.0 }, likeness)
}

/// What is left of `bits` where the words are only so much alike.
pub(super) fn bits_left(bits: f64, likeness: f64) -> f64 {
    (bits - BITS_FOR_LIKENESS * (1.0 - likeness)).max(0.0)
}

/// See [`MOST_BY_BITS`].
fn most_with(bits: f64) -> f64 {
    let steps = MOST_BY_BITS.windows(2).map(|pair| (pair[0], pair[1]));
    let mut around = steps.filter(|((from, _), (to, _))| (*from..*to).contains(&bits));
    match around.next() {
        Some(((from, low), (to, high))) => low + (high - low) * (bits - from) / (to - from),
        None if bits < 0.0 => MOST_BY_BITS[0].1,
        None => 1.0,
    }
}

/// What the chosen pairs add up to.
#[derive(Default)]
struct Sums {
    weight: f64,
    agreement: f64,
    telling_words: usize,
    telling_letters: usize,
    /// What the misspellings of telling words took.
    misspelt: f64,
    bits: f64,
}

impl Sums {
    fn of(taken: &[Choice<'_>]) -> Self {
        let mut sums = Self::default();
        for Choice { pair, weight, telling, bits, .. } in taken {
            sums.weight += weight;
            sums.agreement += weight * pair.likeness;
            sums.bits += bits;
            sums.telling_letters += telling;
            if *telling > 0 {
                sums.telling_words += 1;
                // Nobody who writes the first letters has misspelt a word.
                let misspelt = if pair.ground == Ground::Acronym { 0.0 } else { 1.0 - pair.likeness };
                sums.misspelt += weight * misspelt;
            }
        }
        sums
    }

    /// The formula of the module.
    fn by_words(&self, names: [&[Term<'_>]; 2], used: [u64; 2]) -> f64 {
        let left_over = [0, 1].map(|side| unused(names[side], used[side]));
        let contradicting = left_over[0].min(left_over[1]);
        let missing = left_over[0].max(left_over[1]) - contradicting;
        let whole = self.weight + CONTRADICTION * contradicting + self.cost_of_missing() * missing;
        ((self.agreement - self.strictness(names)) / whole).clamp(0.0, 1.0)
    }

    /// The most that the information allows.
    fn by_information(&self, names: [&[Term<'_>]; 2], used: [u64; 2]) -> (f64, Limit) {
        let matched = [0, 1].map(|side| telling(names[side], used[side])).into_iter().max().unwrap_or(0);
        let longer = names.map(|name| telling(name, u64::MAX)).into_iter().max().unwrap_or(0);
        let bits = self.bits - BITS_FOR_WORD_LOST * f64::from(longer.saturating_sub(matched));
        (most_with(bits), Limit::LittleInformation { bits: bits.max(0.0) })
    }

    /// One word that agrees says less than two.
    fn cost_of_missing(&self) -> f64 {
        let fits = |(letters, _): &&(usize, f64)| self.telling_letters <= *letters;
        let beside_one = MISSING_BESIDE_ONE.iter().find(fits).filter(|_| self.telling_words < 2);
        beside_one.map_or(MISSING, |(_, cost)| *cost)
    }

    /// What is taken where either name has only one word that tells.
    fn strictness(&self, names: [&[Term<'_>]; 2]) -> f64 {
        let alone = self.telling_words == 1 && names.into_iter().any(|terms| telling(terms, u64::MAX) == 1);
        if !alone {
            0.0
        } else if self.telling_letters <= TOO_SHORT_TO_MISSPELL && self.misspelt > 0.0 {
            self.agreement
        } else {
            MISSPELT_ALONE * self.misspelt
        }
    }
}

/// How many of the terms in `among` (one bit each) tell their name from others.
fn telling(terms: &[Term<'_>], among: u64) -> u32 {
    let tells = |(at, term): &(u32, &Term<'_>)| term.class == Class::Core && among & 1 << at != 0;
    (0..).zip(terms).filter(tells).fold(0, |count, _| count + 1)
}

/// The weight of the terms that found no partner.
fn unused(terms: &[Term<'_>], used: u64) -> f64 {
    let free = |(at, _): &(usize, &Term<'_>)| used & 1 << at == 0;
    terms.iter().enumerate().filter(free).map(|(_, term)| term.weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_said_the_more_names_can_come_to() {
        let steps: Vec<f64> = (-4..30).map(|bits| most_with(f64::from(bits))).collect();
        assert!(steps.is_sorted(), "{steps:?}");
        assert_eq!((steps.first(), steps.last()), (Some(&0.4), Some(&1.0)));
        assert!((most_with(14.0) - 0.815).abs() < 1e-9 && (most_with(12.0) - 0.7825).abs() < 1e-9);
        assert!((most_with(ENOUGH_BITS) - 1.0).abs() < 1e-9);
    }
}
