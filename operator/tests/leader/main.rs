//! Whether a replica ever writes after its lease has passed: the leader of three is killed, or stopped and let go on, at
//! random points of a burst of changes, and the API server's own record is then compared with the history of the Lease.
//!
//! ```text
//! burst ─ edits, deletes, makes ─► API server ◄─ writes, renewals ─ three replicas ◄─ kill, stop, go on
//!                                      │
//!                                      ▼ audit log: who asked for what, when it came in, when it was answered
//!                                   history ─► which writes came from somebody who did not hold the Lease then
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`history`] | the verdict: pure, from the audit log's events |
//! | [`log`] | the audit log as it grows |
//! | [`replica`] | `kyb-operator run` as a process that can be killed and stopped |
//! | [`burst`] | changes without end, so that there is always something to write |
//! | [`lane`] | one API server with its replicas, its burst and its points |
//! | [`witness`] | when the API server itself stood still |
//! | [`wire`] | for the twins: what takes a safeguard out between the replicas and the API server |
//! | [`cut_off`] | on its own: a write that is under way when the network goes |
//!
//! The program under test is the one that is shipped, with a lease of two seconds. The twins run the same program, too: what
//! they lack is taken out on the wire, so nothing in the program can be switched off.
//!
//! `KYB_LEADER_POINTS` sets how many points each of the two tests has (100), for long runs.

mod burst;
mod cut_off;
mod history;
mod lane;
mod log;
mod replica;
mod wire;
mod witness;

use std::io::Write as _;

use anyhow::ensure;
use futures::future::try_join_all;

use lane::{Blow, Lane, Report, Terms};
use wire::Meddling;

/// Lanes of one test, each with an API server of its own: a lane spends most of its time waiting for a lease to pass.
const LANES: usize = 2;

/// At so many of a hundred points at least, the leader must have been writing within the last tenth of a second, or there was
/// no burst to speak of.
const BUSY_PERCENT: usize = 70;

/// Of so many writes one at most may have come late because the server stood still, or the run says too little.
const WRITES_A_STALL: usize = 200;

fn points() -> anyhow::Result<usize> {
    Ok(std::env::var("KYB_LEADER_POINTS").ok().map(|points| points.parse()).transpose()?.unwrap_or(100))
}

/// Printed past the test harness, which keeps what passing tests print.
fn tell(title: &str, report: &Report) {
    let _ = writeln!(std::io::stderr(), "{title}: {report}");
}

async fn points_of(blow: Blow) -> anyhow::Result<Report> {
    let each = points()?.div_ceil(LANES);
    let lanes = (0..LANES).map(|_| async move {
        let mut lane = Lane::start(Terms { replicas: 3, lease_seconds: 2, wire: None }).await?;
        lane.strike(each, blow).await?;
        lane.finish().await
    });
    let report = try_join_all(lanes).await?.into_iter().sum::<Report>();
    ensure!(report.points >= points()?, "{report}");
    ensure!(report.busy * 100 >= report.points * BUSY_PERCENT, "the leader was idle too often: {report}");
    Ok(report)
}

fn nobody_was_late(report: &Report) -> anyhow::Result<()> {
    ensure!(report.late.is_empty(), "{report}\n{}", report.details());
    let judged = report.stalled.len() * WRITES_A_STALL <= report.writes;
    ensure!(judged, "the server stood still too often: {report}\n{}", report.details());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_is_late_when_the_leader_is_killed_at_any_point_of_a_burst() -> anyhow::Result<()> {
    let report = points_of(Blow::Kill).await?;
    tell("killed", &report);
    ensure!(report.takeovers >= report.points, "{report}");
    nobody_was_late(&report)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_is_late_when_the_leader_is_paused_at_any_point_of_a_burst() -> anyhow::Result<()> {
    let report = points_of(Blow::Pause { from: 0.5, to: 1.75 }).await?;
    tell("paused", &report);
    ensure!(report.takeovers >= report.points / 4, "too few pauses were long enough: {report}");
    nobody_was_late(&report)
}

/// The twin without a deadline: each replica believes that its lease lasts nine seconds, and so holds for six, while the Lease
/// tells the others three.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_deadline_before_the_leases_end_a_paused_leader_writes_late() -> anyhow::Result<()> {
    let wire = Some(Meddling::ShorterLease { seconds: 3 });
    let mut lane = Lane::start(Terms { replicas: 2, lease_seconds: 9, wire }).await?;
    while lane.late() == 0 && lane.points() < 15 {
        lane.strike(1, Blow::Pause { from: 0.53, to: 0.63 }).await?;
    }
    let report = lane.finish().await?;
    tell("paused, without a deadline", &report);
    ensure!(nobody_was_late(&report).is_err(), "the oracle sees nothing: {report}");
    Ok(())
}

/// The twin without the precondition: a renewal replaces whatever Lease is there. At first the wire only delays what concerns
/// the Lease, and then it also takes the version out.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_version_as_a_precondition_two_replicas_lead_at_once() -> anyhow::Result<()> {
    let wire = Some(Meddling::SlowLease);
    let mut lane = Lane::start(Terms { replicas: 3, lease_seconds: 2, wire }).await?;
    lane.strike(5, Blow::Kill).await?;
    ensure!(lane.late() == 0, "late although nothing was taken out yet: {}", lane.finish().await?);
    lane.meddle(Meddling::NoVersion);
    while lane.late() == 0 && lane.points() < 30 {
        lane.strike(1, Blow::Kill).await?;
    }
    let report = lane.finish().await?;
    tell("killed, without the precondition", &report);
    ensure!(nobody_was_late(&report).is_err(), "the oracle sees nothing: {report}");
    Ok(())
}
