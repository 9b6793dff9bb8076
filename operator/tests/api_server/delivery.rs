//! Whether settings are in use: what the region's report says, and for how long that counts.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use kyb_crds::{CachePolicy, RegionDeployment, RegionReport};
use serde_json::{Value, json};

use crate::{here::Here, installation::here};

/// The version of a tenant's settings as they were written for a region.
async fn written(here: &Here, region: &str, tenant: &str) -> anyhow::Result<u64> {
    let map: ConfigMap =
        here.found(&format!("kyb-{region}"), &format!("kyb-settings-tenant-{tenant}")).await?;
    Ok(map.resource_version().unwrap_or_default().parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_ready_only_when_every_gateway_uses_its_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("delivery-1").await?;
    here.tenant("bolt", "delivery-1", |_| ()).await?;
    here.tenant_says("bolt", "Ready", "NoReport").await?;
    here.worker_runs("delivery-1").await?;
    let written = written(&here, "delivery-1", "bolt").await?;
    here.report("delivery-1", written - 1).await?;
    here.tenant_says("bolt", "Ready", "SettingsPending").await?;
    here.report("delivery-1", written).await?;
    assert_eq!(here.tenant_says("bolt", "Ready", "Ready").await?, "served by delivery-1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_only_while_a_worker_keeps_it_true() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("delivery-2").await?;
    here.tenant("otis", "delivery-2", |_| ()).await?;
    here.worker_runs("delivery-2").await?;
    let newest = written(&here, "delivery-2", "otis").await?.max(platform(&here, "delivery-2").await?);
    here.report("delivery-2", newest).await?;
    let region_says =
        async |kind: &str, reason: &str| here.region_says("kyb-delivery-2", "delivery-2", kind, reason).await;
    here.tenant_says("otis", "Ready", "Ready").await?;
    region_says("SettingsDelivered", "Ready").await?;
    region_says("WatchlistsFresh", "Ready").await?;

    here.worker_is_ready("delivery-2", false).await?;
    let message = here.tenant_says("otis", "Ready", "NoReport").await?;
    assert!(message.contains("delivery-2") && message.contains("no worker reports"), "{message}");
    region_says("SettingsDelivered", "NoReport").await?;
    let message = region_says("WatchlistsFresh", "NoReport").await?;
    assert!(message.contains("see the condition WorkerReady"), "{message}");
    // The twin: the report itself still says what made everything ready.
    let reports: Api<RegionReport> = Api::namespaced(here.client.clone(), "kyb-delivery-2");
    let report = reports.get("delivery-2").await?.status.unwrap_or_default();
    let settings = report.workloads[0].settings.as_ref().map(|settings| settings.resource_version.clone());
    assert_eq!(settings, Some(newest.to_string()));

    here.worker_is_ready("delivery-2", true).await?;
    here.tenant_says("otis", "Ready", "Ready").await?;
    region_says("WatchlistsFresh", "Ready").await?;
    Ok(())
}

async fn platform(here: &Here, region: &str) -> anyhow::Result<u64> {
    let map: ConfigMap = here.found(&format!("kyb-{region}"), "kyb-settings-platform").await?;
    Ok(map.resource_version().unwrap_or_default().parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_is_told_of_its_own_refused_file_and_of_no_other() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("delivery-3").await?;
    let tenants = ["pike", "quin", "rhea"];
    let mut newest = 0;
    for tenant in tenants {
        here.tenant(tenant, "delivery-3", |_| ()).await?;
        newest = newest.max(written(&here, "delivery-3", tenant).await?);
    }
    here.worker_runs("delivery-3").await?;
    here.report("delivery-3", newest.max(platform(&here, "delivery-3").await?)).await?;
    for tenant in tenants {
        here.tenant_says(tenant, "Ready", "Ready").await?;
    }
    let file = |tenant: &str| json!({"name": format!("tenant-{tenant}.yaml"), "problem": "line 3: no such field", "pod": "kyb-gateway-0"});
    let counts =
        |files: i32| json!({"workloads": 1, "refusing": 1, "refusedFiles": files, "listsFresh": "1/1"});
    let refused = json!({"refused": [file("pike"), file("quin")], "counts": counts(2)});
    here.report_also("delivery-3", refused).await?;
    for tenant in ["pike", "quin"] {
        let message = here.tenant_says(tenant, "SettingsDelivered", "SettingsRefused").await?;
        let wanted =
            format!("region delivery-3: kyb-gateway-0 refuses tenant-{tenant}.yaml: line 3: no such field");
        assert!(message.starts_with(&wanted) && message.contains("correct the spec"), "{message}");
        here.tenant_says(tenant, "Stalled", "SettingsRefused").await?;
    }
    here.tenant_says("rhea", "Ready", "Ready").await?;
    here.region_says("kyb-delivery-3", "delivery-3", "SettingsDelivered", "Ready").await?;

    // A report that leaves some out says nothing of those that it does not name.
    here.report_also("delivery-3", json!({"counts": counts(3)})).await?;
    here.tenant_says("rhea", "Ready", "NoReport").await?;
    here.tenant_says("pike", "SettingsDelivered", "SettingsRefused").await?;

    let platform = json!({"name": "platform.yaml", "problem": "lists: missing", "pod": "kyb-worker-0"});
    here.report_also("delivery-3", json!({"refused": [platform], "counts": counts(1)})).await?;
    let message =
        here.region_says("kyb-delivery-3", "delivery-3", "SettingsDelivered", "SettingsRefused").await?;
    assert!(message.contains("kyb-worker-0 refuses platform.yaml: lists: missing"), "{message}");
    here.tenant_says("pike", "Ready", "Ready").await?;
    Ok(())
}

/// A report that is newer than whatever is written says nothing of what is not written yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_policy_is_in_use_only_once_its_region_has_it_in_its_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("delivery-5").await?;
    let policy = json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "own"},
        "spec": {"memory": {"maxEntries": 500}},
    });
    here.create_in::<CachePolicy>("kyb-delivery-5", policy).await?;
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-delivery-5");
    let policies: Api<CachePolicy> = Api::namespaced(here.client.clone(), "kyb-delivery-5");
    let region_is = async |spec: Value| {
        regions.patch("delivery-5", &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await
    };
    region_is(json!({"cachePolicy": {"name": "own"}})).await?;
    here.worker_runs("delivery-5").await?;
    here.report("delivery-5", u64::MAX / 2).await?;
    here.policy_says("kyb-delivery-5", "own", "SettingsDelivered", "Ready").await?;

    region_is(json!({"paused": true})).await?;
    here.region_says("kyb-delivery-5", "delivery-5", "AccessReady", "Paused").await?;
    let more = Patch::Merge(json!({"spec": {"memory": {"maxEntries": 700}}}));
    policies.patch("own", &PatchParams::default(), &more).await?;
    let message = here.policy_says("kyb-delivery-5", "own", "SettingsDelivered", "SettingsPending").await?;
    assert_eq!(message, "region delivery-5: not every gateway obeys it yet");
    here.policy_says("kyb-delivery-5", "own", "Ready", "SettingsPending").await?;

    region_is(json!({"paused": null})).await?;
    here.policy_says("kyb-delivery-5", "own", "Ready", "Ready").await?;

    // The report is the same all the time: that the region has made its settings anew is the only news. More than once, since a
    // policy that is looked at for the region's other spec may, by chance, be looked at after that.
    for _ in 0..4 {
        region_is(json!({"paused": true})).await?;
        here.region_says("kyb-delivery-5", "delivery-5", "AccessReady", "Paused").await?;
        let maps: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-delivery-5");
        maps.delete("kyb-settings-platform", &DeleteParams::default()).await?;
        here.policy_says("kyb-delivery-5", "own", "Ready", "SettingsPending").await?;
        region_is(json!({"paused": null})).await?;
        here.policy_says("kyb-delivery-5", "own", "Ready", "Ready").await?;
        here.region_says("kyb-delivery-5", "delivery-5", "AccessReady", "Ready").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_gone_serves_nobody() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("delivery-4").await?;
    here.tenant("sage", "delivery-4", |_| ()).await?;
    here.tenant_says("sage", "SettingsDelivered", "NoReport").await?;
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-delivery-4");
    regions.delete("delivery-4", &DeleteParams::default()).await?;
    here.tenant_says("sage", "SettingsDelivered", "NoRegion").await?;
    Ok(())
}
