//! Which names are worth a full comparison.
//!
//! For every telling word of the subject, and for its neighbouring words written as one, the vocabulary gives the alike
//! words, and these the names that have them. A name whose agreement cannot reach the wanted similarity even if
//! everything else fitted is dropped; that loses nothing. What is left is ordered by that bound, and only here does a cap
//! cut, which the result then says.

use std::collections::HashMap;

use super::{EntryNumber, Index, NameNumber};
use crate::{
    align::{CONTRADICTION, MISSING, run_likeness},
    name::{Name, NameWord, joined},
    normalise::MOST_WORDS,
    word_class::{Class, Style},
};

/// A name to compare in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) name: NameNumber,
    /// Which of the subject's names found it.
    pub(crate) subject_name: u16,
    /// The most that the comparison can come to.
    pub(crate) bound: f32,
}

/// What a look-up asks.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a Name,
    pub(crate) subject_name: u16,
    /// Only names of this style.
    pub(crate) style: Style,
    /// The least similarity of names that can lead to a match.
    pub(crate) least: f64,
    /// Which lists, by their number.
    pub(crate) lists: &'a [bool],
}

/// What was looked up before in the same search.
#[derive(Default)]
pub(crate) struct Known {
    words: HashMap<String, Vec<(u32, f64)>>,
    /// Names with a run that is like a word, and names with a word that is like a run.
    as_run: HashMap<String, Vec<NameNumber>>,
    run_as_word: HashMap<String, Vec<NameNumber>>,
}

/// What is known of a name while the subject's words are gone through.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    met: bool,
    /// The last word of the subject that it was counted for, from 1.
    word: usize,
    agreement: f32,
    of_subject: f32,
    of_name: f32,
    /// Met through neighbours written as one; then the sums say little and no bound applies.
    by_run: bool,
}

impl Index {
    /// Candidates for one name of the subject, in the order of their numbers.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, known: &mut Known) -> Vec<Candidate> {
        let mut tallies = Tallies { of: vec![Tally::default(); self.name_count() as usize], met: vec![] };
        let tells = |word: &&NameWord| word.class == Class::Core;
        for (number, word) in (1..).zip(wanted.name.words.iter().filter(tells)) {
            self.count(word, number, &wanted, known, &mut tallies);
            let names = known.as_run.entry(word.text.clone()).or_insert_with(|| self.having_as_run(word));
            self.meet_by_run(names, &wanted, &mut tallies);
        }
        let rest =
            wanted.name.words.iter().filter(|word| !matches!(word.class, Class::Core | Class::Initial));
        for (number, word) in (1 + MOST_WORDS..).zip(rest) {
            self.count_common(word, number, &wanted, known, &mut tallies);
        }
        for run in runs(wanted.name) {
            let look_up = || self.having_run_as_word(&run);
            let names = known.run_as_word.entry(run.text.clone()).or_insert_with(look_up);
            self.meet_by_run(names, &wanted, &mut tallies);
        }
        let Tallies { of, mut met } = tallies;
        met.sort_unstable();
        let reach = Reach::of(wanted.name, |word| self.rarity(&word.text, &word.key));
        let bounded = met.into_iter().map(|name| (name, self.bound(name, &of[name as usize], &reach)));
        let enough = bounded.filter(|(_, bound)| f64::from(*bound) >= wanted.least);
        enough.map(|(name, bound)| Candidate { name, subject_name: wanted.subject_name, bound }).collect()
    }

    fn count(
        &self,
        word: &NameWord,
        number: usize,
        wanted: &Wanted<'_>,
        known: &mut Known,
        tallies: &mut Tallies,
    ) {
        let weight = word.class.factor() * self.rarity(&word.text, &word.key);
        let look_up = || self.vocabulary.alike(word.spelling());
        for (alike, likeness) in known.words.entry(word.text.clone()).or_insert_with(look_up) {
            let listed_weight = self.vocabulary.weight(*alike, Class::Core);
            for name in self.words.of(*alike).iter().filter(|name| self.is_wanted(**name, wanted)) {
                let tally = tallies.meet(*name);
                // Alike words come best first, so the first of a name is its best.
                if tally.word != number {
                    tally.word = number;
                    tally.add(weight, listed_weight, *likeness);
                }
            }
        }
    }

    /// Adds a common word of the subject where a name that was met has a telling word like it: `abu` and `Ebu`.
    fn count_common(
        &self,
        word: &NameWord,
        number: usize,
        wanted: &Wanted<'_>,
        known: &mut Known,
        tallies: &mut Tallies,
    ) {
        let weight = word.class.factor() * self.rarity(&word.text, &word.key);
        let look_up = || self.vocabulary.alike(word.spelling());
        for (alike, likeness) in known.words.entry(word.text.clone()).or_insert_with(look_up) {
            // The same word is as common in the listed name, unless it is a prefix that stands elsewhere there.
            if *likeness >= 1.0 && word.class != Class::Title {
                continue;
            }
            let listed_weight = self.vocabulary.weight(*alike, Class::Core);
            for name in self.words.of(*alike).iter().filter(|name| self.is_wanted(**name, wanted)) {
                let tally = &mut tallies.of[*name as usize];
                if tally.met && tally.word != number {
                    tally.word = number;
                    tally.add(weight, listed_weight, *likeness);
                }
            }
        }
    }

    fn meet_by_run(&self, names: &[NameNumber], wanted: &Wanted<'_>, tallies: &mut Tallies) {
        for name in names.iter().filter(|name| self.is_wanted(**name, wanted)) {
            tallies.meet(*name).by_run = true;
        }
    }

    /// Names that have neighbours which, written as one, are like the word.
    fn having_as_run(&self, word: &NameWord) -> Vec<NameNumber> {
        let alike = self.run_vocabulary.alike_from_the_first_letter(word.spelling());
        let enough = alike.into_iter().filter(|(_, likeness)| run_likeness(*likeness).is_some());
        enough.flat_map(|(run, _)| self.runs.of(run)).copied().collect()
    }

    /// Names that have a word like the neighbours `run` written as one.
    fn having_run_as_word(&self, run: &NameWord) -> Vec<NameNumber> {
        let alike = self.vocabulary.alike_from_the_first_letter(run.spelling());
        let enough = alike.into_iter().filter(|(_, likeness)| run_likeness(*likeness).is_some());
        enough.flat_map(|(word, _)| self.words.of(word)).copied().collect()
    }

    fn is_wanted(&self, name: NameNumber, wanted: &Wanted<'_>) -> bool {
        let entry: EntryNumber = self.entry_of(name);
        wanted.lists[self.list_of(entry)] && self.style_of(entry) == wanted.style
    }

    /// The most that the similarity can come to; see [`crate::align`] for the formula. Words that are not looked up are
    /// taken to fit wherever they can, and an initial to fit any word.
    fn bound(&self, name: NameNumber, tally: &Tally, reach: &Reach) -> f32 {
        if tally.by_run {
            return 1.0;
        }
        let at = name as usize;
        let others = reach.other.min(self.names.other_weight[at]);
        let left_of_subject = (reach.core - tally.of_subject - f32::from(self.names.initials[at])).max(0.0);
        let left_of_name = (self.names.core_weight[at] - tally.of_name - f32::from(reach.initials)).max(0.0);
        let contradicting = left_of_subject.min(left_of_name);
        let missing = left_of_subject.max(left_of_name) - contradicting;
        let pairs = tally.of_subject.midpoint(tally.of_name);
        #[expect(clippy::cast_possible_truncation, reason = "two constants of few digits")]
        let (contradiction, cost) = (CONTRADICTION as f32, MISSING as f32);
        let whole = pairs + others + contradiction * contradicting + cost * missing;
        // Weights are rounded to f32, and a name with only common words agreeing is bounded by 1 anyway.
        ((tally.agreement + others) / whole.max(f32::EPSILON)).min(1.0) + 1e-4
    }
}

impl Tally {
    fn add(&mut self, subject: f64, listed: f64, likeness: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "sums of a few small weights")]
        let (subject, listed, likeness) = (subject as f32, listed as f32, likeness as f32);
        self.agreement += likeness * subject.midpoint(listed);
        self.of_subject += subject;
        self.of_name += listed;
    }
}

/// The tallies of all names, and the names that were met.
struct Tallies {
    of: Vec<Tally>,
    met: Vec<NameNumber>,
}

impl Tallies {
    fn meet(&mut self, name: NameNumber) -> &mut Tally {
        let tally = &mut self.of[name as usize];
        if !tally.met {
            tally.met = true;
            self.met.push(name);
        }
        tally
    }
}

/// How much the subject's name can agree at all.
struct Reach {
    core: f32,
    other: f32,
    initials: u8,
}

impl Reach {
    fn of(name: &Name, rarity: impl Fn(&NameWord) -> f64) -> Self {
        let weight = |core: bool| -> f64 {
            let of_kind = name.words.iter().filter(|word| (word.class == Class::Core) == core);
            of_kind.map(|word| word.class.factor() * rarity(word)).sum()
        };
        let initials = name.words.iter().filter(|word| word.class == Class::Initial).count();
        #[expect(clippy::cast_possible_truncation, reason = "sums of a few small weights")]
        let (core, other) = (weight(true) as f32, weight(false) as f32);
        Self { core, other, initials: u8::try_from(initials).unwrap_or(u8::MAX) }
    }
}

/// Every two, three and four neighbours written as one.
fn runs(name: &Name) -> Vec<NameWord> {
    let texts: Vec<&str> = name.words.iter().map(|word| word.text.as_str()).collect();
    let runs = (2..=4).flat_map(|length| texts.windows(length).map(<[&str]>::to_vec).collect::<Vec<_>>());
    let runs = runs.filter(|run| run.iter().map(|word| word.len()).sum::<usize>() <= 24);
    runs.map(|run| joined(run.into_iter(), Class::Core)).filter(|run| run.text.len() >= 4).collect()
}
