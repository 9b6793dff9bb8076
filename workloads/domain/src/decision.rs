//! Approve, review or reject.

use serde::{Deserialize, Serialize};

use crate::reason::Reason;

/// What to do with the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DecisionOutcome {
    /// Accept it.
    Approve,
    /// A person has to look.
    Review,
    /// Turn it down.
    Reject,
}

impl DecisionOutcome {
    /// The outcome's name as written in answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Review => "review",
            Self::Reject => "reject",
        }
    }
}

/// A decision, the rule that made it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// What to do.
    pub outcome: DecisionOutcome,
    /// Why, most important first; never empty.
    pub reasons: Vec<Reason>,
    /// The rule that decided: a tenant's rule by its name, or `default/<name>`.
    pub rule: String,
    /// Which policy it was: 12 hexadecimal digits of the SHA-256 of its rules, or `default`.
    pub policy_version: String,
}
