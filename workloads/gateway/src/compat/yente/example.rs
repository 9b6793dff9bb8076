//! A described entity (schema and properties of FollowTheMoney) read as a party.

use std::collections::BTreeMap;

use kyb_domain::{
    country::CountryCode,
    date::PartialDate,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    party::{Party, PartyKind},
    text::Name,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    compat::params::{invalid, log_passed_over},
    problem::Problem,
};

/// The most values of all properties together.
const MOST_VALUES: usize = 500;
/// The parts of a person's name in the order in which they make up one.
const NAME_PARTS: [&str; 5] = ["firstName", "secondName", "middleName", "fatherName", "lastName"];
/// What is understood of the schemata that can be matched; entries of every kind are compared with `Unknown`.
const SCHEMATA: [(&str, PartyKind); 9] = [
    ("Person", PartyKind::Person),
    ("Organization", PartyKind::Business),
    ("Company", PartyKind::Business),
    ("PublicBody", PartyKind::Business),
    ("Vessel", PartyKind::Business),
    ("Airplane", PartyKind::Business),
    ("Vehicle", PartyKind::Business),
    ("LegalEntity", PartyKind::Unknown),
    ("Thing", PartyKind::Unknown),
];

/// The kind of party that a schema describes; `None` for what no list names.
pub(super) fn kind_of(schema: &str) -> Option<PartyKind> {
    SCHEMATA.iter().find(|(name, _)| *name == schema).map(|(_, kind)| *kind)
}

/// Whether an entity of schema `own`, as entries are written, is of the wanted schema. What kind of organisation one is, no list says.
pub(super) fn includes(wanted: &str, own: &str) -> bool {
    match wanted {
        "Thing" => true,
        "LegalEntity" => matches!(own, "Person" | "Organization"),
        "Vehicle" => matches!(own, "Vessel" | "Airplane"),
        "Company" | "PublicBody" => own == "Organization",
        wanted => wanted == own,
    }
}

/// What was asked, as it was read.
#[derive(Debug, Serialize)]
pub(super) struct Example {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    schema: String,
    properties: BTreeMap<String, Vec<String>>,
    #[serde(skip)]
    pub(super) party: Party,
}

/// Where a property's values go.
enum Place {
    Name,
    Alias,
    Country,
    Date,
    Address,
    Identifier(IdentifierKind),
}

fn place(property: &str) -> Option<Place> {
    use IdentifierKind::{Bic, Duns, Imo, Lei, NationalId, Other, Passport, RegistryNumber, TaxId, Website};
    Some(match property {
        "name" => Place::Name,
        "alias" | "previousName" | "abbreviation" => Place::Alias,
        "country" | "nationality" | "citizenship" | "jurisdiction" | "mainCountry" | "flag" => Place::Country,
        "birthDate" | "incorporationDate" | "buildDate" => Place::Date,
        "address" => Place::Address,
        "leiCode" => Place::Identifier(Lei),
        "registrationNumber" | "ogrnCode" | "uscCode" => Place::Identifier(RegistryNumber),
        "taxNumber" | "vatCode" | "innCode" => Place::Identifier(TaxId),
        "swiftBic" => Place::Identifier(Bic),
        "dunsCode" => Place::Identifier(Duns),
        "imoNumber" => Place::Identifier(Imo),
        "passportNumber" => Place::Identifier(Passport),
        "idNumber" | "socialSecurityNumber" => Place::Identifier(NationalId),
        "website" => Place::Identifier(Website),
        "mmsi" | "callSign" | "serialNumber" | "icaoCode" => Place::Identifier(Other),
        _ => return None,
    })
}

impl Example {
    /// Reads one example. What is not known is passed over and logged by name, never by value.
    pub(super) fn read(example: &Value) -> Result<Self, Problem> {
        let refused = |why: &str| invalid(format!("Cannot parse example entity: {why}"));
        let example = example.as_object().ok_or_else(|| refused("it must be an object"))?;
        let schema =
            example.get("schema").and_then(Value::as_str).ok_or_else(|| refused("schema: must be there"))?;
        let kind = kind_of(schema).ok_or_else(|| {
            let known: Vec<&str> = SCHEMATA.iter().map(|(name, _)| *name).collect();
            refused(&format!("schema: must be one of {}", known.join(", ")))
        })?;
        let empty = Map::new();
        let given = match example.get("properties") {
            Some(Value::Object(given)) => given,
            None | Some(Value::Null) => &empty,
            Some(_) => return Err(refused("properties: must be an object")),
        };
        let properties: BTreeMap<String, Vec<String>> =
            given.iter().map(|(name, values)| (name.clone(), texts(values))).collect();
        if properties.values().map(Vec::len).sum::<usize>() > MOST_VALUES {
            return Err(refused(&format!("properties: may have at most {MOST_VALUES} values")));
        }
        let mut reading = Reading::default();
        reading.read(&properties).map_err(|why| refused(&why))?;
        let party = reading.party(kind).map_err(|why| refused(&why))?;
        let known = ["id", "schema", "properties"];
        let others = example.keys().map(String::as_str).filter(|name| !known.contains(name));
        log_passed_over("/match/{dataset}", others.chain(reading.passed_over.iter().copied()));
        let id = example.get("id").and_then(Value::as_str).map(str::to_owned);
        let schema = schema.to_owned();
        let properties = properties.iter().filter(|(name, _)| is_known(name));
        let properties = properties.map(|(name, values)| (name.clone(), values.clone())).collect();
        Ok(Self { id, schema, properties, party })
    }
}

fn is_known(property: &str) -> bool {
    place(property).is_some() || NAME_PARTS.contains(&property)
}

/// The values of a property: one or a list; texts as they are, numbers as text. Nested entities and nothing are no values.
fn texts(values: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match values {
        Value::Array(values) => values.iter().filter_map(text).collect(),
        value => text(value).into_iter().collect(),
    }
}

/// A party while it is read.
#[derive(Default)]
struct Reading<'a> {
    names: Vec<Name>,
    aliases: Vec<Name>,
    countries: Vec<CountryCode>,
    date: Option<PartialDate>,
    identifiers: Vec<Identifier>,
    addresses: Vec<Name>,
    /// Properties that are not known, or had a value that is not understood.
    passed_over: Vec<&'a str>,
}

impl<'a> Reading<'a> {
    fn read(&mut self, properties: &'a BTreeMap<String, Vec<String>>) -> Result<(), String> {
        for (property, values) in properties {
            let Some(place) = place(property) else {
                if !NAME_PARTS.contains(&property.as_str()) {
                    self.passed_over.push(property);
                }
                continue;
            };
            for value in values {
                if !self.take(&place, property, value)? {
                    self.passed_over.push(property);
                }
            }
        }
        if self.names.is_empty() {
            self.names.extend(combined(properties)?);
        }
        Ok(())
    }

    /// Whether the value was understood. A name that can't be searched for is an error: it must not look as if nobody had it.
    fn take(&mut self, place: &Place, property: &str, value: &str) -> Result<bool, String> {
        match place {
            Place::Name => self.names.push(name(property, value)?),
            Place::Alias => self.aliases.push(name(property, value)?),
            Place::Country => {
                return Ok(CountryCode::recognise(value).map(|c| self.countries.push(c)).is_some());
            }
            Place::Date => return Ok(self.take_date(value)),
            Place::Address => {
                return Ok(Name::try_from(value.to_owned()).map(|a| self.addresses.push(a)).is_ok());
            }
            Place::Identifier(kind) => {
                let Ok(value) = IdentifierValue::try_from(value.to_owned()) else { return Ok(false) };
                self.identifiers.push(Identifier { kind: *kind, value, country: None });
            }
        }
        Ok(true)
    }

    /// Keeps the most exact date; a time of day is cut off.
    fn take_date(&mut self, value: &str) -> bool {
        let day = value.split(['T', ' ']).next().unwrap_or(value);
        let Ok(date) = day.parse::<PartialDate>() else { return false };
        let exactness = |date: PartialDate| (date.month().is_some(), date.day().is_some());
        if self.date.is_none_or(|known| exactness(known) < exactness(date)) {
            self.date = Some(date);
        }
        true
    }

    fn party(&mut self, kind: PartyKind) -> Result<Party, String> {
        let mut names = std::mem::take(&mut self.names);
        names.append(&mut self.aliases);
        if names.is_empty() {
            return Err("properties: a name is needed; identifiers alone are not searched".to_owned());
        }
        let name = names.remove(0);
        self.countries.sort();
        self.countries.dedup();
        let party = Party {
            kind,
            name,
            aliases: names,
            countries: std::mem::take(&mut self.countries),
            birth_date: self.date,
            identifiers: std::mem::take(&mut self.identifiers),
            addresses: std::mem::take(&mut self.addresses),
        };
        party.check_bounds().map_err(|error| error.to_string())?;
        Ok(party)
    }
}

fn name(property: &str, value: &str) -> Result<Name, String> {
    Name::try_from(value.to_owned()).map_err(|error| format!("{property}: {error}"))
}

/// A name from its parts, each part's values in the order in which they came.
fn combined(properties: &BTreeMap<String, Vec<String>>) -> Result<Option<Name>, String> {
    let parts: Vec<&str> =
        NAME_PARTS.iter().filter_map(|part| properties.get(*part)).flatten().map(String::as_str).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    name("firstName, lastName", &parts.join(" ")).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn party(example: &Value) -> Party {
        Example::read(example).unwrap().party
    }

    #[test]
    fn an_example_is_read_as_a_party() {
        let read = party(&json!({"schema": "Person", "properties": {
            "firstName": ["Arkadii"], "fatherName": "Romanovich", "lastName": ["Rotenberg"],
            "birthDate": ["1951", "1951-12-15T00:00:00"], "nationality": ["Russia"], "citizenship": "ru",
            "passportNumber": ["PX 1"], "address": "Moscow", "eyeColor": ["grey"], "innCode": 7_712_345_678_u64,
        }}));
        let expected = json!({
            "type": "person", "name": "Arkadii Romanovich Rotenberg", "countries": ["RU"], "birth_date": "1951-12-15",
            "identifiers": [{"kind": "tax_id", "value": "7712345678"}, {"kind": "passport", "value": "PX 1"}],
            "addresses": ["Moscow"],
        });
        assert_eq!(serde_json::to_value(read).unwrap(), expected);
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_not_echoed() {
        let example = json!({"id": "q", "schema": "Company", "properties": {"name": "A", "colour": "red", "country": "Atlantis"}});
        let read = serde_json::to_value(Example::read(&example).unwrap()).unwrap();
        assert_eq!(
            read,
            json!({"id": "q", "schema": "Company", "properties": {"name": ["A"], "country": ["Atlantis"]}})
        );
    }

    #[test]
    fn what_would_look_like_an_all_clear_is_refused() {
        let long = "x".repeat(501);
        let names: Vec<String> = (0..60).map(|n| format!("Name {n}")).collect();
        let numbers: Vec<u32> = (0..501).collect();
        for bad in [
            json!("Acme"),
            json!({"properties": {"name": "A"}}),
            json!({"schema": "Company"}),
            json!({"schema": "Company", "properties": []}),
            json!({"schema": "Company", "properties": {"registrationNumber": "1"}}),
            json!({"schema": "Company", "properties": {"name": "!!"}}),
            json!({"schema": "Company", "properties": {"name": long}}),
            json!({"schema": "Company", "properties": {"name": names}}),
            json!({"schema": "Company", "properties": {"name": "A", "keywords": numbers}}),
            json!({"schema": "Address", "properties": {"name": "A"}}),
            json!({"schema": "Compnay", "properties": {"name": "A"}}),
        ] {
            let refused = Example::read(&bad).unwrap_err();
            assert!(
                refused.detail().starts_with("Cannot parse example entity: "),
                "{bad}: {}",
                refused.detail()
            );
        }
    }
}
