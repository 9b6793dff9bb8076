//! Without a server; with one see `tests/real_api_server/rehearsing.rs`.

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Namespace},
};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, Patch, PatchParams},
    runtime::watcher::Event,
};
use serde_json::{Value, json};

use super::{Outcome, Rehearsal, Verb};
use crate::{Applier, Child, Children, Live, Prune, names::SAMPLE, owner::sample_owner};

fn ends(object: &mut Value) {
    if object["kind"] == "Job" {
        object["status"] = json!({"succeeded": 1});
    }
}

fn knows_all_kinds() -> Live {
    let live = Live::new(SAMPLE);
    for resource in [
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Job>(&()),
    ] {
        live.feed(&resource, Event::Init);
        live.feed(&resource, Event::InitDone);
    }
    live
}

fn wanted(value: &str) -> Children {
    let child = |body: Value, resource| Child::from_json(body, resource);
    let children = [
        child(json!({"metadata": {"name": "place"}}), ApiResource::erase::<Namespace>(&())),
        child(
            json!({"metadata": {"name": "one", "namespace": "place"}, "data": {"a": value}}),
            ApiResource::erase::<ConfigMap>(&()),
        ),
        child(json!({"metadata": {"name": "work", "namespace": "place"}}), ApiResource::erase::<Job>(&())),
    ];
    Children::of(&sample_owner(None), &SAMPLE, children).unwrap()
}

fn said(rehearsal: &Rehearsal) -> Vec<(Verb, String)> {
    rehearsal.steps().into_iter().map(|step| (step.verb, step.path)).collect()
}

#[tokio::test]
async fn what_is_asked_for_is_noted_once_and_known_afterwards() {
    let (client, rehearsal) = Rehearsal::without_cluster(ends);
    let live = knows_all_kinds();
    let applier = Applier::new(client.clone(), SAMPLE, live.clone());
    let outcome = applier.apply(&wanted("1"), &Prune::default()).await;
    assert_eq!((outcome.created, outcome.failures.len()), (3, 0));
    let made = [
        (Verb::Create, "/api/v1/namespaces/place".to_owned()),
        (Verb::Create, "/api/v1/namespaces/place/configmaps/one".to_owned()),
        (Verb::Create, "/apis/batch/v1/namespaces/place/jobs/work".to_owned()),
    ];
    assert_eq!(said(&rehearsal), made);

    let again = applier.apply(&wanted("1"), &Prune::default()).await;
    assert!(!again.wrote() && again.is_clean(), "{again:?}");
    let changed = applier.apply(&wanted("2"), &Prune::default()).await;
    assert_eq!(changed.updated, 1);
    assert_eq!(said(&rehearsal), made, "a new object that changes is new all the same");
    let last = rehearsal.steps().remove(1);
    assert!(matches!(last.outcome, Outcome::Done(Some(object)) if object["data"]["a"] == "2"));
    assert_eq!(last.manager.as_deref(), Some(SAMPLE.manager));
    let job: Job = live.typed(Some("place"), "work").unwrap();
    assert_eq!(job.status.unwrap().succeeded, Some(1), "foreseen");

    let read: Api<ConfigMap> = Api::namespaced(client, "place");
    assert_eq!(read.get("one").await.unwrap().data.unwrap()["a"], "2");
    assert!(read.get_opt("other").await.unwrap().is_none());
}

#[tokio::test]
async fn what_another_manager_adds_is_added() {
    let (client, rehearsal) = Rehearsal::without_cluster(ends);
    let api: Api<ConfigMap> = Api::namespaced(client, "place");
    let body = |rest: Value| {
        let mut body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Patch::Apply(body)
    };
    let (us, them) = (PatchParams::apply("us"), PatchParams::apply("them"));
    api.patch("one", &us, &body(json!({"data": {"a": "1", "b": "1"}}))).await.unwrap();
    let replaced = api.patch("one", &us, &body(json!({"data": {"a": "2"}}))).await.unwrap();
    assert_eq!(serde_json::to_value(replaced.data).unwrap(), json!({"a": "2"}));
    let added = api.patch("one", &them, &body(json!({"data": {"c": "3"}}))).await.unwrap();
    assert_eq!(serde_json::to_value(added.data).unwrap(), json!({"a": "2", "c": "3"}));
    assert_eq!(said(&rehearsal), [(Verb::Create, "/api/v1/namespaces/place/configmaps/one".to_owned())]);
}

#[tokio::test]
async fn statuses_and_events_are_no_steps() {
    let (client, rehearsal) = Rehearsal::without_cluster(ends);
    let api: Api<Namespace> = Api::all(client);
    let status = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "one"}, "status": {"phase": "Active"}});
    let answer = api.patch_status("one", &PatchParams::apply("us"), &Patch::Apply(status)).await.unwrap();
    assert_eq!(answer.name_any(), "one");
    assert!(said(&rehearsal).is_empty());
    assert_eq!(rehearsal.statuses()["/api/v1/namespaces/one"], json!({"phase": "Active"}));
}
