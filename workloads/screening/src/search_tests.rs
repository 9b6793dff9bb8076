//! The index against a search that compares every name in full.

use std::{path::Path, sync::Arc};

use kyb_domain::{country::CountryCode, list::Watchlist, text::Name as GivenName};

use super::*;

const OFAC: &str = "../../../shared/data/ofac-2019";

fn index() -> Index {
    let lists = kyb_lists::directory::load(Path::new(OFAC)).expect("the list of 2019 is test data");
    let lists: Vec<Arc<Watchlist>> = lists.into_iter().map(|list| Arc::new(list.watchlist)).collect();
    Index::build(&lists)
}

/// Every listed name compared in full with every name of the subject.
fn exhaustive(index: &Index, subject: &Party, options: &SearchOptions) -> Vec<Match> {
    let mut search = Search::new(index, subject, options);
    for name in 0..index.name_count() {
        for subject_name in 0..u16::try_from(search.names.len()).unwrap() {
            search.compare(name, subject_name);
        }
    }
    search.matches(options.limit)
}

/// Listed names with their last letters doubled, halves joined and the like, and ordinary ones.
fn subjects(index: &Index) -> Vec<Party> {
    let mut subjects = vec![];
    for (count, name) in (0..index.name_count()).step_by(401).enumerate() {
        let text = &index.listed_name(name).text;
        let changed = match count % 5 {
            0 => text.replacen('A', "", 1),
            1 => text.replacen(' ', "", 1),
            2 => text.replace('K', "C").replace('Y', "I"),
            3 => text.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
            _ => text.chars().rev().collect::<String>().chars().rev().skip(1).collect(),
        };
        let Ok(given) = GivenName::try_from(changed) else { continue };
        let mut party =
            Party::named([PartyKind::Unknown, PartyKind::Person, PartyKind::Business][count % 3], given);
        party.countries = if count % 2 == 0 { vec![CountryCode::try_from("IR").unwrap()] } else { vec![] };
        subjects.push(party);
    }
    subjects
}

#[test]
fn the_index_finds_what_comparing_every_name_finds() {
    let index = index();
    let options =
        SearchOptions { threshold: Score::constant(0.75), limit: 1_000, ..SearchOptions::default() };
    let mut found = 0;
    for subject in subjects(&index) {
        let all = exhaustive(&index, &subject, &options);
        let result = search(&index, &subject, &options, usize::MAX);
        assert!(!result.candidates_truncated);
        assert_eq!(result.matches, all, "{subject:?}");
        found += all.len();
    }
    assert!(found > 40, "{found}");
}

#[test]
fn a_cap_leaves_out_the_least_promising_and_says_so() {
    let index = index();
    let subject = Party::named(PartyKind::Person, "Muhammad Ali".try_into().unwrap());
    let options = SearchOptions { threshold: Score::constant(0.5), limit: 1_000, ..SearchOptions::default() };
    let whole = search(&index, &subject, &options, usize::MAX);
    let cut = search(&index, &subject, &options, 20);
    assert!(!whole.candidates_truncated && cut.candidates_truncated);
    assert_eq!(cut.candidates_scored, 20);
    assert_eq!(cut.matches.first(), whole.matches.first(), "the cap keeps the best");
}
