//! How a tenant's businesses are decided. The operator compiles the rules before any workload gets them.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{schema::enum_schema, text::EntryName};

/// How a tenant's businesses are decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSpec {
    /// Rules, tried in order before the default policy; the first that holds decides. At most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub policy: Vec<PolicyRule>,
    /// Checks that must succeed before anything is approved: `name`, `address`, `registry`, `tax_id`, `legal_form`,
    /// `people`, `ownership`, `industry`, `website`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub required_checks: Vec<CheckName>,
}

/// A decision rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// The rule's name, unique within the policy; decisions name it.
    pub name: EntryName,
    /// A CEL expression that yields true or false, such as `risk.score >= 85`; at most 2,000 characters.
    #[schemars(length(min = 1, max = 2_000))]
    pub when: String,
    /// What to do when it holds: `approve`, `review` or `reject`.
    pub then: Decision,
    /// The reason code to give, such as `RISK_CRITICAL`; `POLICY_RULE` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Z][A-Z0-9_]*$"))]
    pub reason: Option<String>,
}

/// What a rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// In order.
    Approve,
    /// A person has to look.
    Review,
    /// Refused.
    Reject,
}
enum_schema!(Decision, ["approve", "review", "reject"]);

/// A check of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// Does the name read like a business's?
    Name,
    /// Is the address whole and consistent?
    Address,
    /// Does a business registry know it?
    Registry,
    /// Does the tax number belong to it?
    TaxId,
    /// Is the legal form a known one?
    LegalForm,
    /// Who runs it?
    People,
    /// Who owns it?
    Ownership,
    /// What does it do?
    Industry,
    /// What does its web site say?
    Website,
    /// Is it, or anyone behind it, sanctioned? Always required, so naming it changes nothing.
    Watchlist,
}
enum_schema!(
    CheckName,
    [
        "name",
        "address",
        "registry",
        "tax_id",
        "legal_form",
        "people",
        "ownership",
        "industry",
        "website",
        "watchlist"
    ]
);
