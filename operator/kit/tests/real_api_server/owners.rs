//! A child that went is made again for an owner that stands, and for no other.

use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    rbac::v1::ClusterRole,
};
use kube::{
    Api,
    api::{ApiResource, DeleteParams, Patch, PatchParams},
};
use kyb_kit::{ApplyError, Child, Lookup, Owner, Prune};
use serde_json::json;

use crate::bench::{Bench, plane, until};

const CHILD: &str = "child";

/// Waits until the child is gone and the operator has seen it.
async fn lost(bench: &Bench) {
    let key = bench.config_map(CHILD, &json!({})).key().clone();
    until("the child is gone", async || {
        let is_gone = bench.api::<ConfigMap>().get_opt(CHILD).await.unwrap().is_none();
        is_gone && matches!(bench.live.lookup(&key), Lookup::Absent)
    })
    .await;
}

#[tokio::test]
async fn a_child_that_was_deleted_by_hand_is_made_again_after_one_question() {
    let bench = Bench::new("owner-stands").await;
    let child = || bench.config_map(CHILD, &json!({}));
    bench.apply([child()]).await;
    bench.api::<ConfigMap>().delete(CHILD, &DeleteParams::default()).await.unwrap();
    lost(&bench).await;
    assert_eq!(bench.apply([child()]).await.created, 1);

    let mark = plane().await.audit_mark().await.unwrap();
    assert!(!bench.apply([child()]).await.wrote());
    assert_eq!(bench.apply([child(), bench.config_map("another", &json!({}))]).await.created, 1);
    assert_eq!(bench.asked_since(mark).await.len(), 1, "whole again: nobody asks for the owner any more");
}

#[tokio::test]
async fn a_child_that_went_with_its_owner_is_not_made_again() {
    let bench = Bench::new("owner-gone").await;
    let child = || bench.config_map(CHILD, &json!({}));
    bench.apply([child()]).await;
    let owners: Api<ClusterRole> = Api::all(bench.client.clone());
    owners.delete(&bench.owner.name, &DeleteParams::background()).await.unwrap();
    lost(&bench).await;
    let outcome = bench.apply([child()]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Ownerless { .. }]), "{outcome:?}");
    assert!(bench.api::<ConfigMap>().get_opt(CHILD).await.unwrap().is_none());

    assert_eq!(bench.restarted().await.apply([child()]).await.created, 1, "the twin, who saw nothing go");
}

/// A Secret is not watched, so nobody sees it go, and a new process remembers none.
#[tokio::test]
async fn a_secret_that_went_with_its_owner_is_not_made_again_after_a_restart() {
    let bench = Bench::new("owner-of-secret").await;
    let resource = ApiResource::erase::<Secret>(&());
    let secret = || {
        Child::from_json(
            json!({"metadata": {"name": CHILD, "namespace": "owner-of-secret"}}),
            resource.clone(),
        )
    };
    let held = bench.config_map("held", &json!({"a": "1"}));
    assert_eq!(bench.apply([held, secret()]).await.created, 2);

    let maps: Api<ConfigMap> = bench.api();
    let finalizers = Patch::Merge(json!({"metadata": {"finalizers": ["kit.test/held"]}}));
    maps.patch("held", &PatchParams::default(), &finalizers).await.unwrap();
    let owners: Api<ClusterRole> = Api::all(bench.client.clone());
    owners.delete(&bench.owner.name, &DeleteParams::background()).await.unwrap();
    let secrets: Api<Secret> = bench.api();
    until("the Secret is gone", async || secrets.get_opt(CHILD).await.unwrap().is_none()).await;

    let outcome = bench.restarted().await.apply([secret()]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Ownerless { .. }]), "{outcome:?}");
    assert!(secrets.get_opt(CHILD).await.unwrap().is_none());
    let let_go = Patch::Merge(json!({"metadata": {"finalizers": []}}));
    maps.patch("held", &PatchParams::default(), &let_go).await.unwrap();
    until("nothing is left", async || maps.get_opt("held").await.unwrap().is_none()).await;
    let twin = bench.restarted().await.apply([secret()]).await;
    assert_eq!(twin.created, 1, "the twin, who finds no other child");
}

#[tokio::test]
async fn an_owner_on_its_way_out_gets_only_what_is_made_for_one_that_is() {
    let bench = Bench::new("owner-going").await;
    let child = || bench.config_map(CHILD, &json!({}));
    bench.apply([child()]).await;
    let owners: Api<ClusterRole> = Api::all(bench.client.clone());
    let held = Patch::Merge(json!({"metadata": {"finalizers": ["kit.test/held"]}}));
    owners.patch(&bench.owner.name, &PatchParams::default(), &held).await.unwrap();
    owners.delete(&bench.owner.name, &DeleteParams::background()).await.unwrap();
    bench.api::<ConfigMap>().delete(CHILD, &DeleteParams::default()).await.unwrap();
    lost(&bench).await;

    let outcome = bench.apply([child()]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Ownerless { .. }]), "{outcome:?}");
    let going = Owner::of(&owners.get(&bench.owner.name).await.unwrap()).unwrap();
    let children = kyb_kit::Children::of(&going, &crate::bench::NAMES, [child()]).unwrap();
    assert_eq!(bench.applier.apply(&children, &Prune::default()).await.created, 1);
}
