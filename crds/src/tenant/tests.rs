use serde_json::{Value, json};

use super::*;
use crate::rule_cases::{Case, accepts, accepts_change, refuses, refuses_change, run};

fn good() -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "acme"},
        "spec": {
            "id": "acme", "displayName": "Acme Payments", "plan": "enterprise",
            "placement": {"home": "us-east-1", "regions": ["us-east-1", "us-west-2"], "residency": "US"},
            "contexts": [{"name": "lending"}, {"name": "trade"}],
        },
    })
}

fn spec(patch: &Value) -> Value {
    json!({"spec": patch})
}

const ID_CHANGED: &str =
    "id can not be changed: it owns the tenant's namespaces and data; make a new KybTenant instead";
const ID_DASHES: &str = "id must not contain `--`, which separates tenant and context in namespace names";
const ID_RESERVED: &str =
    "id is reserved: default, system, platform, public, admin, kyb, kube-* and kyb-* can not be used";

#[test]
fn an_id_is_kept_apart_from_other_names_and_never_changes() {
    let id = |id: &str| spec(&json!({"id": id}));
    let mut cases = vec![
        accepts(id("acme-payments")),
        accepts(id("kubernetes")),
        accepts_change(id("acme"), id("acme")),
        refuses_change(id("acme"), id("acme2"), ID_CHANGED),
        refuses(id("acme--lending"), ID_DASHES),
    ];
    for reserved in ["default", "system", "platform", "public", "admin", "kyb", "kube-acme", "kyb-acme"] {
        cases.push(refuses(id(reserved), ID_RESERVED));
    }
    cases.extend(rest());
    run::<KybTenant>(&good(), &cases);
}

/// The cases of the other rules; all run together, so that a rule without a case is noticed.
fn rest() -> Vec<Case> {
    [placement(), contexts(), access(), keys(), network_and_quota()].into_iter().flatten().collect()
}

fn placement() -> Vec<Case> {
    let residency = |residency: &str| spec(&json!({"placement": {"residency": residency}}));
    vec![
        accepts(spec(&json!({"displayName": " Acme "}))),
        refuses(spec(&json!({"displayName": ""})), "displayName must not be empty or blank"),
        refuses(spec(&json!({"displayName": " \t "})), "displayName must not be empty or blank"),
        accepts_change(good(), spec(&json!({"placement": {"home": "us-west-2"}}))),
        refuses(
            spec(&json!({"placement": {"home": "eu-west-1"}})),
            "placement.home must be one of placement.regions; add it there or choose another home",
        ),
        accepts_change(residency("US"), residency("US")),
        refuses_change(
            residency("US"),
            residency("EU"),
            "placement.residency can not be changed: the tenant's data lies in a database of that residency",
        ),
    ]
}

fn contexts() -> Vec<Case> {
    const REMOVED: &str = "a context may not be removed while deletion.protected is true; set it to false first, then remove the context";
    const DASHES: &str =
        "a context's name must not contain `--`, which separates tenant and context in namespace names";
    const RESERVED: &str = "a context's name is reserved: default, system and kube-* can not be used";
    let named = |name: &str| spec(&json!({"contexts": [{"name": name}]}));
    let protected =
        |is: bool, contexts: &Value| spec(&json!({"deletion": {"protected": is}, "contexts": contexts}));
    let (both, one) = (json!([{"name": "lending"}, {"name": "trade"}]), json!([{"name": "trade"}]));
    vec![
        accepts(named("a-b")),
        refuses(named("a--b"), DASHES),
        refuses(named("default"), RESERVED),
        refuses(named("system"), RESERVED),
        refuses(named("kube-x"), RESERVED),
        accepts_change(protected(true, &one), protected(true, &both)),
        accepts_change(protected(true, &both), protected(false, &both)),
        accepts_change(protected(false, &both), protected(false, &one)),
        accepts_change(protected(false, &both), protected(true, &one)),
        accepts_change(spec(&json!({"contexts": both})), spec(&json!({"contexts": one}))),
        refuses_change(protected(true, &both), protected(true, &one), REMOVED),
        refuses_change(protected(true, &both), protected(true, &Value::Null), REMOVED),
        // Both in one change would make the protection worth nothing: a Git revert does exactly that.
        refuses_change(protected(true, &both), protected(false, &one), REMOVED),
        refuses_change(protected(true, &both), spec(&json!({"contexts": one})), REMOVED),
    ]
}

fn access() -> Vec<Case> {
    const UNKNOWN: &str =
        "access names a context that is not in spec.contexts; add the context or correct its name";
    const NO_CONTEXT: &str = "a ContextManager manages named contexts; say which in contexts";
    const OWN: &str =
        "a grant must not be named operator; the RoleBinding kyb-operator is the operator's own";
    const NAMESPACE: &str =
        "a subject needs a namespace if it is a ServiceAccount, and must not have one otherwise";
    const SYSTEM: &str =
        "a subject must not begin with `system:`; those are Kubernetes' own users and groups";
    let grant = |grant: Value| {
        let mut whole =
            json!({"name": "team", "role": "Guest", "subjects": [{"kind": "User", "name": "eve"}]});
        whole
            .as_object_mut()
            .into_iter()
            .for_each(|w| w.extend(grant.as_object().cloned().unwrap_or_default()));
        spec(&json!({"access": [whole]}))
    };
    vec![
        accepts(grant(json!({}))),
        accepts(grant(json!({"contexts": ["lending"]}))),
        refuses(grant(json!({"contexts": ["payments"]})), UNKNOWN),
        accepts(grant(json!({"role": "ContextManager", "contexts": ["lending"]}))),
        refuses(grant(json!({"role": "ContextManager"})), NO_CONTEXT),
        refuses(grant(json!({"name": "operator"})), OWN),
        accepts(grant(json!({"subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "build"}]}))),
        refuses(grant(json!({"subjects": [{"kind": "ServiceAccount", "name": "ci"}]})), NAMESPACE),
        refuses(
            grant(json!({"subjects": [{"kind": "User", "name": "eve", "namespace": "build"}]})),
            NAMESPACE,
        ),
        refuses(grant(json!({"subjects": [{"kind": "Group", "name": "system:authenticated"}]})), SYSTEM),
    ]
}

fn keys() -> Vec<Case> {
    const UNKNOWN: &str =
        "apiKeys names a context that is not in spec.contexts; add the context or correct its name";
    const BOTH: &str =
        "generation and overlap are for derived keys; with secretRef change the Secret instead";
    const BACK: &str = "generation may only grow: an earlier one would bring a key back that was replaced";
    let key = |key: Value| {
        let mut whole = json!({"name": "main", "role": "ServiceAccount"});
        whole
            .as_object_mut()
            .into_iter()
            .for_each(|w| w.extend(key.as_object().cloned().unwrap_or_default()));
        spec(&json!({"apiKeys": [whole]}))
    };
    let secret = json!({"name": "own", "key": "api-key"});
    vec![
        accepts(key(json!({"contexts": ["trade"], "generation": 2, "overlap": "24h"}))),
        refuses(key(json!({"contexts": ["payments"]})), UNKNOWN),
        accepts(key(json!({"secretRef": secret}))),
        refuses(key(json!({"secretRef": secret, "generation": 2})), BOTH),
        refuses(key(json!({"secretRef": secret, "overlap": "1h"})), BOTH),
        accepts_change(key(json!({"generation": 2})), key(json!({"generation": 3}))),
        refuses_change(key(json!({"generation": 2})), key(json!({"generation": 1})), BACK),
        // Absent is 1.
        refuses_change(key(json!({"generation": 2})), key(json!({})), BACK),
        accepts_change(key(json!({"generation": 1})), key(json!({}))),
        accepts_change(key(json!({"generation": 2})), key(json!({"secretRef": secret}))),
    ]
}

fn network_and_quota() -> Vec<Case> {
    const CIDR: &str = "cidr must be a network such as 203.0.113.0/24 or 2001:db8::/32";
    const EVERYTHING: &str =
        "cidr must not be the whole internet; name the networks that the tenant's pods need";
    const QUOTA: &str = "quota has a name that a ResourceQuota does not know; use requests.*, limits.*, count/*, pods, \
                         services, secrets, configmaps or persistentvolumeclaims";
    let egress = |cidr: &str| spec(&json!({"egress": [{"name": "partner", "cidr": cidr, "ports": [443]}]}));
    vec![
        accepts(egress("203.0.113.0/24")),
        accepts(egress("2001:db8::/32")),
        refuses(egress("203.0.113.0"), CIDR),
        refuses(egress("partner.example"), CIDR),
        refuses(egress("0.0.0.0/0"), EVERYTHING),
        refuses(egress("::/0"), EVERYTHING),
        accepts(spec(&json!({"quota": {"requests.cpu": "4", "count/jobs.batch": "10", "pods": 20}}))),
        refuses(spec(&json!({"quota": {"request.cpu": "4"}})), QUOTA),
        refuses(spec(&json!({"contexts": [{"name": "lending", "quota": {"gpu": "1"}}]})), QUOTA),
    ]
}

#[test]
fn a_word_of_an_enum_is_what_the_type_reads() {
    fn check<T: serde::de::DeserializeOwned + serde::Serialize>(words: &[&str]) {
        for word in words {
            let read: T = serde_json::from_value(json!(word)).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), json!(word));
        }
    }
    check::<Plan>(Plan::WORDS);
    check::<DataOnDeletion>(DataOnDeletion::WORDS);
    check::<Role>(Role::WORDS);
    check::<SubjectKind>(SubjectKind::WORDS);
    check::<Decision>(Decision::WORDS);
    check::<CheckName>(CheckName::WORDS);
}
