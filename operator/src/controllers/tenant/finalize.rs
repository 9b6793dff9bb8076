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

/// Sets the finalizer while the spec wants an erasure, and takes it off when there is nothing left to wait for. Some, if that
/// could not be done: when to try again.
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
    let changed = if wanted { hold(object, context).await } else { release(object, context).await };
    match changed {
        Ok(_) => None,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(tenant = tenant.id, error, "can't change the finalizer");
            Some(RETRY)
        }
    }
}

/// Sets the finalizer, and no other field: by server-side apply, so that doing it again to an object that was seen before it was
/// set changes nothing and fails at nothing. The uid keeps it from making a tenant that is gone already.
async fn hold(object: &KybTenant, context: &Context) -> kube::Result<KybTenant> {
    let body = json!({
        "apiVersion": names::API_VERSION,
        "kind": "KybTenant",
        "metadata": {"name": object.name_any(), "uid": object.uid(), "finalizers": [names::ERASE_FINALIZER]},
    });
    let api: Api<KybTenant> = Api::all(context.client.clone());
    api.patch(&object.name_any(), &PatchParams::apply(names::FINALIZER_MANAGER), &Patch::Apply(body)).await
}

/// Takes it off, whoever set it: also one that came back with a backup. Bound to the version that was seen, so that a finalizer
/// that somebody else added meanwhile is not lost.
async fn release(object: &KybTenant, context: &Context) -> kube::Result<KybTenant> {
    let others: Vec<&String> =
        object.finalizers().iter().filter(|name| *name != names::ERASE_FINALIZER).collect();
    let body = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": others}});
    let api: Api<KybTenant> = Api::all(context.client.clone());
    api.patch(&object.name_any(), &PatchParams::default(), &Patch::Merge(body)).await
}

/// Every region of this cluster that serves the tenant has erased it. With no region here there is nothing to erase.
fn erased(facts: &Facts) -> bool {
    facts.serving.iter().all(|serving| facts.erased_in.contains(&serving.region))
}

const RETRY: Duration = Duration::from_secs(2);
