//! The index against a search that compares every name in full.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use kyb_domain::{
    country::CountryCode,
    list::{ListId, Watchlist},
    text::Name as GivenName,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::*;

const OFAC: &str = "../../../shared/data/ofac-2019";

fn index() -> Index {
    let lists = kyb_lists::directory::load(Path::new(OFAC)).expect("the list of 2019 is test data");
    let lists: Vec<Arc<Watchlist>> = lists.into_iter().map(|list| Arc::new(list.watchlist)).collect();
    Index::build(&lists)
}

/// What people do to names; each needs the index to find a listed name by something else than its words.
const CHANGES: [fn(&str) -> String; 12] = [
    |text| text.replacen('A', "", 1),
    |text| text.replacen(' ', "", 1),
    |text| text.replace('K', "C").replace('Y', "I"),
    |text| text.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
    |text| text.chars().skip(1).collect(),
    // One word in two.
    |text| {
        text.chars().enumerate().flat_map(|(at, c)| (at == 4).then_some(' ').into_iter().chain([c])).collect()
    },
    // Three words in one.
    |text| text.replacen([' ', '-'], "", 2),
    // The first of the given names as an initial, and all but the last word as initials written as one.
    |text| text.split_once(", ").map_or_else(|| text.to_owned(), |(a, b)| format!("{}. {a}", &b[..1])),
    |text| {
        let words: Vec<&str> =
            text.split([' ', '-']).filter(|word| word.is_ascii() && !word.is_empty()).collect();
        let (last, rest) = words.split_last().unwrap_or((&"x", &[]));
        format!("{} {last}", rest.iter().map(|word| &word[..1]).collect::<String>())
    },
    // Other words of the same meaning, other spellings of one sound, numbers in words.
    |text| {
        let meanings =
            [("COMPANY", "Kompaniya"), ("BANK", "Banque"), ("INTERNATIONAL", "Intl"), ("TRADING", "Handel")];
        meanings.iter().fold(text.to_owned(), |text, (a, b)| text.replace(a, b))
    },
    |text| text.replace("CHANG", "Zhang").replace("HSI", "Xi").replace("CH", "Q").replace('B', "P"),
    |text| text.replace('1', " One ").replace('2', "Second").replace("FIRST", "1st").replace("TWO", "2"),
];

/// Listed names with a change each, of all kinds, some with a country.
fn subjects(index: &Index) -> Vec<Party> {
    let mut subjects = vec![];
    for (count, name) in (0..index.name_count()).step_by(61).enumerate() {
        let changed = CHANGES[count % CHANGES.len()](&index.listed_name(name).text);
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
    let found = finds_what_comparing_every_name_finds(&index, &subjects(&index));
    assert!(found > 350, "{found}");
}

/// Words that are spelt alike, common ones first, so that one word of a subject has several partners in a name, of which the best
/// is not the one that counts most; words of bodies, initials, words that are one when written together, and
/// words without vowels.
const ALIKE: [&str; 32] = [
    "Muhammad",
    "Ali",
    "Trading",
    "Khan",
    "Muhammed",
    "Company",
    "Aly",
    "Mohamed",
    "Sea",
    "Star",
    "Mukhammad",
    "Bank",
    "A",
    "Seastar",
    "Allie",
    "Mohammadi",
    "Khane",
    "bin",
    "Muhannad",
    "Banque",
    "One",
    "1",
    "Kahn",
    "JC",
    "Traders",
    "Jean",
    "Claude",
    "Mochammad",
    "Seestar",
    "M",
    "محمد",
    "خان",
];

#[test]
fn among_names_of_words_that_are_all_alike_too() {
    let mut random = StdRng::seed_from_u64(5);
    let mut name = || -> String {
        let words = (0..random.random_range(1..=4)).map(|_| {
            // The first words far more often than the last.
            let share: f64 = random.random();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of 32"
            )]
            ALIKE[(share.powi(3) * ALIKE.len() as f64) as usize]
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let initials = ["J C D E Zovra", "Jcde Zorva", "JCD Khan", "Jean Claude Daud Khan"];
    let mut list = Watchlist::clone(&index().lists()[0]);
    list.entries.truncate(4_000);
    for entry in &mut list.entries {
        entry.names.truncate(1);
        entry.names[0].text = name();
    }
    for (entry, name) in list.entries.iter_mut().zip(initials) {
        entry.kind = EntryKind::Person;
        entry.names[0].text = name.to_owned();
    }
    let index = Index::build(&[Arc::new(list)]);
    let kinds = [PartyKind::Unknown, PartyKind::Person, PartyKind::Business];
    let drawn = (0..300).map(|_| name()).collect::<Vec<_>>();
    // Each of the initials at each threshold.
    let initials = initials.into_iter().flat_map(|name| [name; 4]).map(str::to_owned);
    let subjects: Vec<Party> = initials
        .chain(drawn)
        .enumerate()
        .map(|(count, name)| Party::named(kinds[count / 4 % 3], name.try_into().unwrap()))
        .collect();
    let found = finds_what_comparing_every_name_finds(&index, &subjects);
    assert!(found > 50_000, "{found}");
}

/// How many matches all subjects have.
fn finds_what_comparing_every_name_finds(index: &Index, subjects: &[Party]) -> usize {
    let mut found = 0;
    for (count, subject) in subjects.iter().enumerate() {
        let threshold = Score::constant([0.80, 0.45, 0.90, 0.65][count % 4]);
        let options = SearchOptions { threshold, limit: 10_000, ..SearchOptions::default() };
        let all = search_every_name(index, subject, &options).matches;
        let result = search(index, subject, &options, usize::MAX);
        assert!(!result.candidates_truncated);
        let missing = all.iter().find(|one| !result.matches.contains(one));
        assert_eq!(missing, None, "{subject:?} at {threshold:?}");
        assert_eq!(result.matches.len(), all.len(), "{subject:?}");
        found += all.len();
    }
    found
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

/// Each fourth entry of an index.
fn some_entries(index: &Index) -> BTreeSet<(ListId, String)> {
    let names = (0..index.name_count()).filter(|name| index.entry_of(*name).is_multiple_of(4));
    let place = |name| {
        let entry = index.entry_of(name);
        (index.lists()[index.list_of(entry)].version.list.clone(), index.entry(entry).id.clone())
    };
    names.map(place).collect()
}

#[test]
fn an_index_narrowed_to_some_entries_finds_what_the_whole_finds_among_them() {
    let whole = index();
    let some = some_entries(&whole);
    let is_kept = |list: &ListId, id: &str| some.contains(&(list.clone(), id.to_owned()));
    let narrowed = whole.narrowed(|list, entry| is_kept(list, &entry.id));
    let shortened = whole.lists().iter().map(|list| {
        let mut list = Watchlist::clone(list);
        list.entries.retain(|entry| is_kept(&list.version.list, &entry.id));
        Arc::new(list)
    });
    let alone = Index::build(&shortened.collect::<Vec<_>>());
    let options =
        SearchOptions { threshold: Score::constant(0.65), limit: 1_000, ..SearchOptions::default() };
    let matches = |index, subject| search(index, subject, &options, usize::MAX).matches;
    let (mut found, mut others) = (0, 0);
    for subject in &subjects(&whole) {
        let mut wanted = matches(&whole, subject);
        wanted.retain(|one| is_kept(&one.list, &one.entry_id));
        assert_eq!(matches(&narrowed, subject), wanted, "{subject:?}");
        found += wanted.len();
        others += usize::from(matches(&alone, subject) != wanted);
    }
    assert!(found > 80, "{found}");
    assert!(
        others > 10,
        "the twin: with words as rare as among these entries {others} subjects fared otherwise"
    );
}
