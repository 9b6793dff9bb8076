use kyb_domain::{country::CountryCode, date::DateSpan};
use proptest::prelude::*;

use super::*;
use crate::{Entry, NameKind};

const LIST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:09.554Z">
 <INDIVIDUALS>
  <INDIVIDUAL>
   <DATAID>1</DATAID><FIRST_NAME>OSAMA</FIRST_NAME><SECOND_NAME>AL KUNI</SECOND_NAME><FOURTH_NAME>IBRAHIM</FOURTH_NAME>
   <UN_LIST_TYPE>Libya</UN_LIST_TYPE><REFERENCE_NUMBER>LYi.029</REFERENCE_NUMBER>
   <NAME_ORIGINAL_SCRIPT>أسامة</NAME_ORIGINAL_SCRIPT>
   <COMMENTS1>Manager of A &amp; B,
      caf&#233;.</COMMENTS1>
   <NATIONALITY><VALUE>Mauritania</VALUE><VALUE>Mali</VALUE></NATIONALITY>
   <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Jin Tiesan (金铁三)</ALIAS_NAME></INDIVIDUAL_ALIAS>
   <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Malign; Ali</ALIAS_NAME></INDIVIDUAL_ALIAS>
   <INDIVIDUAL_ALIAS><QUALITY/><ALIAS_NAME/></INDIVIDUAL_ALIAS>
   <INDIVIDUAL_ADDRESS><CITY>Gao</CITY><COUNTRY>Mali</COUNTRY></INDIVIDUAL_ADDRESS>
   <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1976-04-02</DATE></INDIVIDUAL_DATE_OF_BIRTH>
   <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1970</YEAR></INDIVIDUAL_DATE_OF_BIRTH>
   <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>BETWEEN</TYPE_OF_DATE><FROM_YEAR>1958</FROM_YEAR><TO_YEAR>1963</TO_YEAR></INDIVIDUAL_DATE_OF_BIRTH>
   <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>A1447120</NUMBER><ISSUING_COUNTRY>Mali</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>
   <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>National Identification Number</TYPE_OF_DOCUMENT><NUMBER>national identity card number 5802</NUMBER></INDIVIDUAL_DOCUMENT>
   <SHOE_SIZE>44</SHOE_SIZE>
  </INDIVIDUAL>
 </INDIVIDUALS>
 <ENTITIES>
  <ENTITY>
   <DATAID>2</DATAID><FIRST_NAME>ADF</FIRST_NAME><UN_LIST_TYPE>DRC</UN_LIST_TYPE>
   <ENTITY_ALIAS><QUALITY>f.k.a.</QUALITY><ALIAS_NAME>NALU</ALIAS_NAME></ENTITY_ALIAS>
  </ENTITY>
 </ENTITIES>
</CONSOLIDATED_LIST>
"#;

fn parse(text: &str) -> Result<Contents, ListError> {
    let file = SourceFile { name: "un.xml".into(), bytes: text.as_bytes().to_vec() };
    read(&"un-consolidated".try_into().unwrap(), &[file])
}

fn names(entry: &Entry) -> Vec<(NameKind, &str)> {
    entry.names.iter().map(|name| (name.kind, name.text.as_str())).collect()
}

#[test]
fn every_part_of_a_record_is_read() {
    let contents = parse(LIST).unwrap();
    assert_eq!(contents.stated, "2026-02-27".parse().ok());
    assert_eq!(
        contents.not_understood.into_iter().collect::<Vec<_>>(),
        [("element:SHOE_SIZE".to_owned(), 1)]
    );
    let [person, firm] = &contents.entries[..] else { panic!("two entries") };
    assert_eq!((person.kind, firm.kind), (EntryKind::Person, EntryKind::Organization));
    assert_eq!(
        names(person),
        [
            (NameKind::Primary, "OSAMA AL KUNI IBRAHIM"),
            (NameKind::OriginalScript, "أسامة"),
            (NameKind::Alias, "Jin Tiesan"),
            (NameKind::OriginalScript, "金铁三"),
            (NameKind::Weak, "Malign"),
            (NameKind::Weak, "Ali"),
        ]
    );
    assert_eq!(names(firm), [(NameKind::Primary, "ADF"), (NameKind::Former, "NALU")]);
    assert_eq!((person.reference.as_deref(), firm.reference.as_deref()), (Some("LYi.029"), None));
    assert_eq!(person.programs, ["Libya"]);
    assert_eq!(person.countries.iter().map(CountryCode::as_str).collect::<Vec<_>>(), ["MR", "ML"]);
    assert_eq!(person.addresses, ["Gao, Mali"]);
    assert_eq!(person.remarks.as_deref(), Some("Manager of A & B, café."));
    let span = |first: &str, last: &str, circa| DateSpan {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        circa,
    };
    assert_eq!(
        person.birth_dates,
        [
            span("1976-04-02", "1976-04-02", false),
            span("1970-01-01", "1970-12-31", true),
            span("1958-01-01", "1963-12-31", false),
        ]
    );
    let numbers: Vec<_> =
        person.identifiers.iter().map(|i| (i.value.as_str(), i.country.map(|c| c.as_str()))).collect();
    assert_eq!(numbers, [("A1447120", Some("ML")), ("5802", None)]);
}

#[test]
fn every_fault_is_refused_with_its_position() {
    let bomb = r#"<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><CONSOLIDATED_LIST"#;
    let deep = format!("<SHOE_SIZE>{}{}", "<a>".repeat(20), "</a>".repeat(20));
    for (from, to, words) in [
        ("<CONSOLIDATED_LIST", bomb, "un.xml, line 2, column 1: declares a document type"),
        ("OSAMA", "&b;", "un.xml, line 5, column 34: uses &b;, which is not defined"),
        ("OSAMA", "&#0;", "un.xml, line 5, column 34: uses &#0;"),
        (
            "CONSOLIDATED_LIST",
            "export",
            "un.xml, line 2, column 1: the root is export, not CONSOLIDATED_LIST",
        ),
        ("</INDIVIDUAL>", "</ENTITY>", "un.xml, line 21, column 3: is no well-formed XML"),
        ("<DATAID>1</DATAID>", "", "un.xml, line 4, column 3: a record has no DATAID"),
        ("<DATAID>2<", "<DATAID>1<", "un.xml, line 24, column 3: entry 1 is there twice"),
        ("<FIRST_NAME>ADF</FIRST_NAME>", "", "un.xml, line 24, column 3: record 2 has no name"),
        ("<ENTITIES>", "<INDIVIDUALS/><ENTITIES>", "un.xml, line 23, column 2: has a second INDIVIDUALS"),
        ("<ENTITIES>", "rubbish<ENTITIES>", "un.xml, line 22, column 16: has text between elements"),
        ("<SHOE_SIZE>", &deep, "un.xml, line 20, column 57: is nested deeper than 16 elements"),
        (
            "</CONSOLIDATED_LIST>",
            "</CONSOLIDATED_LIST><more/>",
            "un.xml, line 29, column 21: has a second root",
        ),
        ("</CONSOLIDATED_LIST>", "", "un.xml is cut off: it ends inside CONSOLIDATED_LIST"),
    ] {
        assert!(LIST.contains(from), "{from}");
        let text = LIST.replacen(from, to, 1).replacen(
            "</CONSOLIDATED_LIST",
            if to == "export" { "</export" } else { "</CONSOLIDATED_LIST" },
            1,
        );
        let refused = parse(&text).map(|_| ()).expect_err(words).to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn a_document_without_a_section_or_a_record_is_no_list() {
    for (text, words) in [
        ("<CONSOLIDATED_LIST/>", "un.xml, line 1, column 1: CONSOLIDATED_LIST is empty"),
        ("<CONSOLIDATED_LIST><INDIVIDUALS/></CONSOLIDATED_LIST>", "un.xml is cut off: it has no ENTITIES"),
        (
            "<CONSOLIDATED_LIST><INDIVIDUALS/><ENTITIES/></CONSOLIDATED_LIST>",
            "un.xml is cut off: it holds no entry",
        ),
        ("<?xml version=\"1.0\"?>", "un.xml is cut off: it has no root element"),
    ] {
        let refused = parse(text).map(|_| ()).expect_err(words).to_string();
        assert!(refused.starts_with(words), "{refused}");
    }
}

#[test]
fn half_a_document_is_never_a_shorter_list() {
    let whole = parse(LIST).unwrap().entries;
    for left in (0..LIST.len()).filter(|left| LIST.is_char_boundary(*left)) {
        if let Ok(contents) = parse(&LIST[..left]) {
            assert_eq!(contents.entries, whole, "cut to {left} bytes");
            assert!(LIST[..left].trim_end().ends_with("</CONSOLIDATED_LIST>"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_the_reader_panic(
        at in 0usize..3000,
        cut in 0usize..40,
        junk in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'<'), Just(b'>'), Just(b'&'), Just(b';'), Just(b'/')], 0..40),
    ) {
        let mut bytes = LIST.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, junk);
        let file = SourceFile { name: "un.xml".into(), bytes };
        if let Ok(contents) = read(&"un-consolidated".try_into().unwrap(), &[file]) {
            prop_assert!(!contents.entries.is_empty());
        }
    }
}
