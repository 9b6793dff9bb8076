//! Connections, and the doors to a tenant's rows.

use kyb_domain::tenant::TenantId;
use sqlx::{
    PgPool, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use crate::{StoreError, connect, listen::ListNotices, role_check};

/// How to connect at run time.
#[derive(Clone)]
pub struct ConnectOptions {
    /// `postgres://role:password@host:port/database?sslmode=…`. Never printed. Without `sslmode` a host other than this
    /// machine must show a certificate for its name (`verify-full`).
    pub url: String,
    /// The most connections of this process.
    pub max_connections: u32,
    /// How long to wait for a free connection before [`StoreError::Unavailable`].
    pub acquire_timeout: std::time::Duration,
    /// The longest a statement may run.
    pub statement_timeout: std::time::Duration,
}

/// Without the URL, which holds a password.
impl std::fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

/// A pool of connections of the runtime role. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    pub(crate) notices: ListNotices,
}

impl Store {
    /// Makes a pool without connecting yet; the first use connects.
    pub fn lazy(options: &ConnectOptions) -> Result<Self, StoreError> {
        let pool = connect::pool(options)?;
        let notices = ListNotices::new(&pool);
        Ok(Self { pool, notices })
    }

    /// Refuses an unsafe role ([`StoreError::UnsafeRole`]) or a schema that is not this program's ([`StoreError::Schema`]).
    /// The programs call it until it succeeds before they serve, and never serve after a refusal.
    pub async fn check(&self) -> Result<(), StoreError> {
        role_check::refuse_unsafe_role(&self.pool).await?;
        role_check::refuse_other_schema(&self.pool).await?;
        role_check::refuse_open_tables(&self.pool).await
    }

    /// One round trip, for readiness.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The rows of one tenant. Every statement runs with that tenant set for its own transaction only.
    pub fn tenant(&self, tenant: &TenantId) -> TenantStore {
        TenantStore { pool: self.pool.clone(), tenant: tenant.clone() }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        self.notices.stop();
        self.pool.close().await;
    }

    /// The connections themselves: their number for metrics, and statements that the store has no call for. Such a
    /// statement sees no tenant's rows, since it sets no tenant.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// The rows of one tenant.
#[derive(Debug, Clone)]
pub struct TenantStore {
    pub(crate) pool: PgPool,
    tenant: TenantId,
}

impl TenantStore {
    /// Whose rows these are.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The tenant, as the first argument of every function.
    pub(crate) fn name(&self) -> &str {
        self.tenant.as_str()
    }
}

/// Runs a call that appends to the audit chain, and returns when it is on disk. The call's own commit does not wait for
/// the disk, since it holds the tenant's chain; the second statement waits, together with those of all others. So what
/// is returned from here may be acknowledged, and nothing earlier.
pub(crate) async fn write(
    pool: &PgPool,
    call: Query<'_, Postgres, PgArguments>,
) -> Result<Option<PgRow>, StoreError> {
    let mut connection = pool.acquire().await?;
    let row = call.fetch_optional(&mut *connection).await?;
    sqlx::query("SELECT kyb.make_durable()").execute(&mut *connection).await?;
    Ok(row)
}

/// [`write`] of a call that always has one row.
pub(crate) async fn write_one(
    pool: &PgPool,
    call: Query<'_, Postgres, PgArguments>,
) -> Result<PgRow, StoreError> {
    write(pool, call).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
}
