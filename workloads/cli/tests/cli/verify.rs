//! `kyb verify`.

use crate::program::{copy_of_example_list, cut, example_list, kyb, kyb_reading, shared};

#[test]
fn a_sanctioned_company_is_rejected_by_name_and_country() {
    for list in [example_list(), shared("ofac-2019")] {
        let ran = kyb(&[
            "verify",
            "--name",
            "Rosoboroneksport OAO",
            "--country",
            "RU",
            "--lists",
            &list,
            "--output",
            "json",
        ]);
        let verification = ran.json();
        assert_eq!(ran.code, 11, "{ran:?}");
        assert_eq!(verification["decision"]["outcome"], "reject");
        assert_eq!(verification["status"], "completed");
        let found = &verification["screenings"][0]["matches"][0];
        assert_eq!((&found["list"], &found["entry_id"]), (&"ofac-sdn".into(), &"18782".into()));
        assert_eq!(verification["screenings"][0]["list_versions"][0]["version"]["list"], "ofac-sdn");
        assert_eq!(ran.stderr, "", "nothing but errors where standard error is no terminal");
    }
}

#[test]
fn a_name_match_alone_is_reviewed() {
    let ran = kyb(&["verify", "--name", "Rosoboroneksport OAO", "--lists", &example_list()]);
    assert_eq!(ran.code, 10, "{ran:?}");
    for part in ["REVIEW", "WATCHLIST_NAME_MATCH", "18782", "ROSOBORONEKSPORT OAO", "searched ofac-sdn 2"] {
        assert!(ran.stdout.contains(part), "{part} is not in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "no colour where standard output is no terminal");
}

#[test]
fn every_flag_reaches_the_request() {
    let ran = kyb(&[
        "verify",
        "--name",
        "Backhaus Morgenrot GmbH",
        "--trading-name",
        "Morgenrot",
        "--country",
        "DE",
        "--lei",
        "529900SEOICVR2VM6Y05",
        "--registry-number",
        "HRB 12345",
        "--tax-id",
        "DE123456789",
        "--legal-form",
        "GmbH",
        "--street",
        "Lindenweg 12",
        "--city",
        "Rostock",
        "--postal-code",
        "18055",
        "--website",
        "example.org",
        "--description",
        "bakery selling bread over the counter",
        "--incorporated-on",
        "1999-04",
        "--owner",
        "Erika Mustermann:DE",
        "--owner",
        "Max Mustermann",
        "--lists",
        &example_list(),
        "--output",
        "json",
    ]);
    let request = &ran.json()["request"]["business"];
    let expected = serde_json::json!({
        "name": "Backhaus Morgenrot GmbH",
        "trading_names": ["Morgenrot"],
        "country": "DE",
        "legal_form": "GmbH",
        "address": {"street": "Lindenweg 12", "city": "Rostock", "postal_code": "18055", "country": "DE"},
        "identifiers": [
            {"kind": "lei", "value": "529900SEOICVR2VM6Y05"},
            {"kind": "registry_number", "value": "HRB 12345", "country": "DE"},
            {"kind": "tax_id", "value": "DE123456789", "country": "DE"},
        ],
        "incorporated_on": "1999-04",
        "website": "example.org",
        "description": "bakery selling bread over the counter",
        "owners": [
            {"party": {"type": "unknown", "name": "Erika Mustermann", "countries": ["DE"]}, "role": "beneficial_owner"},
            {"party": {"type": "unknown", "name": "Max Mustermann"}, "role": "beneficial_owner"},
        ],
    });
    assert_eq!(request, &expected);
    assert_eq!(ran.json()["screenings"].as_array().map(Vec::len), Some(3), "the business and both owners");
    assert_eq!(ran.code, 10, "no source confirms it, so a person has to look: {ran:?}");
}

#[test]
fn a_business_can_come_as_json_whole_or_bare() {
    let bare = r#"{"name": "Rosoboroneksport OAO", "country": "RU"}"#;
    let whole = format!("\u{feff}{{\"business\": {bare}, \"reference\": \"case 7\"}}");
    for body in [bare, &whole] {
        let ran =
            kyb_reading(body, &["verify", "--input", "-", "--lists", &example_list(), "--output", "json"]);
        assert_eq!(ran.code, 11, "{ran:?}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"business": {"name": "X1", "colour": "red"}}"#).unwrap();
    let ran = kyb(&["verify", "--input", file.path().to_str().unwrap(), "--lists", &example_list()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("colour") && ran.stderr.contains("line 1"), "{}", ran.stderr);
}

#[test]
fn a_policy_of_ones_own_decides() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let verify = |policy: &str| {
        std::fs::write(path, policy).unwrap();
        kyb(&[
            "verify",
            "--name",
            "Backhaus Morgenrot",
            "--policy",
            path,
            "--lists",
            &example_list(),
            "--output",
            "json",
        ])
    };
    let ran = verify("rules:\n  - {name: never, when: \"true\", then: reject}\n");
    assert_eq!((ran.code, &ran.json()["decision"]["rule"]), (11, &"never".into()));
    for bad in ["rules:\n  - {name: broken, when: \"1 +\", then: reject}\n", "rulse: []\n"] {
        let ran = verify(bad);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
    }
}

#[test]
fn a_list_that_is_not_whole_ends_it_before_any_answer() {
    let list = copy_of_example_list();
    let folder = list.path().to_str().unwrap();
    let verify = || kyb(&["verify", "--name", "Backhaus Morgenrot", "--lists", folder, "--output", "json"]);
    assert_eq!(verify().json()["screenings"][0]["status"], "no_hit", "while it is whole");
    cut(list.path(), "sdn.csv", 2000);
    let ran = verify();
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("sdn.csv") && ran.stderr.contains("help: "), "{}", ran.stderr);
}

#[test]
fn a_missing_or_old_list_is_never_a_clear_screening() {
    let list = example_list();
    for (extra, code) in
        [(["--wanted", "ofac-sdn,un-consolidated"], "LIST_MISSING"), (["--max-list-age", "0s"], "LIST_STALE")]
    {
        let copy = copy_of_example_list();
        let old = std::time::SystemTime::now() - std::time::Duration::from_hours(72);
        for name in ["sdn.csv", "alt.csv", "add.csv"] {
            std::fs::File::options()
                .write(true)
                .open(copy.path().join(name))
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        let folder = copy.path().to_str().unwrap();
        let ran = kyb(&[
            &["verify", "--name", "Backhaus Morgenrot", "--lists", folder, "--output", "json"],
            &extra[..],
        ]
        .concat());
        assert_eq!(ran.code, 10, "{ran:?}");
        assert_eq!(ran.json()["screenings"][0]["status"], "error");
        assert!(ran.stdout.contains(code), "{code}");
    }
    let twice = kyb(&["verify", "--name", "X1", "--lists", &list, &shared("ofac-2019")]);
    assert_eq!(twice.code, 2, "which of the two is meant? {twice:?}");
}
