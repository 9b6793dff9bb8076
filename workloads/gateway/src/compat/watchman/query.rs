//! The parameters of a search, read as a party.

use kyb_domain::{
    country::CountryCode,
    date::PartialDate,
    identifier::{Identifier, IdentifierKind, IdentifierValue},
    list::EntryKind,
    party::{Party, PartyKind},
    text::Name,
};
use serde_json::{Value, json};

use crate::{
    compat::params::{Params, invalid},
    problem::Problem,
};

/// Parameters that are looked at.
pub(super) const KNOWN: [&str; 19] = [
    "type",
    "name",
    "altNames",
    "birthDate",
    "created",
    "built",
    "flag",
    "address",
    "addresses",
    "website",
    "websites",
    "imoNumber",
    "mmsi",
    "callSign",
    "icaoCode",
    "serialNumber",
    "limit",
    "minMatch",
    "requestID",
];

/// Identifiers by their parameter.
const IDENTIFIERS: [(&str, IdentifierKind); 7] = [
    ("website", IdentifierKind::Website),
    ("websites", IdentifierKind::Website),
    ("imoNumber", IdentifierKind::Imo),
    ("mmsi", IdentifierKind::Other),
    ("callSign", IdentifierKind::Other),
    ("icaoCode", IdentifierKind::Other),
    ("serialNumber", IdentifierKind::Other),
];

/// Watchman's types of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Person,
    Business,
    Organization,
    Aircraft,
    Vessel,
}

impl Kind {
    fn read(text: &str) -> Option<Self> {
        let all = [Self::Person, Self::Business, Self::Organization, Self::Aircraft, Self::Vessel];
        all.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text))
    }

    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Business => "business",
            Self::Organization => "organization",
            Self::Aircraft => "aircraft",
            Self::Vessel => "vessel",
        }
    }

    fn entry(self) -> EntryKind {
        match self {
            Self::Person => EntryKind::Person,
            Self::Business | Self::Organization => EntryKind::Organization,
            Self::Aircraft => EntryKind::Aircraft,
            Self::Vessel => EntryKind::Vessel,
        }
    }
}

/// A search, read and checked.
pub(super) struct Query {
    kind: Kind,
    party: Party,
}

impl Query {
    /// Reads the parameters. A date, country or identifier that means nothing is passed over; a name that can't be searched is refused.
    pub(super) fn read(params: &Params) -> Result<Self, Problem> {
        let kind = params.one("type").ok_or_else(|| invalid("missing type"))?;
        let kind = Kind::read(kind)
            .ok_or_else(|| invalid("type: must be person, business, organization, aircraft or vessel"))?;
        let text = params
            .one("name")
            .ok_or_else(|| invalid("name: must be there; identifiers alone are not searched"))?;
        let party_kind = if kind == Kind::Person { PartyKind::Person } else { PartyKind::Business };
        let mut party = Party::named(party_kind, name("name", text)?);
        party.aliases =
            params.many("altNames").map(|text| name("altNames", text)).collect::<Result<_, _>>()?;
        party.birth_date = date(params);
        party.countries = params.many("flag").filter_map(CountryCode::recognise).collect();
        let addresses = params.many("address").chain(params.many("addresses"));
        party.addresses = addresses.filter_map(|text| Name::try_from(text.to_owned()).ok()).collect();
        party.identifiers = identifiers(params);
        party.check_bounds().map_err(|error| invalid(error.to_string()))?;
        Ok(Self { kind, party })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn party(&self) -> Party {
        self.party.clone()
    }

    /// Whether entries of this kind are of the type that was asked for.
    pub(super) fn wants(&self, entry: EntryKind) -> bool {
        self.kind.entry() == entry
    }

    /// What was asked, as it was read.
    pub(super) fn echo(&self) -> Value {
        let names: Vec<&str> = self.party.aliases.iter().map(Name::as_str).collect();
        let part = json!({"name": self.party.name, "altNames": names});
        json!({
            "name": self.party.name, "entityType": self.kind.name(), "sourceList": "api-request", "sourceID": "",
            self.kind.name(): part,
        })
    }
}

fn name(parameter: &str, text: &str) -> Result<Name, Problem> {
    Name::try_from(text.to_owned()).map_err(|error| invalid(format!("{parameter}: {error}")))
}

/// Day of birth, formation or building.
fn date(params: &Params) -> Option<PartialDate> {
    ["birthDate", "created", "built"].into_iter().find_map(|name| params.one(name)?.parse().ok())
}

fn identifiers(params: &Params) -> Vec<Identifier> {
    let read = |(parameter, kind): &(&'static str, IdentifierKind)| {
        let kind = *kind;
        let values =
            params.many(parameter).filter_map(|text| IdentifierValue::try_from(text.to_owned()).ok());
        values.map(move |value| Identifier { kind, value, country: None }).collect::<Vec<_>>()
    };
    IDENTIFIERS.iter().flat_map(read).collect()
}
