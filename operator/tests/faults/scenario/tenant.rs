//! Stories of tenants.

use serde_json::{Value, json};

use super::{
    Act,
    Act::{Change, Create, Delete, Gone, Until, Wait},
    HOME, REGION, Step, Story, before, chapters, namespace, region, step,
};

const TENANTS: &str = "/apis/kyb.dev/v1alpha1/kybtenants";
const TENANT: &str = "/apis/kyb.dev/v1alpha1/kybtenants/SCOPE";
const PLACE: &str = "/api/v1/namespaces/kyb-t-SCOPE";
const CONTEXT: &str = "/api/v1/namespaces/kyb-t-SCOPE--lending";
const SETTINGS: &str = "/api/v1/namespaces/kyb-home/configmaps/kyb-settings-tenant-SCOPE";
const OWN_SETTINGS: &str = "/api/v1/namespaces/kyb-SCOPE/configmaps/kyb-settings-tenant-SCOPE";
const REPORT_STATUS: &str = "/apis/kyb.dev/v1alpha1/namespaces/kyb-SCOPE/regionreports/SCOPE/status";

pub(super) fn stories() -> Vec<Story> {
    [changes(), vec![comes_and_goes(), brings_a_key(), with_its_own_region()]].concat()
}

fn tenant(change: Value) -> Act {
    let mut spec = json!({
        "id": "SCOPE", "displayName": "A tenant", "plan": "enterprise",
        "placement": {"home": HOME, "regions": [HOME], "residency": "US"},
        "contexts": [{"name": "lending"}],
        "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
    });
    if let (Some(spec), Value::Object(change)) = (spec.as_object_mut(), change) {
        spec.extend(change);
    }
    let object = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "SCOPE"}, "spec": spec});
    Create(TENANTS, object)
}

#[expect(clippy::needless_pass_by_value, reason = "all of them are written in place")]
fn spec(change: Value) -> [Act; 1] {
    [Change(TENANT, json!({ "spec": change }))]
}

pub(super) fn comes_and_goes() -> Story {
    let steps = vec![
        step("created", [tenant(json!({}))]),
        step("deleted", [Delete(TENANT), Gone(SETTINGS), Gone(CONTEXT), Gone(PLACE)]),
        step("made again", [tenant(json!({})), Wait(PLACE), Wait(CONTEXT)]),
    ];
    Story { name: "tenant", steps, leaves: vec![TENANT] }
}

fn changes() -> Vec<Story> {
    let first = [before("created", [tenant(json!({}))])];
    chapters("tenant", &[TENANT], &first, &[sections(), meddling()].concat())
}

/// Every section of the spec.
fn sections() -> Vec<Step> {
    let key = |name: &str, generation: i32| json!({"name": name, "role": "ServiceAccount", "generation": generation});
    let rule =
        json!({"name": "no-hits", "when": "risk.score >= 70", "then": "review", "reason": "HIGH_RISK"});
    let audit = json!({"name": "audit", "role": "Auditor", "subjects": [{"kind": "User", "name": "eve"}]});
    let egress = json!({"name": "partner", "cidr": "203.0.113.0/24", "ports": [443]});
    vec![
        step("displayName", spec(json!({"displayName": "Another name"}))),
        step("plan", spec(json!({"plan": "starter"}))),
        step("quota", spec(json!({"quota": {"pods": "7"}}))),
        step("containerDefaults", spec(json!({"containerDefaults": {"limits": {"memory": "256Mi"}}}))),
        step("access", spec(json!({"access": [audit]}))),
        step("access taken", spec(json!({"access": null}))),
        step("rateLimit", spec(json!({"rateLimit": {"requestsPerMinute": 500, "burst": 50}}))),
        step("egress", spec(json!({"egress": [egress]}))),
        step("egress taken", spec(json!({"egress": null}))),
        step("key added", spec(json!({"apiKeys": [key("default", 1), key("batch", 1)]}))),
        step("key rotated", spec(json!({"apiKeys": [key("default", 2), key("batch", 1)]}))),
        step("key revoked", spec(json!({"apiKeys": [key("default", 2)]}))),
        step("verification", spec(json!({"verification": {"policy": [rule], "requiredChecks": ["name"]}}))),
        step("lists", spec(json!({"lists": ["ofac-sdn"], "threshold": 0.9}))),
        step("compliance", spec(json!({"compliance": "soc2"}))),
        step("context added", spec(json!({"contexts": [{"name": "lending"}, {"name": "cards"}]}))),
        step(
            "context taken",
            [
                Change(TENANT, json!({"spec": {"contexts": [{"name": "lending"}]}})),
                Gone("/api/v1/namespaces/kyb-t-SCOPE--cards"),
            ],
        ),
        step("region taken", spec(json!({"placement": {"home": "away", "regions": ["away"]}}))),
        step("region given", spec(json!({"placement": {"home": HOME, "regions": [HOME]}}))),
        step("erase", spec(json!({"deletion": {"data": "Erase"}}))),
        step("retain", spec(json!({"deletion": null}))),
        step("paused", spec(json!({"paused": true}))),
        step("resumed", [Change(TENANT, json!({"spec": {"paused": null, "plan": "professional"}}))]),
    ]
}

/// Others who write.
fn meddling() -> Vec<Step> {
    const QUOTA: &str = "/api/v1/namespaces/kyb-t-SCOPE/resourcequotas/kyb-tenant";
    const POLICY: &str =
        "/apis/networking.k8s.io/v1/namespaces/kyb-t-SCOPE--lending/networkpolicies/kyb-deny-all";
    vec![
        step(
            "children edited",
            [
                Change(QUOTA, json!({"spec": {"hard": {"pods": "1"}}})),
                Change(POLICY, json!({"spec": {"policyTypes": ["Ingress"]}})),
                Change(SETTINGS, json!({"data": {"tenant-SCOPE.yaml": "theirs"}})),
            ],
        ),
        step("children deleted", [Delete(QUOTA), Delete(POLICY), Delete(SETTINGS)]),
        step(
            "deleted while changed",
            [Change(TENANT, json!({"spec": {"quota": {"pods": "9"}}})), Delete(POLICY), Delete(QUOTA)],
        ),
        step(
            "deleted once changed",
            [
                Change(TENANT, json!({"spec": {"quota": {"pods": "8"}}})),
                Until(QUOTA, "/spec/hard/pods", "8"),
                Delete(QUOTA),
            ],
        ),
    ]
}

/// A key of one's own, whose Secret comes after the tenant.
fn brings_a_key() -> Story {
    let key = json!({"name": "own", "role": "ServiceAccount", "secretRef": {"name": "mine", "key": "key"}});
    let text = format!("kyb_live_{}_{}", "a".repeat(16), "b".repeat(43));
    let secret = json!({"metadata": {"name": "mine"}, "stringData": {"key": text}});
    let acts = [
        tenant(json!({"apiKeys": [key]})),
        Wait(PLACE),
        Create("/api/v1/namespaces/kyb-t-SCOPE/secrets", secret),
    ];
    let steps = vec![step("before its Secret", acts)];
    Story { name: "tenant", steps, leaves: vec![TENANT] }
}

/// A tenant that is there before its region, and whose data its region has to erase.
fn with_its_own_region() -> Story {
    let placement = json!({"home": "SCOPE", "regions": ["SCOPE"], "residency": "US"});
    let erased = json!({"status": {"erasures": [{"tenant": "SCOPE", "state": "Done"}]}});
    let steps = vec![
        step("before its region", [tenant(json!({"placement": placement, "deletion": {"data": "Erase"}}))]),
        step("its region comes", [namespace(), region(json!({}))]),
        step("deleted, to erase", [Delete(TENANT)]),
        step("erased", [Change(REPORT_STATUS, erased), Gone(OWN_SETTINGS), Gone(CONTEXT), Gone(PLACE)]),
    ];
    Story { name: "tenant", steps, leaves: vec![REGION, TENANT] }
}
