//! What belongs to an entity and is published as an object of its own: an address, a sanction, a document.

use kyb_domain::identifier::IdentifierKind;

use super::{object::Thing, territory};
use crate::{draft::Draft, reading::Reading};

/// The parts of an address in their order, where it is not given in full.
const PARTS: [&str; 8] =
    ["remarks", "street", "street2", "postOfficeBox", "postalCode", "city", "region", "state"];

/// One of them.
#[derive(Debug, Clone)]
pub(super) enum Context {
    Address(Address),
    Sanction(Sanction),
    Document(Document),
}

/// An address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    line: Option<String>,
    countries: Vec<String>,
}

/// A designation.
#[derive(Debug, Clone)]
pub(super) struct Sanction {
    programs: Vec<String>,
    words: Vec<(&'static str, String)>,
}

/// A passport or another paper.
#[derive(Debug, Clone)]
pub(super) struct Document {
    kind: IdentifierKind,
    number: String,
    country: Option<String>,
}

impl Context {
    /// What `thing` is; `None` where its schema is none of these, or where it is a document without a number.
    pub(super) fn read(thing: &Thing<'_>) -> Option<Self> {
        Some(match thing.schema {
            "Address" => Self::Address(Address::read(thing)),
            "Sanction" => Self::Sanction(Sanction::read(thing)),
            "Identification" | "Passport" => Self::Document(Document::read(thing)?),
            _ => return None,
        })
    }

    /// The property that names the entity to which it belongs.
    pub(super) fn owner(&self) -> &'static str {
        match self {
            Self::Document(_) => "holder",
            Self::Address(_) | Self::Sanction(_) => "entity",
        }
    }

    /// Gives it to the entity.
    pub(super) fn apply(&self, draft: &mut Draft, reading: &mut Reading) {
        match self {
            Self::Address(address) => address.apply(draft, reading),
            Self::Sanction(sanction) => sanction.apply(draft),
            Self::Document(document) => document.apply(draft, reading),
        }
    }
}

impl Address {
    fn read(thing: &Thing<'_>) -> Self {
        let parts = || PARTS.into_iter().filter_map(|part| thing.first(part)).collect::<Vec<_>>().join(", ");
        let line = thing.first("full").map_or_else(parts, str::to_owned);
        let countries = thing.all("country").map(str::to_owned).collect();
        Self { line: Some(line).filter(|line| !line.is_empty()), countries }
    }

    /// Gives it to the entity that names it.
    pub(super) fn apply(&self, draft: &mut Draft, reading: &mut Reading) {
        draft.address([self.line.as_deref()]);
        for country in &self.countries {
            draft.countries(territory::codes(country, reading));
        }
    }
}

impl Sanction {
    fn read(thing: &Thing<'_>) -> Self {
        let labels = [
            ("Authority", "authority"),
            ("Authority's id", "authorityId"),
            ("UN id", "unscId"),
            ("Reason", "reason"),
            ("Measures", "provisions"),
            ("Sanction's status", "status"),
        ];
        let words = labels
            .into_iter()
            .flat_map(|(label, property)| thing.all(property).map(move |text| (label, text.to_owned())));
        let programs = ["program", "programId"].into_iter().flat_map(|property| thing.all(property));
        Self { programs: programs.map(str::to_owned).collect(), words: words.collect() }
    }

    fn apply(&self, draft: &mut Draft) {
        self.programs.iter().for_each(|program| draft.program(program));
        self.words.iter().for_each(|(label, text)| draft.words(label, text));
    }
}

impl Document {
    fn read(thing: &Thing<'_>) -> Option<Self> {
        let number = thing.first("number").or_else(|| thing.first("passportNumber"))?;
        let passport = thing.schema == "Passport"
            || thing.all("type").any(|kind| kind.to_lowercase().contains("passport"));
        Some(Self {
            kind: if passport { IdentifierKind::Passport } else { IdentifierKind::NationalId },
            number: number.to_owned(),
            country: thing.first("country").map(str::to_owned),
        })
    }

    fn apply(&self, draft: &mut Draft, reading: &mut Reading) {
        let codes =
            self.country.as_deref().map(|country| territory::codes(country, reading)).unwrap_or_default();
        let issuer = if let [only] = codes[..] { Some(only) } else { None };
        draft.identify("document", self.kind, &self.number, issuer, reading);
    }
}
