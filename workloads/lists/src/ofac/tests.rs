//! A small list written like the publisher's, and everything that may happen to it on its way here.

use kyb_domain::country::CountryCode;
use proptest::prelude::*;

use super::*;
use crate::{Entry, EntryKind, NameKind};

const PRIMARY: &str = r#"36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- 
306,"BANCO NACIONAL DE CUBA",-0- ,"CUBA] [SDGT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. 'BNC'."
2674,"ABBAS, Abu","individual","SDT","Director of ""PLF""",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 10 Dec 1948; nationality Iraq."
15039,"ARNICA","vessel","IRAN",-0- ,"T2ES4","Tanker","99,144","56,068","Panama","NITC","Vessel Registration Identification IMO 9187643."
15440,"EP-MNI","aircraft","SDGT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. ""O'BRIEN; A320""; Linked To: MAHAN AIR."
"#;
const ALIAS: &str = r#"36,12,"aka","AERO-CARIBBEAN",-0- 
306,220,"fka","NATIONAL BANK OF CUBA",-0- 
306,221,"nka","CUBAN ""STATE"" BANK",-0- 
15440,300,"aka","EP-MNI 2",-0- 
"#;
const ADDRESS: &str = r#"36,25,-0- ,"Havana","Cuba",-0- 
306,199,"Zweierstrasse 35","Zurich CH-8022","Switzerland",-0- 
306,200,-0- ,-0- ,-0- ,-0- 
2674,2000,-0- ,"Gaza","Palestinian",-0- 
15039,2001,-0- ,-0- ,-0- ,-0- 
15440,2002,-0- ,-0- ,"Iran",-0- 
"#;

/// The three files, with the publisher's line ends and, where `marked`, its last byte.
fn trio(marked: bool) -> Vec<SourceFile> {
    let file = |(name, text): (&str, &str)| {
        let mut bytes = text.replace('\n', "\r\n").into_bytes();
        bytes.extend(marked.then_some(crate::source::END_OF_FILE));
        SourceFile { name: name.into(), bytes }
    };
    [("sdn.csv", PRIMARY), ("alt.csv", ALIAS), ("add.csv", ADDRESS)].map(file).into()
}

fn id() -> ListId {
    "ofac-sdn".try_into().unwrap()
}

fn entries(files: &[SourceFile]) -> Result<Vec<Entry>, ListError> {
    read(&id(), files).map(|contents| contents.entries)
}

/// The refusal of a list in which `from` was replaced by `to` in the file `name`.
fn refusal(name: &str, from: &str, to: &str) -> String {
    let mut files = trio(true);
    let file = files.iter_mut().find(|file| file.name == name).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    assert!(text.contains(from), "{from} is in {name}");
    file.bytes = text.replacen(from, to, 1).into_bytes();
    entries(&files).expect_err("a fault is refused").to_string()
}

#[test]
fn every_part_of_an_entry_is_read() {
    use EntryKind::{Aircraft, Organization, Person, Vessel};

    let found = entries(&trio(true)).unwrap();
    let names = |entry: &Entry| entry.names.iter().map(|n| (n.kind, n.text.clone())).collect::<Vec<_>>();
    let kinds: Vec<EntryKind> = found.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Organization, Organization, Person, Vessel, Aircraft]);
    assert_eq!(
        names(&found[1]),
        [
            (NameKind::Primary, "BANCO NACIONAL DE CUBA".to_owned()),
            (NameKind::Former, "NATIONAL BANK OF CUBA".to_owned()),
            (NameKind::NowKnownAs, "CUBAN \"STATE\" BANK".to_owned()),
            (NameKind::Weak, "BNC".to_owned()),
        ]
    );
    assert_eq!(found[1].programs, ["CUBA", "SDGT"]);
    assert_eq!(found[1].addresses, ["Zweierstrasse 35, Zurich CH-8022, Switzerland"]);
    assert_eq!(
        found[1].countries.iter().map(CountryCode::as_str).collect::<Vec<_>>(),
        ["CH"],
        "a programme is no country"
    );
    assert_eq!(found[2].countries.iter().map(CountryCode::as_str).collect::<Vec<_>>(), ["PS", "IQ"]);
    assert_eq!(found[2].birth_dates.len(), 1);
    assert_eq!(
        found[2].remarks.as_deref(),
        Some("DOB 10 Dec 1948; nationality Iraq. Title: Director of \"PLF\".")
    );
    assert_eq!(found[3].countries.iter().map(CountryCode::as_str).collect::<Vec<_>>(), ["PA"]);
    let numbers: Vec<&str> = found[3].identifiers.iter().map(|i| i.value.as_str()).collect();
    assert_eq!(numbers, ["T2ES4", "9187643"]);
    assert_eq!(names(&found[4])[2], (NameKind::Weak, "O'BRIEN; A320".to_owned()));
}

#[test]
fn every_fault_is_named_with_file_line_and_field() {
    for (file, from, to, words) in [
        ("sdn.csv", "306,", "36,", "sdn.csv, line 2, field 1: entry 36 is there twice"),
        ("sdn.csv", "306,", "x,", "sdn.csv, line 2, field 1: must be a number of 1 to 10 digits"),
        ("sdn.csv", "\"ARNICA\"", "-0- ", "sdn.csv, line 4, field 2: entry 15039 has no name"),
        ("sdn.csv", "\"ARNICA\",", "", "sdn.csv, line 4: has 11 fields instead of 12"),
        ("sdn.csv", "ARNICA", "ARN\0ICA", "sdn.csv, line 4, column 11: holds the control character 0x00"),
        (
            "alt.csv",
            "36,12",
            "37,12",
            "alt.csv, line 1, field 1: names entry 37, which the primary file does not have",
        ),
        ("alt.csv", "36,12", "36,-0- ", "alt.csv, line 1, field 2: must be a number of 1 to 10 digits"),
        ("add.csv", "15440,", "15441,", "add.csv, line 6, field 1: names entry 15441"),
        ("add.csv", "\"Havana\"", "\"Havana", "add.csv, line 1, field 4: has text behind its closing quote"),
        ("add.csv", "\r\n", "\r\n\r\n", "add.csv, line 2: has 1 fields instead of 6"),
        ("add.csv", "\u{1a}", "", "add.csv is cut off: the publisher's last byte (0x1A) is missing"),
    ] {
        let refused = refusal(file, from, to);
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn exactly_the_three_files_are_taken() {
    let mut without = trio(true);
    without.remove(1);
    let mut twice = trio(true);
    twice.push(SourceFile { name: "ALT.CSV".into(), bytes: vec![] });
    let mut more = trio(true);
    more.push(SourceFile { name: "cons_alt.csv".into(), bytes: vec![] });
    let mut mixed = trio(true);
    mixed[1].name = "cons_alt.csv".into();
    for (files, words) in [
        (vec![], "nothing was given"),
        (without, "alt.csv is missing"),
        (twice, "alt.csv is there twice"),
        (more, "given: sdn.csv, alt.csv, add.csv, cons_alt.csv"),
        (mixed, "alt.csv is missing"),
    ] {
        let refused = entries(&files).unwrap_err().to_string();
        assert!(refused.ends_with(words), "{refused}");
    }
    let mut shouting = trio(true);
    for file in &mut shouting {
        file.name = file.name.to_uppercase();
    }
    assert_eq!(entries(&shouting).unwrap(), entries(&trio(true)).unwrap());
}

/// What comes of every possible cut of every file: `(file, bytes left, whether a record ends there)` of the cuts that
/// were accepted and gave another list.
fn cuts_that_change_the_list(marked: bool) -> Vec<(String, usize, bool)> {
    let whole = entries(&trio(marked)).unwrap();
    let mut changed = Vec::new();
    for at in 0..3 {
        for left in 0..trio(marked)[at].bytes.len() {
            let mut files = trio(marked);
            files[at].bytes.truncate(left);
            let whole_file = &trio(marked)[at].bytes;
            let line_end = whole_file[left..].split(|byte| *byte == b'\n').next().unwrap();
            let boundary = left == 0 || whole_file[left - 1] == b'\n' || b"-0- \r".ends_with(line_end);
            if let Ok(list) = entries(&files)
                && list != whole
            {
                changed.push((files[at].name.clone(), left, boundary));
            }
        }
    }
    changed
}

#[test]
fn a_publishers_file_cut_at_any_byte_is_refused_or_gives_the_same_list() {
    assert_eq!(cuts_that_change_the_list(true), []);
}

/// The twin: without the publisher's last byte the same cuts between two records of a list too short for a habit pass.
/// Nothing else does: not one cut that takes more of a record than its last null, and none of the primary file.
#[test]
fn without_the_last_byte_only_cuts_between_records_of_a_short_list_pass() {
    let changed = cuts_that_change_the_list(false);
    assert!(!changed.is_empty(), "the byte is what refuses them");
    for (file, left, boundary) in changed {
        assert!(boundary && file != "sdn.csv", "{file} cut to {left} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_the_reader_panic(
        which in 0usize..3,
        at in 0usize..2000,
        cut in 0usize..40,
        junk in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n'), Just(b'\'')], 0..40),
    ) {
        let mut files = trio(true);
        let bytes = &mut files[which].bytes;
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, junk);
        if let Ok(list) = entries(&files) {
            prop_assert!(!list.is_empty());
            prop_assert!(list.iter().all(|entry| !entry.names.is_empty() && !entry.caption().trim().is_empty()));
        }
    }

    #[test]
    fn no_remarks_make_the_reader_panic(remarks in "(a\\.k\\.a\\. |alt\\. |DOB |Passport |citizen |['\"‘’;.() é0-9A-z]){0,60}") {
        let mut reading = Reading::default();
        let mut draft = Draft::new("1", EntryKind::Person, "X");
        remarks::read(&remarks, Some(&remarks), &mut draft, &mut reading);
        prop_assert_eq!(&draft.finish().names[0].text, "X");
    }
}
