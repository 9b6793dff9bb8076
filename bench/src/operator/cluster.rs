//! The API server with our kinds and a region, and the operator as the program that is shipped.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Namespace};
use kube::{Api, Client, Resource, api::PostParams};
use kyb_crds::RegionDeployment;
use kyb_lab::{ControlPlane, Options};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    counters::{Counted, counted},
    requests,
};

/// The region, whose namespace is `kyb-bench`.
pub(super) const REGION: &str = "bench";
/// Where the settings go.
pub(super) const REGION_NAMESPACE: &str = "kyb-bench";

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(3);
/// Nothing more is to be expected when the operator has asked for nothing in so long: longer than it takes for a change to
/// come back by its watch.
const QUIET: Duration = Duration::from_millis(700);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// An API server and, while it runs, the operator.
pub(super) struct Cluster {
    pub(super) plane: ControlPlane,
    pub(super) client: Client,
    folder: tempfile::TempDir,
    operator: Option<Child>,
    /// Where the operator tells its metrics.
    listen: SocketAddr,
}

impl Cluster {
    /// Starts the API server and makes what has to be there before tenants.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let plane = ControlPlane::start(Options::default()).await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("root-key"), [7; 32])?;
        let client = plane.client().await?;
        install_kinds(&plane)?;
        let listen = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?; // free now; nobody here takes ports by number
        let cluster = Self { plane, client, folder, operator: None, listen };
        let system = json!({"metadata": {"name": "kyb-system"}});
        let namespace = json!({"metadata": {"name": REGION_NAMESPACE, "labels": {"kyb.dev/region": REGION}}});
        // Says that nobody has ever held it, so that the first replica need not wait.
        let lease = json!({"metadata": {"name": "kyb-operator"}, "spec": {"leaseTransitions": 0}});
        cluster.create(&Api::<Namespace>::all(cluster.client.clone()), system).await?;
        cluster.create(&Api::<Namespace>::all(cluster.client.clone()), namespace).await?;
        cluster.create(&Api::<Lease>::namespaced(cluster.client.clone(), "kyb-system"), lease).await?;
        let regions = Api::<RegionDeployment>::namespaced(cluster.client.clone(), REGION_NAMESPACE);
        cluster.create(&regions, region()).await?;
        Ok(cluster)
    }

    /// Makes an object.
    pub(super) async fn create<K>(&self, api: &Api<K>, object: Value) -> anyhow::Result<K>
    where
        K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
    {
        Ok(api.create(&PostParams::default(), &serde_json::from_value(object)?).await?)
    }

    /// Connections that nobody used for minutes may be closed just as one is used again, and a POST is not sent twice.
    pub(super) async fn reconnect(&mut self) -> anyhow::Result<()> {
        self.client = self.plane.client().await?;
        Ok(())
    }

    /// Starts the operator that lies beside this program.
    pub(super) fn start_operator(&mut self) -> anyhow::Result<()> {
        let program = std::env::current_exe()?.with_file_name("kyb-operator");
        ensure!(program.is_file(), "{} is not built; use `make bench-operator`", program.display());
        let child = Command::new(program)
            .args(["run", "--listen", &self.listen.to_string(), "--root-key-file"])
            .arg(self.folder.path().join("root-key"))
            .env("KUBECONFIG", self.plane.kubeconfig())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.folder.path().join("operator.log"))?)
            .spawn()?;
        self.operator = Some(child);
        Ok(())
    }

    /// Tells the operator to stop and waits for its end; it gives the lease up.
    pub(super) async fn stop_operator(&mut self) -> anyhow::Result<()> {
        let mut child = self.operator.take().context("no operator runs")?;
        kill_process(Pid::from_child(&child), Signal::TERM)?;
        tokio::task::spawn_blocking(move || child.wait()).await??;
        Ok(())
    }

    /// Its process.
    pub(super) fn operator_pid(&self) -> anyhow::Result<u32> {
        Ok(self.operator.as_ref().context("no operator runs")?.id())
    }

    /// What the operator says that it has asked for.
    pub(super) async fn counted_by_operator(&self) -> anyhow::Result<Counted> {
        let client = kyb_e2e::Client::new(format!("http://{}", self.listen))?;
        counted(&client.get("/metrics").await?.body, "kyb_operator_api_requests_total")
    }

    /// What the API server says that it was asked for, by whomever.
    pub(super) async fn counted_by_server(&self) -> anyhow::Result<Counted> {
        let text = self.client.request_text(http::Request::get("/metrics").body(vec![])?).await?;
        counted(&text, "apiserver_request_total")
    }

    /// Waits until something is so.
    pub(super) async fn until(
        &self,
        what: &str,
        so: impl AsyncFnMut(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.wait(what, PATIENCE, LOOK_EVERY, so).await
    }

    /// The same of what takes long, and is dear to look at.
    pub(super) async fn until_long(
        &self,
        what: &str,
        so: impl AsyncFnMut(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.wait(what, 10 * PATIENCE, 200 * LOOK_EVERY, so).await
    }

    async fn wait(
        &self,
        what: &str,
        patience: Duration,
        look_every: Duration,
        mut so: impl AsyncFnMut(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        while !so(self).await? {
            if began.elapsed() > patience {
                let log = std::fs::read_to_string(self.folder.path().join("operator.log"))?;
                bail!("waited for {what} in vain; the operator says:\n{log}");
            }
            tokio::time::sleep(look_every).await;
        }
        Ok(())
    }

    /// Waits until the operator has asked for nothing but its lease for a while.
    pub(super) async fn quiet(&self) -> anyhow::Result<()> {
        self.until("the operator to be quiet", async |cluster| {
            let mark = cluster.plane.audit_mark().await?;
            tokio::time::sleep(QUIET).await;
            let events = cluster.plane.audited_since(mark).await?;
            Ok(requests::of_operator(&events).next().is_none())
        })
        .await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(operator) = &mut self.operator {
            let _ = operator.kill(); // it may have ended by itself
            let _ = operator.wait();
        }
    }
}

fn install_kinds(plane: &ControlPlane) -> anyhow::Result<()> {
    let kinds = kyb_e2e::binaries::workspace_root()?.join("crds/yaml").display().to_string();
    let established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    for arguments in [&["apply", "--server-side", "-f", &kinds][..], &established] {
        let output = plane.kubectl().args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn region() -> Value {
    json!({
        "metadata": {"name": REGION, "namespace": REGION_NAMESPACE},
        "spec": {
            "region": REGION,
            "residency": "US",
            "environment": "development",
            "version": "0.1.0",
            "services": {"gateway": {"replicas": 1}, "worker": {"replicas": 1}},
            "database": {"development": {"storage": "1Gi"}},
            "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/", "refresh": "6h"}],
        },
    })
}
