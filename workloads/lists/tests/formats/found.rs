//! The samples as they lie in folders.

use std::path::PathBuf;

use kyb_lists::{ListFormat, Parsed, directory};

fn folder(name: &str) -> PathBuf {
    ["tests/samples", name].iter().collect()
}

#[test]
fn each_list_is_told_by_how_its_file_begins() {
    for (name, list, format, entries) in [
        ("ofac-xml", "ofac-sdn", ListFormat::OfacXml, 4),
        ("eu-xml", "eu-consolidated", ListFormat::EuXml, 3),
        ("uk-xml", "uk-sanctions", ListFormat::UkXml, 3),
        ("uk-csv", "uk-sanctions", ListFormat::UkCsv, 3),
        ("open-sanctions", "opensanctions", ListFormat::OpenSanctions, 5),
        ("open-sanctions-nested", "opensanctions", ListFormat::OpenSanctions, 2),
        ("senzing", "senzing", ListFormat::Senzing, 3),
        ("own-csv", "own", ListFormat::OwnCsv, 4),
    ] {
        let found: Vec<Parsed> = directory::load(&folder(name)).expect(name);
        let [Parsed { watchlist, .. }] = &found[..] else { panic!("{name} holds one list") };
        let version = &watchlist.version;
        assert_eq!(
            (version.list.as_str(), version.format, version.entries),
            (list, format, entries),
            "{name}"
        );
        let given = "my-list".try_into().expect("a list's name");
        let mine = directory::load_one(&folder(name), &given, format).expect(name);
        assert_eq!(mine.watchlist.entries, watchlist.entries, "{name}");
    }
}

#[test]
fn one_list_in_two_formats_is_one_list_too_many() {
    let refused = directory::load(&folder("")).expect_err("OpenSanctions and the UK twice").to_string();
    assert!(refused.starts_with("list opensanctions is there twice, in "), "{refused}");
}
