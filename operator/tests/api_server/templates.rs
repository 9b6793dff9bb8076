//! Which revision of the pod templates a region's pods are made of.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::PodTemplateSpec,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use kyb_crds::RegionDeployment;
use serde_json::{Value, json};

use crate::{
    here::{Here, region_deployment},
    installation::here,
};

const REVISION: &str = "kyb.dev/template-revision";

/// A region whose migration has succeeded, with its gateway.
struct Region<'a> {
    here: &'a Here,
    name: &'static str,
    namespace: String,
}

impl<'a> Region<'a> {
    async fn make(here: &'a Here, name: &'static str, revision: Value) -> anyhow::Result<Self> {
        let namespace = format!("kyb-{name}");
        here.namespace(&namespace, json!({"kyb.dev/region": name})).await?;
        let mut region = region_deployment(name);
        region["spec"]["templateRevision"] = revision;
        here.create_in::<RegionDeployment>(&namespace, region).await?;
        here.migration_succeeds(&namespace).await?;
        let region = Self { here, name, namespace };
        region.gateway().await?;
        Ok(region)
    }

    async fn gateway(&self) -> anyhow::Result<Deployment> {
        self.here.found(&self.namespace, "kyb-gateway").await
    }

    /// Changes the spec, and waits until the operator has seen it.
    async fn change(&self, spec: Value) -> anyhow::Result<RegionDeployment> {
        let api = Api::<RegionDeployment>::namespaced(self.here.client.clone(), &self.namespace);
        let patch = Patch::Merge(json!({ "spec": spec }));
        let generation = api.patch(self.name, &PatchParams::default(), &patch).await?.metadata.generation;
        self.here
            .until("the change to be seen", || async {
                Ok(api
                    .get(self.name)
                    .await?
                    .status
                    .is_some_and(|status| status.observed_generation >= generation))
            })
            .await?;
        Ok(api.get(self.name).await?)
    }

    async fn says(&self, kind: &str, reason: &str) -> anyhow::Result<String> {
        self.here.region_says(&self.namespace, self.name, kind, reason).await
    }
}

fn revision(workload: &Deployment) -> Option<&str> {
    workload.annotations().get(REVISION).map(String::as_str)
}

/// What the pods are made of; the generation grows with each number of replicas, too.
fn template(workload: &Deployment) -> Option<&PodTemplateSpec> {
    workload.spec.as_ref().map(|spec| &spec.template)
}

fn has_a_startup_probe(workload: &Deployment) -> bool {
    let pod = template(workload).and_then(|template| template.spec.as_ref());
    pod.is_some_and(|pod| pod.containers.iter().any(|container| container.startup_probe.is_some()))
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_stay_as_they_are_until_their_region_asks_for_newer_templates() -> anyhow::Result<()> {
    let here = here().await?;
    let region = Region::make(&here, "templates-1", json!(1)).await?;
    let first = region.gateway().await?;
    assert!(!has_a_startup_probe(&first) && revision(&first) == Some("1"));

    // As a region that an older operator made, and that never named a revision.
    let seen = region.change(json!({"templateRevision": null})).await?;
    assert_eq!(seen.status.unwrap_or_default().template_revision, Some(1));
    let message = region.says("TemplateUpdateAvailable", "NewerTemplates").await?;
    assert!(message.contains("set spec.templateRevision to 2"), "{message}");
    let gateways = Api::<Deployment>::namespaced(here.client.clone(), &region.namespace);
    let unmarked = Patch::Merge(json!({"metadata": {"annotations": {REVISION: null}}}));
    gateways.patch("kyb-gateway", &PatchParams::default(), &unmarked).await?;
    here.until("the revision to be noted again", || async {
        Ok(revision(&region.gateway().await?) == Some("1"))
    })
    .await?;
    assert_eq!(template(&region.gateway().await?), template(&first), "no pod was replaced");

    region.change(json!({"templateRevision": 2})).await?;
    here.until("the newer templates", || async { Ok(has_a_startup_probe(&region.gateway().await?)) }).await?;
    let status = region.change(json!({"templateRevision": null})).await?.status.unwrap_or_default();
    assert_eq!((status.template_revision, status.latest_template_revision), (Some(2), Some(2)));
    assert!(status.conditions.iter().all(|condition| condition.type_ != "TemplateUpdateAvailable"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_the_operator_does_not_know_changes_nothing() -> anyhow::Result<()> {
    let here = here().await?;
    let region = Region::make(&here, "templates-2", Value::Null).await?;
    let newest = region.gateway().await?;
    assert!(has_a_startup_probe(&newest) && revision(&newest) == Some("2"), "a new region gets the newest");
    region.change(json!({"templateRevision": 7, "telemetry": {"logLevel": "debug"}})).await?;
    let message = region.says("Ready", "InvalidSpec").await?;
    assert!(message.contains("revision 7") && message.contains("upgrade the operator"), "{message}");
    assert_eq!(template(&region.gateway().await?), template(&newest));
    Ok(())
}

/// The twin: it is the workloads that hold a region to their revision. When none is left, nothing does.
#[tokio::test(flavor = "multi_thread")]
async fn without_what_stands_on_the_workloads_pods_are_made_of_the_newest_templates() -> anyhow::Result<()> {
    let here = here().await?;
    let region = Region::make(&here, "templates-3", json!(1)).await?;
    region.change(json!({"templateRevision": null, "paused": true})).await?;
    region.says("AccessReady", "Paused").await?;
    let gone = DeleteParams::default();
    let deployments = Api::<Deployment>::namespaced(here.client.clone(), &region.namespace);
    for name in ["kyb-gateway", "kyb-worker"] {
        deployments.delete(name, &gone).await?;
    }
    let sets = Api::<StatefulSet>::namespaced(here.client.clone(), &region.namespace);
    sets.delete("kyb-postgres", &gone).await?;
    region.change(json!({"paused": false})).await?;
    here.until("the newest templates", || async {
        let gateway = deployments.get_opt("kyb-gateway").await?;
        Ok(gateway.is_some_and(|gateway| has_a_startup_probe(&gateway)))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_a_migrations_pods_is_another_migration() -> anyhow::Result<()> {
    let here = here().await?;
    let region = Region::make(&here, "templates-4", Value::Null).await?;
    let serving = region.gateway().await?.uid();
    region.change(json!({"telemetry": {"logLevel": "debug"}})).await?;
    here.migration_succeeds(&region.namespace).await?;
    here.until("the gateway to log more", || async {
        let gateway = serde_json::to_value(region.gateway().await?)?;
        let variables = gateway.pointer("/spec/template/spec/containers/0/env").cloned();
        Ok(variables.is_some_and(|variables| variables.to_string().contains("debug")))
    })
    .await?;
    region.says("Migrated", "Ready").await?;
    assert_eq!(region.gateway().await?.uid(), serving, "what serves goes on meanwhile");
    Ok(())
}
