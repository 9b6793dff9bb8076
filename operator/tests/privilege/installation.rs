//! A control plane with both charts installed, for one test at a time, and operators that run with the token of the chart's
//! ServiceAccount.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use kyb_lab::{ControlPlane, Options, Tool};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::{here::Here, policies};

/// Where the charts are installed.
pub(crate) const SYSTEM: &str = "kyb-system";
/// The operator's ServiceAccount.
pub(crate) const ACCOUNT: &str = "kyb-operator";
/// How the API server calls it.
pub(crate) const OPERATOR: &str = "system:serviceaccount:kyb-system:kyb-operator";

/// Where OpenShift and others run it, an owner may be named with `blockOwnerDeletion` only by who may update its finalizers.
const OWNER_PLUGIN: &str = "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement";

/// A control plane with the charts installed. It goes with this process, however that ends.
pub(crate) struct Installation {
    pub(crate) plane: ControlPlane,
    pub(crate) folder: tempfile::TempDir,
    /// The operator's way to the API server.
    operator: PathBuf,
    /// The namespaces that the chart holds the operator to, as it tells it.
    held_to: Option<String>,
}

/// The installation, for one test at a time: some take rights away.
pub(crate) async fn here() -> anyhow::Result<(Here, MutexGuard<'static, ()>)> {
    static HERE: OnceCell<Installation> = OnceCell::const_new();
    static TURN: Mutex<()> = Mutex::const_new(());
    let turn = TURN.lock().await;
    Ok((Here::of(HERE.get_or_try_init(Installation::start).await?).await?, turn))
}

impl Installation {
    async fn start() -> anyhow::Result<Self> {
        let installation = Self::with(&[], &[]).await?;
        policies::in_force(&installation).await?;
        Ok(installation)
    }

    /// With these values of the operator's chart, and with namespaces that are there before it, each with a label.
    pub(crate) async fn with(values: &[&str], namespaces: &[(&str, &str)]) -> anyhow::Result<Self> {
        let options = Options { api_server_flags: vec![OWNER_PLUGIN.to_owned()], ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        let folder = tempfile::tempdir()?;
        let mut installation = Self { plane, folder, operator: PathBuf::new(), held_to: None };
        for (namespace, label) in namespaces {
            installation.kubectl(&["create", "namespace", namespace])?;
            installation.kubectl(&["label", "namespace", namespace, label])?;
        }
        installation.install("kyb-crds", &[])?;
        installation.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])?;
        installation.install("kyb-operator", values)?;
        let key = root_key(installation.plane.client().await?).await?;
        std::fs::write(installation.root_key(), key)?;
        installation.operator = installation.plane.kubeconfig_for_service_account(SYSTEM, ACCOUNT).await?;
        installation.held_to = installation.held_to()?;
        Ok(installation)
    }

    fn held_to(&self) -> anyhow::Result<Option<String>> {
        let path = "-o=jsonpath={.spec.template.spec.containers[0].args[*]}";
        let arguments = self.kubectl(&["get", "deployment", "kyb-operator", "-n", SYSTEM, path])?;
        Ok(arguments.split(' ').find(|argument| argument.starts_with("--namespaces=")).map(str::to_owned))
    }

    fn install(&self, chart: &str, values: &[&str]) -> anyhow::Result<()> {
        let mut helm = Command::new(Tool::Helm.ensure()?);
        for home in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(home, self.folder.path().join("helm"));
        }
        helm.env("KUBECONFIG", self.plane.kubeconfig());
        helm.args(["install", chart]).arg(Path::new("../charts").join(chart));
        helm.args(values.iter().flat_map(|value| ["--set", value]));
        succeed(helm.args(["--namespace", SYSTEM, "--create-namespace"])).map(drop)
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

/// A replica of the operator. With this value it is told to stop, and gives its lease up.
pub(crate) struct Operator {
    process: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts one; `name` is its pod's.
    pub(crate) fn start(installation: &Installation, name: &str) -> anyhow::Result<Self> {
        let log = installation.folder.path().join(format!("{name}.log"));
        let process = Command::new(env!("CARGO_BIN_EXE_kyb-operator"))
            .args(["run", "--log-text", "--listen", "127.0.0.1:0", "--pod-name", name])
            .args(["--lease-seconds", "8", "--root-key-file"]) // the first holder waits as long
            .arg(installation.root_key())
            .args(&installation.held_to)
            .env("KUBECONFIG", &installation.operator)
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()?;
        Ok(Self { process, log })
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(10);
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM); // it may have ended by itself
        let told = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) {
            if told.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
