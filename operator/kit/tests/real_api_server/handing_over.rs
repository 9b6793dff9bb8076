//! `spec.replicas` passes to an autoscaler without a moment at 1.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{ApiResource, Patch, PatchParams};
use kyb_faults::{Fault, Faults, Plan, Point, Target, Verb};
use kyb_kit::{ApplyError, Child, Outcome};
use serde_json::{Value, json};

use crate::bench::{Bench, NAMES, plane};

fn deployment(namespace: &str, image: &str, replicas: Option<i32>) -> Child {
    let labels = json!({"app": "web"});
    let pod =
        json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}});
    let mut spec = json!({"selector": {"matchLabels": labels}, "template": pod});
    spec["replicas"] = replicas.map_or(Value::Null, Value::from);
    let body = json!({"metadata": {"name": "web", "namespace": namespace}, "spec": spec});
    Child::from_json(body, ApiResource::erase::<Deployment>(&()))
}

async fn replicas(bench: &Bench) -> Option<i32> {
    bench.api::<Deployment>().get("web").await.unwrap().spec.unwrap().replicas
}

#[tokio::test]
async fn replicas_stay_when_they_are_handed_to_an_autoscaler_and_back() {
    let bench = Bench::new("handover").await;
    let ours = |count| [deployment(bench.namespace, "web:1", Some(count))];
    let theirs = |image| [deployment(bench.namespace, image, None).leaving_replicas()];
    assert!(bench.apply(ours(5)).await.is_clean());
    let mark = plane().await.audit_mark().await.unwrap();
    let outcome = bench.apply(theirs("web:1")).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    assert_eq!(replicas(&bench).await, Some(5));
    let events = bench.asked_since(mark).await;
    let answers = events.iter().filter_map(|event| event.response_object.as_ref()?.pointer("/spec/replicas"));
    assert_eq!(answers.collect::<Vec<_>>(), [5, 5], "never another number in between");

    let scale = json!({"spec": {"replicas": 7}});
    let as_autoscaler = PatchParams { field_manager: Some("autoscaler".into()), ..PatchParams::default() };
    bench.api::<Deployment>().patch_scale("web", &as_autoscaler, &Patch::Merge(&scale)).await.unwrap();
    assert!(bench.apply(theirs("web:2")).await.is_clean());
    assert_eq!(replicas(&bench).await, Some(7));

    assert!(bench.apply(ours(3)).await.is_clean());
    assert_eq!(replicas(&bench).await, Some(3), "taken back");
    assert!(bench.apply(theirs("web:1")).await.is_clean());
    assert_eq!(replicas(&bench).await, Some(3), "and handed over again");
}

/// What keeps us from handing over at all keeps us from giving up, too.
fn is_looked_at_again(outcome: &Outcome) -> bool {
    outcome.updated == 0 && matches!(outcome.failures.as_slice(), [ApplyError::Behind { .. }])
}

#[tokio::test]
async fn a_write_that_came_between_is_no_other_owner() {
    const PLACE: &str = "handover-between";
    let faults = Faults::new(|target| Some((target.namespace.clone()?, target.clone())));
    let bench = Bench::through(PLACE, |client| faults.life().around(client)).await;
    assert!(bench.apply([deployment(PLACE, "web:1", Some(5))]).await.is_clean());
    let step = Target {
        verb: Verb::Patch,
        group: "apps".into(),
        resource: "deployments".into(),
        subresource: None,
        namespace: Some(PLACE.into()),
        name: Some("web".into()),
    };
    faults.begin(PLACE, Some(Plan::once(Fault::Conflict, Point::About(step, 1))));
    let outcome = bench.apply([deployment(PLACE, "web:1", None).leaving_replicas()]).await;
    assert_eq!(faults.struck(PLACE), 1);
    assert!(is_looked_at_again(&outcome), "{outcome:?}");
    assert_eq!(replicas(&bench).await, Some(5), "not 1, the default of what nobody owns");

    let outcome = bench.apply([deployment(PLACE, "web:1", None).leaving_replicas()]).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    assert_eq!(replicas(&bench).await, Some(5));
}

#[tokio::test]
async fn what_we_applied_ourselves_and_have_not_seen_is_no_other_owner() {
    let mut bench = Bench::new("handover-unseen").await;
    let ours = |count| [deployment("handover-unseen", "web:1", Some(count))];
    assert!(bench.apply(ours(5)).await.is_clean());
    let before = bench.restarted().await;
    bench.look_away().await;
    assert!(before.apply(ours(7)).await.is_clean());

    let outcome = bench.apply([deployment(bench.namespace, "web:1", None).leaving_replicas()]).await;
    assert!(is_looked_at_again(&outcome), "{outcome:?}");
    assert_eq!(replicas(&bench).await, Some(7));
}

#[tokio::test]
async fn what_an_autoscaler_changed_unseen_is_its_own() {
    let mut bench = Bench::new("handover-scaled").await;
    assert!(bench.apply([deployment(bench.namespace, "web:1", Some(5))]).await.is_clean());
    bench.look_away().await;
    let scale = json!({"spec": {"replicas": 7}});
    let as_autoscaler = PatchParams { field_manager: Some("autoscaler".into()), ..PatchParams::default() };
    bench.api::<Deployment>().patch_scale("web", &as_autoscaler, &Patch::Merge(&scale)).await.unwrap();

    let outcome = bench.apply([deployment(bench.namespace, "web:1", None).leaving_replicas()]).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    assert_eq!(replicas(&bench).await, Some(7));
}

/// The twin: without the step in between the server sets the default.
#[tokio::test]
async fn without_the_step_in_between_replicas_fall_to_one() {
    let bench = Bench::new("dropped-replicas").await;
    assert!(bench.apply([deployment(bench.namespace, "web:1", Some(5))]).await.is_clean());
    let children = bench.children([deployment(bench.namespace, "web:1", None)]);
    let body = &children.iter().next().unwrap().body;
    let params = PatchParams::apply(NAMES.manager).force();
    bench.api::<Deployment>().patch("web", &params, &Patch::Apply(body)).await.unwrap();
    assert_eq!(replicas(&bench).await, Some(1));
}
