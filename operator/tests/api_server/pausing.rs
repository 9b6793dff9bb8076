//! What `spec.paused` stops, and what it does not.

use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use kyb_crds::{CachePolicy, RegionDeployment};
use serde_json::{Value, json};

use crate::{
    here::region_deployment,
    installation::{OPERATOR, here},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_region_is_written_to_no_more_and_does_not_claim_to_work() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-8").await?;
    let region = async |kind: &str, reason: &str| {
        here.region_says("kyb-conditions-8", "conditions-8", kind, reason).await
    };
    region("Ready", "ReplicasUnavailable").await?;
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-conditions-8");
    let pause = Patch::Merge(json!({"spec": {"paused": true}}));
    regions.patch("conditions-8", &PatchParams::default(), &pause).await?;
    region("AccessReady", "Paused").await?;
    let services: Api<Service> = Api::namespaced(here.client.clone(), "kyb-conditions-8");
    let mark = here.installation.plane.audit_mark().await?;
    services.delete("kyb-postgres", &DeleteParams::default()).await?;
    let change = Patch::Merge(json!({"spec": {"telemetry": {"logLevel": "debug"}}}));
    let changed = regions.patch("conditions-8", &PatchParams::default(), &change).await?;
    here.until("the operator to look at it", || async {
        let status = regions.get("conditions-8").await?.status.unwrap_or_default();
        Ok(status.observed_generation == changed.metadata.generation)
    })
    .await?;
    let events = here.installation.plane.audited_since(mark).await?;
    let wrote: Vec<_> = events
        .iter()
        .filter(|event| {
            event.is_write() && event.username() == OPERATOR && event.resource() != "regiondeployments"
        })
        .filter(|event| event.request_uri.contains("/kyb-conditions-8/"))
        .map(|event| event.request_uri.clone())
        .collect();
    assert_eq!(wrote, [""; 0]);
    region("Ready", "ReplicasUnavailable").await?;
    let go_on = Patch::Merge(json!({"spec": {"paused": false}}));
    regions.patch("conditions-8", &PatchParams::default(), &go_on).await?;
    here.found::<Service>("kyb-conditions-8", "kyb-postgres").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_cache_policy_hands_on_no_change() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-conditions-9", json!({"kyb.dev/region": "conditions-9"})).await?;
    let classes = |ttl: &str| json!([{"name": "sanctions", "ttl": ttl}]);
    let policy = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "own"}, "spec": {"classes": classes("1h")}});
    here.create_in::<CachePolicy>("kyb-conditions-9", policy).await?;
    let mut deployment = region_deployment("conditions-9");
    deployment["spec"]["cachePolicy"] = json!({"name": "own"});
    here.create_in::<RegionDeployment>("kyb-conditions-9", deployment).await?;
    let maps: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-conditions-9");
    let told = async |wanted: &str| {
        here.until(wanted, || async {
            let map =
                maps.get_opt("kyb-settings-platform").await?.and_then(|map| map.data).unwrap_or_default();
            Ok(map.into_values().any(|text| text.contains(wanted)))
        })
        .await
    };
    told("ttl: 1h").await?;
    let policies: Api<CachePolicy> = Api::namespaced(here.client.clone(), "kyb-conditions-9");
    let change = async |spec: Value| {
        policies.patch("own", &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await
    };
    change(json!({"paused": true, "classes": classes("2h")})).await?;
    // Something else of the same file, which is handed on.
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-conditions-9");
    let lists = json!({"spec": {"watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://other.example/"}]}});
    regions.patch("conditions-9", &PatchParams::default(), &Patch::Merge(lists)).await?;
    told("https://other.example/").await?;
    told("ttl: 1h").await?;
    change(json!({"paused": false})).await?;
    told("ttl: 2h").await
}
