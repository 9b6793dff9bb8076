//! In place of kubelets and workers: every migration succeeds, every other pod is ready, and every region reports that its
//! gateways use the newest settings.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use kyb_crds::{RegionDeployment, RegionReport, names};
use serde_json::{Value, json};

use crate::ground::AT_A_TIME;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(400);

/// Works for as long as it is polled; ends only with an error.
pub(crate) async fn work(client: &Client) -> anyhow::Error {
    loop {
        if let Err(why) = round(client).await {
            return why;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn round(client: &Client) -> anyhow::Result<()> {
    run_pods(client).await?;
    report(client).await
}

async fn run_pods(client: &Client) -> anyhow::Result<()> {
    let ours = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
    let waiting = ListParams::default().labels(&ours).fields("status.phase=Pending").match_any();
    let pods = Api::<Pod>::all(client.clone()).list(&waiting).await?;
    let secrets = Api::<Secret>::all(client.clone()).list(&ListParams::default().match_any()).await?.items;
    let patches = pods.items.iter().filter(|pod| can_be_mounted(pod, &secrets)).map(|pod| {
        let is_migration = pod.labels().get(names::COMPONENT_LABEL).is_some_and(|it| it == "migration");
        let status = if is_migration {
            json!({"phase": "Succeeded"})
        } else {
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        };
        let api: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
        let name = pod.name_any();
        async move { gone_is_fine(says(&api, &name, &status).await) }
    });
    stream::iter(patches).buffer_unordered(AT_A_TIME).collect::<Vec<_>>().await.into_iter().collect()
}

/// A kubelet starts no pod before every Secret that it mounts is there with every key.
fn can_be_mounted(pod: &Pod, secrets: &[Secret]) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| volume.secret.as_ref()).all(|wanted| {
        let is_it = |secret: &&Secret| {
            secret.namespace() == pod.namespace() && wanted.secret_name == secret.metadata.name
        };
        let data = secrets.iter().find(is_it).map(|secret| secret.data.clone().unwrap_or_default());
        let mut keys = wanted.items.iter().flatten().map(|item| &item.key);
        data.is_some_and(|data| keys.all(|key| data.contains_key(key)))
    })
}

async fn report(client: &Client) -> anyhow::Result<()> {
    let settings = ListParams::default().labels(names::SETTINGS_LABEL).match_any();
    let maps = Api::<ConfigMap>::all(client.clone()).list_metadata(&settings).await?;
    let mut newest: BTreeMap<String, u64> = BTreeMap::new();
    for map in maps {
        let version = map.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0);
        let known = newest.entry(map.namespace().unwrap_or_default()).or_default();
        *known = version.max(*known);
    }
    let all = ListParams::default().match_any();
    let regions = Api::<RegionDeployment>::all(client.clone()).list(&all).await?;
    for report in Api::<RegionReport>::all(client.clone()).list(&all).await? {
        let namespace = report.namespace().unwrap_or_default();
        let region = regions.iter().find(|region| region.namespace().as_ref() == Some(&namespace));
        let Some(region) = region else { continue };
        let status = status(region, newest.get(&namespace).copied().unwrap_or(0));
        if serde_json::to_value(&report.status)? != status {
            let api: Api<RegionReport> = Api::namespaced(client.clone(), &namespace);
            let mut change = status;
            if change.get("watchlists").is_none() {
                change["watchlists"] = Value::Null; // a merge leaves alone what it does not name
            }
            gone_is_fine(says(&api, &report.name_any(), &change).await)?;
        }
    }
    Ok(())
}

/// What a worker says that is content with everything.
fn status(region: &RegionDeployment, version: u64) -> Value {
    let fresh = region.spec.watchlists.iter().map(|list| json!({"name": list.name, "state": "Fresh"}));
    let mut status = json!({
        "workloads": [{
            "name": "kyb-gateway-0", "component": "gateway", "version": "0.1.0",
            "settings": {"resourceVersion": version.to_string()},
        }],
        "caches": [{"class": "sanctions", "hitRatePercent": 90}],
        "database": {"schemaVersion": 1},
    });
    let fresh: Vec<Value> = fresh.collect();
    if !fresh.is_empty() {
        status["watchlists"] = fresh.into();
    }
    status
}

async fn says<K>(api: &Api<K>, name: &str, status: &Value) -> kube::Result<()>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(name, &PatchParams::default(), &patch).await.map(drop)
}

fn gone_is_fine(answer: kube::Result<()>) -> anyhow::Result<()> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        other => Ok(other?),
    }
}
