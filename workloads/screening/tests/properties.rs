//! What holds for any two names.

mod builders;

use builders::{With, business, list, organisation};
use kyb_domain::{party::PartyKind, score::Score, text::Name};
use kyb_screening::{DEFAULT_THRESHOLD, Screener, SearchOptions, score_names};
use proptest::prelude::*;

const KINDS: [PartyKind; 3] = [PartyKind::Person, PartyKind::Business, PartyKind::Unknown];

/// Legal forms and words that half of all bodies have.
const COMMON: [&str; 9] = ["Ltd", "OAO", "CORP.", "the", "of", "and", "Trading", "Company", "International"];

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
    fn letters_of_any_kind_and_length_are_compared_in_bounded_time(a in "(?s).{0,400}", times in 1_usize..40) {
        let long = a.repeat(times);
        let started = std::time::Instant::now();
        for kind in KINDS {
            let score = score_names(kind, &long, "Rosoboron eksport \u{202e}OAO 44").get();
            prop_assert!((0.0..=1.0).contains(&score));
        }
        // Forty words by forty take well under a millisecond; the rest is for machines that are busy.
        prop_assert!(started.elapsed() < std::time::Duration::from_secs(2));
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
}
