//! What a tenant's status says.

use kyb_crds::{ConditionType, KybTenant, Reason, TenantRegionStatus, TenantStatus, names};
use kyb_kit::{ConditionSet, Live, Lookup};

use super::{
    build::IssuedKey,
    dereference::{Facts, Serving},
    validate::{KeySource, ValidTenant},
};
use crate::verdict::{State, Verdict, summary};

/// Whether a region's gateways use the tenant's newest settings.
fn delivery(tenant: &ValidTenant, serving: &Serving, live: &Live) -> (bool, Reason) {
    let resource = kube::api::ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
    let name = names::tenant_config_map(&tenant.id);
    let key = kyb_kit::ChildKey::new(&resource, Some(&serving.namespace), &name);
    let Lookup::Present(written) = live.lookup(&key) else { return (false, Reason::SettingsPending) };
    let wanted = written.metadata.resource_version.as_deref().and_then(|version| version.parse::<u64>().ok());
    match (wanted, serving.accepted) {
        (_, None) => (false, Reason::NoReport),
        (Some(wanted), Some(accepted)) if accepted >= wanted => (true, Reason::Ready),
        _ => (false, Reason::SettingsPending),
    }
}

/// How each region of this cluster serves the tenant.
pub(crate) fn regions(tenant: &ValidTenant, facts: &Facts, live: &Live) -> Vec<TenantRegionStatus> {
    let status = |serving: &Serving| {
        let (ready, reason) = delivery(tenant, serving, live);
        TenantRegionStatus {
            name: serving.region.as_str().into(),
            ready,
            reason: Some(reason.as_str().to_owned()),
        }
    };
    facts.serving.iter().map(status).collect()
}

/// The verdict about the regions.
pub(crate) fn delivered(tenant: &ValidTenant, facts: &Facts, regions: &[TenantRegionStatus]) -> Verdict {
    let verdict = |state, reason, message: String| {
        Verdict::new(ConditionType::SettingsDelivered, state, reason, message)
    };
    if let Some(foreign) = facts.foreign.first() {
        let message = format!(
            "region {foreign} holds data of another residency than {}; take it out of spec.placement.regions",
            tenant.residency
        );
        return verdict(State::Stuck, Reason::ResidencyMismatch, message);
    }
    let waiting = regions.iter().find(|region| !region.ready);
    match waiting {
        Some(region) => {
            let reason = if region.reason.as_deref() == Some(Reason::NoReport.as_str()) {
                Reason::NoReport
            } else {
                Reason::SettingsPending
            };
            let message = format!("region {}: not every gateway uses the newest settings yet", region.name);
            verdict(State::Underway, reason, message)
        }
        None if regions.is_empty() && facts.regions_here == 0 => {
            let wanted = tenant.regions.join(", ");
            let message =
                format!("this cluster has no region yet; apply a RegionDeployment for one of {wanted}");
            verdict(State::Underway, Reason::NoRegion, message)
        }
        None if regions.is_empty() => {
            let message = format!(
                "served elsewhere: none of {} is a region of this cluster",
                tenant.regions.join(", ")
            );
            verdict(State::Aside, Reason::NoRegion, message)
        }
        None => Verdict::well(ConditionType::SettingsDelivered, "every gateway uses the newest settings"),
    }
}

/// Keys that could not be read stop nothing but themselves.
pub(crate) fn keys(tenant: &ValidTenant, facts: &Facts, applied: Verdict) -> Verdict {
    let mut brought = tenant.keys.iter().filter(|key| matches!(key.source, KeySource::Brought(_)));
    let problem = brought.find_map(|key| facts.brought_keys.get(&key.name)?.as_ref().err());
    match problem {
        Some(problem) if applied.state <= State::Underway => {
            Verdict::of_problem(ConditionType::KeysReady, problem)
        }
        _ => applied,
    }
}

/// The whole status.
pub(crate) fn status(
    object: &KybTenant,
    tenant: &ValidTenant,
    facts: &Facts,
    live: &Live,
    keys: &[IssuedKey],
    verdicts: &[Verdict],
) -> (TenantStatus, ConditionSet) {
    let regions = regions(tenant, facts, live);
    let serving: Vec<_> = facts.serving.iter().map(|serving| serving.region.as_str()).collect();
    let ready = if serving.is_empty() {
        "served elsewhere".to_owned()
    } else {
        format!("served by {}", serving.join(", "))
    };
    let conditions = summary(object.metadata.generation, verdicts, &ready);
    let owned =
        tenant.places().iter().map(|place| place.namespace.as_str()).filter(|name| owns(live, name, object));
    let status = TenantStatus {
        observed_generation: object.metadata.generation,
        conditions: vec![],
        namespaces: owned.map(Into::into).collect(),
        regions,
        keys: keys.iter().map(|key| key.status(tenant)).collect(),
        failures: None,
    };
    (status, conditions)
}

fn owns(live: &Live, namespace: &str, object: &KybTenant) -> bool {
    let found: Option<k8s_openapi::api::core::v1::Namespace> = live.typed(None, namespace);
    let labels = found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
    labels.get(names::OWNER_UID_LABEL) == object.metadata.uid.as_ref()
}
