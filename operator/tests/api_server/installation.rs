//! A control plane with both charts installed and a running operator, shared by the tests of this binary.
//!
//! ```text
//! helm install kyb-crds, kyb-operator ─► root key (read by the administrator), token of the chart's ServiceAccount
//!                                        └──────────────┬──────────────┘
//!                                        operator, as a thread or as a process
//! ```
//!
//! So everything that the tests see the operator do is done with the chart's own rights and under its admission policies. The
//! chart's Deployment is there, too, but no node runs its pods.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    config::{KubeConfigOptions, Kubeconfig},
};
use kyb_lab::{ControlPlane, Options, Tool};
use kyb_operator::config::Run;
use tokio_util::sync::CancellationToken;

use crate::{cuts::Cuts, here::Here, policies};

/// Where the charts are installed.
pub(crate) const SYSTEM: &str = "kyb-system";
/// The operator's ServiceAccount.
pub(crate) const ACCOUNT: &str = "kyb-operator";
/// How the API server calls it.
pub(crate) const OPERATOR: &str = "system:serviceaccount:kyb-system:kyb-operator";

/// Charts to install, by where they lie.
pub(crate) struct Charts {
    crds: &'static str,
    operator: &'static str,
}

/// Those of this repository.
pub(crate) const CURRENT: Charts = Charts { crds: "../charts/kyb-crds", operator: "../charts/kyb-operator" };
/// Those of the last release, from which users come.
pub(crate) const PREVIOUS: Charts = Charts {
    crds: "../charts/previous/kyb-crds-0.1.0.tgz",
    operator: "../charts/previous/kyb-operator-0.1.0.tgz",
};

/// A control plane with the charts installed. It goes with this process, however that ends.
pub(crate) struct Installation {
    pub(crate) plane: ControlPlane,
    /// Of the operator that runs as a thread.
    pub(crate) cuts: Cuts,
    folder: tempfile::TempDir,
    /// The operator's way to the API server.
    operator: PathBuf,
}

type Shared = OnceLock<Result<Installation, String>>;

/// The installation that most tests of this binary share, its operator running. Each test has regions and tenants of its own,
/// and takes nothing of the installation away.
pub(crate) async fn here() -> anyhow::Result<Here> {
    static HERE: Shared = OnceLock::new();
    shared(&HERE).await
}

/// Another one, for the twins: each takes one safeguard away for good, and shows what it was there for.
pub(crate) async fn spare() -> anyhow::Result<Here> {
    static SPARE: Shared = OnceLock::new();
    shared(&SPARE).await
}

async fn shared(which: &'static Shared) -> anyhow::Result<Here> {
    let started = || which.get_or_init(|| on_a_thread().map_err(|why| format!("{why:#}")));
    match tokio::task::spawn_blocking(started).await? {
        Ok(installation) => Here::of(installation).await,
        Err(why) => bail!("{why}"),
    }
}

/// Starts everything on a thread that outlives the test that came first.
fn on_a_thread() -> anyhow::Result<Installation> {
    let (started, starting) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let installation = Installation::start().await?;
            let file = Kubeconfig::read_from(&installation.operator)?;
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
            let (run, cuts) = (installation.settings(), installation.cuts.clone());
            started.send(installation)?;
            let around = |client| cuts.around(client);
            let ended = kyb_operator::run::run_through(config, &run, CancellationToken::new(), around).await;
            Ok(ended.inspect_err(|why| eprintln!("the operator ended: {why:#}"))?)
        })
    });
    match starting.recv() {
        Ok(installation) => Ok(installation),
        Err(_) => match thread.join() {
            Ok(ended) => ended.and_then(|()| bail!("the operator ended before it began")),
            Err(_) => bail!("the installation panicked; see above"),
        },
    }
}

impl Installation {
    /// Installs both charts, without an operator.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::of(&CURRENT).await
    }

    /// The same of these charts.
    pub(crate) async fn of(charts: &Charts) -> anyhow::Result<Self> {
        let plane = ControlPlane::start(Options::default()).await?;
        let folder = tempfile::tempdir()?;
        let mut installation = Self { plane, cuts: Cuts::default(), folder, operator: PathBuf::new() };
        installation.helm(&["install", "kyb-crds", charts.crds, "--create-namespace"])?;
        installation.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])?;
        installation.helm(&["install", "kyb-operator", charts.operator])?;
        let client = installation.plane.client().await?;
        std::fs::write(installation.root_key(), root_key(client).await?)?;
        installation.operator = installation.plane.kubeconfig_for_service_account(SYSTEM, ACCOUNT).await?;
        policies::in_force(&installation).await?;
        Ok(installation)
    }

    /// As docs/operator.md says, without waiting for pods.
    pub(crate) fn upgrade(&self, charts: &Charts) -> anyhow::Result<()> {
        self.helm(&["upgrade", "kyb-crds", charts.crds])?;
        self.helm(&["upgrade", "kyb-operator", charts.operator])
    }

    /// As docs/install.md says, but for the definitions, which the chart keeps.
    pub(crate) fn uninstall(&self) -> anyhow::Result<()> {
        self.helm(&["uninstall", "kyb-operator"])?;
        self.helm(&["uninstall", "kyb-crds"])
    }

    fn helm(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut helm = Command::new(Tool::Helm.ensure()?);
        for home in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(home, self.folder.path().join("helm"));
        }
        helm.env("KUBECONFIG", self.plane.kubeconfig());
        succeed(helm.args(arguments).args(["--namespace", SYSTEM])).map(drop)
    }

    /// Runs `kubectl` as the administrator and gives what it printed; its error where it fails.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        succeed(self.plane.kubectl().args(arguments))
    }

    /// A client with the operator's token, for a test's own runtime.
    pub(crate) async fn operator(&self) -> anyhow::Result<Client> {
        Ok(self.plane.client_for_service_account(SYSTEM, ACCOUNT).await?)
    }

    fn root_key(&self) -> PathBuf {
        self.folder.path().join("root-key")
    }

    fn settings(&self) -> Run {
        Run {
            listen: ([127, 0, 0, 1], 0).into(),
            root_key_file: self.root_key(),
            namespace: SYSTEM.to_owned(),
            service_account: ACCOUNT.to_owned(),
            pod_name: "test".to_owned(),
            concurrency: 8,
            lease_seconds: 20, // a busy machine must not lose it; the first holder waits as long
            namespaces: vec![],
        }
    }
}

/// The key that the chart made; only an administrator can read it.
async fn root_key(client: Client) -> anyhow::Result<Vec<u8>> {
    let secret: Secret = Api::namespaced(client, SYSTEM).get("kyb-root-key").await?;
    let key = secret.data.unwrap_or_default().remove("key").context("the Secret has no `key`")?;
    Ok(key.0)
}

/// Runs a program to its end.
fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output()?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{complained}{said}");
    Ok(said.into_owned())
}

/// An operator as a process of its own, killed with this value.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts one against an installation that has none.
    pub(crate) fn start(installation: &Installation) -> anyhow::Result<Self> {
        let log = installation.folder.path().join("operator.log");
        let child = Command::new(env!("CARGO_BIN_EXE_kyb-operator"))
            .args(["run", "--listen", "127.0.0.1:0", "--lease-seconds", "6", "--root-key-file"])
            .arg(installation.root_key())
            .env("KUBECONFIG", &installation.operator)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()?;
        Ok(Self { child, log })
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended by itself
        let _ = self.child.wait();
    }
}
