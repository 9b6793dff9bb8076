//! The operator under test: one life after another, each in a runtime of its own, so that a life that ends leaves nothing behind.

use std::path::PathBuf;

use anyhow::Context as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use kyb_faults::{Faults, Life};
use kyb_lab::ControlPlane;
use kyb_operator::config::Run;
use serde_json::json;
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Where its Lease lies.
pub(crate) const SYSTEM: &str = "kyb-system";
/// Long enough that a busy machine loses no lease; who follows a dead holder takes a fresh Lease instead of waiting.
const LEASE_SECONDS: u64 = 60;

/// An operator that is started again whenever a plan has ended its life.
pub(crate) struct Operator {
    stop: CancellationToken,
    lives: JoinHandle<anyhow::Result<usize>>,
}

/// What each life begins with.
#[derive(Clone)]
struct Birth {
    kubeconfig: PathBuf,
    run: Run,
    admin: Client,
    faults: Faults,
}

impl Operator {
    /// Starts its first life.
    pub(crate) async fn start(
        plane: &ControlPlane,
        root_key: PathBuf,
        faults: &Faults,
    ) -> anyhow::Result<Self> {
        let run = Run {
            listen: ([127, 0, 0, 1], 0).into(),
            root_key_file: root_key,
            namespace: SYSTEM.to_owned(),
            service_account: "kyb-operator".to_owned(),
            pod_name: "faulty".to_owned(),
            concurrency: 32,
            lease_seconds: LEASE_SECONDS,
            namespaces: vec![],
        };
        let birth = Birth {
            kubeconfig: plane.kubeconfig().to_owned(),
            run,
            admin: plane.client().await?,
            faults: faults.clone(),
        };
        let stop = CancellationToken::new();
        let lives = tokio::spawn(live(birth, stop.clone()));
        Ok(Self { stop, lives })
    }

    /// Ends it, and tells how many lives it had.
    pub(crate) async fn end(self) -> anyhow::Result<usize> {
        self.stop.cancel();
        self.lives.await?
    }
}

async fn live(birth: Birth, stop: CancellationToken) -> anyhow::Result<usize> {
    let mut lives = 0;
    while !stop.is_cancelled() {
        lives += 1;
        fresh_lease(&birth.admin).await?;
        let life = birth.faults.life();
        let runtime = Runtime::new()?;
        let running = runtime.spawn(run(birth.clone(), life.clone()));
        let body = Body(Some(runtime));
        let ended = tokio::select! {
            () = life.crashed() => Ok(()),
            () = stop.cancelled() => Ok(()),
            ended = running => ended?,
        };
        drop(body);
        ended.context("the operator ended by itself")?;
    }
    Ok(lives)
}

/// What a life runs in. All of it ends at once with this value, whatever it was at.
struct Body(Option<Runtime>);

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn run(birth: Birth, life: Life) -> anyhow::Result<()> {
    let file = Kubeconfig::read_from(&birth.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    let around = |client| life.around(client);
    Ok(kyb_operator::run::run_through(config, &birth.run, CancellationToken::new(), around).await?)
}

/// A Lease that nobody has ever held, which the next life may take at once. The holder before is dead for certain.
pub(crate) async fn fresh_lease(admin: &Client) -> anyhow::Result<()> {
    let leases: Api<Lease> = Api::namespaced(admin.clone(), SYSTEM);
    match leases.delete("kyb-operator", &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => (),
        answer => drop(answer?),
    }
    let lease = json!({"metadata": {"name": "kyb-operator"}, "spec": {"leaseTransitions": 0}});
    leases.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    Ok(())
}
