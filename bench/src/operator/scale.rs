//! What many tenants cost: 100, then 1,000, then more, in one API server.
//!
//! ```text
//! all tenants at once ─► operator ─► last write       in one API server: writes, memory, and, at 1,000, rest, changes, a restart
//! the same objects    ─► plain clients ─► last answer in two more, as many at a time: by POST, and by apply
//! ```

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use kyb_crds::KybTenant;
use kyb_lab::AuditEvent;
use serde_json::json;

use super::{
    cluster::{Cluster, REGION, REGION_NAMESPACE},
    count,
    counters::{Counted, since},
    plain::{self, By},
    requests::{self, Requests, answered, received},
    tenant::{self, Shape, Timeline},
};
use crate::{figure::Figure, memory::resident};

/// So many tenants are looked at closely.
const CLOSELY: usize = 1000;
/// As many as the operator works on at a time, each with as many children at a time.
pub(super) const AT_A_TIME: usize = 8;
/// Changes that are timed, one after the other.
const CHANGES: usize = 100;
/// How long other clients may go on asking for our kinds before what is at rest is measured all the same.
const SETTLED_WITHIN_MINUTES: usize = 15;
/// A status write when everything is written and one when it works, as a tenant needs them.
const STATUSES: usize = 2;

/// What was reached so far.
struct Stage {
    tenants: usize,
    seconds: f64,
    memory: f64,
    by_post: f64,
    by_apply: f64,
}

/// Prints all figures, for each of these numbers of tenants, which must ascend.
pub(crate) async fn measure(sizes: &[usize], small: bool, idle: Duration) -> anyhow::Result<()> {
    let mut ours = Cluster::start().await?;
    let (mut posted, mut applied) = (Cluster::start().await?, Cluster::start().await?);
    ours.start_operator()?;
    let first = tenant::measure(&ours, "first", if small { Shape::Small } else { Shape::Usual }).await?;
    let memory = resident(ours.operator_pid()?)?;
    let mut before = Stage { tenants: 0, seconds: 0.0, memory, by_post: 0.0, by_apply: 0.0 };
    Figure::new("operator_memory_1_tenant", before.memory, "MiB").print();
    for &size in sizes {
        let seconds = before.seconds + grow(&ours, &first, before.tenants..size).await?;
        let more = before.tenants..size;
        let by_post = before.by_post + plain::grow(&mut posted, By::Post, &first, more.clone()).await?;
        let by_apply = before.by_apply + plain::grow(&mut applied, By::Apply, &first, more).await?;
        let memory = resident(ours.operator_pid()?)?;
        let stage = Stage { tenants: size, seconds, memory, by_post, by_apply };
        tell(&stage, &before, first.children.len());
        if size == CLOSELY {
            closely(&mut ours, idle).await?;
        }
        before = stage;
    }
    Ok(())
}

fn tell(stage: &Stage, before: &Stage, children: usize) {
    let Stage { tenants, seconds, memory, by_post, by_apply } = *stage;
    let of = |figure: &str| format!("operator_{tenants}_tenants_{figure}");
    // The same objects to the last field, `managedFields` among them, come of applying alone.
    Figure::new(&of("converged"), seconds, "s").beside(by_apply).print();
    Figure::new(&of("converged_ratio"), seconds / by_apply, "x").print();
    Figure::new(&of("converged_beside_post"), seconds, "s").beside(by_post).print();
    Figure::new(&of("converged_beside_post_ratio"), seconds / by_post, "x").print();
    Figure::new(&of("memory"), memory, "MiB").print();
    let more = count(tenants - before.tenants);
    Figure::new(&of("marginal_time_per_tenant"), (seconds - before.seconds) * 1000.0 / more, "ms").print();
    let per_child = (memory - before.memory) * 1024.0 / more / count(children);
    Figure::new(&of("marginal_memory_per_child"), per_child, "KiB").print();
}

/// Applies more tenants at once; the seconds from the first one's coming to the operator's last write, by the API server's clock.
async fn grow(cluster: &Cluster, first: &Timeline, numbers: std::ops::Range<usize>) -> anyhow::Result<f64> {
    let (more, total) = (numbers.len(), numbers.end);
    let mark = cluster.plane.audit_mark().await?;
    let applying = stream::iter(numbers).map(|number| async move {
        let tenants = Api::<KybTenant>::all(cluster.client.clone());
        cluster
            .create(&tenants, tenant::manifest(&format!("scale-{number}"), REGION, first.shape))
            .await
            .map(drop)
    });
    applying.buffer_unordered(2 * AT_A_TIME).try_collect::<Vec<()>>().await?;
    let tenants = Api::<KybTenant>::all(cluster.client.clone());
    cluster
        .until_long("all tenants to be written", async |_| {
            let settled = tenants
                .list(&ListParams::default())
                .await?
                .iter()
                .filter(|one| tenant::is_settled(one))
                .count();
            eprintln!("operator: {settled} of {} tenants are written", total + 1);
            Ok(settled == total + 1)
        })
        .await?;
    cluster.quiet().await?;
    let events = cluster.plane.audited_since(mark).await?;
    let requests = Requests::of(&events);
    let least = count(first.children.len() + STATUSES);
    let per_tenant = count(requests.writes) / count(more);
    Figure::new(&format!("operator_{total}_tenants_writes_per_tenant"), per_tenant, "requests")
        .beside(least)
        .print();
    Figure::new(&format!("operator_{total}_tenants_write_ratio"), per_tenant / least, "x").print();
    Figure::new(
        &format!("operator_{total}_tenants_reads_per_tenant"),
        count(requests.reads) / count(more),
        "requests",
    )
    .print();
    let came = events.iter().find(|event| event.verb == "create" && event.resource() == "kybtenants");
    Ok((last_write(&events)? - received(came.context("no tenant came")?)?) / 1000.0)
}

fn last_write(events: &[AuditEvent]) -> anyhow::Result<f64> {
    let writes = requests::of_operator(events).filter(|event| event.is_write());
    let times: Vec<_> = writes.map(answered).collect::<anyhow::Result<_>>()?;
    times.into_iter().reduce(f64::max).context("the operator wrote nothing")
}

/// At rest, one change at a time, and a restart.
async fn closely(cluster: &mut Cluster, idle: Duration) -> anyhow::Result<()> {
    settled(cluster).await?;
    let mark = cluster.plane.audit_mark().await?;
    let (by_operator, by_server) = (cluster.counted_by_operator().await?, cluster.counted_by_server().await?);
    tokio::time::sleep(idle).await; // that nothing happens for so long is what is measured
    let requests = Requests::of(&cluster.plane.audited_since(mark).await?);
    let by_operator = since(&by_operator, &cluster.counted_by_operator().await?);
    let by_server = since(&by_server, &cluster.counted_by_server().await?);
    eprintln!("operator: at rest it asked for {by_operator:?}, and all clients together for {by_server:?}");
    let of = |figure: &str| format!("operator_{CLOSELY}_tenants_{figure}_at_rest");
    Figure::new(&of("minutes"), idle.as_secs_f64() / 60.0, "min").print();
    Figure::new(&of("writes"), count(requests.writes), "requests").print();
    Figure::new(&of("reads"), count(requests.reads), "requests").print();
    Figure::new(&of("lease_requests"), count(requests.lease), "requests").print();
    Figure::new(&of("requests_by_its_own_count"), total(by_operator.values()), "requests").print();
    Figure::new(
        &of("requests_for_its_kinds_by_apiserver_request_total"),
        for_our_kinds(&by_server),
        "requests",
    )
    .print();
    Figure::new(
        &of("requests_of_all_clients_by_apiserver_request_total"),
        total(by_server.values()),
        "requests",
    )
    .print();
    changes(cluster).await?;
    restart(cluster).await
}

/// Waits until nobody asks for our kinds any more. Kubernetes's garbage collector hears of new kinds every half minute only, and then looks
/// up, one by one, the owners of all objects that it met before.
async fn settled(cluster: &Cluster) -> anyhow::Result<()> {
    for _ in 0..SETTLED_WITHIN_MINUTES {
        let before = cluster.counted_by_server().await?;
        tokio::time::sleep(Duration::from_mins(1)).await;
        let asked = for_our_kinds(&since(&before, &cluster.counted_by_server().await?));
        if asked == 0.0 {
            return Ok(());
        }
        eprintln!("operator: all clients together have asked for its kinds {asked} times within a minute");
    }
    Ok(()) // what is measured then says so
}

/// Requests for the kinds that the operator defines.
fn for_our_kinds(counted: &Counted) -> f64 {
    let ours = ["kyb", "region", "cachepolicies"];
    let is_ours = |what: &str| {
        what.split_once(' ').is_some_and(|(_, resource)| ours.iter().any(|kind| resource.starts_with(kind)))
    };
    total(counted.iter().filter(|(what, _)| is_ours(what)).map(|(_, count)| count))
}

/// The sum of nothing is -0.0, which reads like an error.
fn total<'a>(counts: impl Iterator<Item = &'a f64>) -> f64 {
    counts.sum::<f64>() + 0.0
}

/// A tenant's limit changes; milliseconds until the region's settings say so.
async fn changes(cluster: &Cluster) -> anyhow::Result<()> {
    let tenants = Api::<KybTenant>::all(cluster.client.clone());
    let mut took = Vec::new();
    for number in 0..CHANGES {
        let (id, mark) = (format!("scale-{number}"), cluster.plane.audit_mark().await?);
        let spec = json!({"spec": {"rateLimit": {"requestsPerMinute": 777, "burst": 77}}});
        tenants.patch(&id, &PatchParams::default(), &Patch::Merge(&spec)).await?;
        let settings = format!("kyb-settings-tenant-{id}");
        let mut milliseconds = None;
        cluster
            .until("the change to be applied", async |cluster| {
                milliseconds = applied(&cluster.plane.audited_since(mark).await?, &settings)?;
                Ok(milliseconds.is_some())
            })
            .await?;
        took.extend(milliseconds);
    }
    took.sort_by(f64::total_cmp);
    ensure!(took.len() == CHANGES, "some changes were not seen");
    Figure::new("operator_change_applied_among_1000_p50", took[CHANGES / 2], "ms").print();
    Figure::new("operator_change_applied_among_1000_p99", took[CHANGES * 99 / 100], "ms").print();
    Ok(())
}

fn applied(events: &[AuditEvent], settings: &str) -> anyhow::Result<Option<f64>> {
    let changed = events.iter().find(|event| event.resource() == "kybtenants" && event.verb == "patch");
    let is_applied = |event: &&AuditEvent| {
        let object = event.object_ref.as_ref();
        event.is_write()
            && object.is_some_and(|object| object.namespace == REGION_NAMESPACE && object.name == settings)
    };
    let written = requests::of_operator(events).find(is_applied);
    let (Some(changed), Some(written)) = (changed, written) else { return Ok(None) };
    Ok(Some(answered(written)? - received(changed)?))
}

async fn restart(cluster: &mut Cluster) -> anyhow::Result<()> {
    cluster.stop_operator().await?;
    let mark = cluster.plane.audit_mark().await?;
    let began = Instant::now();
    cluster.start_operator()?;
    cluster
        .until("every tenant's Secret to be looked at", async |cluster| {
            let events = cluster.plane.audited_since(mark).await?;
            let secrets = requests::of_operator(&events).filter(|event| event.resource() == "secrets");
            Ok(secrets.count() > CLOSELY)
        })
        .await?;
    cluster.quiet().await?;
    let events = cluster.plane.audited_since(mark).await?;
    let requests = Requests::of(&events);
    let secrets = requests::of_operator(&events).filter(|event| event.resource() == "secrets").count();
    let of = |figure: &str| format!("operator_restart_{CLOSELY}_tenants_{figure}");
    Figure::new(&of("writes"), count(requests.writes), "requests").print();
    Figure::new(&of("reads_of_secrets"), count(secrets), "requests").print();
    Figure::new(&of("other_reads"), count(requests.reads - secrets), "requests").print();
    Figure::new(&of("watches"), count(requests.watches), "requests").print();
    Figure::new(&of("took"), began.elapsed().as_secs_f64(), "s").print();
    Figure::new(&of("memory"), resident(cluster.operator_pid()?)?, "MiB").print();
    Ok(())
}
