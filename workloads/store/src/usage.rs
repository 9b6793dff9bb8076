//! API usage, counted per tenant, hour and endpoint.

use chrono::{DateTime, Utc};

use crate::{StoreError, TenantStore};

/// Requests of one endpoint in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The start of the hour.
    pub hour: DateTime<Utc>,
    /// Method and route template, such as `POST /v1/verifications`.
    pub endpoint: String,
    /// Requests.
    pub requests: u64,
    /// Of these, answered with a status of 400 or above.
    pub errors: u64,
}

impl TenantStore {
    /// Adds counts to their hours.
    pub async fn add_usage(&self, rows: &[UsageRow]) -> Result<(), StoreError> {
        // Beyond 2^63 requests in an hour the count would be wrong anyway.
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let call = sqlx::query("SELECT kyb.add_usage($1, $2, $3, $4, $5)")
            .bind(self.name())
            .bind(rows.iter().map(|row| row.hour).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.endpoint.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| count(row.requests)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| count(row.errors)).collect::<Vec<_>>());
        call.execute(&self.pool).await?;
        Ok(())
    }

    /// The counts of the hours that began at `since` or later, oldest first.
    pub async fn usage(&self, since: DateTime<Utc>) -> Result<Vec<UsageRow>, StoreError> {
        let call = sqlx::query_as("SELECT hour, endpoint, requests, errors FROM kyb.usage_since($1, $2)");
        let rows: Vec<(DateTime<Utc>, String, i64, i64)> =
            call.bind(self.name()).bind(since).fetch_all(&self.pool).await?;
        let count = |number: i64| u64::try_from(number).map_err(StoreError::corrupt("count"));
        rows.into_iter()
            .map(|(hour, endpoint, requests, errors)| {
                Ok(UsageRow { hour, endpoint, requests: count(requests)?, errors: count(errors)? })
            })
            .collect()
    }
}
