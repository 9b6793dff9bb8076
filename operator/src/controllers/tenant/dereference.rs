//! All reads of a tenant's reconcile: which regions of this cluster serve it, what they report, and the keys it brings along.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt};
use kyb_crds::{KybTenant, Reason, RegionDeployment, SecretKeyRef, names};
use kyb_settings::ApiKey;

use super::validate::{KeySource, ValidTenant};
use crate::{concern::Problem, context::Context, controllers::region::status::accepted};

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The regions of this cluster that serve the tenant.
    pub(crate) serving: Vec<Serving>,
    /// How many regions this cluster has at all.
    pub(crate) regions_here: usize,
    /// Regions of the placement whose database holds another residency.
    pub(crate) foreign: Vec<String>,
    /// Keys brought along, by name.
    pub(crate) brought_keys: BTreeMap<String, Result<ApiKey, Problem>>,
    /// The name of an elder KybTenant with the same id.
    pub(crate) elder: Option<String>,
    /// The tenant is being deleted and wants its data erased.
    pub(crate) erasing: bool,
    /// Regions whose worker has reported that the tenant is erased.
    pub(crate) erased_in: Vec<String>,
}

/// A region of this cluster that serves the tenant.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) region: String,
    pub(crate) namespace: String,
    /// The settings version that every gateway of the region has accepted; None while nothing is reported.
    pub(crate) accepted: Option<u64>,
}

/// Reads everything.
pub(crate) async fn dereference(tenant: &KybTenant, valid: &ValidTenant, context: &Context) -> Facts {
    let deployments = context.serving_regions();
    let mut facts = Facts { regions_here: deployments.len(), ..Facts::default() };
    facts.elder = elder(tenant, context);
    facts.erasing = tenant.metadata.deletion_timestamp.is_some() && valid.erase;
    for deployment in deployments.iter().filter(|region| valid.regions.contains(&region.spec.region.0)) {
        if deployment.spec.residency.as_str() != valid.residency {
            facts.foreign.push(deployment.spec.region.to_string());
            continue;
        }
        facts.serving.push(serving(deployment, context));
        if erased(deployment, &valid.id, context) {
            facts.erased_in.push(deployment.spec.region.to_string());
        }
    }
    for key in &valid.keys {
        if let KeySource::Brought(reference) = &key.source {
            let read = brought(&valid.id, reference, context).await;
            facts.brought_keys.insert(key.name.clone(), read);
        }
    }
    facts
}

/// Of two with the same id the elder one stays.
fn elder(tenant: &KybTenant, context: &Context) -> Option<String> {
    let age = |tenant: &KybTenant| (tenant.metadata.creation_timestamp.as_ref().map(|at| at.0), tenant.uid());
    let tenants = context.tenants();
    let same =
        |other: &&std::sync::Arc<KybTenant>| other.spec.id == tenant.spec.id && age(other) < age(tenant);
    tenants.iter().find(same).map(|other| other.name_any())
}

fn serving(deployment: &RegionDeployment, context: &Context) -> Serving {
    let namespace = deployment.namespace().unwrap_or_default();
    let accepted = context.report(deployment).and_then(|report| accepted(report.status.as_ref()?));
    Serving { region: deployment.spec.region.to_string(), namespace, accepted }
}

fn erased(deployment: &RegionDeployment, tenant: &str, context: &Context) -> bool {
    let report = context.report(deployment);
    let erasures = report.and_then(|report| report.status.clone()).map(|status| status.erasures);
    let of_tenant = |erasure: &kyb_crds::ErasureReport| erasure.tenant.as_str() == tenant;
    erasures
        .into_iter()
        .flatten()
        .any(|erasure| of_tenant(&erasure) && erasure.state == kyb_crds::ErasureState::Done)
}

/// Reads a key that the tenant brought along. The operator may read Secrets of the tenant's own namespace only.
async fn brought(tenant: &str, reference: &SecretKeyRef, context: &Context) -> Result<ApiKey, Problem> {
    let namespace = names::tenant_namespace(tenant);
    let (name, key) = (&reference.name, &reference.key);
    let problem = Problem::new;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &namespace);
    let read = secrets.get_opt(name.as_str()).await;
    let secret = read.map_err(|why| {
        problem(Reason::Retrying, format!("Secret {namespace}/{name} can't be read, will try again: {why}"))
    })?;
    let secret = secret.ok_or_else(|| {
        let what =
            format!("Secret {namespace}/{name} does not exist; create it with the API key under `{key}`");
        problem(Reason::SecretNotFound, what)
    })?;
    let value = secret.data.unwrap_or_default().remove(key.as_str()).ok_or_else(|| {
        let what = format!("Secret {namespace}/{name} has no key `{key}`; add it, or correct spec.apiKeys");
        problem(Reason::SecretKeyNotFound, what)
    })?;
    let malformed = |_| {
        let what = format!(
            "Secret {namespace}/{name} holds under `{key}` no API key; it must read `kyb_<env>_<key id>_<secret>`"
        );
        Problem::new(Reason::SecretInvalid, what)
    };
    let text =
        String::from_utf8(value.0).map_err(|_| kyb_settings::KeyError::Malformed).map_err(malformed)?;
    ApiKey::parse(text.trim_end()).map_err(malformed)
}
