//! Removes everything of a lab, in whatever state it is.
//!
//! Shims outlive containerd, and containers outlive shims. What finds every process is the region's cgroup, which is in every
//! hierarchy; what finds every mount is the region's folder, which holds all that containerd and kubelet keep.

use std::path::Path;

use super::{
    node::pod_network_name,
    plan::{LabName, LabPlan, REGIONS, RegionPlan},
};
use crate::{
    error::Result,
    files,
    machine::{cgroups, kill, mounts, network},
    steps::Steps,
};

/// Where containerd keeps a folder for each pod, below the region's own.
const SANDBOXES: &str = "containerd/root/io.containerd.grpc.v1.cri/sandboxes";

/// Where network plugins remember pods, in files named by network and pod.
const PLUGIN_RESULTS: &str = "/var/lib/cni/results";

/// Where kubelet links the logs of containers from.
const CONTAINER_LOGS: &str = "/var/log/containers";

/// Where containerd's shims put their sockets, named by a digest that does not tell whose they are.
const SHIM_SOCKETS: &str = "/run/containerd/s";

pub(super) async fn down(name: &LabName, steps: Steps) -> Result<()> {
    // The number only matters for the cable to this machine, which goes away with the bridge's namespace as well.
    let number = super::number_of(name).ok().flatten();
    let lab = LabPlan { name: name.clone(), number: number.unwrap_or(0) };
    for region in lab.regions(REGIONS.len())? {
        if is_there(&region) {
            steps.step(&region.name, "removed", remove(&region)).await?;
        }
    }
    if number.is_some() {
        network::remove_host_link(&lab).await?;
    }
    network::remove_namespace(&name.wan()).await?;
    cgroups::remove(&name.cgroup()).await?;
    mounts::unmount_below(&name.folder())?;
    files::remove_folder(&name.folder())?;
    remove_what_labs_share()
}

/// What all labs use goes with the last of them. No lab begins meanwhile, and one that has begun has its number.
fn remove_what_labs_share() -> Result<()> {
    let labs = super::all_labs()?;
    if labs.taken.is_empty() {
        cgroups::remove_if_empty("/kyb-lab")?;
        mounts::unmount_if_empty(Path::new(network::NAMESPACES));
        remove_dead_sockets(Path::new(SHIM_SOCKETS));
    }
    Ok(())
}

fn is_there(region: &RegionPlan) -> bool {
    let traces =
        [region.folder(), network::namespace_path(&region.namespace()), cgroups::procs(&region.cgroup())];
    traces.iter().any(|trace| trace.exists())
}

async fn remove(region: &RegionPlan) -> Result<()> {
    cgroups::kill_all(&region.cgroup()).await?;
    network::processes_in(&region.namespace()).await?.into_iter().for_each(kill);
    mounts::unmount_below(&region.folder())?;
    cgroups::remove(&region.cgroup()).await?;
    network::remove_namespace(&region.namespace()).await?;
    forget_pods(region);
    files::remove_folder(&region.folder())
}

/// Small files outside the region's folder, which nothing reads any more. Leaving one is no failure.
fn forget_pods(region: &RegionPlan) {
    let sandboxes = entries(&region.folder().join(SANDBOXES))
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let known: Vec<String> = sandboxes.chain([pod_network_name(region)]).collect();
    for entry in entries(Path::new(PLUGIN_RESULTS)) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if known.iter().any(|part| name.contains(part)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    for entry in entries(Path::new(CONTAINER_LOGS)) {
        if std::fs::read_link(entry.path()).is_ok_and(|target| target.starts_with(region.folder())) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Those that nobody listens on. A shim that lives, ours or another's, accepts the connection.
fn remove_dead_sockets(folder: &Path) {
    for entry in entries(folder) {
        let refused = std::os::unix::net::UnixStream::connect(entry.path())
            .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
        if refused {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = std::fs::DirEntry> + use<> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_that_is_listened_on_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (alive, dead) = (folder.path().join("alive"), folder.path().join("dead"));
        let _listener = UnixListener::bind(&alive).unwrap();
        drop(UnixListener::bind(&dead).unwrap());
        remove_dead_sockets(folder.path());
        assert!(alive.exists() && !dead.exists());
    }
}
