//! What a region is doing.

use std::{path::PathBuf, time::Duration};

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Api, Client, ResourceExt as _, api::ListParams};

use super::{plan::RegionPlan, up::node_is_ready};
use crate::{
    kubeconfig,
    machine::{daemon, network},
};

/// The programs of every region.
const DAEMONS: [&str; 8] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "provisioner",
];

/// How long a region that is cut off may stay silent.
const ANSWER_AT_MOST: Duration = Duration::from_secs(3);

/// One region at one moment.
#[derive(Debug, Clone)]
pub struct RegionStatus {
    /// Such as `us-east-1`.
    pub name: String,
    /// The address of its node.
    pub address: String,
    /// For its administrator, on this machine.
    pub kubeconfig: PathBuf,
    /// Whether its cable is plugged in.
    pub connected: bool,
    /// The programs that should run and don't.
    pub stopped: Vec<&'static str>,
    /// Ready, or why not.
    pub node: Result<(), String>,
    /// Pods that are not ready, as `namespace/name`; none where the API server does not answer.
    pub waiting_pods: Vec<String>,
    /// The number of pods.
    pub pods: usize,
}

pub(super) async fn of(region: &RegionPlan) -> RegionStatus {
    let stopped = DAEMONS.into_iter().filter(|name| daemon::running(region, name).is_none()).collect();
    let asked = tokio::time::timeout(ANSWER_AT_MOST, ask(region)).await;
    let (node, pods) = match asked {
        Ok(Ok((node, pods))) => (node_is_ready(&node), pods),
        Ok(Err(why)) => (Err(why), vec![]),
        Err(_) => (Err("the API server does not answer".into()), vec![]),
    };
    RegionStatus {
        name: region.name.clone(),
        address: region.address(),
        kubeconfig: region.kubeconfig(),
        connected: network::is_connected(region).await,
        stopped,
        node,
        waiting_pods: pods.iter().filter(|pod| !is_ready(pod)).map(full_name).collect(),
        pods: pods.len(),
    }
}

async fn ask(region: &RegionPlan) -> Result<(Node, Vec<Pod>), String> {
    let client: Client = kubeconfig::client(&region.kubeconfig()).await.map_err(|error| error.to_string())?;
    let node = Api::<Node>::all(client.clone()).get(&region.name).await.map_err(|error| error.to_string())?;
    let pods =
        Api::<Pod>::all(client).list(&ListParams::default()).await.map_err(|error| error.to_string())?;
    Ok((node, pods.items))
}

/// Ready, or done.
fn is_ready(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let conditions = status.conditions.iter().flatten();
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    status.phase.as_deref() == Some("Succeeded") || ready.any(|condition| condition.status == "True")
}

fn full_name(pod: &Pod) -> String {
    format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any())
}
