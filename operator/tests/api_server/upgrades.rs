//! From the charts' last version to this one, and off again.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace, PodTemplateSpec, Secret},
    },
};
use kube::{Api, ResourceExt};
use kyb_crds::{KybTenant, RegionDeployment};

use crate::{
    here::Here,
    installation::{CURRENT, Installation, Operator, PREVIOUS, SYSTEM},
};

/// What must outlast an upgrade: each object by its uid, the gateway's pods, and the root key.
#[derive(Debug, PartialEq)]
struct Standing {
    uids: Vec<Option<String>>,
    pods: Option<PodTemplateSpec>,
    root_key: Option<BTreeMap<String, ByteString>>,
}

async fn standing(here: &Here) -> anyhow::Result<Standing> {
    let client = || here.client.clone();
    let gateway = Api::<Deployment>::namespaced(client(), "kyb-us-east-1").get("kyb-gateway").await?;
    let root_key = Api::<Secret>::namespaced(client(), SYSTEM).get("kyb-root-key").await?;
    let uids = vec![
        Api::<KybTenant>::all(client()).get("acme").await?.uid(),
        Api::<Namespace>::all(client()).get("kyb-t-acme").await?.uid(),
        Api::<Secret>::namespaced(client(), "kyb-t-acme").get("kyb-key-default").await?.uid(),
        Api::<RegionDeployment>::namespaced(client(), "kyb-us-east-1").get("us-east-1").await?.uid(),
        Api::<ConfigMap>::namespaced(client(), "kyb-us-east-1").get("kyb-settings-tenant-acme").await?.uid(),
        root_key.uid(),
        gateway.uid(),
    ];
    Ok(Standing { uids, pods: gateway.spec.map(|spec| spec.template), root_key: root_key.data })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_everything_and_so_does_an_uninstallation() -> anyhow::Result<()> {
    let here = Here::of(Box::leak(Box::new(Installation::of(&PREVIOUS).await?))).await?;
    let operator = Operator::start(here.installation)?;
    here.region("us-east-1").await?;
    here.tenant("acme", "us-east-1", |_| ()).await?;
    here.migration_succeeds("kyb-us-east-1").await?;
    here.found::<Deployment>("kyb-us-east-1", "kyb-gateway").await?;
    here.found::<Secret>("kyb-t-acme", "kyb-key-default").await?;
    here.tenant_says("acme", "Ready", "NoReport").await?;
    let before = standing(&here).await?;
    drop(operator);

    here.installation.upgrade(&CURRENT)?;
    let operator = Operator::start(here.installation)?;
    // What only the newer definitions have, and the operator writes only when it works.
    let regions = Api::<RegionDeployment>::namespaced(here.client.clone(), "kyb-us-east-1");
    here.until("the newer status", || async {
        Ok(regions.get("us-east-1").await?.status.is_some_and(|status| status.template_revision.is_some()))
    })
    .await?;
    here.tenant("bolt", "us-east-1", |_| ()).await?;
    here.found::<Secret>("kyb-t-bolt", "kyb-key-default").await?;
    assert_eq!(standing(&here).await?, before, "{}", operator.log());
    drop(operator);

    here.installation.uninstall()?;
    assert_eq!(standing(&here).await?, before);
    here.installation.kubectl(&["get", "crd", "kybtenants.kyb.dev"])?;
    // Nothing of the operator's rights stays behind.
    let left = here.installation.kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "name"])?;
    assert!(!left.contains("kyb-"), "{left}");
    Ok(())
}
