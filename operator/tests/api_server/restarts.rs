//! An operator that starts again over what is there already.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt, api::ListParams};
use kyb_crds::KybTenant;

use crate::installation::{Here, Installation, Operator};

/// Everything of a start but the operator's own lease.
fn wrote(events: &[kyb_lab::AuditEvent]) -> Vec<String> {
    let writes = events.iter().filter(|event| event.is_write() && event.resource() != "leases");
    writes.map(|event| format!("{} {} by {}", event.verb, event.resource(), event.username())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_and_writes_nothing() -> anyhow::Result<()> {
    // One of its own, since its operator is killed; leaked, since it goes with the process.
    let here = Here::of(Box::leak(Box::new(Installation::start().await?))).await?;
    let operator = Operator::start(here.installation)?;
    here.region("us-east-1").await?;
    for tenant in ["acme", "bolt", "cato"] {
        here.tenant(tenant, "us-east-1", |_| ()).await?;
    }
    for tenant in ["acme", "bolt", "cato"] {
        here.found::<Secret>(&format!("kyb-t-{tenant}"), "kyb-key-default").await?;
        here.found::<ConfigMap>("kyb-us-east-1", &format!("kyb-settings-tenant-{tenant}")).await?;
        here.tenant_says(tenant, "Ready", "NoReport").await?;
    }
    here.region_says("kyb-us-east-1", "us-east-1", "Migrated", "Migrating").await?;
    settle(&here).await?;
    drop(operator);
    let mark = here.installation.plane.audit_mark().await?;
    let operator = Operator::start(here.installation)?;
    // Each tenant's Secret is read once, at the end of its first reconcile.
    here.until("every tenant to be looked at again", || async {
        let events = here.installation.plane.audited_since(mark).await?;
        let reads = events.iter().filter(|event| event.resource() == "secrets" && event.verb == "get");
        Ok(reads.count() >= 4)
    })
    .await?;
    settle(&here).await?;
    let writes: Vec<_> = wrote(&here.installation.plane.audited_since(mark).await?);
    let ours: Vec<_> =
        writes.iter().filter(|write| write.ends_with("by admin") || write.contains("kyb")).collect();
    assert_eq!(ours, [""; 0], "{}", operator.log());
    Ok(())
}

/// Waits until no tenant has changed for a second.
async fn settle(here: &Here) -> anyhow::Result<()> {
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let mut before = None;
    loop {
        let now = tenants.list(&ListParams::default()).await?;
        let versions: Vec<_> = now.iter().map(ResourceExt::resource_version).collect();
        if before.as_ref() == Some(&versions) {
            return Ok(());
        }
        before = Some(versions);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
