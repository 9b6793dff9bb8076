//! How much of a business is accounted for.

use kyb_domain::{business::BusinessProfile, ownership::OwnershipRole, score::Percent};

/// From this share on, in per cent, a business's ownership counts as known: whoever is left holds no more than 25 per cent, the
/// threshold from which on the FATF and most laws speak of a beneficial owner (FATF Recommendation 24, interpretive note).
pub const KNOWN_ENOUGH: f64 = 75.0;

/// The shares given, in per cent; `None` where nobody of the role has one. Shareholders and beneficial owners are added up
/// apart, since the same share is often given for both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Held by shareholders.
    pub shareholders: Option<f64>,
    /// Held in the end by beneficial owners.
    pub beneficial_owners: Option<f64>,
}

impl Shares {
    /// The larger of the two.
    pub fn known(self) -> Option<f64> {
        match (self.shareholders, self.beneficial_owners) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Adds up the shares given.
pub fn shares(business: &BusinessProfile) -> Shares {
    let sum = |role| {
        let of_role = business.owners.iter().filter(|link| link.role == role);
        of_role.filter_map(|link| link.percent).map(Percent::get).reduce(|a, b| a + b)
    };
    Shares {
        shareholders: sum(OwnershipRole::Shareholder),
        beneficial_owners: sum(OwnershipRole::BeneficialOwner),
    }
}
