//! Gateway and worker inside this process.

use std::time::Duration;

use kyb_engines::LiveWatchlists;
use kyb_gateway::{AppState, GatewayOptions};
use kyb_settings::Settings;
use kyb_store::Store;
use kyb_telemetry::Metrics;
use kyb_worker::WorkerOptions;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{database::Database, settings::SettingsFolder};

/// A part that runs as tasks; told to stop when dropped.
pub(crate) struct Inside {
    _stop: DropGuard,
}

/// What gateway and worker both need.
struct Common {
    store: Store,
    settings: Settings,
    metrics: Metrics,
    watchlists: LiveWatchlists,
    stop: CancellationToken,
}

impl Common {
    fn new(folder: &SettingsFolder, database: &Database) -> anyhow::Result<Self> {
        let (store, metrics, stop) = (database.store()?, Metrics::new(), CancellationToken::new());
        let settings = Settings::watch(folder.path(), Duration::from_millis(500))?;
        let watchlists =
            LiveWatchlists::follow(store.clone(), settings.clone(), metrics.clone(), stop.clone());
        Ok(Self { store, settings, metrics, watchlists, stop })
    }
}

impl Inside {
    pub(crate) async fn gateway(
        folder: &SettingsFolder,
        database: &Database,
        port: u16,
    ) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let Common { store, settings, metrics, watchlists, stop } = Common::new(folder, database)?;
        let state = AppState::new(store, settings, watchlists, metrics, GatewayOptions::default());
        tokio::spawn(kyb_gateway::serve(listener, state, stop.clone()));
        Ok(Self { _stop: stop.drop_guard() })
    }

    pub(crate) fn worker(
        folder: &SettingsFolder,
        database: &Database,
        options: WorkerOptions,
    ) -> anyhow::Result<Self> {
        let Common { store, settings, metrics, watchlists, stop } = Common::new(folder, database)?;
        tokio::spawn(kyb_worker::run(options, store, settings, watchlists, metrics, stop.clone()));
        Ok(Self { _stop: stop.drop_guard() })
    }
}
