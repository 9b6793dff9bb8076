//! The most that the similarity of two names can come to, as far as the words tell that were looked up; see
//! `align::similarity` for the formula.

use super::{Summary, runs::RunWeight};
use crate::{
    align::{CONTRADICTION, INITIAL_FITS, MISSING, can_abbreviate},
    index::{letters, signature},
    name::{Name, NameWord},
    word_class::Class,
};

/// What pairs of words add up to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// Σ w·(likeness − least) over the subject's words and their best partners; see [`Reach::bound`].
    gain: f32,
    /// Weight of the pairs.
    pairs: f32,
    of_subject: f32,
    of_name: f32,
}

impl Sums {
    /// What a pair of words adds at most, whatever class the listed word has. `listed` is what the listed word weighs where
    /// it tells, the most it can.
    pub(super) fn of_pair(subject: f64, listed: f64, likeness: f64, least: f64) -> Self {
        let least_listed = listed * Class::LEAST_FACTOR;
        let weight = subject.midpoint(if likeness >= least { listed } else { least_listed });
        Self::new(subject, listed, weight, likeness - least, least)
    }

    /// What a word and a run of the listed name add at most.
    pub(super) fn of_listed_run(subject: f64, run: RunWeight, likeness: f64, least: f64) -> Self {
        let weight = if likeness >= least { subject.max(f64::from(run.all)) } else { subject };
        Self::new(subject, f64::from(run.core), weight, likeness - least, least)
    }

    /// The share of a word in what the subject's run that it belongs to adds at most; `run` is what the run weighs, of which
    /// `share` is this word's.
    pub(super) fn of_share(
        subject: f64,
        [run, share]: [f64; 2],
        listed: f64,
        likeness: f64,
        least: f64,
    ) -> Self {
        let weight = share * if likeness >= least { run.max(listed) } else { run };
        Self::new(subject, share * listed, weight, likeness - least, least)
    }

    fn new(subject: f64, listed: f64, weight: f64, gain: f64, least: f64) -> Self {
        // No less than what leaving the word out takes.
        let gain = (weight * gain).max(-least * MISSING * subject);
        #[expect(clippy::cast_possible_truncation, reason = "small weights that need few digits")]
        let [gain, pairs, of_subject, of_name] = [gain, weight, subject, listed].map(|figure| figure as f32);
        Self { gain, pairs, of_subject, of_name }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.gain += other.gain;
        self.pairs += other.pairs;
        self.of_subject += other.of_subject;
        self.of_name += other.of_name;
    }

    /// Makes the most of two partners of one word of the subject, of which `last` was added.
    pub(super) fn exchange(&mut self, last: &mut Partner, pair: &Self) {
        let more = |new: f32, old: &mut f32| {
            let more = (new - *old).max(0.0);
            *old += more;
            more
        };
        self.gain += more(pair.gain, &mut last.gain);
        self.of_name += more(pair.of_name, &mut last.of_name);
    }

    /// Adds a pair that need not be made, and of which the subject's word may have been added with another.
    pub(super) fn add_as_well(&mut self, other: &Self) {
        self.add(&Self { gain: other.gain.max(0.0), ..*other });
    }

    /// The same pair where the listed word is common, and so no part of what tells in its name.
    pub(super) fn where_common(self) -> Self {
        Self { of_name: 0.0, ..self }
    }

    /// What words add up to of which each adds the most.
    pub(super) fn of_most(most: impl Iterator<Item = Self>) -> Self {
        let mut sums = Self::default();
        most.for_each(|one| sums.add(&one));
        sums
    }

    /// The greatest of each figure, the second greatest, and so on: the first `n` of them add up to no less than any `n` of `all`.
    pub(super) fn sorted(all: &[Self]) -> Vec<Self> {
        let figures = |figure: fn(&Self) -> f32| {
            let mut figures: Vec<f32> = all.iter().map(figure).collect();
            figures.sort_by(|a, b| b.total_cmp(a));
            figures
        };
        let (gain, pairs) = (figures(|one| one.gain), figures(|one| one.pairs));
        let (of_subject, of_name) = (figures(|one| one.of_subject), figures(|one| one.of_name));
        let nth = |n: usize| Self {
            gain: gain[n],
            pairs: pairs[n],
            of_subject: of_subject[n],
            of_name: of_name[n],
        };
        (0..all.len()).map(nth).collect()
    }

    /// The most of each; a pair that takes something need not be made.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            gain: self.gain.max(other.gain),
            pairs: self.pairs.max(other.pairs),
            of_subject: self.of_subject.max(other.of_subject),
            of_name: self.of_name.max(other.of_name),
        }
    }
}

/// What a word's partners in a name came to at most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Partner {
    gain: f32,
    of_name: f32,
}

impl Partner {
    pub(super) fn of(pair: &Sums) -> Self {
        Self { gain: pair.gain, of_name: pair.of_name }
    }
}

/// How much the subject's name can agree at all, and how much it must.
pub(super) struct Reach {
    least: f64,
    core: f32,
    other: f32,
    initials: u8,
    /// The letters of each word that may be initials, see [`letters`].
    short: Vec<u32>,
    /// One bit for each run of neighbours that may have initials, see [`signature`].
    runs: u32,
}

impl Reach {
    pub(super) fn of(name: &Name, least: f64, rarity: impl Fn(&NameWord) -> f64) -> Self {
        let weight = |core: bool| -> f64 {
            let of_kind = name.words.iter().filter(|word| (word.class == Class::Core) == core);
            of_kind.map(|word| word.class.factor() * rarity(word)).sum()
        };
        let initials = name.words.iter().filter(|word| word.class == Class::Initial).count();
        #[expect(clippy::cast_possible_truncation, reason = "sums of a few small weights")]
        let (core, other) = (weight(true) as f32, weight(false) as f32);
        let short = name.words.iter().filter(|word| can_abbreviate(word.class, &word.text));
        let short = short.map(|word| letters(word.text.bytes())).collect();
        let first: Vec<u8> = name.words.iter().filter_map(|word| word.text.bytes().next()).collect();
        let runs =
            (2..=3).flat_map(|length| first.windows(length)).fold(0, |runs, run| runs | signature(run));
        Self { least, core, other, initials: u8::try_from(initials).unwrap_or(u8::MAX), short, runs }
    }

    /// The most that the similarity to this listed name can come to where the pairs add up to so much, if that is at least
    /// `least`.
    ///
    /// Let `t` be `least`. A similarity is `t + G / whole`, where `G = Σ w·(likeness − t) − t·(what is left over)` and
    /// `whole` is the formula's lower line, so it reaches `t` just if `G` is not negative. Here `G` is as great as it could
    /// be: words that are not looked up fit wherever they can, an initial fits any word, and pairs weigh what suits them.
    pub(super) fn bound(&self, sums: &Sums, listed: &Summary) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "constants of few digits, and a threshold")]
        let [contradiction, cost, by_initial, least] =
            [CONTRADICTION, MISSING, INITIAL_FITS, self.least].map(|figure| figure as f32);
        let (initials, listed_initials) = (f32::from(self.initials), f32::from(listed.initials));
        let others = if self.other.min(listed.other_weight) > 0.0 {
            self.other.midpoint(listed.other_weight)
        } else {
            0.0
        };
        let left_of_subject = (self.core - sums.of_subject - listed_initials).max(0.0);
        let left_of_name = (listed.core_weight - sums.of_name - initials).max(0.0);
        let contradicting = left_of_subject.min(left_of_name);
        let missing = left_of_subject.max(left_of_name) - contradicting;
        let left_over = contradiction * contradicting + cost * missing;
        let by_others = others * (1.0 - least) + (initials + listed_initials) * (by_initial - least).max(0.0);
        let gain = sums.gain + by_others - least * left_over;
        let whole = sums.pairs + others + left_over;
        // Weights are rounded to f32.
        least + gain / whole.max(f32::EPSILON) + 1e-4
    }

    /// Whether that is enough.
    pub(super) fn is_enough(&self, bound: f32) -> bool {
        f64::from(bound) >= self.least
    }

    /// Whether a word of one name may be the initials of neighbours in the other, which no bound sees; by letters alone.
    pub(super) fn may_have_initials(&self, listed: &Summary) -> bool {
        listed.shorts & self.runs != 0
            || self.short.iter().any(|letters| letters & !listed.first_letters == 0)
    }
}
