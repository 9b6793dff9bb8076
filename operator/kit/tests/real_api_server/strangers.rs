//! What belongs to others is never touched, whenever it appears.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api,
    api::{ApiResource, DeleteParams, Patch, PatchParams, PostParams},
};
use kyb_kit::{ApplyError, Child, Children, Prune};
use serde_json::json;

use crate::bench::{Bench, NAMES, new_owner, plane, typed};

#[tokio::test]
async fn a_strangers_object_is_left_alone() {
    let bench = Bench::new("strangers").await;
    let theirs = bench.strangers_config_map("one").await;
    for _ in 0..2 {
        let outcome = bench.apply([bench.config_map("one", &json!({"a": "ours"}))]).await;
        assert!(matches!(&outcome.failures[..], [ApplyError::Stranger { owner: None, .. }]), "{outcome:?}");
    }
    assert_eq!(bench.config_map_now("one").await, theirs);
}

/// The twin: an ordinary forced apply takes the object over.
#[tokio::test]
async fn without_the_precondition_a_strangers_object_would_be_taken_over() {
    let bench = Bench::new("adopted").await;
    bench.strangers_config_map("one").await;
    let children = bench.children([bench.config_map("one", &json!({"a": "ours"}))]);
    let body = &children.iter().next().unwrap().body;
    let params = PatchParams::apply(NAMES.manager).force();
    let taken = bench.api::<ConfigMap>().patch("one", &params, &Patch::Apply(body)).await.unwrap();
    assert_eq!(taken.data.unwrap()["a"], "ours");
}

#[tokio::test]
async fn a_stranger_that_took_the_place_of_ours_unseen_is_left_alone() {
    let mut bench = Bench::new("replaced").await;
    bench.apply([bench.config_map("one", &json!({"a": "1"}))]).await;
    bench.look_away().await;
    let maps: Api<ConfigMap> = bench.api();
    maps.delete("one", &DeleteParams::default()).await.unwrap();
    let outcome = bench.apply([bench.config_map("one", &json!({"a": "2"}))]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Behind { .. }]), "gone: {outcome:?}");
    assert!(maps.get_opt("one").await.unwrap().is_none(), "nothing is made of an update");

    let theirs = bench.strangers_config_map("one").await;
    let outcome = bench.apply([bench.config_map("one", &json!({"a": "3"}))]).await;
    assert!(matches!(&outcome.failures[..], [ApplyError::Behind { .. }]), "another one: {outcome:?}");
    assert_eq!(bench.config_map_now("one").await, theirs);
}

#[tokio::test]
async fn of_many_who_make_an_object_at_once_one_makes_it_and_no_other_touches_it() {
    let bench = Bench::new("race").await;
    for round in 0..20 {
        let name = format!("one-{round}");
        let theirs = async {
            let body = json!({"metadata": {"name": name}, "data": {"a": "theirs"}});
            bench.api::<ConfigMap>().create(&PostParams::default(), &typed(body)).await.is_ok()
        };
        let ours = bench.apply([bench.config_map(&name, &json!({"a": "ours"}))]);
        let (is_theirs, outcome) = tokio::join!(theirs, ours);
        let now = bench.config_map_now(&name).await;
        let marked = now.metadata.labels.unwrap_or_default().contains_key(NAMES.owner_uid);
        let expected = if is_theirs { "theirs" } else { "ours" };
        assert_eq!((now.data.unwrap()["a"].as_str(), marked), (expected, !is_theirs), "{outcome:?}");
        assert_eq!(outcome.is_clean(), !is_theirs);
    }
}

#[tokio::test]
async fn an_object_of_ours_that_the_watch_does_not_show_is_found_when_it_is_made_again() {
    let bench = Bench::new("unseen").await;
    let wanted = || [bench.config_map("one", &json!({"a": "1"}))];
    bench.apply(wanted()).await;
    // Somebody took the label away by which we watch.
    let label = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
    bench.api::<ConfigMap>().patch("one", &PatchParams::default(), &Patch::Merge(&label)).await.unwrap();
    crate::bench::until("it is out of sight", async || bench.live.owned_by(&bench.owner.uid).is_empty())
        .await;
    let outcome = bench.apply(wanted()).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    assert_eq!(bench.live.owned_by(&bench.owner.uid).len(), 1);
}

#[tokio::test]
async fn nothing_is_written_into_a_strangers_namespace() {
    let bench = Bench::new("place").await;
    let place = typed::<Namespace>(json!({"metadata": {"name": "strangers-place"}}));
    Api::<Namespace>::all(bench.client.clone()).create(&PostParams::default(), &place).await.unwrap();
    let namespace = |name: &str| {
        Child::from_json(json!({"metadata": {"name": name}}), ApiResource::erase::<Namespace>(&()))
    };
    let inside = |namespace: &str| {
        let body = json!({"metadata": {"name": "one", "namespace": namespace}});
        Child::from_json(body, ApiResource::erase::<ConfigMap>(&()))
    };
    let wanted = [
        namespace("strangers-place"),
        inside("strangers-place"),
        namespace("our-place"),
        inside("our-place"),
    ];
    let mark = plane().await.audit_mark().await.unwrap();
    let outcome = bench.apply(wanted).await;
    assert_eq!(outcome.created, 2);
    assert!(
        matches!(&outcome.failures[..], [ApplyError::Stranger { .. }, ApplyError::Blocked { .. }]),
        "{outcome:?}"
    );
    let events = plane().await.audited_since(mark).await.unwrap();
    let written = events.iter().filter(|event| event.is_write() && event.code() < 300).any(|event| {
        event.username() == "kubernetes-admin"
            && event.object_ref.as_ref().is_some_and(|object| object.namespace == "strangers-place")
    });
    assert!(!written);
}

#[tokio::test]
async fn two_owners_do_not_take_each_others_objects() {
    let bench = Bench::new("two-owners").await;
    let other = new_owner(&bench.client, "two-owners-other").await;
    let wanted = |data| [bench.config_map("one", &json!({"a": data}))];
    assert_eq!(bench.apply(wanted("1")).await.created, 1);
    let theirs = Children::of(&other, &NAMES, wanted("2")).unwrap();
    let outcome = bench.applier.apply(&theirs, &Prune::default()).await;
    assert!(
        matches!(&outcome.failures[..], [ApplyError::Stranger { owner: Some(uid), .. }] if *uid == bench.owner.uid),
        "{outcome:?}"
    );
}
