//! The baseline: a plain client that makes as many objects of the same content, each by one POST, one after the other. It
//! compares nothing, watches nothing, and would overwrite nobody's.

use std::{ops::Range, time::Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, header::CONTENT_TYPE};
use kube::Api;
use kyb_crds::KybTenant;
use kyb_lab::AuditEvent;
use serde_json::Value;

use super::{
    cluster::{Cluster, REGION},
    scale::AT_A_TIME,
    tenant::{self, Timeline},
};

/// The tenant that the objects are taken from.
const FROM: &str = "first";

/// Makes the children of the first tenant under another name and gives the milliseconds that it took.
pub(super) async fn measure(cluster: &Cluster, first: &Timeline, id: &str) -> anyhow::Result<f64> {
    let requests: Vec<_> =
        first.children.iter().map(|child| post(child, id)).collect::<anyhow::Result<_>>()?;
    ensure!(requests.len() > 10, "only {} children", requests.len());
    let began = Instant::now();
    for request in requests {
        send(cluster, request).await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// Makes more tenants with the children of the first one, as many at a time as the operator; the seconds that it took.
pub(super) async fn grow(cluster: &Cluster, first: &Timeline, numbers: Range<usize>) -> anyhow::Result<f64> {
    let began = Instant::now();
    let tenants = stream::iter(numbers).map(|number| whole(cluster, first, format!("scale-{number}")));
    tenants.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The tenant, its namespaces, and what lies in them.
async fn whole(cluster: &Cluster, first: &Timeline, id: String) -> anyhow::Result<()> {
    let tenants = Api::<KybTenant>::all(cluster.client.clone());
    cluster.create(&tenants, tenant::manifest(&id, REGION)).await?;
    let (namespaces, others): (Vec<_>, Vec<_>) =
        first.children.iter().partition(|child| child.resource() == "namespaces");
    for wave in [namespaces, others] {
        let requests: Vec<_> =
            wave.into_iter().map(|child| post(child, &id)).collect::<anyhow::Result<_>>()?;
        let sending = stream::iter(requests).map(|request| send(cluster, request));
        sending.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    }
    Ok(())
}

async fn send(cluster: &Cluster, (path, body): (String, Vec<u8>)) -> anyhow::Result<()> {
    let request = Request::post(&path).header(CONTENT_TYPE, "application/json").body(body)?;
    cluster.client.request::<Value>(request).await.with_context(|| format!("can't make {path}"))?;
    Ok(())
}

/// Where to, and what, without what would make it the operator's.
fn post(child: &AuditEvent, id: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let renamed = |text: &str| text.replace(&format!("-{FROM}"), &format!("-{id}"));
    let path = child.request_uri.split('?').next().unwrap_or_default();
    let (collection, _) = path.rsplit_once('/').context("a path without a name")?;
    let mut object = child.request_object.clone().context("the audit log has no object")?;
    let metadata = object["metadata"].as_object_mut().context("an object without metadata")?;
    for field in ["ownerReferences", "resourceVersion", "uid"] {
        metadata.remove(field);
    }
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        labels.remove("app.kubernetes.io/managed-by");
        labels.remove("kyb.dev/owner-uid");
    }
    Ok((renamed(collection), renamed(&object.to_string()).into_bytes()))
}
