//! One API server with its replicas, its burst and its points.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Namespace};
use kube::{Api, api::PostParams};
use kyb_lab::{ControlPlane, Options};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use crate::{
    burst::{Burst, Running},
    history::{Fault, History, Micros, Write, now},
    log::{self, Log},
    replica::{Post, Replica},
    wire::{Meddling, Wire},
    witness::Witness,
};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at the audit log.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A point is at most so long after the leader's first write.
const LATEST_POINT: Duration = Duration::from_millis(800);
/// A leader that has written within this time before a point was busy.
const BUSY: Micros = 100_000;

/// How a lane is set up.
pub(crate) struct Terms {
    pub(crate) replicas: usize,
    /// As the replicas are told.
    pub(crate) lease_seconds: u64,
    /// Between replicas and API server; none where nothing is.
    pub(crate) wire: Option<Meddling>,
}

/// What happens to the leader at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Blow {
    /// SIGKILL, and another life begins.
    Kill,
    /// SIGSTOP, and SIGCONT after a random time between two multiples of the lease's.
    Pause { from: f64, to: f64 },
}

/// One API server with what belongs to it.
pub(crate) struct Lane {
    plane: ControlPlane,
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
    wire: Option<Wire>,
    lease_seconds: u64,
    replicas: Vec<Replica>,
    lives: usize,
    random: StdRng,
    log: Log,
    history: History,
    burst: Running,
    witness: Witness,
    points: Vec<Point>,
}

/// When it happened, and to whom.
struct Point {
    at: Micros,
    leader: String,
}

impl Lane {
    pub(crate) async fn start(terms: Terms) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("root-key"), [7; 32])?;
        let options = Options { api_server_flags: log::flags(folder.path())?, ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        install(&plane).await?;
        let client = plane.client().await?;
        let (wire, kubeconfig) = match terms.wire {
            Some(meddling) => {
                let (wire, path) = Wire::start(client.clone(), meddling, folder.path()).await?;
                (Some(wire), path)
            }
            None => (None, plane.kubeconfig().to_owned()),
        };
        let mut lane = Self {
            log: Log::of(plane.audit_log().path()),
            burst: Burst::prepare(client.clone()).await?.run(),
            witness: Witness::of(client, spare(terms.lease_seconds)),
            plane,
            folder,
            kubeconfig,
            wire,
            lease_seconds: terms.lease_seconds,
            replicas: Vec::new(),
            lives: 0,
            random: StdRng::from_os_rng(),
            history: History::default(),
            points: Vec::new(),
        };
        for _ in 0..terms.replicas {
            let replica = lane.born()?;
            lane.replicas.push(replica);
        }
        Ok(lane)
    }

    /// Changes what the wire does.
    pub(crate) fn meddle(&self, meddling: Meddling) {
        if let Some(wire) = &self.wire {
            wire.meddle(meddling);
        }
    }

    /// Deals so many blows, each at a random point of the time that a leader is at work.
    pub(crate) async fn strike(&mut self, points: usize, blow: Blow) -> anyhow::Result<()> {
        let end = self.points.len() + points;
        while self.points.len() < end {
            let (leader, identity) = self.leader().await?;
            let wait = LATEST_POINT.mul_f64(self.random.random());
            tokio::time::sleep(wait).await; // the random point itself
            if self.replicas[leader].has_ended()? {
                continue; // it lost the lease meanwhile
            }
            self.points.push(Point { at: now(), leader: identity });
            match blow {
                Blow::Kill => self.replicas[leader].kill()?,
                Blow::Pause { from, to } => {
                    let leases = self.random.random_range(from..to);
                    self.replicas[leader].pause()?;
                    tokio::time::sleep(Duration::from_secs(self.lease_seconds).mul_f64(leases)).await;
                    self.replicas[leader].resume()?;
                }
            }
        }
        self.leader().await.map(drop)
    }

    /// Points so far.
    pub(crate) fn points(&self) -> usize {
        self.points.len()
    }

    /// Late writes so far.
    pub(crate) fn late(&self) -> usize {
        self.history.judge(&self.witness.stalls()).late.len()
    }

    /// Ends the burst and judges what happened.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Report> {
        let changes = self.burst.end().await?;
        self.replicas.clear();
        self.plane.audit_mark().await?; // everything that was answered is in the log now
        read_on(&mut self.log, &mut self.history)?;
        let verdict = self.history.judge(&self.witness.stalls());
        let busy = |point: &&Point| self.history.wrote_between(&point.leader, point.at - BUSY, point.at);
        let struck = |point: &&Point| self.history.wrote_between(&point.leader, point.at, point.at);
        Ok(Report {
            points: self.points.len(),
            busy: self.points.iter().filter(busy).count(),
            struck: self.points.iter().filter(struck).count(),
            changes,
            writes: verdict.writes,
            takeovers: verdict.takeovers,
            late: verdict.late,
            stalled: verdict.stalled,
            closest: verdict.closest,
        })
    }

    /// Waits until a replica holds the Lease and writes. Replicas that have ended begin anew meanwhile, as pods do.
    async fn leader(&mut self) -> anyhow::Result<(usize, String)> {
        let began = Instant::now();
        loop {
            self.tend()?;
            read_on(&mut self.log, &mut self.history)?;
            let holder = self.history.holder().filter(|holder| self.history.has_written(holder));
            if let Some(holder) = holder
                && let Some(leader) = self.replicas.iter().position(|replica| replica.is(holder))
            {
                return Ok((leader, holder.to_owned()));
            }
            ensure!(
                began.elapsed() < PATIENCE,
                "nobody leads; the last holder is {holder:?}\n{}",
                self.logs()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn tend(&mut self) -> anyhow::Result<()> {
        for place in 0..self.replicas.len() {
            if self.replicas[place].has_ended()? {
                self.replicas[place] = self.born()?;
            }
        }
        Ok(())
    }

    fn born(&mut self) -> anyhow::Result<Replica> {
        self.lives += 1;
        let post = Post {
            kubeconfig: &self.kubeconfig,
            folder: self.folder.path(),
            lease_seconds: self.lease_seconds,
        };
        Replica::start(&post, format!("life-{}", self.lives))
    }

    /// What the replicas said at last.
    fn logs(&self) -> String {
        let log = |replica: &Replica| {
            let text = std::fs::read_to_string(self.folder.path().join(format!("{}.log", replica.name)));
            let text = text.unwrap_or_default();
            let lines: Vec<_> = text.lines().rev().take(2).collect();
            format!("{}: {}\n", replica.name, lines.join("\n  "))
        };
        self.replicas.iter().map(log).collect()
    }
}

/// Our kinds, and a Lease that nobody has ever held.
async fn install(plane: &ControlPlane) -> anyhow::Result<()> {
    let kinds = "../crds/yaml";
    let established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    for arguments in [&["apply", "--server-side", "-f", kinds][..], &established] {
        let output = plane.kubectl().args(arguments).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let client = plane.client().await?;
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": "kyb-system"}}))?;
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let lease: Lease = serde_json::from_value(
        json!({"metadata": {"name": "kyb-operator"}, "spec": {"leaseTransitions": 0}}),
    )?;
    Api::namespaced(client, "kyb-system").create(&PostParams::default(), &lease).await?;
    Ok(())
}

fn read_on(log: &mut Log, history: &mut History) -> anyhow::Result<()> {
    log.read_on()?.iter().try_for_each(|event| history.take(event))
}

/// What is left of the lease's margin, a third of it, after a request's time, four fifteenths: a server that stands still for
/// longer may let a write take effect too late.
fn spare(lease_seconds: u64) -> Duration {
    Duration::from_secs(lease_seconds) / 15
}

/// What came of one or more lanes.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) points: usize,
    /// Points at which the leader had been writing just before.
    pub(crate) busy: usize,
    /// Points at which the API server was working on a write of the leader.
    pub(crate) struck: usize,
    pub(crate) changes: usize,
    pub(crate) writes: usize,
    pub(crate) takeovers: usize,
    pub(crate) late: Vec<(Fault, Write)>,
    /// Late because the server stood still.
    pub(crate) stalled: Vec<(Fault, Write)>,
    pub(crate) closest: Option<Duration>,
}

impl Report {
    /// The first late writes, a line each; then those that lay in the server.
    pub(crate) fn details(&self) -> String {
        let lines: Vec<_> = self
            .late
            .iter()
            .chain(&self.stalled)
            .take(20)
            .map(|(fault, write)| format!("{fault:?} {write:?}"))
            .collect();
        lines.join("\n")
    }
}

impl std::iter::Sum for Report {
    fn sum<I: Iterator<Item = Self>>(reports: I) -> Self {
        reports.fold(Self::default(), |mut sum, one| {
            sum.points += one.points;
            sum.busy += one.busy;
            sum.struck += one.struck;
            sum.changes += one.changes;
            sum.writes += one.writes;
            sum.takeovers += one.takeovers;
            sum.late.extend(one.late);
            sum.stalled.extend(one.stalled);
            sum.closest = sum.closest.into_iter().chain(one.closest).min();
            sum
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, busy, struck, changes, writes, takeovers, late, stalled, closest } = self;
        let (late, stalled) = (late.len(), stalled.len());
        let closest = closest.unwrap_or_default();
        write!(
            f,
            "{points} points ({busy} busy, {struck} with a write at the server), {changes} changes, {writes} writes, \
             {takeovers} takeovers, {late} late, {stalled} more as the server stood still; of the others the last-minute one was \
             answered {closest:?} before its lease's end"
        )
    }
}
