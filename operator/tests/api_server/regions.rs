//! What becomes of a RegionDeployment.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    core::v1::{ConfigMap, Secret},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use kube::ResourceExt;
use kyb_crds::RegionDeployment;
use serde_json::json;

use crate::{here::region_deployment, installation::here};

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

    here.migration_succeeds("kyb-region-1").await?;
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
