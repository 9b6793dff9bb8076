//! The baseline: a plain client that makes as many objects of the same content, each by one POST, one after the other. It
//! compares nothing, watches nothing, and would overwrite nobody's.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use http::{Request, header::CONTENT_TYPE};
use kyb_lab::AuditEvent;
use serde_json::Value;

use super::{cluster::Cluster, tenant::Timeline};

/// The tenant that the objects are taken from.
const FROM: &str = "first";

/// Makes the children of the first tenant under another name and gives the milliseconds that it took.
pub(super) async fn measure(cluster: &Cluster, first: &Timeline, id: &str) -> anyhow::Result<f64> {
    let requests: Vec<_> =
        first.children.iter().map(|child| post(child, id)).collect::<anyhow::Result<_>>()?;
    ensure!(requests.len() > 10, "only {} children", requests.len());
    let began = Instant::now();
    for (path, body) in requests {
        let request = Request::post(&path).header(CONTENT_TYPE, "application/json").body(body)?;
        cluster.client.request::<Value>(request).await.with_context(|| format!("can't make {path}"))?;
    }
    Ok(began.elapsed().as_secs_f64() * 1000.0)
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
