//! A second operator: the holder of the lease is stopped in the middle of its work, another takes over, and the first goes on.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::ensure;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    operator::{SYSTEM, fresh_lease},
    run::{Runner, Verdict},
    scenario::{self, Act},
    stage::Stage,
};

/// How long a takeover, or an end, may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// An operator as a process, killed with this value.
struct Process(Child);

impl Process {
    fn start(stage: &Stage) -> anyhow::Result<Self> {
        let child = Command::new(env!("CARGO_BIN_EXE_kyb-operator"))
            .args(["run", "--listen", "127.0.0.1:0", "--lease-seconds", "6", "--root-key-file"])
            .arg(stage.root_key())
            .env("KUBECONFIG", stage.plane.kubeconfig())
            .stdout(Stdio::null())
            .stderr(File::create(stage.root_key().with_file_name("paused.log"))?)
            .spawn()?;
        Ok(Self(child))
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended by itself
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_paused_changes_nothing_of_the_end() -> anyhow::Result<()> {
    let (stage, operator) = Stage::with_operator().await?;
    let runner = Runner::new(&stage);
    let story = scenario::coming_and_going();
    let references = runner.reference(&story).await?;
    operator.end().await?;

    fresh_lease(&stage.client).await?;
    let mut paused = Process::start(&stage)?;
    let first = holder(&stage.client, None).await?;
    let scope = runner.scope();
    runner.act(&story.steps[0], None, &scope).await?;
    Act::Wait("/api/v1/namespaces/kyb-t-SCOPE").done(&stage.client, &scope).await?;
    paused.signal(Signal::STOP)?;
    let operator = stage.operator().await?;
    holder(&stage.client, Some(&first)).await?;
    paused.signal(Signal::CONT)?;

    let verdict = runner.verdict(&references[0], None, &scope).await;
    ensure!(matches!(verdict, Verdict::Same), "{verdict:?}");
    let began = Instant::now();
    while paused.0.try_wait()?.is_none() {
        ensure!(began.elapsed() < PATIENCE, "it goes on without the lease");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    runner.leave(&story, &scope).await?;
    operator.end().await?;
    Ok(())
}

/// Who holds the Lease, once that is another one than `before`.
async fn holder(client: &Client, before: Option<&str>) -> anyhow::Result<String> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), SYSTEM);
    let began = Instant::now();
    loop {
        let lease = leases.get_opt("kyb-operator").await?.and_then(|lease| lease.spec);
        let holder = lease.and_then(|spec| spec.holder_identity).filter(|holder| !holder.is_empty());
        if let Some(holder) = holder.filter(|holder| Some(holder.as_str()) != before) {
            return Ok(holder);
        }
        ensure!(began.elapsed() < PATIENCE, "nobody takes the lease");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
