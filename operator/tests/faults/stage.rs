//! Where the stories are played: an API server with our kinds, a region that all tenants share, and what stands in for nodes.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use kube::Client;
use kyb_faults::Faults;
use kyb_lab::{ControlPlane, Options};

use crate::{
    operator::{Operator, SYSTEM},
    run, scenario, stand_ins,
    world::World,
};

/// How long setting up may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that a test needs. It goes with this value.
pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) faults: Faults,
    pub(crate) world: World,
    pub(crate) plane: ControlPlane,
    folder: tempfile::TempDir,
}

impl Stage {
    /// Without an operator.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("root-key"), [7; 32])?;
        // Nobody reads the audit log here, and it takes the API server a good part of its time.
        let options =
            Options { api_server_flags: vec!["--audit-log-path=".to_owned()], ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        for arguments in [
            &["apply", "--server-side", "-f", "../crds/yaml"][..],
            &["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"],
            &["create", "namespace", SYSTEM],
        ] {
            let output = plane.kubectl().args(arguments).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let client = plane.client().await?;
        let (stand_ins, coming) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(stand_ins::attend(client.clone(), coming));
        let world = World::watch(&client, stand_ins);
        Ok(Self { client, faults: Faults::new(run::attribute), world, plane, folder })
    }

    /// With an operator that works, and the region that tenants share.
    pub(crate) async fn with_operator() -> anyhow::Result<(Self, Operator)> {
        let stage = Self::set().await?;
        let operator = stage.operator().await?;
        stage.home().await?;
        for act in scenario::orphan() {
            act.done(&stage.client, scenario::HOME).await?;
        }
        Ok((stage, operator))
    }

    /// An operator.
    pub(crate) async fn operator(&self) -> anyhow::Result<Operator> {
        Operator::start(&self.plane, self.root_key(), &self.faults).await
    }

    /// The file with the installation's root key.
    pub(crate) fn root_key(&self) -> PathBuf {
        self.folder.path().join("root-key")
    }

    /// The region that tenants share, once it works.
    async fn home(&self) -> anyhow::Result<()> {
        for act in scenario::home() {
            act.done(&self.client, scenario::HOME).await?;
        }
        let began = Instant::now();
        loop {
            let key =
                ("RegionDeployment".into(), Some(format!("kyb-{}", scenario::HOME)), scenario::HOME.into());
            let objects = self.world.of(None);
            let region = objects.get(&key).context("no region yet");
            let conditions =
                region.map(|region| region["status"]["conditions"].to_string()).unwrap_or_default();
            if conditions.contains(r#""reason":"Ready","status":"True","type":"Ready""#) {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "the region does not come up: {conditions}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
