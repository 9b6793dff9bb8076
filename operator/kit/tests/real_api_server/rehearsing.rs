//! A rehearsal asks the server for everything and changes nothing.

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Config,
    api::ApiResource,
    config::{KubeConfigOptions, Kubeconfig},
};
use kyb_kit::{
    Applier, Child, Prune,
    rehearsal::{Outcome, Rehearsal, Step, Verb, changes},
};
use kyb_lab::AuditEvent;
use serde_json::{Value, json};

use crate::bench::{Bench, NAMES, plane};

fn wanted(bench: &Bench) -> Vec<Child> {
    let place = bench.namespace;
    let service = json!({"metadata": {"name": "web", "namespace": place}, "spec": {"ports": [{"port": 80}]}});
    let beyond = json!({"metadata": {"name": "in", "namespace": "rehearsed-only"}, "data": {"a": "1"}});
    let space = json!({"metadata": {"name": "rehearsed-only"}});
    vec![
        bench.config_map("kept", &json!({"a": "2"})),
        bench.config_map("Not_A_Name", &json!({"a": "1"})),
        Child::from_json(service, ApiResource::erase::<Service>(&())),
        Child::from_json(beyond, ApiResource::erase::<ConfigMap>(&())),
        Child::from_json(space, ApiResource::erase::<k8s_openapi::api::core::v1::Namespace>(&())),
    ]
}

fn find<'a>(steps: &'a [Step], name: &str) -> &'a Step {
    steps.iter().find(|step| step.path.ends_with(name)).unwrap()
}

fn after(step: &Step) -> &Value {
    match &step.outcome {
        Outcome::Done(Some(object)) => object,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rehearsal_knows_what_the_server_would_say_and_changes_nothing() {
    let bench = Bench::new("rehearsing").await;
    bench.apply([bench.config_map("kept", &json!({"a": "1"})), bench.config_map("goes", &json!({}))]).await;
    let mark = plane().await.audit_mark().await.unwrap();

    let kubeconfig = Kubeconfig::read_from(plane().await.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let (client, rehearsal) = Rehearsal::in_cluster(&config, |_| ()).unwrap();
    let seen = bench.restarted().await;
    let applier = Applier::new(client, NAMES, seen.live.clone());
    let outcome = applier.apply(&bench.children(wanted(&bench)), &Prune::default()).await;
    assert_eq!((outcome.created, outcome.updated, outcome.pruned), (3, 1, 1), "{outcome:?}");

    let steps = rehearsal.steps();
    let kept = find(&steps, "/kept");
    let differ = changes(kept.before.as_ref().unwrap(), after(kept));
    let data = differ.iter().find(|change| change.field == "data.a").unwrap();
    assert_eq!((&data.from, &data.to), (&Some("1".into()), &Some("2".into())));
    assert_eq!(data.owners.iter().collect::<Vec<_>>(), ["kit-test"]);
    let service = find(&steps, "/web");
    assert_eq!(
        (service.verb, &after(service)["spec"]["type"]),
        (Verb::Create, &json!("ClusterIP")),
        "the server's default"
    );
    let gone = find(&steps, "/goes");
    assert!(matches!((gone.verb, &gone.outcome), (Verb::Delete, Outcome::Done(None))));
    assert_eq!(after(find(&steps, "/in"))["data"]["a"], "1", "its namespace is not there yet");
    let refused = steps.iter().find(|step| matches!(step.outcome, Outcome::Refused(_))).unwrap();
    assert!(refused.path.ends_with("Not_A_Name"), "{refused:?}");

    assert_eq!(writes_since(&bench, mark).await, 0);
    assert_eq!(bench.config_map_now("kept").await.data.unwrap()["a"], "1");
    bench.config_map_now("goes").await;

    // The twin: the same set with a client that means it.
    let mark = plane().await.audit_mark().await.unwrap();
    bench.restarted().await.apply(wanted(&bench)).await;
    assert!(writes_since(&bench, mark).await > 0);
}

async fn writes_since(bench: &Bench, mark: kyb_lab::Mark) -> usize {
    bench.asked_since(mark).await.iter().filter(|event| AuditEvent::is_write(event)).count()
}
