//! `kyb-gateway` as a process with settings from a real API server: it waits for them, obeys changes, and says what it uses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use kyb_domain::tenant::KeyId;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options as PostgresOptions};
use kyb_lab::{ControlPlane, Options};
use kyb_settings::{ApiKey, cluster::LABEL};
use kyb_store::{ConnectOptions, Store, setup::RoleLogin};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);
/// How soon a changed policy must be obeyed.
const OBEYED_WITHIN: Duration = Duration::from_secs(2);
const NAMESPACE: &str = "default";

/// The program; killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn start(kubernetes: &ControlPlane, database: &str, port: u16) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_kyb-gateway"))
            .args(["--settings-from-cluster", NAMESPACE, "--pod-name", "gateway-1", "--drain-delay", "0"])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .env("KUBECONFIG", kubernetes.kubeconfig())
            .env("KYB_DATABASE_URL", database)
            .env_remove("KYB_SETTINGS")
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// As a kubelet does it.
    fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
    }
}

struct World {
    kubernetes: ControlPlane,
    maps: Api<ConfigMap>,
    http: reqwest::Client,
    base: String,
    port: u16,
    store: Store,
    database: String,
    _postgres: EphemeralPostgres,
}

impl World {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // for the test's own HTTP client
        let kubernetes =
            ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
        let options = PostgresOptions { durable: false, ..PostgresOptions::default() };
        let postgres =
            tokio::task::spawn_blocking(move || EphemeralPostgres::start(&options).unwrap()).await.unwrap();
        let login = |name: &str| RoleLogin { name: name.to_owned(), password: "secret".to_owned() };
        let (migrator, runtime, reader) = (login("kyb_migrator"), login("kyb_runtime"), login("kyb_reader"));
        kyb_store::setup::bootstrap(&postgres.superuser_url(), "kyb", &migrator, &runtime, &reader)
            .await
            .unwrap();
        let database = postgres.url(&runtime.name, &runtime.password, "kyb");
        let connect = ConnectOptions {
            url: database.clone(),
            max_connections: 2,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            maps: Api::namespaced(kubernetes.client().await.unwrap(), NAMESPACE),
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
            base: format!("http://127.0.0.1:{port}"),
            port,
            store: Store::lazy(&connect).unwrap(),
            database,
            _postgres: postgres,
            kubernetes,
        }
    }

    async fn put(&self, file: &str, content: &Value) -> u64 {
        let name = format!("kyb-settings-{}", file.trim_end_matches(".yaml"));
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {LABEL: "test"}},
            "data": {file: content.to_string()}, // JSON is YAML
        });
        let writer = PatchParams::apply("test").force();
        let written = self.maps.patch(&name, &writer, &Patch::Apply(map)).await.unwrap();
        written.metadata.resource_version.unwrap().parse().unwrap()
    }

    /// Status and body of `/ready`; 0 while nobody listens.
    async fn ready(&self) -> (u16, String) {
        match self.http.get(format!("{}/ready", self.base)).send().await {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap()),
            Err(_) => (0, String::new()),
        }
    }

    /// Status of a classification, and whether it came from memory.
    async fn classify(&self, key: &str) -> (u16, String) {
        let request = self.http.post(format!("{}/v1/classifications", self.base)).header("X-API-Key", key);
        let answer = request.json(&json!({"description": "bakes bread"})).send().await.unwrap();
        let cache =
            answer.headers().get("x-kyb-cache").and_then(|value| value.to_str().ok()).unwrap_or_default();
        (answer.status().as_u16(), cache.to_owned())
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
    }
    started.elapsed()
}

fn platform(classes: &Value) -> Value {
    json!({"lists": [], "cache": {"classes": classes}})
}

fn tenant(key: &ApiKey) -> Value {
    json!({
        "id": "acme", "display_name": "Acme", "rate_limit": {"requests_per_minute": 600_000, "burst": 10_000},
        "api_keys": [{"id": key.id(), "role": "ServiceAccount", "hash": key.hash()}],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_in_a_cluster_waits_for_settings_obeys_them_and_says_which_it_uses() {
    let world = World::start().await;
    let mut program = Program::start(&world.kubernetes, &world.database, world.port);
    until("it says what it waits for", async || {
        world.ready().await.1.contains("none yet: platform.yaml: is missing")
    })
    .await;
    assert_eq!(world.ready().await.0, 503);
    assert_eq!(world.classify("kyb_test_nobody_x").await.0, 503, "nobody is refused before anybody is known");

    let key = ApiKey::generate("test", &KeyId::try_from("acme1").unwrap());
    world.put("tenant-acme.yaml", &tenant(&key)).await;
    let kept = json!([{"name": "classification", "ttl": "7d"}]);
    let version = world.put("platform.yaml", &platform(&kept)).await;
    until("it is ready", async || world.ready().await.0 == 200).await;
    assert_eq!(world.classify(key.reveal()).await, (200, "miss".to_owned()));
    assert_eq!(world.classify(key.reveal()).await, (200, "hit".to_owned()));
    let used =
        async || world.store.heartbeats().await.unwrap().first().and_then(|beat| beat.resource_version);
    until("it says which settings it uses", async || used().await >= Some(version)).await;

    world.put("platform.yaml", &platform(&json!([]))).await;
    let took = until("the class is off", async || world.classify(key.reveal()).await.1 == "miss").await;
    println!("a changed cache policy was obeyed after {took:?}");
    assert!(took < OBEYED_WITHIN, "{took:?}");

    world.put("tenant-acme.yaml", &json!({"id": "acme"})).await;
    until("the bad file is shown", async || world.ready().await.1.contains("tenant-acme.yaml")).await;
    assert_eq!(
        (world.ready().await.0, world.classify(key.reveal()).await.0),
        (200, 200),
        "its last good version stays"
    );

    program.terminate();
    assert!(program.0.wait().unwrap().success());
    assert_eq!(
        world.store.heartbeats().await.unwrap(),
        [],
        "who stops in good order takes its heartbeat back"
    );
}
