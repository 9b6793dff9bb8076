use std::{collections::BTreeMap, path::Path};

use kube::api::ApiResource;
use kyb_crds::{KybTenant, Reason, SecretKeyRef};
use serde_json::json;

use super::*;
use crate::{
    concern::Problem, context::TENANT_MARKS, controllers::tenant::validate::KeySource, derive::RootKey,
    testing::are_as_kept,
};
use kyb_kit::{Children, Owner};
use kyb_settings::KeyHash;

fn tenant() -> ValidTenant {
    let object = serde_json::from_value(json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "KybTenant",
        "metadata": {"name": "acme", "uid": "uid-acme"},
        "spec": {
            "id": "acme",
            "displayName": "Acme Payments",
            "plan": "enterprise",
            "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
            "contexts": [{"name": "lending"}, {"name": "trade", "quota": {"pods": "3"}}],
            "access": [
                {"name": "lending-team", "role": "ContextManager", "contexts": ["lending"], "subjects": [{"kind": "Group", "name": "acme-lending"}]},
                {"name": "audit", "role": "Auditor", "subjects": [{"kind": "User", "name": "eve"}]},
            ],
            "egress": [{"name": "partner", "cidr": "203.0.113.0/24", "ports": [443]}],
            "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 2, "overlap": "24h"}],
            "verification": {"policy": [{"name": "critical", "when": "risk.score >= 85", "then": "reject", "reason": "RISK_CRITICAL"}]},
        },
    }));
    ValidTenant::of(&object.unwrap())
}

fn facts() -> Facts {
    let serving = super::super::dereference::Serving {
        region: "us-east-1".into(),
        namespace: "kyb-us-east-1".into(),
        accepted: None,
        refused: None,
        settings: None,
    };
    Facts { serving: vec![serving], regions_here: 1, ..Facts::default() }
}

fn operator() -> Subject {
    serde_json::from_value(
        json!({"kind": "ServiceAccount", "name": "kyb-operator", "namespace": "kyb-system"}),
    )
    .unwrap()
}

fn root() -> RootKey {
    RootKey::new(&[7; 32]).unwrap()
}

fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

fn children() -> Vec<Child> {
    children_with(&facts())
}

fn children_with(facts: &Facts) -> Vec<Child> {
    let tenant = tenant();
    let keys = issue(&tenant, facts, &[], &root(), at("2026-01-01T00:00:00Z"));
    concerns(&tenant, facts, &keys, &operator())
        .into_iter()
        .flat_map(|concern| concern.children.unwrap())
        .collect()
}

#[test]
fn no_object_is_built_twice_and_each_is_within_the_owners_reach() {
    let owner = Owner {
        resource: ApiResource::erase::<KybTenant>(&()),
        namespace: None,
        name: "acme".into(),
        uid: "uid-acme".into(),
        is_going: false,
    };
    let built = children();
    assert_eq!(Children::of(&owner, &TENANT_MARKS, built.clone()).unwrap().len(), built.len());
}

#[test]
fn every_namespace_is_closed_but_for_what_is_listed() {
    let built = children();
    let of_kind = |kind: &str, namespace: &str| -> Vec<String> {
        let is =
            |child: &&Child| child.key().kind == kind && child.key().namespace.as_deref() == Some(namespace);
        built.iter().filter(is).map(|child| child.key().name.clone()).collect()
    };
    for namespace in ["kyb-t-acme", "kyb-t-acme--lending", "kyb-t-acme--trade"] {
        let mut policies = of_kind("NetworkPolicy", namespace);
        policies.sort();
        assert_eq!(policies, ["kyb-allow-dns", "kyb-allow-gateways", "kyb-deny-all", "kyb-egress-partner"]);
        assert_eq!(of_kind("ResourceQuota", namespace), ["kyb-tenant"]);
    }
    assert_eq!(
        of_kind("RoleBinding", "kyb-t-acme--lending"),
        ["kyb-lending-team-context-manager", "kyb-audit-auditor"]
    );
    assert_eq!(
        of_kind("RoleBinding", "kyb-t-acme--trade"),
        ["kyb-audit-auditor"],
        "a grant holds in its contexts only"
    );
    assert_eq!(of_kind("Secret", "kyb-t-acme"), ["kyb-key-default"]);
}

#[test]
fn an_administrators_namespaces_are_not_made_and_nothing_lies_in_one_that_is_not_prepared() {
    let why = Problem::new(Reason::NamespaceNotPrepared, "it is not there");
    let facts = Facts { unprepared: Some([("kyb-t-acme--trade".to_owned(), why)].into()), ..facts() };
    let elsewhere = |child: &&Child| {
        child.key().kind != "Namespace" && child.key().namespace.as_deref() != Some("kyb-t-acme--trade")
    };
    let keys = |children: Vec<Child>| children.iter().map(|child| child.key().clone()).collect::<Vec<_>>();
    let rest: Vec<_> = children().iter().filter(elsewhere).cloned().collect();
    assert!(rest.len() > 10);
    assert_eq!(keys(children_with(&facts)), keys(rest));
}

#[test]
fn the_settings_are_what_a_workload_accepts_and_hold_no_key() {
    let built = children();
    let settings = built.iter().find(|child| child.key().kind == "ConfigMap").unwrap();
    let text = settings.body()["data"]["tenant-acme.yaml"].as_str().unwrap();
    let file = serde_yaml::from_str(text).unwrap();
    let platform = kyb_settings::files::PlatformFile::default();
    let snapshot = kyb_settings::Snapshot::of(&platform, &[file], std::path::Path::new("/")).unwrap();
    let key = root().api_key("acme", "default", 2);
    assert!(snapshot.authenticate(&key.text, at("2026-01-01T00:00:00Z")).is_ok());
    assert!(!text.contains(key.text.rsplit_once('_').unwrap().1), "{text}");
}

#[test]
fn an_earlier_generation_is_accepted_for_its_overlap_and_no_longer() {
    let (tenant, facts) = (tenant(), facts());
    let first = known(Some(1), None);
    let noon = at("2026-01-01T12:00:00Z");
    let rotated = issue(&tenant, &facts, &[first], &root(), noon);
    let until = rotated[0].previous.as_ref().unwrap().until;
    assert_eq!(until, at("2026-01-02T12:00:00Z"));
    let status = [rotated[0].status(&tenant)];
    let later = issue(&tenant, &facts, &status, &root(), at("2026-01-02T11:59:59Z"));
    assert_eq!(later[0].previous.as_ref().unwrap().until, until, "the time is set once");
    assert_eq!(later[0].previous.as_ref().unwrap().id, root().api_key("acme", "default", 1).id);
    assert!(issue(&tenant, &facts, &status, &root(), until)[0].previous.is_none());
    assert!(
        issue(&tenant, &facts, &[], &root(), noon)[0].previous.is_none(),
        "without a status nothing earlier counts"
    );
}

fn known(generation: Option<i32>, key_id: Option<&str>) -> kyb_crds::TenantKeyStatus {
    kyb_crds::TenantKeyStatus {
        name: "default".into(),
        key_id: key_id.map(str::to_owned),
        generation,
        previous_until: None,
        secret: None,
    }
}

/// The only key, of this source.
fn with_key(source: KeySource) -> ValidTenant {
    let mut tenant = tenant();
    tenant.keys[0].source = source;
    tenant
}

#[test]
fn no_generation_begins_before_its_overlap_is_known() {
    let problem = Problem::new(Reason::InvalidSpec, "too long");
    let tenant = with_key(KeySource::Derived { generation: 2, overlap: Err(problem) });
    let issued = |status: &[_]| issue(&tenant, &facts(), status, &root(), at("2026-01-01T12:00:00Z"));
    assert_eq!(issued(&[known(Some(1), None)])[0].id, root().api_key("acme", "default", 1).id);
    assert!(issued(&[]).is_empty(), "not even the first");
}

#[test]
fn a_key_of_ones_own_takes_a_derived_ones_place_once_it_can_be_read() {
    let tenant = with_key(KeySource::Brought(SecretKeyRef { name: "own".into(), key: "key".into() }));
    let derived = root().api_key("acme", "default", 2);
    let unread = |reason| Facts {
        brought_keys: [("default".to_owned(), Err(Problem::new(reason, "no")))].into(),
        unread: [("brought".to_owned(), KeyHash::of("text"))].into(),
        ..facts()
    };
    let issued = |facts: &Facts, known| issue(&tenant, facts, &[known], &root(), at("2026-01-01T12:00:00Z"));
    let before = issued(&unread(Reason::SecretNotFound), known(Some(2), None));
    assert_eq!(before[0].id, derived.id);
    assert_eq!(before[0].status(&tenant).generation, Some(2), "so that it is known the next time, too");

    let brought = || known(None, Some("brought"));
    assert_eq!(issued(&unread(Reason::Retrying), brought())[0].id, "brought", "the API server is in trouble");
    assert!(issued(&unread(Reason::SecretNotFound), brought()).is_empty(), "its Secret was taken away");
}

#[test]
fn a_tenant_that_is_going_has_no_keys() {
    let (tenant, facts) = (tenant(), Facts { erasing: true, ..facts() });
    let keys = issue(&tenant, &facts, &[], &root(), at("2026-01-01T00:00:00Z"));
    let maps = settings::config_maps(&tenant, &facts, &keys).unwrap();
    let text = &maps[0].data.as_ref().unwrap()["tenant-acme.yaml"];
    assert!(text.contains("erase: true") && text.contains("api_keys: []"), "{text}");
}

#[test]
fn a_container_that_says_nothing_gets_requests_and_limits_and_only_what_is_named_is_reached() {
    let built = children();
    let find = |kind: &str, name: &str| {
        let is = |child: &&Child| child.key().kind == kind && child.key().name == name;
        built.iter().find(is).unwrap().body().clone()
    };
    let limits = find("LimitRange", "kyb-tenant")["spec"]["limits"].clone();
    let item = &limits[0];
    assert_eq!(item["type"], "Container");
    for part in ["default", "defaultRequest"] {
        assert!(item[part]["cpu"].is_string() && item[part]["memory"].is_string(), "{part}: {item}");
    }
    assert_eq!(limits.as_array().unwrap().len(), 1);

    let egress = find("NetworkPolicy", "kyb-egress-partner")["spec"]["egress"][0].clone();
    assert_eq!(egress["to"][0]["ipBlock"]["cidr"], "203.0.113.0/24");
    assert_eq!(egress["ports"], json!([{"protocol": "TCP", "port": 443}]));
    let dns = find("NetworkPolicy", "kyb-allow-dns")["spec"]["egress"][0]["ports"].clone();
    let wanted = [json!({"protocol": "UDP", "port": 53}), json!({"protocol": "TCP", "port": 53})];
    assert!(wanted.iter().all(|port| dns.as_array().unwrap().contains(port)), "{dns}");
    let closed = find("NetworkPolicy", "kyb-deny-all")["spec"].clone();
    assert_eq!(closed["podSelector"], json!({}), "all pods");
    assert_eq!(closed["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(closed.get("egress").is_none_or(|rules| rules.as_array().unwrap().is_empty()), "{closed}");
}

#[test]
fn what_a_tenant_is_made_of_changes_only_where_it_is_meant() {
    let rendered = BTreeMap::from([("everything".to_owned(), children())]);
    are_as_kept(rendered, Path::new("src/controllers/tenant/build/children.yaml"));
}
