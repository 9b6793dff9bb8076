//! The queue of asynchronous verifications, in PostgreSQL: a job is taken under a lease (`FOR UPDATE SKIP LOCKED`), and
//! comes back when its worker dies.

use std::time::Duration;

use chrono::Utc;
use kyb_domain::{
    audit::{Actor, ActorKind, AuditAction},
    reason::{Reason, ReasonCode},
    tenant::TenantId,
    verification::{Verification, VerificationStatus},
};
use serde_json::json;
use sqlx::Row as _;
use uuid::Uuid;

use crate::{
    Idempotency, Store, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    codes,
    findings::{self, bind_findings},
    pool::{write, write_one},
};

/// How often a job is tried before it is given up.
pub const ATTEMPTS: u32 = 3;

/// A job taken by this worker until its lease ends.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose.
    pub tenant: TenantId,
    /// What to verify; status `running`.
    pub verification: Verification,
    /// Attempt, from 1.
    pub attempt: u32,
    /// Proves that the lease is still ours when the result is stored.
    pub lease: uuid::Uuid,
}

impl TenantStore {
    /// Stores a verification in status `pending` and queues it, in one transaction.
    pub async fn enqueue_verification(
        &self,
        verification: &Verification,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        // The function queues whatever is stored as pending.
        self.record_verification(verification, audit, key).await
    }
}

impl Store {
    /// Takes the next job of any tenant that is due or whose lease has ended. A job whose workers died on every attempt
    /// is given up here, lest it kill workers for ever.
    pub async fn take_job(&self, lease_for: Duration) -> Result<Option<Job>, StoreError> {
        loop {
            let Some(job) = self.take_any(lease_for).await? else { return Ok(None) };
            if job.attempt <= ATTEMPTS {
                return Ok(Some(job));
            }
            let reason = Reason::new(
                ReasonCode::ATTEMPTS_EXHAUSTED,
                "Every worker that tried it stopped before it was done.",
            );
            let queue = Actor { kind: ActorKind::System, id: "queue".to_owned() };
            self.fail_job(&job, &reason, Duration::ZERO, &AuditContext { actor: queue, request_id: None })
                .await?;
        }
    }

    async fn take_any(&self, lease_for: Duration) -> Result<Option<Job>, StoreError> {
        let lease = Uuid::now_v7();
        let call = sqlx::query_as(
            "SELECT tenant, attempt, document FROM kyb.take_job($1, make_interval(secs => $2))",
        );
        let row: Option<(String, i16, String)> =
            call.bind(lease).bind(lease_for.as_secs_f64()).fetch_optional(self.pool()).await?;
        let Some((tenant, attempt, document)) = row else { return Ok(None) };
        Ok(Some(Job {
            tenant: TenantId::try_from(tenant).map_err(StoreError::corrupt("tenant"))?,
            verification: codes::from_json("verification", &document)?,
            attempt: u32::try_from(attempt).map_err(StoreError::corrupt("attempt"))?,
            lease,
        }))
    }

    /// Stores the result of a job and ends it. `false`: the lease was lost, nothing was stored.
    pub async fn finish_job(
        &self,
        job: &Job,
        completed: &Verification,
        audit: &AuditContext,
    ) -> Result<bool, StoreError> {
        let call = sqlx::query(
            "SELECT kyb.finish_job($1, $2, $3, $4, $5, $6, \
             ROW($7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)::kyb.findings, \
             ROW($18, $19, $20, $21, $22, $23)::kyb.audit_entry)",
        )
        .bind(job.tenant.as_str())
        .bind(job.verification.id.uuid())
        .bind(job.lease)
        .bind(completed.status.as_str())
        .bind(codes::json_text(completed)?)
        .bind(completed.completed_at);
        let call = bind_findings(call, completed.findings.as_ref())?;
        let (action, detail) = (findings::action(completed.status), findings::audit_detail(completed));
        let call = bind_entry(call, audit, action, &job.verification.id.to_string(), &detail)?;
        Ok(write_one(self.pool(), call).await?.try_get(0)?)
    }

    /// Gives a job back to be tried again after `pause`, or, after the third attempt, marks its verification failed.
    /// Does nothing where the lease was lost.
    pub async fn fail_job(
        &self,
        job: &Job,
        reason: &Reason,
        pause: Duration,
        audit: &AuditContext,
    ) -> Result<(), StoreError> {
        let now = Utc::now();
        let failed = Verification {
            status: VerificationStatus::Failed,
            failure: Some(reason.clone()),
            completed_at: Some(now),
            ..job.verification.clone()
        };
        let call = sqlx::query(
            "SELECT kyb.fail_job($1, $2, $3, $4, make_interval(secs => $5), $6, $7, \
             ROW($8, $9, $10, $11, $12, $13)::kyb.audit_entry)",
        )
        .bind(job.tenant.as_str())
        .bind(job.verification.id.uuid())
        .bind(job.lease)
        .bind(i16::try_from(ATTEMPTS).unwrap_or(i16::MAX))
        .bind(pause.as_secs_f64())
        .bind(codes::json_text(&failed)?)
        .bind(now);
        let detail = json!({ "status": failed.status, "reason": reason.code });
        let object = job.verification.id.to_string();
        let call = bind_entry(call, audit, AuditAction::VerificationFailed, &object, &detail)?;
        write(self.pool(), call).await.map(|_| ())
    }

    /// How many jobs and slices of batches wait, for the metrics.
    pub async fn queue_depth(&self) -> Result<u64, StoreError> {
        let call = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM kyb.jobs WHERE status = 'waiting') \
             + (SELECT count(*) FROM kyb.batch_slices WHERE status = 'waiting')",
        );
        let waiting: i64 = call.fetch_one(self.pool()).await?;
        u64::try_from(waiting).map_err(StoreError::corrupt("count"))
    }
}
