//! Who owns or runs a business.

use serde::{Deserialize, Serialize};

use crate::{party::Party, score::Percent};

/// What ties a party to a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnershipRole {
    /// Owns or controls in the end, directly or through others (FATF Recommendation 24).
    BeneficialOwner,
    /// Holds shares.
    Shareholder,
    /// Sits on the board.
    Director,
    /// Runs the business or signs for it.
    Officer,
}

/// A tie between a party and the business in question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnershipLink {
    /// Who.
    pub party: Party,
    /// In what role.
    pub role: OwnershipRole,
    /// The share held, in per cent, where there is one and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
}
