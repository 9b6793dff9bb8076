//! A `Location`: an address in typed parts, a country, or both.

use kyb_domain::country::CountryCode;

use super::references::References;
use crate::{
    reading::Reading,
    xml::{Element, Fault},
};

/// The parts of an address before its town, in their order.
const STREETS: [&str; 3] = ["ADDRESS1", "ADDRESS2", "ADDRESS3"];

/// What a location says.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The parts of the address with the country's name last; empty where only a country is known.
    pub(super) address: Vec<String>,
    /// The country's name.
    pub(super) country: Option<String>,
    /// The countries it means.
    pub(super) codes: Vec<CountryCode>,
}

/// Reads a location.
pub(super) fn read(
    location: &Element,
    references: &References,
    reading: &mut Reading,
) -> Result<Place, Fault> {
    let mut parts = parts(location, references, reading)?;
    let mut countries = countries(location, references)?;
    if let Some(unknown) = take(&mut parts, "Unknown") {
        // Of nationalities all that is published is `<Value>Iran</Value>` in a part of unknown type.
        if reading.is_country(&unknown) {
            countries.push(unknown);
        } else {
            parts.push(("REGION".into(), unknown));
        }
    }
    let mut address: Vec<String> = STREETS.into_iter().filter_map(|name| take(&mut parts, name)).collect();
    address.extend(town(&mut parts));
    address.extend(take(&mut parts, "REGION"));
    for (kind, text) in parts {
        reading.not_understood("location", &kind);
        address.push(text);
    }
    let mut place = Place { address, country: countries.first().cloned(), codes: vec![] };
    if !place.address.is_empty() {
        place.address.extend(place.country.clone());
    }
    for country in countries {
        place.codes.extend(reading.countries(&country));
    }
    Ok(place)
}

/// `Moscow 107076`, `Fort Lauderdale, FL 33316`, as the csv files put town, state and postal code into one field.
fn town(parts: &mut Vec<(String, String)>) -> Option<String> {
    let names: Vec<String> =
        ["CITY", "STATE/PROVINCE"].into_iter().filter_map(|name| take(parts, name)).collect();
    let town = names.join(", ");
    let town = [Some(town), take(parts, "POSTAL CODE")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(town.trim().to_owned()).filter(|town| !town.is_empty())
}

/// The parts by their type. Where a part is given in several scripts, the primary one counts.
fn parts(
    location: &Element,
    references: &References,
    reading: &mut Reading,
) -> Result<Vec<(String, String)>, Fault> {
    let mut parts = Vec::new();
    for part in location.named("LocationPart") {
        let kind = references.words(part, "LocPartTypeID", "LocPartType")?.unwrap_or_default();
        let values: Vec<&Element> = part.named("LocationPartValue").collect();
        let chosen = values.iter().find(|value| value.says("Primary")).or(values.first());
        if let Some(text) = chosen.and_then(|value| value.get("Value")) {
            parts.push((kind, text));
        }
        if values.len() > 1 {
            reading.not_understood("location", "a further value of one part");
        }
    }
    Ok(parts)
}

fn countries(location: &Element, references: &References) -> Result<Vec<String>, Fault> {
    let mut countries = Vec::new();
    for country in location.named("LocationCountry") {
        countries.extend(references.words(country, "CountryID", "Country")?);
    }
    for area in location.named("LocationAreaCode") {
        let area = references.value(area, "AreaCodeID", "AreaCode")?;
        let name = area.and_then(|area| area.attribute("Description"));
        countries.extend(name.filter(|name| !countries.iter().any(|known| known == name)).map(str::to_owned));
    }
    Ok(countries)
}

/// Takes the first part of a type out.
fn take(parts: &mut Vec<(String, String)>, kind: &str) -> Option<String> {
    let at = parts.iter().position(|(known, _)| known == kind)?;
    Some(parts.remove(at).1)
}
