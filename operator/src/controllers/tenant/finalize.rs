//! Deletion: a tenant whose data is to be erased is held until the worker of each serving region has reported it.

use std::time::Duration;

use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use kyb_crds::{KybTenant, names};
use serde_json::json;

use super::{dereference::Facts, validate::ValidTenant};
use crate::context::Context;

/// Sets the finalizer while the spec wants an erasure, and takes it off when there is nothing left to wait for.
pub(super) async fn finalize(
    object: &KybTenant,
    tenant: &ValidTenant,
    facts: &Facts,
    context: &Context,
) -> Option<Duration> {
    let held = object.finalizers().iter().any(|name| name == names::ERASE_FINALIZER);
    let deleting = object.metadata.deletion_timestamp.is_some();
    if deleting {
        context.statuses.forget(&object.uid().unwrap_or_default());
    }
    let wanted = if deleting { held && facts.erasing && !erased(facts) } else { tenant.erase };
    if wanted == held || (deleting && !held) {
        return None;
    }
    let api: Api<KybTenant> = Api::all(context.client.clone());
    match api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(change(object, wanted))).await
    {
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(
                tenant = tenant.id,
                error = &error as &dyn std::error::Error,
                "can't change the finalizer"
            );
            Some(RETRY)
        }
    }
}

/// Every region of this cluster that serves the tenant has erased it. With no region here there is nothing to erase.
fn erased(facts: &Facts) -> bool {
    facts.serving.iter().all(|serving| facts.erased_in.contains(&serving.region))
}

/// Bound to the version that was seen: a finalizer that somebody else added meanwhile is not lost.
fn change(object: &KybTenant, wanted: bool) -> serde_json::Value {
    let mut finalizers: Vec<&str> = object
        .finalizers()
        .iter()
        .map(String::as_str)
        .filter(|name| *name != names::ERASE_FINALIZER)
        .collect();
    if wanted {
        finalizers.push(names::ERASE_FINALIZER);
    }
    json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}})
}

const RETRY: Duration = Duration::from_secs(2);
