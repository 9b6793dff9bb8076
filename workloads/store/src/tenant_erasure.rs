//! Deleting a tenant: every row of it but its audit chain, for good.
//!
//! A request leaves a tombstone at once: from then on nothing can be stored for the tenant ([`StoreError::Erased`]), so what
//! is deleted does not come back. Then rows are deleted in batches, each in a transaction of its own, by whoever asks; an
//! erasure that is broken off is finished by asking again. The tombstone stays, and with it the id is used up.

use chrono::{DateTime, Utc};
use kyb_domain::{audit::AuditAction, tenant::TenantId};
use serde_json::json;
use sqlx::{FromRow, Row as _};

use crate::{
    Store, StoreError,
    audit::{AuditContext, bind_entry},
    pool::write_one,
};

/// A tenant that was erased or is being erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantErasure {
    /// Which.
    pub tenant: TenantId,
    /// From when on nothing could be stored for it.
    pub requested_at: DateTime<Utc>,
    /// When nothing was left; `None` until then.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many rows were deleted so far.
    pub rows: u64,
}

impl Store {
    /// Begins to erase a tenant: appends the last event of its audit chain and leaves the tombstone. Waits for writes of the
    /// tenant that are under way. Does nothing where that was done before.
    pub async fn request_erasure(&self, tenant: &TenantId, audit: &AuditContext) -> Result<(), StoreError> {
        let call =
            sqlx::query("SELECT kyb.request_erasure($1, ROW($2, $3, $4, $5, $6, $7)::kyb.audit_entry)");
        let call = call.bind(tenant.as_str());
        let call = bind_entry(call, audit, AuditAction::TenantErasureStarted, tenant.as_str(), &json!({}))?;
        write_one(self.pool(), call).await?;
        Ok(())
    }

    /// Deletes up to `most` rows of each table of a tenant whose erasure was requested. How many in all; 0 when nothing is
    /// left, and then the erasure is finished. To be called until then.
    pub async fn erase_tenant(&self, tenant: &TenantId, most: u32) -> Result<u64, StoreError> {
        let call = sqlx::query("SELECT kyb.erase_tenant($1, $2)");
        let call = call.bind(tenant.as_str()).bind(i32::try_from(most).unwrap_or(i32::MAX));
        let deleted: i64 = write_one(self.pool(), call).await?.try_get(0)?;
        u64::try_from(deleted).map_err(StoreError::corrupt("count"))
    }

    /// Every tenant that was ever erased, or is being erased, by id.
    pub async fn tenant_erasures(&self) -> Result<Vec<TenantErasure>, StoreError> {
        let call = sqlx::query_as(
            "SELECT tenant, requested_at, finished_at, rows FROM kyb.tenant_erasures ORDER BY tenant",
        );
        let rows: Vec<Row> = call.fetch_all(self.pool()).await?;
        rows.into_iter().map(Row::erasure).collect()
    }
}

#[derive(FromRow)]
struct Row {
    tenant: String,
    requested_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    rows: i64,
}

impl Row {
    fn erasure(self) -> Result<TenantErasure, StoreError> {
        Ok(TenantErasure {
            tenant: TenantId::try_from(self.tenant).map_err(StoreError::corrupt("tenant"))?,
            requested_at: self.requested_at,
            finished_at: self.finished_at,
            rows: u64::try_from(self.rows).map_err(StoreError::corrupt("count"))?,
        })
    }
}
