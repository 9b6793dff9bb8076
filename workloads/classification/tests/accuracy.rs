//! How often the code is right, on phrases that describe establishments, and what ordinary firms get.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where its own input is wrong")]

use std::{collections::BTreeMap, time::Instant};

use kyb_classification::{FLOOR, METHOD, VERSION, classify, code_title};
use kyb_domain::{
    classification::IndustryCode,
    text::{FreeText, Name},
};
use proptest::prelude::*;

fn described(text: &str) -> Vec<IndustryCode> {
    classify(None, Some(&FreeText::try_from(text).unwrap()), 3).results
}

#[test]
fn ordinary_firms_get_the_code_that_a_person_would_give() {
    let mut wrong = vec![];
    for (text, code) in [
        ("Bakery selling bread, rolls and cakes over the counter", "311811"),
        ("Retail bakery", "311811"),
        ("Law firm for family and inheritance matters", "541110"),
        ("Dentist practice", "621210"),
        ("Long-distance general freight trucking", "484121"),
        ("Publisher of accounting software", "513210"),
        ("Full-service Italian restaurant", "722511"),
        ("Plumber for heating and bathrooms", "238220"),
        ("Casino", "713210"),
        ("Brewery", "312120"),
        ("Hotel with 40 rooms", "721110"),
        ("Soybean farm", "111110"),
        ("Pharmacy", "456110"),
        ("Electrician", "238210"),
        ("Veterinary clinic", "541940"),
    ] {
        let results = described(text);
        if results.first().map(|best| best.code.as_str()) != Some(code) {
            wrong.push(format!(
                "{text}: {code}, not {:?}",
                results.iter().map(|r| (&r.code, &r.title)).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn evidence_names_the_words_that_spoke_for_a_code() {
    let best = &described("Bakery selling bread, rolls and cakes over the counter")[0];
    assert_eq!((best.title.as_str(), best.rank), ("Retail Bakeries", 1));
    assert!(
        best.evidence.iter().any(|line| line.contains("bakeries") && line.contains("bakery")),
        "{:?}",
        best.evidence
    );
    assert!(
        best.evidence.iter().any(|line| line.contains("retail") && line.contains("selling")),
        "{:?}",
        best.evidence
    );
}

#[test]
fn too_little_gets_no_result_rather_than_a_guess() {
    for text in [
        "",
        "We are the best in town",
        "Solutions for tomorrow",
        "xyzzy",
        "12345",
        "quality and passion since 1950",
    ] {
        assert_eq!(described(text), vec![], "{text}");
    }
    let name = Name::try_from("Acme Holdings Ventures Zeta").unwrap();
    let results = classify(Some(&Name::try_from("Zyx").unwrap()), None, 5).results;
    assert!(results.is_empty(), "{results:?}");
    assert!(classify(Some(&name), None, 0).results.is_empty(), "none were asked for");
    assert!(classify(None, None, 5).results.is_empty());
}

/// One phrase's outcome: confidence of the best code, whether it is right, whether one of three is.
struct Outcome {
    confidence: f64,
    first: bool,
    third: bool,
}

fn measured() -> (usize, Vec<Outcome>) {
    let path = "../../../shared/data/naics/index_phrases_dev.csv";
    let mut reader =
        csv::Reader::from_path(path).expect("the development phrases are part of the shared test data");
    let rows: Vec<(String, String)> = reader.deserialize().map(Result::unwrap).collect();
    let outcome = |(code, phrase): &(String, String)| {
        let results = described(phrase);
        let right = |result: &IndustryCode| result.code == *code;
        let confidence = results.first()?.confidence.get();
        Some(Outcome { confidence, first: right(&results[0]), third: results.iter().any(right) })
    };
    (rows.len(), rows.iter().filter_map(outcome).collect())
}

#[expect(clippy::cast_precision_loss, reason = "thousands of phrases")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

#[test]
fn accuracy_on_the_development_phrases_does_not_fall() {
    let begun = Instant::now();
    let (all, outcomes) = measured();
    let each = begun.elapsed() / u32::try_from(all).unwrap();
    let count = |right: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| right(outcome)).count();
    let (first, third) = (count(|outcome| outcome.first), count(|outcome| outcome.third));
    println!("{METHOD}/{VERSION}, floor {FLOOR}: {all} phrases, {each:?} each");
    println!("answered {:.3}", share(outcomes.len(), all));
    println!("right first: {:.3} of all, {:.3} of answered", share(first, all), share(first, outcomes.len()));
    println!(
        "right among three: {:.3} of all, {:.3} of answered",
        share(third, all),
        share(third, outcomes.len())
    );
    let mut bands: BTreeMap<u32, (usize, usize, f64)> = BTreeMap::new();
    for outcome in &outcomes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let band = bands.entry((outcome.confidence * 10.0) as u32).or_default();
        *band = (band.0 + 1, band.1 + usize::from(outcome.first), band.2 + outcome.confidence);
    }
    for (band, (answered, right, confidence)) in &bands {
        let (said, was) = (confidence / share(*answered, 1), share(*right, *answered));
        println!(
            "confidence {:.1}: {answered} answered, said {said:.2}, right {was:.2}",
            f64::from(*band) / 10.0
        );
    }
    assert!(share(first, all) >= 0.33, "right first fell to {:.3}", share(first, all));
    assert!(share(third, all) >= 0.44, "right among three fell to {:.3}", share(third, all));
}

#[test]
fn the_longest_text_is_read_in_reasonable_time() {
    let phrase = "wholesale bakery equipment repair, software for farms, retail of shoes and general freight trucking; ";
    let text: String = phrase.repeat(200).chars().take(10_000).collect();
    described(&text); // builds the index
    let begun = Instant::now();
    assert!(!described(&text).is_empty());
    let took = begun.elapsed();
    println!("10,000 characters took {took:?}");
    assert!(took.as_millis() < 250, "{took:?}");
}

#[test]
fn a_known_code_has_a_title() {
    assert_eq!(code_title("541110"), Some("Offices of Lawyers"));
    assert_eq!(code_title("54111"), Some("Offices of Lawyers"));
    assert_eq!(code_title("0"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer_that_is_in_order_and_the_same_again(text in "[\\PC]{0,200}") {
        let text = FreeText::try_from(text).unwrap();
        let answer = classify(None, Some(&text), 5);
        prop_assert_eq!(&answer, &classify(None, Some(&text), 5));
        prop_assert!(answer.results.len() <= 5);
        prop_assert!(answer.results.is_sorted_by(|a, b| a.rank < b.rank));
        prop_assert!(answer.results.iter().all(|result| result.confidence.get() >= FLOOR && !result.evidence.is_empty()));
    }
}
