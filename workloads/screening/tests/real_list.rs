//! Recall, false hits and the index against a publisher's real list. `-- --nocapture` prints the figures.
#![expect(clippy::expect_used, reason = "missing or malformed test data must fail the test")]

mod builders;
mod perturbation;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, LazyLock},
};

use kyb_domain::{
    list::{EntryKind, NameKind, Watchlist},
    party::{Party, PartyKind},
    score::Score,
    text::Name,
};
use kyb_screening::{DEFAULT_THRESHOLD, Screener, SearchOptions};

const DATA: &str = "../../../shared/data";

static LISTS: LazyLock<Vec<Arc<Watchlist>>> = LazyLock::new(|| {
    let loaded = kyb_lists::directory::load(&Path::new(DATA).join("ofac-2019"))
        .expect("the list of 2019 is test data");
    loaded.into_iter().map(|list| Arc::new(list.watchlist)).collect()
});

static SCREENER: LazyLock<Screener> = LazyLock::new(|| Screener::build(&LISTS));

/// Entry id, kind, name kind and text of every name.
fn listed_names() -> impl Iterator<Item = (&'static str, EntryKind, NameKind, &'static str)> {
    let entries = LISTS.iter().flat_map(|list| &list.entries);
    entries.flat_map(|entry| {
        entry.names.iter().map(|name| (entry.id.as_str(), entry.kind, name.kind, name.text.as_str()))
    })
}

fn asked_as(kind: EntryKind) -> PartyKind {
    if kind == EntryKind::Person { PartyKind::Person } else { PartyKind::Business }
}

/// Whether the entry is in first place, or tied for it.
fn is_first(id: &str, party: &Party) -> bool {
    let matches = SCREENER.search(party, &SearchOptions { limit: 500, ..SearchOptions::default() }).matches;
    let Some(best) = matches.first().map(|found| found.score) else { return false };
    matches.iter().take_while(|found| found.score >= best).any(|found| found.entry_id == id)
}

/// Successes of trials, in per cent.
#[derive(Default, Clone, Copy)]
struct Share {
    good: u32,
    all: u32,
}

impl Share {
    fn count(&mut self, good: bool) {
        self.good += u32::from(good);
        self.all += 1;
    }

    fn percent(self) -> f64 {
        100.0 * f64::from(self.good) / f64::from(self.all.max(1))
    }
}

#[test]
fn every_listed_name_finds_its_entry() {
    let mut share = Share::default();
    for (id, kind, name_kind, text) in listed_names().step_by(5) {
        let found = is_first(id, &Party::named(asked_as(kind), Name::try_from(text).unwrap()));
        share.count(found);
        if !found {
            println!("  not first: {id} {name_kind:?} {text}");
        }
    }
    println!("listed names as they are: {:.2} % of {} first", share.percent(), share.all);
    assert!(share.all > 3_000 && share.good == share.all);
}

#[test]
fn a_name_with_a_typing_error_finds_its_entry() {
    let mut chance = perturbation::Chance::seeded(20_190_614);
    let mut shares: BTreeMap<(&str, &str), Share> = BTreeMap::new();
    let mut total = Share::default();
    for (id, kind, name_kind, text) in listed_names().step_by(20) {
        let Some((fault, changed)) = perturbation::change(text, &mut chance) else { continue };
        // A weak alias counts only as it stands.
        if name_kind == NameKind::Weak {
            continue;
        }
        let found = is_first(id, &Party::named(asked_as(kind), Name::try_from(changed.as_str()).unwrap()));
        let group = if kind == EntryKind::Person { "person" } else { "body or vessel" };
        shares.entry((fault, group)).or_default().count(found);
        total.count(found);
        if !found {
            let party = Party::named(asked_as(kind), Name::try_from(changed.as_str()).unwrap());
            let low =
                SearchOptions { threshold: Score::constant(0.41), limit: 50, ..SearchOptions::default() };
            let matches = SCREENER.search(&party, &low).matches;
            let details = matches
                .iter()
                .filter(|found| found.entry_id == id)
                .map(|found| found.features[0].detail.as_str());
            println!("  missed: {id} {text} as {changed}; {}", details.collect::<String>());
        }
    }
    for ((fault, group), share) in shares {
        println!("{fault}, {group}: {:.1} % of {} first", share.percent(), share.all);
    }
    println!("all faults: {:.2} % of {} first", total.percent(), total.all);
    // Measured: 96.9 %. What is left: registration marks of aircraft, which are exact on purpose, and words of three letters.
    assert!(total.all > 500 && total.percent() >= 96.0);
}

#[test]
fn ordinary_names_are_seldom_flagged() {
    let mut best: Vec<(f64, String)> = vec![];
    let options = SearchOptions { threshold: Score::constant(0.7), limit: 1, ..SearchOptions::default() };
    for file in ["negatives_us_1000.csv", "negatives_global_1000.csv"] {
        let mut reader = csv::Reader::from_path(Path::new(DATA).join("names").join(file))
            .expect("the negatives are test data");
        for record in reader.records() {
            let name = Name::try_from(&record.unwrap()[0]).unwrap();
            let result = SCREENER.search(&Party::named(PartyKind::Person, name.clone()), &options);
            assert!(!result.candidates_truncated, "{name}");
            best.extend(
                result
                    .matches
                    .first()
                    .map(|found| (found.score.get(), format!("{name} / {}", found.matched_name))),
            );
        }
    }
    for threshold in [0.70, 0.75, 0.78, 0.80, 0.82, 0.85, 0.88, 0.90] {
        let flagged = best.iter().filter(|(score, _)| *score >= threshold).count();
        println!("threshold {threshold:.2}: {flagged} of 2000 ordinary names flagged");
    }
    best.sort_by(|a, b| b.0.total_cmp(&a.0));
    best.iter().take(60).for_each(|(score, names)| println!("  {score:.3} {names}"));
    let flagged = best.iter().filter(|(score, _)| *score >= DEFAULT_THRESHOLD.get()).count();
    // Measured: 12. Names that are really alike (`Antonia Rodriguez`), and Chinese given names in another order.
    assert!(flagged <= 16, "{flagged}");
}

/// Names of people who are on no list: the parts of ordinary names, put together anew.
#[test]
fn made_up_names_are_seldom_flagged() {
    let mut people: Vec<[String; 3]> = vec![];
    for file in ["negatives_us_1000.csv", "negatives_global_1000.csv"] {
        let mut reader = csv::Reader::from_path(Path::new(DATA).join("names").join(file))
            .expect("the negatives are test data");
        people.extend(reader.records().map(|record| {
            let record = record.unwrap();
            [record[1].to_owned(), record[2].to_owned(), record[3].to_owned()]
        }));
    }
    let mut chance = perturbation::Chance::seeded(7);
    let options = SearchOptions { threshold: Score::constant(0.7), limit: 1, ..SearchOptions::default() };
    let mut flagged: Vec<(f64, String)> = vec![];
    let count = std::env::var("MADE_UP").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    for _ in 0..count {
        // Of one half, so that scripts stay together as often as they do in life.
        let half =
            if chance.below(2) == 0 { &people[..people.len() / 2] } else { &people[people.len() / 2..] };
        let [first, middle, last] = [0, 1, 2].map(|part| half[chance.below(half.len())][part].clone());
        let text =
            if middle.is_empty() { format!("{first} {last}") } else { format!("{first} {middle} {last}") };
        let Ok(name) = Name::try_from(text) else { continue };
        let result = SCREENER.search(&Party::named(PartyKind::Person, name.clone()), &options);
        flagged.extend(
            result
                .matches
                .first()
                .map(|found| (found.score.get(), format!("{name} / {}", found.matched_name))),
        );
    }
    for threshold in [0.70, 0.75, 0.80, 0.85, 0.90] {
        let share = flagged.iter().filter(|(score, _)| *score >= threshold).count();
        println!("threshold {threshold:.2}: {share} of {count} made-up names flagged");
    }
    flagged.sort_by(|a, b| b.0.total_cmp(&a.0));
    flagged.iter().take(60).for_each(|(score, names)| println!("  {score:.3} {names}"));
}

#[test]
fn the_index_fits_into_little_memory() {
    let (names, bytes) = (listed_names().count(), SCREENER.heap_bytes());
    println!("{names} names in {:.1} MB", f64::from(u32::try_from(bytes).unwrap()) / 1e6);
    assert!(names > 15_000 && bytes < 30_000_000, "{bytes}");
}
