//! What makes a region's one node: containerd, kubelet and kube-proxy, and how they are told apart from the other regions'.

use std::path::PathBuf;

use serde_json::json;

use super::plan::RegionPlan;
use crate::{build::Binaries, components::Program, images::PAUSE, machine::daemon::Daemon};

/// Where Debian puts network plugins.
const NETWORK_PLUGINS: &str = "/usr/lib/cni";

/// Runs containers. Everything that it keeps is below the region's folder, network namespaces of pods included, so that all of it
/// can be found again.
pub(crate) fn containerd(region: &RegionPlan) -> Daemon {
    let folder = region.folder().join("containerd");
    let config = folder.join("config.toml");
    let program = Program {
        name: "containerd",
        path: "containerd".into(),
        arguments: vec![format!("--config={}", config.display())],
    };
    let configuration = vec![
        (config, containerd_config(region)),
        (network_folder(region).join("10-pods.conflist"), pod_network(region)),
    ];
    Daemon { region: region.clone(), program, configuration }
}

/// The kernel of this kind of machine refuses negative scores for the killer of processes, hence `restrict_oom_score_adj`.
fn containerd_config(region: &RegionPlan) -> String {
    let folder = region.folder().join("containerd");
    let (folder, network, socket) = (folder.display(), network_folder(region), region.containerd_socket());
    let (network, socket) = (network.display(), socket.display());
    format!(
        r#"version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]

[grpc]
address = "{socket}"

[ttrpc]
address = "{socket}.ttrpc"

[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{NETWORK_PLUGINS}"
conf_dir = "{network}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "{folder}/runc"
SystemdCgroup = false
"#
    )
}

fn network_folder(region: &RegionPlan) -> PathBuf {
    region.folder().join("network")
}

/// The name under which network plugins remember a region's pods.
pub(crate) fn pod_network_name(region: &RegionPlan) -> String {
    format!("kyb-lab-{}", region.namespace())
}

/// Pods hang on a bridge in the region's namespace; hairpin mode lets a pod reach itself through its Service.
fn pod_network(region: &RegionPlan) -> String {
    let addresses = json!({
        "type": "host-local",
        "ranges": [[{"subnet": region.node_pod_range()}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": region.folder().join("addresses"),
    });
    let bridge = json!({
        "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam": addresses,
    });
    let ports = json!({"type": "portmap", "capabilities": {"portMappings": true}});
    json!({"cniVersion": "1.0.0", "name": pod_network_name(region), "plugins": [bridge, ports]}).to_string()
}

/// The kubelet's serving certificate and the one that it shows to the API server, below the region's certificates.
pub(crate) const KUBELET_SERVER: &str = "kubelet-server";
pub(crate) const KUBELET_CLIENT: &str = "kubelet";

/// Runs pods. Without a `cgroupRoot` and a `podLogsDir` of its own, two kubelets on one machine delete each other's pods and logs.
pub(crate) fn kubelet(region: &RegionPlan, binaries: &Binaries) -> Daemon {
    let folder = region.folder();
    let (config, resolver) = (folder.join("kubelet.yaml"), folder.join("resolv.conf"));
    let name = &region.name;
    let place = format!("topology.kubernetes.io/region={name},topology.kubernetes.io/zone={name}a");
    let arguments = vec![
        format!("--config={}", config.display()),
        format!("--kubeconfig={}", folder.join("kubeconfigs").join(KUBELET_CLIENT).display()),
        format!("--root-dir={}", folder.join("kubelet").display()),
        format!("--cert-dir={}", folder.join("kubelet-certificates").display()),
        format!("--hostname-override={name}"),
        format!("--node-ip={}", region.address()),
        format!("--node-labels={place}"),
    ];
    let program = Program { name: "kubelet", path: binaries.path("kubelet"), arguments };
    // Pods that use the node's resolver get no answer at once, rather than a timeout.
    let configuration = vec![(config, kubelet_config(region)), (resolver, "nameserver 127.0.0.1\n".into())];
    Daemon { region: region.clone(), program, configuration }
}

fn kubelet_config(region: &RegionPlan) -> String {
    let folder = region.folder();
    let certificate = |file: &str| folder.join("certificates").join(file);
    let little = "10Mi"; // the disk is shared with whatever else the machine does
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true}, "x509": {"clientCAFile": certificate("ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": certificate(&format!("{KUBELET_SERVER}.crt")),
        "tlsPrivateKeyFile": certificate(&format!("{KUBELET_SERVER}.key")),
        "containerRuntimeEndpoint": format!("unix://{}", region.containerd_socket().display()),
        "clusterDNS": [region.dns_address()],
        "clusterDomain": "cluster.local",
        "resolvConf": folder.join("resolv.conf"),
        "podLogsDir": folder.join("pod-logs"),
        "volumePluginDir": folder.join("volume-plugins"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": region.cgroup(),
        "failCgroupV1": false,
        "failSwapOn": false,
        "oomScoreAdj": 0,
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": little, "nodefs.available": little, "imagefs.available": little},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "2s",
        "syncFrequency": "5s",
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "serializeImagePulls": false,
    });
    config.to_string()
}

/// Makes Services reach pods.
pub(crate) fn kube_proxy(region: &RegionPlan, binaries: &Binaries) -> Daemon {
    let folder = region.folder();
    let config = folder.join("kube-proxy.yaml");
    let text = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": folder.join("kubeconfigs/kube-proxy")},
        "mode": "iptables",
        "clusterCIDR": region.pod_range(),
        "hostnameOverride": region.name,
        "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "min": 0}, // not ours to set: it is the whole machine's
    });
    let program = Program {
        name: "kube-proxy",
        path: binaries.path("kube-proxy"),
        arguments: vec![format!("--config={}", config.display())],
    };
    Daemon { region: region.clone(), program, configuration: vec![(config, text.to_string())] }
}
