//! A control plane with our kinds and a running operator, shared by the tests of this binary; and how to wait for it.

use std::{
    fmt::Debug,
    future::Future,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use k8s_openapi::{api::core::v1::Namespace, apimachinery::pkg::apis::meta::v1::Condition};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use kyb_crds::{KybTenant, RegionDeployment};
use kyb_lab::{ControlPlane, Options};
use kyb_operator::config::Run;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How long anything may take before a test gives up; on a busy machine most things take a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// A control plane with our kinds installed. It goes with this process, however that ends.
pub(crate) struct Installation {
    pub(crate) plane: ControlPlane,
    root_key: tempfile::TempDir,
}

/// What a test works with: the shared installation, and a client of the test's own runtime.
pub(crate) struct Here {
    pub(crate) installation: &'static Installation,
    pub(crate) client: Client,
}

static SHARED: OnceLock<Result<Installation, String>> = OnceLock::new();

/// The installation that the tests of this binary share, its operator running. Each test has regions and tenants of its own.
pub(crate) async fn here() -> anyhow::Result<Here> {
    let shared = tokio::task::spawn_blocking(|| {
        SHARED.get_or_init(|| on_a_thread().map_err(|why| format!("{why:#}")))
    });
    match shared.await? {
        Ok(installation) => Ok(Here { client: installation.plane.client().await?, installation }),
        Err(why) => bail!("{why}"),
    }
}

/// Starts everything on a thread that outlives the test that came first.
fn on_a_thread() -> anyhow::Result<Installation> {
    let (started, starting) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime
            .block_on(async {
                let installation = Installation::start().await?;
                let config = kube_config(&installation.plane).await?;
                let run = installation.settings();
                started.send(installation)?;
                Ok(kyb_operator::run::run_in(config, &run, CancellationToken::new()).await?)
            })
            .inspect_err(|why: &anyhow::Error| eprintln!("the operator ended: {why:#}"))
    });
    starting.recv().context("the control plane did not start")
}

async fn kube_config(plane: &ControlPlane) -> anyhow::Result<kube::Config> {
    let file = Kubeconfig::read_from(plane.kubeconfig())?;
    Ok(kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)
}

impl Installation {
    /// Starts one, without an operator.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let plane = ControlPlane::start(Options::default()).await?;
        let root_key = tempfile::tempdir()?;
        std::fs::write(root_key.path().join("root"), [7; 32])?;
        let installation = Self { plane, root_key };
        installation.install_kinds()?;
        let made = installation.plane.kubectl().args(["create", "namespace", "kyb-system"]).output()?;
        anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Ok(installation)
    }

    fn settings(&self) -> Run {
        Run {
            listen: ([127, 0, 0, 1], 0).into(),
            root_key_file: self.root_key.path().join("root"),
            namespace: "kyb-system".to_owned(),
            service_account: "kyb-operator".to_owned(),
            pod_name: "test".to_owned(),
            concurrency: 8,
            lease_seconds: 20, // a busy machine must not lose it; the first holder waits as long
        }
    }

    fn install_kinds(&self) -> anyhow::Result<()> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crds/yaml");
        let applied = self.plane.kubectl().args(["apply", "--server-side", "-f", folder]).output()?;
        anyhow::ensure!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        let waited = self
            .plane
            .kubectl()
            .args(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"])
            .output()?;
        anyhow::ensure!(waited.status.success(), "{}", String::from_utf8_lossy(&waited.stderr));
        Ok(())
    }
}

/// An operator as a process of its own, killed with this value.
pub(crate) struct Operator {
    child: Child,
    log: std::path::PathBuf,
}

impl Operator {
    /// Starts one against an installation that has none.
    pub(crate) fn start(installation: &Installation) -> anyhow::Result<Self> {
        let log = installation.root_key.path().join("operator.log");
        let child = Command::new(env!("CARGO_BIN_EXE_kyb-operator"))
            .args(["run", "--listen", "127.0.0.1:0", "--lease-seconds", "6", "--root-key-file"])
            .arg(installation.root_key.path().join("root"))
            .env("KUBECONFIG", installation.plane.kubeconfig())
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

impl Here {
    /// With a client of this test's own.
    pub(crate) async fn of(installation: &'static Installation) -> anyhow::Result<Self> {
        Ok(Self { client: installation.plane.client().await?, installation })
    }

    /// Makes a namespace.
    pub(crate) async fn namespace(&self, name: &str, labels: Value) -> anyhow::Result<()> {
        let namespace: Namespace =
            serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}}))?;
        Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// A labelled namespace with a development region in it.
    pub(crate) async fn region(&self, region: &str) -> anyhow::Result<()> {
        let namespace = format!("kyb-{region}");
        self.namespace(&namespace, json!({"kyb.dev/region": region})).await?;
        self.create_in::<RegionDeployment>(&namespace, region_deployment(region)).await?;
        Ok(())
    }

    /// Makes a tenant.
    pub(crate) async fn tenant(
        &self,
        id: &str,
        home: &str,
        change: impl FnOnce(&mut Value),
    ) -> anyhow::Result<KybTenant> {
        let mut spec = json!({
            "id": id,
            "displayName": "Acme Payments",
            "plan": "enterprise",
            "placement": {"home": home, "regions": [home], "residency": "US"},
            "contexts": [{"name": "lending"}],
            "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
        });
        change(&mut spec);
        let tenant: KybTenant = serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": id}, "spec": spec,
        }))?;
        Ok(Api::all(self.client.clone()).create(&PostParams::default(), &tenant).await?)
    }

    /// Makes an object of a namespaced kind.
    pub(crate) async fn create_in<K>(&self, namespace: &str, object: Value) -> anyhow::Result<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + Serialize + DeserializeOwned,
    {
        let object: K = serde_json::from_value(object)?;
        Ok(Api::namespaced(self.client.clone(), namespace).create(&PostParams::default(), &object).await?)
    }

    /// Writes what a region's worker would report: one gateway that uses the settings up to `version`.
    pub(crate) async fn report(&self, region: &str, version: u64) -> anyhow::Result<()> {
        let settings = json!({"resourceVersion": version.to_string()});
        let status = json!({
            "workloads": [{"name": "kyb-gateway-0", "component": "gateway", "version": "0.1.0", "settings": settings}],
            "watchlists": [{"name": "ofac-sdn", "state": "Fresh"}],
            "database": {"schemaVersion": 1},
        });
        let reports: Api<kyb_crds::RegionReport> =
            Api::namespaced(self.client.clone(), &format!("kyb-{region}"));
        reports
            .patch_status(region, &PatchParams::default(), &Patch::Merge(json!({"status": status})))
            .await?;
        Ok(())
    }

    /// Waits until the condition of a tenant has the reason, and gives its message.
    pub(crate) async fn tenant_says(&self, name: &str, kind: &str, reason: &str) -> anyhow::Result<String> {
        let api: Api<KybTenant> = Api::all(self.client.clone());
        self.says(reason, async || {
            let status = api.get(name).await?.status.unwrap_or_default();
            Ok(condition(&status.conditions, kind))
        })
        .await
    }

    /// The same for a region.
    pub(crate) async fn region_says(
        &self,
        namespace: &str,
        name: &str,
        kind: &str,
        reason: &str,
    ) -> anyhow::Result<String> {
        let api: Api<RegionDeployment> = Api::namespaced(self.client.clone(), namespace);
        self.says(reason, async || {
            let status = api.get(name).await?.status.unwrap_or_default();
            Ok(condition(&status.conditions, kind))
        })
        .await
    }

    async fn says(
        &self,
        reason: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<Condition>>,
    ) -> anyhow::Result<String> {
        let began = Instant::now();
        loop {
            let found = look().await?;
            if let Some(found) = &found
                && found.reason == reason
            {
                return Ok(found.message.clone());
            }
            if began.elapsed() > PATIENCE {
                bail!("waited for {reason} in vain; found {found:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something is so.
    pub(crate) async fn until<F>(&self, what: &str, mut so: impl FnMut() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<bool>>,
    {
        let began = Instant::now();
        while !so().await? {
            if began.elapsed() > PATIENCE {
                bail!("waited for {what} in vain");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// An object of a namespaced kind, once it exists.
    pub(crate) async fn found<K>(&self, namespace: &str, name: &str) -> anyhow::Result<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        self.until(&format!("{} {namespace}/{name}", K::kind(&())), || async {
            Ok(api.get_opt(name).await?.is_some())
        })
        .await?;
        api.get_opt(name).await?.with_context(|| format!("{name} is gone again"))
    }

    /// The names of a namespace's objects of a kind.
    pub(crate) async fn names<K>(&self, namespace: &str) -> anyhow::Result<Vec<String>>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let mut names: Vec<_> =
            api.list(&ListParams::default()).await?.iter().map(ResourceExt::name_any).collect();
        names.sort();
        Ok(names)
    }
}

fn condition(conditions: &[Condition], kind: &str) -> Option<Condition> {
    conditions.iter().find(|condition| condition.type_ == kind).cloned()
}

/// A development region of the same name.
pub(crate) fn region_deployment(region: &str) -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "RegionDeployment",
        "metadata": {"name": region, "namespace": format!("kyb-{region}")},
        "spec": {
            "region": region,
            "residency": "US",
            "environment": "development",
            "version": "0.1.0",
            "services": {"gateway": {"autoscaling": {"minReplicas": 3, "maxReplicas": 20, "cpuPercent": 70}}, "worker": {"replicas": 1}},
            "database": {"development": {"storage": "1Gi"}},
            "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/", "refresh": "6h"}],
        },
    })
}
