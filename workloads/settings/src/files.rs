//! The files as they are written. What they mean is checked in [`crate::platform`] and [`crate::tenant`].
//!
//! The types read and write the same YAML, so whoever renders settings (the operator, `kyb serve`) and whoever reads them
//! can't disagree about the format. A field that does not exist is refused: a misspelt limit must not mean "no limit".

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use kyb_domain::{
    list::{ListFormat, ListId},
    score::Score,
    tenant::{ContextName, KeyId, Residency, Role, TenantId},
    text::Name,
    verification::CheckName,
};
use kyb_policy::{PolicySpec, Rule};
use serde::{Deserialize, Serialize};

use crate::{KeyHash, RateLimit, period::Period};

/// The name of the file that holds for every tenant.
pub const PLATFORM_FILE: &str = "platform.yaml";

/// The name of a tenant's file.
pub fn tenant_file_name(tenant: &TenantId) -> String {
    format!("tenant-{tenant}.yaml")
}

/// `platform.yaml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformFile {
    /// The wanted lists. Must be there, `[]` for none: a file that lost its end must not read as "no lists wanted".
    pub lists: Vec<ListFile>,
    /// What may be kept in memory, and for how long; nothing where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheFile>,
    /// The region that this installation serves: 1 to 63 of `a-z`, `0-9` and `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where the rows of this installation's database may live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residency: Option<Residency>,
}

/// What may be kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheFile {
    /// What kinds of results; a kind that is not here is not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<CacheClassFile>,
    /// The bounds of the memory of one process.
    #[serde(default)]
    pub memory: CacheMemoryFile,
    /// The share of look-ups that should be answered from the cache, 1 to 100 percent; reported beside the observed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit_rate_target_percent: Option<u8>,
}

/// A kind of results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheClassFile {
    /// Its name: 1 to 40 of `a-z`, `0-9` and `-`. `classification` and `sanctions` are in use.
    pub name: String,
    /// How long a result of this kind is good, 1 s to 365 days.
    pub ttl: Period,
    /// Which results go first when there is no room.
    #[serde(default)]
    pub priority: CachePriority,
    /// Whether results of this kind are kept at all.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// How dear a kind of results is. Shares the room of [`CacheMemoryFile::max_entries`] among the kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CachePriority {
    /// One share.
    Low,
    /// Two shares.
    #[default]
    Normal,
    /// Four shares.
    High,
}

/// The bounds of the memory of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheMemoryFile {
    /// The most entries of all kinds together, 0 to 10,000,000; 0 keeps nothing.
    pub max_entries: u64,
    /// The longest that anything stays in memory, whatever its kind's `ttl`; 1 s to 7 days.
    pub ttl: Period,
}

impl Default for CacheMemoryFile {
    fn default() -> Self {
        Self { max_entries: 1_000, ttl: Period::from_secs(300) }
    }
}

/// One wanted list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListFile {
    /// Its id.
    pub id: ListId,
    /// Its format.
    pub format: ListFormat,
    /// Where it comes from.
    pub source: SourceFile,
    /// How often it is read, 1 s to 7 days.
    #[serde(default = "one_hour")]
    pub refresh: Period,
    /// How old it may get, longer than `refresh` and at most 365 days.
    #[serde(default = "one_day")]
    pub max_age: Period,
    /// The SHA-256 of a version that may lose more than a fifth of the entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_shrink: Option<String>,
}

/// Where a list comes from: one of the two. No enum, since YAML would write it with a tag.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// One URL for each of the publisher's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Whether `urls` may be plain HTTP, to other machines too: only where nobody relies on the list, as in development.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// A folder, relative to the settings' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
}

/// `tenant-<id>.yaml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantFile {
    /// Its id, the same as in the file's name.
    pub id: TenantId,
    /// Its name for people.
    pub display_name: Name,
    /// Its business contexts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<ContextFile>,
    /// How many requests it may make.
    pub rate_limit: RateLimit,
    /// Its keys. A key that is not here any more is revoked.
    pub api_keys: Vec<KeyFile>,
    /// The worker is to delete every row of this tenant, for good. Such a tenant has no keys.
    #[serde(default, skip_serializing_if = "is_no")]
    pub erase: bool,
    /// How it decides.
    #[serde(default)]
    pub verification: VerificationFile,
    /// The lists it wants screened; all of the platform's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<Vec<ListId>>,
    /// The screening threshold, 0 to 1; the engine's own where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Score>,
}

/// A business context. An object, so that it can get settings of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextFile {
    /// Its name.
    pub name: ContextName,
}

/// An API key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// Its public part; no other key of the installation has it.
    pub id: KeyId,
    /// What it may do.
    pub role: Role,
    /// The SHA-256 of the whole key.
    pub hash: KeyHash,
    /// From when on it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The contexts it may act in; all of the tenant's where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contexts: Option<Vec<ContextName>>,
}

/// How a tenant decides.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerificationFile {
    /// Rules, tried in order before the default policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<Rule>,
    /// Checks that must succeed before anything is approved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_checks: Vec<CheckName>,
}

impl VerificationFile {
    /// The same, as the policy engine wants it.
    pub(crate) fn spec(&self) -> PolicySpec {
        PolicySpec { rules: self.policy.clone(), required_checks: self.required_checks.clone() }
    }
}

const fn one_hour() -> Period {
    Period::from_secs(3_600)
}

const fn one_day() -> Period {
    Period::from_secs(86_400)
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_no(value: &bool) -> bool {
    !*value
}
