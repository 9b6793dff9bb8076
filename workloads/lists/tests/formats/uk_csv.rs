use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::Sample;

/// The sample, entry by entry.
const ENTRIES: &str = "\
RUS9901 Person (99901)
  Primary: BASTEK OL QUORRINAK
  Weak: QUORRIN
  Alias: BASTEQ QUORRINAQ
  OriginalScript: Бастек Кворринак
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  countries: [RS, RU]
  born: 1971-01-01 to 1971-12-31
  born: 1972-10-24 to 1972-10-24
  Passport: 75 0099001
  NationalId: 110022
  address: 4 Nail Street, Orlovka, 404001, Russia
  remarks: Passport 75 0099001: Russian passport. Place of birth: Orlovka, Russia. UN Reference Number: XXi.901. Designation source: UK. Sanctions Imposed: Asset freeze, Travel Ban. Sells nails, \"good\" ones. Invented for a test. Title: Colonel. Position: Head of nails. Gender: Male.
RUS9902 Organization
  Primary: ORLOVKA NAIL WORKS
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  Website: https://nails.example/about
  RegistryNumber: 1990000000001
  TaxId: 9900000001
  remarks: Parent company: Iron Holding.
RUS9903 Vessel
  Primary: NAIL CARRIER
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  countries: [GA]
  Imo: 9990002
  remarks: Current owner/operator (s): Iron Shipping. Previous flags: Cook Islands. Type of ship: Crude oil tanker. Tonnage of ship: 55000. Year Built: 2003.
";

/// What of it was not understood.
const COUNTS: &str = "\
1 column:Sticker
";

fn sample() -> Sample {
    Sample::new(ListFormat::UkCsv, "uk-csv/UK-Sanctions-List.csv")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2026-09-21", PublishedBy::Document));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"\",\r\n");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        ("RUS9902", "", "file, line 7, field 2: a designation has no Unique ID"),
        ("NAIL CARRIER", "", "file, line 10, field 5: designation RUS9903 has no name"),
        ("Entity,", "Entity", "file, line 7: has 58 fields instead of 59"),
        ("Name type", "Nametipe", "file, line 2: the header has no column Name type"),
        ("Designation Type", "Kind", "file, line 2: the header has no column Designation Type"),
        ("Sticker", "Unique ID", "file, line 2, field 59: the column \"Unique ID\" is there twice"),
        (
            "Individual,",
            "Entity,",
            "file, line 5, field 18: designation RUS9901 is something else in another row",
        ),
    ]);
}

/// What csv can't show: a file that lost whole rows. Nothing else passes, and the shrink guard refuses what lost a fifth.
#[test]
fn only_a_cut_between_two_rows_passes() {
    let sample = sample();
    let whole = sample.parsed().watchlist.entries;
    let cuts = sample.cuts_that_pass();
    assert_eq!(cuts.len(), 4, "five rows, and a line end inside one of them");
    for (left, entries) in cuts {
        assert!(left.ends_with("\r\n"), "{left}");
        let ids =
            |entries: &[kyb_lists::Entry]| entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
        assert!(ids(&whole).starts_with(&ids(&entries)));
    }
}
