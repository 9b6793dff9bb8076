//! An operator that starts again over what is there already.

use std::collections::BTreeMap;

use http::{Request, header::CONTENT_TYPE};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt, api::ListParams};
use kyb_crds::KybTenant;
use kyb_lab::AuditEvent;
use serde_json::Value;

use crate::{
    here::Here,
    installation::{Installation, OPERATOR, Operator},
};

const TENANTS: [&str; 3] = ["acme", "bolt", "cato"];

/// Everything that the operator wrote, but its own lease.
fn writes(events: &[AuditEvent]) -> Vec<&AuditEvent> {
    let ours = |event: &&AuditEvent| event.username() == OPERATOR && event.resource() != "leases";
    events.iter().filter(|event| event.is_write()).filter(ours).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_and_writes_nothing() -> anyhow::Result<()> {
    // One of its own, since its operator is killed; leaked, since it goes with the process.
    let here = Here::of(Box::leak(Box::new(Installation::start().await?))).await?;
    let plane = &here.installation.plane;
    let beginning = plane.audit_mark().await?;
    let operator = Operator::start(here.installation)?;
    make_everything(&here).await?;
    drop(operator);

    let end = plane.audit_mark().await?;
    let operator = Operator::start(here.installation)?;
    // Each Secret that the operator made is read once, at the end of the first reconcile of its owner.
    here.until("everything to be looked at again", || async {
        let events = plane.audited_since(end).await?;
        let reads = events.iter().filter(|event| event.username() == OPERATOR && event.verb == "get");
        Ok(reads.filter(|event| event.resource() == "secrets").count() > TENANTS.len())
    })
    .await?;
    settle(&here).await?;
    let events = plane.audited_since(end).await?;
    let wrote: Vec<_> = writes(&events).iter().map(|event| event.request_uri.clone()).collect();
    assert_eq!(wrote, [""; 0], "{}", operator.log());
    drop(operator);

    // The twin: an operator that does not compare sends what it sent at first. Each request is a write in the audit log, and
    // none of them changes anything.
    let first: Vec<_> = plane.audited_since(beginning).await?;
    let again = last_of_each_child(writes(&first));
    let (before, mark) = (versions(&here).await?, plane.audit_mark().await?);
    let client = here.installation.operator().await?;
    for event in &again {
        send_again(&client, event).await?;
    }
    assert!(again.len() > 50, "{} objects are there", again.len());
    assert_eq!(writes(&plane.audited_since(mark).await?).len(), again.len());
    assert_eq!(versions(&here).await?, before);
    Ok(())
}

/// A region and three tenants, until nothing changes any more.
async fn make_everything(here: &Here) -> anyhow::Result<()> {
    here.region("us-east-1").await?;
    for tenant in TENANTS {
        here.tenant(tenant, "us-east-1", |_| ()).await?;
    }
    for tenant in TENANTS {
        here.found::<Secret>(&format!("kyb-t-{tenant}"), "kyb-key-default").await?;
        here.found::<ConfigMap>("kyb-us-east-1", &format!("kyb-settings-tenant-{tenant}")).await?;
        here.tenant_says(tenant, "Ready", "NoReport").await?;
    }
    here.region_says("kyb-us-east-1", "us-east-1", "Migrated", "Migrating").await?;
    settle(here).await
}

/// Waits until no tenant has changed for a second.
async fn settle(here: &Here) -> anyhow::Result<()> {
    let mut before = None;
    loop {
        let now = versions(here).await?;
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        before = Some(now);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Name and version of every custom resource, and of the objects that a tenant and a region consist of.
async fn versions(here: &Here) -> anyhow::Result<Vec<(String, Option<String>)>> {
    let tenants = Api::<KybTenant>::all(here.client.clone()).list(&ListParams::default()).await?;
    let mut versions: Vec<_> =
        tenants.iter().map(|tenant| (tenant.name_any(), tenant.resource_version())).collect();
    let places = ["kyb-us-east-1", "kyb-t-acme", "kyb-t-acme--lending"];
    let kinds = "rd,rr,cm,secret,sa,rolebindings,networkpolicies,resourcequotas,limitranges,svc";
    for place in places {
        let format =
            "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}";
        let lines = here.installation.kubectl(&["get", kinds, "-n", place, "-o", format])?;
        let line = |line: &str| {
            line.split_once(' ').map(|(name, at)| (format!("{place} {name}"), Some(at.to_owned())))
        };
        versions.extend(lines.lines().filter_map(line));
    }
    Ok(versions)
}

/// The last request that brought each child to what it is.
fn last_of_each_child(events: Vec<&AuditEvent>) -> Vec<&AuditEvent> {
    let of_a_child = |event: &&AuditEvent| {
        let is_status = event.object_ref.as_ref().is_some_and(|object| !object.subresource.is_empty());
        event.verb == "patch" && !is_status && event.code() < 300 && event.resource() != "events"
    };
    let path = |event: &AuditEvent| event.request_uri.split('?').next().unwrap_or_default().to_owned();
    let events = events.into_iter().filter(of_a_child).map(|event| (path(event), event));
    events.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The same request once more, without what bound it to the absence of the object.
async fn send_again(client: &Client, event: &AuditEvent) -> anyhow::Result<()> {
    let mut body = event.request_object.clone().unwrap_or_default();
    if let Some(metadata) = body["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("uid");
    }
    let request = Request::patch(&event.request_uri).header(CONTENT_TYPE, "application/apply-patch+yaml");
    client.request::<Value>(request.body(serde_json::to_vec(&body)?)?).await?;
    Ok(())
}
