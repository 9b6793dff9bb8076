use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::Sample;

/// The sample, entry by entry.
const ENTRIES: &str = "\
WATCH:2001 Person (2001)
  Primary: Orsolt M Vendrick
  Alias: Orso
  program: WATCH
  countries: [GB, FR]
  born: 1943-10-28 to 1943-10-28
  Other: +44 000 0001
  Other: orsolt@example.org
  Passport: PQ900200 of GB
  address: 3 Mill Way, Leeds LS1 1AA, GB
  address: PO Box 9, FR
  remarks: Title: Dr. Gender: M. STATUS: Active.
WATCH:2002 Organization (2002)
  Primary: Vendrick & Sons
  OriginalScript: Вендрик и сыновья
  Former: Vendrick Bros
  Weak: V&S
  Alias: Sons of V
  program: WATCH
  countries: [GB]
  born: 1999-01-01 to 1999-12-31
  TaxId: GB990000002 of GB
  RegistryNumber: 09900002 of GB
  Lei: 0000INVENTED00000022
  address: 9 Mill Way, Leeds
OTHER:2001 Vessel (2001)
  Primary: MILL WAY
  program: OTHER
  Imo: 9990004
";

/// What of it was not understood.
const COUNTS: &str = "\
1 attribute:STATUS
1 country:Atlantis
1 feature:REL_POINTER_DOMAIN
1 feature:REL_POINTER_KEY
1 feature:REL_POINTER_ROLE
1 name type:SECRET
";

fn sample() -> Sample {
    Sample::new(ListFormat::Senzing, "senzing/records.jsonl")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2000-01-01", PublishedBy::Download));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"{}[],:\"\\\n");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        ("\"RECORD_ID\":2002,", "", "file, line 2: a record has no RECORD_ID"),
        ("\"DATA_SOURCE\":\"OTHER\",", "", "file, line 3: a record has no DATA_SOURCE"),
        ("\"OTHER\"", "\"WATCH\"", "file, line 3: entry WATCH:2001 is there twice"),
        ("\"NAME_ORG\":\"MILL WAY\"", "\"NAME_ORG\":\"\"", "file, line 3: record 2001 has no name"),
        ("[{\"ADDR_TYPE\"", "[7,{\"ADDR_TYPE\"", "file, line 2: ADDRESSES holds something that is no object"),
        (
            "\"STATUS\":\"Active\"",
            "\"STATUS\":\"Active\",\"STATUS\":\"\"",
            "file, line 1, column 591: has \"STATUS\" twice",
        ),
        ("}\n{", "},\n{", "file, line 1, column 584: is no JSON object on one line: trailing characters"),
    ]);
}

/// What JSON lines can't show: a file that lost whole lines. Nothing else passes.
#[test]
fn only_a_cut_between_two_lines_passes() {
    let sample = sample();
    let whole = sample.parsed().watchlist.entries;
    let cuts = sample.cuts_that_pass();
    assert_eq!(cuts.len(), 5, "before and behind each of three line ends, but for the whole file");
    for (left, entries) in cuts {
        assert!(left.trim_end().ends_with('}'), "{left}");
        assert!(whole.starts_with(&entries));
    }
}
