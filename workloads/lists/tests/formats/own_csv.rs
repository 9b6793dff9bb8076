use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::{Sample, shown};

/// The sample, entry by entry.
const ENTRIES: &str = "\
A-1 Person
  Primary: Ilvana Prestock
  Alias: Ilvana P. Restock
  OriginalScript: Илвана Престок
  Weak: Vana
  Former: Ilvana Drumm
  program: left without paying
  program: rude
  countries: [GB, FR]
  born: 1980-02-29 to 1980-02-29
  born: circa 1981-01-01 to 1981-12-31
  born: 1979-01-01 to 1982-12-31
  Passport: PX 900100 of GB
  Website: https://ilvana.example/a:b
  address: 1 Quiet Row, Leeds
  address: 2 Loud Row, Lyon
  remarks: Said: \"never again\".
A-2 Organization
  Primary: Prestock & Drumm Ltd
  Alias: P&D
  RegistryNumber: 09900001 of GB
  Other: GB 990000001
A-3 Vessel
  Primary: QUIET ROW
  countries: [PA]
  Imo: 9990003
A-4 Aircraft
  Primary: G-QQQQ
";

/// What of it was not understood.
const COUNTS: &str = "\
1 birth date:soon
1 column:reviewer
1 country:Atlantis
1 identifier kind:vat
";

fn sample() -> Sample {
    Sample::new(ListFormat::OwnCsv, "own-csv/own.csv")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2000-01-01", PublishedBy::Download));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"\",\r\n;:");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        (
            "id,type",
            "ID number,type",
            "file, line 1: the header has no column id; it has ID number, type, name",
        ),
        ("reviewer", "Name", "file, line 1, field 13: the column \"Name\" is there twice"),
        ("A-2", "A-1", "file, line 3, field 1: entry A-1 is there twice"),
        ("A-2", " ", "file, line 3, field 1: id is empty"),
        ("QUIET ROW,", ",", "file, line 4, field 3: name is empty"),
        (
            "vessel",
            "boat",
            "file, line 4, field 2: the type \"boat\" is none of person, organization, vessel, aircraft",
        ),
        ("A-4,", "A-4,,", "file, line 5: has 14 fields instead of 13"),
        ("\"Said", "Said", "file, line 2, field 12: has a quote inside text that is not quoted"),
    ]);
}

/// What csv can't show: a file that lost whole rows. Nothing else passes.
#[test]
fn only_a_cut_between_two_rows_passes() {
    let sample = sample();
    let whole = sample.parsed().watchlist.entries;
    let cuts = sample.cuts_that_pass();
    assert_eq!(cuts.len(), 3, "four rows");
    for (left, entries) in cuts {
        assert!(left.ends_with('\n'), "{left}");
        assert!(whole.starts_with(&entries));
    }
}

/// The twin: what passes above is refused where a version is in use that had more.
#[test]
fn the_shrink_guard_refuses_what_lost_rows() {
    let sample = sample();
    let whole = sample.parsed().watchlist.version.entries;
    for (_, entries) in sample.cuts_that_pass() {
        let left = u32::try_from(entries.len()).expect("a few");
        assert!(kyb_lists::shrink::check(whole, left).is_err(), "{left} of {whole}");
    }
}

#[test]
fn the_order_and_case_of_columns_do_not_matter() {
    let text = "NAME,Weak Aliases,Type,Id\nPrestock,P,company,7\n";
    let parsed = sample().read(text.into()).expect("whole");
    assert_eq!(shown(&parsed.watchlist.entries), "7 Organization\n  Primary: Prestock\n  Weak: P\n");
}
