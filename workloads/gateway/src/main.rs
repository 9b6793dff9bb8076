//! `kyb-gateway`: the HTTP API as a process of its own.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::Parser;
use kyb_engines::LiveWatchlists;
use kyb_gateway::{
    AppState, GatewayError,
    config::{Config, ConfigError, LogFormat},
};
use kyb_settings::{
    Settings, SettingsError,
    cluster::{self, ClusterError},
};
use kyb_store::{Store, StoreError};
use kyb_telemetry::{
    Metrics,
    logs::{LogOptions, TelemetryError},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

/// How often the settings folder is looked at: a revoked key is refused within two seconds.
const SETTINGS_INTERVAL: Duration = Duration::from_secs(1);

/// Why the process ends with an error.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("logs and traces can't be set up")]
    Telemetry(#[from] TelemetryError),
    #[error("the command line is not complete")]
    Config(#[from] ConfigError),
    #[error("the settings were refused")]
    Settings(#[from] SettingsError),
    #[error("there is no way to the cluster that --settings-from-cluster wants")]
    Cluster(#[from] ClusterError),
    #[error("the database URL was refused")]
    Store(#[from] StoreError),
    #[error("{0} can't be listened on; is another process using it?")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    #[error("signals can't be received")]
    Signals(#[source] std::io::Error),
    #[error("the gateway stopped")]
    Gateway(#[from] GatewayError),
}

impl Failure {
    /// 2 where starting again without a change can't help.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Listen(..) | Self::Signals(_) => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Config::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            failure.exit_code()
        }
    }
}

/// On standard error as text, whatever the log's format: whoever starts the process must see it.
fn report(failure: &Failure) {
    eprintln!("kyb-gateway: {failure}");
    let mut source = std::error::Error::source(failure);
    while let Some(error) = source {
        eprintln!("  because: {error}");
        source = error.source();
    }
}

async fn run(config: &Config) -> Result<(), Failure> {
    let _telemetry = kyb_telemetry::logs::init(&LogOptions {
        service: "kyb-gateway",
        json: config.log == LogFormat::Json,
        otlp_endpoint: config.otlp_endpoint.clone(),
    })?;
    let settings = settings(config).await?;
    let store = Store::lazy(&config.connect_options()?)?;
    let metrics = Metrics::new();
    let stop = stop_on_signals().map_err(Failure::Signals)?;
    let following = stop.child_token();
    let watchlists = LiveWatchlists::follow(store.clone(), settings.clone(), metrics.clone(), following);
    let state = AppState::new(store.clone(), settings, watchlists, metrics, config.gateway_options());
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| Failure::Listen(config.listen, error))?;
    tracing::info!(listen = %config.listen, "listening");
    let outcome = kyb_gateway::serve(listener, state, stop).await;
    store.close().await;
    Ok(outcome?)
}

async fn settings(config: &Config) -> Result<Settings, Failure> {
    match (&config.settings_from_cluster, &config.settings) {
        (Some(namespace), _) => Ok(Settings::watch_cluster(cluster::client().await?, namespace)),
        (None, folder) => {
            Ok(Settings::watch(folder.as_deref().unwrap_or(Path::new(".")), SETTINGS_INTERVAL)?)
        }
    }
}

/// A token that SIGTERM and SIGINT cancel.
fn stop_on_signals() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
