//! Tenants, their business contexts, and the ids of their API keys.

use serde::{Deserialize, Serialize};

use crate::{Invalid, invalid::checked_string};

/// A tenant's immutable id: a DNS label (RFC 1123) of at most 40 characters without `--`, which separates tenant and
/// context in namespace names (`kyb-t-<tenant>--<context>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "acme"))]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(std::sync::Arc<str>);

/// The name of a business context inside a tenant; the same rules as [`TenantId`], at most 15 characters, so that the
/// namespace name stays within 63.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "lending"))]
#[serde(try_from = "String", into = "String")]
pub struct ContextName(String);

/// The public part of an API key, by which it is found and named in audit events: 4 to 32 characters `a-z 0-9`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId(String);

checked_string!(ContextName);
checked_string!(KeyId);
checked_string!(TenantId);

impl TryFrom<String> for TenantId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        dns_label("tenant id", &text, 40)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for ContextName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        dns_label("context", &text, 15)?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for KeyId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if allowed && (4..=32).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(Invalid::new("key id", "must be 4 to 32 of the characters a-z and 0-9"))
    }
}

fn dns_label(what: &'static str, text: &str, longest: usize) -> Result<(), Invalid> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
    let bytes = text.as_bytes();
    if bytes.len() > longest
        || !bytes.iter().all(|b| inner(*b))
        || !edge(bytes.first())
        || !edge(bytes.last())
    {
        let rule =
            format!("must be 1 to {longest} of a-z, 0-9 and `-`, starting and ending with a letter or digit");
        return Err(Invalid::new(what, rule));
    }
    if text.contains("--") {
        return Err(Invalid::new(what, "must not contain `--`, which separates tenant and context"));
    }
    Ok(())
}

/// Where a tenant's rows may live; one database holds one residency only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Residency(String);

checked_string!(Residency);

impl TryFrom<String> for Residency {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        if (2..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'-') {
            return Ok(Self(text));
        }
        Err(Invalid::new("residency", "must be 2 to 16 capital letters, such as `US` or `EU`"))
    }
}

/// What a caller may do (design row A1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Everything.
    SystemAdmin,
    /// Reads and writes in its own contexts.
    ContextManager,
    /// Automation: reads and writes.
    ServiceAccount,
    /// Reads.
    Guest,
    /// Compliance and audit data only.
    Auditor,
}

impl Role {
    /// May create verifications, screenings and businesses.
    pub fn may_write(self) -> bool {
        matches!(self, Self::SystemAdmin | Self::ContextManager | Self::ServiceAccount)
    }

    /// May say whether a match is the listed party. Not automation: what screens must not clear its own hits.
    pub fn may_decide(self) -> bool {
        matches!(self, Self::SystemAdmin | Self::ContextManager)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_a_dns_label_without_a_double_dash() {
        for good in ["acme", "a", "a1-b2"] {
            assert!(TenantId::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", "Acme", "-a", "a-", "a--b", "a_b", "ä", &"x".repeat(41)] {
            assert!(TenantId::try_from(bad).is_err(), "{bad}");
        }
    }
}
