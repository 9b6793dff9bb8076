//! What we made and no longer want goes; nothing else does.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api,
    api::{ApiResource, ListParams, Patch, PatchParams},
};
use kyb_kit::{ApplyError, Child, ChildKey, Children, Prune};
use serde_json::json;

use crate::bench::{Bench, NAMES, new_owner, plane};

async fn names(bench: &Bench) -> Vec<String> {
    let maps = bench.api::<ConfigMap>().list(&ListParams::default()).await.unwrap();
    let names = maps.items.into_iter().filter_map(|map| map.metadata.name);
    names.filter(|name| name != "kube-root-ca.crt").collect()
}

#[tokio::test]
async fn what_is_no_longer_wanted_goes_once_and_others_objects_stay() {
    let bench = Bench::new("prune").await;
    let other = new_owner(&bench.client, "prune-other").await;
    let of_other = Children::of(&other, &NAMES, [bench.config_map("of-other", &json!({}))]).unwrap();
    assert_eq!(bench.applier.apply(&of_other, &Prune::default()).await.created, 1);
    bench.strangers_config_map("of-strangers").await;
    bench.apply([bench.config_map("kept", &json!({})), bench.config_map("old", &json!({}))]).await;

    let outcome = bench.apply([bench.config_map("kept", &json!({}))]).await;
    assert_eq!((outcome.pruned, outcome.unchanged, outcome.is_clean()), (1, 1, true), "{outcome:?}");
    assert_eq!(names(&bench).await, ["kept", "of-other", "of-strangers"]);
    let mark = plane().await.audit_mark().await.unwrap();
    assert!(!bench.apply([bench.config_map("kept", &json!({}))]).await.wrote());
    assert_eq!(bench.asked_since(mark).await.len(), 0);
}

#[tokio::test]
async fn an_object_that_was_given_to_somebody_else_unseen_is_not_deleted() {
    let mut bench = Bench::new("prune-stale").await;
    bench.apply([bench.config_map("kept", &json!({})), bench.config_map("given", &json!({}))]).await;
    bench.look_away().await;
    let given = json!({"metadata": {"labels": {NAMES.owner_uid: "somebody-else"}}});
    bench.api::<ConfigMap>().patch("given", &PatchParams::default(), &Patch::Merge(&given)).await.unwrap();
    let outcome = bench.apply([bench.config_map("kept", &json!({}))]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Behind { .. }]), "{outcome:?}");
    assert_eq!(names(&bench).await, ["given", "kept"]);
}

#[tokio::test]
async fn secrets_are_looked_for_once_and_go_only_if_they_are_ours() {
    let bench = Bench::new("prune-secrets").await;
    let resource = ApiResource::erase::<Secret>(&());
    let secret = |name: &str| {
        let metadata = json!({"name": name, "namespace": bench.namespace});
        Child::from_json(json!({"metadata": metadata, "data": {"a": "YQ=="}}), resource.clone())
    };
    bench.apply([bench.config_map("kept", &json!({})), secret("ours")]).await;
    let theirs = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs"}});
    let secrets: Api<Secret> = bench.api();
    secrets.patch("theirs", &PatchParams::apply("somebody"), &Patch::Apply(&theirs)).await.unwrap();

    let key = |name| (ChildKey::new(&resource, Some(bench.namespace), name), resource.clone());
    let prune = Prune { unwatched: vec![key("ours"), key("theirs"), key("never-was")], ..Prune::default() };
    let children = bench.children([bench.config_map("kept", &json!({}))]);
    let outcome = bench.applier.apply(&children, &prune).await;
    assert_eq!((outcome.pruned, outcome.is_clean()), (1, true), "{outcome:?}");
    assert!(secrets.get_opt("ours").await.unwrap().is_none());
    assert!(secrets.get_opt("theirs").await.unwrap().is_some());

    let mark = plane().await.audit_mark().await.unwrap();
    assert!(!bench.applier.apply(&children, &prune).await.wrote());
    assert_eq!(bench.asked_since(mark).await.len(), 0, "known to be gone");
}
