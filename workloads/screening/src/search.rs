//! One search: the subject's names to candidates, candidates to scores, scores and evidence to matches.

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use kyb_domain::{
    fingerprint::Fingerprint,
    list::{EntryKind, NameKind},
    party::{Party, PartyKind},
    score::Score,
    screening::{Feature, FeatureName, Match, MatchStatus},
};

use crate::{
    SearchOptions, SearchResult,
    align::{Alignment, Term, align},
    alternatives::{self, ONE_OF_SEVERAL},
    evidence::{self, Evidence},
    explain::{self, Compared},
    index::{
        EntryNumber, Index, NameNumber,
        candidates::{Candidate, Known, Wanted},
    },
    name::Name,
    weigh::{form_factor, term},
    word_class::Style,
};

/// What a name counts where subject and entry are of different kinds and the names are not the same. A namesake of
/// another kind is rarely meant, but a publisher's type may be wrong.
const OTHER_KIND: f64 = 0.9;

/// One of the subject's names in both readings.
struct SubjectName {
    text: String,
    /// Whether it was given as part of another, see [`alternatives`].
    is_part: bool,
    person: Reading,
    organisation: Reading,
}

/// A name taken apart, and how rare each of its words is on the lists.
struct Reading {
    name: Name,
    rarity: Vec<f64>,
}

impl SubjectName {
    fn new(text: String, is_part: bool, index: &Index) -> Self {
        let read = |style| {
            let name = Name::parse(&text, style);
            let rarity = name.words.iter().map(|word| index.rarity(&word.text, &word.key)).collect();
            Reading { name, rarity }
        };
        let (person, organisation) = (read(Style::Person), read(Style::Organisation));
        Self { text, is_part, person, organisation }
    }

    /// All names of the subject, each followed by those that it holds.
    fn all(subject: &Party, index: &Index) -> Vec<Self> {
        let with_parts = |text: &str| {
            let mut parts =
                [Style::Organisation, Style::Person].map(|style| alternatives::of(text, style)).concat();
            parts.sort_unstable();
            parts.dedup();
            let parts = parts.into_iter().map(|part| Self::new(part, true, index));
            std::iter::once(Self::new(text.to_owned(), false, index)).chain(parts).collect::<Vec<_>>()
        };
        subject.names().flat_map(|name| with_parts(name.as_str())).collect()
    }

    fn read(&self, style: Style) -> &Reading {
        match style {
            Style::Person => &self.person,
            Style::Organisation => &self.organisation,
        }
    }
}

/// The best that was found for an entry.
#[derive(Debug, Clone, Copy)]
struct Hit {
    total: f64,
    name: NameNumber,
    subject_name: u16,
}

/// A search under way.
pub(crate) struct Search<'a> {
    index: &'a Index,
    subject: &'a Party,
    names: Vec<SubjectName>,
    lists: Vec<bool>,
    threshold: f64,
    /// What names must come to that lead to a match without an identifier: no other evidence lifts lower ones over the threshold.
    least: f64,
    evidence: BTreeMap<EntryNumber, Vec<Evidence>>,
    hits: BTreeMap<EntryNumber, Hit>,
    scored: u32,
}

/// Searches and says whether more than `cap` candidates had to be cut.
pub(crate) fn search(index: &Index, subject: &Party, options: &SearchOptions, cap: usize) -> SearchResult {
    let mut search = Search::new(index, subject, options);
    let (candidates, truncated) = search.candidates(cap);
    for candidate in &candidates {
        search.compare(candidate.name, candidate.subject_name, search.least);
    }
    search.compare_by_identifier();
    search.result(options.limit, truncated)
}

/// Searches without the index.
pub(crate) fn search_every_name(index: &Index, subject: &Party, options: &SearchOptions) -> SearchResult {
    let mut search = Search::new(index, subject, options);
    for name in 0..index.name_count() {
        if search.lists[index.list_of(index.entry_of(name))] {
            (0..)
                .zip(0..search.names.len())
                .for_each(|(subject_name, _)| search.compare(name, subject_name, 0.0));
        }
    }
    search.result(options.limit, false)
}

impl<'a> Search<'a> {
    fn new(index: &'a Index, subject: &'a Party, options: &SearchOptions) -> Self {
        let is_wanted = |list| options.lists.as_ref().is_none_or(|wanted| wanted.contains(list));
        let threshold = options.threshold.get();
        Self {
            index,
            subject,
            names: SubjectName::all(subject, index),
            lists: index.lists().iter().map(|list| is_wanted(&list.version.list)).collect(),
            threshold,
            least: 1.0 - (1.0 - threshold) / (1.0 - evidence::most_raised(subject)),
            evidence: BTreeMap::new(),
            hits: BTreeMap::new(),
            scored: 0,
        }
    }

    /// The candidates of all names, best first, at most `cap`; and whether that left some out.
    fn candidates(&self, cap: usize) -> (Vec<Candidate>, bool) {
        let mut known = Known::default();
        let mut candidates = vec![];
        for (subject_name, name) in (0..).zip(&self.names) {
            for style in [Style::Person, Style::Organisation] {
                let wanted = Wanted {
                    name: &name.read(style).name,
                    subject_name,
                    style,
                    least: self.least,
                    lists: &self.lists,
                };
                candidates.extend(self.index.candidates(wanted, &mut known));
            }
        }
        let truncated = candidates.len() > cap;
        if truncated {
            candidates.sort_by(|a, b| b.bound.total_cmp(&a.bound).then(a.name.cmp(&b.name)));
            candidates.truncate(cap);
        }
        (candidates, truncated)
    }

    /// Entries that carry one of the subject's identifiers are compared whatever their names are.
    fn compare_by_identifier(&mut self) {
        for identifier in &self.subject.identifiers {
            for entry in self.index.with_identifier(identifier) {
                if !self.lists[self.index.list_of(*entry)] {
                    continue;
                }
                for name in self.index.names_of(*entry) {
                    (0..).zip(0..self.names.len()).for_each(|(number, _)| self.compare(name, number, 0.0));
                }
            }
        }
    }

    /// Compares one listed name with one of the subject's and keeps the entry's best. Names that come to less than `least` by
    /// themselves are left.
    fn compare(&mut self, name: NameNumber, subject_name: u16, least: f64) {
        self.scored += 1;
        let index = self.index;
        let entry = index.entry_of(name);
        let (alignment, form_factor) = self.align(name, subject_name, |alignment, _| alignment);
        let part_factor = self.part_factor(name, subject_name);
        // The rest of the entry lies elsewhere in memory, and few names get so far. A rounding error is no reason to leave one.
        if alignment.similarity * part_factor * form_factor < least - 1e-9 {
            return;
        }
        let evidence =
            self.evidence.entry(entry).or_insert_with(|| evidence::gather(self.subject, index.entry(entry)));
        let listed = index.listed_name(name);
        // A weak alias is broad or generic: no ground for a hit by itself (OFAC FAQ 122).
        if listed.kind == NameKind::Weak && !alignment.exact && !evidence::any_agrees(evidence) {
            return;
        }
        let by_name = alignment.similarity
            * kind_factor(self.subject.kind, index.entry(entry).kind, &alignment)
            * part_factor
            * form_factor;
        let total = evidence.iter().fold(by_name, |score, one| one.effect.apply(score));
        if total < self.threshold {
            return;
        }
        let hit = Hit { total, name, subject_name };
        match self.hits.entry(entry) {
            Slot::Vacant(slot) => _ = slot.insert(hit),
            Slot::Occupied(mut slot) if hit.is_better_than(slot.get()) => _ = slot.insert(hit),
            Slot::Occupied(_) => {}
        }
    }

    /// Aligns the two names and hands the alignment and both sides' terms to `then`.
    fn align<T>(
        &self,
        name: NameNumber,
        subject_name: u16,
        then: impl FnOnce(Alignment, [&[Term<'_>]; 2]) -> T,
    ) -> (T, f64) {
        let style = self.index.style_of(self.index.entry_of(name));
        let subject = self.names[usize::from(subject_name)].read(style);
        let words = subject.name.words.iter().zip(&subject.rarity);
        let left: Vec<Term<'_>> = words.map(|(word, rarity)| term(word, *rarity)).collect();
        let mut right = vec![];
        self.index.terms(name, &mut right);
        let alignment = align(&left, &right);
        (then(alignment, [&left, &right]), form_factor(&subject.name.forms, self.index.forms(name)))
    }

    /// What a comparison counts where either name is only part of what was given.
    fn part_factor(&self, name: NameNumber, subject_name: u16) -> f64 {
        let is_part = self.index.part(name).is_some() || self.names[usize::from(subject_name)].is_part;
        if is_part { ONE_OF_SEVERAL } else { 1.0 }
    }

    fn result(&self, limit: usize, candidates_truncated: bool) -> SearchResult {
        SearchResult {
            candidates_scored: self.scored,
            matches_truncated: self.hits.len() > limit,
            candidates_truncated,
            matches: self.matches(limit),
        }
    }

    fn matches(&self, limit: usize) -> Vec<Match> {
        let mut hits: Vec<(&EntryNumber, &Hit)> = self.hits.iter().collect();
        let place = |entry: EntryNumber| {
            let list = &self.index.lists()[self.index.list_of(entry)];
            (&list.version.list, &self.index.entry(entry).id)
        };
        hits.sort_by(|(a, x), (b, y)| y.total.total_cmp(&x.total).then_with(|| place(**a).cmp(&place(**b))));
        hits.into_iter().take(limit).map(|(entry, hit)| self.describe(*entry, hit)).collect()
    }

    fn describe(&self, entry_number: EntryNumber, hit: &Hit) -> Match {
        let entry = self.index.entry(entry_number);
        let listed = self.index.listed_name(hit.name);
        let features = self.features(entry_number, hit);
        Match {
            list: self.index.lists()[self.index.list_of(entry_number)].version.list.clone(),
            entry_id: entry.id.clone(),
            entry_type: entry.kind,
            caption: entry.caption().to_owned(),
            matched_name: listed.text.clone(),
            name_kind: listed.kind,
            programs: entry.programs.clone(),
            score: Score::clamped(hit.total),
            features,
            entry_fingerprint: Fingerprint::of_entry(entry),
            status: MatchStatus::Pending,
            suppression_id: None,
            decisions: vec![],
        }
    }

    /// The features of a hit, in the order in which they changed the score: their weights add up to it.
    fn features(&self, entry_number: EntryNumber, hit: &Hit) -> Vec<Feature> {
        let entry = self.index.entry(entry_number);
        let listed = self.index.listed_name(hit.name);
        let subject = &self.names[usize::from(hit.subject_name)];
        let ((alignment, mut detail), form_factor) =
            self.align(hit.name, hit.subject_name, |alignment, terms| {
                let compared = Compared {
                    subject: &subject.text,
                    listed: self.index.part(hit.name).unwrap_or(&listed.text),
                    kind: listed.kind,
                    alignment: &alignment,
                    terms,
                };
                let detail = explain::name(&compared);
                (alignment, detail)
            });
        let kind_factor = kind_factor(self.subject.kind, entry.kind, &alignment);
        if kind_factor < 1.0 {
            detail.push_str(&explain::kinds(self.subject.kind, entry.kind, kind_factor));
        }
        let part_factor = self.part_factor(hit.name, hit.subject_name);
        if part_factor < 1.0 {
            detail.push_str(&explain::one_of_several(part_factor));
        }
        let by_words = alignment.similarity * kind_factor * part_factor;
        let mut features = vec![Feature {
            name: FeatureName::Name,
            score: Score::clamped(alignment.similarity),
            weight: by_words,
            detail,
        }];
        let mut score = by_words * form_factor;
        let forms = [
            subject.read(self.index.style_of(entry_number)).name.forms.as_slice(),
            self.index.forms(hit.name),
        ];
        if let Some((agrees, detail)) = explain::legal_forms(forms[0], forms[1]) {
            let likeness = if agrees { Score::ONE } else { Score::ZERO };
            features.push(Feature {
                name: FeatureName::LegalForm,
                score: likeness,
                weight: score - by_words,
                detail,
            });
        }
        for one in self.evidence.get(&entry_number).into_iter().flatten() {
            let after = one.effect.apply(score);
            let (likeness, detail) = (Score::clamped(one.likeness), one.detail.clone());
            features.push(Feature { name: one.name, score: likeness, weight: after - score, detail });
            score = after;
        }
        features
    }
}

impl Hit {
    /// A name earlier in the entry wins a tie: the primary one is first.
    fn is_better_than(&self, other: &Self) -> bool {
        let order = other.total.total_cmp(&self.total);
        order.then(self.name.cmp(&other.name)).then(self.subject_name.cmp(&other.subject_name)).is_lt()
    }
}

/// Businesses are compared with organisations, vessels and aircraft alike (ships bear the names of their owners), persons
/// with persons, and whoever is of unknown kind with all. The same name is a hit whatever the kinds are.
fn kind_factor(subject: PartyKind, entry: EntryKind, alignment: &Alignment) -> f64 {
    let same_kind = match subject {
        PartyKind::Unknown => true,
        PartyKind::Person => entry == EntryKind::Person,
        PartyKind::Business => entry != EntryKind::Person,
    };
    if same_kind || alignment.exact { 1.0 } else { OTHER_KIND }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
