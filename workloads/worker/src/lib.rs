//! Queued and scheduled work: watchlist refresh and asynchronous verifications.
//!
//! ```text
//! feeds:  settings ──► schedule ──► fetch (HTTP or folder) ──► accept (parse, not older, not shrunken) ──► store: activate
//!                                        └── whatever fails ──► store: list_failed; the last good version stays
//! jobs:   store: take_job ──► kyb_verification::verify ──► store: finish_job, under a lease
//!                                        └── whatever fails ──► store: fail_job; three attempts
//! monitors: lists changed ──► store: take_monitors ──► what changed, narrowed ──► store: finish_monitors, under a lease
//! erase:  settings: `erase: true` ──► store: request_erasure, then erase_tenant until nothing is left
//! report: heartbeats, lists, erasures ──► build (pure) ──► RegionReport.status, in a cluster
//! ```
//!
//! Any number of workers may run: a list is read by whoever finds it due first, a job is held under a lease, and all of them
//! come to the same report.

mod batches;
pub mod erase;
pub mod feeds;
pub mod heartbeat;
pub mod jobs;
pub mod monitors;
pub mod report;

use erase::Erasures;
use kyb_engines::LiveWatchlists;
use kyb_settings::Settings;
use kyb_store::Store;
use kyb_telemetry::Metrics;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How much at once, and whom to tell.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Verifications worked on at the same time.
    pub concurrency: usize,
    /// Limits of a download.
    pub fetch: feeds::fetch::FetchLimits,
    /// The pod that this process is, where it should say in the database what it uses.
    pub pod: Option<String>,
    /// The report to write, in a cluster.
    pub report: Option<report::Target>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { concurrency: 10, fetch: feeds::fetch::FetchLimits::default(), pod: None, report: None }
    }
}

/// Works until `stop`, then finishes what it holds and returns.
pub async fn run(
    options: WorkerOptions,
    store: Store,
    settings: Settings,
    watchlists: LiveWatchlists,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), feeds::fetch::FetchError> {
    let tasks = TaskTracker::new();
    let client = feeds::fetch::Client::new(options.fetch)?;
    tasks.spawn(feeds::keep_fresh(client, store.clone(), settings.clone(), stop.clone()));
    let erasures = Erasures::default();
    tasks.spawn(erase::keep_erasing(store.clone(), settings.clone(), erasures.clone(), stop.clone()));
    if let Some(pod) = options.pod {
        tasks.spawn(heartbeat::keep_beating(store.clone(), settings.clone(), pod, stop.clone()));
    }
    if let Some(target) = options.report {
        let sources = report::Sources {
            store: store.clone(),
            settings: settings.clone(),
            watchlists: watchlists.clone(),
            erasures,
        };
        tasks.spawn(report::keep_reporting(sources, target, stop.clone()));
    }
    let sweeps = monitors::Sweeps::default();
    let worker = jobs::JobWorker { store, settings, watchlists, metrics, sweeps };
    tasks.spawn(worker.clone().report_depth(stop.clone()));
    for _ in 0..options.concurrency {
        tasks.spawn(worker.clone().run(stop.clone()));
    }
    tasks.close();
    tasks.wait().await;
    Ok(())
}
