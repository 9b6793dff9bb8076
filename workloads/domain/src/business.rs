//! A business: what a caller says about it, and the stored object.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Invalid,
    country::CountryCode,
    date::PartialDate,
    id::BusinessId,
    identifier::{Identifier, IdentifierKind},
    ownership::OwnershipLink,
    party::{MOST_ATTRIBUTES, Party, PartyKind},
    tenant::ContextName,
    text::{FreeText, Name},
};

/// The most owners, directors and officers of one business.
pub const MOST_OWNERS: usize = 200;

/// A postal address. Every part may be missing; the check says what is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number, building, post box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<Name>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
    /// State, province or canton.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Name>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Name>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
}

impl Address {
    /// The address in one line, or `None` where nothing but perhaps the country is known.
    pub fn one_line(&self) -> Option<Name> {
        let parts = [&self.street, &self.postal_code, &self.city, &self.region];
        let known: Vec<&str> = parts.into_iter().flatten().map(Name::as_str).collect();
        Name::try_from(known.join(", ")).ok()
    }
}

/// What a caller says about a business. Only the name is needed; each check says what it lacked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BusinessProfile {
    /// Registered name.
    pub name: Name,
    /// Names it trades under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trading_names: Vec<Name>,
    /// Country of registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// Legal form as written in the register, such as `GmbH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_form: Option<Name>,
    /// Registered or business address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Registry, tax and other numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Day of incorporation, as exact as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incorporated_on: Option<PartialDate>,
    /// Web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<Name>,
    /// What the business says it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<FreeText>,
    /// Owners, directors and officers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<OwnershipLink>,
}

impl BusinessProfile {
    /// A business of which only the name is known.
    pub fn named(name: Name) -> Self {
        Self {
            name,
            trading_names: vec![],
            country: None,
            legal_form: None,
            address: None,
            identifiers: vec![],
            incorporated_on: None,
            website: None,
            description: None,
            owners: vec![],
        }
    }

    /// The business itself as a party to screen; its owners are screened beside it.
    pub fn party(&self) -> Party {
        let address_country = self.address.as_ref().and_then(|address| address.country);
        let mut countries: Vec<CountryCode> = self.country.into_iter().chain(address_country).collect();
        countries.dedup();
        Party {
            kind: PartyKind::Business,
            name: self.name.clone(),
            aliases: self.trading_names.clone(),
            countries,
            birth_date: self.incorporated_on,
            identifiers: self.identifiers.clone(),
            addresses: self.address.as_ref().and_then(Address::one_line).into_iter().collect(),
        }
    }

    /// The first identifier of a kind.
    pub fn identifier(&self, kind: IdentifierKind) -> Option<&Identifier> {
        self.identifiers.iter().find(|identifier| identifier.kind == kind)
    }

    /// Refuses more than [`MOST_ATTRIBUTES`] names or identifiers, or more than [`MOST_OWNERS`] owners.
    pub fn check_bounds(&self) -> Result<(), Invalid> {
        if self.trading_names.len() > MOST_ATTRIBUTES || self.identifiers.len() > MOST_ATTRIBUTES {
            let rule = format!("may have at most {MOST_ATTRIBUTES} trading names and identifiers each");
            return Err(Invalid::new("business", rule));
        }
        if self.owners.len() > MOST_OWNERS {
            return Err(Invalid::new("business", format!("may have at most {MOST_OWNERS} owners")));
        }
        self.owners.iter().try_for_each(|link| link.party.check_bounds())
    }
}

/// A business that a tenant keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// The business context it belongs to, where the tenant uses contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextName>,
    /// What is known about it.
    #[serde(flatten)]
    pub profile: BusinessProfile,
    /// Counts its changes from 1; also its `ETag`.
    pub revision: i64,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
