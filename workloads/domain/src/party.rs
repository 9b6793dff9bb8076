//! Whoever can be asked about: a business, a person, or somebody of whom that is not known.

use serde::{Deserialize, Serialize};

use crate::{Invalid, country::CountryCode, date::PartialDate, identifier::Identifier, text::Name};

/// What a party is, as far as the asker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// A company, association, authority or other organisation.
    Business,
    /// A natural person.
    Person,
    /// Not known; compared with entries of every kind.
    #[default]
    Unknown,
}

/// The most aliases, countries, identifiers or addresses of one party.
pub const MOST_ATTRIBUTES: usize = 50;

/// A party to screen: its names and what else is known. Everything but the name may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// What it is.
    #[serde(rename = "type", default)]
    pub kind: PartyKind,
    /// The name it is known by.
    pub name: Name,
    /// Further names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Name>,
    /// Countries of residence, registration or nationality.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<CountryCode>,
    /// Date of birth of a person, or of formation of a business, as exact as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// Identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Addresses, each in one line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Name>,
}

impl Party {
    /// A party of which only kind and name are known.
    pub fn named(kind: PartyKind, name: Name) -> Self {
        Self {
            kind,
            name,
            aliases: vec![],
            countries: vec![],
            birth_date: None,
            identifiers: vec![],
            addresses: vec![],
        }
    }

    /// Name and aliases.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        std::iter::once(&self.name).chain(&self.aliases)
    }

    /// Refuses a party with more than [`MOST_ATTRIBUTES`] of anything.
    pub fn check_bounds(&self) -> Result<(), Invalid> {
        let counts = [self.aliases.len(), self.countries.len(), self.identifiers.len(), self.addresses.len()];
        if counts.into_iter().any(|count| count > MOST_ATTRIBUTES) {
            let rule = format!(
                "may have at most {MOST_ATTRIBUTES} aliases, countries, identifiers and addresses each"
            );
            return Err(Invalid::new("party", rule));
        }
        Ok(())
    }
}
