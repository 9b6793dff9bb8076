//! What is generated and committed is what the types say.

use std::{collections::BTreeMap, fs, path::Path};

fn committed(folder: &str) -> std::io::Result<BTreeMap<String, String>> {
    let folder = Path::new("..").join(folder);
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?))
    };
    fs::read_dir(folder)?.map(read).collect()
}

fn assert_same(folder: &str, committed: &BTreeMap<String, String>, wanted: Vec<(String, String)>) {
    let wanted = BTreeMap::from_iter(wanted);
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>(),
        "{folder}: run `make crds`"
    );
    for (name, text) in wanted {
        assert!(committed[&name] == text, "{folder}/{name} is not what the types say: run `make crds`");
    }
}

#[test]
fn the_committed_definitions_are_those_of_the_types() {
    assert_same("crds/yaml", &committed("crds/yaml").unwrap(), kyb_crds::yaml().unwrap());
}

#[test]
fn the_committed_pages_are_those_of_the_types() {
    let folder = "docs/kinds/reference";
    assert_same(folder, &committed(folder).unwrap(), kyb_crds::field_table::pages());
}

#[test]
fn the_files_are_sorted_and_small() {
    let files = kyb_crds::yaml().unwrap();
    assert!(files.is_sorted());
    for (name, text) in files {
        assert!(text.len() < 150_000, "{name} has {} bytes", text.len());
    }
}
