//! Stories of cache policies, each in a region of its own.

use serde_json::{Value, json};

use super::{
    Act,
    Act::{Change, Create, Delete},
    REGION, Story, namespace, region, step,
};

const POLICIES: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/cachepolicies";
const POLICY: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/cachepolicies/standard";

pub(super) fn stories() -> Vec<Story> {
    vec![changes(), after_its_region()]
}

fn policy() -> Act {
    let classes = [json!({"name": "risk", "ttl": "1h"})];
    let object = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "standard"}, "spec": {"classes": classes},
    });
    Create(POLICIES, object)
}

#[expect(clippy::needless_pass_by_value, reason = "all of them are written in place")]
fn spec(change: Value) -> [Act; 1] {
    [Change(POLICY, json!({ "spec": change }))]
}

fn changes() -> Story {
    let steps = vec![
        step("created", [namespace(), policy()]),
        step("a region comes", [region(json!({"cachePolicy": {"name": "standard"}}))]),
        step(
            "classes",
            spec(json!({"classes": [{"name": "risk", "ttl": "2h"}, {"name": "website", "ttl": "1d"}]})),
        ),
        step("memory", spec(json!({"memory": {"maxEntries": 500}}))),
        step("refreshAhead", spec(json!({"refreshAhead": {"fromPercent": 70, "toPercent": 90}}))),
        step("hitRateTarget", spec(json!({"hitRateTargetPercent": 80}))),
        step("paused", spec(json!({"paused": true, "memory": {"maxEntries": 700}}))),
        step("resumed", spec(json!({"paused": null}))),
        step("made again", [Delete(POLICY), policy()]),
        step("no longer named", [Change(REGION, json!({"spec": {"cachePolicy": null}}))]),
        step("deleted", [Delete(POLICY)]),
    ];
    Story { name: "policy", steps, leaves: vec![REGION] }
}

fn after_its_region() -> Story {
    let acts = [namespace(), region(json!({"cachePolicy": {"name": "standard"}})), policy()];
    Story { name: "policy", steps: vec![step("after its region", acts)], leaves: vec![REGION, POLICY] }
}
