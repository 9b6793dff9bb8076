//! A person, a firm, a ship or an aircraft as one entry.

use kyb_domain::{
    date::{DateSpan, PartialDate},
    identifier::IdentifierKind,
    list::{EntryKind, NameKind},
};

use super::{context::Context, object::Thing, territory};
use crate::{draft::Draft, json::Json, names, reading::Reading};

/// Properties that hold names, and what kind of names.
const NAMES: [(&str, NameKind); 5] = [
    ("name", NameKind::Alias),
    ("alias", NameKind::Alias),
    ("abbreviation", NameKind::Alias),
    ("previousName", NameKind::Former),
    ("weakAlias", NameKind::Weak),
];

/// What is done with a property.
enum Meaning {
    /// Read with the names, or by those who made the file.
    Passed,
    Country,
    Born,
    Number(IdentifierKind),
    Address,
    Program,
    Remark,
    Words(&'static str),
}

/// What a schema is, `None` where it is none of those that are listed.
pub(super) fn kind(schema: &str) -> Option<EntryKind> {
    match schema {
        "Person" => Some(EntryKind::Person),
        "Organization" | "Company" | "LegalEntity" | "PublicBody" => Some(EntryKind::Organization),
        "Vessel" => Some(EntryKind::Vessel),
        "Airplane" => Some(EntryKind::Aircraft),
        _ => None,
    }
}

/// The entry.
pub(super) fn draft(thing: &Thing<'_>, kind: EntryKind, reading: &mut Reading) -> Result<Draft, String> {
    let all =
        || NAMES.into_iter().flat_map(|(property, kind)| thing.all(property).map(move |name| (kind, name)));
    let good = || all().filter(|(kind, _)| *kind == NameKind::Alias).map(|(_, name)| name);
    let caption = thing.caption.filter(|caption| good().any(|name| name == *caption));
    let primary = caption.or_else(|| thing.first("name")).or_else(|| good().next());
    let primary = primary.or_else(|| all().map(|(_, name)| name).next()).or(thing.caption);
    let primary = primary.ok_or_else(|| format!("entity {} has no name", thing.id))?;
    let mut draft = Draft::new(thing.id, kind, primary);
    all().for_each(|(kind, name)| draft.name(names::kind(kind, name), name));
    for (name, values) in thing.properties() {
        for value in values.iter().filter_map(Json::words) {
            property(name, value, &mut draft, reading);
        }
    }
    for object in thing.nested() {
        let nested = Thing::read(object)?;
        match Context::read(&nested) {
            Some(context) => context.apply(&mut draft, reading),
            None => reading.not_understood("schema", nested.schema),
        }
    }
    Ok(draft)
}

/// One value of a property.
fn property(name: &str, value: &str, draft: &mut Draft, reading: &mut Reading) {
    match meaning(name, draft.kind()) {
        None => reading.not_understood("property", name),
        Some(Meaning::Passed) => {}
        Some(Meaning::Country) => draft.countries(territory::codes(value, reading)),
        Some(Meaning::Born) => match date(value) {
            Some(span) => draft.born(span),
            None => reading.not_understood(name, value),
        },
        Some(Meaning::Number(kind)) => draft.identify(name, kind, value, None, reading),
        Some(Meaning::Address) => draft.address([Some(value)]),
        Some(Meaning::Program) => draft.program(value),
        Some(Meaning::Remark) => draft.remark(value),
        Some(Meaning::Words(label)) => draft.words(label, value),
    }
}

/// `1962`, `1962-04` or `1962-04-29`, a time of day behind it passed over.
fn date(text: &str) -> Option<DateSpan> {
    let day = text.split('T').next()?;
    Some(DateSpan::of(day.parse::<PartialDate>().ok()?, false))
}

fn meaning(property: &str, of: EntryKind) -> Option<Meaning> {
    use IdentifierKind::{Bic, Duns, Imo, Lei, NationalId, Other, Passport, RegistryNumber, TaxId, Website};
    let vehicle = matches!(of, EntryKind::Vessel | EntryKind::Aircraft);
    Some(match property {
        "name" | "alias" | "abbreviation" | "previousName" | "weakAlias" | "firstName" | "secondName"
        | "middleName" | "fatherName" | "motherName" | "lastName" | "nameSuffix" | "addressEntity"
        | "sourceUrl" | "publisher" | "publisherUrl" | "alephUrl" | "wikipediaUrl" | "opencorporatesUrl"
        | "keywords" | "proof" | "indexText" | "createdAt" | "modifiedAt" | "retrievedAt" | "programUrl" => {
            Meaning::Passed
        }
        "country" | "nationality" | "citizenship" | "jurisdiction" | "mainCountry" | "flag" => {
            Meaning::Country
        }
        "birthDate" | "incorporationDate" => Meaning::Born,
        "address" => Meaning::Address,
        "program" | "programId" => Meaning::Program,
        "notes" | "summary" | "description" => Meaning::Remark,
        "leiCode" => Meaning::Number(Lei),
        "swiftBic" => Meaning::Number(Bic),
        "dunsCode" => Meaning::Number(Duns),
        "imoNumber" => Meaning::Number(Imo),
        "website" => Meaning::Number(Website),
        "passportNumber" => Meaning::Number(Passport),
        "idNumber" | "socialSecurityNumber" => Meaning::Number(NationalId),
        "taxNumber" | "vatCode" | "innCode" | "irsCode" | "voenCode" => Meaning::Number(TaxId),
        "registrationNumber" if vehicle => Meaning::Number(Other),
        "registrationNumber" | "ogrnCode" | "uscCode" | "jibCode" | "mbsCode" => {
            Meaning::Number(RegistryNumber)
        }
        "email" | "phone" | "mmsi" | "callSign" | "serialNumber" | "licenseNumber" | "uniqueEntityId"
        | "npiCode" | "cikCode" | "bikCode" | "kppCode" | "okpoCode" | "fnsCode" | "pfrNumber" | "bvdId"
        | "ticker" | "ricCode" | "isinCode" | "crsNumber" | "wikidataId" | "icijId" | "caemCode"
        | "ipoCode" | "coatoCode" => Meaning::Number(Other),
        other => Meaning::Words(label(other)?),
    })
}

/// Properties that are kept as words, with their labels.
fn label(property: &str) -> Option<&'static str> {
    const LABELS: [(&str, &str); 36] = [
        ("amount", "Amount"),
        ("appearance", "Appearance"),
        ("birthCountry", "Country of birth"),
        ("birthPlace", "Place of birth"),
        ("buildDate", "Built"),
        ("capital", "Capital"),
        ("classification", "Classification"),
        ("deathDate", "Died"),
        ("deadweightTonnage", "Deadweight tonnage"),
        ("dissolutionDate", "Dissolved"),
        ("education", "Education"),
        ("ethnicity", "Ethnicity"),
        ("eyeColor", "Eye colour"),
        ("gender", "Gender"),
        ("grossRegisteredTonnage", "Gross registered tonnage"),
        ("hairColor", "Hair colour"),
        ("height", "Height"),
        ("legalForm", "Legal form"),
        ("manufacturer", "Manufacturer"),
        ("model", "Model"),
        ("pastFlags", "Past flags"),
        ("pastTypes", "Past types"),
        ("political", "Political association"),
        ("position", "Position"),
        ("profession", "Profession"),
        ("registrationDate", "Registered"),
        ("registrationPort", "Port of registration"),
        ("religion", "Religion"),
        ("sector", "Sector"),
        ("spokenLanguage", "Language"),
        ("status", "Status"),
        ("title", "Title"),
        ("tonnage", "Tonnage"),
        ("topics", "Topic"),
        ("type", "Type"),
        ("weight", "Weight"),
    ];
    LABELS.iter().find(|(name, _)| *name == property).map(|(_, label)| *label)
}
