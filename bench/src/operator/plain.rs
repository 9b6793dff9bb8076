//! The baselines: plain clients that make objects of the same content, one by POST, one by apply as the operator does. They compare
//! nothing and watch nothing.

use std::{ops::Range, time::Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{Request, header::CONTENT_TYPE};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use kyb_crds::KybTenant;
use kyb_lab::AuditEvent;
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, REGION},
    scale::AT_A_TIME,
    tenant::{self, Timeline},
};

/// How a plain client makes objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The cheapest request for the server.
    Post,
    /// Server-side apply, so that the objects say which of their fields are whose, as the operator's do.
    Apply,
}

/// The tenant that the objects are taken from.
const FROM: &str = "first";

/// Makes the children of the first tenant under another name and gives the milliseconds that it took.
pub(super) async fn measure(cluster: &Cluster, first: &Timeline, id: &str) -> anyhow::Result<f64> {
    let children = first.children.iter();
    let requests: Vec<_> = children.map(|child| object(child, id, None)).collect::<anyhow::Result<_>>()?;
    ensure!(requests.len() > 10, "only {} children", requests.len());
    let began = Instant::now();
    for request in requests {
        send(cluster, By::Post, request).await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// Makes more tenants with the children and the status of the first one, as many at a time as the operator; the seconds that it took.
pub(super) async fn grow(
    cluster: &mut Cluster,
    by: By,
    first: &Timeline,
    numbers: Range<usize>,
) -> anyhow::Result<f64> {
    cluster.reconnect().await?;
    let (cluster, began) = (&*cluster, Instant::now());
    let tenants = stream::iter(numbers).map(|number| whole(cluster, by, first, format!("scale-{number}")));
    tenants.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The tenant, its namespaces, what lies in them, and what the tenant's status says in the end.
async fn whole(cluster: &Cluster, by: By, first: &Timeline, id: String) -> anyhow::Result<()> {
    let tenants = Api::<KybTenant>::all(cluster.client.clone());
    let made = cluster.create(&tenants, tenant::manifest(&id, REGION, first.shape)).await?;
    let uids = Some((first.uid.as_str(), made.metadata.uid.as_deref().unwrap_or_default()));
    let (namespaces, others): (Vec<_>, Vec<_>) =
        first.children.iter().partition(|child| child.resource() == "namespaces");
    for wave in [namespaces, others] {
        let requests: Vec<_> =
            wave.into_iter().map(|child| object(child, &id, uids)).collect::<anyhow::Result<_>>()?;
        let sending = stream::iter(requests).map(|request| send(cluster, by, request));
        sending.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    }
    let status = renamed(&json!({ "status": first.status }).to_string(), &id);
    let status: Value = serde_json::from_str(&status)?;
    tenants.patch_status(&id, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

async fn send(cluster: &Cluster, by: By, (path, body): (String, Vec<u8>)) -> anyhow::Result<()> {
    let request = match by {
        By::Post => {
            let (collection, _) = path.rsplit_once('/').context("a path without a name")?;
            Request::post(collection).header(CONTENT_TYPE, "application/json")
        }
        By::Apply => Request::patch(format!("{path}?fieldManager=plain&force=true"))
            .header(CONTENT_TYPE, "application/apply-patch+yaml"),
    };
    let answer = cluster.client.request::<Value>(request.body(body)?).await;
    answer.with_context(|| format!("can't make {path}"))?;
    Ok(())
}

/// The same of another tenant.
fn renamed(text: &str, id: &str) -> String {
    text.replace(&format!("-{FROM}"), &format!("-{id}"))
}

/// Its path, and what it is: with another uid of its owner, or without what would make it the operator's.
fn object(child: &AuditEvent, id: &str, uids: Option<(&str, &str)>) -> anyhow::Result<(String, Vec<u8>)> {
    let path = child.request_uri.split('?').next().unwrap_or_default();
    let mut object = child.request_object.clone().context("the audit log has no object")?;
    let metadata = object["metadata"].as_object_mut().context("an object without metadata")?;
    for field in ["resourceVersion", "uid"] {
        metadata.remove(field);
    }
    if uids.is_none() {
        metadata.remove("ownerReferences");
        if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
            labels.remove("app.kubernetes.io/managed-by");
            labels.remove("kyb.dev/owner-uid");
        }
    }
    let mut text = renamed(&object.to_string(), id);
    if let Some((from, to)) = uids {
        let names = (format!(r#""name":"{FROM}""#), format!(r#""name":"{id}""#));
        text = text.replace(from, to).replace(&names.0, &names.1);
    }
    Ok((renamed(path, id), text.into_bytes()))
}
