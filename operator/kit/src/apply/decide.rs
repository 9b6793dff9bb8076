//! What to do about one object, decided without I/O.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use kube::api::DynamicObject;

use super::ApplyError;
use crate::{
    ChildKey, Names,
    children::Wanted,
    compare::{Difference, differences},
    handover::{self, Step},
};

/// What to do about an object that exists.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    /// All that we want is there.
    Leave,
    /// Apply what we want to the object of this uid, after the step, if there is one.
    Update { uid: String, before: Option<Step> },
}

/// Decides about `live`, which has the name of `wanted`.
pub(super) fn decide(
    wanted: &Wanted,
    owner_uid: &str,
    live: &DynamicObject,
    names: &Names,
    settled: &Settled,
) -> Result<Decision, ApplyError> {
    let child = wanted.key.clone();
    // Whoever's it is, its name will be free: most often it is what an owner of the same name has left behind.
    if live.metadata.deletion_timestamp.is_some() {
        return Err(ApplyError::Terminating { child });
    }
    let owner = live.metadata.labels.as_ref().and_then(|labels| labels.get(names.owner_uid));
    if owner.map(String::as_str) != Some(owner_uid) {
        return Err(ApplyError::Stranger { child, owner: owner.cloned() });
    }
    if settled.accepts(wanted, &open(wanted, live)) {
        return Ok(Decision::Leave);
    }
    let uid = live.metadata.uid.clone().unwrap_or_default();
    Ok(Decision::Update { uid, before: handover::plan(wanted, live, names) })
}

/// The wanted fields that `live` does not have. The digest is one of them, so fields that we no longer want show too.
pub(super) fn open(wanted: &Wanted, live: &DynamicObject) -> Vec<Difference> {
    differences(&wanted.body, &serde_json::to_value(live).unwrap_or_default())
}

/// Differences that remained right after applying: the server, or a webhook, will have it so. Applying again would change
/// nothing, for ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled(Arc<Mutex<HashMap<ChildKey, Remained>>>);

/// What remained after applying what has this digest.
#[derive(Debug, Clone)]
struct Remained {
    digest: String,
    differences: Vec<Difference>,
}

impl Settled {
    /// Notes what remained after applying `wanted`.
    pub(super) fn note(&self, wanted: &Wanted, remained: Vec<Difference>) {
        let mut settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remained.is_empty() {
            settled.remove(&wanted.key);
            return;
        }
        let fields: Vec<_> = remained.iter().map(|difference| difference.pointer.as_str()).collect();
        let child = &wanted.key;
        tracing::info!(%child, ?fields, "the server keeps other values than those applied; they are left so");
        settled.insert(child.clone(), Remained { digest: wanted.digest.clone(), differences: remained });
    }

    fn accepts(&self, wanted: &Wanted, found: &[Difference]) -> bool {
        let settled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = settled.get(&wanted.key).filter(|known| known.digest == wanted.digest);
        known.map_or(found.is_empty(), |known| known.differences == found)
    }
}

#[cfg(test)]
mod tests {
    use kube::api::ApiResource;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Child, Children, names::SAMPLE, owner::sample_owner};

    const US: &str = "uid-1";

    fn wanted(body: Value) -> Wanted {
        let child = Child::from_json(body, ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&()));
        Children::of(&sample_owner(None), &SAMPLE, [child]).unwrap().iter().next().unwrap().clone()
    }

    fn one(value: &str) -> Wanted {
        wanted(json!({"metadata": {"name": "one", "namespace": "here"}, "data": {"a": value}}))
    }

    fn applied(wanted: &Wanted) -> Value {
        let mut live = wanted.body.clone();
        live["metadata"]["uid"] = "child-uid".into();
        live["metadata"]["resourceVersion"] = "7".into();
        live["data"]["added"] = "by others".into();
        live
    }

    fn about(wanted: &Wanted, live: Value, settled: &Settled) -> Result<Decision, ApplyError> {
        decide(wanted, US, &serde_json::from_value(live).unwrap(), &SAMPLE, settled)
    }

    fn update() -> Decision {
        Decision::Update { uid: "child-uid".into(), before: None }
    }

    #[test]
    fn what_is_as_we_want_it_is_left() {
        let decision = about(&one("1"), applied(&one("1")), &Settled::default());
        assert_eq!(decision.unwrap(), Decision::Leave);
    }

    #[test]
    fn a_field_that_somebody_changed_is_applied_again() {
        let mut live = applied(&one("1"));
        live["data"]["a"] = "2".into();
        assert_eq!(about(&one("1"), live, &Settled::default()).unwrap(), update());
    }

    #[test]
    fn a_field_that_we_no_longer_want_is_applied_away() {
        let before =
            wanted(json!({"metadata": {"name": "one", "namespace": "here"}, "data": {"a": "1", "b": "2"}}));
        assert_eq!(about(&one("1"), applied(&before), &Settled::default()).unwrap(), update());
    }

    #[test]
    fn a_strangers_object_is_refused_and_so_is_one_of_another_owner() {
        let mut live = applied(&one("1"));
        live["metadata"]["labels"] = json!({"app": "theirs"});
        let error = about(&one("1"), live.clone(), &Settled::default()).unwrap_err();
        assert!(matches!(error, ApplyError::Stranger { owner: None, .. }));
        live["metadata"]["labels"] = json!({SAMPLE.owner_uid: "uid-2"});
        let error = about(&one("1"), live, &Settled::default()).unwrap_err();
        assert!(matches!(error, ApplyError::Stranger { owner: Some(owner), .. } if owner == "uid-2"));
    }

    #[test]
    fn an_object_that_is_being_deleted_is_waited_for_whoever_it_belonged_to() {
        let mut live = applied(&one("1"));
        live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let mut of_another = live.clone();
        of_another["metadata"]["labels"] = json!({SAMPLE.owner_uid: "uid-2"});
        for going in [live, of_another] {
            let error = about(&one("1"), going, &Settled::default()).unwrap_err();
            assert!(matches!(error, ApplyError::Terminating { .. }));
        }
    }

    #[test]
    fn what_the_server_insists_on_is_left_until_something_else_changes() {
        let settled = Settled::default();
        let mut live = applied(&one("1"));
        live["data"]["a"] = "rewritten".into();
        assert_eq!(
            about(&one("1"), live.clone(), &settled).unwrap(),
            update(),
            "the twin: nothing is settled yet"
        );
        let object = serde_json::from_value(live.clone()).unwrap();
        settled.note(&one("1"), open(&one("1"), &object));
        assert_eq!(about(&one("1"), live.clone(), &settled).unwrap(), Decision::Leave);
        assert_eq!(about(&one("2"), live.clone(), &settled).unwrap(), update(), "we want something else");
        live["data"]["a"] = "rewritten again".into();
        assert_eq!(about(&one("1"), live, &settled).unwrap(), update(), "somebody changed it");
    }
}
