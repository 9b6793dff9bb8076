//! What a tenant may do, where its data lives, and what its limits are: as its spec says, with the defaults of its plan.

use std::collections::BTreeMap;

use clap::Args;
use kube::{Api, ResourceExt, api::ListParams};
use kyb_crds::{DataOnDeletion, KybTenant, RegionDeployment, names};
use serde::Serialize;

use super::{Cluster, KubectlError, Look, output::Answer};
use crate::{context::serves, controllers::tenant::plan};

/// Which tenant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Explain {
    /// The tenant, by the name of its KybTenant
    pub(crate) tenant: String,
    #[command(flatten)]
    pub(crate) look: Look,
}

/// The tenant in each of the clusters that have it.
#[derive(Debug, Serialize)]
pub(crate) struct Explanations(Vec<Explanation>);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster: String,
    tenant: String,
    id: String,
    display_name: String,
    plan: String,
    paused: bool,
    residency: String,
    home: String,
    /// Each region of the placement, and what it is in this cluster.
    regions: BTreeMap<String, String>,
    namespaces: Vec<String>,
    requests_per_minute: u64,
    burst: u64,
    /// What the objects of each namespace may use in all.
    quota: BTreeMap<String, String>,
    /// Who may do what in the namespaces.
    access: Vec<String>,
    keys: Vec<String>,
    egress: Vec<String>,
    rules: usize,
    protected: bool,
    data_on_deletion: String,
}

pub(crate) async fn explain(tenant: &str, clusters: &[Cluster]) -> Result<Explanations, KubectlError> {
    let mut found = Vec::new();
    for cluster in clusters {
        let tenants: Api<KybTenant> = Api::all(cluster.client.clone());
        let read = tenants
            .get_opt(tenant)
            .await
            .map_err(KubectlError::request(format!("read KybTenant {tenant}")))?;
        let Some(object) = read else { continue };
        let regions: Api<RegionDeployment> = Api::all(cluster.client.clone());
        let regions = regions
            .list(&ListParams::default())
            .await
            .map_err(KubectlError::request("list regiondeployments"))?;
        found.push(Explanation::of(&cluster.name, &object, &regions.items));
    }
    if found.is_empty() {
        return Err(KubectlError::NotFound(format!(
            "there is no KybTenant {tenant}; see `kubectl kyb status`"
        )));
    }
    Ok(Explanations(found))
}

impl Explanation {
    fn of(cluster: &str, tenant: &KybTenant, regions: &[RegionDeployment]) -> Self {
        let spec = &tenant.spec;
        let status = tenant.status.clone().unwrap_or_default();
        let quota = if spec.quota.is_empty() { plan::quota(spec.plan) } else { spec.quota.clone() };
        let rate = plan::rate_limit(spec.plan);
        let (rate, burst) =
            spec.rate_limit.map_or((u64::from(rate.requests_per_minute), u64::from(rate.burst)), |limit| {
                (
                    u64::try_from(limit.requests_per_minute).unwrap_or(0),
                    u64::try_from(limit.burst).unwrap_or(0),
                )
            });
        let region = |name: &kyb_crds::RegionName| (name.to_string(), in_region(name, tenant, regions));
        let contexts = spec
            .contexts
            .iter()
            .map(|context| names::context_namespace(spec.id.as_str(), context.name.as_str()));
        let deletion = spec.deletion.clone().unwrap_or_default();
        Self {
            cluster: cluster.to_owned(),
            tenant: tenant.name_any(),
            id: spec.id.to_string(),
            display_name: spec.display_name.clone(),
            plan: word(&spec.plan),
            paused: spec.paused == Some(true),
            residency: spec.placement.residency.to_string(),
            home: spec.placement.home.to_string(),
            regions: spec.placement.regions.iter().map(region).collect(),
            namespaces: std::iter::once(names::tenant_namespace(spec.id.as_str())).chain(contexts).collect(),
            requests_per_minute: rate,
            burst,
            quota: quota.into_iter().map(|(name, value)| (name, value.0)).collect(),
            access: spec.access.iter().map(grant).collect(),
            keys: spec.api_keys.iter().map(|key| self::key(key, &status)).collect(),
            egress: spec.egress.iter().map(egress).collect(),
            rules: spec.verification.as_ref().map_or(0, |verification| verification.policy.len()),
            protected: deletion.protected == Some(true),
            data_on_deletion: word(&deletion.data.unwrap_or(DataOnDeletion::Retain)),
        }
    }
}

/// As it is written in a spec.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn in_region(name: &kyb_crds::RegionName, tenant: &KybTenant, regions: &[RegionDeployment]) -> String {
    let Some(region) = regions.iter().find(|region| region.spec.region == *name) else {
        return "not in this cluster".to_owned();
    };
    let place = region.namespace().unwrap_or_default();
    if !serves(region, tenant) {
        return format!(
            "in namespace {place}, but its data lives in {}: it serves others only",
            region.spec.residency.as_str()
        );
    }
    let status = tenant.status.clone().unwrap_or_default();
    let served = status.regions.iter().find(|served| served.name == *name);
    match served {
        Some(served) if served.ready => format!("served from namespace {place}"),
        Some(served) => format!(
            "in namespace {place}, not served yet: {}",
            served.reason.as_deref().unwrap_or("no reason given")
        ),
        None => format!("in namespace {place}, nothing said of it yet"),
    }
}

fn grant(grant: &kyb_crds::AccessGrant) -> String {
    let subjects: Vec<_> =
        grant.subjects.iter().map(|subject| format!("{} {}", word(&subject.kind), subject.name)).collect();
    let contexts: Vec<_> = grant.contexts.iter().flatten().map(ToString::to_string).collect();
    let contexts = if contexts.is_empty() { "all contexts".to_owned() } else { contexts.join(", ") };
    format!("{}: {} as {} in {contexts}", grant.name, subjects.join(", "), word(&grant.role))
}

fn key(key: &kyb_crds::ApiKeySpec, status: &kyb_crds::TenantStatus) -> String {
    let mut parts = vec![format!("{}: {}", key.name, word(&key.role))];
    match status.keys.iter().find(|issued| issued.name.as_str() == key.name.as_str()) {
        None => parts.push("not issued yet".to_owned()),
        Some(issued) => {
            parts.extend(issued.key_id.as_ref().map(|id| format!("id {id}")));
            let until = issued.previous_until.as_ref();
            parts.extend(until.map(|until| format!("the one before is valid until {until}")));
            let secret = issued.secret.as_ref();
            parts.extend(secret.map(|secret| format!("in Secret {}/{}", secret.namespace, secret.name)));
        }
    }
    parts.join(", ")
}

fn egress(rule: &kyb_crds::EgressRule) -> String {
    let ports: Vec<_> = rule.ports.iter().map(ToString::to_string).collect();
    let ports = if ports.is_empty() { "all ports".to_owned() } else { format!("ports {}", ports.join(", ")) };
    format!("{}: {} {ports}", rule.name, rule.cidr)
}

impl Answer for Explanations {
    fn text(&self) -> String {
        self.0.iter().flat_map(Explanation::lines).collect::<Vec<_>>().join("\n")
    }
}

impl Explanation {
    fn lines(&self) -> Vec<String> {
        let cluster = if self.cluster.is_empty() { String::new() } else { format!("{}: ", self.cluster) };
        let paused = if self.paused { ", paused" } else { "" };
        let regions: Vec<_> = self.regions.iter().map(|(name, what)| format!("{name}: {what}")).collect();
        let quota: Vec<_> = self.quota.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let protected = if self.protected { "refused while protected; after that " } else { "" };
        let or = |list: &[String], nothing: &str| {
            if list.is_empty() { vec![nothing.to_owned()] } else { list.to_vec() }
        };
        let head =
            format!("{cluster}KybTenant {} ({}), plan {}{paused}", self.tenant, self.display_name, self.plan);
        let parts = [
            ("Data", vec![format!("lives in {}, written in {}", self.residency, self.home)]),
            ("Regions", regions),
            ("Namespaces", self.namespaces.clone()),
            ("Requests", vec![format!("{} a minute, {} at once", self.requests_per_minute, self.burst)]),
            ("Quota of each namespace", quota),
            ("Who may enter", or(&self.access, "nobody but administrators")),
            ("API keys", or(&self.keys, "none: nobody can call the API")),
            ("Reachable outside", or(&self.egress, "nothing")),
            ("Decisions", vec![format!("{} rules of its own, then the default policy", self.rules)]),
            ("Deletion", vec![format!("{protected}data: {}", self.data_on_deletion)]),
        ];
        let part = |(heading, lines): (&str, Vec<String>)| {
            std::iter::once(format!("  {heading}")).chain(lines.into_iter().map(|line| format!("    {line}")))
        };
        std::iter::once(head).chain(parts.into_iter().flat_map(part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tenant(status: &Value) -> KybTenant {
        serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "acme"},
            "spec": {
                "id": "acme", "displayName": "Acme", "plan": "enterprise",
                "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
            },
            "status": status,
        }))
        .unwrap()
    }

    fn region(residency: &str) -> RegionDeployment {
        serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment",
            "metadata": {"name": "kyb", "namespace": "place"},
            "spec": {
                "region": "us-east-1", "residency": residency, "environment": "development", "version": "0.1.0",
                "database": {"development": {}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_deletion_comes_to_is_as_the_spec_says_or_its_default() {
        let explained = |deletion: Option<Value>| {
            let mut tenant = serde_json::to_value(tenant(&json!({}))).unwrap();
            if let Some(deletion) = deletion {
                tenant["spec"]["deletion"] = deletion;
            }
            let all = Explanation::of("here", &serde_json::from_value(tenant).unwrap(), &[]);
            (all.protected, all.data_on_deletion)
        };
        assert_eq!(explained(None), (false, "Retain".to_owned()));
        assert_eq!(explained(Some(json!({"protected": true}))), (true, "Retain".to_owned()));
        let erase = json!({"protected": false, "data": "Erase"});
        assert_eq!(explained(Some(erase)), (false, "Erase".to_owned()));
    }

    #[test]
    fn each_region_says_how_it_serves_the_tenant() {
        let said = |status: &Value, regions: &[RegionDeployment]| {
            let tenant = tenant(status);
            in_region(&tenant.spec.placement.home, &tenant, regions)
        };
        let nothing = json!({});
        assert_eq!(said(&nothing, &[]), "not in this cluster");
        let other = said(&nothing, &[region("EU")]);
        assert!(other.starts_with("in namespace place, but its data lives in EU"), "{other}");
        assert_eq!(said(&nothing, &[region("US")]), "in namespace place, nothing said of it yet");
        let of = |ready: bool, reason: Option<&str>| json!({"regions": [{"name": "us-east-1", "ready": ready, "reason": reason}]});
        assert_eq!(said(&of(true, None), &[region("US")]), "served from namespace place");
        let waiting = said(&of(false, Some("NoReport")), &[region("US")]);
        assert_eq!(waiting, "in namespace place, not served yet: NoReport");
        assert!(said(&of(false, None), &[region("US")]).ends_with("no reason given"));
    }
}
