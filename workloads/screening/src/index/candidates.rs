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
    Index, NameNumber, Postings,
    bound::{Reach, Sums},
    range,
    runs::{self, Run},
    tallies::{Foreseen, Partners, Tallies, Tally},
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

    /// The most that one partner adds, of all or of single words alone.
    fn most(&self, of: Partners) -> Sums {
        let runs = if of == Partners::Words { &[][..] } else { &self.runs };
        self.words().chain(runs).fold(Sums::default(), |most, (_, pair)| most.or(pair))
    }

    /// The most that it adds to names in which its partner is common.
    fn most_where_common(&self, names: &Postings) -> Sums {
        let partners = self.words().filter(|(alike, _)| !names.of(*alike).is_empty());
        partners.fold(Sums::default(), |most, (_, pair)| most.or(&pair.where_common()))
    }
}

/// What all partners of a name add up to at most, by how many of the subject's words have one in it: most names that have but a frequent
/// word in common with the subject are not met at all.
struct Outlook {
    by_words: Vec<Sums>,
    by_runs_too: Vec<Sums>,
}

impl Outlook {
    /// `where_common` are the names in which a word is common.
    fn of(telling: &[Asked], common: &[Asked], where_common: &Postings) -> Self {
        let by_number = |partners| {
            // Partners that are common in a name are not foreseen.
            let mut sums = Sums::of_most(telling.iter().map(|word| word.most_where_common(where_common)));
            let most: Vec<Sums> = telling.iter().chain(common).map(|word| word.most(partners)).collect();
            let mut by_number = vec![sums];
            for next in Sums::sorted(&most) {
                sums.add(&next);
                by_number.push(sums);
            }
            by_number
        };
        Self { by_words: by_number(Partners::Words), by_runs_too: by_number(Partners::Runs) }
    }

    fn of_name(&self, foreseen: Foreseen) -> &Sums {
        let by_number = if foreseen.by == Partners::Words { &self.by_words } else { &self.by_runs_too };
        &by_number[usize::from(foreseen.words).min(by_number.len() - 1)]
    }
}

impl Index {
    /// Candidates for one name of the subject, in the order of their numbers.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>, known: &mut Known) -> Vec<Candidate> {
        let reach = Reach::of(wanted.name, wanted.least, |word| self.rarity(&word.text, &word.key));
        let (telling, common): (Vec<_>, Vec<_>) =
            self.ask(&wanted, known).into_iter().partition(|word| word.tells);

        let mut tallies = std::mem::take(&mut known.tallies);
        tallies.clear(self.name_count());
        self.foresee(&telling, &common, wanted.style, &mut tallies);
        let outlook = Outlook::of(&telling, &common, &self.words.of(wanted.style).common);
        tallies.meet(|name, foreseen| self.may_reach(name, outlook.of_name(foreseen), &reach, &wanted));
        for word in telling.iter().chain(&common) {
            let pairs = self.pairs_by_word(word, wanted.style).chain(self.pairs_by_run(word));
            pairs.for_each(|(name, pair)| tallies.add(name, word.number, pair));
        }
        for word in &telling {
            let pairs = self.pairs_where_common(word, wanted.style);
            pairs.for_each(|(name, pair)| tallies.add_as_well(name, pair));
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

    /// Tells `tallies` which names words of the subject have partners in. A name that only a common one has a partner in is none.
    fn foresee(&self, telling: &[Asked], common: &[Asked], style: Style, tallies: &mut Tallies) {
        for word in telling {
            let by_word = self.pairs_by_word(word, style);
            by_word.for_each(|(name, _)| tallies.foresee(name, word.number, Partners::Words));
            self.pairs_by_run(word).for_each(|(name, _)| tallies.foresee(name, word.number, Partners::Runs));
        }
        for word in common {
            let by_word = self.pairs_by_word(word, style);
            by_word.for_each(|(name, _)| tallies.foresee_again(name, word.number, Partners::Words));
            let by_run = self.pairs_by_run(word);
            by_run.for_each(|(name, _)| tallies.foresee_again(name, word.number, Partners::Runs));
        }
    }

    /// The names in which a word tells that is like this one, and what the two add at most.
    fn pairs_by_word<'a>(
        &'a self,
        word: &'a Asked,
        style: Style,
    ) -> impl Iterator<Item = (NameNumber, &'a Sums)> {
        let names = &self.words.of(style).telling;
        word.words().flat_map(|(alike, pair)| each(names.of(*alike), pair))
    }

    /// The names that have a run which is like this word; they may be of another style.
    fn pairs_by_run<'a>(&'a self, word: &'a Asked) -> impl Iterator<Item = (NameNumber, &'a Sums)> {
        word.runs.iter().flat_map(|(run, pair)| each(self.runs.names_of(*run), pair))
    }

    /// The names in which a word is common that is like this one.
    fn pairs_where_common<'a>(
        &'a self,
        word: &'a Asked,
        style: Style,
    ) -> impl Iterator<Item = (NameNumber, &'a Sums)> {
        let names = &self.words.of(style).common;
        word.words().flat_map(|(alike, pair)| each(names.of(*alike), pair))
    }

    fn may_reach(&self, name: NameNumber, outlook: &Sums, reach: &Reach, wanted: &Wanted<'_>) -> bool {
        let listed = &self.names.summaries[name as usize];
        wanted.lists[usize::from(listed.list)]
            && listed.is_of_a_person == (wanted.style == Style::Person)
            && (reach.is_enough(reach.bound(outlook, listed)) || reach.may_have_initials(listed))
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
