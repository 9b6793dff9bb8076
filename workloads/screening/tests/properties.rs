//! What holds for any two names.

mod builders;
mod perturbation;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use builders::{With, business, entry, list, organisation, person};
use kyb_domain::{
    identifier::IdentifierKind,
    list::EntryKind,
    party::{Party, PartyKind},
    score::Score,
    text::Name,
};
use kyb_screening::{DEFAULT_THRESHOLD, Screener, SearchOptions, score_names};
use proptest::prelude::*;

const KINDS: [PartyKind; 3] = [PartyKind::Person, PartyKind::Business, PartyKind::Unknown];

/// Legal forms and words that half of all bodies have.
const COMMON: [&str; 9] = ["Ltd", "OAO", "CORP.", "the", "of", "and", "Trading", "Company", "International"];

const LEGAL_FORMS: [&str; 12] = [
    "CORP.",
    "Ltd",
    "LLC",
    "Inc.",
    "GmbH",
    "S.A.",
    "B.V.",
    "Co., Ltd.",
    "OOO",
    "ООО",
    "S.r.l.",
    "Joint Stock Company",
];

/// Words that names are made of, so that random names also agree.
fn words() -> impl Strategy<Value = Vec<String>> {
    let known = prop::sample::select(vec![
        "al",
        "bin",
        "Muhammad",
        "Mohamed",
        "Sergey",
        "Sergei",
        "Lavrov",
        "Trading",
        "Company",
        "Ltd",
        "OAO",
        "Bank",
        "Kim",
        "Jong",
        "Un",
        "J.",
        "of",
        "Rosoboron",
        "eksport",
        "Rosoboronexport",
        "Аэрофлот",
        "Müller",
        "O'Brien",
        "44",
        "A.B.C.",
    ]);
    let word = prop_oneof![3 => known.prop_map(str::to_owned), 1 => "[a-z]{1,12}"];
    prop::collection::vec(word, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_scores_between_0_and_1_whichever_comes_first(a in any::<String>(), b in any::<String>()) {
        for kind in KINDS {
            let score = score_names(kind, &a, &b).get();
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert!((score - score_names(kind, &b, &a).get()).abs() < 1e-9);
        }
    }

    #[test]
    fn names_of_common_words_score_the_same_whichever_comes_first(a in words(), b in words()) {
        let (a, b) = (a.join(" "), b.join(" "));
        for kind in KINDS {
            prop_assert!((score_names(kind, &a, &b).get() - score_names(kind, &b, &a).get()).abs() < 1e-9, "{a} / {b}");
        }
    }

    #[test]
    fn a_name_is_itself_in_any_order_and_case(words in words()) {
        let (name, upper) = (words.join(" "), words.join(", ").to_uppercase());
        for kind in KINDS {
            prop_assert_eq!(score_names(kind, &name, &name), Score::ONE, "{}", name);
            prop_assert_eq!(score_names(kind, &name, &upper), Score::ONE, "{}", upper);
        }
        // Initials and legal forms depend on their neighbours, so only a person's words may stand in any order.
        let reversed: Vec<&str> = words.iter().rev().map(String::as_str).collect();
        prop_assert_eq!(score_names(PartyKind::Person, &name, &reversed.join(" ")), Score::ONE, "{}", name);
    }

    #[test]
    fn width_and_punctuation_do_not_matter(words in words()) {
        let name = words.join(" ");
        let wide: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c }).collect();
        let quoted = format!("«{}»!", words.join("  -  "));
        for kind in KINDS {
            prop_assert_eq!(score_names(kind, &name, &wide), Score::ONE, "{}", wide);
        }
        prop_assert_eq!(score_names(PartyKind::Person, &name, &quoted), Score::ONE, "{}", quoted);
    }

    #[test]
    fn a_legal_form_or_common_words_alone_are_no_hit(words in words(), alone in prop::sample::subsequence(COMMON.to_vec(), 1..4)) {
        let (alone, tells) = (alone.join(" "), format!("zqorvax {} 11420", words.join(" ")));
        for (a, b) in [(&alone, &tells), (&tells, &alone)] {
            prop_assert!(score_names(PartyKind::Business, a, b) < DEFAULT_THRESHOLD, "{} / {}", a, b);
        }
    }

    #[test]
    fn names_that_share_nothing_but_common_words_are_no_hit(shared in prop::sample::subsequence(COMMON.to_vec(), 1..9), place in 0_usize..9) {
        let with = |telling: &str| {
            let mut words = shared.clone();
            words.insert(place.min(words.len()), telling);
            words.join(" ")
        };
        prop_assert!(score_names(PartyKind::Business, &with("Zqorvax"), &with("Mulbrint")) < DEFAULT_THRESHOLD);
    }

    #[test]
    fn a_suffix_alone_is_no_hit_even_where_a_number_is_all_that_tells(number in 1_u32..1_000_000, form in prop::sample::select(LEGAL_FORMS.to_vec())) {
        let name = format!("{number} {form}");
        for (a, b) in [(name.as_str(), form), (form, name.as_str())] {
            prop_assert!(score_names(PartyKind::Business, a, b) < DEFAULT_THRESHOLD, "{} / {}", a, b);
            let screener = Screener::build(&[list("l", vec![organisation("1", a)])]);
            let found = screener.search(&business(b), &SearchOptions::default()).matches;
            prop_assert!(found.is_empty(), "{:?}", found);
        }
        prop_assert_eq!(score_names(PartyKind::Business, &name, &name), Score::ONE);
    }

    #[test]
    fn agreeing_evidence_never_lowers_a_score(listed in words(), asked in words()) {
        let (Ok(_), Ok(asked)) = (Name::try_from(listed.join(" ")), Name::try_from(asked.join(" "))) else { return Ok(()) };
        let screener = Screener::build(&[list("l", vec![organisation("1", &listed.join(" ")).countries(&["RU"])])]);
        let options = SearchOptions { threshold: Score::constant(0.2), ..SearchOptions::default() };
        let score = |party| screener.search(&party, &options).matches.first().map_or(0.0, |found| found.score.get());
        let party = business(asked.as_str());
        prop_assert!(score(party.clone().countries(&["RU"])) >= score(party));
    }

    #[test]
    fn each_further_agreement_never_lowers_a_score(listed in words(), asked in words(), order in Just([0, 1, 2, 3]).prop_shuffle()) {
        let (Ok(_), Ok(asked)) = (Name::try_from(listed.join(" ")), Name::try_from(asked.join(" "))) else { return Ok(()) };
        let entry = entry("1", EntryKind::Person, &listed.join(" ")).countries(&["RU"]).born("1950-03-21").living_at("Smolenskaya Square 32, Moscow");
        let screener = Screener::build(&[list("l", vec![entry.identified(IdentifierKind::Passport, "7100123456")])]);
        let options = SearchOptions { threshold: Score::constant(0.2), ..SearchOptions::default() };
        let score = |party: &Party| screener.search(party, &options).matches.first().map_or(0.0, |found| found.score.get());
        let mut party = person(asked.as_str());
        for agreement in order {
            let before = score(&party);
            party = match agreement {
                0 => party.countries(&["RU"]),
                1 => party.born("1950-03-21"),
                2 => party.living_at("Smolenskaya Square 32, Moscow"),
                _ => party.identified(IdentifierKind::Passport, "7100123456"),
            };
            prop_assert!(score(&party) >= before, "{:?}", party);
        }
    }
}

/// What texts are made of that nobody expects in a name.
const ODD: [&str; 24] = [
    "\u{0}",
    "\u{1}",
    "\t",
    "\r\n",
    "\u{7f}",
    "\u{85}",
    "\u{200b}",
    "\u{200e}",
    "\u{200f}",
    "\u{202a}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{feff}",
    "\u{301}",
    "\u{fdfa}",
    "\u{fffd}",
    "\u{10ffff}",
    "/",
    "(",
    ")",
    "a.k.a.",
    "&",
    "ﷺ",
];

/// A text of up to ten thousand bytes, of names' words, odd characters and any others.
fn fuzzed(chance: &mut perturbation::Chance) -> String {
    let longest = [20, 60, 200, 10_000][chance.below(4)];
    let words = [
        "Sergey",
        "Lavrov",
        "Trading",
        "Ltd",
        "ООО",
        "محمد",
        "בנק",
        "北京",
        "แสง",
        "44",
        "x",
        "A.B.",
        "kompaniya",
    ];
    let mut text = String::new();
    while text.len() < longest {
        match chance.below(6) {
            0 | 1 => text.push_str(words[chance.below(words.len())]),
            2 => text.push_str(ODD[chance.below(ODD.len())]),
            3 => text.push_str(&ODD[chance.below(ODD.len())].repeat(1 + chance.below(200))),
            4 => text.extend(u32::try_from(chance.below(0x0011_0000)).ok().and_then(char::from_u32)),
            _ => text.push(' '),
        }
    }
    let end = (0..=10_000.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    text
}

/// That the work is bounded is asserted where it is done: so many characters and words of a name count and no more
/// (`whatever_is_written_there_are_few_words_of_bounded_length`). Here the slowest is printed.
#[test]
fn ten_thousand_fuzzed_texts_are_compared_and_searched() {
    let listed = [
        "Rosoboron eksport \u{202e}OAO 44",
        "LAVROV, Sergey / TRADING, Beijing",
        "Zorkan Trading a.k.a. Velunda Bank",
    ];
    let entries = listed.iter().zip(["1", "2", "3"]).map(|(name, id)| organisation(id, name)).collect();
    let published = kyb_lists::directory::load(Path::new("../../../shared/data/ofac-2019"));
    let published = published.expect("the list of 2019 is test data").into_iter();
    let lists: Vec<_> = published.map(|list| Arc::new(list.watchlist)).chain([list("l", entries)]).collect();
    let screener = Screener::build(&lists);
    let mut chance = perturbation::Chance::seeded(11_420);
    let (mut slowest, mut before) = ((Duration::ZERO, 0), String::from("Sergey Lavrov"));
    for _ in 0..10_000 {
        let text = fuzzed(&mut chance);
        let began = Instant::now();
        let kind = KINDS[chance.below(3)];
        for other in [listed[chance.below(3)], &before] {
            let score = score_names(kind, &text, other).get();
            assert!((0.0..=1.0).contains(&score), "{text:?} {other:?}");
            assert!((score - score_names(kind, other, &text).get()).abs() < 1e-9, "{text:?} {other:?}");
        }
        if let Ok(name) = Name::try_from(text.as_str()) {
            screener.search(&Party::named(kind, name), &SearchOptions::default());
        }
        slowest = slowest.max((began.elapsed(), text.len()));
        before = text;
    }
    println!(
        "slowest of 10,000 fuzzed texts, four comparisons and a search of a real list: {:?} for {} bytes",
        slowest.0, slowest.1
    );
}
