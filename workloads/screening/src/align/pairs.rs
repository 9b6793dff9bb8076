//! The words of two names that may be the same: one and one, one and a run of neighbours written as one word
//! (`ROSOBORON EKSPORT`), one and the words it is the initials of (`JC`); and a whole name and the other's initials (`OPEC`).

use std::ops::RangeInclusive;

use super::{Ground, INITIAL_FITS, Pair, Run, Term, similarity::shared_bits};
use crate::{
    abjad::{self, Consonants},
    meaning::{self, Meaning},
    normalise::LONGEST_WORD,
    spelling::{Spelt, likeness},
    syllables::sound_alike,
    word_class::Class,
};

/// The most words that are tried written as one.
pub(crate) const LONGEST_RUN: usize = 4;
/// Two words written as one are a spelling, but a little less sure.
const JOINED: f64 = 0.98;
/// A run must be as like as this, for joined words meet by chance more easily.
const SAME_RUN: f64 = 0.82;
/// A run is written out only where it and the other word have at least so many letters…
pub(crate) const SHORTEST_JOINED: usize = 4;
/// … and the two differ in length by at most so many.
const MOST_LETTERS_APART: usize = 3;
/// No run of more letters agrees with a word.
pub(crate) const LONGEST_JOINED: usize = LONGEST_WORD + MOST_LETTERS_APART;
/// Two words that may be one Chinese or Korean word.
pub(crate) const SAME_SOUND: f64 = 0.86;
/// A word without vowels that may be the other.
pub(crate) const SAME_CONSONANTS: f64 = 0.88;
/// What words count of which the other name has only the initials, written as one.
const INITIALS_WEIGHT: f64 = 0.5;
/// A name and the first letters of another's words.
const ACRONYM: f64 = 0.9;
/// How many letters an acronym has; two are met everywhere. Each says as much as an initial, so that five are a hit, and four are one
/// beside the same country: lists hold many names of three and four letters, which strangers' names begin with by chance.
const ACRONYM_LETTERS: RangeInclusive<usize> = 3..=6;
/// Initials are taken only where nothing better fits.
const INITIALS_RANK: f64 = 0.9 * INITIAL_FITS;
/// Of pairs that are as like, the heavier comes first.
const WEIGHT_IN_RANK: f64 = 0.01;

/// A possible pair.
pub(super) struct Choice<'a> {
    pub(super) pair: Pair,
    pub(super) weight: f64,
    /// Letters that agree, where both sides tell their name from others; else 0.
    pub(super) telling: usize,
    /// What their agreement says about who is meant, in bits, 0 or more.
    pub(super) bits: f64,
    rank: f64,
    /// Breaks ties by content, not by side.
    order: [&'a str; 2],
}

/// All possible pairs, those that are most alike first.
pub(super) fn best_first<'a>(left: &[Term<'a>], right: &[Term<'a>]) -> Vec<Choice<'a>> {
    let mut options = vec![];
    single_words(left, right, &mut options);
    runs(left, right, Side::Left, &mut options);
    runs(right, left, Side::Right, &mut options);
    options.extend(abbreviated_name(left, right, Side::Left));
    options.extend(abbreviated_name(right, left, Side::Right));
    options.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.order.cmp(&b.order)));
    options
}

fn single_words<'a>(left: &[Term<'a>], right: &[Term<'a>], options: &mut Vec<Choice<'a>>) {
    for (i, a) in left.iter().enumerate() {
        for (j, b) in right.iter().enumerate() {
            let Some((likeness, ground)) = words_agree(a, b) else { continue };
            let both_tell = a.class == Class::Core && b.class == Class::Core;
            let weight = f64::midpoint(a.weight, b.weight);
            options.push(Choice {
                pair: Pair { left: Run::one(i), right: Run::one(j), likeness, ground },
                weight,
                telling: if both_tell { a.spelling.text.len().min(b.spelling.text.len()) } else { 0 },
                bits: shared_bits(a, b, likeness, ground),
                rank: likeness * (1.0 + WEIGHT_IN_RANK * weight),
                order: ordered(a.spelling.text, b.spelling.text),
            });
        }
    }
}

fn ordered<'a>(a: &'a str, b: &'a str) -> [&'a str; 2] {
    if a <= b { [a, b] } else { [b, a] }
}

/// How alike two words are, and why; `None` for different words.
fn words_agree(a: &Term<'_>, b: &Term<'_>) -> Option<(f64, Ground)> {
    if initial_fits(a, b) {
        return Some((INITIAL_FITS, Ground::Initial));
    }
    let by_spelling = likeness(a.spelling, b.spelling);
    let mut best = (by_spelling > 0.0).then_some((by_spelling, Ground::Spelling));
    let mut offer = |likeness: f64, ground| {
        if best.is_none_or(|(known, _)| likeness > known) {
            best = Some((likeness, ground));
        }
    };
    if let Some(meaning) = meaning::shared(a.meanings, b.meanings) {
        offer(meaning.likeness(), Ground::of(meaning));
    }
    if sound_alike(a.sounds, b.sounds) {
        offer(SAME_SOUND, Ground::Sound);
    }
    if consonants_agree(a, b) {
        offer(SAME_CONSONANTS, Ground::Consonants);
    }
    best
}

/// Whether one of the two is written without vowels and may be the other.
fn consonants_agree(a: &Term<'_>, b: &Term<'_>) -> bool {
    let [written, latin] = match (a.is_abjad, b.is_abjad) {
        (true, false) => [a, b],
        (false, true) => [b, a],
        _ => return false,
    };
    let [written, latin] = [written, latin].map(|term| Consonants::of(term.spelling.text));
    written.zip(latin).is_some_and(|(written, latin)| abjad::may_be(&written, &latin))
}

impl Ground {
    fn of(meaning: Meaning) -> Self {
        match meaning {
            Meaning::OfOrganisations(_) | Meaning::Number(_) => Self::Meaning,
            Meaning::GivenName(_) => Self::GivenName,
            Meaning::ShortForm(_) => Self::ShortForm,
        }
    }
}

/// `J` may be `Joachim`.
fn initial_fits(a: &Term<'_>, b: &Term<'_>) -> bool {
    let one_is_an_initial =
        matches!((a.class, b.class), (Class::Initial, Class::Core) | (Class::Core, Class::Initial));
    one_is_an_initial && a.first_letter() == b.first_letter()
}

impl Term<'_> {
    fn first_letter(&self) -> Option<u8> {
        self.spelling.text.bytes().next()
    }
}

/// Which of the two names has the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn pair(self, run: Run, word: Run, likeness: f64, ground: Ground) -> Pair {
        let (left, right) = if self == Self::Left { (run, word) } else { (word, run) };
        Pair { left, right, likeness, ground }
    }
}

/// Runs of neighbours on one side that are one word on the other.
fn runs<'a>(split: &[Term<'a>], whole: &[Term<'a>], side: Side, options: &mut Vec<Choice<'a>>) {
    for start in 0..split.len() {
        let mut length = split[start].spelling.text.len();
        for end in start + 2..=split.len().min(start + LONGEST_RUN) {
            length += split[end - 1].spelling.text.len();
            let (run, place) = (&split[start..end], Run { start, end });
            for (at, term) in whole.iter().enumerate() {
                if are_initials(run, term) {
                    options.push(initials(
                        run,
                        term,
                        side.pair(place, Run::one(at), INITIAL_FITS, Ground::Initial),
                    ));
                }
                let other = term.spelling.text.len();
                let worth_writing =
                    other.min(length) >= SHORTEST_JOINED && other.abs_diff(length) <= MOST_LETTERS_APART;
                if worth_writing && first_letters_agree(run[0].spelling.key, term.spelling.key) {
                    let pair = |likeness| side.pair(place, Run::one(at), likeness, Ground::Spelling);
                    options.extend(written_as_one(run, term, pair));
                }
            }
        }
    }
}

/// A cheap test before a run is written out. Most keys keep their first letter, and a misspelt first letter of a split
/// word is two faults at once.
fn first_letters_agree(a: &str, b: &str) -> bool {
    a.as_bytes().first() == b.as_bytes().first()
}

/// What a run counts that is, written as one, so much alike; `None` where that is too little.
pub(crate) fn run_likeness(likeness: f64) -> Option<f64> {
    let likeness = likeness * JOINED;
    (likeness >= SAME_RUN).then_some(likeness)
}

fn written_as_one<'a>(run: &[Term<'a>], term: &Term<'a>, pair: impl Fn(f64) -> Pair) -> Option<Choice<'a>> {
    let written = Spelt::joined(run.iter().map(|part| part.spelling.text));
    // The index looks runs up by the first letter of what they are written as.
    if !first_letters_agree(&written.key, term.spelling.key) {
        return None;
    }
    let likeness = run_likeness(likeness(written.spelling(), term.spelling))?;
    let weight = run.iter().map(|part| part.weight).sum::<f64>().max(term.weight);
    let tells = term.class == Class::Core && run.iter().any(|part| part.class == Class::Core);
    let told = run.iter().map(|part| part.bits).sum::<f64>().min(term.bits);
    Some(Choice {
        pair: pair(likeness),
        weight,
        telling: if tells { term.spelling.text.len() } else { 0 },
        bits: super::similarity::bits_left(told, likeness),
        rank: likeness * (1.0 + WEIGHT_IN_RANK * weight),
        order: ordered(run[0].spelling.text, term.spelling.text),
    })
}

/// Whether a word may be the initials of others: two or three letters that tell. Longer words are words.
pub(crate) fn can_abbreviate(class: Class, word: &str) -> bool {
    class == Class::Core && (2..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether `short` is the first letters of words that tell, which `words` gives with their classes: `JC` of `Jean-Claude`.
pub(crate) fn abbreviates<'a>(short: &str, words: impl ExactSizeIterator<Item = (Class, &'a str)>) -> bool {
    let mut words = words;
    short.len() == words.len()
        && short.bytes().all(|letter| {
            words
                .next()
                .is_some_and(|(class, word)| class == Class::Core && word.bytes().next() == Some(letter))
        })
}

/// The first letters of a body's name that has three words or more; particles are left out, as in `OPEC`. `words` are the text of
/// each, its class, and whether many bodies have it.
pub(crate) fn acronym<'a>(words: impl Iterator<Item = (&'a str, Class, bool)>) -> Option<String> {
    let mut letters = String::new();
    let mut is_of_a_body = false;
    for (word, _, is_common) in words.filter(|(_, class, _)| *class != Class::Particle) {
        let letter = word.bytes().next().filter(u8::is_ascii_alphabetic)?;
        if letters.len() == *ACRONYM_LETTERS.end() {
            return None;
        }
        letters.push(char::from(letter));
        is_of_a_body |= is_common;
    }
    (is_of_a_body && ACRONYM_LETTERS.contains(&letters.len())).then_some(letters)
}

/// All of `long` where it is what the one word of `short` stands for.
fn abbreviated_name<'a>(long: &[Term<'a>], short: &[Term<'a>], side: Side) -> Option<Choice<'a>> {
    let [word] = short else { return None };
    let letters = word.spelling.text.len();
    if long.len() < letters || !ACRONYM_LETTERS.contains(&letters) {
        return None;
    }
    let all = acronym(long.iter().map(|term| (term.spelling.text, term.class, term.is_common)))?;
    let run = Run { start: 0, end: long.len() };
    #[expect(clippy::cast_precision_loss, reason = "a few letters")]
    let bits = Class::Initial.most_bits() * letters as f64;
    (all == word.spelling.text).then(|| Choice {
        pair: side.pair(run, Run::one(0), ACRONYM, Ground::Acronym),
        weight: long.iter().map(|term| term.weight).sum(),
        telling: letters,
        bits,
        rank: ACRONYM,
        order: ordered(long[0].spelling.text, word.spelling.text),
    })
}

fn are_initials(run: &[Term<'_>], term: &Term<'_>) -> bool {
    can_abbreviate(term.class, term.spelling.text)
        && abbreviates(term.spelling.text, run.iter().map(|part| (part.class, part.spelling.text)))
}

fn initials<'a>(run: &[Term<'a>], term: &Term<'a>, pair: Pair) -> Choice<'a> {
    Choice {
        pair,
        weight: INITIALS_WEIGHT * run.iter().map(|part| part.weight).sum::<f64>(),
        telling: 0,
        bits: Class::Initial.most_bits(),
        rank: INITIALS_RANK,
        order: ordered(run[0].spelling.text, term.spelling.text),
    }
}
