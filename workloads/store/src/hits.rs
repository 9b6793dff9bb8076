//! What people decided about matches, and the suppressions that hold for later screenings.

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::{Actor, AuditAction},
    fingerprint::Fingerprint,
    id::{ScreeningId, SuppressionId},
    list::ListId,
    screening::{MatchDecision, Screening},
    suppression::{Suppression, Withdrawal},
    text::Justification,
};
use serde_json::{Value, json};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    Idempotency, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    codes,
    idempotency::bind_key,
    pool::{write, write_one},
};

/// A decision about one match of a screening.
#[derive(Debug, Clone)]
pub struct Deciding<'a> {
    /// The screening.
    pub screening: ScreeningId,
    /// Its subject; its suppressions for this entry end unless the match is a plain false positive.
    pub subject: Fingerprint,
    /// The match's list.
    pub list: &'a ListId,
    /// The match's entry.
    pub entry_id: &'a str,
    /// What was decided. Who decided is the actor of the audit.
    pub decision: &'a MatchDecision,
    /// What is to hold for later screenings, under the decision's `suppression_id`.
    pub suppression: Option<NewSuppression>,
    /// The revisions of the screening that the caller has in mind; any where `None`.
    pub expected: Option<&'a [i64]>,
}

/// A suppression to make.
#[derive(Debug, Clone)]
pub struct NewSuppression {
    /// Its id.
    pub id: SuppressionId,
    /// The entry as the screening saw it.
    pub entry: Fingerprint,
    /// Until when, exclusively.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A page of suppressions, and whether there are more.
#[derive(Debug, Clone)]
pub struct SuppressionPage {
    /// Newest first.
    pub suppressions: Vec<Suppression>,
    /// Whether a next page exists.
    pub more: bool,
}

/// The most rows of a page, whatever is asked.
const MOST_ROWS: u32 = 50;

impl TenantStore {
    /// Notes a decision, its suppression and their audit events in one transaction. `None`: there is no such screening, or it
    /// was erased. [`StoreError::Conflict`] where the screening is at no revision that was expected.
    pub async fn decide_match(
        &self,
        wanted: &Deciding<'_>,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Option<Write>, StoreError> {
        let (decision, suppression) = (wanted.decision, wanted.suppression.as_ref());
        let call = sqlx::query(
            "SELECT * FROM kyb.decide_match($1, $2, $3, $4, ROW($5, $6, $7, $8, $9, $10)::kyb.match_decision, \
             ROW($11, $12, $13)::kyb.new_suppression, ROW($14, $15, $16, $17, $18, $19)::kyb.audit_entry, \
             ROW($20, $21, $22, $23, $24)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(wanted.screening.uuid())
        .bind(wanted.expected)
        .bind(wanted.subject.bytes())
        .bind(decision.id.uuid())
        .bind(wanted.list.as_str())
        .bind(wanted.entry_id)
        .bind(codes::code_of(&decision.status)?)
        .bind(decision.reason.as_str())
        .bind(decision.decided_at)
        .bind(suppression.map(|one| one.id.uuid()))
        .bind(suppression.map(|one| one.entry.bytes()))
        .bind(suppression.and_then(|one| one.expires_at));
        let (object, detail) = (wanted.screening.to_string(), detail(wanted));
        let call = bind_entry(call, audit, AuditAction::MatchDecided, &object, &detail)?;
        let row = write_one(&self.pool, bind_key(call, key)?).await?;
        if row.try_get::<&str, _>("outcome")? == "missing" {
            return Ok(None);
        }
        Write::of(&row).map(Some)
    }

    /// A recorded screening with what was decided about its matches since.
    pub(crate) async fn with_decisions(&self, mut screening: Screening) -> Result<Screening, StoreError> {
        if screening.matches.is_empty() {
            return Ok(screening);
        }
        let call = sqlx::query_as("SELECT * FROM kyb.match_decisions_of($1, $2)");
        let rows: Vec<DecisionRow> =
            call.bind(self.name()).bind(screening.id.uuid()).fetch_all(&self.pool).await?;
        for row in rows {
            let about = |found: &&mut kyb_domain::screening::Match| {
                found.list.as_str() == row.list && found.entry_id == row.entry_id
            };
            if let Some(found) = screening.matches.iter_mut().find(about) {
                let decision = row.decision()?;
                found.status = decision.status;
                found.decisions.push(decision);
            }
        }
        Ok(screening)
    }

    /// The suppressions in force for these subjects.
    pub async fn suppressions_for(
        &self,
        subjects: &[Fingerprint],
        now: DateTime<Utc>,
    ) -> Result<Vec<Suppression>, StoreError> {
        if subjects.is_empty() {
            return Ok(vec![]);
        }
        let subjects: Vec<&[u8]> = subjects.iter().map(Fingerprint::bytes).collect();
        let call = sqlx::query_as("SELECT * FROM kyb.suppressions_for($1, $2, $3)");
        let rows: Vec<SuppressionRow> =
            call.bind(self.name()).bind(subjects).bind(now).fetch_all(&self.pool).await?;
        rows.into_iter().map(SuppressionRow::suppression).collect()
    }

    /// All suppressions, ended ones too, newest first; at most 50 a page.
    pub async fn suppressions(
        &self,
        after: Option<SuppressionId>,
        limit: u32,
    ) -> Result<SuppressionPage, StoreError> {
        let limit = limit.clamp(1, MOST_ROWS);
        // One row more than asked tells whether there is a next page.
        let mut suppressions = self.listed(None, after, limit + 1).await?;
        let more = suppressions.len() > limit as usize;
        suppressions.truncate(limit as usize);
        Ok(SuppressionPage { suppressions, more })
    }

    /// One suppression.
    pub async fn suppression(&self, id: SuppressionId) -> Result<Option<Suppression>, StoreError> {
        Ok(self.listed(Some(id), None, 1).await?.pop())
    }

    async fn listed(
        &self,
        id: Option<SuppressionId>,
        after: Option<SuppressionId>,
        most: u32,
    ) -> Result<Vec<Suppression>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.list_suppressions($1, $2, $3, $4)");
        let call = call
            .bind(self.name())
            .bind(id.map(SuppressionId::uuid))
            .bind(after.map(SuppressionId::uuid))
            .bind(i32::try_from(most).unwrap_or(i32::MAX));
        let rows: Vec<SuppressionRow> = call.fetch_all(&self.pool).await?;
        rows.into_iter().map(SuppressionRow::suppression).collect()
    }

    /// Takes a suppression back; gives it as it is then. One that was withdrawn before stays as it is. `None`: there is none.
    pub async fn withdraw_suppression(
        &self,
        id: SuppressionId,
        reason: &Justification,
        audit: &AuditContext,
        now: DateTime<Utc>,
    ) -> Result<Option<Suppression>, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.withdraw_suppression($1, $2, $3, $4, ROW($5, $6, $7, $8, $9, $10)::kyb.audit_entry)",
        );
        let call = call.bind(self.name()).bind(id.uuid()).bind(reason.as_str()).bind(now);
        let detail = json!({ "by": "request" });
        let call = bind_entry(call, audit, AuditAction::SuppressionWithdrawn, &id.to_string(), &detail)?;
        let row: Option<PgRow> = write(&self.pool, call).await?;
        row.map(|row| SuppressionRow::from_row(&row)?.suppression()).transpose()
    }
}

/// What the audit says of a decision: not why, since people write about people.
fn detail(wanted: &Deciding<'_>) -> Value {
    let mut detail = json!({
        "decision": wanted.decision.id,
        "list": wanted.list,
        "entry_id": wanted.entry_id,
        "status": wanted.decision.status,
    });
    if let Some(suppression) = &wanted.suppression {
        detail["suppression"] = json!(suppression.id);
        detail["expires_at"] = json!(suppression.expires_at);
    }
    detail
}

#[derive(FromRow)]
struct DecisionRow {
    id: Uuid,
    list: String,
    entry_id: String,
    status: String,
    reason: String,
    actor_kind: String,
    actor_id: String,
    decided_at: DateTime<Utc>,
    suppression_id: Option<Uuid>,
}

impl DecisionRow {
    fn decision(self) -> Result<MatchDecision, StoreError> {
        Ok(MatchDecision {
            id: self.id.into(),
            status: codes::value_of("status", self.status)?,
            reason: justification(self.reason)?,
            decided_by: actor(self.actor_kind, self.actor_id)?,
            decided_at: self.decided_at,
            suppression_id: self.suppression_id.map(SuppressionId::from),
        })
    }
}

#[derive(FromRow)]
struct SuppressionRow {
    id: Uuid,
    screening_id: Uuid,
    list: String,
    entry_id: String,
    subject_fingerprint: Vec<u8>,
    entry_fingerprint: Vec<u8>,
    reason: String,
    actor_kind: String,
    actor_id: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    withdrawn_at: Option<DateTime<Utc>>,
    withdrawn_kind: Option<String>,
    withdrawn_id: Option<String>,
    withdrawn_reason: Option<String>,
}

impl SuppressionRow {
    fn suppression(self) -> Result<Suppression, StoreError> {
        let withdrawn =
            match (self.withdrawn_at, self.withdrawn_kind, self.withdrawn_id, self.withdrawn_reason) {
                (Some(at), Some(kind), Some(id), Some(reason)) => {
                    Some(Withdrawal { reason: justification(reason)?, by: actor(kind, id)?, at })
                }
                _ => None, // all or none, by a constraint of the table
            };
        Ok(Suppression {
            id: self.id.into(),
            screening_id: self.screening_id.into(),
            list: ListId::try_from(self.list).map_err(StoreError::corrupt("list"))?,
            entry_id: self.entry_id,
            subject_fingerprint: fingerprint(&self.subject_fingerprint)?,
            entry_fingerprint: fingerprint(&self.entry_fingerprint)?,
            reason: justification(self.reason)?,
            created_by: actor(self.actor_kind, self.actor_id)?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            withdrawn,
        })
    }
}

fn justification(text: String) -> Result<Justification, StoreError> {
    Justification::try_from(text).map_err(StoreError::corrupt("reason"))
}

fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    Fingerprint::try_from(bytes).map_err(StoreError::corrupt("fingerprint"))
}

fn actor(kind: String, id: String) -> Result<Actor, StoreError> {
    Ok(Actor { kind: codes::value_of("actor", kind)?, id })
}
