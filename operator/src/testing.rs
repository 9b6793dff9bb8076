//! What unit tests of controllers look at: objects as a cluster has them.

use std::{collections::BTreeMap, convert::Infallible, fs, path::Path};

use http::{Request, Response};
use kube::{Client, client::Body};
use kyb_crds::names;
use kyb_kit::Child;
use serde_json::{Value, json};

use crate::{context::Context, derive::RootKey, plan::known, scope::Scope};

/// The context of an operator of this scope where these objects are all that there is. Its server finds nothing.
pub(crate) fn context(scope: Scope, objects: &[Value]) -> Context {
    let service = tower::service_fn(|_: Request<Body>| async {
        let missing = json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404});
        let answer = Response::builder().status(404).body(Body::from(serde_json::to_vec(&missing).unwrap()));
        Ok::<_, Infallible>(answer.unwrap())
    });
    let (live, stores) = known(objects, &scope);
    let account = json!({"kind": "ServiceAccount", "name": "kyb-operator", "namespace": "kyb-system"});
    let account = serde_json::from_value(account).unwrap();
    let root = RootKey::new(&[7; 32]).unwrap();
    let context = Context::new(Client::new(service, "default"), live, stores, root, account, "test");
    Context { scope, ..context }
}

/// A namespace that an administrator gave to a region.
pub(crate) fn namespace_of(region: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {names::REGION_LABEL: region}},
    })
}

/// A RegionDeployment in a namespace of its own name, which names the cache policy `default`.
pub(crate) fn region(name: &str, of: &str, created: &str) -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment",
        "metadata": {"name": name, "namespace": name, "uid": format!("uid-{name}"), "creationTimestamp": created},
        "spec": {
            "region": of, "residency": "US", "environment": "development", "version": "0.1.0",
            "database": {"development": {"storage": "1Gi"}}, "cachePolicy": {"name": "default"},
        },
    })
}

/// A tenant of `us-east-1`.
pub(crate) fn tenant(name: &str, id: &str, created: &str) -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "creationTimestamp": created},
        "spec": {
            "id": id, "displayName": "Acme", "plan": "starter",
            "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
            "contexts": [{"name": "lending"}],
        },
    })
}

/// What a region's worker reports, and the worker, of which so many pods are ready.
pub(crate) fn report(region: &str, ready: i32, status: &Value) -> [Value; 2] {
    let labels = json!({names::MANAGED_BY_LABEL: names::MANAGED_BY});
    let worker = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": names::WORKER, "namespace": region, "labels": labels},
        "spec": {"selector": {}, "template": {}}, "status": {"readyReplicas": ready},
    });
    let report = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionReport",
        "metadata": {"name": region, "namespace": region, "labels": labels}, "spec": {"region": "us-east-1"}, "status": status,
    });
    [worker, report]
}

/// A ConfigMap of ours.
pub(crate) fn config_map(namespace: &str, name: &str, version: &str, file: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name, "namespace": namespace, "resourceVersion": version,
            "labels": {names::MANAGED_BY_LABEL: names::MANAGED_BY},
        },
        "data": {file: text},
    })
}

pub(crate) const LONG_AGO: &str = "2026-01-01T00:00:00Z";
pub(crate) const LATELY: &str = "2026-02-01T00:00:00Z";

/// Set to anything, it has what is rendered written over what was kept.
const WRITE: &str = "KYB_SNAPSHOTS_WRITE";

/// Children are rendered as they are kept in a file, by the name of what they were rendered from: whoever changes one sees in the change
/// what becomes of it. Pod templates and the values of Secrets are left out.
pub(crate) fn are_as_kept(rendered: BTreeMap<String, Vec<Child>>, file: &Path) {
    let readable = |children: Vec<Child>| {
        let by_key = children.into_iter().map(|child| (child.key().to_string(), shown(child.body().clone())));
        by_key.collect::<BTreeMap<_, _>>()
    };
    let rendered: BTreeMap<_, _> =
        rendered.into_iter().map(|(name, children)| (name, readable(children))).collect();
    if std::env::var_os(WRITE).is_some() {
        fs::write(file, serde_yaml::to_string(&rendered).unwrap()).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap();
    let kept: BTreeMap<String, BTreeMap<String, Value>> = serde_yaml::from_str(&kept).unwrap();
    for (name, children) in &rendered {
        let known = &kept[name];
        for (key, child) in children {
            assert_eq!(Some(child), known.get(key), "{name}: {key}; where that is meant, set {WRITE}");
        }
        assert_eq!(children.len(), known.len(), "{name}; where that is meant, set {WRITE}");
    }
    assert_eq!(rendered.len(), kept.len());
}

fn shown(mut child: Value) -> Value {
    if let Some(template) = child.pointer_mut("/spec/template") {
        *template = "see the revisions".into();
    }
    for map in ["data", "stringData"] {
        if child["kind"] == "Secret" && child.get(map).is_some() {
            child[map].as_object_mut().unwrap().values_mut().for_each(|value| *value = "(secret)".into());
        }
    }
    child
}
