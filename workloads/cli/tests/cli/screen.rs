//! `kyb screen`.

use crate::program::{copy_of_example_list, cut, example_list, kyb, shared};

#[test]
fn the_exit_code_tells_a_hit_from_none() {
    let list = shared("ofac-2019");
    let hit = kyb(&[
        "screen",
        "--name",
        "Rosoboronexport",
        "--type",
        "business",
        "--country",
        "RU",
        "--lists",
        &list,
    ]);
    assert_eq!(hit.code, 10, "{hit:?}");
    assert!(hit.stdout.contains("in_review") && hit.stdout.contains("18782"), "{}", hit.stdout);
    let clear = kyb(&["screen", "--name", "Backhaus Morgenrot", "--lists", &list, "--output", "json"]);
    assert_eq!((clear.code, &clear.json()["status"]), (0, &"no_hit".into()), "{clear:?}");
}

#[test]
fn everything_known_of_a_party_reaches_the_search() {
    let ran = kyb(&[
        "screen",
        "--name",
        "Kim Jong Un",
        "--type",
        "person",
        "--alias",
        "Kim Chong-un",
        "--country",
        "KP",
        "--birth-date",
        "1984-01",
        "--identifier",
        "passport=A1",
        "--threshold",
        "0.5",
        "--limit",
        "1",
        "--lists",
        &example_list(),
        "--output",
        "json",
    ]);
    let screening = ran.json();
    let expected = serde_json::json!({
        "type": "person",
        "name": "Kim Jong Un",
        "aliases": ["Kim Chong-un"],
        "countries": ["KP"],
        "birth_date": "1984-01",
        "identifiers": [{"kind": "passport", "value": "A1"}],
    });
    assert_eq!(screening["subject"], expected);
    assert_eq!(screening["threshold"], 0.5);
    assert_eq!(screening["matches"].as_array().map(Vec::len), Some(1), "--limit");
    assert_eq!(screening["matches"][0]["entry_id"], "20157");
}

#[test]
fn nothing_found_on_a_list_that_is_missing_is_an_error_and_a_damaged_one_ends_it() {
    let list = example_list();
    let ran =
        kyb(&["screen", "--name", "Backhaus Morgenrot", "--lists", &list, "--wanted", "un-consolidated"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("LIST_MISSING"), "{}", ran.stdout);
    let damaged = copy_of_example_list();
    cut(damaged.path(), "alt.csv", 700);
    let ran = kyb(&["screen", "--name", "Backhaus Morgenrot", "--lists", damaged.path().to_str().unwrap()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    let ran = kyb(&["screen", "--name", "Backhaus Morgenrot", "--lists", "/nowhere"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
}
