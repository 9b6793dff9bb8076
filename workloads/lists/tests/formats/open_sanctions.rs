use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::{Sample, counts, shown};

/// The sample, entry by entry.
const ENTRIES: &str = "\
NK-1 Person
  Primary: Maristel Okvander
  Alias: Okvander Maristel
  OriginalScript: Маристел Оквандер
  Alias: M. Okvander
  Former: Maristel Trune
  Weak: Mari
  program: EU-RUS
  program: Ukraine
  countries: [RU, UA, CY]
  born: 1966-01-01 to 1966-12-31
  born: 1966-04-02 to 1966-04-02
  Passport: 70 0011223
  TaxId: 990000000003
  Other: m@example.org
  Passport: 71 9988776 of RU
  NationalId: 72-1
  address: 5 Cove Road, Larnaca
  remarks: Place of birth: Old Cove. Gender: female. Topic: sanction. Invented. Authority: Council. Reason: Invented for a test.
NK-2 Organization
  Primary: Cove Shipping
  Alias: CSL
  program: Ukraine
  countries: [CY]
  born: 2001-05-01 to 2001-05-31
  RegistryNumber: HE 990044
  Lei: 0000INVENTED00000022
  Website: https://cove.example
  address: 6 Cove Road, Larnaca
  remarks: Authority: Council. Reason: Invented for a test.
NK-4 Vessel
  Primary: COVE LADY
  countries: [PA]
  Imo: 9990005
  Other: 990000001
  Other: 77
  remarks: Built: 2003. Type: Tanker.
NK-5 Aircraft
  Primary: XQ-COV
  Other: XQ-COV 1
NK-6 Organization
  Primary: Office of Coves
  countries: [XK]
";

/// What of it was not understood.
const COUNTS: &str = "\
1 not a target:LegalEntity
1 property:shoeSize
1 reference:to what is not in the file
1 schema:Ownership
";

fn sample() -> Sample {
    Sample::new(ListFormat::OpenSanctions, "open-sanctions/entities.ftm.json")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2000-01-01", PublishedBy::Download));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"{}[],:\"\\\n");
}

/// The nested sample, entry by entry.
const NESTED: &str = "\
NK-1 Person
  Primary: Maristel Okvander
  Weak: Mari
  program: Ukraine
  program: EU-RUS
  countries: [CY]
  Passport: 71 9988776 of RU
  address: 5 Cove Road, Larnaca
NK-2 Organization
  Primary: Cove Shipping
";

#[test]
fn nested_targets_are_read_to_the_last_fact() {
    let parsed = Sample::new(ListFormat::OpenSanctions, "open-sanctions-nested/targets.nested.json").parsed();
    assert_eq!(shown(&parsed.watchlist.entries), NESTED);
    assert_eq!(counts(&parsed), "1 schema:CryptoWallet\n1 schema:Family\n");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        ("\"schema\":\"Company\",", "", "file, line 3: an entity has no schema"),
        ("{\"id\":\"NK-2\",", "{", "file, line 3: an entity has no id"),
        ("\"id\":\"NK-2\"", "\"id\":\"NK-1\"", "file, line 3: entity NK-1 is there twice"),
        (
            "\"properties\":{\"name\":[\"Cove Shipping\"]",
            "\"properties\":{\"name\":\"Cove Shipping\"",
            "file, line 3: entity NK-2: the property name is no list",
        ),
        (
            "\"properties\":{\"name\":[\"COVE LADY\"]",
            "\"props\":{\"name\":[\"COVE LADY\"]",
            "file, line 5: entity NK-4 has no properties",
        ),
        (
            "\"caption\":\"XQ-COV\",\"schema\":\"Airplane\",\"properties\":{\"name\":[\"XQ-COV\"]",
            "\"schema\":\"Airplane\",\"properties\":{\"name\":[]",
            "file, line 6: entity NK-5 has no name",
        ),
        (
            "\"entity\":[\"NK-1\",\"NK-2\"]",
            "\"entity\":[]",
            "file, line 8: Sanction sanc-1 belongs to nothing",
        ),
        ("}\n{", "}{", "file, line 1, column 255: is no JSON object on one line: trailing characters"),
        ("{\"id\"", "[{\"id\"", "file, line 1, column 1: is one JSON array"),
    ]);
}

/// What JSON lines can't show: a file that lost whole lines, and with them what belonged to the entities before.
#[test]
fn only_a_cut_between_two_lines_passes() {
    let sample = sample();
    let ids = |entries: &[kyb_lists::Entry]| entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
    let whole = ids(&sample.parsed().watchlist.entries);
    let cuts = sample.cuts_that_pass();
    assert_eq!(
        cuts.len(),
        19,
        "before and behind each of eleven line ends, but for the first, which is no entry, and the whole file"
    );
    for (left, entries) in cuts {
        assert!(left.trim_end().ends_with('}'), "{left}");
        assert!(whole.starts_with(&ids(&entries)));
    }
}

/// What shows it in a list that is not as short as a sample: references that lead nowhere.
#[test]
fn a_list_whose_references_lead_nowhere_has_lost_its_end() {
    let person = |number: u32| {
        format!(
            "{{\"id\":\"p{number}\",\"schema\":\"Person\",\"properties\":{{\"name\":[\"N {number}\"],\"addressEntity\":[\"a{number}\"]}}}}\n"
        )
    };
    let address = |number: u32| {
        format!(
            "{{\"id\":\"a{number}\",\"schema\":\"Address\",\"properties\":{{\"full\":[\"{number} Street\"]}}}}\n"
        )
    };
    let list = |addresses: u32| (0..1000).map(person).chain((0..addresses).map(address)).collect::<String>();
    for (addresses, fine) in [(1000, true), (980, true), (979, false), (0, false)] {
        let read = sample().read(list(addresses).into_bytes());
        assert_eq!(read.is_ok(), fine, "{addresses} of 1000 addresses");
    }
    let refused = sample().read(list(500).into_bytes()).expect_err("half").to_string();
    assert!(
        refused.starts_with("file is cut off: 500 of 1000 references lead to entities that are not in it"),
        "{refused}"
    );
}
