//! `spec.replicas` passes to an autoscaler without a moment at 1.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{ApiResource, Patch, PatchParams};
use kyb_kit::Child;
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
