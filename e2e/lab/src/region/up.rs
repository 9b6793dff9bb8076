//! In which order a region comes up. Every step makes what is missing and leaves what is there.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Node};
use kube::{Api, Client};

use super::{
    addons, ctr,
    node::{self, KUBELET_CLIENT, KUBELET_SERVER},
    plan::{API_SERVER_PORT, RegionPlan},
};
use crate::{
    audit,
    build::Binaries,
    certificates::{Certificates, Subject, client},
    components::{Layout, Program},
    error::{LabError, Result},
    files,
    images::AddonImages,
    kubeconfig::{self, Identity},
    machine::{cgroups, daemon::Daemon, network},
    requests,
    steps::Steps,
    waiting::until,
};

/// How long a step may take on a machine that is busy with other things.
const STEP_AT_MOST: Duration = Duration::from_mins(3);

/// What regions are made of.
#[derive(Debug)]
pub(super) struct Parts {
    binaries: Binaries,
    images: AddonImages,
    program: PathBuf,
}

/// Builds what is missing: about ten minutes on two cores on a machine that has nothing.
pub(super) async fn parts(program: &Path) -> Result<Parts> {
    let program = program.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        Ok(Parts { binaries: Binaries::ensure()?, images: AddonImages::ensure()?, program })
    });
    made.await
        .map_err(|error| LabError::Garbled { what: "the end of the build".into(), why: error.to_string() })?
}

pub(super) async fn up(region: &RegionPlan, parts: &Parts, steps: Steps) -> Result<()> {
    let name = region.name.as_str();
    steps.step(name, "network", network::ensure_region(region)).await?;
    cgroups::ensure(&region.cgroup())?;
    let layout = steps.step(name, "certificates", async { lay_out(region, &parts.binaries) }).await?;
    let control = control_plane(region, &layout, steps);
    let runtime = runtime(region, &parts.images, steps);
    let (client, ()) = futures::future::try_join(control, runtime).await?;
    steps.step(name, "node ready", start_node(region, parts, &client)).await?;
    steps
        .step(
            name,
            "name server, metrics, volumes applied",
            addons::apply(region, &parts.binaries, &parts.images),
        )
        .await?;
    steps.step(name, "name server ready", available(&client, "coredns")).await
}

/// Imports an archive of images, unless this very file was imported before; whether it did.
pub(super) async fn import_once(region: &RegionPlan, archive: &Path) -> Result<bool> {
    let path = archive.display().to_string();
    let about = std::fs::metadata(archive).map_err(LabError::file("look at", archive))?;
    let identity = format!("{path} {} {}.{:09}", about.len(), about.mtime(), about.mtime_nsec());
    let marker = region.folder().join("imported").join(path.replace('/', "_"));
    if files::read_if_any(&marker)?.as_deref() == Some(&identity) {
        return Ok(false);
    }
    let doing = format!("load images into {}", region.name);
    ctr(region, &doing, &["images", "import", &path]).await?;
    files::write(&marker, identity, false)?;
    Ok(true)
}

fn lay_out(region: &RegionPlan, binaries: &Binaries) -> Result<Layout> {
    let folder = region.folder();
    let certificates = Certificates::ensure(&folder.join("certificates"), &region.api_server_names())?;
    issue_once(
        &certificates,
        KUBELET_CLIENT,
        client(&format!("system:node:{}", region.name), Some("system:nodes")),
    )?;
    let names = [region.address(), region.name.clone()];
    let server = Subject { common_name: &region.name, organization: None, alternative_names: &names };
    issue_once(&certificates, KUBELET_SERVER, server)?;
    let layout = Layout {
        binaries: binaries.clone(),
        certificates,
        folder,
        address: region.address(),
        api_server_port: API_SERVER_PORT,
        etcd_port: 2379,
        etcd_peer_port: 2380,
        service_range: region.service_range(),
        pod_range: Some(region.pod_range()),
    };
    let authority = layout.certificates.authority_certificate()?;
    for name in ["admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", KUBELET_CLIENT] {
        let pair = layout.certificates.pair(name)?;
        let identity = Identity::Certificate(&pair);
        kubeconfig::write(&layout.kubeconfig(name), &region.name, &layout.url(), &authority, &identity)?;
    }
    Ok(layout)
}

/// The certificate is written after its key, so where it is, both are.
fn issue_once(certificates: &Certificates, name: &str, subject: Subject<'_>) -> Result<()> {
    if certificates.path(&format!("{name}.crt")).exists() {
        Ok(())
    } else {
        certificates.issue("ca", name, subject)
    }
}

async fn control_plane(region: &RegionPlan, layout: &Layout, steps: Steps) -> Result<Client> {
    let daemon = |program, configuration| Daemon { region: region.clone(), program, configuration };
    let etcd = daemon(layout.etcd(), vec![]);
    let policy = vec![(layout.audit_policy(), audit::POLICY.to_owned())];
    let api_server = daemon(layout.api_server(&[]), policy);
    let client = kubeconfig::client(&region.kubeconfig()).await?;
    steps
        .step(&region.name, "API server ready", async {
            etcd.ensure().await?;
            api_server.ensure().await?;
            until("the API server's being ready", STEP_AT_MOST, async || {
                etcd.check()?;
                api_server.check()?;
                Ok(requests::is_ready(&client).await)
            })
            .await
        })
        .await?;
    // Only now: before that the roles that they need do not exist, and they would give up.
    daemon(layout.controller_manager(), vec![]).ensure().await?;
    daemon(layout.scheduler(), vec![]).ensure().await?;
    Ok(client)
}

async fn runtime(region: &RegionPlan, images: &AddonImages, steps: Steps) -> Result<()> {
    let containerd = node::containerd(region);
    steps
        .step(&region.name, "containerd ready", async {
            containerd.ensure().await?;
            until("containerd's answer", STEP_AT_MOST, async || {
                containerd.check()?;
                Ok(ctr(region, "ask containerd", &["version"]).await.map_err(|error| error.to_string()))
            })
            .await
        })
        .await?;
    steps
        .step(&region.name, "images loaded", async {
            for image in images.all() {
                import_once(region, &image.archive).await?;
            }
            Ok(())
        })
        .await
}

async fn start_node(region: &RegionPlan, parts: &Parts, client: &Client) -> Result<()> {
    let kubelet = node::kubelet(region, &parts.binaries);
    kubelet.ensure().await?;
    node::kube_proxy(region, &parts.binaries).ensure().await?;
    provisioner(region, &parts.program).ensure().await?;
    let nodes: Api<Node> = Api::all(client.clone());
    until("the node's being ready", STEP_AT_MOST, async || {
        kubelet.check()?;
        let node = nodes.get_opt(&region.name).await.map_err(LabError::api("look at the node"))?;
        Ok(node.map_or(Err("there is none yet".into()), |node| node_is_ready(&node)))
    })
    .await
}

fn provisioner(region: &RegionPlan, program: &Path) -> Daemon {
    let (kubeconfig, folder) = (region.kubeconfig(), region.folder().join("volumes"));
    let arguments = vec![
        "provision".into(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--folder={}", folder.display()),
    ];
    let program = Program { name: "provisioner", path: program.to_owned(), arguments };
    Daemon { region: region.clone(), program, configuration: vec![] }
}

/// Whether the node says so, and if not, what it says.
pub(super) fn node_is_ready(node: &Node) -> std::result::Result<(), String> {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref()).into_iter().flatten();
    let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready");
    let ready = ready.ok_or("it has no condition Ready yet")?;
    if ready.status == "True" { Ok(()) } else { Err(ready.message.clone().unwrap_or_default()) }
}

async fn available(client: &Client, name: &str) -> Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "kube-system");
    until(&format!("{name}'s being ready"), STEP_AT_MOST, async || {
        let found = deployments.get_opt(name).await.map_err(LabError::api(format!("look at {name}")))?;
        let ready = found.and_then(|found| found.status?.ready_replicas).unwrap_or(0);
        Ok(if ready > 0 { Ok(()) } else { Err("no pod is ready".into()) })
    })
    .await
}
