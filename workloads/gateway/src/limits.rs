//! Rate limits per tenant, in this process: one token bucket (GCRA) for each tenant that was seen.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use kyb_domain::tenant::TenantId;
use kyb_settings::tenant::RateLimit;

type Limiter = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

struct Bucket {
    limit: RateLimit,
    limiter: Limiter,
}

/// The buckets of every tenant seen.
#[derive(Default)]
pub(crate) struct RateLimits {
    buckets: RwLock<HashMap<TenantId, Arc<Bucket>>>,
    clock: DefaultClock,
}

/// Where a tenant stands after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// How many requests may come at once.
    limit: u32,
    /// How many of these are left.
    remaining: u32,
    /// Seconds until all are there again.
    reset: u64,
    /// Seconds to wait, where this request was one too many.
    pub(crate) retry_after: Option<u64>,
}

impl RateLimits {
    /// Counts a request of a tenant.
    pub(crate) fn count(&self, tenant: &TenantId, limit: RateLimit) -> Allowance {
        let bucket = self.bucket(tenant, limit);
        match bucket.limiter.check() {
            Ok(state) => bucket.allowance(state.remaining_burst_capacity(), None),
            Err(refused) => bucket.allowance(0, Some(refused.wait_time_from(self.clock.now()))),
        }
    }

    /// Forgets tenants that are gone.
    pub(crate) fn retain(&self, exists: impl Fn(&TenantId) -> bool) {
        self.buckets.write().unwrap_or_else(PoisonError::into_inner).retain(|tenant, _| exists(tenant));
    }

    /// The tenant's bucket; a new one when its limit has changed.
    fn bucket(&self, tenant: &TenantId, limit: RateLimit) -> Arc<Bucket> {
        let known = self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned();
        if let Some(bucket) = known.filter(|bucket| bucket.limit == limit) {
            return bucket;
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(tenant.clone()).or_insert_with(|| Arc::new(Bucket::new(limit)));
        if bucket.limit != limit {
            *bucket = Arc::new(Bucket::new(limit));
        }
        Arc::clone(bucket)
    }
}

impl Bucket {
    fn new(limit: RateLimit) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_minute(at_least_one(limit.requests_per_minute)).allow_burst(at_least_one(limit.burst));
        Self { limit, limiter: RateLimiter::direct(quota).with_middleware() }
    }

    fn allowance(&self, remaining: u32, wait: Option<Duration>) -> Allowance {
        let missing = u64::from(self.limit.burst.saturating_sub(remaining));
        let reset = (missing * 60).div_ceil(u64::from(self.limit.requests_per_minute.max(1)));
        let retry_after = wait.map(|wait| (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1));
        Allowance { limit: self.limit.burst, remaining, reset, retry_after }
    }
}

impl Allowance {
    /// Tells the caller.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, self.reset.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(limits: &RateLimits, tenant: &str, requests_per_minute: u32, burst: u32) -> Allowance {
        limits.count(&TenantId::try_from(tenant).unwrap(), RateLimit { requests_per_minute, burst })
    }

    #[test]
    fn one_request_too_many_is_told_how_long_to_wait() {
        let limits = RateLimits::default();
        for remaining in [2, 1, 0] {
            let allowance = count(&limits, "acme", 1, 3);
            assert_eq!((allowance.limit, allowance.remaining, allowance.retry_after), (3, remaining, None));
        }
        let refused = count(&limits, "acme", 1, 3);
        assert!((50..=60).contains(&refused.retry_after.unwrap()), "{refused:?}");
        assert_eq!(refused.reset, 180);
    }

    #[test]
    fn one_tenants_requests_cost_another_nothing() {
        let limits = RateLimits::default();
        assert!(count(&limits, "acme", 1, 1).retry_after.is_none());
        assert!(count(&limits, "acme", 1, 1).retry_after.is_some());
        assert!(count(&limits, "other", 1, 1).retry_after.is_none());
    }

    #[test]
    fn a_changed_limit_holds_at_once_and_a_tenant_that_is_gone_is_forgotten() {
        let limits = RateLimits::default();
        assert!(count(&limits, "acme", 1, 1).retry_after.is_none());
        assert!(count(&limits, "acme", 1, 1).retry_after.is_some());
        assert_eq!(count(&limits, "acme", 1, 5).remaining, 4);
        limits.retain(|_| false);
        assert_eq!(limits.buckets.read().unwrap().len(), 0);
    }
}
