//! Batches: stored whole, worked off in slices that are taken under a lease like the jobs of the queue. The answers of a
//! slice are stored and the slice is ended in one transaction, so a worker that dies neither loses nor doubles any.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::AuditAction,
    batch::{Batch, BatchCounts, BatchError, BatchOptions, BatchStatus},
    id::BatchId,
    party::Party,
    screening::Screening,
    tenant::{ContextName, TenantId},
};
use serde_json::json;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use crate::{
    Idempotency, Store, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    codes, findings,
    idempotency::bind_key,
    pool::write_one,
};

/// How many subjects are worked on and stored together.
pub const SLICE: i32 = 100;

/// A subject as it came: usable or not.
pub type Item = Result<Party, BatchError>;

/// Subjects taken by this worker until its lease ends.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Whose.
    pub tenant: TenantId,
    /// Of which batch.
    pub batch: BatchId,
    /// Attempt, from 1.
    pub attempt: u32,
    /// How to screen.
    pub options: BatchOptions,
    /// Those that have no answer yet, with their position in the batch.
    pub subjects: Vec<(i32, Party)>,
    first: i32,
    lease: Uuid,
}

/// The answer for the subject at a position.
pub type Answer = (i32, Result<Screening, BatchError>);

/// An answer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Position in the batch, from 0.
    pub index: i32,
    /// The screening's JSON text, or the error's.
    pub text: Result<String, String>,
}

impl TenantStore {
    /// Stores a batch of these items and queues its slices, in one transaction.
    pub async fn create_batch(
        &self,
        batch: &Batch,
        options: &BatchOptions,
        items: &[Item],
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let subjects = items.iter().map(|item| item.as_ref().ok().map(codes::json_text).transpose());
        let errors = items.iter().map(|item| item.as_ref().err().map(codes::json_text).transpose());
        let call = sqlx::query(
            "SELECT * FROM kyb.create_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             ROW($10, $11, $12, $13, $14, $15)::kyb.audit_entry, ROW($16, $17, $18, $19, $20)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(batch.id.uuid())
        .bind(batch.context.as_ref().map(ContextName::as_str))
        .bind(codes::code_of(&batch.kind)?)
        .bind(codes::json_text(options)?)
        .bind(subjects.collect::<Result<Vec<_>, _>>()?)
        .bind(errors.collect::<Result<Vec<_>, _>>()?)
        .bind(SLICE)
        .bind(batch.created_at);
        let detail = json!({ "type": batch.kind, "total": batch.total, "unusable": batch.counts.error });
        let call = bind_entry(call, audit, AuditAction::BatchRequested, &batch.id.to_string(), &detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    /// A batch and how far it has come.
    pub async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.batch($1, $2)");
        let row: Option<BatchRow> = call.bind(self.name()).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.map(BatchRow::batch).transpose()
    }

    /// Up to `most` answers in the order of the batch, after position `after` (-1 for the first). Of a batch that is not
    /// completed, subjects without an answer are [`StoreError::Corrupt`]: ask when it is.
    pub async fn batch_results(
        &self,
        id: BatchId,
        after: i32,
        most: i32,
    ) -> Result<Vec<StoredAnswer>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.batch_results($1, $2, $3, $4)");
        let rows: Vec<(i32, Option<String>, Option<String>)> =
            call.bind(self.name()).bind(id.uuid()).bind(after).bind(most).fetch_all(&self.pool).await?;
        rows.into_iter().map(stored_answer).collect()
    }
}

fn stored_answer(
    (index, screening, error): (i32, Option<String>, Option<String>),
) -> Result<StoredAnswer, StoreError> {
    let missing = || StoreError::corrupt("batch")(format!("item {index} has no answer"));
    let text = screening.map(Ok).or(error.map(Err)).ok_or_else(missing)?;
    Ok(StoredAnswer { index, text })
}

impl Store {
    /// Takes the slice of any tenant that has been due longest, or whose lease has ended. Its attempt may be one that is
    /// too many: then its workers died every time, and it is to be answered without trying again.
    pub async fn take_slice(&self, lease_for: Duration) -> Result<Option<Slice>, StoreError> {
        let lease = Uuid::now_v7();
        let call = sqlx::query_as("SELECT * FROM kyb.take_slice($1, make_interval(secs => $2))");
        let row: Option<SliceRow> =
            call.bind(lease).bind(lease_for.as_secs_f64()).fetch_optional(self.pool()).await?;
        row.map(|row| row.slice(lease)).transpose()
    }

    /// Stores the answers of a slice, one for each of its subjects, and ends it. `false`: the lease was lost, nothing was
    /// stored.
    pub async fn finish_slice(
        &self,
        slice: &Slice,
        answers: &[Answer],
        at: DateTime<Utc>,
        audit: &AuditContext,
    ) -> Result<bool, StoreError> {
        let screenings = || answers.iter().map(|(_, answer)| answer.as_ref().ok());
        let status = |screening: Option<&Screening>| match screening {
            Some(screening) => codes::code_of(&screening.status),
            None => Ok("error".to_owned()),
        };
        let errors =
            answers.iter().map(|(_, answer)| answer.as_ref().err().map(codes::json_text).transpose());
        let call = sqlx::query(
            "SELECT kyb.finish_slice($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
             ROW($12, $13, $14, $15, $16, $17)::kyb.audit_entry)",
        )
        .bind(slice.tenant.as_str())
        .bind(slice.batch.uuid())
        .bind(slice.first)
        .bind(slice.lease)
        .bind(answers.iter().map(|(position, _)| *position).collect::<Vec<_>>())
        .bind(screenings().map(|one| one.map(|one| one.id.uuid())).collect::<Vec<_>>())
        .bind(screenings().map(status).collect::<Result<Vec<_>, _>>()?)
        .bind(screenings().map(|one| one.map(codes::json_text).transpose()).collect::<Result<Vec<_>, _>>()?)
        .bind(screenings().map(|one| one.map(|one| findings::list_labels(one).join(" "))).collect::<Vec<_>>())
        .bind(errors.collect::<Result<Vec<_>, _>>()?)
        .bind(at);
        let object = slice.batch.to_string();
        let call = bind_entry(call, audit, AuditAction::BatchCompleted, &object, &json!({}))?;
        Ok(write_one(self.pool(), call).await?.try_get(0)?)
    }

    /// Gives a slice back to be tried again after `pause`. Does nothing where the lease was lost.
    pub async fn return_slice(&self, slice: &Slice, pause: Duration) -> Result<(), StoreError> {
        let call = sqlx::query("SELECT kyb.return_slice($1, $2, $3, $4, make_interval(secs => $5))");
        let call = call.bind(slice.tenant.as_str()).bind(slice.batch.uuid()).bind(slice.first);
        call.bind(slice.lease).bind(pause.as_secs_f64()).execute(self.pool()).await?;
        Ok(())
    }
}

#[derive(FromRow)]
struct BatchRow {
    id: Uuid,
    context: Option<String>,
    kind: String,
    total: i32,
    no_hit: i32,
    in_review: i32,
    errors: i32,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
}

impl BatchRow {
    fn batch(self) -> Result<Batch, StoreError> {
        let count = |number: i32| u32::try_from(number).map_err(StoreError::corrupt("count"));
        let context = self.context.map(ContextName::try_from).transpose();
        Ok(Batch {
            id: self.id.into(),
            kind: codes::value_of("batch kind", self.kind)?,
            status: match (self.started_at, self.completed_at) {
                (_, Some(_)) => BatchStatus::Completed,
                (Some(_), None) => BatchStatus::Running,
                (None, None) => BatchStatus::Pending,
            },
            context: context.map_err(StoreError::corrupt("context"))?,
            total: count(self.total)?,
            counts: BatchCounts {
                no_hit: count(self.no_hit)?,
                in_review: count(self.in_review)?,
                error: count(self.errors)?,
            },
            created_at: self.created_at,
            completed_at: self.completed_at,
        })
    }
}

#[derive(FromRow)]
struct SliceRow {
    tenant: String,
    batch: Uuid,
    first_item: i32,
    attempts: i16,
    options: String,
    positions: Vec<i32>,
    subjects: Vec<String>,
}

impl SliceRow {
    fn slice(self, lease: Uuid) -> Result<Slice, StoreError> {
        let subjects = self.subjects.iter().map(|text| codes::from_json("subject", text));
        let subjects = self.positions.into_iter().zip(subjects);
        Ok(Slice {
            tenant: TenantId::try_from(self.tenant).map_err(StoreError::corrupt("tenant"))?,
            batch: self.batch.into(),
            attempt: u32::try_from(self.attempts).map_err(StoreError::corrupt("attempt"))?,
            options: codes::from_json("batch options", &self.options)?,
            subjects: subjects
                .map(|(position, subject)| Ok((position, subject?)))
                .collect::<Result<_, StoreError>>()?,
            first: self.first_item,
            lease,
        })
    }
}
