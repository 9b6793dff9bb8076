//! No request where nothing would change; one where something would.

use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, ResourceQuota, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::{Role, RoleBinding},
};
use kube::{
    Api, Resource,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use kyb_kit::{ApplyError, Child, Class, Refusal};
use serde_json::{Value, json};

use crate::bench::{Bench, NAMES, plane};

fn child<K: Resource<DynamicType = ()>>(namespace: &str, name: &str, rest: &Value) -> Child {
    let mut body = rest.clone();
    body["metadata"] = json!({"name": name, "namespace": namespace});
    Child::from_json(body, ApiResource::erase::<K>(&()))
}

/// One of each kind, written so that the server has something to rewrite, add or drop.
fn one_of_each(namespace: &str) -> Vec<Child> {
    let labels = json!({"app": "web"});
    let container = json!({
        "name": "web",
        "image": "example.org/web:1",
        "ports": [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": ""}],
        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 1, "memory": "2Gi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
    });
    let pod = json!({
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1024Ki"}}],
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }],
        "automountServiceAccountToken": false,
    });
    let mut job_pod = pod.clone();
    job_pod["restartPolicy"] = "Never".into();
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}});
    let policy = json!({
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": labels}}], "ports": [{"port": 8080}]}],
        "egress": [],
    });
    let of =
        |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    vec![
        child::<Deployment>(
            namespace,
            "web",
            &json!({"spec": {"selector": {"matchLabels": labels}, "template": template}}),
        )
        .leaving_replicas(),
        child::<Service>(
            namespace,
            "web",
            &json!({"spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}}),
        ),
        child::<HorizontalPodAutoscaler>(
            namespace,
            "web",
            &json!({"spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [cpu]}}),
        ),
        child::<PodDisruptionBudget>(
            namespace,
            "web",
            &json!({"spec": {"maxUnavailable": "25%", "selector": {"matchLabels": labels}}}),
        ),
        child::<NetworkPolicy>(namespace, "web", &json!({ "spec": policy })),
        child::<ResourceQuota>(
            namespace,
            "all",
            &json!({"spec": {"hard": {"requests.cpu": "4000m", "services": "8"}}}),
        ),
        child::<LimitRange>(
            namespace,
            "all",
            &json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "0.2"}, "defaultRequest": {"memory": "65536Ki"}}]}}),
        ),
        child::<ServiceAccount>(namespace, "web", &json!({"automountServiceAccountToken": false})),
        child::<Role>(
            namespace,
            "web",
            &json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        ),
        child::<RoleBinding>(
            namespace,
            "web",
            &json!({"roleRef": of("Role", "web"), "subjects": [of("Group", "readers")]}),
        ),
        child::<ConfigMap>(namespace, "web", &json!({"data": {"empty": "", "size": "1024Mi"}})),
        child::<Secret>(namespace, "web", &json!({"data": {"key": "c2VjcmV0"}, "type": "Opaque"})),
        child::<Job>(namespace, "web", &json!({"spec": {"backoffLimit": 3, "template": {"spec": job_pod}}})),
    ]
}

#[tokio::test]
async fn an_unchanged_set_causes_no_request_at_all() {
    let bench = Bench::new("unchanged").await;
    let wanted = || one_of_each(bench.namespace);
    let first = bench.apply(wanted()).await;
    assert!(first.is_clean(), "{:?}", first.failures);
    assert_eq!((first.created, first.unchanged), (wanted().len(), 0));

    let mark = plane().await.audit_mark().await.unwrap();
    for _ in 0..3 {
        let again = bench.apply(wanted()).await;
        assert_eq!((again.unchanged, again.wrote(), again.is_clean()), (wanted().len(), false, true));
    }
    let asked: Vec<_> = bench.asked_since(mark).await.into_iter().map(|event| event.request_uri).collect();
    assert_eq!(asked, [""; 0]);
}

#[tokio::test]
async fn a_restart_reads_what_is_not_watched_and_writes_nothing() {
    let bench = Bench::new("restart").await;
    let wanted = || one_of_each(bench.namespace);
    assert!(bench.apply(wanted()).await.is_clean());
    let restarted = bench.restarted().await;
    let mark = plane().await.audit_mark().await.unwrap();
    let again = restarted.apply(wanted()).await;
    assert_eq!(
        (again.unchanged, again.wrote(), again.is_clean()),
        (wanted().len(), false, true),
        "{again:?}"
    );
    let asked = bench.asked_since(mark).await;
    let asked: Vec<_> = asked.iter().map(|event| (event.verb.as_str(), event.resource())).collect();
    assert_eq!(asked, [("get", "secrets")]);
}

/// The twin of the two tests above: without suppression the same set writes each time, though nothing changes.
#[tokio::test]
async fn without_suppression_every_object_is_written_again() {
    let bench = Bench::new("unsuppressed").await;
    let children = bench.children(one_of_each(bench.namespace));
    let mark = plane().await.audit_mark().await.unwrap();
    for wanted in children.iter().chain(children.iter()) {
        let api: Api<DynamicObject> =
            Api::namespaced_with(bench.client.clone(), bench.namespace, &wanted.resource);
        let params = PatchParams::apply(NAMES.manager).force();
        api.patch(&wanted.key.name, &params, &Patch::Apply(&wanted.body)).await.unwrap();
    }
    let writes = bench.asked_since(mark).await.iter().filter(|event| event.is_write()).count();
    assert_eq!(writes, 2 * children.len());
}

#[tokio::test]
async fn a_field_that_somebody_changed_is_restored_and_what_they_added_stays() {
    let bench = Bench::new("restored").await;
    let wanted = || [bench.config_map("one", &json!({"a": "1", "b": "2"}))];
    bench.apply(wanted()).await;
    let edit = json!({"data": {"a": "edited", "b": null, "c": "added"}});
    let edited =
        bench.api::<ConfigMap>().patch("one", &PatchParams::default(), &Patch::Merge(&edit)).await.unwrap();
    crate::bench::until("the watch brings the edit", async || {
        let seen: Option<ConfigMap> = bench.live.typed(Some(bench.namespace), "one");
        seen.is_some_and(|seen| seen.metadata.resource_version == edited.metadata.resource_version)
    })
    .await;
    let outcome = bench.apply(wanted()).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    let data = bench.config_map_now("one").await.data.unwrap();
    let data: Vec<_> = data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(data, [("a", "1"), ("b", "2"), ("c", "added")]);
}

#[tokio::test]
async fn a_field_that_is_no_longer_wanted_is_removed() {
    let bench = Bench::new("dropped").await;
    bench.apply([bench.config_map("one", &json!({"a": "1", "b": "2"}))]).await;
    let outcome = bench.apply([bench.config_map("one", &json!({"a": "1"}))]).await;
    assert_eq!((outcome.updated, outcome.is_clean()), (1, true), "{outcome:?}");
    assert_eq!(bench.config_map_now("one").await.data.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_server_keeps_otherwise_is_written_once_and_then_left() {
    let bench = Bench::new("kept-otherwise").await;
    // The server drops a false `paused`, of which the comparison knows nothing.
    let labels = json!({"app": "web"});
    let pod = json!({"containers": [{"name": "web", "image": "example.org/web:1"}]});
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let spec = json!({"paused": false, "selector": {"matchLabels": labels}, "template": template});
    let wanted = || [child::<Deployment>(bench.namespace, "web", &json!({ "spec": spec }))];
    assert_eq!(bench.apply(wanted()).await.created, 1);
    assert_eq!(bench.apply(wanted()).await.unchanged, 1);
    let restarted = bench.restarted().await;
    assert_eq!(restarted.apply(wanted()).await.updated, 1, "forgotten");
    assert_eq!(restarted.apply(wanted()).await.unchanged, 1);
}

#[tokio::test]
async fn each_refusal_is_told_and_stops_no_other_object() {
    let bench = Bench::new("refusals").await;
    let quota =
        child::<ResourceQuota>(bench.namespace, "small", &json!({"spec": {"hard": {"services": "0"}}}));
    assert!(bench.apply([quota.clone()]).await.is_clean());
    crate::bench::until("the quota is in force", async || {
        let quota: ResourceQuota = bench.api().get("small").await.unwrap();
        quota.status.and_then(|status| status.hard).is_some()
    })
    .await;
    let service = child::<Service>(bench.namespace, "over", &json!({"spec": {"ports": [{"port": 80}]}}));
    let invalid = child::<ConfigMap>(bench.namespace, "Not_A_Name", &json!({}));
    let misspelt = child::<ConfigMap>(bench.namespace, "misspelt", &json!({"dota": {}}));
    let elsewhere = child::<ConfigMap>("no-such-namespace", "one", &json!({}));
    let unknown = kube::core::GroupVersionKind::gvk("not.installed", "v1", "Thing");
    let metadata = json!({"metadata": {"name": "one", "namespace": bench.namespace}});
    let uninstalled = Child::from_json(metadata, ApiResource::from_gvk(&unknown));
    let fine = bench.config_map("fine", &json!({}));
    let outcome = bench.apply([quota, service, invalid, misspelt, elsewhere, uninstalled, fine]).await;
    assert_eq!((outcome.created, outcome.unchanged), (1, 1));
    let mut told: Vec<_> = outcome
        .failures
        .iter()
        .map(|failure| {
            let why = match failure {
                ApplyError::Refused { why, .. } => Some(*why),
                _ => None,
            };
            (failure.child().name.as_str(), failure.class(), why)
        })
        .collect();
    told.sort_unstable_by_key(|(name, ..)| *name);
    let expected = [
        ("Not_A_Name", Class::Person, Some(Refusal::Invalid)),
        ("misspelt", Class::Person, Some(Refusal::Invalid)),
        ("one", Class::Wait, None),
        ("one", Class::Wait, None),
        ("over", Class::Person, Some(Refusal::Quota)),
    ];
    assert_eq!(told, expected, "{:#?}", outcome.failures);
}
