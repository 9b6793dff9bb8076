//! A gateway on a free port over a database of its own, its settings in a folder, and a client.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{NaiveDate, Utc};
use kyb_domain::{
    list::{
        Entry, EntryKind, ListFormat, ListState, ListVersion, ListedName, NameKind, PublishedBy, Watchlist,
    },
    tenant::KeyId,
};
use kyb_engines::LiveWatchlists;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_gateway::{AppState, Compat, GatewayError, GatewayOptions};
use kyb_settings::{ApiKey, Settings};
use kyb_store::{ConnectOptions, Store, setup::RoleLogin};
use kyb_telemetry::Metrics;
use kyb_verification::Watchlists;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The server that every test's database lives on.
fn server() -> &'static EphemeralPostgres {
    static SERVER: OnceLock<EphemeralPostgres> = OnceLock::new();
    SERVER
        .get_or_init(|| EphemeralPostgres::start(&Options { durable: false, max_connections: 400 }).unwrap())
}

/// Makes a database with its roles; gives the URL of the runtime role.
pub(crate) async fn database(server: &EphemeralPostgres, name: &str) -> String {
    let login = |role: &str| RoleLogin { name: format!("{role}_{name}"), password: "secret".into() };
    let (migrator, runtime, reader) = (login("migrator"), login("runtime"), login("reader"));
    kyb_store::setup::bootstrap(&server.superuser_url(), name, &migrator, &runtime, &reader).await.unwrap();
    server.url(&runtime.name, &runtime.password, name)
}

pub(crate) fn connect(url: String) -> Store {
    let second = Duration::from_secs(1);
    let options = ConnectOptions {
        url,
        max_connections: 8,
        acquire_timeout: 5 * second,
        statement_timeout: 10 * second,
    };
    Store::lazy(&options).unwrap()
}

/// A number that no other test has.
pub(crate) fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One tenant's keys, one for each kind of caller.
pub(crate) struct Keys {
    pub(crate) tenant: String,
    pub(crate) service: String,
    /// A ContextManager: a person.
    pub(crate) manager: String,
    pub(crate) guest: String,
    pub(crate) auditor: String,
    /// A service account that may use the context `lending` only.
    pub(crate) confined: String,
}

/// A running gateway with two tenants, `acme` and `other`.
pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) acme: Keys,
    pub(crate) other: Keys,
    pub(crate) store: Store,
    pub(crate) stop: CancellationToken,
    pub(crate) settings: tempfile::TempDir,
    client: Client,
    serving: JoinHandle<Result<(), GatewayError>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts status and code of a problem and every member of its form; gives back the body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["type"], format!("/docs#{code}"), "{body}");
        assert_eq!(body["request_id"], self.header("x-request-id"), "{body}");
        assert!(
            body["title"].is_string() && body["detail"].as_str().is_some_and(|detail| detail.len() > 10),
            "{body}"
        );
        body
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(GatewayOptions::default(), 1_000_000).await
    }

    /// With these bounds, and so many requests that a tenant may make at once.
    pub(crate) async fn with(options: GatewayOptions, burst: u32) -> Self {
        Self::over(Self::store().await, options, burst).await
    }

    /// With the interfaces of yente and Watchman, over the lists of OFAC as published in June 2019.
    pub(crate) async fn speaking(compat: Compat, burst: u32) -> Self {
        let options = GatewayOptions { compat, ..GatewayOptions::default() };
        Self::over_lists(Self::store().await, options, burst, ofac()).await.ready().await
    }

    /// A database of its own.
    pub(crate) async fn store() -> Store {
        connect(database(server(), &format!("gateway_{}", unique())).await)
    }

    /// A gateway's state with settings of nobody.
    pub(crate) fn state(store: Store, options: GatewayOptions, lists: Watchlists) -> AppState {
        let settings = Settings::fixed(kyb_settings::Snapshot::default());
        AppState::new(store, settings, LiveWatchlists::fixed(lists), Metrics::new(), options)
    }

    pub(crate) async fn over(store: Store, options: GatewayOptions, burst: u32) -> Self {
        Self::over_lists(store, options, burst, watchlists()).await
    }

    pub(crate) async fn over_lists(
        store: Store,
        options: GatewayOptions,
        burst: u32,
        lists: Watchlists,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default(); // another test may have been first
        let settings = tempfile::tempdir().unwrap();
        std::fs::write(settings.path().join("platform.yaml"), "lists: []\n").unwrap();
        let acme = write_tenant(settings.path(), "acme", burst);
        let other = write_tenant(settings.path(), "other", burst);
        let watched = Settings::watch(settings.path(), Duration::from_millis(50)).unwrap();
        let state =
            AppState::new(store.clone(), watched, LiveWatchlists::fixed(lists), Metrics::new(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let serving = tokio::spawn(kyb_gateway::serve(listener, state, stop.clone()));
        Self { base, acme, other, store, stop, settings, client: client(), serving }
    }

    /// Waits until the database was checked.
    pub(crate) async fn ready(self) -> Self {
        until(async || self.get("/ready", "").await.status == 200).await;
        self
    }

    pub(crate) fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        if key.is_empty() { request } else { request.header("X-API-Key", key) }
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        answer(self.request(Method::GET, path, key)).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path, key).json(body)).await
    }

    /// Stops the gateway and waits until it has drained.
    pub(crate) async fn finish(self) -> Result<(), GatewayError> {
        self.stop.cancel();
        self.serving.await.unwrap()
    }

    /// What the serving task ended with, without being stopped.
    pub(crate) async fn outcome(self) -> Result<(), GatewayError> {
        self.serving.await.unwrap()
    }

    /// Stores a business and gives its id.
    pub(crate) async fn business(&self, key: &str, body: &Value) -> String {
        let created = self.post("/v1/businesses", key, body).await.expect(201);
        created.json()["id"].as_str().unwrap().to_owned()
    }
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_mins(1)).build().unwrap()
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// Waits for a condition; it fails after 30 seconds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "the condition did not come true within 30 seconds");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn tenant_file(folder: &std::path::Path, tenant: &str) -> PathBuf {
    folder.join(format!("tenant-{tenant}.yaml"))
}

fn write_tenant(folder: &std::path::Path, tenant: &str, burst: u32) -> Keys {
    let mut entries = vec![];
    let mut key = |name: &str, role: &str, contexts: Option<&str>| {
        let key = ApiKey::generate("test", &KeyId::try_from(format!("{tenant}{name}")).unwrap());
        let mut entry = json!({"id": key.id(), "role": role, "hash": key.hash()});
        if let Some(context) = contexts {
            entry["contexts"] = json!([context]);
        }
        entries.push(entry);
        key.reveal().to_owned()
    };
    let keys = Keys {
        tenant: tenant.to_owned(),
        service: key("service", "ServiceAccount", None),
        manager: key("manager", "ContextManager", None),
        guest: key("guest", "Guest", None),
        auditor: key("auditor", "Auditor", None),
        confined: key("confined", "ServiceAccount", Some("lending")),
    };
    let file = json!({
        "id": tenant, "display_name": tenant, "contexts": [{"name": "lending"}, {"name": "onboarding"}],
        "rate_limit": {"requests_per_minute": 60, "burst": burst}, "api_keys": entries,
    });
    // JSON is YAML.
    std::fs::write(tenant_file(folder, tenant), file.to_string()).unwrap();
    keys
}

/// One list with one sanctioned company.
fn watchlists() -> Watchlists {
    watchlists_of(listed_company(), "1f")
}

/// One list with one entry, in a version of its own.
pub(crate) fn watchlists_of(entry: Entry, sha256: &str) -> Watchlists {
    let version = ListVersion {
        list: "test-list".try_into().unwrap(),
        format: ListFormat::OfacCsv,
        published: NaiveDate::from_ymd_opt(2019, 6, 14).unwrap(),
        published_by: PublishedBy::Document,
        sha256: sha256.repeat(32),
        entries: 1,
    };
    let list = Arc::new(Watchlist { version: version.clone(), entries: vec![entry] });
    let state = fresh(&version);
    Watchlists { screener: Arc::new(kyb_screening::Screener::build(&[list])), states: vec![state] }
}

/// The sanctioned company.
pub(crate) fn listed_company() -> Entry {
    let name = |kind, text: &str| ListedName { kind, text: text.into() };
    Entry {
        id: "18068".into(),
        reference: None,
        kind: EntryKind::Organization,
        names: vec![
            name(NameKind::Primary, "ROSOBORONEKSPORT OAO"),
            name(NameKind::Alias, "ROSOBORONEXPORT"),
        ],
        programs: vec!["UKRAINE-EO13662".into()],
        countries: vec!["RU".try_into().unwrap()],
        birth_dates: vec![],
        identifiers: vec![],
        addresses: vec!["27 Stromynka ul., Moscow 107076".into()],
        remarks: None,
    }
}

/// OFAC's SDN list of June 2019, whole, as the only list.
pub(crate) fn ofac() -> Watchlists {
    let folder = std::path::Path::new("../../../shared/data/ofac-2019");
    let parsed = kyb_lists::directory::load(folder).unwrap();
    let lists: Vec<_> = parsed.into_iter().map(|parsed| Arc::new(parsed.watchlist)).collect();
    Watchlists {
        states: lists.iter().map(|list| fresh(&list.version)).collect(),
        screener: Arc::new(kyb_screening::Screener::build(&lists)),
    }
}

fn fresh(version: &ListVersion) -> ListState {
    ListState {
        list: version.list.clone(),
        version: Some(version.clone()),
        checked_at: Some(Utc::now()),
        stale: None,
    }
}

/// A small business that nothing speaks against.
pub(crate) fn bakery() -> Value {
    json!({
        "name": "Bäckerei Müller GmbH", "country": "DE", "legal_form": "GmbH",
        "description": "Bakes bread and cakes and sells them in its own shop.",
        "identifiers": [{"kind": "tax_id", "value": "DE 123 456 789", "country": "DE"}],
    })
}

/// The sanctioned company with a misspelt name.
pub(crate) fn sanctioned() -> Value {
    json!({"name": "Rosoboroneksprot OAO", "country": "RU"})
}
