//! Whether a score means the same on every list. `-- --nocapture` prints the figures.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "missing or malformed test data must fail the test"
)]

mod perturbation;

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use kyb_domain::{
    list::{Entry, EntryKind, ListFormat, ListId, NameKind, Watchlist},
    party::{Party, PartyKind},
    text::Name,
};
use kyb_screening::{DEFAULT_THRESHOLD, Screener, SearchOptions};

const DATA: &str = "../../../shared/data";

/// The lists of three publications, from thousands of entries to twenty.
static LISTS: LazyLock<Vec<Arc<Watchlist>>> = LazyLock::new(|| {
    let lists = [
        ("ofac-sdn", "ofac-2019", ListFormat::OfacCsv),
        ("ofac-consolidated", "ofac-consolidated", ListFormat::OfacCsv),
        ("un", "un", ListFormat::UnXml),
    ];
    let load = |(id, folder, format): (&str, &str, ListFormat)| {
        let folder = Path::new(DATA).join(folder);
        let loaded = kyb_lists::directory::load_one(&folder, &id.parse().unwrap(), format);
        Arc::new(loaded.expect("the lists are test data").watchlist)
    };
    lists.into_iter().map(load).collect()
});

/// A screener of all of them, as they are loaded in production.
static TOGETHER: LazyLock<Screener> = LazyLock::new(|| Screener::build(&LISTS));

fn person_or_business(entry: &Entry) -> PartyKind {
    if entry.kind == EntryKind::Person { PartyKind::Person } else { PartyKind::Business }
}

/// Of every `step`th name of a list, with one typing error: its entry, and who asks. Marks of aircraft are no words.
fn with_a_fault(list: &Watchlist, step: usize) -> Vec<(&Entry, Party)> {
    let mut chance = perturbation::Chance::seeded(3);
    let names = list.entries.iter().flat_map(|entry| entry.names.iter().map(move |name| (entry, name)));
    let names =
        names.filter(|(entry, name)| name.kind != NameKind::Weak && entry.kind != EntryKind::Aircraft);
    let mut asked = vec![];
    for (entry, name) in names.step_by(step) {
        let Some((_, changed)) = perturbation::change(&name.text, &mut chance) else { continue };
        asked.push((
            entry,
            Party::named(person_or_business(entry), Name::try_from(changed.as_str()).unwrap()),
        ));
    }
    asked
}

/// The score of an entry, if it reaches the threshold.
fn score(screener: &Screener, party: &Party, list: &ListId, id: &str) -> Option<f64> {
    let matches = screener.search(party, &SearchOptions { limit: 500, ..SearchOptions::default() }).matches;
    matches
        .into_iter()
        .find(|found| &found.list == list && found.entry_id == id)
        .map(|found| found.score.get())
}

#[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

#[test]
fn the_threshold_finds_as_many_on_a_small_list_as_on_a_large_one() {
    for (list, step) in LISTS.iter().zip([20, 1, 1]) {
        let asked = with_a_fault(list, step);
        let id = &list.version.list;
        let found =
            asked.iter().filter(|(entry, party)| score(&TOGETHER, party, id, &entry.id).is_some()).count();
        println!(
            "{id}: {:.1} % of {} names with one fault reach {}",
            percent(found, asked.len()),
            asked.len(),
            DEFAULT_THRESHOLD.get()
        );
        assert!(percent(found, asked.len()) >= 97.0, "{id}");
    }
}

#[test]
fn ordinary_names_are_flagged_in_proportion_to_the_names_on_a_list() {
    let mut flagged = vec![0; LISTS.len()];
    let mut asked = 0;
    for file in ["negatives_us_1000.csv", "negatives_global_1000.csv"] {
        let mut reader = csv::Reader::from_path(Path::new(DATA).join("names").join(file))
            .expect("the negatives are test data");
        for record in reader.records() {
            let party = Party::named(PartyKind::Person, Name::try_from(&record.unwrap()[0]).unwrap());
            let matches = TOGETHER.search(&party, &SearchOptions::default()).matches;
            for (list, flagged) in LISTS.iter().zip(&mut flagged) {
                *flagged += usize::from(matches.iter().any(|found| found.list == list.version.list));
            }
            asked += 1;
        }
    }
    for (list, flagged) in LISTS.iter().zip(&flagged) {
        let names: usize = list.entries.iter().map(|entry| entry.names.len()).sum();
        println!("{}: {flagged} of {asked} ordinary names flagged by {names} names", list.version.list);
        // Two by the 19,000 names of the large list.
        assert!(*flagged <= 1 + names / 9_000, "{}", list.version.list);
    }
}

/// Words are as rare as they are on all lists together, so that it does not matter on which of them a name stands.
#[test]
fn a_name_scores_the_same_whichever_list_it_stands_on() {
    let large = &LISTS[0];
    let parts = ["a", "b", "c"].map(|id| {
        let mut part = Watchlist::clone(large);
        part.version.list = id.parse().unwrap();
        part
    });
    let mut parts = parts;
    for (place, part) in parts.iter_mut().enumerate() {
        let mut at = 0;
        part.entries.retain(|_| {
            at += 1;
            at % 3 == place
        });
    }
    let whole = Screener::build(&[Arc::clone(large)]);
    let apart = Screener::build(&parts.map(Arc::new));
    for (entry, party) in with_a_fault(large, 40) {
        let alone = score(&whole, &party, &large.version.list, &entry.id);
        let of_part =
            ["a", "b", "c"].into_iter().find_map(|id| score(&apart, &party, &id.parse().unwrap(), &entry.id));
        assert_eq!(alone, of_part, "{party:?}");
    }
}

/// Which other lists are loaded moves a score, since it moves how rare words are: by little, and seldom over the threshold.
#[test]
fn other_lists_hardly_move_a_score() {
    for (list, step) in LISTS.iter().zip([40, 1, 1]) {
        let alone = Screener::build(&[Arc::clone(list)]);
        let id = &list.version.list;
        let asked = with_a_fault(list, step);
        let scores = asked.iter().map(|(entry, party)| {
            [&alone, &TOGETHER]
                .map(|screener| score(screener, party, id, &entry.id).unwrap_or(DEFAULT_THRESHOLD.get()))
        });
        let moved: Vec<f64> = scores.map(|[a, b]| (a - b).abs()).collect();
        let most = moved.iter().copied().fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "some thousand scores")]
        let mean = moved.iter().sum::<f64>() / moved.len() as f64;
        println!(
            "{id}: other lists move {} scores by {mean:.4} in the mean, by {most:.3} at most",
            moved.len()
        );
        assert!(mean < 0.01 && most < 0.1, "{id}");
    }
}
