//! One `sanctionEntity` as one entry.

use kyb_domain::{
    country::CountryCode,
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
};

use crate::{
    draft::Draft,
    names,
    reading::Reading,
    xml::{Element, Fault},
};

/// What the publisher writes where it knows no country.
const NO_COUNTRY: [&str; 2] = ["00", "UNKNOWN"];

/// The entry, or what it lacks.
pub(super) fn draft(entity: &Element, reading: &mut Reading) -> Result<Draft, Fault> {
    let id = entity.required("logicalId")?;
    let mut published = published_names(entity);
    names::primary_first(&mut published, |(kind, _)| *kind == NameKind::Alias);
    let mut published = published.into_iter();
    let (_, name) = published.next().ok_or_else(|| entity.fault(format!("entity {id} has no name")))?;
    let mut draft = Draft::new(id, kind(entity, reading), &name);
    published.for_each(|(kind, name)| draft.name(kind, &name));
    if let Some(reference) = entity.attribute("euReferenceNumber") {
        draft.reference(reference);
    }
    for child in &entity.children {
        part(child, &mut draft, reading);
    }
    let details = [("Designation", "designationDetails"), ("United Nations id", "unitedNationId")];
    for (label, attribute) in details {
        draft.words(label, entity.attribute(attribute).unwrap_or_default());
    }
    Ok(draft)
}

fn kind(entity: &Element, reading: &mut Reading) -> EntryKind {
    let subject = entity.child("subjectType");
    let code =
        subject.and_then(|subject| subject.attribute("code").or(subject.attribute("classificationCode")));
    match code {
        Some("person" | "P") => EntryKind::Person,
        Some("enterprise" | "E") => EntryKind::Organization,
        other => {
            reading.not_understood("subject type", other.unwrap_or("none"));
            EntryKind::Organization
        }
    }
}

/// The names with their kinds. A name is weak where the publisher says so: `strong="false"`, or a remark such as
/// `(low quality alias)`.
fn published_names(entity: &Element) -> Vec<(NameKind, String)> {
    let mut all = Vec::new();
    for alias in entity.named("nameAlias") {
        let parts =
            ["firstName", "middleName", "lastName"].map(|part| alias.attribute(part).unwrap_or_default());
        let text = alias.attribute("wholeName").map_or_else(|| names::joined(parts), str::to_owned);
        let remark = alias.get("remark").unwrap_or_default().to_lowercase();
        let stated = if alias.attribute("strong") == Some("false") || remark.contains("low quality") {
            NameKind::Weak
        } else if remark.contains("formerly") || remark.contains("f.k.a") {
            NameKind::Former
        } else {
            NameKind::Alias
        };
        all.push((names::kind(stated, &text), text.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    all.retain(|(_, text)| !text.is_empty());
    all
}

/// One element of an entity.
fn part(element: &Element, draft: &mut Draft, reading: &mut Reading) {
    match element.name.as_str() {
        "nameAlias" => beside_the_name(element, draft),
        "regulation" => draft.program(element.attribute("programme").unwrap_or_default()),
        "citizenship" => draft.countries(countries(element, reading)),
        "birthdate" => born(element, draft, reading),
        "identification" => identification(element, draft, reading),
        "address" => address(element, draft, reading),
        "remark" => draft.remark(&element.words().unwrap_or_default()),
        "subjectType" => {}
        other => reading.not_understood("element", other),
    }
}

/// What stands beside a name and is none.
fn beside_the_name(alias: &Element, draft: &mut Draft) {
    for (label, attribute) in [("Title", "title"), ("Function", "function"), ("Gender", "gender")] {
        draft.words(label, alias.attribute(attribute).unwrap_or_default());
    }
    if let (Some(name), Some(remark)) = (alias.attribute("wholeName"), alias.get("remark")) {
        draft.words(&format!("Name {name}"), &remark);
    }
}

/// The country by its code, else by its name.
fn countries(element: &Element, reading: &mut Reading) -> Vec<CountryCode> {
    let code = element.attribute("countryIso2Code").filter(|code| !NO_COUNTRY.contains(code));
    if let Some(code) = code.and_then(|code| CountryCode::try_from(code).ok()) {
        return vec![code];
    }
    let name = element.attribute("countryDescription").filter(|name| !NO_COUNTRY.contains(name));
    name.or(code).map(|name| reading.countries(name)).unwrap_or_default()
}

fn born(birth: &Element, draft: &mut Draft, reading: &mut Reading) {
    let place =
        ["city", "place", "region", "zipCode", "countryDescription"].map(|name| birth.attribute(name));
    draft.words("Place of birth", &known(place).join(", "));
    draft.words("Date of birth", &birth.get("remark").unwrap_or_default());
    let calendar = birth.attribute("calendarType").unwrap_or("GREGORIAN");
    if calendar != "GREGORIAN" {
        return reading.not_understood("calendar", calendar); // its year 1383 is none of ours
    }
    let circa = birth.says("circa");
    match (span(birth, circa), birth.attribute("birthdate").or(birth.attribute("year"))) {
        (Some(span), _) => draft.born(span),
        (None, Some(text)) => reading.not_understood("date of birth", text),
        (None, None) => {}
    }
}

/// The span that the parts of a date of birth mean.
fn span(birth: &Element, circa: bool) -> Option<DateSpan> {
    let number = |name: &str| birth.attribute(name).and_then(|text| text.parse::<u32>().ok());
    let year = |name: &str| number(name).and_then(|year| i32::try_from(year).ok());
    if let Some(day) = birth.attribute("birthdate").and_then(|text| text.get(..10)?.parse().ok()) {
        return Some(DateSpan::of(day, circa));
    }
    if let Some(year) = year("year") {
        let known = PartialDate::new(year, number("monthOfYear"), number("dayOfMonth"));
        return Some(DateSpan::of(known.or_else(|_| PartialDate::new(year, None, None)).ok()?, circa));
    }
    let [from, to] =
        ["yearRangeFrom", "yearRangeTo"].map(|name| PartialDate::new(year(name)?, None, None).ok());
    Some(DateSpan::between(from.or(to)?, to.or(from)?, circa))
}

fn identification(document: &Element, draft: &mut Draft, reading: &mut Reading) {
    let code = document.attribute("identificationTypeCode").unwrap_or_default();
    let kind = match code {
        "passport" => IdentifierKind::Passport,
        "id" | "ssn" | "NRN" | "nationcert" => IdentifierKind::NationalId,
        "regnumber" => IdentifierKind::RegistryNumber,
        "fiscalcode" | "taxid" => IdentifierKind::TaxId,
        "swiftbic" => IdentifierKind::Bic,
        "imo" => IdentifierKind::Imo,
        "other" | "tradelic" | "birthcert" | "travelcardid" | "electionid" | "residentperm"
        | "drivinglicence" => IdentifierKind::Other,
        other => {
            reading.not_understood("identification type", other);
            IdentifierKind::Other
        }
    };
    let issuers = countries(document, reading);
    let issuer = if let [only] = issuers[..] { Some(only) } else { None };
    let [number, latin] = ["number", "latinNumber"].map(|name| document.attribute(name));
    for number in number.into_iter().chain(latin.filter(|latin| number != Some(*latin))) {
        draft.identify(code, kind, number, issuer, reading);
    }
    if number.or(latin).is_none() {
        reading.not_understood("identification", "without a number");
    }
    let label = document.attribute("identificationTypeDescription").unwrap_or("Identification");
    draft.words(label, &document.get("remark").unwrap_or_default());
}

fn address(address: &Element, draft: &mut Draft, reading: &mut Reading) {
    let country = address.attribute("countryDescription").filter(|name| !NO_COUNTRY.contains(name));
    let box_number = address.attribute("poBox").map(|number| format!("PO Box {number}"));
    let town = known([address.attribute("zipCode"), address.attribute("city")]).join(" ");
    let [street, place, region] = ["street", "place", "region"].map(|name| address.attribute(name));
    let parts =
        [street, box_number.as_deref(), Some(town.as_str()).filter(|town| !town.is_empty()), place, region];
    if parts.iter().any(Option::is_some) {
        draft.address(parts.into_iter().chain([country]));
    }
    draft.countries(countries(address, reading));
    draft.words("Address", &address.get("remark").unwrap_or_default());
    for contact in address.named("contactInfo") {
        reach(contact, draft, reading);
    }
}

/// A `contactInfo`: one or several addresses of one kind.
fn reach(contact: &Element, draft: &mut Draft, reading: &mut Reading) {
    let key = contact.attribute("key").unwrap_or_default();
    let kind = match key {
        "WEB" => IdentifierKind::Website,
        "EMAIL" | "PHONE" | "FAX" => IdentifierKind::Other,
        other => return reading.not_understood("contact", other),
    };
    let values = contact.attribute("value").unwrap_or_default().split([',', ';']);
    for value in values.map(str::trim).filter(|value| !value.is_empty()) {
        draft.identify(key, kind, value, None, reading);
    }
}

fn known<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Vec<&'a str> {
    parts.into_iter().flatten().filter(|part| !NO_COUNTRY.contains(part)).collect()
}
