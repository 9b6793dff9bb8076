//! A listed entry as Watchman writes one.

use chrono::NaiveDate;
use kyb_domain::{
    identifier::{Identifier, IdentifierKind},
    list::{Entry, EntryKind, ListId, NameKind, Watchlist},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::query::Kind;

/// Names of lists as Watchman's clients know them; other lists go by their own.
pub(super) fn source(list: &ListId) -> &str {
    match list.as_str() {
        "ofac-sdn" => "us_ofac",
        "eu-consolidated" => "eu_csl",
        "uk-sanctions" => "uk_csl",
        other => other,
    }
}

/// An entity; the part of its type is flattened in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entity {
    name: String,
    #[serde(rename = "entityType")]
    kind: &'static str,
    source_list: String,
    #[serde(rename = "sourceID")]
    source_id: String,
    #[serde(flatten)]
    part: Map<String, Value>,
    contact: Value,
    addresses: Vec<Value>,
    sanctions_info: Value,
    historical_info: Vec<Value>,
    source_data: Value,
}

impl Entity {
    /// `asked` decides between business and organization, which no list tells apart.
    pub(super) fn of(list: &Watchlist, entry: &Entry, asked: Kind) -> Self {
        let kind = match entry.kind {
            EntryKind::Person => Kind::Person,
            EntryKind::Organization if asked == Kind::Organization => Kind::Organization,
            EntryKind::Organization => Kind::Business,
            EntryKind::Vessel => Kind::Vessel,
            EntryKind::Aircraft => Kind::Aircraft,
        };
        let version = &list.version;
        Self {
            name: entry.caption().to_owned(),
            kind: kind.name(),
            source_list: source(&version.list).to_owned(),
            source_id: entry.id.clone(),
            part: [(kind.name().to_owned(), part(kind, entry))].into_iter().collect(),
            contact: json!({"websites": websites(entry)}),
            addresses: entry.addresses.iter().map(|line| json!({"line1": line})).collect(),
            sanctions_info: sanctions(entry),
            historical_info: names(entry, |kind| kind == NameKind::Former)
                .map(|name| json!({"type": "Former Name", "value": name}))
                .collect(),
            source_data: json!({"list": version.list, "version": version.label(), "remarks": entry.remarks}),
        }
    }
}

fn part(kind: Kind, entry: &Entry) -> Value {
    let others: Vec<&str> = names(entry, |kind| kind != NameKind::Former).skip(1).collect();
    let country = entry.countries.first().map(ToString::to_string).unwrap_or_default();
    let mut part = json!({"name": entry.caption(), "altNames": others});
    let more = match kind {
        Kind::Person => json!({"birthDate": day(entry), "governmentIDs": government_ids(entry)}),
        Kind::Business | Kind::Organization => {
            json!({"created": day(entry), "governmentIDs": government_ids(entry)})
        }
        Kind::Vessel => {
            let imo = entry.identifiers.iter().find(|identifier| identifier.kind == IdentifierKind::Imo);
            json!({"built": day(entry), "flag": country, "imoNumber": imo.map_or("", |imo| imo.value.as_str())})
        }
        Kind::Aircraft => json!({"built": day(entry), "flag": country}),
    };
    if let (Value::Object(part), Value::Object(more)) = (&mut part, more) {
        part.extend(more);
    }
    part
}

/// The primary name comes first.
fn names(entry: &Entry, wanted: impl Fn(NameKind) -> bool) -> impl Iterator<Item = &str> {
    entry.names.iter().filter(move |name| wanted(name.kind)).map(|name| name.text.as_str())
}

/// A day only where one is published: a year alone would read as its first of January.
fn day(entry: &Entry) -> Option<String> {
    let day = |day: NaiveDate| format!("{day}T00:00:00Z");
    entry.birth_dates.iter().find(|span| span.first == span.last).map(|span| day(span.first))
}

fn government_ids(entry: &Entry) -> Vec<Value> {
    let id = |identifier: &Identifier| {
        let kind = match identifier.kind {
            IdentifierKind::Passport => "passport",
            IdentifierKind::NationalId => "national-id",
            IdentifierKind::TaxId => "tax-id",
            IdentifierKind::RegistryNumber => "business-registration",
            IdentifierKind::Website => return None,
            _ => "personal-id",
        };
        let country = identifier.country.map(|country| country.to_string()).unwrap_or_default();
        Some(json!({"type": kind, "country": country, "identifier": identifier.value}))
    };
    entry.identifiers.iter().filter_map(id).collect()
}

fn websites(entry: &Entry) -> Vec<&str> {
    let of_kind = |identifier: &&Identifier| identifier.kind == IdentifierKind::Website;
    entry.identifiers.iter().filter(of_kind).map(|identifier| identifier.value.as_str()).collect()
}

fn sanctions(entry: &Entry) -> Value {
    let remarks = entry.remarks.as_deref().unwrap_or_default();
    // OFAC says so in prose: `Additional Sanctions Information - Subject to Secondary Sanctions`.
    let secondary = remarks.to_ascii_lowercase().contains("secondary sanctions");
    json!({"programs": entry.programs, "secondary": secondary, "description": remarks})
}
