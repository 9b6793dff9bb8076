use kyb_lists::{ListFormat, PublishedBy};

use crate::harness::Sample;

/// The sample, entry by entry.
const ENTRIES: &str = "\
7001 Person (EU.900.01)
  Primary: Ondrosh Velkanov
  OriginalScript: Ондрош Велканов
  Weak: Big Ondro
  Weak: Ondro the Stone
  Former: Ondrosh Il Welkan
  program: UKR
  program: TAQA
  countries: [RU]
  born: 1971-06-09 to 1971-06-09
  born: circa 1970-04-01 to 1970-04-30
  born: 1968-01-01 to 1972-12-31
  Passport: 71 2233445 of RU
  Other: 5566
  address: Quarry lane 1, PO Box 77, 191000 Varnik, North, RUSSIAN FEDERATION
  remarks: Head of the Varnik quarry & mill. Title: Dr. Function: Director of the quarry. Gender: M. Name Ondro the Stone: (low quality alias). Place of birth: Varnik, RUSSIAN FEDERATION. National passport: (issued 2011). Address: (at the time of listing). Designation: art. 4. United Nations id: QDi.999.
7002 Organization (EU.900.02)
  Primary: Tarnowitz Kesselbau OJSC
  OriginalScript: ОАО «Тарновиц Кессельбау»
  program: BLR
  countries: [BY]
  RegistryNumber: 990011223 of BY
  Bic: TRNKBY2X
  Website: www.tarnowitz.example
  Other: a@tarnowitz.example
  Other: b@tarnowitz.example
  Other: +375 17 0000001
  address: Minsk, BELARUS
7003 Organization (EU.900.03)
  Primary: Foundation of the Nine Wells
";

/// What of it was not understood.
const COUNTS: &str = "\
1 calendar:ISLAMIC
1 element:sticker
1 identification type:shoe
";

fn sample() -> Sample {
    Sample::new(ListFormat::EuXml, "eu-xml/xmlFullSanctionsList_1_1.xml")
}

#[test]
fn the_sample_is_read_to_the_last_fact() {
    sample().reads(ENTRIES, COUNTS, ("2026-08-05", PublishedBy::Document));
}

#[test]
fn no_bytes_make_the_reader_panic() {
    sample().no_bytes_make_the_reader_panic(b"<>&;/\"=");
}

#[test]
fn half_a_document_is_never_a_shorter_list() {
    sample().is_whole_or_refused("</export>");
}

#[test]
fn every_fault_is_refused_with_its_position() {
    sample().refuses(&[
        ("<export ", "<!DOCTYPE x><export ", "file, line 2, column 1: declares a document type"),
        ("<export ", "<exports ", "file, line 2, column 1: the root is exports, not export"),
        ("mill.", "&bomb;", "file, line 4, column 49: uses &bomb;, which is not defined"),
        (
            " strong=\"true\"",
            " strong=\"true\" strong=\"false\"",
            "file, line 10, column 9: has a broken attribute",
        ),
        (" logicalId=\"7002\"", "", "file, line 25, column 5: sanctionEntity has no logicalId"),
        ("logicalId=\"7002\"", "logicalId=\"7001\"", "file, line 25, column 5: entry 7001 is there twice"),
        (
            "wholeName=\"Foundation of the Nine Wells\"",
            "wholeName=\"\"",
            "file, line 35, column 5: entity 7003 has no name",
        ),
        ("</export>", "", "file is cut off: it ends inside export"),
    ]);
}
