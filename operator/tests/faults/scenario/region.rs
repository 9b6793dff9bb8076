//! Stories of regions.

use serde_json::{Value, json};

use super::{
    Act,
    Act::{Change, Create, Delete, Gone},
    NAMESPACES, REGION, Step, Story, before, chapters, namespace, region, step,
};

const SECRETS: &str = "/api/v1/namespaces/kyb-SCOPE/secrets";
const GATEWAY: &str = "/apis/apps/v1/namespaces/kyb-SCOPE/deployments/kyb-gateway";
const DATABASE: &str = "/apis/apps/v1/namespaces/kyb-SCOPE/statefulsets/kyb-postgres";
const ACCOUNT: &str = "/api/v1/namespaces/kyb-SCOPE/serviceaccounts/kyb-gateway";
const SCALE: &str = "/apis/apps/v1/namespaces/kyb-SCOPE/deployments/kyb-gateway/scale";

pub(super) fn stories() -> Vec<Story> {
    [changes(), vec![comes_and_goes(), before_its_secrets(), before_its_label()]].concat()
}

#[expect(clippy::needless_pass_by_value, reason = "all of them are written in place")]
fn spec(change: Value) -> [Act; 1] {
    [Change(REGION, json!({ "spec": change }))]
}

fn comes_and_goes() -> Story {
    let steps = vec![
        step("created", [namespace(), region(json!({}))]),
        step("deleted", [Delete(REGION), Gone(GATEWAY), Gone(DATABASE), Gone(ACCOUNT)]),
        step("made again", [region(json!({}))]),
    ];
    Story { name: "region", steps, leaves: vec![REGION] }
}

fn changes() -> Vec<Story> {
    let first = [before("created", [namespace(), region(json!({}))])];
    chapters("region", &[REGION], &first, &[sections(), meddling()].concat())
}

/// Every section of the spec.
fn sections() -> Vec<Step> {
    let list = |name: &str, format: &str| json!({"name": name, "format": format, "url": "https://lists.example/", "refresh": "6h"});
    let gateway = |gateway: Value| json!({"services": {"gateway": gateway}});
    let scaling = json!({"minReplicas": 2, "maxReplicas": 5, "cpuPercent": 70});
    vec![
        step("replicas", spec(gateway(json!({"replicas": 2})))),
        step("autoscaling", spec(gateway(json!({"replicas": null, "autoscaling": scaling})))),
        step("autoscaler scales", [Change(SCALE, json!({"spec": {"replicas": 3}}))]),
        step("no autoscaling", spec(gateway(json!({"replicas": 1, "autoscaling": null})))),
        step("resources", spec(gateway(json!({"resources": {"requests": {"cpu": "50m"}}})))),
        step("scheduling", spec(gateway(json!({"scheduling": {"nodeSelector": {"disk": "fast"}}})))),
        step("expose", spec(json!({"expose": {"type": "NodePort", "port": 8080}}))),
        step(
            "watchlists",
            spec(json!({"watchlists": [list("ofac-sdn", "OfacCsv"), list("un-sc", "UnXml")]})),
        ),
        step("telemetry", spec(json!({"telemetry": {"logLevel": "debug"}}))),
        step("redis", spec(json!({"redis": {"development": {}}}))),
        step("redis taken", spec(json!({"redis": null}))),
        step("image", spec(json!({"image": {"registry": "registry.example"}}))),
        step("imagePullSecrets", spec(json!({"imagePullSecrets": [{"name": "pull"}]}))),
        step("storage", spec(json!({"database": {"development": {"storage": "2Gi"}}}))),
        step("version", spec(json!({"version": "0.2.0"}))),
        step("paused", spec(json!({"paused": true}))),
        step("resumed", spec(json!({"paused": null, "services": {"worker": {"replicas": 2}}}))),
    ]
}

/// Others who write.
fn meddling() -> Vec<Step> {
    const POLICY: &str = "/apis/networking.k8s.io/v1/namespaces/kyb-SCOPE/networkpolicies/kyb-deny-all";
    const SETTINGS: &str = "/api/v1/namespaces/kyb-SCOPE/configmaps/kyb-settings-platform";
    const SERVICE: &str = "/api/v1/namespaces/kyb-SCOPE/services/kyb-gateway";
    vec![
        step(
            "children edited",
            [
                Change(GATEWAY, json!({"spec": {"paused": true}})),
                Change(SETTINGS, json!({"data": {"platform.yaml": "theirs"}})),
            ],
        ),
        step("children deleted", [Delete(GATEWAY), Delete(SERVICE), Delete(POLICY), Delete(SETTINGS)]),
    ]
}

/// A database of one's own, whose credentials come after the region.
fn before_its_secrets() -> Story {
    let reference = |name: &str| json!({"name": name, "key": "url"});
    let external = json!({"migrator": reference("migrator"), "runtime": reference("runtime"), "reader": reference("reader")});
    let secret = |name: &str| {
        Create(
            SECRETS,
            json!({"metadata": {"name": name}, "stringData": {"url": "postgres://db.example/kyb"}}),
        )
    };
    let acts = [
        namespace(),
        region(json!({"database": {"external": external}})),
        secret("migrator"),
        secret("runtime"),
        secret("reader"),
    ];
    Story { name: "region", steps: vec![step("before its Secrets", acts)], leaves: vec![REGION] }
}

fn before_its_label() -> Story {
    let acts = [
        Create(NAMESPACES, json!({"metadata": {"name": "kyb-SCOPE"}})),
        region(json!({})),
        Change("/api/v1/namespaces/kyb-SCOPE", json!({"metadata": {"labels": {"kyb.dev/region": "SCOPE"}}})),
    ];
    Story { name: "region", steps: vec![step("before its label", acts)], leaves: vec![REGION] }
}
