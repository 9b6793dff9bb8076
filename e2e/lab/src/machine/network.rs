//! The network of a lab: a namespace with a bridge and no way out, one namespace a region, cables between them, and one cable from
//! the bridge to this machine, so that its kubectl and curl reach the regions.
//!
//! Each step asks for what is there first, so it can be repeated after having been killed. A cable is made with both of its ends in
//! their places, in one request to the kernel.

use std::path::{Path, PathBuf};

use crate::{
    command::{command, run},
    error::{LabError, Result},
    files,
    region::plan::{LabPlan, RegionPlan},
};

/// The bridge, in its namespace.
const BRIDGE: &str = "wan";

/// The chain of a region's packet filter that [`cut_from`] fills.
const CUT: &str = "KYB-LAB-CUT";

/// Where `ip netns` mounts namespaces.
pub(crate) const NAMESPACES: &str = "/run/netns";

/// Joins the regions to come, and this machine.
pub(crate) async fn ensure_wan(lab: &LabPlan) -> Result<()> {
    let wan = lab.name.wan();
    ensure_namespace(&wan).await?;
    if !link_exists(Some(&wan), BRIDGE).await {
        ip(&format!("-n {wan} link add {BRIDGE} type bridge")).await?;
    }
    ip(&format!("-n {wan} addr replace {}/24 dev {BRIDGE}", lab.bridge_address())).await?;
    ip(&format!("-n {wan} link set {BRIDGE} up")).await?;
    let link = lab.host_link();
    if !link_exists(None, &link).await {
        ip(&format!("link add {link} type veth peer name host netns {wan}")).await?;
    }
    plug_in(&wan, "host").await?;
    ip(&format!("addr replace {}/24 dev {link}", lab.host_address())).await?;
    ip(&format!("link set {link} up")).await
}

/// Makes a region's namespace and its cable to the bridge.
pub(crate) async fn ensure_region(region: &RegionPlan) -> Result<()> {
    let (wan, namespace, port) = (region.lab.name.wan(), region.namespace(), &region.name);
    ensure_namespace(&namespace).await?;
    if !link_exists(Some(&wan), port).await {
        ip(&format!("link add {port} netns {wan} type veth peer name eth0 netns {namespace}")).await?;
    }
    if !has_master(&wan, port).await? {
        plug_in(&wan, port).await?;
    }
    ip(&format!("-n {namespace} link set lo up")).await?;
    ip(&format!("-n {namespace} addr replace {}/24 dev eth0", region.address())).await?;
    ip(&format!("-n {namespace} link set eth0 up")).await?;
    // It leads nowhere, but without it ClusterIPs answer that the network is unreachable.
    ip(&format!("-n {namespace} route replace default via {}", region.lab.bridge_address())).await?;
    // Pods are routed through their node; traffic between pods on one bridge has to pass the rules of services.
    let settings =
        "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables";
    inside(region, "set up forwarding", "sh", &["-c", settings]).await.map(|_| ())
}

/// Takes a region off the network, or back on.
pub(crate) async fn set_connected(region: &RegionPlan, connected: bool) -> Result<()> {
    let state = if connected { "up" } else { "down" };
    ip(&format!("-n {} link set {} {state}", region.lab.name.wan(), region.name)).await
}

/// Drops all packets between a region and another, of existing connections too; this machine still reaches both.
pub(crate) async fn cut_from(region: &RegionPlan, other: &RegionPlan) -> Result<()> {
    let address = other.address();
    let jumps = ["INPUT", "OUTPUT", "FORWARD"].map(|chain| {
        format!("iptables -w -C {chain} -j {CUT} 2>/dev/null || iptables -w -I {chain} -j {CUT} || exit 1")
    });
    let drops = ["-s", "-d"].map(|side| {
        let rule = format!("{CUT} {side} {address} -j DROP");
        format!("iptables -w -C {rule} 2>/dev/null || iptables -w -A {rule} || exit 1")
    });
    let script =
        [vec![format!("iptables -w -N {CUT} 2>/dev/null")], jumps.into(), drops.into()].concat().join("\n");
    inside(region, "cut regions apart", "sh", &["-c", &script]).await.map(|_| ())
}

/// Undoes every [`cut_from`] of a region.
pub(crate) async fn mend(region: &RegionPlan) -> Result<()> {
    let script = format!("iptables -w -F {CUT} 2>/dev/null || true");
    inside(region, "mend the network", "sh", &["-c", &script]).await.map(|_| ())
}

/// Whether a region is on the network, as far as its cable goes.
pub(crate) async fn is_connected(region: &RegionPlan) -> bool {
    let line = format!("-n {} -o link show dev {}", region.lab.name.wan(), region.name);
    run("look at a cable", command("ip", line.split(' '))).await.is_ok_and(|said| said.contains(",UP"))
}

/// Runs a program in a region's network. `ip netns exec` would mount another /sys, without the cgroups.
pub(crate) async fn inside(
    region: &RegionPlan,
    doing: &str,
    program: &str,
    arguments: &[&str],
) -> Result<String> {
    let namespace = format!("--net={}", namespace_path(&region.namespace()).display());
    let words = [namespace.as_str(), "--", program].into_iter().chain(arguments.iter().copied());
    run(doing, command("nsenter", words)).await
}

/// Removes a namespace with all of its links.
pub(crate) async fn remove_namespace(name: &str) -> Result<()> {
    if namespace_path(name).exists() {
        ip(&format!("netns del {name}")).await?;
    }
    Ok(())
}

/// Unplugs this machine.
pub(crate) async fn remove_host_link(lab: &LabPlan) -> Result<()> {
    let link = lab.host_link();
    if link_exists(None, &link).await { ip(&format!("link del {link}")).await } else { Ok(()) }
}

/// The processes in a namespace.
pub(crate) async fn processes_in(namespace: &str) -> Result<Vec<i32>> {
    if !is_namespace(&namespace_path(namespace)) {
        return Ok(vec![]);
    }
    let said = run("look for processes", command("ip", ["netns", "pids", namespace])).await?;
    Ok(said.lines().filter_map(|line| line.trim().parse().ok()).collect())
}

/// The file that stands for a namespace.
pub(crate) fn namespace_path(name: &str) -> PathBuf {
    Path::new(NAMESPACES).join(name)
}

async fn ensure_namespace(name: &str) -> Result<()> {
    let path = namespace_path(name);
    if is_namespace(&path) {
        return Ok(());
    }
    if path.exists() {
        // A file that nothing was mounted on: whoever made it was killed in between.
        std::fs::remove_file(&path).map_err(LabError::file("remove", path))?;
    }
    ip(&format!("netns add {name}")).await
}

fn is_namespace(path: &Path) -> bool {
    let mounts = files::read_if_any(Path::new("/proc/self/mountinfo")).ok().flatten().unwrap_or_default();
    let place = path.display().to_string();
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(&place) && line.contains(" - nsfs "))
}

/// The port is on the bridge last, so that one that is there was not left behind down; a region that was cut off is down and
/// stays so.
async fn plug_in(wan: &str, port: &str) -> Result<()> {
    ip(&format!("-n {wan} link set {port} up")).await?;
    ip(&format!("-n {wan} link set {port} master {BRIDGE}")).await
}

async fn has_master(wan: &str, port: &str) -> Result<bool> {
    let line = format!("-n {wan} -o link show dev {port}");
    Ok(run("look at a cable", command("ip", line.split(' '))).await?.contains("master"))
}

async fn link_exists(namespace: Option<&str>, link: &str) -> bool {
    let place = namespace.map(|name| vec!["-n", name]).unwrap_or_default();
    let words = place.into_iter().chain(["link", "show", "dev", link]);
    run("look for a link", command("ip", words)).await.is_ok()
}

async fn ip(line: &str) -> Result<()> {
    run("set up the network", command("ip", line.split(' '))).await.map(|_| ())
}
