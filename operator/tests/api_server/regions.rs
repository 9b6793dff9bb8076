//! What becomes of a RegionDeployment.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, Pod, Secret},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use kyb_crds::RegionDeployment;
use serde_json::json;

use crate::installation::{here, region_deployment};

#[tokio::test(flavor = "multi_thread")]
async fn workloads_wait_for_the_migration_and_then_come() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("region-1").await?;
    here.found::<StatefulSet>("kyb-region-1", "kyb-postgres").await?;
    here.found::<Secret>("kyb-region-1", "kyb-postgres").await?;
    here.region_says("kyb-region-1", "region-1", "Migrated", "Migrating").await?;
    here.region_says("kyb-region-1", "region-1", "GatewayReady", "Progressing").await?;
    assert_eq!(
        here.names::<Deployment>("kyb-region-1").await?,
        [""; 0],
        "nothing serves before the tables are there"
    );

    // No kubelet runs the Job's pod; that it succeeded is said in its place, and the Job's own controller does the rest.
    let job = here.names::<Job>("kyb-region-1").await?.remove(0);
    let pods: Api<Pod> = Api::namespaced(here.client.clone(), "kyb-region-1");
    let of_job = ListParams::default().labels(&format!("job-name={job}"));
    here.until("the Job's pod", || async { Ok(!pods.list(&of_job).await?.items.is_empty()) }).await?;
    let pod = pods.list(&of_job).await?.items.remove(0).name_any();
    let succeeded = json!({"status": {"phase": "Succeeded"}});
    pods.patch_status(&pod, &PatchParams::default(), &Patch::Merge(succeeded)).await?;
    let gateway: Deployment = here.found("kyb-region-1", "kyb-gateway").await?;
    here.found::<Deployment>("kyb-region-1", "kyb-worker").await?;
    here.found::<HorizontalPodAutoscaler>("kyb-region-1", "kyb-gateway").await?;
    here.found::<PodDisruptionBudget>("kyb-region-1", "kyb-gateway").await?;
    assert_eq!(here.names::<NetworkPolicy>("kyb-region-1").await?.len(), 6);
    let managers = gateway
        .managed_fields()
        .iter()
        .filter(|entry| entry.manager.as_deref() == Some("kyb-operator/region"));
    let owned = serde_json::to_string(&managers.collect::<Vec<_>>())?;
    assert!(!owned.contains("f:replicas"), "the autoscaler's field is not ours: {owned}");
    here.region_says("kyb-region-1", "region-1", "GatewayReady", "ReplicasUnavailable").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_the_label_is_refused_until_it_has_it() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-region-2", json!({})).await?;
    here.create_in::<RegionDeployment>("kyb-region-2", region_deployment("region-2")).await?;
    let message = here.region_says("kyb-region-2", "region-2", "Ready", "NamespaceNotLabelled").await?;
    assert!(message.contains("kubectl label namespace kyb-region-2 kyb.dev/region=region-2"), "{message}");
    assert_eq!(here.names::<Secret>("kyb-region-2").await?, [""; 0]);
    let labelled = here
        .installation
        .plane
        .kubectl()
        .args(["label", "namespace", "kyb-region-2", "kyb.dev/region=region-2"])
        .output()?;
    assert!(labelled.status.success());
    here.found::<ConfigMap>("kyb-region-2", "kyb-settings-platform").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_deployment_of_a_region_says_so() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("region-3").await?;
    here.found::<ConfigMap>("kyb-region-3", "kyb-settings-platform").await?;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // ages are told in whole seconds
    here.namespace("kyb-other", json!({"kyb.dev/region": "region-3"})).await?;
    let mut second = region_deployment("region-3");
    second["metadata"]["namespace"] = "kyb-other".into();
    here.create_in::<RegionDeployment>("kyb-other", second).await?;
    let message = here.region_says("kyb-other", "region-3", "Ready", "DuplicateRegion").await?;
    assert!(message.contains("kyb-region-3/region-3"), "{message}");
    assert_eq!(here.names::<ConfigMap>("kyb-other").await?, ["kube-root-ca.crt"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_or_policy_that_does_not_exist_is_named() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-region-4", json!({"kyb.dev/region": "region-4"})).await?;
    let mut deployment = region_deployment("region-4");
    let reference = |key: &str| json!({"name": "database", "key": key});
    deployment["spec"]["database"] = json!({"external": {
        "migrator": reference("migrator"), "runtime": reference("runtime"), "reader": reference("reader"),
    }});
    deployment["spec"]["cachePolicy"] = json!({"name": "none"});
    here.create_in::<RegionDeployment>("kyb-region-4", deployment).await?;
    let message = here.region_says("kyb-region-4", "region-4", "DatabaseReady", "SecretNotFound").await?;
    assert!(
        message.contains("spec.database.external.migrator") && message.contains("kyb-region-4/database"),
        "{message}"
    );
    let message =
        here.region_says("kyb-region-4", "region-4", "SettingsDelivered", "ReferenceNotFound").await?;
    assert!(message.contains("CachePolicy kyb-region-4/none"), "{message}");
    let secret = json!({"metadata": {"name": "database"}, "stringData": {"migrator": "postgres://x"}});
    here.create_in::<Secret>("kyb-region-4", secret).await?;
    let message = here.region_says("kyb-region-4", "region-4", "DatabaseReady", "SecretKeyNotFound").await?;
    assert!(message.contains("no key `runtime`"), "{message}");
    Ok(())
}
