//! Which words of two names belong together, and how alike the names are by that.
//!
//! Order does not matter: publishers write `SURNAME, Given`. Each word finds at most one partner, or a run of
//! neighbours written as one word does (`ROSOBORON EKSPORT`). Then, with `w` the weights of words,
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

use crate::{
    meaning,
    name::joined,
    spelling::{Spelling, likeness},
    word_class::Class,
};

/// A word to align: its spelling, what it counts, and its class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'a> {
    pub(crate) spelling: Spelling<'a>,
    pub(crate) weight: f64,
    pub(crate) class: Class,
    /// What it says about who is meant, see [`crate::ordinary::bits`].
    pub(crate) bits: f64,
    /// See [`crate::syllables::sound`].
    pub(crate) sound: Option<&'a str>,
}

/// Terms `left` of one name that agree with terms `right` of the other; one of the two may be a run of neighbours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) left: Run,
    pub(crate) right: Run,
    pub(crate) likeness: f64,
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
    /// Bits of the terms that found a partner.
    pub(crate) used: [u64; 2],
}

/// Weight of words that contradict each other; see the module.
pub(crate) const CONTRADICTION: f64 = 2.0;
/// Weight of words missing on one side where at least two words agree: two of four words that agree to the letter are just a
/// hit, for listed persons often have four names and use two.
pub(crate) const MISSING: f64 = 0.22;
/// The most words that are tried written as one.
const LONGEST_RUN: usize = 4;
/// Two words written as one are a spelling, but a little less sure.
const JOINED: f64 = 0.98;
/// A run must be as like as this, for joined words meet by chance more easily.
const SAME_RUN: f64 = 0.82;
/// Two words that may be one Chinese word.
pub(crate) const SAME_SOUND: f64 = 0.86;
/// `J` may be `Joachim`.
const INITIAL_FITS: f64 = 0.7;
/// The most that names can reach of which no telling word agrees.
const COMMON_WORDS_ONLY: f64 = 0.4;

/// Aligns two names. Symmetric but for which side is called left.
pub(crate) fn align(left: &[Term<'_>], right: &[Term<'_>]) -> Alignment {
    let mut options = vec![];
    single_words(left, right, &mut options);
    runs(left, right, Side::Left, &mut options);
    runs(right, left, Side::Right, &mut options);
    options.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.order.cmp(&b.order)));
    let mut used = [0_u64; 2];
    let mut pairs = vec![];
    let mut sums = Sums::default();
    for Choice { pair, weight, telling, bits: told, .. } in options {
        let bits = [pair.left.bits(), pair.right.bits()];
        if used[0] & bits[0] != 0 || used[1] & bits[1] != 0 {
            continue;
        }
        used = [used[0] | bits[0], used[1] | bits[1]];
        sums.add(weight, pair.likeness, telling);
        sums.bits += told;
        pairs.push(pair);
    }
    let matched = |terms: &[Term<'_>], used: u64| {
        let is_matched = |(at, term): &(usize, &Term<'_>)| term.class == Class::Core && used & 1 << at != 0;
        terms.iter().enumerate().filter(is_matched).count()
    };
    sums.matched_core = matched(left, used[0]).max(matched(right, used[1]));
    let left_over = [unused(left, used[0]), unused(right, used[1])];
    let complete =
        used[0].count_ones() as usize == left.len() && used[1].count_ones() as usize == right.len();
    let exact = complete && pairs.iter().all(|pair| pair.likeness >= 1.0);
    let similarity = if exact { 1.0 } else { sums.similarity(left_over, [left, right]) };
    Alignment { similarity, exact, pairs, used }
}

fn told(a: &Term<'_>, b: &Term<'_>, likeness: f64) -> f64 {
    let bits = a.bits.min(b.bits);
    if likeness >= 1.0 {
        return bits;
    }
    let two = crate::ordinary::is_a_name(a.spelling.text) && crate::ordinary::is_a_name(b.spelling.text);
    (bits - *MISSPELT * (1.0 - likeness) - if two { *TWO_NAMES } else { 0.0 }).max(0.0)
}

/// The most that names can come to that are not the same and whose agreement says so much about who is meant.
fn most_with(bits: f64) -> f64 {
    static STEPS: std::sync::LazyLock<Vec<(f64, f64)>> = std::sync::LazyLock::new(|| {
        let text =
            std::env::var("STEPS").unwrap_or_else(|_| "0:0.4,6:0.6,10:0.76,14:0.82,18:0.95,22:1".into());
        text.split(',')
            .map(|step| {
                let (a, b) = step.split_once(':').unwrap();
                (a.parse().unwrap(), b.parse().unwrap())
            })
            .collect()
    });
    let mut last = STEPS[0];
    for &step in STEPS.iter() {
        if bits < step.0 {
            return last.1 + (step.1 - last.1) * (bits - last.0) / (step.0 - last.0);
        }
        last = step;
    }
    1.0
}

fn param(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
static MISSPELT: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| param("MISSPELT", 30.0));
static TWO_NAMES: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| param("TWO_NAMES", 4.0));
static LOST: std::sync::LazyLock<f64> = std::sync::LazyLock::new(|| param("LOST", 2.0));

fn unused(terms: &[Term<'_>], used: u64) -> f64 {
    let free = |(at, _): &(usize, &Term<'_>)| used & 1 << at == 0;
    terms.iter().enumerate().filter(free).map(|(_, term)| term.weight).sum()
}

/// A possible pair.
struct Choice<'a> {
    pair: Pair,
    weight: f64,
    /// Letters that agree, where both sides carry their name; else 0.
    telling: usize,
    /// What their agreement says about who is meant.
    bits: f64,
    rank: f64,
    /// Breaks ties by content, not by side.
    order: [&'a str; 2],
}

fn single_words<'a>(left: &[Term<'a>], right: &[Term<'a>], options: &mut Vec<Choice<'a>>) {
    for (i, a) in left.iter().enumerate() {
        for (j, b) in right.iter().enumerate() {
            let likeness = term_likeness(a, b);
            if likeness == 0.0 {
                continue;
            }
            let both_tell = a.class == Class::Core && b.class == Class::Core;
            let telling = if both_tell { a.spelling.text.len().min(b.spelling.text.len()) } else { 0 };
            let weight = f64::midpoint(a.weight, b.weight);
            let pair = Pair { left: Run::one(i), right: Run::one(j), likeness };
            let order = ordered(a.spelling.text, b.spelling.text);
            let bits = told(a, b, likeness);
            options.push(Choice {
                pair,
                weight,
                telling,
                bits,
                rank: likeness * (1.0 + 0.01 * weight),
                order,
            });
        }
    }
}

fn ordered<'a>(a: &'a str, b: &'a str) -> [&'a str; 2] {
    if a <= b { [a, b] } else { [b, a] }
}

fn term_likeness(a: &Term<'_>, b: &Term<'_>) -> f64 {
    let (x, y) = (a.spelling.text, b.spelling.text);
    let initial_fits = (a.class == Class::Initial) != (b.class == Class::Initial)
        && x.as_bytes().first() == y.as_bytes().first()
        && (a.class == Class::Core || b.class == Class::Core);
    if initial_fits {
        return INITIAL_FITS;
    }
    let by_sound = if a.sound.is_some() && a.sound == b.sound { SAME_SOUND } else { 0.0 };
    likeness(a.spelling, b.spelling).max(meaning::likeness(x, y)).max(by_sound)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Runs of neighbours on one side that are one word on the other.
fn runs<'a>(split: &[Term<'a>], whole: &[Term<'a>], side: Side, options: &mut Vec<Choice<'a>>) {
    for start in 0..split.len() {
        let mut length = split[start].spelling.text.len();
        for end in start + 2..=split.len().min(start + LONGEST_RUN) {
            length += split[end - 1].spelling.text.len();
            let run = &split[start..end];
            for (at, term) in whole.iter().enumerate() {
                if are_initials(run, term) {
                    let places = (Run { start, end }, Run::one(at));
                    options.push(initials_option(run, term, places, side));
                }
                let other = term.spelling.text.len();
                if other >= 4 && other.abs_diff(length) <= 3 && first_letters_agree(run, term) {
                    let places = (Run { start, end }, Run::one(at));
                    options.extend(run_option(run, term, places, side));
                }
            }
        }
    }
}

/// A cheap test before a run is written out. Most keys keep their first letter, and a misspelt first letter of a split
/// word is two faults at once.
fn first_letters_agree(run: &[Term<'_>], term: &Term<'_>) -> bool {
    run[0].spelling.key.as_bytes().first() == term.spelling.key.as_bytes().first()
}

/// What a run counts that is, written as one, so much alike; `None` where that is too little.
pub(crate) fn run_likeness(likeness: f64) -> Option<f64> {
    let likeness = likeness * JOINED;
    (likeness >= SAME_RUN).then_some(likeness)
}

/// `JC` may be `Jean-Claude`: two or three letters that are the initials of as many neighbours.
fn are_initials(run: &[Term<'_>], term: &Term<'_>) -> bool {
    let letters = term.spelling.text.bytes();
    (2..=3).contains(&run.len())
        && term.class == Class::Core
        && letters.len() == run.len()
        && run.iter().all(|part| part.class == Class::Core)
        && run
            .iter()
            .zip(letters)
            .all(|(part, letter)| part.spelling.text.as_bytes().first() == Some(&letter))
}

fn run_option<'a>(run: &[Term<'a>], term: &Term<'a>, places: (Run, Run), side: Side) -> Option<Choice<'a>> {
    let tells = run.iter().any(|part| part.class == Class::Core);
    let written = joined(run.iter().map(|part| part.spelling.text), Class::Core);
    let likeness = run_likeness(likeness(written.spelling(), term.spelling))?;
    let weight = run.iter().map(|part| part.weight).sum::<f64>().max(term.weight);
    let (left, right) = if side == Side::Left { places } else { (places.1, places.0) };
    let telling = if tells && term.class == Class::Core { term.spelling.text.len() } else { 0 };
    let order = ordered(run[0].spelling.text, term.spelling.text);
    Some(Choice {
        pair: Pair { left, right, likeness },
        weight,
        telling,
        bits: run.iter().map(|part| part.bits).sum::<f64>().max(term.bits) - *MISSPELT * (1.0 - likeness),
        rank: likeness * (1.0 + 0.01 * weight),
        order,
    })
}

fn initials_option<'a>(run: &[Term<'a>], term: &Term<'a>, places: (Run, Run), side: Side) -> Choice<'a> {
    let (left, right) = if side == Side::Left { places } else { (places.1, places.0) };
    let weight = run.iter().map(|part| part.weight).sum::<f64>();
    Choice {
        pair: Pair { left, right, likeness: INITIAL_FITS },
        weight: weight * INITIAL_WEIGHT,
        telling: 0,
        bits: Class::Initial.most_bits(),
        rank: INITIAL_FITS * 0.9,
        order: ordered(run[0].spelling.text, term.spelling.text),
    }
}

/// What the words count of which only initials are known.
const INITIAL_WEIGHT: f64 = 0.5;

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
    /// Core words that found a partner, of the name that has more of them.
    matched_core: usize,
}

impl Sums {
    fn add(&mut self, weight: f64, likeness: f64, telling: usize) {
        self.weight += weight;
        self.agreement += weight * likeness;
        if telling > 0 {
            self.telling_words += 1;
            self.misspelt += weight * (1.0 - likeness);
        }
        self.telling_letters += telling;
    }

    fn similarity(&self, left_over: [f64; 2], names: [&[Term<'_>]; 2]) -> f64 {
        if self.weight <= 0.0 {
            return 0.0;
        }
        let contradicting = left_over[0].min(left_over[1]);
        let missing = left_over[0].max(left_over[1]) - contradicting;
        let whole = self.weight + CONTRADICTION * contradicting + self.cost_of_missing() * missing;
        let similarity = ((self.agreement - self.strictness(names)) / whole).clamp(0.0, 1.0);
        let similarity = if self.telling_words == 0 { similarity.min(COMMON_WORDS_ONLY) } else { similarity };
        {
            let words = |terms: &[Term<'_>]| terms.iter().filter(|term| term.class == Class::Core).count();
            let lost = words(names[0]).max(words(names[1])).saturating_sub(self.matched_core);
            #[allow(clippy::cast_precision_loss)]
            similarity.min(most_with(self.bits - *LOST * lost as f64))
        }
    }

    /// One word that agrees says less than two, and a short one very little.
    fn cost_of_missing(&self) -> f64 {
        match (self.telling_words, self.telling_letters) {
            (2.., _) => MISSING,
            (_, 0..=3) => 1.2,
            (_, 4..=5) => 0.8,
            (_, 6..=7) => 0.5,
            _ => MISSING,
        }
    }

    /// Where either name has only one word that tells, there is nothing else to confirm it: a misspelling counts half as
    /// much again, and a word of up to three letters must be the same.
    fn strictness(&self, names: [&[Term<'_>]; 2]) -> f64 {
        let telling = |terms: &[Term<'_>]| terms.iter().filter(|term| term.class == Class::Core).count();
        let alone = self.telling_words == 1 && names.into_iter().any(|terms| telling(terms) == 1);
        match self.telling_letters {
            0..=3 if alone && self.misspelt > 0.0 => self.agreement,
            _ if alone => 0.5 * self.misspelt,
            _ => 0.0,
        }
    }
}
