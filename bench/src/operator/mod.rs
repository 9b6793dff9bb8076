//! The operator against a real API server: how soon a tenant is there, what that costs in requests, and what a hundred
//! tenants cost in memory and, while nothing changes, in requests.
//!
//! ```text
//! apply of a KybTenant ─► kyb-operator ─► children, status        times and requests: the API server's audit log
//! the same children   ─► plain client, one POST after the other   the baseline, in turn with ours
//! ```
//!
//! There are no nodes, so no gateway ever says that it uses a tenant's settings, and the tenant stays `Reconciling`: what is
//! measured is how long it takes until everything is written. All times are the API server's own, from its receiving the
//! tenant to its answering the write in question. Only [`pods`] has a region with gateways.
//!
//! | module | what |
//! |---|---|
//! | [`cluster`] | the API server, a region in it, and the operator as a process |
//! | [`requests`] | what the audit log says of the operator's requests |
//! | [`counters`] | what the operator and the API server have counted themselves |
//! | [`tenant`] | one tenant from its apply to its last write |
//! | [`plain`] | the baselines |
//! | [`scale`] | many tenants at once, beside a plain client that makes as many |
//! | [`pods`] | a tenant from its apply to `Ready`, in a region of pods |

mod cluster;
mod counters;
mod plain;
mod pods;
mod requests;
pub(crate) mod scale;
mod tenant;

use std::time::Duration;

use anyhow::ensure;

use crate::{
    figure::{Figure, print_pair},
    memory::resident,
    rounds::{Pair, median},
};
use cluster::Cluster;
use requests::Requests;
use tenant::{Shape, Timeline};

/// Tenants that are measured one by one.
const ROUNDS: usize = 20;
/// Tenants that are there at the end.
const TENANTS: usize = 100;
/// How long nothing changes.
const IDLE: Duration = Duration::from_mins(1);

/// Prints all figures of the operator.
pub(crate) async fn measure() -> anyhow::Result<()> {
    let mut cluster = Cluster::start().await?;
    cluster.start_operator()?;
    // Not one of those that count: the operator has to take the lease, and everything is cold.
    let first = tenant::measure(&cluster, "first", Shape::Usual).await?;
    let without_tenants = resident(cluster.operator_pid()?)?;
    let plain = one_by_one(&cluster, &first).await?;
    all_at_once(&cluster, plain).await?;
    let with_tenants = resident(cluster.operator_pid()?)?;
    Figure::new("operator_memory_100_tenants", with_tenants, "MiB").beside(without_tenants).print();
    idle(&cluster).await?;
    restart(&mut cluster).await?;
    drop(cluster);
    pods::measure().await
}

/// Tenants one after the other, in turn with a plain client that makes the same objects; how many milliseconds a tenant takes
/// that one.
async fn one_by_one(cluster: &Cluster, first: &Timeline) -> anyhow::Result<f64> {
    let mut rounds = Vec::new();
    let mut plain = Vec::new();
    for round in 1..=ROUNDS {
        let ours = tenant::measure(cluster, &format!("bench-{round}"), Shape::Usual).await?;
        let took = plain::measure(cluster, first, &format!("plain-{round}")).await?;
        eprintln!(
            "operator: round {round} of {ROUNDS}: {:.0} ms to all {} children, {:.0} ms to the status; plain client {took:.0} ms",
            ours.applied,
            ours.children.len(),
            ours.settled
        );
        if round == 1 {
            eprintln!("operator: beside the children it wrote\n  {}", ours.others.join("\n  "));
        }
        rounds.push(ours);
        plain.push(took);
    }
    let of = |figure: fn(&Timeline) -> f64| median(rounds.iter().map(figure));
    let pairs: Vec<_> = rounds.iter().map(|ours| ours.applied).zip(plain).collect();
    let pair = Pair::of(&pairs);
    print_pair("tenant_apply_to_all_children_written", "ms", &pair);
    Figure::new("tenant_apply_to_usable_key", of(|ours| ours.key), "ms").print();
    Figure::new("tenant_apply_to_status_settled_without_pods", of(|ours| ours.settled), "ms").print();
    let children = of(|ours| count(ours.children.len()));
    Figure::new("tenant_writes", of(|ours| count(ours.requests.writes)), "requests").beside(children).print();
    Figure::new("tenant_writes_of_events", of(|ours| count(ours.requests.events)), "requests").print();
    Figure::new("tenant_reads", of(|ours| count(ours.requests.reads)), "requests").beside(0.0).print();
    Ok(pair.baseline)
}

/// The rest of the hundred tenants, applied at the same time, beside what the plain client would take for as many.
async fn all_at_once(cluster: &Cluster, plain: f64) -> anyhow::Result<()> {
    let more = TENANTS - ROUNDS - 1;
    let took = tenant::many(cluster, more).await?;
    let name = format!("tenants_{more}_at_once_settled_without_pods");
    Figure::new(&name, took, "s").beside(count(more) * plain / 1000.0).print();
    Ok(())
}

/// What is asked for while nothing changes.
async fn idle(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.quiet().await?;
    let mark = cluster.plane.audit_mark().await?;
    tokio::time::sleep(IDLE).await;
    let requests = Requests::of(&cluster.plane.audited_since(mark).await?);
    let beside_lease = requests.reads + requests.writes;
    Figure::new("operator_requests_per_minute_while_nothing_changes", count(beside_lease), "requests")
        .print();
    Figure::new("operator_lease_requests_per_minute", count(requests.lease), "requests").print();
    Figure::new("operator_watches_renewed_per_minute", count(requests.watches), "requests").print();
    Ok(())
}

/// What is asked for when the operator starts again over a hundred tenants.
async fn restart(cluster: &mut Cluster) -> anyhow::Result<()> {
    cluster.stop_operator().await?;
    let mark = cluster.plane.audit_mark().await?;
    cluster.start_operator()?;
    cluster
        .until("every tenant's Secret to be looked at", async |cluster| {
            let events = cluster.plane.audited_since(mark).await?;
            Ok(requests::of_operator(&events)
                .filter(|event| event.verb == "get" && event.resource() == "secrets")
                .count()
                >= TENANTS)
        })
        .await?;
    cluster.quiet().await?;
    let events = cluster.plane.audited_since(mark).await?;
    let requests = Requests::of(&events);
    ensure!(requests.reads > 0, "nothing was read after the restart");
    Figure::new("operator_restart_100_tenants_writes", count(requests.writes), "requests").print();
    Figure::new("operator_restart_100_tenants_reads", count(requests.reads), "requests").print();
    Figure::new("operator_restart_100_tenants_to_last_read", requests::span(&events)? / 1000.0, "s").print();
    Ok(())
}

/// Counts here are far below the 2⁵² that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn count(number: usize) -> f64 {
    number as f64
}
