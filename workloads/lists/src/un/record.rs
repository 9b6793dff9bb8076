//! One record of the UN's list as one entry.

use kyb_domain::{
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
};

use crate::{draft::Draft, names, reading::Reading, xml::Element};

/// The parts of a record's own name, in order.
const NAMES: [&str; 4] = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"];
/// The publisher's book-keeping, and what [`entry`] reads before the other elements.
const PASSED: [&str; 9] = [
    "DATAID",
    "VERSIONNUM",
    "LISTED_ON",
    "LIST_TYPE",
    "LAST_DAY_UPDATED",
    "SORT_KEY",
    "SORT_KEY_LAST_MOD",
    "SUBMITTED_ON",
    "SUBMITTED_BY",
];

/// The entry, or what it lacks.
pub(super) fn entry(kind: EntryKind, element: &Element, reading: &mut Reading) -> Result<Draft, String> {
    let id = element.get("DATAID").ok_or("a record has no DATAID")?;
    let name = NAMES.iter().filter_map(|part| element.get(part)).collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(format!("record {id} has no name"));
    }
    let mut draft = Draft::new(&id, kind, &name);
    for child in &element.children {
        read(child, &mut draft, reading);
    }
    for (label, name) in [("Note", "NOTE"), ("Gender", "GENDER")] {
        element.get(name).iter().for_each(|text| draft.words(label, text));
    }
    Ok(draft)
}

/// One element of a record.
fn read(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let name = element.name.as_str();
    let part = name.strip_prefix("INDIVIDUAL_").or_else(|| name.strip_prefix("ENTITY_")).unwrap_or(name);
    match part {
        "ALIAS" => alias(element, draft, reading),
        "ADDRESS" => address(element, draft, reading),
        "DATE_OF_BIRTH" => born(element, draft, reading),
        "DOCUMENT" => document(element, draft, reading),
        "PLACE_OF_BIRTH" => in_words("Place of birth", element, draft),
        "NATIONALITY" => {
            for country in element.all("VALUE") {
                draft.countries(reading.countries(&country));
            }
        }
        "TITLE" => in_words("Title", element, draft),
        "DESIGNATION" => in_words("Designation", element, draft),
        "REFERENCE_NUMBER" => element.words().iter().for_each(|text| draft.reference(text)),
        "UN_LIST_TYPE" => element.words().iter().for_each(|text| draft.program(text)),
        "COMMENTS1" => element.words().iter().for_each(|text| draft.remark(text)),
        "NAME_ORIGINAL_SCRIPT" => {
            let names = element.words().unwrap_or_default();
            names.split(';').for_each(|name| draft.name(NameKind::OriginalScript, name));
        }
        "GENDER" | "NOTE" => {}
        _ if PASSED.contains(&name) || NAMES.contains(&name) => {}
        _ => reading.not_understood("element", name),
    }
}

/// A name, or several between semicolons; one in another script may stand behind it in brackets.
fn alias(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let Some(published) = element.get("ALIAS_NAME") else { return };
    let kind = match element.get("QUALITY").as_deref() {
        Some("Good" | "a.k.a.") => NameKind::Alias,
        Some("Low") => NameKind::Weak,
        Some("f.k.a.") => NameKind::Former,
        Some("n.k.a.") => NameKind::NowKnownAs,
        other => {
            reading.not_understood("alias quality", other.unwrap_or("none"));
            NameKind::Alias
        }
    };
    for name in published.split(';') {
        let brackets = name.trim().strip_suffix(')').and_then(|open| open.rsplit_once('('));
        match brackets.filter(|(before, inside)| !before.trim().is_empty() && names::is_foreign(inside)) {
            Some((before, script)) => {
                draft.name(kind, before);
                draft.name(NameKind::OriginalScript, script);
            }
            None => draft.name(kind, name),
        }
    }
    if let Some(note) = element.get("NOTE") {
        draft.words(&format!("Alias {published}"), &note);
    }
}

fn address(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let parts = ["STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY"].map(|name| element.get(name));
    if parts[..4].iter().any(Option::is_some) {
        draft.address(parts.iter().map(Option::as_deref));
    }
    if let Some(country) = &parts[4] {
        draft.countries(reading.countries(country));
    }
    if let Some(note) = element.get("NOTE") {
        draft.words("Address", &note);
    }
}

fn born(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let date = |name: &str| {
        element.get(name).and_then(|text| text.get(..10).unwrap_or(&text).parse::<PartialDate>().ok())
    };
    let circa = element.get("TYPE_OF_DATE").is_some_and(|kind| kind.eq_ignore_ascii_case("APPROXIMATELY"));
    let span = match (date("FROM_YEAR"), date("TO_YEAR")) {
        (Some(from), Some(to)) => Some(DateSpan::between(from, to, circa)),
        (from, to) => {
            let known = date("DATE").or_else(|| date("YEAR")).or(from).or(to);
            known.map(|date| DateSpan::of(date, circa))
        }
    };
    let said = ["DATE", "YEAR", "FROM_YEAR", "TO_YEAR"].into_iter().find_map(|name| element.get(name));
    match (span, said) {
        (Some(span), _) => draft.born(span),
        (None, Some(text)) => reading.not_understood("date of birth", &text),
        (None, None) => {}
    }
    if let Some(note) = element.get("NOTE") {
        draft.words("Date of birth", &note);
    }
}

fn document(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let Some(number) = element.get("NUMBER") else { return };
    let kinds = ["TYPE_OF_DOCUMENT", "TYPE_OF_DOCUMENT2"].map(|name| element.get(name).unwrap_or_default());
    let kind = match kinds.join(" ").to_lowercase() {
        kind if kind.contains("passport") => IdentifierKind::Passport,
        kind if kind.contains("national") || kind.contains("identity") => IdentifierKind::NationalId,
        _ => IdentifierKind::Other,
    };
    let country = element.get("ISSUING_COUNTRY").or_else(|| element.get("COUNTRY_OF_ISSUE"));
    let issuer = reading.issuer(country.as_deref());
    if !draft.identifier(kind, bare_number(&number), issuer) {
        reading.not_understood("document number", &number);
    }
    if let Some(note) = element.get("NOTE") {
        draft.words(&format!("Document {number}"), &note);
    }
}

/// `national identity card number 5802098444` without its words: the list repeats the type there. A number that holds
/// blanks of its own is left as it is.
fn bare_number(text: &str) -> &str {
    let has_digit = |word: &str| word.bytes().any(|b| b.is_ascii_digit());
    match text.rsplit_once(' ') {
        Some((words, number)) if has_digit(number) && words.len() > 4 && !has_digit(words) => number,
        _ => text,
    }
}

/// What has no place of its own in an entry: kept as words.
fn in_words(label: &str, element: &Element, draft: &mut Draft) {
    let texts: Vec<String> = element.children.iter().filter_map(Element::words).collect();
    draft.words(label, &texts.join(", "));
}
