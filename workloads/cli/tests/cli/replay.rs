//! `kyb screen replay`.

use serde_json::{Value, json};

use crate::program::{copy_of_example_list, example_list, kyb, kyb_reading, shared};

/// A screening with matches, as the program gives it.
fn recorded(list: &str) -> Value {
    let party = ["--name", "Muhammad Ali", "--type", "person", "--country", "IQ", "--threshold", "0.6"];
    let ran =
        kyb(&[&["screen", "--limit", "3"], &party[..], &["--lists", list, "--output", "json"]].concat());
    assert_eq!(ran.code, 10, "{ran:?}");
    ran.json()
}

fn replay(screening: &Value, lists: &[&str]) -> crate::program::Ran {
    let arguments = [&["screen", "replay", "--input", "-", "--output", "json", "--lists"], lists].concat();
    kyb_reading(screening.to_string(), &arguments)
}

#[test]
fn a_screening_comes_out_as_it_was_recorded_among_other_versions_too() {
    let list = shared("ofac-2019");
    let mut screening = recorded(&list);
    assert_eq!(screening["matches_truncated"], true, "a limit of three is part of what must come out again");
    // What people said since is not part of it.
    screening["matches"][0]["status"] = json!("confirmed");
    let ran = replay(&screening, &[&example_list(), &list]);
    assert_eq!((ran.code, &ran.json()["same"]), (0, &json!(true)), "{ran:?}");
    assert_eq!(ran.json()["matches"].as_array().map(Vec::len), Some(3));
}

#[test]
fn what_was_changed_in_the_recording_is_named() {
    let list = shared("ofac-2019");
    let mut screening = recorded(&list);
    let score = screening["matches"][1]["score"].take();
    screening["matches"][1]["score"] = json!(0.1234);
    screening["matches"][2]["features"][0]["detail"] = json!("something else");
    let ran = replay(&screening, &[&list]);
    let differences = ran.json()["differences"].clone();
    assert_eq!(ran.code, 1, "{ran:?}");
    let expected = json!({"pointer": "/matches/1/score", "recorded": 0.1234, "replayed": score});
    assert_eq!(differences[0], expected);
    assert_eq!(differences[1]["pointer"], "/matches/2/features/0/detail");
    assert_eq!(differences.as_array().map(Vec::len), Some(2));
    let arguments = ["screen", "replay", "--input", "-", "--lists", &list];
    let told = kyb_reading(screening.to_string(), &arguments).stdout;
    assert!(told.contains("2 values differ") && told.contains("/matches/1/score: recorded 0.1234"), "{told}");
}

#[test]
fn without_its_version_or_its_algorithm_nothing_is_replayed() {
    let list = shared("ofac-2019");
    let screening = recorded(&list);
    let sha256 = screening["list_versions"][0]["version"]["sha256"].as_str().unwrap();
    // A folder with the same list in another version.
    let other = copy_of_example_list();
    let ran = replay(&screening, &[other.path().to_str().unwrap()]);
    assert!(ran.code == 2 && ran.stderr.contains(sha256), "{ran:?}");

    let mut older = screening.clone();
    older["algorithm"] = json!("kyb-names/1");
    let ran = replay(&older, &[&list]);
    assert!(ran.code == 2 && ran.stderr.contains("made by kyb-names/1"), "{ran:?}");

    let ran = replay(&json!({"status": "no_hit"}), &[&list]);
    assert!(ran.code == 2 && ran.stderr.contains("is no screening"), "{ran:?}");
}
