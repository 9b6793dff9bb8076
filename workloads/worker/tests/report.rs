//! What the workloads say comes into the RegionReport of a real API server: all of it, soon, and nothing twice.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use kyb_crds::{ErasureState, RegionReport, RegionReportStatus, names};
use kyb_domain::tenant::TenantId;
use kyb_engines::LiveWatchlists;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options as PostgresOptions};
use kyb_lab::{ControlPlane, Options};
use kyb_settings::Settings;
use kyb_store::{
    ConnectOptions, Store,
    heartbeats::{CacheLookups, Component, Heartbeat, RefusedFile},
    setup::RoleLogin,
    usage::UsageRow,
};
use kyb_telemetry::Metrics;
use kyb_worker::{
    WorkerOptions,
    report::{LastReport, Target},
};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

const SOON: Duration = Duration::from_secs(30);
const NAMESPACE: &str = "kyb-test-1";
const NAME: &str = "test-1";

fn typed<T: DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// A control plane with our definitions and one empty report, a database, and a folder of settings.
struct World {
    plane: ControlPlane,
    reports: Api<RegionReport>,
    store: Store,
    folder: tempfile::TempDir,
    _postgres: EphemeralPostgres,
}

impl World {
    async fn start() -> Self {
        let plane =
            ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
        let client = plane.client().await.unwrap();
        install(&client).await;
        let postgres =
            tokio::task::spawn_blocking(|| EphemeralPostgres::start(&PostgresOptions::default()).unwrap())
                .await
                .unwrap();
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "platform.yaml", "lists: []\n");
        let store = connect(&postgres).await;
        Self { plane, reports: Api::namespaced(client, NAMESPACE), store, folder, _postgres: postgres }
    }

    /// A worker under this pod's name that may do what it wants; it stops when the guard goes.
    async fn worker(&self, pod: &str) -> DropGuard {
        let client = self.plane.client().await.unwrap();
        self.worker_with(pod, client, LastReport::default())
    }

    fn worker_with(&self, pod: &str, client: Client, last: LastReport) -> DropGuard {
        let (metrics, stop) = (Metrics::new(), CancellationToken::new());
        let settings = Settings::watch(self.folder.path(), Duration::from_millis(100)).unwrap();
        let watchlists =
            LiveWatchlists::follow(self.store.clone(), settings.clone(), metrics.clone(), stop.clone());
        let report = Target { client, namespace: NAMESPACE.to_owned(), name: NAME.to_owned(), last };
        let options = WorkerOptions {
            concurrency: 1,
            pod: Some(pod.to_owned()),
            report: Some(report),
            ..WorkerOptions::default()
        };
        tokio::spawn(kyb_worker::run(
            options,
            self.store.clone(),
            settings,
            watchlists,
            metrics,
            stop.clone(),
        ));
        stop.drop_guard()
    }

    async fn report(&self) -> RegionReport {
        self.reports.get(NAME).await.unwrap()
    }

    /// Waits for a report of which something is true.
    async fn until(&self, what: &str, mut is_so: impl FnMut(&RegionReportStatus) -> bool) -> RegionReport {
        let deadline = Instant::now() + SOON;
        loop {
            let report = self.report().await;
            if report.status.as_ref().is_some_and(&mut is_so) {
                return report;
            }
            assert!(Instant::now() < deadline, "not within {SOON:?}: {what}: {:?}", report.status);
            tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
        }
    }
}

async fn install(client: &Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in kyb_crds::definitions() {
        let (name, writer) = (definition.name_any(), PatchParams::apply("test").force());
        definitions.patch(&name, &writer, &Patch::Apply(&definition)).await.unwrap();
    }
    let namespace = typed::<Namespace>(json!({"metadata": {"name": NAMESPACE}}));
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
    let report = typed::<RegionReport>(json!({
        "apiVersion": names::API_VERSION, "kind": "RegionReport", "metadata": {"name": NAME}, "spec": {"region": NAME},
    }));
    let reports: Api<RegionReport> = Api::namespaced(client.clone(), NAMESPACE);
    let deadline = Instant::now() + SOON;
    while let Err(error) = reports.create(&PostParams::default(), &report).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await; // until the new kind is served
    }
}

async fn connect(postgres: &EphemeralPostgres) -> Store {
    let login = |name: &str| RoleLogin { name: name.to_owned(), password: "secret".to_owned() };
    let (migrator, runtime, reader) = (login("kyb_migrator"), login("kyb_runtime"), login("kyb_reader"));
    kyb_store::setup::bootstrap(&postgres.superuser_url(), "kyb", &migrator, &runtime, &reader)
        .await
        .unwrap();
    let options = ConnectOptions {
        url: postgres.url(&runtime.name, &runtime.password, "kyb"),
        max_connections: 8,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(10),
    };
    Store::lazy(&options).unwrap()
}

/// By renaming, so that it is never seen half-written.
fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(".new"), text).unwrap();
    std::fs::rename(folder.join(".new"), folder.join(name)).unwrap();
}

fn gateway(resource_version: u64) -> Heartbeat {
    Heartbeat {
        pod: "gateway-1".to_owned(),
        component: Component::Gateway,
        version: "0.1.0".to_owned(),
        resource_version: Some(resource_version),
        refused: ["tenant-acme.yaml", "tenant-bolt.yaml"]
            .map(|file| RefusedFile { file: file.to_owned(), problem: "line 1".to_owned() })
            .to_vec(),
        caches: vec![CacheLookups { class: "sanctions".to_owned(), hits: 19, all: 20 }],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pods_say_is_reported_once_and_then_no_request_is_made_until_something_changes() {
    let world = World::start().await;
    world.store.beat(&gateway(41)).await.unwrap();
    let _worker = world.worker("worker-1").await;
    let report = world.until("both pods", |status| status.workloads.len() == 2).await;
    let status = report.status.unwrap();
    let pods: Vec<_> =
        status.workloads.iter().map(|pod| (pod.name.as_str(), pod.component.as_str())).collect();
    assert_eq!(pods, [("gateway-1", "gateway"), ("worker-1", "worker")]);
    let settings = status.workloads[0].settings.as_ref().unwrap();
    assert_eq!(settings.resource_version, "41");
    let refused: Vec<_> = status.refused.iter().map(|file| (file.name.as_str(), file.pod.as_str())).collect();
    assert_eq!(refused, [("tenant-acme.yaml", "gateway-1"), ("tenant-bolt.yaml", "gateway-1")]);
    assert_eq!(status.counts.as_ref().unwrap().refusing, 1);
    assert_eq!((status.observed_generation, status.conditions[0].type_.as_str()), (Some(1), "Ready"));
    let schema = status.database.and_then(|database| database.schema_version);
    assert_eq!(schema, Some(kyb_store::setup::SCHEMA_VERSION));
    assert_eq!((status.caches.len(), status.caches[0].hit_rate_percent), (1, 95));

    // Three more looks at least: the worker's own heartbeat is renewed, and nothing else happens.
    let mark = world.plane.audit_mark().await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await; // what is tested is that nothing happens meanwhile
    let events = world.plane.audited_since(mark).await.unwrap();
    let ours: Vec<_> = events.iter().filter(|event| event.request_uri.contains("regionreports")).collect();
    assert!(ours.is_empty(), "{ours:?}");

    let told = Instant::now();
    world.store.beat(&gateway(42)).await.unwrap();
    let version = |status: &RegionReportStatus| {
        status.workloads[0].settings.as_ref().map(|settings| settings.resource_version.clone())
    };
    world.until("the new settings", |status| version(status).as_deref() == Some("42")).await;
    println!("reported after {:?}", told.elapsed());
    let writes = world.plane.audited_since(mark).await.unwrap().into_iter();
    assert_eq!(
        writes.filter(|event| event.is_write() && event.request_uri.contains("regionreports")).count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_come_to_one_report() {
    let world = World::start().await;
    let _workers =
        [world.worker("worker-1").await, world.worker("worker-2").await, world.worker("worker-3").await];
    let first = world.until("three pods", |status| status.workloads.len() == 3).await;
    // Every worker saw the change within two looks; whoever writes the same again changes nothing.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = world.report().await;
    assert_eq!((later.resource_version(), later.status), (first.resource_version(), first.status));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_erased_when_its_settings_say_so_and_that_is_reported() {
    let world = World::start().await;
    let acme = TenantId::try_from("acme").unwrap();
    let usage = UsageRow { hour: chrono::Utc::now(), endpoint: "GET /".to_owned(), requests: 1, errors: 0 };
    world.store.tenant(&acme).add_usage(&[usage]).await.unwrap();
    let file =
        "id: acme\ndisplay_name: Acme\nrate_limit: {requests_per_minute: 60, burst: 5}\napi_keys: []\n";
    write(world.folder.path(), "tenant-acme.yaml", file);
    let _worker = world.worker("worker-1").await;
    world.until("the worker", |status| status.workloads.len() == 1).await;
    assert_eq!(world.store.tenant_erasures().await.unwrap(), []);

    write(world.folder.path(), "tenant-acme.yaml", &format!("{file}erase: true\n"));
    let done = |status: &RegionReportStatus| {
        status
            .erasures
            .iter()
            .any(|erasure| erasure.tenant.as_str() == "acme" && erasure.state == ErasureState::Done)
    };
    world.until("the erasure", done).await;
    let tombstones = world.store.tenant_erasures().await.unwrap();
    assert_eq!((tombstones.len(), tombstones[0].rows, &tombstones[0].tenant), (1, 1, &acme));

    // The file goes when the operator has seen it; the report follows, the tombstone stays.
    std::fs::remove_file(world.folder.path().join("tenant-acme.yaml")).unwrap();
    world.until("the request is gone", |status| status.erasures.is_empty()).await;
    assert_eq!(world.store.tenant_erasures().await.unwrap(), tombstones);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_knows_since_when_it_could_not_report() {
    let world = World::start().await;
    let (may, may_not) = (LastReport::default(), LastReport::default());
    let begun = Instant::now();
    let anybody = world.plane.client_for("anybody", &[]).await.unwrap();
    let _silent = world.worker_with("worker-1", anybody, may_not.clone());
    let _reporting = world.worker_with("worker-2", world.plane.client().await.unwrap(), may.clone());
    world.until("both pods", |status| status.workloads.len() == 2).await;
    // Each look comes a second after the one before.
    while begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(100)).await; // what is tested is that time goes by
    }
    assert!(may.age() < Duration::from_secs(4), "{:?}", may.age());
    assert!(may_not.age() > Duration::from_secs(4), "{:?}", may_not.age());
    assert!(!may.is_overdue() && !may_not.is_overdue(), "not yet");
}
