//! Requests counted per tenant, hour and endpoint, in memory, and handed to the store now and then.
//!
//! Counts that the store did not take are kept and tried again; what a crash loses is at most one interval.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use kyb_domain::tenant::TenantId;
use kyb_store::{Store, StoreError, usage::UsageRow};

/// The most rows kept while the store does not answer. Beyond it new rows are not begun; existing ones go on counting.
const MOST_ROWS: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    tenant: TenantId,
    /// Hours since 1970.
    hour: i64,
    /// Place in [`Usage::endpoints`].
    endpoint: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    errors: u64,
}

/// The counts that the store does not have yet.
#[derive(Debug)]
pub(crate) struct Usage {
    /// Method and route template, sorted.
    endpoints: Vec<(String, String)>,
    rows: Mutex<HashMap<Row, Counts>>,
}

impl Usage {
    /// Counts for these endpoints (method, route template); requests of others are not counted.
    pub(crate) fn new(mut endpoints: Vec<(String, String)>) -> Self {
        endpoints.sort();
        Self { endpoints, rows: Mutex::default() }
    }

    /// One answered request.
    pub(crate) fn count(
        &self,
        tenant: &TenantId,
        method: &str,
        route: &str,
        status: u16,
        now: DateTime<Utc>,
    ) {
        let place = self.endpoints.binary_search_by(|(m, r)| (m.as_str(), r.as_str()).cmp(&(method, route)));
        let Ok(endpoint) = place else { return };
        let row = Row { tenant: tenant.clone(), hour: now.timestamp().div_euclid(3600), endpoint };
        self.add(row, Counts { requests: 1, errors: u64::from(status >= 400) });
    }

    fn add(&self, row: Row, more: Counts) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST_ROWS && !rows.contains_key(&row) {
            return;
        }
        let counts = rows.entry(row).or_default();
        counts.requests += more.requests;
        counts.errors += more.errors;
    }

    /// Hands everything to the store; what it does not take stays.
    pub(crate) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_tenant: HashMap<TenantId, Vec<(Row, Counts)>> = HashMap::new();
        for (row, counts) in taken {
            by_tenant.entry(row.tenant.clone()).or_default().push((row, counts));
        }
        let mut outcome = Ok(());
        for (tenant, rows) in by_tenant {
            let wire: Vec<UsageRow> =
                rows.iter().filter_map(|(row, counts)| self.wire(row, *counts)).collect();
            match store.tenant(&tenant).add_usage(&wire).await {
                Ok(()) | Err(StoreError::Erased) => {} // an erased tenant's counts go with it
                Err(error) => {
                    outcome = Err(error);
                    for (row, counts) in rows {
                        self.add(row, counts);
                    }
                }
            }
        }
        outcome
    }

    fn wire(&self, row: &Row, counts: Counts) -> Option<UsageRow> {
        let (method, route) = self.endpoints.get(row.endpoint)?;
        Some(UsageRow {
            hour: DateTime::from_timestamp(row.hour * 3600, 0)?,
            endpoint: format!("{method} {route}"),
            requests: counts.requests,
            errors: counts.errors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_tenant_hour_and_endpoint() {
        let usage = Usage::new(vec![
            ("POST".into(), "/v1/screenings".into()),
            ("GET".into(), "/v1/watchlists".into()),
        ]);
        let acme = TenantId::try_from("acme").unwrap();
        let now = DateTime::from_timestamp(7200 + 59, 0).unwrap();
        for status in [201, 422, 429] {
            usage.count(&acme, "POST", "/v1/screenings", status, now);
        }
        usage.count(&acme, "POST", "unmatched", 404, now);
        let rows = usage.rows.lock().unwrap();
        let [(row, counts)] = rows.iter().collect::<Vec<_>>()[..] else { panic!("{rows:?}") };
        assert_eq!(*counts, Counts { requests: 3, errors: 2 });
        let wire = usage.wire(row, *counts).unwrap();
        assert_eq!((wire.endpoint.as_str(), wire.hour.timestamp()), ("POST /v1/screenings", 7200));
    }

    #[test]
    fn a_flood_of_rows_is_bounded_and_known_rows_go_on_counting() {
        let usage = Usage::new(vec![("GET".into(), "/".into())]);
        let acme = TenantId::try_from("acme").unwrap();
        let at = |hour: usize| DateTime::from_timestamp(i64::try_from(hour).unwrap() * 3600, 0).unwrap();
        for hour in (0..MOST_ROWS + 5).chain([0]) {
            usage.count(&acme, "GET", "/", 200, at(hour));
        }
        let rows = usage.rows.lock().unwrap();
        assert_eq!(rows.len(), MOST_ROWS);
        assert_eq!(rows[&Row { tenant: acme, hour: 0, endpoint: 0 }].requests, 2);
    }
}
