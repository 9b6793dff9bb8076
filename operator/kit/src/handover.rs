//! Handing `spec.replicas` to an autoscaler without a moment at which nobody owns it.
//!
//! Server-side apply takes a field out when the only manager that owned it stops applying it; `replicas` would then be
//! set to its default, 1, and a running service would be scaled down. So before we stop applying the field, a second
//! field manager applies its present value alone
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership>):
//!
//! ```text
//! ours: {…, replicas: 5}   ─►  ours-handover: {replicas: 5}, not forced  ─►  ours: {…}   ─►  autoscaler: {replicas: 7}
//! ```
//!
//! If the autoscaler changed the value in between, the second step meets a conflict: somebody else owns the field
//! already, and nothing needs to be handed over. Any other conflict, of a write that came between or with what we applied
//! ourselves and have not seen yet, ends the attempt, since nobody but us may own the field then. Taking the field back
//! needs no plan: it is applied by force.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use kube::{
    api::DynamicObject,
    core::response::{Status, StatusCause},
};
use serde_json::{Value, json};

use crate::{Names, children::Wanted};

/// `spec.replicas` as managed fields name it.
const MANAGED: &str = "/f:spec/f:replicas";

/// What to apply, by whom, before our own apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The field manager.
    pub manager: String,
    /// The body to apply, without force: it may be refused because the field has another owner already.
    pub body: Value,
}

/// The step that has to come before applying `wanted`, which leaves `replicas` to others, to the object `live`. None
/// where `replicas` is not ours, or not ours alone.
pub fn plan(wanted: &Wanted, live: &DynamicObject, names: &Names) -> Option<Step> {
    let replicas = live.data.pointer("/spec/replicas").filter(|_| wanted.leaves_replicas)?;
    if !is_solely_ours(live, names) {
        return None;
    }
    let metadata = &live.metadata;
    let body = json!({
        "apiVersion": wanted.resource.api_version,
        "kind": wanted.resource.kind,
        "metadata": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
        "spec": {"replicas": replicas},
    });
    Some(Step { manager: names.handover_manager(), body })
}

/// Whether we are the only ones who own `replicas`; also where nobody knows, since a needless step does no harm.
fn is_solely_ours(live: &DynamicObject, names: &Names) -> bool {
    let Some(entries) = &live.metadata.managed_fields else { return true };
    let owners: Vec<_> = entries.iter().filter(|entry| owns_replicas(entry)).collect();
    let is_ours = |entry: &&ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(names.manager) && entry.operation.as_deref() == Some("Apply")
    };
    owners.iter().any(is_ours) && owners.iter().all(is_ours)
}

/// Whether the step was refused because managers other than `ours` own the field. The server answers with 409 for other
/// reasons, too, and names an owner in each cause's message, as `conflict with "<manager>" …`.
pub(crate) fn is_owned_by_others(refused: &Status, ours: &str) -> bool {
    let causes = refused.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let ours = format!("\"{ours}\"");
    let is_others =
        |cause: &StatusCause| cause.reason == "FieldManagerConflict" && !cause.message.contains(&ours);
    refused.code == 409 && !causes.is_empty() && causes.iter().all(is_others)
}

fn owns_replicas(entry: &ManagedFieldsEntry) -> bool {
    entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer(MANAGED).is_some())
}

/// Reduces the managed fields, the larger part of many objects, to what [`plan`] reads.
pub(crate) fn trim(object: &mut DynamicObject) {
    let Some(entries) = object.metadata.managed_fields.as_mut() else { return };
    entries.retain(owns_replicas);
    for entry in entries {
        entry.fields_v1 = Some(FieldsV1(json!({"f:spec": {"f:replicas": {}}})));
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use kube::api::ApiResource;

    use super::*;
    use crate::{Child, Children, names::SAMPLE, owner::sample_owner};

    fn wanted(leaves_replicas: bool) -> Wanted {
        let body = json!({"metadata": {"name": "one", "namespace": "here"}, "spec": {"replicas": 3}});
        let child = Child::from_json(body, ApiResource::erase::<Deployment>(&()));
        let child = if leaves_replicas { child.leaving_replicas() } else { child };
        Children::of(&sample_owner(None), &SAMPLE, [child]).unwrap().iter().next().unwrap().clone()
    }

    fn live(owners: &[(&str, &str)]) -> DynamicObject {
        let entry = |(manager, operation): &(&str, &str)| {
            let fields = json!({"f:spec": {"f:replicas": {}, "f:template": {}}});
            json!({"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields})
        };
        let elsewhere = json!({"manager": "others", "operation": "Update", "fieldsV1": {"f:status": {}}});
        let entries: Vec<_> = owners.iter().map(entry).chain([elsewhere]).collect();
        let metadata = json!({"name": "one", "namespace": "here", "uid": "u", "managedFields": entries});
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 5},
        });
        serde_json::from_value(object).unwrap()
    }

    const OURS: (&str, &str) = (SAMPLE.manager, "Apply");

    #[test]
    fn replicas_that_are_ours_alone_are_kept_by_another_manager_first() {
        let expected = Step {
            manager: "kit-test-handover".into(),
            body: json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "one", "namespace": "here", "uid": "u"},
                "spec": {"replicas": 5},
            }),
        };
        assert_eq!(plan(&wanted(true), &live(&[OURS]), &SAMPLE), Some(expected));
    }

    #[test]
    fn replicas_that_somebody_else_owns_need_no_step() {
        for owners in [
            &[("autoscaler", "Update")][..],
            &[OURS, ("autoscaler", "Update")],
            &[OURS, ("kit-test-handover", "Apply")],
            &[(SAMPLE.manager, "Update")],
            &[],
        ] {
            assert_eq!(plan(&wanted(true), &live(owners), &SAMPLE), None, "{owners:?}");
        }
    }

    /// As the server words it.
    fn refused(code: u16, causes: &[(&str, &str)]) -> Status {
        let cause = |(reason, message): &(&str, &str)| json!({"reason": reason, "message": message, "field": ".spec.replicas"});
        let details = json!({"causes": causes.iter().map(cause).collect::<Vec<_>>()});
        serde_json::from_value(json!({"status": "Failure", "code": code, "details": details})).unwrap()
    }

    #[test]
    fn only_a_conflict_with_others_alone_says_that_they_own_it() {
        const THEIRS: (&str, &str) = ("FieldManagerConflict", "conflict with \"autoscaler\" using apps/v1");
        const OURS: (&str, &str) = ("FieldManagerConflict", "conflict with \"kit-test\" using apps/v1");
        let says = |status: &Status| is_owned_by_others(status, SAMPLE.manager);
        assert_eq!(SAMPLE.manager, "kit-test");
        assert!(says(&refused(409, &[THEIRS])) && says(&refused(409, &[THEIRS, THEIRS])));
        assert!(!says(&refused(409, &[])), "a write came between");
        assert!(!says(&refused(409, &[OURS])) && !says(&refused(409, &[THEIRS, OURS])));
        assert!(!says(&refused(409, &[("Other", "conflict with \"autoscaler\"")])));
        assert!(!says(&refused(500, &[THEIRS])));
        let bare = Status { details: None, ..refused(409, &[]) };
        assert!(!says(&bare));
    }

    #[test]
    fn replicas_that_we_go_on_to_decide_need_no_step() {
        assert_eq!(plan(&wanted(false), &live(&[OURS]), &SAMPLE), None);
        assert_eq!(wanted(true).body.pointer("/spec/replicas"), None);
    }

    #[test]
    fn trimmed_managed_fields_give_the_same_plan() {
        for owners in [&[OURS][..], &[OURS, ("autoscaler", "Update")], &[]] {
            let (whole, mut short) = (live(owners), live(owners));
            trim(&mut short);
            assert_eq!(short.metadata.managed_fields.as_ref().unwrap().len(), owners.len());
            assert_eq!(plan(&wanted(true), &short, &SAMPLE), plan(&wanted(true), &whole, &SAMPLE));
        }
    }
}
