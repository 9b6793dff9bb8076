//! One tenant from its apply to the operator's last write for it; and many at once.

use std::{collections::BTreeSet, time::Instant};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::Api;
use kyb_crds::KybTenant;
use kyb_lab::AuditEvent;
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, REGION, REGION_NAMESPACE},
    requests::{self, Requests, answered, received},
};

/// What tenants ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One context, a reader and a key: two namespaces.
    Usual,
    /// A key: one namespace.
    Small,
}

/// What became of one tenant; times are milliseconds since the API server received it.
pub(super) struct Timeline {
    pub(super) shape: Shape,
    /// Every child has been written.
    pub(super) applied: f64,
    /// The key's Secret is there, and the region's settings know its hash.
    pub(super) key: f64,
    /// The last status has been written.
    pub(super) settled: f64,
    /// What all that took.
    pub(super) requests: Requests,
    /// What was written beside children: statuses and events, by verb and path.
    pub(super) others: Vec<String>,
    /// The tenant's uid.
    pub(super) uid: String,
    /// What is said of it in the end.
    pub(super) status: Value,
    /// The first write to each child, in the order of the answers.
    pub(super) children: Vec<AuditEvent>,
}

/// Applies a tenant, waits until nothing more happens, and looks at what did.
pub(super) async fn measure(cluster: &Cluster, id: &str, shape: Shape) -> anyhow::Result<Timeline> {
    let mark = cluster.plane.audit_mark().await?;
    apply(cluster, id, shape).await?;
    settled(cluster, id).await?;
    cluster.quiet().await?;
    timeline(cluster, id, shape, &cluster.plane.audited_since(mark).await?).await
}

/// Applies so many at once and gives the seconds until the last of them has settled.
pub(super) async fn many(cluster: &Cluster, count: usize) -> anyhow::Result<f64> {
    const AT_A_TIME: usize = 16;
    let ids: Vec<_> = (1..=count).map(|number| format!("many-{number}")).collect();
    let began = Instant::now();
    let applying = stream::iter(&ids).map(|id| apply(cluster, id, Shape::Usual)).buffer_unordered(AT_A_TIME);
    applying.try_collect::<Vec<()>>().await?;
    for id in &ids {
        settled(cluster, id).await?;
    }
    Ok(began.elapsed().as_secs_f64())
}

async fn apply(cluster: &Cluster, id: &str, shape: Shape) -> anyhow::Result<()> {
    let tenants = Api::<KybTenant>::all(cluster.client.clone());
    cluster.create(&tenants, manifest(id, REGION, shape)).await.map(drop)
}

/// A tenant of one region.
pub(super) fn manifest(id: &str, region: &str, shape: Shape) -> Value {
    let mut tenant = json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "KybTenant",
        "metadata": {"name": id},
        "spec": {
            "id": id,
            "displayName": "A tenant",
            "plan": "enterprise",
            "placement": {"home": region, "regions": [region], "residency": "US"},
            "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
        },
    });
    if shape == Shape::Usual {
        let eve = json!({"kind": "User", "name": "eve"});
        tenant["spec"]["contexts"] = json!([{"name": "lending"}]);
        tenant["spec"]["access"] = json!([{"name": "audit", "role": "Auditor", "subjects": [eve]}]);
    }
    tenant
}

/// Waits until the status says so; there are no gateways here.
async fn settled(cluster: &Cluster, id: &str) -> anyhow::Result<()> {
    let tenants: Api<KybTenant> = Api::all(cluster.client.clone());
    cluster
        .until(&format!("the tenant {id} to be written"), async |_| Ok(is_settled(&tenants.get(id).await?)))
        .await
}

/// Whether everything of a tenant is written and only the gateways are missing.
pub(super) fn is_settled(tenant: &KybTenant) -> bool {
    let Some(status) = &tenant.status else { return false };
    let ready = status.conditions.iter().find(|condition| condition.type_ == "Ready");
    let is_current = status.observed_generation == tenant.metadata.generation;
    is_current && ready.is_some_and(|ready| ready.reason == "NoReport")
}

async fn timeline(
    cluster: &Cluster,
    id: &str,
    shape: Shape,
    events: &[AuditEvent],
) -> anyhow::Result<Timeline> {
    let object = |event: &AuditEvent| event.object_ref.clone().unwrap_or_default();
    let is_tenant = |event: &&AuditEvent| event.resource() == "kybtenants" && object(event).name == id;
    let came = events.iter().find(|event| event.verb == "create" && event.resource() == "kybtenants");
    let came = received(came.context("the tenant's coming is not in the audit log")?)?;
    let writes: Vec<_> = requests::of_operator(events).filter(|event| event.is_write()).collect();
    let since = |event: &&&AuditEvent| answered(event).map(|answered| answered - came);
    let last = |events: Vec<&&AuditEvent>| -> anyhow::Result<f64> {
        let times: Vec<_> = events.iter().map(since).collect::<anyhow::Result<_>>()?;
        times.into_iter().reduce(f64::max).context("nothing was written")
    };
    let children: Vec<_> = writes.iter().filter(|event| event.code() < 300 && is_child(event, id)).collect();
    let key = hash(cluster, id).await?;
    let knows = |event: &AuditEvent| text(event.request_object.as_ref()).contains(&key);
    let secret = children.iter().find(|event| event.resource() == "secrets").context("no Secret")?;
    let settings = children.iter().find(|event| event.resource() == "configmaps" && knows(event));
    let settings = settings.context("no settings know the key")?;
    let tenant = Api::<KybTenant>::all(cluster.client.clone()).get(id).await?;
    Ok(Timeline {
        shape,
        applied: last(children.clone())?,
        key: since(secret)?.max(since(settings)?),
        settled: last(writes.iter().filter(|event| is_tenant(event)).collect())?,
        requests: Requests::of(events),
        others: writes.iter().filter(|event| !is_child(event, id)).map(|event| line(event)).collect(),
        uid: tenant.metadata.uid.unwrap_or_default(),
        status: serde_json::to_value(&tenant.status)?,
        children: firsts(children),
    })
}

fn line(event: &AuditEvent) -> String {
    format!("{} {} {}", event.verb, path(event), event.code())
}

/// Without the query.
fn path(event: &AuditEvent) -> &str {
    event.request_uri.split('?').next().unwrap_or_default()
}

fn is_child(event: &AuditEvent, id: &str) -> bool {
    let Some(object) = &event.object_ref else { return false };
    let (own, of_context) = (format!("kyb-t-{id}"), format!("kyb-t-{id}--"));
    let in_namespace = |name: &str| name == own || name.starts_with(&of_context);
    let is_settings =
        object.namespace == REGION_NAMESPACE && object.name == format!("kyb-settings-tenant-{id}");
    event.resource() != "events"
        && (in_namespace(&object.namespace) || in_namespace(&object.name) || is_settings)
}

/// The first event about each object.
fn firsts(events: Vec<&&AuditEvent>) -> Vec<AuditEvent> {
    let mut seen = BTreeSet::new();
    events
        .into_iter()
        .filter(|event| seen.insert(path(event).to_owned()))
        .map(|event| (*event).clone())
        .collect()
}

/// The hash by which the settings know the tenant's key.
async fn hash(cluster: &Cluster, id: &str) -> anyhow::Result<String> {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &format!("kyb-t-{id}"));
    let mut data = secrets.get("kyb-key-default").await?.data.unwrap_or_default();
    let ByteString(key) = data.remove("key").context("the Secret has no key")?;
    Ok(kyb_settings::ApiKey::parse(&String::from_utf8(key)?)?.hash())
}

fn text(object: Option<&Value>) -> String {
    object.map(Value::to_string).unwrap_or_default()
}
