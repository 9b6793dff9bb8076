//! Which names are worth a full comparison.
//!
//! For every telling word of the subject, and for its neighbouring words written as one, the vocabulary gives the alike
//! words, and these the names that have them. A name whose agreement cannot reach the wanted similarity even if
//! everything else fitted is dropped; that loses nothing. What is left is ordered by that bound, and only here does a cap
//! cut, which the result then says.
//!
//! Names of which no telling word agrees are not looked for; the similarity of such names is at most 0.4.

use std::collections::HashMap;

use super::{EntryNumber, Index, NameNumber, letters, range, runs};
use crate::{
    align::{CONTRADICTION, INITIAL_FITS, MISSING, abbreviates, can_abbreviate, run_likeness},
    name::{Name, NameWord},
    normalise::MOST_WORDS,
    spelling::Spelt,
    word_class::{Class, Style},
};

/// A name to compare in full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) name: NameNumber,
    /// Which of the subject's names found it.
    pub(crate) subject_name: u16,
    /// The most that the comparison can come to, where that is enough; a little above 1 at most.
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

/// What is kept between the look-ups of one search.
#[derive(Default)]
pub(crate) struct Known {
    words: HashMap<String, Vec<(u32, f64)>>,
    /// Names with a run that is like a word, and names with a word that is like a run.
    as_run: HashMap<String, Vec<NameNumber>>,
    run_as_word: HashMap<String, Vec<NameNumber>>,
    tallies: Tallies,
}

/// What is known of a name while the subject's words are gone through.
#[derive(Debug, Clone, Copy)]
struct Tally {
    name: NameNumber,
    /// The last word of the subject that it was counted for, from 1.
    word: usize,
    /// Σ w·(likeness − least) over the subject's words and their best partners; see [`Index::bound`].
    gain: f32,
    /// Weight of the pairs.
    pairs: f32,
    of_subject: f32,
    of_name: f32,
    /// Met in a way in which the sums say little; then no bound applies.
    unbounded: bool,
}

impl Index {
    /// Candidates for one name of the subject, in the order of their numbers.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, known: &mut Known) -> Vec<Candidate> {
        let mut tallies = std::mem::take(&mut known.tallies);
        tallies.clear(self.name_count());
        let tells = |word: &&NameWord| word.class == Class::Core;
        for (number, word) in (1..).zip(wanted.name.words.iter().filter(tells)) {
            self.count(word, number, &wanted, known, &mut tallies);
            let names = known.as_run.entry(word.text.clone()).or_insert_with(|| self.having_as_run(word));
            self.meet_by_run(names, &wanted, &mut tallies);
        }
        for run in runs::of(wanted.name) {
            let run = Spelt::new(run);
            let look_up = || self.having_run_as_word(&run);
            let names = known.run_as_word.entry(run.text.clone()).or_insert_with(look_up);
            self.meet_by_run(names, &wanted, &mut tallies);
        }
        let rest =
            wanted.name.words.iter().filter(|word| !matches!(word.class, Class::Core | Class::Initial));
        for (number, word) in (1 + MOST_WORDS..).zip(rest) {
            self.count_common(word, number, &wanted, known, &mut tallies);
        }
        let found = self.enough(&wanted, &tallies);
        known.tallies = tallies;
        found
    }

    fn enough(&self, wanted: &Wanted<'_>, tallies: &Tallies) -> Vec<Candidate> {
        let reach = Reach::of(wanted.name, |word| self.rarity(&word.text, &word.key));
        let bounded = tallies.met.iter().map(|tally| (tally, self.bound(tally, &reach, wanted)));
        let enough = bounded.filter(|(tally, bound)| {
            f64::from(*bound) >= wanted.least || self.has_initials(tally.name, &reach, wanted.name)
        });
        let mut found: Vec<Candidate> = enough
            .map(|(tally, bound)| Candidate { name: tally.name, subject_name: wanted.subject_name, bound })
            .collect();
        found.sort_unstable_by_key(|candidate| candidate.name);
        found
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
        for (alike, likeness) in self.alike(word, known) {
            let pair = PairBound::new(weight, self.vocabulary.weight(*alike, Class::Core), *likeness, wanted);
            for name in self.words.of(*alike).iter().filter(|name| self.is_wanted(**name, wanted)) {
                // Alike words come best first, so the first of a name is its best.
                tallies.meet(*name).add(number, &pair);
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
        for (alike, likeness) in self.alike(word, known) {
            let pair = PairBound::new(weight, self.vocabulary.weight(*alike, Class::Core), *likeness, wanted);
            for name in self.words.of(*alike) {
                let Some(tally) = tallies.met(*name) else { continue };
                if *likeness < 1.0 || self.tells(*alike, *name) {
                    tally.add(number, &pair);
                }
            }
        }
        for name in known.as_run.entry(word.text.clone()).or_insert_with(|| self.having_as_run(word)) {
            if let Some(tally) = tallies.met(*name) {
                tally.unbounded = true;
            }
        }
    }

    /// Words of the lists that are like `word`, best first.
    fn alike<'k>(&self, word: &NameWord, known: &'k mut Known) -> &'k [(u32, f64)] {
        let look_up = || self.vocabulary.alike(word.spelling());
        known.words.entry(word.text.clone()).or_insert_with(look_up)
    }

    /// Whether a common word tells in this name, which has it: `Trading Group` has nothing else.
    fn tells(&self, word: u32, name: NameNumber) -> bool {
        let at = range(&self.names.first_word, name);
        let mut words = self.names.words[at.clone()].iter().zip(&self.names.classes[at]);
        words.any(|(one, class)| *one == word && *class == Class::Core)
    }

    fn meet_by_run(&self, names: &[NameNumber], wanted: &Wanted<'_>, tallies: &mut Tallies) {
        for name in names.iter().filter(|name| self.is_wanted(**name, wanted)) {
            tallies.meet(*name).unbounded = true;
        }
    }

    /// Names that have neighbours which, written as one, are like the word.
    fn having_as_run(&self, word: &NameWord) -> Vec<NameNumber> {
        let alike = self.run_spellings.alike_from_the_first_letter(word.spelling());
        let enough = alike.into_iter().filter(|(_, likeness)| run_likeness(*likeness).is_some());
        enough.flat_map(|(run, _)| self.runs.of(run)).copied().collect()
    }

    /// Names that have a word like the neighbours `run` written as one.
    fn having_run_as_word(&self, run: &Spelt) -> Vec<NameNumber> {
        let alike = self.vocabulary.alike_from_the_first_letter(run.spelling());
        let enough = alike.into_iter().filter(|(_, likeness)| run_likeness(*likeness).is_some());
        enough.flat_map(|(word, _)| self.words.of(word)).copied().collect()
    }

    fn is_wanted(&self, name: NameNumber, wanted: &Wanted<'_>) -> bool {
        let entry: EntryNumber = self.entry_of(name);
        wanted.lists[self.list_of(entry)] && self.style_of(entry) == wanted.style
    }

    /// The most that the similarity can come to, if that is at least `least`; see `align::similarity` for the formula.
    ///
    /// Let `t` be `least`. A similarity is `t + G / whole`, where `G = Σ w·(likeness − t) − t·(what is left over)` and
    /// `whole` is the formula's lower line, so it reaches `t` just if `G` is not negative. Here `G` is as great as it could
    /// be: words that are not looked up fit wherever they can, an initial fits any word, and pairs weigh what suits them.
    fn bound(&self, tally: &Tally, reach: &Reach, wanted: &Wanted<'_>) -> f32 {
        if tally.unbounded {
            return 1.0;
        }
        #[expect(clippy::cast_possible_truncation, reason = "constants of few digits, and a threshold")]
        let [contradiction, cost, by_initial, least] =
            [CONTRADICTION, MISSING, INITIAL_FITS, wanted.least].map(|figure| figure as f32);
        let at = tally.name as usize;
        let (initials, listed_initials) = (f32::from(reach.initials), f32::from(self.names.initials[at]));
        let others = if reach.other.min(self.names.other_weight[at]) > 0.0 {
            reach.other.midpoint(self.names.other_weight[at])
        } else {
            0.0
        };
        let left_of_subject = (reach.core - tally.of_subject - listed_initials).max(0.0);
        let left_of_name = (self.names.core_weight[at] - tally.of_name - initials).max(0.0);
        let contradicting = left_of_subject.min(left_of_name);
        let missing = left_of_subject.max(left_of_name) - contradicting;
        let left_over = contradiction * contradicting + cost * missing;
        let by_others = others * (1.0 - least) + (initials + listed_initials) * (by_initial - least).max(0.0);
        let gain = tally.gain + by_others - least * left_over;
        let whole = tally.pairs + others + left_over;
        // Weights are rounded to f32.
        least + gain / whole.max(f32::EPSILON) + 1e-4
    }

    /// Whether a word of one name may be the initials of neighbours in the other, which the bound does not see.
    fn has_initials(&self, name: NameNumber, reach: &Reach, subject: &Name) -> bool {
        let first_letters = self.names.first_letters[name as usize];
        if !self.names.has_short[name as usize]
            && !reach.short.iter().any(|letters| letters & !first_letters == 0)
        {
            return false;
        }
        let at = range(&self.names.first_word, name);
        let listed = self.names.words[at.clone()].iter().zip(&self.names.classes[at]);
        let listed: Vec<(Class, &str)> =
            listed.map(|(word, class)| (*class, self.vocabulary.spelling(*word).text)).collect();
        let subject: Vec<(Class, &str)> =
            subject.words.iter().map(|word| (word.class, word.text.as_str())).collect();
        abbreviates_a_run(&subject, &listed) || abbreviates_a_run(&listed, &subject)
    }
}

/// Whether some telling word is the initials of neighbours in `words`.
fn abbreviates_a_run(short: &[(Class, &str)], words: &[(Class, &str)]) -> bool {
    let mut short = short.iter().filter(|(class, text)| can_abbreviate(*class, text));
    short.any(|(_, text)| words.windows(text.len()).any(|run| abbreviates(text, run.iter().copied())))
}

/// What a pair of words adds at most, whatever class the listed word has.
struct PairBound {
    gain: f32,
    weight: f32,
    of_subject: f32,
    of_name: f32,
}

impl PairBound {
    /// `listed` is what the listed word weighs where it tells, the most it can.
    fn new(subject: f64, listed: f64, likeness: f64, wanted: &Wanted<'_>) -> Self {
        let least_listed = listed * Class::LEAST_FACTOR;
        let weight = subject.midpoint(if likeness >= wanted.least { listed } else { least_listed });
        // No less than what leaving the word out takes.
        let gain = (weight * (likeness - wanted.least)).max(-wanted.least * MISSING * subject);
        #[expect(clippy::cast_possible_truncation, reason = "small weights that need few digits")]
        let [gain, weight, of_subject, of_name] = [gain, weight, subject, listed].map(|figure| figure as f32);
        Self { gain, weight, of_subject, of_name }
    }
}

impl Tally {
    /// Adds a pair, unless the same word of the subject was counted before.
    fn add(&mut self, word: usize, pair: &PairBound) {
        if self.word != word {
            self.word = word;
            self.gain += pair.gain;
            self.pairs += pair.weight;
            self.of_subject += pair.of_subject;
            self.of_name += pair.of_name;
        }
    }
}

/// The names that were met, and where each stands among them.
///
/// One place a name of the index, most of which are never written: they come from the system as zeros that take no memory
/// before they are used, and clearing costs only what was used.
#[derive(Default)]
struct Tallies {
    /// By name number, its position in `met` from 1; 0 for a name that was not met.
    place: Vec<u32>,
    met: Vec<Tally>,
}

impl Tallies {
    fn clear(&mut self, names: NameNumber) {
        if self.place.len() != names as usize {
            self.place = vec![0; names as usize];
        }
        self.met.drain(..).for_each(|tally| self.place[tally.name as usize] = 0);
    }

    fn meet(&mut self, name: NameNumber) -> &mut Tally {
        let place = &mut self.place[name as usize];
        if *place == 0 {
            let (gain, pairs, of_subject, of_name) = (0.0, 0.0, 0.0, 0.0);
            self.met.push(Tally { name, word: 0, gain, pairs, of_subject, of_name, unbounded: false });
            *place = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
        }
        &mut self.met[*place as usize - 1]
    }

    fn met(&mut self, name: NameNumber) -> Option<&mut Tally> {
        let place = self.place[name as usize].checked_sub(1)?;
        self.met.get_mut(place as usize)
    }
}

/// How much the subject's name can agree at all.
struct Reach {
    core: f32,
    other: f32,
    initials: u8,
    /// The letters of each word that may be initials, see [`letters`].
    short: Vec<u32>,
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
        let short = name.words.iter().filter(|word| can_abbreviate(word.class, &word.text));
        let short = short.map(|word| letters(word.text.bytes())).collect();
        Self { core, other, initials: u8::try_from(initials).unwrap_or(u8::MAX), short }
    }
}
