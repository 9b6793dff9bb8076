//! Asynchronous verifications, slices of batches where there are none, and monitors where there are none of both: taken from the queue under a lease, verified, stored.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    reason::{Reason, ReasonCode},
    screening::Screening,
    tenant::TenantId,
    verification::{Findings, Verification},
};
use kyb_engines::LiveWatchlists;
use kyb_settings::Settings;
use kyb_store::{Store, StoreError, audit::AuditContext, queue::Job};
use kyb_telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::monitors::Sweeps;

/// How long a job is ours. A verification takes milliseconds; only a dead worker lets this pass.
const LEASE: Duration = Duration::from_mins(1);
/// How soon the queue is asked again after it was empty.
const WHEN_EMPTY: Duration = Duration::from_millis(250);
/// How soon the queue is asked again after the database did not answer.
const WHEN_DOWN: Duration = Duration::from_secs(1);
/// How soon a failed job is tried again (requirement row B9).
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long jobs wait at start for the lists to load; after that they are done without, and come out as `review`.
const LISTS_WITHIN: Duration = Duration::from_mins(1);

/// Works on one job at a time.
#[derive(Clone)]
pub struct JobWorker {
    /// Where jobs come from and results go.
    pub store: Store,
    /// Tenants and their policies.
    pub settings: Settings,
    /// The lists in use.
    pub watchlists: LiveWatchlists,
    /// What was done.
    pub metrics: Metrics,
    /// What changed of the lists, made ready for monitors.
    pub sweeps: Sweeps,
}

impl JobWorker {
    /// Takes jobs until `stop`; the job in hand is finished first.
    pub async fn run(self, stop: CancellationToken) {
        // Before there are settings every tenant would be an unknown one, and its jobs would use up their attempts.
        if stop.run_until_cancelled(self.settings.loaded()).await.is_none() {
            return;
        }
        self.wait_for_lists(&stop).await;
        while !stop.is_cancelled() {
            let pause = match self.work_once().await {
                Ok(true) => continue,
                Ok(false) => WHEN_EMPTY,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "can't take a job");
                    WHEN_DOWN
                }
            };
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
    }

    /// Does one job, or, where none waits, one slice of a batch, or, where none waits either, some monitors: somebody may be
    /// waiting for a verification. `false`: there was nothing to do.
    pub async fn work_once(&self) -> Result<bool, StoreError> {
        if let Some(job) = self.store.take_job(LEASE).await? {
            self.work_on(&job).await;
            return Ok(true);
        }
        if let Some(slice) = self.store.take_slice(LEASE).await? {
            self.work_on_slice(&slice).await;
            return Ok(true);
        }
        self.work_on_monitors().await
    }

    /// Reports how many jobs wait, and how many monitors, until `stop`.
    pub async fn report_depth(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Ok(depth) = self.store.queue_depth().await {
                self.metrics.queue_depth(depth);
            }
            let now = kyb_verification::compared_with(&self.watchlists.current());
            if let Ok(behind) = self.store.monitors_behind(&now).await {
                self.metrics.monitors_behind(behind);
            }
            let _ = tokio::time::timeout(RETRY_AFTER, stop.cancelled()).await;
        }
    }

    async fn wait_for_lists(&self, stop: &CancellationToken) {
        let loaded = async {
            while !self.watchlists.is_loaded() && !stop.is_cancelled() {
                tokio::time::sleep(WHEN_EMPTY).await;
            }
        };
        let _ = tokio::time::timeout(LISTS_WITHIN, loaded).await;
    }

    /// Does a job and stores what came of it. Whatever can't be stored is left to the lease: the job comes back.
    async fn work_on(&self, job: &Job) {
        let audit = AuditContext {
            actor: Actor { kind: ActorKind::Worker, id: "verification".to_owned() },
            request_id: None,
        };
        let stored = match self.verify(job).await {
            Ok(findings) => self.finish(job, findings, &audit).await,
            Err(reason) => self.store.fail_job(job, &reason, RETRY_AFTER, &audit).await,
        };
        if let Err(error) = stored {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(verification = %job.verification.id, error, "can't store a result; the job will come back");
        }
    }

    async fn verify(&self, job: &Job) -> Result<Findings, Reason> {
        let snapshot = self.settings.current();
        let tenant = snapshot.tenants.get(&job.tenant).cloned().ok_or_else(|| {
            Reason::new(
                ReasonCode::SOURCE_UNREACHABLE,
                "The tenant is not in this region's settings any more.",
            )
        })?;
        let now = Utc::now();
        let (lists, request) = (self.watchlists.current(), job.verification.request.clone());
        let options = kyb_engines::screening_options(&tenant);
        let business = request.business.clone();
        let screen = move || kyb_verification::screen_everybody(&lists, &business, &options, now);
        let mut screenings = tokio::task::spawn_blocking(screen).await.map_err(broken_off)?;
        self.suppress(&job.tenant, screenings.iter_mut().collect(), now).await?;
        let judge = move || kyb_verification::judge(&tenant.policy, &request, screenings, now);
        tokio::task::spawn_blocking(judge).await.map_err(broken_off)
    }

    /// Applies the tenant's suppressions. Without the store's answer the work is tried again: somebody might be approved or
    /// reviewed wrongly.
    pub(crate) async fn suppress(
        &self,
        tenant: &TenantId,
        screenings: Vec<&mut Screening>,
        now: DateTime<Utc>,
    ) -> Result<(), Reason> {
        let subjects = kyb_verification::subjects_with_matches(screenings.iter().map(|one| &**one));
        let known = self.store.tenant(tenant).suppressions_for(&subjects, now).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "can't read suppressions");
            Reason::new(ReasonCode::SOURCE_UNREACHABLE, "The tenant's suppressions could not be read.")
        })?;
        for screening in screenings {
            kyb_verification::suppress(screening, &known, now);
        }
        Ok(())
    }

    async fn finish(&self, job: &Job, findings: Findings, audit: &AuditContext) -> Result<(), StoreError> {
        let (decision, level) = (findings.decision.outcome, findings.risk.level);
        let completed: Verification = job.verification.clone().completed(findings, Utc::now());
        if self.store.finish_job(job, &completed, audit).await? {
            self.metrics.verification(decision.as_str(), &job.tenant, "async");
            self.metrics.risk_assessment(level.as_str(), &job.tenant, "verification");
        } else {
            tracing::info!(verification = %completed.id, "somebody else finished this job");
        }
        Ok(())
    }
}

fn broken_off(_: tokio::task::JoinError) -> Reason {
    Reason::new(ReasonCode::SOURCE_UNREACHABLE, "The verification broke off inside the worker.")
}
