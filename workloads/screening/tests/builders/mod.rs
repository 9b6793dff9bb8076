//! Lists and subjects in a line each.
#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::unwrap_used, reason = "a builder that fails is a wrong test")]

use std::sync::Arc;

use kyb_domain::{
    date::DateSpan,
    identifier::{Identifier, IdentifierKind},
    list::{Entry, EntryKind, ListFormat, ListVersion, ListedName, NameKind, PublishedBy, Watchlist},
    party::{Party, PartyKind},
    text::Name,
};

pub(crate) fn name(text: &str) -> Name {
    Name::try_from(text).unwrap()
}

pub(crate) fn subject(kind: PartyKind, text: &str) -> Party {
    Party::named(kind, name(text))
}

pub(crate) fn business(text: &str) -> Party {
    subject(PartyKind::Business, text)
}

pub(crate) fn person(text: &str) -> Party {
    subject(PartyKind::Person, text)
}

/// An entry with a primary name and nothing else.
pub(crate) fn entry(id: &str, kind: EntryKind, primary: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        reference: None,
        kind,
        names: vec![ListedName { kind: NameKind::Primary, text: primary.to_owned() }],
        programs: vec!["TEST".to_owned()],
        countries: vec![],
        birth_dates: vec![],
        identifiers: vec![],
        addresses: vec![],
        remarks: None,
    }
}

pub(crate) fn organisation(id: &str, primary: &str) -> Entry {
    entry(id, EntryKind::Organization, primary)
}

pub(crate) trait With: Sized {
    fn also(self, kind: NameKind, text: &str) -> Self;
    fn countries(self, codes: &[&str]) -> Self;
    fn born(self, date: &str) -> Self;
    fn identified(self, kind: IdentifierKind, value: &str) -> Self;
    fn living_at(self, address: &str) -> Self;
}

pub(crate) fn identifier(kind: IdentifierKind, value: &str) -> Identifier {
    Identifier { kind, value: value.try_into().unwrap(), country: None }
}

impl With for Entry {
    fn also(mut self, kind: NameKind, text: &str) -> Self {
        self.names.push(ListedName { kind, text: text.to_owned() });
        self
    }
    fn countries(mut self, codes: &[&str]) -> Self {
        self.countries = codes.iter().map(|code| (*code).try_into().unwrap()).collect();
        self
    }
    fn born(mut self, date: &str) -> Self {
        self.birth_dates.push(DateSpan::of(date.parse().unwrap(), false));
        self
    }
    fn identified(mut self, kind: IdentifierKind, value: &str) -> Self {
        self.identifiers.push(identifier(kind, value));
        self
    }
    fn living_at(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }
}

impl With for Party {
    fn also(mut self, _: NameKind, text: &str) -> Self {
        self.aliases.push(name(text));
        self
    }
    fn countries(mut self, codes: &[&str]) -> Self {
        self.countries = codes.iter().map(|code| (*code).try_into().unwrap()).collect();
        self
    }
    fn born(mut self, date: &str) -> Self {
        self.birth_date = Some(date.parse().unwrap());
        self
    }
    fn identified(mut self, kind: IdentifierKind, value: &str) -> Self {
        self.identifiers.push(identifier(kind, value));
        self
    }
    fn living_at(mut self, address: &str) -> Self {
        self.addresses.push(name(address));
        self
    }
}

pub(crate) fn list(id: &str, entries: Vec<Entry>) -> Arc<Watchlist> {
    let version = ListVersion {
        list: id.try_into().unwrap(),
        format: ListFormat::OfacCsv,
        published: "2019-06-14".parse().unwrap(),
        published_by: PublishedBy::Document,
        sha256: "0".repeat(64),
        entries: u32::try_from(entries.len()).unwrap(),
    };
    Arc::new(Watchlist { version, entries })
}
