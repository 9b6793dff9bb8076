use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::Sample;

/// The sample, entry by entry.
const ENTRIES: &str = "\
90001 Person
  Primary: ZORVANOV, Quelliy Brelkovich
  Weak: THE QUILL
  OriginalScript: ЗОРВАНОВ Квеллий
  Former: ZORBAN, Quelly
  program: RUSSIA-EO14024
  program: SDGT
  countries: [IQ, RU]
  born: 1961-03-17 to 1961-03-17
  born: circa 1960-01-01 to 1960-12-31
  Passport: Q0098765 of IQ
  address: 7 Wharf & Mill Road, Primorsk 299012, Russia
  remarks: Gender: Male. Place of Birth: Varnik, Iraq. Shoe Size: 44. Passport Q0098765: diplomatic. Measure: Block. Legal basis: Executive Order 14024.
90002 Organization
  Primary: BRELKOV & MARLOON LLC
  Alias: B&M
  program: RUSSIA-EO14024
  countries: [RU, UA, CY]
  born: 2014-05-01 to 2014-05-31
  Website: brelkov-marloon.example
  Other: 0x00c0ffee00c0ffee
  RegistryNumber: HE 990011 of CY
  address: Belogorka, South, Region: Crimea
  remarks: Also a trading house. Secondary sanctions risk: See Section 11 of Executive Order 14024.
90003 Vessel
  Primary: MARLOON STAR
  program: RUSSIA-EO14024
  countries: [PA]
  Imo: 9990001
  remarks: VESSEL TYPE: Tug. Owned or Controlled By: BRELKOV & MARLOON LLC.
90004 Aircraft
  Primary: XQ-ZZV
  program: SDGT
  Other: XQ-ZZV 1
";

/// What of it was not understood.
const COUNTS: &str = "\
1 document:of an identity that is not there
1 feature:Shoe Size
1 location:a further value of one part
";

fn sample() -> Sample {
    Sample::new(ListFormat::OfacXml, "ofac-xml/sdn_advanced.xml")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2026-09-04", PublishedBy::Document));
}

#[test]
fn the_version_of_the_format_is_kept() {
    assert_eq!(sample().parsed().format_version.as_deref(), Some("3"));
    assert_eq!(
        Sample::new(ListFormat::EuXml, "eu-xml/xmlFullSanctionsList_1_1.xml").parsed().format_version,
        None
    );
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"<>&;/\"=");
}

#[test]
fn half_a_document_is_never_a_shorter_list() {
    sample().is_whole_or_refused("</Sanctions>");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    let deep = format!("<Comment>{}{}</Comment>", "<a>".repeat(20), "</a>".repeat(20));
    sample().refuses(&[
        (
            "<Sanctions ",
            "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Sanctions ",
            "file, line 2, column 1: declares a document type",
        ),
        ("Version=\"3\"", "Version=\"&b;\"", "file, line 2, column 1: has a broken attribute"),
        ("Varnik, Iraq", "&b;", "file, line 94, column 133: uses &b;, which is not defined"),
        (
            "<Comment>Also a trading house.</Comment>",
            &deep,
            "file, line 100, column 58: is nested deeper than 16 elements",
        ),
        (
            "FixedRef=\"90001\">",
            "FixedRef=\"90001\" DeltaAction=\"change\">",
            "file, line 56, column 5: has the action change: this is a file of changes",
        ),
        (
            "<DistinctParty FixedRef=\"90001\">",
            "<DistinctParty>",
            "file, line 56, column 5: DistinctParty has no FixedRef",
        ),
        (
            "<DistinctParty FixedRef=\"90002\">",
            "<DistinctParty FixedRef=\"90001\">",
            "file, line 99, column 5: entry 90001 is there twice",
        ),
        (
            "<Profile ID=\"90002\"",
            "<Profile ID=\"90001\"",
            "file, line 101, column 7: profile 90001 is there twice",
        ),
        ("MARLOON STAR", " ", "file, line 115, column 5: party 90003 has no name"),
        (
            "AliasTypeID=\"1401\"",
            "AliasTypeID=\"1499\"",
            "file, line 67, column 11: names AliasType 1499, which the reference values do not have",
        ),
        (
            "<AliasType ID=\"1401\">",
            "<AliasType ID=\"1400\">",
            "file, line 6, column 46: AliasType 1400 is there twice",
        ),
        (
            "LocationID=\"500\"",
            "LocationID=\"555\"",
            "file, line 92, column 99: names location 555, which is not there",
        ),
        (
            "SanctionsEntryID=\"80001\" />",
            "SanctionsEntryID=\"89999\" />",
            "file, line 96, column 9: names sanctions entry 89999, which is not there",
        ),
        (
            "ProfileID=\"90004\"",
            "ProfileID=\"99999\"",
            "file, line 148, column 5: names profile 99999, which no party has",
        ),
        ("To-ProfileID=\"90002\"", "To-ProfileID=\"99999\"", "file, line 137, column 5: names profile 99999"),
        (
            "<ProfileRelationships>",
            "<Locations/><ProfileRelationships>",
            "file, line 136, column 3: Locations stands behind DistinctParties",
        ),
        ("</Sanctions>", "</Sanctions><Sanctions/>", "file, line 151, column 13: has a second root element"),
        ("</Sanctions>", "", "file is cut off: it ends inside Sanctions"),
    ]);
}

#[test]
fn a_document_without_one_of_its_tables_is_no_list() {
    let sample = sample();
    for table in ["ReferenceValueSets", "DistinctParties", "SanctionsEntries"] {
        let (start, end) = (format!("<{table}>"), format!("</{table}>"));
        let from = sample.text.find(&start).expect("it starts");
        let to = sample.text.find(&end).expect("it ends") + end.len();
        let without = [&sample.text[..from], &sample.text[to..]].concat();
        assert!(sample.read(without.into_bytes()).is_err(), "{table}");
    }
    let text = "<Sanctions><ReferenceValueSets/><DistinctParties/><SanctionsEntries/></Sanctions>";
    let refused = sample.read(text.into()).expect_err("no party").to_string();
    assert!(refused.starts_with("file is cut off: it holds no entry"), "{refused}");
}
