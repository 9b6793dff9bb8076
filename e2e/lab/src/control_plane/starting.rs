//! In which order a control plane starts, and how it is known to be ready.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client};

use super::{ControlPlane, Options, keeper::Keeper, ports};
use crate::{
    audit::{self, AuditLog},
    build::Binaries,
    certificates::Certificates,
    components::Layout,
    error::{LabError, Result},
    files, kubeconfig,
    kubeconfig::Identity,
    waiting::until,
};

/// How long a start may take on a machine that is busy with other things; it takes a few seconds on one that is not.
const START_AT_MOST: Duration = Duration::from_mins(2);

/// How often to try other ports when something took ours between our looking and the server's binding.
const TRIES: u32 = 5;

/// Part of what Go says when a port is taken.
const PORT_TAKEN: &str = "address already in use";

pub(super) async fn start(options: Options) -> Result<ControlPlane> {
    let binaries = tokio::task::spawn_blocking(Binaries::ensure).await.map_err(|error| {
        LabError::Garbled { what: "the end of the build".into(), why: error.to_string() }
    })??;
    let mut tries = 1;
    loop {
        match attempt(&binaries, &options).await {
            Err(LabError::Ended { log, .. }) if log.contains(PORT_TAKEN) && tries < TRIES => tries += 1,
            other => return other,
        }
    }
}

/// Everything of an attempt that fails ends with its keeper, the folder too.
async fn attempt(binaries: &Binaries, options: &Options) -> Result<ControlPlane> {
    let folder = tempfile::Builder::new().prefix("kyb-lab-").tempdir();
    let folder = folder.map_err(LabError::file("make a folder in", std::env::temp_dir()))?.keep();
    let keeper = Mutex::new(Keeper::start(&folder)?);
    let layout = lay_out(binaries.clone(), &folder)?;
    let admin = layout.kubeconfig("admin");
    {
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.run(&layout.etcd())?;
        keeper.run(&layout.api_server(&options.api_server_flags))?;
    }
    ready(&keeper, &admin).await?;
    if options.controller_manager {
        keeper.lock().unwrap_or_else(PoisonError::into_inner).run(&layout.controller_manager())?;
        controllers_at_work(&keeper, &admin).await?;
    }
    Ok(ControlPlane { keeper, audit_log: AuditLog::at(layout.audit_log()), layout, admin })
}

fn lay_out(binaries: Binaries, folder: &Path) -> Result<Layout> {
    let [api_server_port, etcd_port, etcd_peer_port] = ports::three()?;
    let address = "127.0.0.1".to_owned();
    let names = [address.clone(), "localhost".into(), "kubernetes.default.svc".into()];
    let layout = Layout {
        binaries,
        certificates: Certificates::ensure(&folder.join("certificates"), &names)?,
        folder: folder.to_owned(),
        address,
        api_server_port,
        etcd_port,
        etcd_peer_port,
        service_range: "10.96.0.0/16".into(),
        pod_range: None,
    };
    files::write(&layout.audit_policy(), audit::POLICY, false)?;
    let authority = layout.certificates.authority_certificate()?;
    for name in ["admin", "kube-controller-manager"] {
        let identity = layout.certificates.pair(name)?;
        let path = layout.kubeconfig(name);
        kubeconfig::write(&path, name, &layout.url(), &authority, &Identity::Certificate(&identity))?;
    }
    Ok(layout)
}

/// Until the API server says that it is ready, which includes that the default roles are there.
pub(super) async fn ready(keeper: &Mutex<Keeper>, admin: &Path) -> Result<()> {
    let client = kubeconfig::client(admin).await?;
    until("the API server's being ready", START_AT_MOST, async || {
        check(keeper)?;
        Ok(crate::requests::is_ready(&client).await)
    })
    .await
}

/// Until every namespace gets its default service account: without it no pod can be made.
async fn controllers_at_work(keeper: &Mutex<Keeper>, admin: &Path) -> Result<()> {
    let client: Client = kubeconfig::client(admin).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
    until("the default service account", START_AT_MOST, async || {
        check(keeper)?;
        let found = accounts.get_opt("default").await.map_err(LabError::api("look for a service account"))?;
        Ok(found.map(|_| ()).ok_or_else(|| "there is none yet".to_owned()))
    })
    .await
}

fn check(keeper: &Mutex<Keeper>) -> Result<()> {
    let keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
    ["etcd", "kube-apiserver", "kube-controller-manager"].iter().try_for_each(|name| keeper.check(name))
}
