//! The lease on a real server: one holder, and no write by one whose lease has passed.

use std::time::{Duration, Instant};

use k8s_openapi::api::{coordination::v1::Lease, core::v1::ConfigMap};
use kube::{Api, Client, Config, api::PostParams, config::KubeConfigOptions, config::Kubeconfig};
use kyb_kit::{
    Election, Held, LeaseSettings, Timing, fenced_client,
    lease::{NotHeld, TooSlow},
};
use kyb_lab::{ControlPlane, Options, Process};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bench::{plane, typed};

const TIMING: Timing = Timing {
    duration: Duration::from_secs(4),
    margin: Duration::from_millis(1200),
    request_timeout: Duration::from_secs(1),
    renew_every: Duration::from_millis(500),
    retry_every: Duration::from_millis(250),
};

/// One replica of an operator.
struct Replica {
    held: Held,
    /// Writes only while it holds.
    client: Client,
    stop: CancellationToken,
    election: JoinHandle<()>,
}

async fn replica(plane: &ControlPlane, lease: &str, identity: &str) -> Replica {
    let held = Held::nothing();
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let settings = LeaseSettings {
        namespace: "default".into(),
        name: lease.into(),
        identity: identity.into(),
        timing: TIMING,
    };
    let election = Election::new(plane.client().await.unwrap(), settings, held.clone()).unwrap();
    let stop = CancellationToken::new();
    Replica {
        client: fenced_client(&config, &held, TIMING.request_timeout).unwrap(),
        held,
        stop: stop.clone(),
        election: tokio::spawn(election.run(stop)),
    }
}

/// A lease that nobody has ever held, and that says so.
async fn empty_lease(plane: &ControlPlane, name: &str) {
    let leases: Api<Lease> = Api::namespaced(plane.client().await.unwrap(), "default");
    leases
        .create(
            &PostParams::default(),
            &typed(json!({"metadata": {"name": name}, "spec": {"leaseTransitions": 0}})),
        )
        .await
        .unwrap();
}

async fn write(client: &Client, name: &str) -> Result<ConfigMap, kube::Error> {
    let map = typed::<ConfigMap>(json!({"metadata": {"generateName": format!("{name}-")}}));
    Api::namespaced(client.clone(), "default").create(&PostParams::default(), &map).await
}

fn is_refused(result: &Result<ConfigMap, kube::Error>) -> bool {
    matches!(result, Err(kube::Error::Service(source)) if source.is::<NotHeld>())
}

#[tokio::test]
async fn a_replica_that_stops_hands_over_at_once_and_writes_no_more() {
    let plane = plane().await;
    empty_lease(plane, "handed-over").await;
    let first = replica(plane, "handed-over", "first").await;
    first.held.acquired().await;
    let second = replica(plane, "handed-over", "second").await;
    write(&first.client, "by-first").await.unwrap();
    assert!(is_refused(&write(&second.client, "by-second").await));
    Api::<ConfigMap>::namespaced(second.client.clone(), "default")
        .list(&kube::api::ListParams::default())
        .await
        .unwrap();

    let asked = Instant::now();
    first.stop.cancel();
    second.held.acquired().await;
    assert!(asked.elapsed() < TIMING.duration / 2, "took {:?}", asked.elapsed());
    assert!(first.held.lost().is_cancelled());
    assert!(is_refused(&write(&first.client, "by-first").await));
    write(&second.client, "by-second").await.unwrap();
    second.stop.cancel();
    second.election.await.unwrap();
}

#[tokio::test]
async fn the_lease_of_a_killed_replica_is_waited_out() {
    let plane = plane().await;
    empty_lease(plane, "waited-out").await;
    let first = replica(plane, "waited-out", "first").await;
    first.held.acquired().await;
    let second = replica(plane, "waited-out", "second").await;
    first.election.abort();
    let killed = Instant::now();
    second.held.acquired().await;
    let waited = killed.elapsed();
    assert!(!first.held.still_held());
    let longest = TIMING.duration + 2 * TIMING.retry_every + TIMING.request_timeout;
    assert!(waited > TIMING.margin && waited < longest, "{waited:?}");
    second.stop.cancel();
    second.election.await.unwrap();
}

#[tokio::test]
async fn a_replica_that_can_not_renew_stops_writing_before_its_lease_has_passed() {
    let plane =
        ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
    empty_lease(&plane, "cut-off").await;
    let first = replica(&plane, "cut-off", "first").await;
    first.held.acquired().await;
    write(&first.client, "in-time").await.unwrap();
    plane.pause(Process::ApiServer).unwrap();
    let paused = Instant::now();
    let slow = write(&first.client, "slow").await.unwrap_err();
    assert!(matches!(&slow, kube::Error::Service(source) if source.is::<TooSlow>()), "{slow:?}");
    first.held.lost().cancelled().await;
    assert!(paused.elapsed() < TIMING.duration, "{:?}", paused.elapsed());
    assert!(!first.held.still_held() && is_refused(&write(&first.client, "late").await));
    first.election.await.unwrap();
    plane.resume(Process::ApiServer).unwrap();
    let second = replica(&plane, "cut-off", "second").await;
    second.held.acquired().await;
    write(&second.client, "by-second").await.unwrap();
}

#[tokio::test]
async fn of_many_replicas_one_holds() {
    let plane = plane().await;
    empty_lease(plane, "contended").await;
    let mut replicas = Vec::new();
    for number in 0..5 {
        replicas.push(replica(plane, "contended", &format!("replica-{number}")).await);
    }
    for _ in 0..5 {
        let acquired = replicas.iter().map(|replica| Box::pin(replica.held.acquired()));
        let ((), index, _) = futures::future::select_all(acquired).await;
        let holding = replicas.iter().filter(|replica| replica.held.still_held()).count();
        assert_eq!(holding, 1);
        let holder = replicas.swap_remove(index);
        holder.stop.cancel();
        holder.election.await.unwrap();
    }
}
