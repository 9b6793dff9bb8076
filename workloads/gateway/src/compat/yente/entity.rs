//! A listed entry, written as an entity of FollowTheMoney: schemata and properties by their names there, values as published.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use kyb_domain::{
    date::DateSpan,
    identifier::IdentifierKind,
    list::{Entry, EntryKind, ListFormat, NameKind, Watchlist},
};
use serde::Serialize;

use crate::compat::directory;

/// An entity as yente's clients read one.
#[derive(Debug, Serialize)]
pub(super) struct Entity {
    pub(super) id: String,
    caption: String,
    pub(super) schema: &'static str,
    pub(super) properties: BTreeMap<&'static str, Vec<String>>,
    pub(super) datasets: Vec<String>,
    /// Entries are not merged across lists, so there is nobody else.
    referents: Vec<String>,
    target: bool,
    /// Not kept.
    first_seen: Option<String>,
    /// The day on which the publisher dated the list.
    last_seen: Option<String>,
    /// Not kept.
    last_change: Option<String>,
}

/// What is said of everybody on the lists of governments and of the UN. What others list they may list for any reason.
fn topic(format: ListFormat) -> Option<&'static str> {
    use ListFormat::{EuXml, OfacCsv, OfacXml, OpenSanctions, OwnCsv, Senzing, UkCsv, UkXml, UnXml};
    match format {
        OfacCsv | OfacXml | EuXml | UkCsv | UkXml | UnXml => Some("sanction"),
        OpenSanctions | Senzing | OwnCsv => None,
    }
}

impl Entity {
    pub(super) fn of(list: &Watchlist, entry: &Entry) -> Self {
        let mut properties = Properties::default();
        for name in &entry.names {
            properties.add(name_property(name.kind), &name.text);
        }
        for country in &entry.countries {
            properties.add("country", country.as_str().to_ascii_lowercase());
        }
        for date in &entry.birth_dates {
            properties.add_all(date_property(entry.kind), dates(date));
        }
        for identifier in &entry.identifiers {
            properties.add(identifier_property(entry.kind, identifier.kind), identifier.value.as_str());
        }
        properties.add_all("address", &entry.addresses);
        properties.add_all("program", &entry.programs);
        properties.add_all("notes", &entry.remarks);
        properties.add_all("topics", topic(list.version.format));
        Self {
            id: directory::id(&list.version.list, &entry.id),
            caption: entry.caption().to_owned(),
            schema: schema(entry.kind),
            properties: properties.0,
            datasets: vec![list.version.list.to_string()],
            referents: vec![],
            target: true,
            first_seen: None,
            last_seen: Some(format!("{}T00:00:00", list.version.published)),
            last_change: None,
        }
    }
}

/// Values by property, each once.
#[derive(Default)]
struct Properties(BTreeMap<&'static str, Vec<String>>);

impl Properties {
    fn add_all(&mut self, property: &'static str, values: impl IntoIterator<Item = impl Into<String>>) {
        for value in values {
            self.add(property, value);
        }
    }

    fn add(&mut self, property: &'static str, value: impl Into<String>) {
        let (values, value) = (self.0.entry(property).or_default(), value.into());
        if !values.contains(&value) {
            values.push(value);
        }
    }
}

fn schema(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "Person",
        EntryKind::Organization => "Organization",
        EntryKind::Vessel => "Vessel",
        EntryKind::Aircraft => "Airplane",
    }
}

fn name_property(kind: NameKind) -> &'static str {
    match kind {
        NameKind::Primary | NameKind::OriginalScript => "name",
        NameKind::Alias | NameKind::NowKnownAs => "alias",
        NameKind::Former => "previousName",
        NameKind::Weak => "weakAlias",
    }
}

fn date_property(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Person => "birthDate",
        EntryKind::Organization => "incorporationDate",
        EntryKind::Vessel | EntryKind::Aircraft => "buildDate",
    }
}

/// Only what the schema has: vehicles have few identifiers, and only persons have passports.
fn identifier_property(entry: EntryKind, kind: IdentifierKind) -> &'static str {
    use IdentifierKind::{Bic, Duns, Imo, Lei, NationalId, Other, Passport, RegistryNumber, TaxId, Website};
    match (entry, kind) {
        (EntryKind::Vessel | EntryKind::Organization, Imo) => "imoNumber",
        (EntryKind::Vessel | EntryKind::Aircraft, _) | (_, RegistryNumber) => "registrationNumber",
        (EntryKind::Person, Passport) => "passportNumber",
        (_, Lei) => "leiCode",
        (_, TaxId) => "taxNumber",
        (_, Bic) => "swiftBic",
        (_, Duns) => "dunsCode",
        (_, Website) => "website",
        (_, Imo | Passport | NationalId | Other) => "idNumber",
    }
}

/// A day, a month or a year where the span is one; else the years at its ends.
fn dates(span: &DateSpan) -> Vec<String> {
    let (first, last) = (span.first, span.last);
    let ends_month = last.checked_add_days(Days::new(1)).is_some_and(|next| next.day() == 1);
    let same_month = (first.year(), first.month()) == (last.year(), last.month());
    let is_year = first.year() == last.year() && first.ordinal() == 1 && is_last_day(last);
    match () {
        () if first == last => vec![first.to_string()],
        () if is_year => vec![first.format("%Y").to_string()],
        () if same_month && first.day() == 1 && ends_month => vec![first.format("%Y-%m").to_string()],
        () if first.year() == last.year() => vec![first.format("%Y").to_string()],
        () => vec![first.format("%Y").to_string(), last.format("%Y").to_string()],
    }
}

fn is_last_day(day: NaiveDate) -> bool {
    (day.month(), day.day()) == (12, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_exactly_as_it_is_known() {
        let span =
            |first: &str, last: &str| DateSpan::between(first.parse().unwrap(), last.parse().unwrap(), false);
        let table = [
            (span("1962-04-29", "1962-04-29"), vec!["1962-04-29"]),
            (span("1962-02", "1962-02"), vec!["1962-02"]),
            (span("1962", "1962"), vec!["1962"]),
            (span("1962-02", "1962-03"), vec!["1962"]),
            (span("1961", "1963"), vec!["1961", "1963"]),
        ];
        for (span, expected) in table {
            assert_eq!(dates(&span), expected, "{span:?}");
        }
    }
}
