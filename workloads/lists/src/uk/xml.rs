//! The list as XML: `Designations` holds the day on which it was made and one `Designation` an entry.

use chrono::NaiveDate;
use kyb_domain::{identifier::IdentifierKind, list::NameKind};

use super::designation::{self, FIELDS, Meaning, PublishedName};
use crate::{
    Contents, ListError, ListId, SourceFile,
    draft::{Draft, Drafts},
    reading::Reading,
    xml::{Document, Element, Fault},
};

/// The root element.
pub(crate) const ROOT: &str = "Designations";

/// The lines of an address, its postal code and its country.
const ADDRESS: [&str; 8] = [
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "AddressLine5",
    "AddressLine6",
    "AddressPostalCode",
    "AddressCountry",
];

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "the UK Sanctions List, one XML file")?;
    let mut document = Document::open(file)?;
    let mut root = document.root(ROOT)?;
    let (mut drafts, mut reading, mut stated) = (Drafts::default(), Reading::default(), None);
    while let Some(tag) = document.inside(&mut root)? {
        let element = document.whole(tag)?;
        match element.name.as_str() {
            "Designation" => {
                let draft = draft(&element, &mut reading).map_err(|fault| document.refuse(fault))?;
                drafts.add(draft).map_err(|problem| document.refuse(element.fault(problem)))?;
            }
            "DateGenerated" => stated = element.words().and_then(|day| generated(&day)),
            other => reading.not_understood("element", other),
        }
    }
    document.end()?;
    Ok(Contents { stated, ..Contents::new(file, drafts, reading)? })
}

/// The day in `21/09/2026`.
fn generated(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.get(..10)?, "%d/%m/%Y").or_else(|_| text[..10].parse()).ok()
}

/// The entry, or what it lacks.
fn draft(element: &Element, reading: &mut Reading) -> Result<Draft, Fault> {
    let id = element.get("UniqueID").ok_or_else(|| element.fault("a designation has no UniqueID"))?;
    let names = element.below(&["Names", "Name"]);
    let mut names: Vec<PublishedName> = names.iter().filter_map(|name| published(name, reading)).collect();
    if names.is_empty() {
        return Err(element.fault(format!("designation {id} has no name")));
    }
    let primary = names.remove(designation::primary(&names, reading));
    let kind = designation::kind(element.get("IndividualEntityShip").as_deref(), reading);
    let mut draft = Draft::new(&id, kind, &primary.text);
    for name in &names {
        name.add_to(&mut draft);
    }
    for child in &element.children {
        part(child, &mut draft, reading);
    }
    Ok(draft)
}

fn published(name: &Element, reading: &mut Reading) -> Option<PublishedName> {
    let parts = ["Name1", "Name2", "Name3", "Name4", "Name5", "Name6"].map(|part| name.get(part));
    let (stated, strength) = (name.get("NameType"), name.get("AliasStrength"));
    PublishedName::new(parts.iter().map(Option::as_deref), stated.as_deref(), strength.as_deref(), reading)
}

/// One element of a designation. Groups (`Titles`, `IndividualDetails`) hold more of them.
fn part(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let texts = |names: [&str; 2]| names.map(|name| element.get(name));
    match element.name.as_str() {
        "Names" | "SanctionsImposedIndicators" => {} // read before; the same as `SanctionsImposed`, one by one
        "NonLatinName" => {
            let name = element.get("NameNonLatinScript").unwrap_or_default();
            draft.name(NameKind::OriginalScript, &name);
        }
        "Address" => {
            let parts = ADDRESS.map(|name| element.get(name));
            designation::address(parts.each_ref().map(Option::as_deref), draft, reading);
        }
        "Passport" => {
            let texts = texts(["PassportNumber", "PassportAdditionalInformation"]);
            let texts = texts.each_ref().map(Option::as_deref);
            designation::document(IdentifierKind::Passport, "Passport", texts, draft, reading);
        }
        "NationalIdentifier" => {
            let texts = texts(["NationalIdentifierNumber", "NationalIdentifierAdditionalInformation"]);
            let texts = texts.each_ref().map(Option::as_deref);
            designation::document(IdentifierKind::NationalId, "National identifier", texts, draft, reading);
        }
        "Location" => {
            let place: Vec<String> = texts(["TownOfBirth", "CountryOfBirth"]).into_iter().flatten().collect();
            draft.words("Place of birth", &place.join(", "));
        }
        _ => field(element, draft, reading),
    }
}

/// A field by its name, or a group of fields.
fn field(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    let known = FIELDS.iter().find(|(name, ..)| *name == element.name);
    match (known, element.words()) {
        (Some((_, label, meaning)), text) => {
            // Line ends tell numbers apart; elsewhere they are the publisher's line wrapping.
            let lines = matches!(meaning, Meaning::Number(_)).then(|| element.text.trim().to_owned());
            let text = lines.or(text).unwrap_or_default();
            if !text.is_empty() {
                designation::apply(*meaning, label, &text, draft, reading);
            }
        }
        (None, None) => element.children.iter().for_each(|child| part(child, draft, reading)),
        (None, Some(_)) => reading.not_understood("element", &element.name),
    }
}
