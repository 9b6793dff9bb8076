//! A tenant's spec as the builders want it: defaults filled in, names resolved, rules compiled.
//!
//! The API server has checked patterns, ranges and what the CEL rules say. What it can't check is checked here, and stops
//! only the concern that it is about.

use std::{collections::BTreeMap, fmt, time::Duration};

use chrono::{DateTime, Utc};
use k8s_openapi::{api::rbac::v1::Subject, apimachinery::pkg::api::resource::Quantity};
use kyb_crds::{
    AccessGrant, ApiKeySpec, DataOnDeletion, KybTenant, KybTenantSpec, Reason, Role, SecretKeyRef, names,
};
use kyb_domain::{
    list::ListId,
    score::Score,
    tenant::{ContextName, TenantId},
    text::Name,
};
use kyb_policy::{Policy, PolicySpec};
use kyb_settings::{RateLimit, files::VerificationFile};

use super::{build::access, plan};
use crate::concern::Problem;

/// A tenant, checked.
#[derive(Debug, Clone)]
pub(crate) struct ValidTenant {
    pub(crate) id: String,
    pub(crate) residency: String,
    pub(crate) regions: Vec<String>,
    pub(crate) compliance: Option<String>,
    pub(crate) container_requests: BTreeMap<String, Quantity>,
    pub(crate) container_limits: BTreeMap<String, Quantity>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) egress: Vec<Egress>,
    pub(crate) keys: Vec<Key>,
    pub(crate) erase: bool,
    /// What its settings say, or what is wrong with them.
    pub(crate) settings: Result<TenantSettings, Problem>,
    places: Vec<Place>,
}

/// A namespace of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    /// None for the tenant's own.
    pub(crate) context: Option<String>,
    pub(crate) quota: BTreeMap<String, Quantity>,
}

/// A grant of a role.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// None: everywhere.
    pub(crate) contexts: Option<Vec<String>>,
    pub(crate) subjects: Vec<Subject>,
}

/// A network that the tenant's pods may reach.
#[derive(Debug, Clone)]
pub(crate) struct Egress {
    pub(crate) name: String,
    pub(crate) cidr: String,
    pub(crate) ports: Vec<i32>,
}

/// An API key as the spec wants it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) contexts: Option<Vec<ContextName>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) source: KeySource,
}

/// Where a key comes from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// Derived from the root key.
    Derived { generation: i32, overlap: Result<Option<Duration>, Problem> },
    /// Brought along in a Secret of the tenant's namespace.
    Brought(SecretKeyRef),
}

/// The part of a tenant's settings that does not depend on keys and regions.
#[derive(Debug, Clone)]
pub(crate) struct TenantSettings {
    pub(crate) id: TenantId,
    pub(crate) display_name: Name,
    pub(crate) contexts: Vec<ContextName>,
    pub(crate) rate_limit: RateLimit,
    pub(crate) verification: VerificationFile,
    pub(crate) lists: Option<Vec<ListId>>,
    pub(crate) threshold: Option<Score>,
}

impl ValidTenant {
    /// Checks a tenant. Never fails as a whole: what is wrong stands where it is needed.
    pub(crate) fn of(tenant: &KybTenant) -> Self {
        let spec = &tenant.spec;
        let defaults = spec.container_defaults.clone().unwrap_or_default();
        Self {
            id: spec.id.to_string(),
            residency: spec.placement.residency.to_string(),
            regions: spec.placement.regions.iter().map(ToString::to_string).collect(),
            compliance: spec.compliance.as_ref().map(ToString::to_string),
            container_requests: or(defaults.requests, plan::container_requests),
            container_limits: or(defaults.limits, plan::container_limits),
            grants: spec.access.iter().map(grant).collect(),
            egress: spec.egress.iter().map(egress).collect(),
            keys: spec.api_keys.iter().map(key).collect(),
            erase: spec.deletion.as_ref().and_then(|deletion| deletion.data) == Some(DataOnDeletion::Erase),
            settings: settings(spec),
            places: places(spec),
        }
    }

    /// Its namespaces, its own first.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }
}

impl Grant {
    /// A grant without contexts holds everywhere, one with contexts in their namespaces only.
    pub(crate) fn holds_in(&self, place: &Place) -> bool {
        match (&self.contexts, &place.context) {
            (None, _) => true,
            (Some(contexts), Some(context)) => contexts.contains(context),
            (Some(_), None) => false,
        }
    }
}

fn or(
    given: BTreeMap<String, Quantity>,
    default: impl FnOnce() -> BTreeMap<String, Quantity>,
) -> BTreeMap<String, Quantity> {
    if given.is_empty() { default() } else { given }
}

fn places(spec: &KybTenantSpec) -> Vec<Place> {
    let quota = or(spec.quota.clone(), || plan::quota(spec.plan));
    let own =
        Place { namespace: names::tenant_namespace(spec.id.as_str()), context: None, quota: quota.clone() };
    let contexts = spec.contexts.iter().map(|context| Place {
        namespace: names::context_namespace(spec.id.as_str(), context.name.as_str()),
        context: Some(context.name.to_string()),
        quota: or(context.quota.clone(), || quota.clone()),
    });
    std::iter::once(own).chain(contexts).collect()
}

fn grant(spec: &AccessGrant) -> Grant {
    let contexts = spec.contexts.as_ref();
    Grant {
        name: spec.name.to_string(),
        role: spec.role,
        contexts: contexts.map(|contexts| contexts.iter().map(ToString::to_string).collect()),
        subjects: spec.subjects.iter().map(access::subject).collect(),
    }
}

fn egress(spec: &kyb_crds::EgressRule) -> Egress {
    Egress { name: spec.name.to_string(), cidr: spec.cidr.clone(), ports: spec.ports.clone() }
}

fn key(spec: &ApiKeySpec) -> Key {
    let contexts = spec.contexts.as_ref();
    let of_context = |name: &kyb_crds::ContextName| ContextName::try_from(name.as_str()).ok();
    let source = match &spec.secret_ref {
        Some(secret) => KeySource::Brought(secret.clone()),
        None => KeySource::Derived { generation: spec.generation.unwrap_or(1), overlap: overlap(spec) },
    };
    Key {
        name: spec.name.to_string(),
        role: spec.role,
        contexts: contexts.map(|contexts| contexts.iter().filter_map(of_context).collect()),
        // The pattern of the schema lets no other form in; a time that is none at all ends the key at once.
        expires_at: spec.expires_at.as_ref().map(|at| at.as_str().parse().unwrap_or(DateTime::UNIX_EPOCH)),
        source,
    }
}

fn overlap(spec: &ApiKeySpec) -> Result<Option<Duration>, Problem> {
    let overlap = spec.overlap.as_ref().map(kyb_crds::Period::parse).transpose();
    overlap.map_err(|why| {
        let message =
            format!("spec.apiKeys, overlap of `{}`: {why}; no new generation begins before", spec.name);
        Problem::new(Reason::InvalidSpec, message)
    })
}

fn settings(spec: &KybTenantSpec) -> Result<TenantSettings, Problem> {
    let verification = verification(spec)?;
    let contexts = spec.contexts.iter().map(|context| ContextName::try_from(context.name.as_str()));
    let lists = spec.lists.iter().map(|list| ListId::try_from(list.as_str()));
    let lists: Vec<ListId> = lists.collect::<Result<_, _>>().map_err(|why| invalid("lists", &why))?;
    let threshold = spec.threshold.map(Score::try_from).transpose();
    Ok(TenantSettings {
        id: TenantId::try_from(spec.id.as_str()).map_err(|why| invalid("id", &why))?,
        display_name: Name::try_from(spec.display_name.as_str())
            .map_err(|why| invalid("displayName", &why))?,
        contexts: contexts.collect::<Result<_, _>>().map_err(|why| invalid("contexts", &why))?,
        rate_limit: spec.rate_limit.map_or_else(|| plan::rate_limit(spec.plan), rate_limit),
        verification,
        lists: (!lists.is_empty()).then_some(lists),
        threshold: threshold.map_err(|why| invalid("threshold", &why))?,
    })
}

/// The schema has bounded both numbers between 1 and 10,000,000.
fn rate_limit(spec: kyb_crds::RateLimit) -> RateLimit {
    let of = |number: i32| u32::try_from(number).unwrap_or(1);
    RateLimit { requests_per_minute: of(spec.requests_per_minute), burst: of(spec.burst) }
}

/// The rules, compiled once here, so that a bad one is refused before any gateway meets it.
fn verification(spec: &KybTenantSpec) -> Result<VerificationFile, Problem> {
    let Some(wanted) = &spec.verification else { return Ok(VerificationFile::default()) };
    // Both write the same YAML; whatever one knows and the other does not is an error here, never left out.
    let same = |value: Result<serde_json::Value, serde_json::Error>| {
        value.map_err(|why| invalid("verification", &why))
    };
    let rules = same(serde_json::to_value(&wanted.policy))?;
    let checks = same(serde_json::to_value(&wanted.required_checks))?;
    let rules = serde_json::from_value(rules).map_err(|why| invalid("verification.policy", &why))?;
    let required_checks =
        serde_json::from_value(checks).map_err(|why| invalid("verification.requiredChecks", &why))?;
    let policy = PolicySpec { rules, required_checks };
    Policy::compile(&policy)
        .map_err(|why| Problem::new(Reason::InvalidPolicy, format!("spec.verification.policy: {why}")))?;
    Ok(VerificationFile { policy: policy.rules, required_checks: policy.required_checks })
}

fn invalid(field: &str, why: &dyn fmt::Display) -> Problem {
    Problem::new(Reason::InvalidSpec, format!("spec.{field}: {why}"))
}
