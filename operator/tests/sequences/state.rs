//! What has become of an object: its children and its status, without what differs from object to object and from time to time.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
};
use kyb_crds::{RegionReport, names};
use serde_json::Value;

use crate::{schema::Kind, subject::Subject};

/// An object's children by kind, place and name, and its status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) children: BTreeMap<String, Value>,
    pub(crate) status: Value,
}

/// All children in the cluster, by their owner's uid.
pub(crate) struct Children(BTreeMap<String, Vec<DynamicObject>>);

impl Children {
    pub(crate) async fn read(client: &Client) -> anyhow::Result<Self> {
        let mut all: BTreeMap<String, Vec<DynamicObject>> = BTreeMap::new();
        for kind in kinds() {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
            for mut object in api.list(&ListParams::default().labels(names::OWNER_UID_LABEL)).await? {
                object.types = Some(kube::core::TypeMeta {
                    api_version: kind.api_version.clone(),
                    kind: kind.kind.clone(),
                });
                let owner = object.labels().get(names::OWNER_UID_LABEL).cloned().unwrap_or_default();
                all.entry(owner).or_default().push(object);
            }
        }
        Ok(Self(all))
    }
}

fn kinds() -> [ApiResource; 15] {
    [
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<RegionReport>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

impl State {
    /// As it is now, with what is its own written as `NAME`, `UID` and so on.
    pub(crate) async fn of(subject: &Subject, children: &Children, client: &Client) -> anyhow::Result<Self> {
        let object = subject.read(client).await?;
        let region = subject.owner(client).await?;
        let owner = Subject::uid(&region);
        let own = children.0.get(&owner).map(Vec::as_slice).unwrap_or_default();
        let words = words(subject, &owner, own);
        let scaled: Vec<_> = own.iter().filter(|child| is_a(child, "HorizontalPodAutoscaler")).collect();
        let children = own.iter().map(|child| {
            let is_scaled = scaled.iter().any(|by| by.name_any() == child.name_any());
            let value = replaced(bare(child, is_scaled), &words);
            let metadata = &value["metadata"];
            let key = [&value["kind"], &metadata["namespace"], &metadata["name"]];
            (key.map(|part| part.as_str().unwrap_or_default()).join(" "), value)
        });
        let mut status = replaced(timeless(&object.data["status"]), &words);
        if subject.kind == Kind::CachePolicy {
            status["region"] = replaced(timeless(&region.data["status"]), &words);
        }
        Ok(Self { children: children.collect(), status })
    }

    /// Whether all is well: by what the object says, and by what its region says if it owns nothing by itself.
    pub(crate) fn is_well(&self) -> bool {
        self.heads().all(|ready| ready["status"] == "True")
    }

    /// What the object says itself.
    pub(crate) fn claims_to_be_well(&self) -> bool {
        self.heads().next().is_some_and(|ready| ready["status"] == "True")
    }

    /// Why it is not well, in one word.
    pub(crate) fn reason(&self) -> &str {
        let bad = self.heads().find(|ready| ready["status"] != "True");
        bad.and_then(|ready| ready["reason"].as_str()).unwrap_or_default()
    }

    /// The object's condition `Ready`, and its region's.
    fn heads(&self) -> impl Iterator<Item = &Value> {
        [Some(&self.status), self.status.get("region")].into_iter().flatten().map(ready)
    }

    /// What the conditions say that are not true.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let conditions = [&self.status["conditions"], &self.status["region"]["conditions"]];
        let all = conditions.into_iter().filter_map(Value::as_array).flatten();
        let bad = all.filter(|condition| condition["status"] == "False");
        bad.map(|it| format!("{} {}: {}", it["type"], it["reason"], it["message"])).collect()
    }

    /// Where two states differ.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut all = self.children_that_differ(other);
        differences("status", &self.status, &other.status, &mut all);
        all
    }

    pub(crate) fn children_that_differ(&self, other: &Self) -> Vec<String> {
        let keys = self.children.keys().chain(other.children.keys());
        let keys: std::collections::BTreeSet<&String> = keys.collect();
        let mut all = Vec::new();
        for key in keys {
            match (self.children.get(key), other.children.get(key)) {
                (Some(one), Some(other)) => differences(key, one, other, &mut all),
                (Some(_), None) => all.push(format!("{key}: is there, and should not be")),
                (None, _) => all.push(format!("{key}: is not there")),
            }
        }
        all
    }
}

/// The condition `Ready` of a status; nothing where it has none.
fn ready(status: &Value) -> &Value {
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == "Ready").unwrap_or(&Value::Null)
}

fn is_a(object: &DynamicObject, kind: &str) -> bool {
    object.types.as_ref().is_some_and(|types| types.kind == kind)
}

/// What differs from object to object, and what to write for it. Longer words come first, since they may hold shorter ones.
fn words(subject: &Subject, owner: &str, children: &[DynamicObject]) -> Vec<(String, String)> {
    let mut words = vec![(owner.to_owned(), "UID".to_owned())];
    for secret in children.iter().filter(|child| is_a(child, "Secret")) {
        let name = secret.name_any();
        for (key, value) in secret.data["data"].as_object().into_iter().flatten() {
            let Some(text) = value.as_str() else { continue };
            words.push((text.to_owned(), format!("SECRET {name}/{key}")));
            let plain = decoded(text);
            if key == "key"
                && let Ok(api_key) = kyb_settings::ApiKey::parse(&plain)
            {
                words.push((api_key.hash(), format!("HASH {name}")));
                words.push((api_key.id().to_string(), format!("ID {name}")));
            }
        }
    }
    // The name of a Job is a digest of its pods, in which the object's name stands, too.
    let jobs = children.iter().filter(|child| is_a(child, "Job")).map(ResourceExt::name_any);
    words.extend(jobs.enumerate().map(|(number, name)| (name, format!("JOB {number}"))));
    words.push((subject.name.clone(), "NAME".to_owned()));
    words
}

fn decoded(base64: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn replaced(value: Value, words: &[(String, String)]) -> Value {
    let replace =
        |text: &str| words.iter().fold(text.to_owned(), |text, (word, by)| text.replace(word.as_str(), by));
    match value {
        Value::String(text) => replace(&text).into(),
        Value::Array(items) => items.into_iter().map(|item| replaced(item, words)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (replace(&name), replaced(field, words))).collect()
        }
        other => other,
    }
}

/// A child without what the API server and Kubernetes' own controllers keep in it.
fn bare(child: &DynamicObject, is_scaled: bool) -> Value {
    let mut value = serde_json::to_value(child).unwrap_or_default();
    for pointer in OF_THE_CLUSTER {
        take(&mut value, pointer);
    }
    if is_scaled {
        take(&mut value, "/spec/replicas"); // the autoscaler's to choose, and it begins with what it finds
    }
    for text in value["data"].as_object_mut().into_iter().flat_map(|files| files.values_mut()) {
        if let Some(Ok(Value::Object(file))) = text.as_str().map(serde_yaml::from_str) {
            *text = Value::Object(file); // settings, so that a difference can be told from the next
        }
    }
    for port in value.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        take(port, "/nodePort"); // picked by the cluster; see the hints for those that are asked for
    }
    value
}

/// What is in objects by the API server's or a controller's doing.
const OF_THE_CLUSTER: [&str; 21] = [
    "/status",
    "/metadata/uid",
    "/metadata/resourceVersion",
    "/metadata/generation",
    "/metadata/creationTimestamp",
    "/metadata/managedFields",
    "/metadata/annotations/kyb.dev~1applied", // a digest of the name, too
    "/metadata/annotations/deployment.kubernetes.io~1revision",
    "/metadata/labels/batch.kubernetes.io~1controller-uid",
    "/metadata/labels/controller-uid",
    "/spec/clusterIP",
    "/spec/clusterIPs",
    "/spec/healthCheckNodePort",
    "/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid",
    "/spec/template/metadata/labels/batch.kubernetes.io~1controller-uid",
    "/spec/template/metadata/labels/controller-uid",
    "/spec/template/metadata/creationTimestamp",
    "/spec/ipFamilies",
    "/spec/ipFamilyPolicy",
    "/spec/sessionAffinity",
    "/spec/allocateLoadBalancerNodePorts",
];

fn take(value: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let parent = value.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.and_then(|fields| fields.remove(&name.replace("~1", "/")));
}

/// A status without times, generations and counts of failures; and, while something fails, without what a failure that
/// lasts turns into.
fn timeless(status: &Value) -> Value {
    let mut status = status.clone();
    let fails = !status["failures"].is_null();
    for pointer in ["/observedGeneration", "/failures", "/settingsVersion"] {
        take(&mut status, pointer);
    }
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.retain(|condition| {
            !fails || (condition["type"] != "Reconciling" && condition["type"] != "Stalled")
        });
        for condition in conditions {
            take(condition, "/lastTransitionTime");
            take(condition, "/observedGeneration");
        }
    }
    status
}

fn differences(at: &str, one: &Value, other: &Value, all: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) => {
            for name in fields.keys().chain(others.keys().filter(|name| !fields.contains_key(*name))) {
                let at = format!("{at}.{name}");
                differences(
                    &at,
                    fields.get(name).unwrap_or(&Value::Null),
                    others.get(name).unwrap_or(&Value::Null),
                    all,
                );
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (number, (item, other)) in items.iter().zip(others).enumerate() {
                differences(&format!("{at}[{number}]"), item, other, all);
            }
        }
        _ if one == other => (),
        _ => all.push(format!("{at}: {} and not {}", short(one), short(other))),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(600).collect()
}
