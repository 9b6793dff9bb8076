//! The audit chain: append-only, each event hashed together with the one before.
//!
//! The chain shows a changed, removed or inserted event. By itself it does not show that its newest events were cut off,
//! nor that somebody with all rights recomputed every hash from some event on: both leave a sound chain. Only a copy of
//! a later hash, kept where that somebody can't write, shows these.

mod chain;

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::{Actor, AuditAction, AuditEvent},
    tenant::TenantId,
};
use serde_json::Value;
use sqlx::{FromRow, Postgres, postgres::PgArguments, query::Query};

use crate::{Idempotency, StoreError, TenantStore, Write, codes, idempotency::bind_key, pool::write_one};

/// Who acts, in which request. Every write takes one and appends an event in its own transaction.
#[derive(Debug, Clone)]
pub struct AuditContext {
    /// Who.
    pub actor: Actor,
    /// The request's id.
    pub request_id: Option<String>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenChain {
    /// The first event whose hash does not fit.
    pub sequence: i64,
}

/// How many events are read at a time when a chain is recomputed.
const PAGE: i32 = 1000;

impl TenantStore {
    /// Events after `after` (0 for the first), oldest first, at most `most`.
    pub async fn audit_events(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        self.event_rows(after, most).await?.into_iter().map(EventRow::event).collect()
    }

    /// Recomputes the whole chain; `None` when every link holds.
    pub async fn verify_audit_chain(&self) -> Result<Option<BrokenChain>, StoreError> {
        let mut end = chain::End::default();
        loop {
            let page = self.event_rows(end.sequence(), PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            for row in page {
                let sequence = row.sequence;
                match end.follow(&row) {
                    Some(next) => end = next,
                    None => return Ok(Some(BrokenChain { sequence })),
                }
            }
        }
    }

    /// Appends an event that goes with no other write, such as an export. `detail` must hold no personal data: it can't
    /// be erased from the chain.
    pub async fn record_event(
        &self,
        action: AuditAction,
        object: &str,
        detail: &Value,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.record_event($1, ROW($2, $3, $4, $5, $6, $7)::kyb.audit_entry, \
             ROW($8, $9, $10, $11, $12)::kyb.idempotency)",
        );
        let call = bind_entry(call.bind(self.name()), audit, action, object, detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    async fn event_rows(&self, after: i64, most: i32) -> Result<Vec<EventRow>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.audit_events_after($1, $2, $3)");
        Ok(call.bind(self.name()).bind(after).bind(most).fetch_all(&self.pool).await?)
    }
}

/// Binds the six fields of `kyb.audit_entry`.
pub(crate) fn bind_entry<'q>(
    call: Query<'q, Postgres, PgArguments>,
    audit: &AuditContext,
    action: AuditAction,
    object: &str,
    detail: &Value,
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    Ok(call
        .bind(codes::code_of(&audit.actor.kind)?)
        .bind(&audit.actor.id)
        .bind(codes::code_of(&action)?)
        .bind(object)
        .bind(audit.request_id.as_deref())
        .bind(detail.to_string()))
}

/// An event as stored: the text that was hashed, not what it means.
#[derive(FromRow)]
struct EventRow {
    tenant_id: String,
    sequence: i64,
    at: DateTime<Utc>,
    actor_kind: String,
    actor_id: String,
    action: String,
    object: String,
    request_id: Option<String>,
    detail: String,
    previous_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl EventRow {
    fn event(self) -> Result<AuditEvent, StoreError> {
        let actor = Actor { kind: codes::value_of("actor", self.actor_kind)?, id: self.actor_id };
        Ok(AuditEvent {
            tenant: TenantId::try_from(self.tenant_id).map_err(StoreError::corrupt("tenant"))?,
            sequence: self.sequence,
            at: self.at,
            actor,
            action: codes::value_of("action", self.action)?,
            object: self.object,
            request_id: self.request_id,
            detail: codes::from_json("audit detail", &self.detail)?,
            previous_hash: hex::encode(self.previous_hash),
            hash: hex::encode(self.hash),
        })
    }
}
