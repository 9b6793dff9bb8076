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
    range,
    runs::{self, Run},
    tallies::{Tallies, Tally},
};
use crate::{
    align::{abbreviates, can_abbreviate},
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
    /// The most that the comparison can come to, where that is enough; a little above 1 at most. Words that are the initials of others
    /// are not in it.
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

/// What is kept between the look-ups of one search: words of the lists that are like a word of the subject, runs that are, and words
/// that are like a run of the subject, each by text, best first.
#[derive(Default)]
pub(crate) struct Known {
    words: HashMap<(String, bool), Vec<(u32, f64)>>,
    listed_runs: HashMap<String, Vec<(u32, f64)>>,
    as_run: HashMap<String, Vec<(u32, f64)>>,
    tallies: Tallies,
}

impl Known {
    /// Looks up the words and `runs` of a name that are not known yet.
    fn look_up(&mut self, name: &Name, runs: &[Run], index: &Index) {
        for word in name.words.iter().filter(|word| word.class != Class::Initial) {
            self.words.entry(as_written(word)).or_insert_with(|| index.vocabulary.alike(word));
            self.listed_runs.entry(word.text.clone()).or_insert_with(|| index.runs.like(word.spelling()));
        }
        for run in runs {
            self.as_run.entry(run.text.clone()).or_insert_with(|| index.words_like_run(&run.text));
        }
    }
}

/// Its letters, and whether it was written without vowels.
fn as_written(word: &NameWord) -> (String, bool) {
    (word.text.clone(), word.is_abjad)
}

/// A word of the subject, and its partners: what of the lists it may meet, and what each of these adds at most.
struct Asked {
    /// The same for no other word, and not 0.
    number: u8,
    weight: f64,
    tells: bool,
    /// Listed words that are like it, best first.
    pairs: Vec<(u32, Sums)>,
    /// Listed words that are like a run that it belongs to.
    shares: Vec<(u32, Sums)>,
    /// Runs that are like it.
    runs: Vec<(u32, Sums)>,
}

impl Asked {
    /// The listed words that it may meet.
    fn words(&self) -> impl Iterator<Item = &(u32, Sums)> {
        self.pairs.iter().chain(&self.shares)
    }

    /// The most that one partner adds.
    fn most(&self) -> Sums {
        self.words().chain(&self.runs).fold(Sums::default(), |most, (_, pair)| most.or(pair))
    }
}

impl Index {
    /// Candidates for one name of the subject, in the order of their numbers.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, known: &mut Known) -> Vec<Candidate> {
        let reach = Reach::of(wanted.name, wanted.least, |word| self.rarity(&word.text, &word.key));
        let (mut telling, common): (Vec<_>, Vec<_>) =
            self.ask(&wanted, known).into_iter().partition(|word| word.tells);
        telling.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let most: Vec<Sums> = telling.iter().chain(&common).map(Asked::most).collect();

        let mut tallies = std::mem::take(&mut known.tallies);
        tallies.clear(self.name_count());
        // What the words before add to names in which they meet common words alone, which is counted last.
        let mut before = Sums::default();
        for (at, word) in telling.iter().enumerate() {
            let mut outlook = Sums::of_most(most[at..].iter());
            outlook.add(&before);
            self.count(word, &outlook, &reach, &wanted, &mut tallies);
            before.add_as_well(&self.most_where_common(word, &wanted));
        }
        for word in &common {
            self.count_where_it_tells(word, &wanted, &mut tallies);
        }
        for word in &telling {
            self.count_where_common(word, &wanted, &mut tallies);
        }
        let found = self.enough(&wanted, &reach, &tallies);
        known.tallies = tallies;
        found
    }

    fn ask(&self, wanted: &Wanted<'_>, known: &mut Known) -> Vec<Asked> {
        let runs = runs::of(wanted.name);
        known.look_up(wanted.name, &runs, self);
        let words = &wanted.name.words;
        let weights: Vec<f64> =
            words.iter().map(|word| word.class.factor() * self.rarity(&word.text, &word.key)).collect();
        let mut asked: Vec<Asked> = (1..)
            .zip(words)
            .zip(&weights)
            .filter(|((_, word), _)| word.class != Class::Initial)
            .map(|((number, word), weight)| self.ask_word(number, word, *weight, wanted, known))
            .collect();
        for run in &runs {
            self.ask_run(run, &weights, &mut asked, wanted, known);
        }
        asked
    }

    fn ask_word(
        &self,
        number: u8,
        word: &NameWord,
        weight: f64,
        wanted: &Wanted<'_>,
        known: &Known,
    ) -> Asked {
        let alike = &known.words[&as_written(word)];
        let pair = |(alike, likeness): &(u32, f64)| {
            let listed = self.vocabulary.weight(*alike, Class::Core);
            (*alike, Sums::of_pair(weight, listed, *likeness, wanted.least))
        };
        let run = |(run, likeness): &(u32, f64)| {
            (*run, Sums::of_listed_run(weight, self.runs.weight(*run), *likeness, wanted.least))
        };
        Asked {
            number,
            weight,
            tells: word.class == Class::Core,
            pairs: alike.iter().map(pair).collect(),
            shares: vec![],
            runs: known.listed_runs[&word.text].iter().map(run).collect(),
        }
    }

    /// Gives the words of a run their shares of what it may meet.
    fn ask_run(
        &self,
        run: &Run,
        weights: &[f64],
        asked: &mut Vec<Asked>,
        wanted: &Wanted<'_>,
        known: &Known,
    ) {
        let alike = &known.as_run[&run.text];
        let whole: f64 = weights[run.words.clone()].iter().sum();
        let shares = |weight: f64, share: f64| {
            alike.iter().map(move |(word, likeness)| {
                let listed = self.vocabulary.weight(*word, Class::Core);
                (*word, Sums::of_share(weight, [whole, share], listed, *likeness, wanted.least))
            })
        };
        let of_run = |one: &&mut Asked| run.words.contains(&usize::from(one.number - 1));
        let of_words: f64 = asked.iter_mut().filter(of_run).map(|word| word.weight).sum();
        for word in asked.iter_mut().filter(of_run) {
            word.shares.extend(shares(word.weight, word.weight / of_words));
        }
        // Initials are not asked by themselves.
        if of_words == 0.0 {
            let number = u8::try_from(weights.len() + asked.len() + 1).unwrap_or(u8::MAX);
            let shares = shares(0.0, 1.0).collect();
            asked.push(Asked { number, weight: 0.0, tells: false, pairs: vec![], shares, runs: vec![] });
        }
    }

    fn enough(&self, wanted: &Wanted<'_>, reach: &Reach, tallies: &Tallies) -> Vec<Candidate> {
        let candidate = |tally: &Tally| {
            let listed = &self.names.summaries[tally.name as usize];
            let bound = reach.bound(&tally.sums, listed);
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
    /// that this would not make a candidate, is not met at all. Most names that have but a frequent word in common are such.
    fn count(&self, word: &Asked, outlook: &Sums, reach: &Reach, wanted: &Wanted<'_>, tallies: &mut Tallies) {
        let names = self.words.of(wanted.style);
        for (name, pair) in word.words().flat_map(|(alike, pair)| each(names.telling.of(*alike), pair)) {
            if let Some(tally) = tallies.met(name) {
                tally.add(word.number, pair);
            } else if self.may_reach(name, outlook, reach, wanted) {
                tallies.meet(name).add(word.number, pair);
            }
        }
        for (name, pair) in word.runs.iter().flat_map(|(run, pair)| each(self.runs.names_of(*run), pair)) {
            if let Some(tally) = tallies.met(name) {
                tally.add(word.number, pair);
            } else if self.is_of_style(name, wanted.style) && self.may_reach(name, outlook, reach, wanted) {
                tallies.meet(name).add(word.number, pair);
            }
        }
    }

    fn is_of_style(&self, name: NameNumber, style: Style) -> bool {
        self.names.summaries[name as usize].is_of_a_person == (style == Style::Person)
    }

    fn may_reach(&self, name: NameNumber, outlook: &Sums, reach: &Reach, wanted: &Wanted<'_>) -> bool {
        let listed = &self.names.summaries[name as usize];
        wanted.lists[usize::from(listed.list)]
            && (reach.is_enough(reach.bound(outlook, listed)) || reach.may_have_initials(listed))
    }

    /// Counts a common word in names that were met and in which a word tells that is like it: `abu` and `Ebu`. Where both are
    /// common the bound takes them to fit.
    fn count_where_it_tells(&self, word: &Asked, wanted: &Wanted<'_>, tallies: &mut Tallies) {
        let names = &self.words.of(wanted.style).telling;
        let by_word = word.words().flat_map(|(alike, pair)| each(names.of(*alike), pair));
        let by_run = word.runs.iter().flat_map(|(run, pair)| each(self.runs.names_of(*run), pair));
        for (name, pair) in by_word.chain(by_run) {
            if let Some(tally) = tallies.met(name) {
                tally.add(word.number, pair);
            }
        }
    }

    /// The most that a word adds to names in which its partner is common.
    fn most_where_common(&self, word: &Asked, wanted: &Wanted<'_>) -> Sums {
        let names = &self.words.of(wanted.style).common;
        let partners = word.words().filter(|(alike, _)| !names.of(*alike).is_empty());
        partners.fold(Sums::default(), |most, (_, pair)| most.or(pair))
    }

    /// Counts a telling word in names that were met, and in which a word is common that is like it.
    fn count_where_common(&self, word: &Asked, wanted: &Wanted<'_>, tallies: &mut Tallies) {
        let names = &self.words.of(wanted.style).common;
        for (name, pair) in word.words().flat_map(|(alike, pair)| each(names.of(*alike), pair)) {
            if let Some(tally) = tallies.met(name) {
                tally.add_as_well(pair);
            }
        }
    }

    /// Words that are like neighbours written as one.
    fn words_like_run(&self, run: &str) -> Vec<(u32, f64)> {
        let run = Spelt::new(run.to_owned());
        runs::alike_enough(self.vocabulary.alike_from_the_first_letter(run.spelling()))
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

fn each<'a>(names: &'a [NameNumber], pair: &'a Sums) -> impl Iterator<Item = (NameNumber, &'a Sums)> {
    names.iter().map(move |name| (*name, pair))
}

/// Whether some telling word is the initials of neighbours in `words`.
fn abbreviates_a_run(short: &[(Class, &str)], words: &[(Class, &str)]) -> bool {
    let mut short = short.iter().filter(|(class, text)| can_abbreviate(*class, text));
    short.any(|(_, text)| words.windows(text.len()).any(|run| abbreviates(text, run.iter().copied())))
}
