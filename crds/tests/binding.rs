//! The YAML that users write is read whole and written back the same.

use std::path::{Path, PathBuf};

use kube::core::cel::{ValidationErrors, Validator};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, definitions};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Documents in YAML files below `examples/`, with the file that each stands in.
fn documents(folder: &str) -> Fallible<Vec<(PathBuf, Value)>> {
    let mut documents = Vec::new();
    let folder = Path::new("../examples").join(folder);
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path)?;
            for document in serde_yaml::Deserializer::from_str(&text) {
                documents.push((path.clone(), serde::Deserialize::deserialize(document)?));
            }
        }
    }
    Ok(documents)
}

/// Reading into the types and writing again loses nothing: a field that no type knows would be gone.
fn survives<K: DeserializeOwned + Serialize>(document: &Value) -> Fallible<()> {
    let object: K = serde_json::from_value(document.clone())?;
    let again = serde_json::to_value(&object)?;
    if again == *document { Ok(()) } else { Err(format!("written:\n{document:#}\nread:\n{again:#}").into()) }
}

fn read(document: &Value) -> Fallible<()> {
    match document["kind"].as_str() {
        Some("KybTenant") => survives::<KybTenant>(document),
        Some("RegionDeployment") => survives::<RegionDeployment>(document),
        Some("CachePolicy") => survives::<CachePolicy>(document),
        _ if !is_ours(document) => Ok(()), // what an example needs beside ours, such as a namespace or a web server
        other => Err(format!("no example should hold the kind {other:?}").into()),
    }
}

fn is_ours(document: &Value) -> bool {
    document["apiVersion"].as_str().is_some_and(|version| version.starts_with("kyb.dev/"))
}

fn check_rules(document: &Value) -> Result<(), ValidationErrors> {
    let of_kind = definitions().into_iter().find(|crd| document["kind"] == crd.spec.names.kind.as_str());
    let Some(crd) = of_kind else { return Ok(()) };
    let schema = crd.spec.versions[0].schema.as_ref().map(|schema| &schema.open_api_v3_schema);
    let schema = serde_json::to_value(schema).unwrap_or_default();
    Validator::new().validate(&schema, document, None)
}

#[test]
fn every_example_is_read_whole_and_obeys_the_rules() {
    let mut kinds = Vec::new();
    for folder in
        ["tenant", "region", "cache-policy", "quickstart", "gitops/regions/us-east-1", "gitops/tenants"]
    {
        let documents = documents(folder).unwrap();
        assert!(!documents.is_empty(), "examples/{folder} holds no YAML");
        for (path, document) in documents {
            read(&document).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
            check_rules(&document).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
            if is_ours(&document) {
                kinds.push(document["kind"].as_str().unwrap().to_owned());
            }
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["CachePolicy", "KybTenant", "RegionDeployment"]);
}

/// The YAML that the kinds were agreed on, word for word.
const AGREED: &str = r#"
apiVersion: kyb.dev/v1alpha1
kind: KybTenant
metadata: {name: acme}
spec:
  id: acme
  displayName: Acme Payments
  plan: enterprise
  placement: {home: us-east-1, regions: [us-east-1, us-west-2], residency: US}
  contexts: [{name: lending}, {name: trade}]
  quota: {requests.cpu: "4", requests.memory: 8Gi, limits.cpu: "8", limits.memory: 16Gi, persistentvolumeclaims: "4", services: "8", secrets: "20"}
  access: [{name: lending-team, role: ContextManager, contexts: [lending], subjects: [{kind: Group, name: acme-lending}]}, {name: audit, role: Auditor, subjects: [{kind: User, name: eve}]}]
  rateLimit: {requestsPerMinute: 10000, burst: 500}
  egress: [{name: partner, cidr: 203.0.113.0/24, ports: [443]}]
  apiKeys: [{name: default, role: ServiceAccount, generation: 1, overlap: 24h}]
  verification: {policy: [{name: critical, when: "risk.score >= 85", then: reject, reason: RISK_CRITICAL}]}
  deletion: {protected: true, data: Retain}
  paused: false
---
apiVersion: kyb.dev/v1alpha1
kind: RegionDeployment
metadata: {name: us-east-1, namespace: kyb-us-east-1}
spec:
  region: us-east-1
  residency: US
  environment: development
  version: 0.1.0
  services:
    gateway: {resources: {requests: {cpu: 200m, memory: 256Mi}, limits: {cpu: 500m, memory: 512Mi}}, autoscaling: {minReplicas: 3, maxReplicas: 20, cpuPercent: 70, memoryPercent: 80}}
    worker: {replicas: 1}
  database: {development: {storage: 1Gi}}
  redis: {development: {}}
  cachePolicy: {name: default}
  watchlists: [{name: ofac-sdn, format: OfacCsv, url: "http://lists.example/", refresh: 6h}]
---
apiVersion: kyb.dev/v1alpha1
kind: CachePolicy
metadata: {name: default, namespace: kyb-us-east-1}
spec:
  classes: [{name: classification, ttl: 7d, priority: High}, {name: sanctions, ttl: 24h, priority: High}]
  memory: {maxEntries: 100000, ttl: 5m}
  hitRateTargetPercent: 95
"#;

#[test]
fn the_agreed_yaml_is_read_whole_and_obeys_the_rules() {
    let documents: Vec<Value> = serde_yaml::Deserializer::from_str(AGREED)
        .map(|d| serde::Deserialize::deserialize(d).unwrap())
        .collect();
    assert_eq!(documents.len(), 3);
    for document in documents {
        read(&document).unwrap();
        check_rules(&document).unwrap();
    }
}

#[test]
fn a_field_that_no_type_knows_is_noticed() {
    let mut document: Value = serde_yaml::Deserializer::from_str(AGREED)
        .map(|d| serde::Deserialize::deserialize(d).unwrap())
        .next()
        .unwrap();
    document["spec"]["displayname"] = "Acme".into();
    assert!(read(&document).is_err());
}
