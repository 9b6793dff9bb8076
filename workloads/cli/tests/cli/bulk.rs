//! `kyb screen bulk`: an answer for every row, and never a false `no_hit`.

use std::{collections::HashSet, fmt::Write as _, path::Path};

use crate::program::{Ran, copy_of_example_list, cut, example_list, kyb, kyb_reading, shared};

const HEADER: &str = "id,type,name,country,birth_date\n";

fn bulk(input: impl AsRef<[u8]>, list: &str, extra: &[&str]) -> Ran {
    kyb_reading(input, &[&["screen", "bulk", "--input", "-", "--lists", list], extra].concat())
}

/// People who are on no list, with their nationality and date of birth, and between them somebody listed.
fn people() -> String {
    let mut input = HEADER.to_owned();
    for file in ["names/negatives_us_1000.csv", "names/negatives_global_1000.csv"] {
        for (number, row) in csv::Reader::from_path(shared(file)).unwrap().records().enumerate() {
            let row = row.unwrap();
            let _ = writeln!(input, "{file}:{number},person,\"{}\",,{}", &row[0], &row[5]);
            if number % 100 == 0 {
                let _ = writeln!(input, "listed:{file}:{number},person,Kim Jong Un,KP,1984-01-08");
            }
        }
    }
    input
}

fn ids(csv: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let mut ids: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
    ids.dedup();
    ids
}

fn statuses(ran: &Ran) -> HashSet<String> {
    ran.rows().into_iter().map(|row| row[1].clone()).collect()
}

#[test]
fn every_row_is_answered_in_order_and_listed_people_are_found() {
    let input = people();
    let ran = bulk(&input, &shared("ofac-2019"), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().next(), Some("id,status,rank,list,entry_id,matched_name,score"));
    assert_eq!(ids(&ran.stdout), ids(&input));
    let rows = ran.rows();
    for listed in rows.iter().filter(|row| row[0].starts_with("listed:") && row[2] == "1") {
        assert_eq!(
            (listed[1].as_str(), listed[3].as_str(), listed[4].as_str()),
            ("hit", "ofac-sdn", "20157")
        );
    }
    let clear = rows.iter().filter(|row| row[1] == "no_hit").count();
    assert!(clear > 1_500, "most people are on no list; {clear} of 2000 are found to be");
    assert!(rows.iter().filter(|row| row[1] == "no_hit").all(|row| row[2..] == ["0", "", "", "", ""]));
}

/// Twin of the test above: the same people, the list cut. Without the refusal of a cut list they would be clear.
#[test]
fn a_truncated_list_never_gives_no_hit() {
    let whole = std::fs::read(Path::new(&example_list()).join("sdn.csv")).unwrap();
    let a_line_end = whole[..whole.len() / 2].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let input = format!("{HEADER}1,business,Backhaus Morgenrot,DE,\n2,business,Rosoboroneksport OAO,RU,\n");
    for bytes in [0, 1, a_line_end, whole.len() / 2, whole.len() - 10] {
        let list = copy_of_example_list();
        cut(list.path(), "sdn.csv", bytes);
        let ran = bulk(&input, list.path().to_str().unwrap(), &[]);
        assert_eq!(statuses(&ran), HashSet::from(["error".to_owned()]), "{bytes}: {ran:?}");
        assert_eq!((ran.code, ids(&ran.stdout)), (1, vec!["1".to_owned(), "2".to_owned()]));
        assert!(ran.stderr.contains("sdn.csv"), "{bytes}: {}", ran.stderr);
    }
}

#[test]
fn a_list_that_can_be_read_is_still_searched_beside_one_that_cannot() {
    let input = format!("{HEADER}1,business,Backhaus Morgenrot,DE,\n2,business,Rosoboroneksport OAO,RU,\n");
    let list = example_list();
    let both = |extra: &[&str]| bulk(&input, &list, extra);
    assert_eq!(
        statuses(&both(&[])),
        HashSet::from(["hit".to_owned(), "no_hit".to_owned()]),
        "twin: all is well"
    );
    let missing = both(&["--wanted", "ofac-sdn,un-consolidated"]);
    let unreadable = both(&["--lists", "/nowhere"]);
    let copy = copy_of_example_list();
    for name in ["sdn.csv", "alt.csv", "add.csv"] {
        let file = std::fs::File::options().write(true).open(copy.path().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(40 * 24)).unwrap();
    }
    let old = bulk(&input, copy.path().to_str().unwrap(), &["--max-list-age", "30d"]);
    for (ran, code) in [(missing, "LIST_MISSING"), (unreadable, "LIST_MISSING"), (old, "LIST_STALE")] {
        assert_eq!(
            (ran.code, statuses(&ran)),
            (1, HashSet::from(["hit".to_owned(), "error".to_owned()])),
            "{ran:?}"
        );
        assert!(ran.stderr.contains(code), "{code}: {}", ran.stderr);
    }
}

#[test]
fn a_bad_row_is_an_error_row_with_its_line_and_the_rest_goes_on() {
    let rows: [&[u8]; 11] = [
        b"1,business,Rosoboroneksport OAO,RU,",
        b"2,business,...,,",
        b"3,business",
        b"4,vegetable,Rosoboroneksport OAO,,",
        b"5,business,Rosoboroneksport OAO,Atlantis,",
        b"6,person,Kim Jong Un,KP,1984-13",
        b"7,business,\xff\xfe,,",
        b"8,Company,Rosoboroneksport OAO,Russia; Syria,",
        b"\xe9,business,Backhaus Morgenrot,,",
        b"10,,Rosoboroneksport OAO,,",
        b"11,business,\"Rosoboroneksport",
    ];
    let input = [HEADER.as_bytes(), &rows.join(&b'\n')].concat();
    let ran = {
        let mut child =
            crate::program::command(&["screen", "bulk", "--input", "-", "--lists", &example_list()]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), input).unwrap();
        child.stdin(std::fs::File::open(file.path()).unwrap()).output().unwrap()
    };
    let (stdout, stderr) =
        (String::from_utf8_lossy(&ran.stdout), String::from_utf8(ran.stderr.clone()).unwrap());
    assert_eq!(ran.status.code(), Some(1));
    let mut reader = csv::Reader::from_reader(stdout.as_bytes());
    let seen: Vec<(String, String)> = reader
        .records()
        .map(|row| row.unwrap())
        .filter(|row| &row[2] <= "1")
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let expected = [
        ("1", "hit"),
        ("2", "error"),
        ("3", "error"),
        ("4", "error"),
        ("5", "error"),
        ("6", "error"),
        ("7", "error"),
        ("8", "hit"),
        ("\u{fffd}", "no_hit"),
        ("10", "hit"),
        ("11", "error"),
    ];
    assert_eq!(seen, expected.map(|(id, status)| (id.to_owned(), status.to_owned())));
    for line in [
        "line 3: name: must contain a letter",
        "line 4: has 2 fields",
        "line 5: type `vegetable`",
        "line 6: country `Atlantis`",
        "line 7: birth_date",
        "line 8: field 3 is not UTF-8",
        "line 12: has 3 fields",
    ] {
        assert!(stderr.contains(line), "{line} is not in {stderr}");
    }
}

#[test]
fn a_table_without_a_needed_column_is_refused_before_any_output() {
    let ran = bulk("id,kind,name\n1,business,X1\n", &example_list(), &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("has no column `type`; its columns are: id, kind, name"), "{}", ran.stderr);
    assert_eq!(kyb(&["screen", "bulk", "--input", "/nowhere", "--lists", &example_list()]).code, 2);
    let none = bulk(HEADER, &example_list(), &[]);
    assert_eq!((none.code, none.stdout.lines().count()), (0, 1), "no rows, no answers");
}

#[test]
fn threshold_and_limit_are_kept() {
    let input = format!("{HEADER}1,business,Iranian Trading Company,,\n");
    let all = bulk(&input, &shared("ofac-2019"), &["--threshold", "0.3", "--limit", "3"]);
    assert_eq!(all.rows().len(), 3, "{all:?}");
    let ranks: Vec<String> = all.rows().iter().map(|row| row[2].clone()).collect();
    assert_eq!(ranks, ["1", "2", "3"]);
    assert_eq!(bulk(&input, &example_list(), &["--threshold", "1.5"]).code, 2);
}
