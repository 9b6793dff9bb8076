//! The worker as a program: see `kyb-worker --help`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use clap::{Args, Parser, Subcommand};
use kyb_engines::LiveWatchlists;
use kyb_settings::{Settings, cluster};
use kyb_store::{ConnectOptions, Store, StoreError, setup::RoleLogin};
use kyb_telemetry::{Metrics, logs};
use kyb_worker::{
    WorkerOptions,
    report::{LastReport, Target},
};
use tokio_util::sync::CancellationToken;

/// Refreshes the watchlists and works on queued verifications.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Log as one line of text instead of JSON
    #[arg(long, env = "KYB_LOG_TEXT", global = true)]
    log_text: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Work until told to stop
    Run(RunArguments),
    /// Bring the database's schema up to this version, as the role that owns it, and end
    Migrate {
        /// File that holds the database URL of the migrating role; else KYB_MIGRATOR_URL
        #[arg(long, env = "KYB_MIGRATOR_URL_FILE")]
        migrator_url_file: Option<PathBuf>,
        #[command(flatten)]
        patience: Patience,
    },
    /// Make database and roles on a development server, then migrate
    Bootstrap {
        /// Folder with the files `superuser` (a URL) and `migrator-password`, `runtime-password`, `reader-password`
        #[arg(long, env = "KYB_BOOTSTRAP_CREDENTIALS", value_name = "DIR")]
        credentials: PathBuf,
        #[command(flatten)]
        patience: Patience,
    },
}

#[derive(Debug, Clone, Copy, Args)]
struct Patience {
    /// Seconds to wait for a database that can't be reached yet, such as one that is just starting
    #[arg(long = "wait", env = "KYB_WAIT_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=3600))]
    seconds: u64,
}

#[derive(Debug, Args)]
struct RunArguments {
    /// Address for /health, /ready and /metrics
    #[arg(long, env = "KYB_LISTEN", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Folder that holds platform.yaml and one tenant-ID.yaml for each tenant
    #[arg(long, env = "KYB_SETTINGS", value_name = "DIR", required_unless_present = "settings_from_cluster")]
    settings: Option<PathBuf>,
    /// Namespace whose ConfigMaps labelled kyb.dev/settings hold the same files, instead of --settings
    #[arg(long, env = "KYB_SETTINGS_NAMESPACE", value_name = "NAMESPACE", conflicts_with = "settings")]
    settings_from_cluster: Option<String>,
    /// RegionReport of that namespace whose status to write
    #[arg(long, env = "KYB_REPORT", value_name = "NAME", conflicts_with = "settings")]
    report: Option<String>,
    /// Name of this pod: say in the database every two seconds what it uses
    #[arg(long, env = "KYB_POD_NAME", value_name = "NAME")]
    pod_name: Option<String>,
    /// File that holds the database URL of the runtime role; else KYB_DATABASE_URL
    #[arg(long, env = "KYB_DATABASE_URL_FILE")]
    database_url_file: Option<PathBuf>,
    /// Verifications worked on at the same time
    #[arg(long, env = "KYB_CONCURRENCY", default_value_t = 10)]
    concurrency: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let log = logs::LogOptions {
        service: "kyb-worker",
        json: !arguments.log_text,
        otlp_endpoint: std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok(),
    };
    let _telemetry = match logs::init(&log) {
        Ok(guard) => guard,
        Err(error) => return refuse(&error),
    };
    let done = match arguments.command {
        Command::Run(run) => work(run).await,
        Command::Migrate { migrator_url_file, patience } => {
            migrate(migrator_url_file.as_deref(), patience).await
        }
        Command::Bootstrap { credentials, patience } => bootstrap(&credentials, patience).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(error.as_ref()),
    }
}

fn refuse(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!(error, "can't go on");
    ExitCode::from(2)
}

async fn work(arguments: RunArguments) -> Result<(), Box<dyn std::error::Error>> {
    let stop = stop_on_signal()?;
    let (settings, report) = settings(&arguments).await?;
    let store = Store::lazy(&ConnectOptions {
        url: secret_url("KYB_DATABASE_URL", arguments.database_url_file.as_deref())?,
        max_connections: u32::try_from(arguments.concurrency)?.saturating_add(4),
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(30),
    })?;
    let metrics = Metrics::new();
    let status = Status {
        store: store.clone(),
        settings: settings.clone(),
        metrics: metrics.clone(),
        report: report.as_ref().map(|target| target.last.clone()),
    };
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    let served =
        axum::serve(listener, status.routes()).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(served.into_future());
    if wait_for_store(&store, &stop).await? {
        let watchlists =
            LiveWatchlists::follow(store.clone(), settings.clone(), metrics.clone(), stop.clone());
        let options = WorkerOptions {
            concurrency: arguments.concurrency,
            pod: arguments.pod_name,
            report,
            ..WorkerOptions::default()
        };
        kyb_worker::run(options, store.clone(), settings, watchlists, metrics, stop).await?;
    }
    serving.await??;
    store.close().await;
    Ok(())
}

/// The settings, and the report to write where one is named.
async fn settings(
    arguments: &RunArguments,
) -> Result<(Settings, Option<Target>), Box<dyn std::error::Error>> {
    let Some(namespace) = &arguments.settings_from_cluster else {
        let folder = arguments.settings.as_deref().unwrap_or(Path::new("."));
        return Ok((Settings::watch(folder, Duration::from_millis(500))?, None));
    };
    let client = cluster::client().await?;
    let target = |name: &String| Target {
        client: client.clone(),
        namespace: namespace.clone(),
        name: name.clone(),
        last: LastReport::default(),
    };
    let report = arguments.report.as_ref().map(target);
    Ok((Settings::watch_cluster(client, namespace), report))
}

/// Waits until the database answers; an unsafe role or a wrong schema ends the program. `false`: told to stop meanwhile.
async fn wait_for_store(store: &Store, stop: &CancellationToken) -> Result<bool, StoreError> {
    loop {
        match store.check().await {
            Ok(()) => return Ok(true),
            Err(error) if error.is_retryable() => {
                tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the database");
            }
            Err(error) => return Err(error),
        }
        if tokio::time::timeout(Duration::from_secs(1), stop.cancelled()).await.is_ok() {
            return Ok(false);
        }
    }
}

async fn migrate(url_file: Option<&Path>, patience: Patience) -> Result<(), Box<dyn std::error::Error>> {
    let url = secret_url("KYB_MIGRATOR_URL", url_file)?;
    patience.with(|| kyb_store::setup::migrate(&url)).await?;
    tracing::info!("the schema is up to date");
    Ok(())
}

async fn bootstrap(credentials: &Path, patience: Patience) -> Result<(), Box<dyn std::error::Error>> {
    let read = |name: &str| {
        let file = credentials.join(name);
        let text = std::fs::read_to_string(&file);
        text.map(|text| text.trim().to_owned())
            .map_err(|error| format!("can't read {}: {error}", file.display()))
    };
    let login = |role: &str| -> Result<RoleLogin, String> {
        Ok(RoleLogin { name: format!("kyb_{role}"), password: read(&format!("{role}-password"))? })
    };
    let (migrator, runtime, reader) = (login("migrator")?, login("runtime")?, login("reader")?);
    let superuser = read("superuser")?;
    patience.with(|| kyb_store::setup::bootstrap(&superuser, "kyb", &migrator, &runtime, &reader)).await?;
    tracing::info!("database and roles are there, the schema is up to date");
    Ok(())
}

impl Patience {
    /// Tries again while the database can't be reached. What is tried may have been done in part.
    async fn with<F: Future<Output = Result<(), StoreError>>>(
        self,
        attempt: impl Fn() -> F,
    ) -> Result<(), StoreError> {
        let end = tokio::time::Instant::now() + Duration::from_secs(self.seconds);
        loop {
            match attempt().await {
                Err(error) if error.is_retryable() && tokio::time::Instant::now() < end => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "waiting for the database");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }
}

/// A URL with a password in it: from a file or the environment, never from the command line, which others can see.
fn secret_url(variable: &str, file: Option<&Path>) -> Result<String, Box<dyn std::error::Error>> {
    if let Some(file) = file {
        let url = std::fs::read_to_string(file)
            .map_err(|error| format!("can't read {}: {error}", file.display()))?;
        return Ok(url.trim().to_owned());
    }
    Ok(std::env::var(variable)
        .map_err(|_| format!("set {variable}, or name a file that holds the URL (see --help)"))?)
}

fn stop_on_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("told to stop; finishing what is under way");
        told.cancel();
    });
    Ok(stop)
}

/// What probes and Prometheus ask.
#[derive(Clone)]
struct Status {
    store: Store,
    settings: Settings,
    metrics: Metrics,
    report: Option<LastReport>,
}

impl Status {
    fn routes(self) -> Router {
        Router::new()
            .route("/health", get(|| async { "alive" }))
            .route("/ready", get(Self::ready))
            .route("/metrics", get(|State(status): State<Self>| async move { status.metrics.render() }))
            .with_state(self)
    }

    async fn ready(State(status): State<Self>) -> (StatusCode, String) {
        let unready = |why: String| (StatusCode::SERVICE_UNAVAILABLE, why);
        if !status.settings.is_loaded() {
            let why = status.settings.refusal().map(|refusal| refusal.to_string()).unwrap_or_default();
            return unready(format!("there are no settings yet: {why}"));
        }
        if status.report.as_ref().is_some_and(LastReport::is_overdue) {
            return unready("the RegionReport can't be brought up to date; the log says why".to_owned());
        }
        match status.store.ping().await {
            Ok(()) => (StatusCode::OK, "ready".to_owned()),
            Err(_) => unready("the database can't be reached".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_a_folder_or_from_a_cluster_and_a_report_needs_the_cluster() {
        let parse =
            |flags: &[&str]| Arguments::try_parse_from(["kyb-worker", "run"].iter().chain(flags)).is_ok();
        assert!(parse(&["--settings", "s"]));
        assert!(parse(&["--settings-from-cluster", "n", "--report", "r", "--pod-name", "p"]));
        assert!(!parse(&[]));
        assert!(!parse(&["--settings", "s", "--settings-from-cluster", "n"]));
        assert!(!parse(&["--settings", "s", "--report", "r"]));
    }
}
