//! `kyb classify`.

use crate::program::{kyb, kyb_reading};

#[test]
fn a_bakery_gets_a_code_and_nonsense_none() {
    let ran =
        kyb(&["classify", "--description", "retail bakery selling bread and cakes", "--output", "json"]);
    assert_eq!(ran.code, 0);
    assert!(ran.json()["results"][0]["code"].as_str().unwrap().starts_with("3118"), "{}", ran.stdout);
    let text = kyb(&["classify", "--description", "retail bakery selling bread and cakes", "--top", "1"]);
    assert!(text.stdout.contains("naics-2022") && text.stdout.contains("3118"), "{}", text.stdout);
    assert!(kyb(&["classify", "--description", "xyzzy"]).stdout.contains("no code"));
}

#[test]
fn bulk_answers_every_row_in_order() {
    let input =
        b"name,id,description\n,a,retail bakery selling bread\n,b,xyzzy\n,c,\xff\n,d\n,e,dental practice\n";
    let ran = kyb_reading(input, &["classify", "bulk", "--input", "-", "--top", "2"]);
    assert_eq!(ran.code, 1, "two rows can't be read");
    assert_eq!(ran.stdout.lines().next(), Some("id,rank,scheme,code,title,confidence"));
    let rows = ran.rows();
    let mut ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    ids.dedup();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    assert!(rows[0][1] == "1" && rows[0][3].starts_with("3118"), "{rows:?}");
    let none = |id: &str| rows.iter().find(|row| row[0] == id).unwrap()[1..].to_vec();
    assert_eq!(none("b"), ["0", "naics-2022", "", "", "0.000000"]);
    assert_eq!(none("c"), none("b"));
    assert!(
        ran.stderr.contains("line 4: description") || ran.stderr.contains("line 4: field 3"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("line 5: has 2 fields"), "{}", ran.stderr);
}
