//! A policy as a tenant writes it.

use kyb_domain::{decision::DecisionOutcome, reason::ReasonCode, verification::CheckName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A rule as a tenant writes it: `{name: critical, when: "risk.score >= 85", then: reject, reason: RISK_CRITICAL}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique within the policy: a DNS label, 1 to 63 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// A CEL expression that yields a bool.
    pub when: String,
    /// What to do when it holds.
    pub then: DecisionOutcome,
    /// The reason to give; `POLICY_RULE` where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
}

/// A policy as a tenant writes it. An empty one is the default policy alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySpec {
    /// Tried in order before the default policy; the first that holds decides.
    pub rules: Vec<Rule>,
    /// Checks that must succeed, beside the watchlist check, before anything is approved.
    pub required_checks: Vec<CheckName>,
}

impl PolicySpec {
    /// The version that decisions name: 12 hexadecimal digits of the SHA-256 of the spec as JSON, or `default` for an
    /// empty spec. Fields stand in the order of their declaration, so one spec has one JSON.
    pub fn version(&self) -> String {
        if *self == Self::default() {
            return "default".to_owned();
        }
        let json = serde_json::to_vec(self).unwrap_or_default(); // strings and lists: nothing in it can fail
        hex::encode(&Sha256::digest(json)[..6])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: &str) -> PolicySpec {
        let rule = Rule { name: "a".into(), when: when.into(), then: DecisionOutcome::Review, reason: None };
        PolicySpec { rules: vec![rule], required_checks: vec![] }
    }

    #[test]
    fn the_version_changes_with_the_rules_and_with_nothing_else() {
        assert_eq!(PolicySpec::default().version(), "default");
        assert_eq!(rule("true").version(), rule("true").version());
        assert_ne!(rule("true").version(), rule("false").version());
        assert_eq!(rule("true").version().len(), 12);
    }

    #[test]
    fn a_policy_reads_as_in_the_docs() {
        let yaml = "
rules:
  - {name: critical, when: 'risk.score >= 85', then: reject, reason: RISK_CRITICAL}
required_checks: [address]
";
        let spec: PolicySpec = serde_yaml::from_str(yaml).unwrap();
        assert_eq!(spec.rules[0].reason, Some(ReasonCode::RISK_CRITICAL));
        assert_eq!(spec.required_checks, [CheckName::Address]);
        assert!(serde_yaml::from_str::<PolicySpec>("rulez: []").is_err());
    }
}
