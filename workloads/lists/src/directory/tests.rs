use std::fs;

use tempfile::TempDir;

use super::*;

const PRIMARY: &str = "1,\"FIRM\",-0- ,\"SDGT\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1a";
const ALIAS: &str = "1,10,\"aka\",\"FIRM LTD\",-0- \r\n\x1a";
const ADDRESS: &str = "1,20,-0- ,-0- ,\"Cuba\",-0- \r\n\x1a";
const UN: &str = "<CONSOLIDATED_LIST dateGenerated=\"2026-02-27T00:00:09Z\"><INDIVIDUALS/><ENTITIES><ENTITY><DATAID>7</DATAID>\
                  <FIRST_NAME>ADF</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn names(lists: &[Parsed]) -> Vec<&str> {
    lists.iter().map(|parsed| parsed.watchlist.version.list.as_str()).collect()
}

fn refusal(files: &[(&str, &str)]) -> String {
    load(folder(files).path()).expect_err("refused").to_string()
}

#[test]
fn lists_are_found_in_a_folder_and_right_below_it() {
    let folder = folder(&[
        ("SDN.CSV", PRIMARY),
        ("Alt.csv", ALIAS),
        ("add.csv", ADDRESS),
        ("README.md", "words"),
        ("cons/cons_prim.csv", PRIMARY),
        ("cons/cons_alt.csv", ALIAS),
        ("cons/cons_add.csv", ADDRESS),
        ("un/consolidated.xml", UN),
        ("..data/sdn.csv", PRIMARY),
        ("deep/er/sdn.csv", PRIMARY),
    ]);
    let lists = load(folder.path()).unwrap();
    assert_eq!(names(&lists), ["ofac-consolidated", "ofac-sdn", "un-consolidated"]);
    let versions: Vec<_> = lists.iter().map(|parsed| &parsed.watchlist.version).collect();
    assert_eq!(versions[1].published_by, PublishedBy::FileTime);
    assert_eq!(
        (versions[2].published_by, versions[2].published),
        (PublishedBy::Document, "2026-02-27".parse().unwrap())
    );
    assert_eq!(versions.iter().map(|version| version.entries).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn a_list_is_as_old_as_its_oldest_file() {
    let folder = folder(&[("sdn.csv", PRIMARY), ("alt.csv", ALIAS), ("add.csv", ADDRESS)]);
    let file = fs::File::options().write(true).open(folder.path().join("alt.csv")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(24 * 365)).unwrap();
    let lists = load(folder.path()).unwrap();
    assert_eq!(lists[0].watchlist.version.published, "1971-01-01".parse().unwrap());
}

#[test]
fn a_part_of_a_list_is_never_passed_over() {
    let words = refusal(&[("sdn.csv", PRIMARY), ("add.csv", ADDRESS), ("un.xml", UN)]);
    assert!(words.contains("has sdn.csv, add.csv but not alt.csv"), "{words}");
    let words = refusal(&[("un.xml", UN), ("a/cons_alt.csv", ALIAS)]);
    assert!(words.contains("has cons_alt.csv but not cons_prim.csv, cons_add.csv"), "{words}");
}

#[test]
fn the_same_list_twice_is_refused() {
    let words = refusal(&[("a/un.xml", UN), ("b/consolidated.xml", UN)]);
    assert!(words.starts_with("list un-consolidated is there twice, in "), "{words}");
    let words =
        refusal(&[("sdn.csv", PRIMARY), ("SDN.csv", PRIMARY), ("alt.csv", ALIAS), ("add.csv", ADDRESS)]);
    assert!(words.ends_with("sdn.csv is there twice"), "{words}");
}

#[test]
fn one_list_in_two_formats_is_refused() {
    let words = refusal(&[
        ("csv/sdn.csv", PRIMARY),
        ("csv/alt.csv", ALIAS),
        ("csv/add.csv", ADDRESS),
        ("xml/sdn_advanced.xml", "<Sanctions>"),
    ]);
    assert!(words.starts_with("list ofac-sdn is there twice, in "), "{words}");
}

#[test]
fn what_looks_like_a_list_and_is_none_is_refused_and_not_passed_over() {
    for (name, text, words) in [
        ("sdn.xml", "<sdnList/>", "its root is sdnList"),
        ("eu.xml", "", "it begins with no root element"),
        ("eu.xml", "{}", "it begins with no root element"),
        ("index.json", "{\"name\":\"sanctions\"}", "its first line is no entity of OpenSanctions"),
        ("uk.csv", "<!DOCTYPE html><html>", "it is called csv and is no table"),
    ] {
        let refused = refusal(&[("un.xml", UN), (name, text)]);
        let expected = format!("{name}: is no list that can be read ({words}");
        assert!(refused.contains(&expected), "{refused}");
    }
}

#[test]
fn a_table_of_something_else_is_passed_over() {
    let folder = folder(&[
        ("un.xml", UN),
        ("hits.csv", "id,status,rank\n1,hit,1\n"),
        ("sdn_comments.csv", "36,\"x\"\n"),
    ]);
    assert_eq!(names(&load(folder.path()).unwrap()), ["un-consolidated"]);
}

#[test]
fn two_gigabytes_of_zeros_are_refused_by_their_beginning() {
    for name in ["list.xml", "list.json", "list.csv", "cons_add.csv"] {
        let folder =
            folder(&[("cons_prim.csv", PRIMARY), ("cons_alt.csv", ALIAS), ("cons_add.csv", ADDRESS)]);
        let file = fs::File::create(folder.path().join(name)).unwrap();
        file.set_len(2 << 30).unwrap(); // a sparse file: read whole, it would take two gigabytes of memory
        let refused = load(folder.path()).expect_err(name).to_string();
        assert!(refused.contains(name), "{refused}");
    }
}

#[test]
fn a_folder_without_lists_says_what_it_expects() {
    let words = refusal(&[("README.md", "words")]);
    assert!(
        words.contains(
            "holds no watchlist; expected, there or in a folder directly below: OFAC's sdn.csv, alt.csv and add.csv"
        ),
        "{words}"
    );
    let words = load(Path::new("/nowhere/at/all")).unwrap_err().to_string();
    assert!(words.starts_with("can't read /nowhere/at/all: "), "{words}");
}

#[test]
fn one_known_list_is_read_under_the_name_it_was_given() {
    let folder = folder(&[("sdn.csv", PRIMARY), ("alt.csv", ALIAS), ("add.csv", ADDRESS), ("un.xml", UN)]);
    let mine: ListId = "my-list".try_into().unwrap();
    for format in [ListFormat::OfacCsv, ListFormat::UnXml] {
        let parsed = load_one(folder.path(), &mine, format).unwrap();
        assert_eq!(
            (parsed.watchlist.version.list.as_str(), parsed.watchlist.version.format),
            ("my-list", format)
        );
    }
    let found = files(folder.path(), &mine, ListFormat::OfacCsv).unwrap();
    assert_eq!(
        found.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        ["sdn.csv", "alt.csv", "add.csv"]
    );
}

#[test]
fn of_two_lists_in_one_folder_the_name_tells_which() {
    let folder = folder(&[
        ("sdn.csv", PRIMARY),
        ("alt.csv", ALIAS),
        ("add.csv", ADDRESS),
        ("cons_prim.csv", PRIMARY),
        ("cons_alt.csv", ALIAS),
        ("cons_add.csv", ADDRESS),
    ]);
    let named = |name: &str| files(folder.path(), &name.try_into().unwrap(), ListFormat::OfacCsv);
    assert_eq!(named("ofac-consolidated").unwrap().files[0].name, "cons_prim.csv");
    assert_eq!(named("ofac-sdn").unwrap().files[0].name, "sdn.csv");
    assert!(
        named("my-list").unwrap_err().to_string().contains("no OFAC list as csv that is clearly my-list")
    );
}
