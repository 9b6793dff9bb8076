//! Which names are worth a full comparison.
//!
//! For every telling word of the subject, and for its neighbouring words written as one, the vocabulary gives the alike
//! words, and these the names that have them. A name whose agreement cannot reach the wanted similarity even if
//! everything else fitted is dropped; that loses nothing. What is left is ordered by that bound, and only here does a cap
//! cut, which the result then says.
//!
//! Names of which no telling word agrees are not looked for; the similarity of such names is at most 0.4.

use std::collections::HashMap;

use super::{
    Index, NameNumber,
    bound::{Reach, Sums},
    range, runs,
    tallies::{Tallies, Tally},
};
use crate::{
    align::{abbreviates, can_abbreviate, run_likeness},
    name::{Name, NameWord},
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
    /// Words of the lists that are like a word, best first.
    words: HashMap<String, Vec<(u32, f64)>>,
    /// Runs that are like a word, and words that are like a run.
    as_run: HashMap<String, Vec<u32>>,
    run_as_word: HashMap<String, Vec<u32>>,
    tallies: Tallies,
}

impl Known {
    /// Looks up the words and `runs` of a name that are not known yet.
    fn look_up<'n>(&mut self, words: impl Iterator<Item = &'n NameWord>, runs: &[String], index: &Index) {
        for word in words {
            let alike = || index.vocabulary.alike(word.spelling());
            self.words.entry(word.text.clone()).or_insert_with(alike);
            self.as_run.entry(word.text.clone()).or_insert_with(|| index.runs_like(word));
        }
        for run in runs {
            let alike = || index.words_like_run(&Spelt::new(run.clone()));
            self.run_as_word.entry(run.clone()).or_insert_with(alike);
        }
    }
}

/// A word of the subject, and what it may meet.
struct Asked {
    /// The same for no other word, and not 0.
    number: u8,
    weight: f64,
    /// Listed words that are like it, best first, and what each adds at most.
    pairs: Vec<(u32, Sums)>,
    /// How many of them are just the same.
    same: usize,
    /// The most that one of them adds.
    most: Sums,
    /// Runs that are like it.
    runs: Vec<u32>,
}

impl Index {
    /// Candidates for one name of the subject, in the order of their numbers.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, known: &mut Known) -> Vec<Candidate> {
        let reach = Reach::of(wanted.name, wanted.least, |word| self.rarity(&word.text, &word.key));
        let runs: Vec<String> = runs::of(wanted.name).into_iter().collect();
        let looked_up = wanted.name.words.iter().filter(|word| word.class != Class::Initial);
        known.look_up(looked_up.clone(), &runs, self);
        let mut tallies = std::mem::take(&mut known.tallies);
        tallies.clear(self.name_count());

        let numbered = (1..).zip(looked_up);
        let (telling, common): (Vec<_>, Vec<_>) = numbered.partition(|(_, word)| word.class == Class::Core);
        let ask = |words: Vec<_>| -> Vec<Asked> {
            words.into_iter().map(|(number, word)| self.ask(number, word, &wanted, known)).collect()
        };
        let (mut telling, common) = (ask(telling), ask(common));
        telling.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        // What neighbours written as one share with a common word is no ground to meet a name.
        for name in common.iter().flat_map(|word| &word.runs).flat_map(|run| self.runs.of(*run)) {
            tallies.exempt(*name);
        }
        for (at, word) in telling.iter().enumerate() {
            let outlook = Sums::of_most(telling[at..].iter().chain(&common).map(|word| &word.most));
            self.count(word, &outlook, &reach, &wanted, &mut tallies);
        }
        let by_run = telling.iter().flat_map(|word| &word.runs).flat_map(|run| self.runs.of(*run));
        let words_by_run = runs.iter().flat_map(|run| &known.run_as_word[run]);
        let by_word = words_by_run.flat_map(|word| self.words.of(wanted.style).of(*word));
        for name in by_run.chain(by_word).filter(|name| self.is_wanted(**name, &wanted)) {
            tallies.meet(*name).unbounded = true;
        }
        for word in &common {
            self.count_common(word, &wanted, &mut tallies);
        }

        let found = self.enough(&wanted, &reach, &tallies);
        known.tallies = tallies;
        found
    }

    fn ask(&self, number: u8, word: &NameWord, wanted: &Wanted<'_>, known: &Known) -> Asked {
        let weight = word.class.factor() * self.rarity(&word.text, &word.key);
        let pair = |(alike, likeness): &(u32, f64)| {
            let listed = self.vocabulary.weight(*alike, Class::Core);
            (*alike, Sums::of_pair(weight, listed, *likeness, wanted.least))
        };
        let alike = &known.words[&word.text];
        let pairs: Vec<(u32, Sums)> = alike.iter().map(pair).collect();
        let same = alike.iter().take_while(|(_, likeness)| *likeness >= 1.0).count();
        let most = pairs.iter().fold(Sums::default(), |most, (_, pair)| most.or(pair));
        Asked { number, weight, pairs, same, most, runs: known.as_run[&word.text].clone() }
    }

    fn enough(&self, wanted: &Wanted<'_>, reach: &Reach, tallies: &Tallies) -> Vec<Candidate> {
        let candidate = |tally: &Tally| {
            let listed = &self.names.summaries[tally.name as usize];
            let bound = if tally.unbounded { 1.0 } else { reach.bound(&tally.sums, listed) };
            let is_enough = reach.is_enough(bound)
                || reach.may_have_initials(listed) && self.has_initials(tally.name, wanted.name);
            let (name, subject_name) = (tally.name, wanted.subject_name);
            is_enough.then_some(Candidate { name, subject_name, bound })
        };
        let mut found: Vec<Candidate> = tallies.all().iter().filter_map(candidate).collect();
        found.sort_unstable_by_key(|candidate| candidate.name);
        found
    }

    /// Counts a telling word. `outlook` is what it and the words after it can add up to: a name that was not met before, and
    /// that this would not make a candidate, is not met at all. Most names that have but a common word in common are such.
    fn count(&self, word: &Asked, outlook: &Sums, reach: &Reach, wanted: &Wanted<'_>, tallies: &mut Tallies) {
        let names = self.words.of(wanted.style);
        for (alike, pair) in &word.pairs {
            for name in names.of(*alike) {
                if let Some(tally) = tallies.met(*name) {
                    tally.add(word.number, pair);
                } else if self.may_reach(*name, outlook, reach, wanted, tallies) {
                    tallies.meet(*name).add(word.number, pair);
                }
            }
        }
    }

    fn may_reach(
        &self,
        name: NameNumber,
        outlook: &Sums,
        reach: &Reach,
        wanted: &Wanted<'_>,
        tallies: &Tallies,
    ) -> bool {
        let listed = &self.names.summaries[name as usize];
        wanted.lists[usize::from(listed.list)]
            && (reach.is_enough(reach.bound(outlook, listed))
                || reach.may_have_initials(listed)
                || tallies.is_exempt(name))
    }

    /// Adds a common word of the subject where a name that was met has a telling word like it: `abu` and `Ebu`.
    fn count_common(&self, word: &Asked, wanted: &Wanted<'_>, tallies: &mut Tallies) {
        let names = self.words.of(wanted.style);
        // The same word counts only where it tells.
        for (at, (alike, pair)) in word.pairs.iter().enumerate() {
            for name in names.of(*alike) {
                let Some(tally) = tallies.met(*name) else { continue };
                if at >= word.same || self.tells(*alike, *name) {
                    tally.add(word.number, pair);
                }
            }
        }
    }

    /// Whether a common word tells in this name, which has it: `Trading Group` has nothing else.
    fn tells(&self, word: u32, name: NameNumber) -> bool {
        let at = range(&self.names.first_word, name);
        let mut words = self.names.words[at.clone()].iter().zip(&self.names.classes[at]);
        words.any(|(one, class)| *one == word && *class == Class::Core)
    }

    /// Neighbours that, written as one, are like the word.
    fn runs_like(&self, word: &NameWord) -> Vec<u32> {
        enough_for_a_run(self.run_spellings.alike_from_the_first_letter(word.spelling()))
    }

    /// Words that are like neighbours written as one.
    fn words_like_run(&self, run: &Spelt) -> Vec<u32> {
        enough_for_a_run(self.vocabulary.alike_from_the_first_letter(run.spelling()))
    }

    fn is_wanted(&self, name: NameNumber, wanted: &Wanted<'_>) -> bool {
        let listed = &self.names.summaries[name as usize];
        wanted.lists[usize::from(listed.list)] && self.style_of(self.entry_of(name)) == wanted.style
    }

    /// Whether a word of one name is the initials of neighbours in the other.
    fn has_initials(&self, name: NameNumber, subject: &Name) -> bool {
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

fn enough_for_a_run(alike: Vec<(u32, f64)>) -> Vec<u32> {
    let enough = alike.into_iter().filter(|(_, likeness)| run_likeness(*likeness).is_some());
    enough.map(|(number, _)| number).collect()
}
