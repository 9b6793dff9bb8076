//! The whole platform in one process: a throw-away PostgreSQL, the worker and the gateway, on loopback.
//!
//! ```text
//! listen ──► lists, settings read ──► PostgreSQL ──► roles and schema ──► lists followed ──► worker, gateway ──► ready
//! ```
//!
//! Nothing outlives the process: the database and its folder go with it however it ends, and whatever else needs a folder
//! lies inside that one.

mod configuration;
mod example_list;
mod ready;
mod signals;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use kyb_engines::LiveWatchlists;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_gateway::{AppState, GatewayOptions};
use kyb_settings::Settings;
use kyb_store::{ConnectOptions, Store, setup};
use kyb_telemetry::Metrics;
use kyb_worker::WorkerOptions;
use rand::{Rng as _, distr::Alphanumeric};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use configuration::{Configuration, Development, Wanted};
pub(crate) use ready::client;
pub(crate) use signals::Signals;

use crate::{
    exit::{Remediable, Unusable},
    progress::Progress,
};

const DATABASE: &str = "kyb";
/// How long a stop may take before it is forced.
const DRAIN: Duration = Duration::from_secs(15);

/// A running platform.
pub(crate) struct Platform {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// What was made up for development; `None` where settings were given.
    pub(crate) development: Option<Development>,
    /// Its store, for a look behind the API.
    pub(crate) store: Store,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
    postgres: EphemeralPostgres,
}

impl Platform {
    /// Starts everything and waits until it answers; takes about 5 s.
    pub(crate) async fn start(
        listen: SocketAddr,
        wanted: Wanted,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let listener = bind(listen).await?;
        let address = listener.local_addr()?;
        progress.note("reading lists and settings…");
        let configured = tokio::task::spawn_blocking(move || Configuration::read(wanted)).await??;
        progress.note("starting PostgreSQL…");
        let postgres = start_postgres().await?;
        progress.note("making roles and schema…");
        let store = Store::lazy(&connect_options(make_database(&postgres).await?))?;
        store.check().await?;
        let configured = configured.map_or_else(|| Configuration::example(postgres.folder()), Ok)?;
        let (settings, development) = configured.settings()?;
        let mut platform = Self {
            address,
            development,
            store,
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            postgres,
        };
        let watchlists = platform.spawn(listener, &settings);
        progress.note("loading lists…");
        tokio::select! {
            error = platform.failed() => return Err(error),
            ready = ready::wait(address, &watchlists) => ready?,
        }
        Ok(platform)
    }

    /// The URL of the API, without a slash at its end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Resolves with the reason when a part ends by itself, which none should.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => anyhow::Error::new(error).context("a part of the platform broke down"),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the platform ended by itself"),
        }
    }

    /// Finishes what is under way, then stops everything; a second signal cuts it short.
    pub(crate) async fn stop(mut self, signals: &mut Signals) -> anyhow::Result<()> {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = drained => {}
            () = tokio::time::sleep(DRAIN) => {}
            () = signals.next() => {}
        }
        self.tasks.shutdown().await;
        let _ = tokio::time::timeout(Duration::from_secs(5), self.store.close()).await;
        let postgres = self.postgres;
        // dropped here and not at the end of the process, so that nothing is left when this returns
        Ok(tokio::task::spawn_blocking(move || drop(postgres)).await?)
    }

    fn spawn(&mut self, listener: TcpListener, settings: &Settings) -> LiveWatchlists {
        let (store, stop, metrics) = (self.store.clone(), self.stop.clone(), Metrics::new());
        let watchlists =
            LiveWatchlists::follow(store.clone(), settings.clone(), metrics.clone(), stop.clone());
        let state = AppState::new(
            store.clone(),
            settings.clone(),
            watchlists.clone(),
            metrics.clone(),
            GatewayOptions { drain_limit: DRAIN / 2, ..GatewayOptions::default() },
        );
        let gateway = kyb_gateway::serve(listener, state, stop.clone());
        self.tasks.spawn(async move { gateway.await.context("the gateway failed") });
        let worker = kyb_worker::run(
            WorkerOptions::default(),
            store,
            settings.clone(),
            watchlists.clone(),
            metrics,
            stop,
        );
        self.tasks.spawn(async move { worker.await.context("the worker failed") });
        watchlists
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    if !listen.ip().is_loopback() {
        let problem = format!("{listen} can be reached from other machines");
        let remedy = "`kyb serve` has a throw-away database, a development key and no TLS, so it listens on loopback \
                      only, such as 127.0.0.1:8080; for others, run kyb-gateway and kyb-worker";
        return Err(Unusable::new(problem, remedy).into());
    }
    TcpListener::bind(listen).await.map_err(|error| {
        let problem = format!("can't listen on {listen}");
        let remedy = "end what uses the port, or choose another with --listen; port 0 takes a free one";
        Unusable::new(problem, remedy).because(error).into()
    })
}

async fn start_postgres() -> anyhow::Result<EphemeralPostgres> {
    // the data is thrown away, so it need not reach the disk before a write is acknowledged
    let options = Options { durable: false, ..Options::default() };
    let started = tokio::task::spawn_blocking(move || EphemeralPostgres::start(&options)).await?;
    started.map_err(|error| {
        let remedy = "install PostgreSQL 15 or later, such as with `apt-get install postgresql`".to_owned();
        let source = Some(error.into());
        Remediable { problem: "PostgreSQL can't be started".to_owned(), remedy, source }.into()
    })
}

/// Makes database and roles; gives the URL of the runtime role.
async fn make_database(postgres: &EphemeralPostgres) -> anyhow::Result<String> {
    let role = |name: &str| setup::RoleLogin { name: name.to_owned(), password: random_password() };
    let (migrator, runtime, reader) = (role("kyb_migrator"), role("kyb_runtime"), role("kyb_reader"));
    let made = setup::bootstrap(&postgres.superuser_url(), DATABASE, &migrator, &runtime, &reader).await;
    made.context("making the database's roles and schema")?;
    Ok(postgres.url(&runtime.name, &runtime.password, DATABASE))
}

fn connect_options(url: String) -> ConnectOptions {
    ConnectOptions {
        url,
        max_connections: 20,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(30),
    }
}

/// 190 bits from a cryptographic generator.
fn random_password() -> String {
    rand::rng().sample_iter(Alphanumeric).take(32).map(char::from).collect()
}

/// What of the platform is wanted, from the arguments of `serve` and `demo`.
pub(crate) fn wanted(lists: Vec<PathBuf>, settings: Option<PathBuf>) -> Wanted {
    match settings {
        Some(folder) => Wanted::Settings(folder),
        None if lists.is_empty() => Wanted::ExampleList,
        None => Wanted::Lists(lists),
    }
}
