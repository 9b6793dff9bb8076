use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::Sample;

/// The sample, entry by entry.
const ENTRIES: &str = "\
RUS9901 Person (99901)
  Primary: BASTEK OL QUORRINAK
  Weak: QUORRIN
  Alias: BASTEQ QUORRINAQ
  Alias: BAS QUORRINAK
  OriginalScript: Бастек Кворринак
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  countries: [RU, RS, CY]
  born: 1971-01-01 to 1971-12-31
  born: 1972-10-24 to 1972-10-24
  Other: +7 000 0000001
  Other: bastek@example.org
  Passport: 75 0099001
  NationalId: 110022
  address: 4 Nail Street, Orlovka, 404001, Russia
  remarks: UN Reference Number: XXi.901. Title: Colonel. Designation source: UK. Sanctions Imposed: Asset freeze, Travel Ban. Sells nails. Invented for a test. Passport 75 0099001: Russian passport. Position: Head of nails. Gender: Male. Place of birth: Orlovka, Russia.
RUS9902 Organization
  Primary: ORLOVKA NAIL WORKS
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  Website: https://nails.example/about
  RegistryNumber: 1990000000001
  TaxId: 9900000001
  Other: bc1invented0wallet
  remarks: Type of entity: Limited Liability Company. Parent company: Iron Holding.
RUS9903 Vessel
  Primary: NAIL CARRIER
  program: The Russia (Sanctions) (EU Exit) Regulations 2019
  countries: [GA]
  Imo: 9990002
  remarks: Previous flags: Cook Islands. Current owner/operator (s): Iron Shipping. Type of ship: Crude oil tanker. Year Built: 2003.
";

/// What of it was not understood.
const COUNTS: &str = "\
1 date of birth:15/08/19yy
1 element:Sticker
";

fn sample() -> Sample {
    Sample::new(ListFormat::UkXml, "uk-xml/UK-Sanctions-List.xml")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2026-09-21", PublishedBy::Document));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"<>&;/\"=");
}

#[test]
fn half_a_document_is_never_a_shorter_list() {
    sample().is_whole_or_refused("</Designations>");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        ("<Designations ", "<!DOCTYPE x><Designations ", "file, line 2, column 1: declares a document type"),
        ("<UniqueID>RUS9902</UniqueID>", "", "file, line 44, column 3: a designation has no UniqueID"),
        ("RUS9902", "RUS9901", "file, line 44, column 3: entry RUS9901 is there twice"),
        ("<Name6>NAIL CARRIER</Name6>", "", "file, line 60, column 3: designation RUS9903 has no name"),
        ("</DOBs>", "</DOB>", "file, line 34, column 78: is no well-formed XML"),
        ("</Designations>", "", "file is cut off: it ends inside Designations"),
    ]);
}
