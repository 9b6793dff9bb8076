//! Objects that are being deleted and held by somebody else's finalizer. Their children go with them, by the garbage collector;
//! meanwhile their status must not say that all is well.

use std::fmt::Debug;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::{Resource, ResourceExt, core::ObjectMeta};
use kyb_crds::{Reason, names};
use kyb_kit::{ConditionSet, Fact};
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;

/// Says on the object what holds it, if anything does, and forgets it.
pub(crate) async fn tell<K>(object: &K, context: &Context)
where
    K: Resource<DynamicType = ()> + Serialize + Debug,
{
    let status = context.statuses.current::<_, Value>(object);
    if let (Some(conditions), Ok(mut status)) = (held(object.meta()), status) {
        let before: Vec<Condition> = serde_json::from_value(status["conditions"].take()).unwrap_or_default();
        status["observedGeneration"] = object.meta().generation.into();
        status["conditions"] =
            serde_json::to_value(conditions.onto(&before, Timestamp::now())).unwrap_or_default();
        if let Err(error) = context.statuses.write(object, &status).await {
            let (name, error) = (object.name_any(), &error as &dyn std::error::Error);
            tracing::debug!(name, error, "can't write the status of an object on its way out");
        }
    }
    let uid = object.uid().unwrap_or_default();
    context.statuses.forget(&uid);
    context.retries.forget(&uid);
}

/// What to say of an object with these finalizers; nothing where it is about to go.
fn held(metadata: &ObjectMeta) -> Option<ConditionSet> {
    let finalizers = metadata.finalizers.iter().flatten();
    let others: Vec<_> =
        finalizers.map(String::as_str).filter(|name| *name != names::ERASE_FINALIZER).collect();
    if others.is_empty() {
        return None;
    }
    let message = format!(
        "it is being deleted, and goes when nothing holds it any more; now does {}, which is none of the operator's",
        others.join(", ")
    );
    let (reason, ready) = (Reason::Deleting.as_str(), message.clone());
    let ready = Fact::new("Ready", false, reason, ready);
    Some(ConditionSet::new(metadata.generation, ready).reconciling(reason, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(finalizers: &[&str]) -> Option<Vec<(String, String)>> {
        let finalizers = finalizers.iter().map(|name| (*name).to_owned()).collect();
        let metadata = ObjectMeta { finalizers: Some(finalizers), ..ObjectMeta::default() };
        let conditions = held(&metadata)?.onto(&[], Timestamp::UNIX_EPOCH);
        Some(
            conditions
                .into_iter()
                .map(|one| (one.type_, format!("{}: {}", one.reason, one.message)))
                .collect(),
        )
    }

    #[test]
    fn what_holds_an_object_is_named_unless_it_is_ours() {
        assert_eq!(says(&[]), None);
        assert_eq!(says(&[names::ERASE_FINALIZER]), None);
        let said = says(&[names::ERASE_FINALIZER, "example.org/keep", "foregroundDeletion"]).unwrap();
        let kinds: Vec<_> = said.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["Ready", "Reconciling"]);
        assert!(said.iter().all(|(_, why)| why.starts_with("Deleting: ")), "{said:?}");
        assert!(said[0].1.contains("example.org/keep, foregroundDeletion,"), "{said:?}");
        assert!(!said[0].1.contains(names::ERASE_FINALIZER), "{said:?}");
    }
}
