//! `kyb screen pairs`.

use crate::program::{kyb, kyb_reading, shared};

#[test]
fn rows_and_columns_stay_as_they_are_and_get_a_score() {
    let file = shared("names/name_pairs_dev.csv");
    let ran = kyb(&["screen", "pairs", "--input", &file]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut given = csv::Reader::from_path(&file).unwrap();
    let header = given.headers().unwrap().clone();
    assert_eq!(
        ran.stdout.lines().next().unwrap(),
        header.iter().chain(["score"]).collect::<Vec<_>>().join(",")
    );
    let given: Vec<csv::StringRecord> = given.records().map(Result::unwrap).collect();
    let rows = ran.rows();
    assert_eq!(rows.len(), given.len());
    for (row, given) in rows.iter().zip(&given) {
        let (score, rest) = row.split_last().unwrap();
        assert_eq!(rest, given.iter().collect::<Vec<_>>());
        assert!((0.0..=1.0).contains(&score.parse::<f64>().unwrap()) && score.len() == 8, "{score}");
    }
    let mean = |wanted: &str| {
        let scores: Vec<f64> = rows
            .iter()
            .filter(|row| row[4] == wanted)
            .map(|row| row.last().unwrap().parse().unwrap())
            .collect();
        scores.iter().sum::<f64>() / f64::from(u32::try_from(scores.len()).unwrap())
    };
    assert!(mean("true") > mean("false") + 0.2, "{} {}", mean("true"), mean("false"));
}

#[test]
fn a_bad_row_gets_an_empty_score_and_the_rest_goes_on() {
    let input = b"schema,name1,name2\nPerson,A B,A B\nCompany,only one\nVessel,Arnica,Arnica\n";
    let ran = kyb_reading(input, &["screen", "pairs", "--input", "-"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stdout.lines().nth(2), Some("Company,only one,,"));
    assert_eq!(ran.stdout.lines().nth(3), Some("Vessel,Arnica,Arnica,1.000000"));
    assert!(ran.stderr.contains("line 3: has 2 fields where the header has 3"), "{}", ran.stderr);
}
