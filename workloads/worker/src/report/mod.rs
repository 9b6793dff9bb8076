//! Writes what a region's running workloads say into the status of its RegionReport.
//!
//! ```text
//! heartbeats, lists, erasures ──► build (pure) ──► other than before? ──► get ──► other than there? ──► apply status
//! ```
//!
//! The operator makes the object; we write its status and nothing else. Several workers come to the same report and write
//! it under the same name, so the second write changes nothing. Nothing in a report moves by itself: times are left out, and
//! hit rates are taken anew only now and then.

mod build;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use kyb_crds::{CacheReport, RegionReport, RegionReportStatus, names};
use kyb_engines::LiveWatchlists;
use kyb_settings::Settings;
use kyb_store::{Store, StoreError, setup::SCHEMA_VERSION};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::erase::Erasures;

/// The report is looked at, and written if it changed, no oftener than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Hit rates are taken anew no oftener than this: they move with every request.
const RATES_EVERY: Duration = Duration::from_secs(15);
/// However little changes, what stands in the cluster is compared this often: somebody may have edited it.
const COMPARE_EVERY: Duration = Duration::from_mins(1);

/// A worker that could not report for so long is not ready: whoever reads the report takes a ready worker as the sign that it
/// still holds.
const SILENT_AT_MOST: Duration = Duration::from_secs(30);

/// When this worker last knew that the report says what it found. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone)]
pub struct LastReport(Arc<Mutex<Instant>>);

/// As of now: a worker that has just begun has a while to report.
impl Default for LastReport {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl LastReport {
    /// How long ago that was.
    pub fn age(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Whether that is so long ago that the report may not hold any more.
    pub fn is_overdue(&self) -> bool {
        self.age() > SILENT_AT_MOST
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// Which report to write.
#[derive(Clone)]
pub struct Target {
    /// The way to the API server.
    pub client: Client,
    /// The report's namespace: the region's.
    pub namespace: String,
    /// The report's name: the RegionDeployment's.
    pub name: String,
    /// Where to note that it was written.
    pub last: LastReport,
}

/// Without the client, which holds a token.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Target({}/{})", self.namespace, self.name)
    }
}

/// What a report is made of.
#[derive(Clone)]
pub struct Sources {
    /// Heartbeats and erasures.
    pub store: Store,
    /// Which erasures are asked for.
    pub settings: Settings,
    /// The lists in use.
    pub watchlists: LiveWatchlists,
    /// What went wrong with erasures here.
    pub erasures: Erasures,
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error("the database was not read")]
    Store(#[from] StoreError),
    #[error(
        "the RegionReport can't be read or written; may this service account get it and patch its status?"
    )]
    Cluster(#[from] kube::Error),
}

/// Keeps the report true until `stop`.
pub async fn keep_reporting(sources: Sources, target: Target, stop: CancellationToken) {
    let mut reporter = Reporter::new(sources, target);
    let mut failing = false;
    while !stop.is_cancelled() {
        let Some(outcome) = stop.run_until_cancelled(reporter.look()).await else { return };
        if let (Err(error), false) = (&outcome, failing) {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, report = reporter.target.name, "can't report; going on to try");
        }
        failing = outcome.is_err();
        if !failing {
            reporter.target.last.note();
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
}

struct Reporter {
    sources: Sources,
    target: Target,
    reports: Api<RegionReport>,
    /// What stands in the cluster as far as we know, and since when we know.
    compared: Option<(RegionReportStatus, Instant)>,
    rates: Option<(Vec<CacheReport>, Instant)>,
}

impl Reporter {
    fn new(sources: Sources, target: Target) -> Self {
        let reports = Api::namespaced(target.client.clone(), &target.namespace);
        Self { sources, target, reports, compared: None, rates: None }
    }

    /// Makes the report and, if it is another than before, brings it into the cluster.
    async fn look(&mut self) -> Result<(), ReportError> {
        let wanted = self.build().await?;
        let known = |(status, since): &(RegionReportStatus, Instant)| {
            *status == wanted && since.elapsed() < COMPARE_EVERY
        };
        if !self.compared.as_ref().is_some_and(known) {
            self.compared = self.bring(&wanted).await?.then(|| (wanted, Instant::now()));
        }
        Ok(())
    }

    async fn build(&mut self) -> Result<RegionReportStatus, StoreError> {
        let Sources { store, settings, watchlists, erasures } = &self.sources;
        let heartbeats = store.heartbeats().await?;
        let rates = match &self.rates {
            Some((rates, since)) if since.elapsed() < RATES_EVERY => rates.clone(),
            _ => {
                let rates = build::caches(&heartbeats);
                self.rates = Some((rates.clone(), Instant::now()));
                rates
            }
        };
        let asked = &settings.current().erasures;
        let begun = if asked.is_empty() { vec![] } else { store.tenant_erasures().await? };
        let found = build::Found {
            heartbeats: &heartbeats,
            lists: &watchlists.current().states,
            rates,
            erasures: build::erasures(asked, &begun, |tenant| erasures.problem(tenant)),
            schema_version: SCHEMA_VERSION,
        };
        Ok(build::status(found))
    }

    /// Writes the status unless it stands there already. False where there is no report yet: then there is nobody to tell.
    async fn bring(&self, wanted: &RegionReportStatus) -> Result<bool, kube::Error> {
        let Some(report) = self.reports.get_opt(&self.target.name).await? else { return Ok(false) };
        let standing = report.status.unwrap_or_default();
        let status =
            build::completed(wanted.clone(), &standing, report.metadata.generation, Time(Timestamp::now()));
        if status == standing {
            return Ok(true);
        }
        let body = json!({"apiVersion": names::API_VERSION, "kind": "RegionReport", "status": status});
        let writer = PatchParams::apply(names::WORKER_MANAGER).force();
        self.reports.patch_status(&self.target.name, &writer, &Patch::Apply(body)).await?;
        Ok(true)
    }
}
