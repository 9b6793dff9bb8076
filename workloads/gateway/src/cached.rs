//! What this gateway keeps in memory: classifications, and what screenings found.
//!
//! Only the computing is saved: a screening that comes from here is recorded and audited like any other, with an id, a time
//! and list versions of its own. Suppressions are no part of what is kept: they are applied to what comes from here.

use std::{convert::Infallible, sync::Arc, time::Instant};

use axum::http::{HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use kyb_cache::{Class, Found, Key, Lookups};
use kyb_domain::{
    classification::Classification,
    id::ScreeningId,
    list::{ListId, ListState, ListVersion},
    party::Party,
    reason::Reason,
    score::Score,
    screening::{Match, Screening, ScreeningStatus},
    tenant::TenantId,
};
use kyb_settings::Snapshot;
use kyb_telemetry::Metrics;
use kyb_verification::{ScreeningOptions, Watchlists};
use serde::Serialize;

/// Says whether an answer was computed for this request (`miss`) or for an earlier one (`hit`).
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-kyb-cache");

/// The value of [`HEADER`].
pub(crate) fn header_value(hit: bool) -> HeaderValue {
    HeaderValue::from_static(if hit { "hit" } else { "miss" })
}

/// Every class that this gateway keeps.
pub(crate) struct Caches {
    classification: Class<Arc<Classification>>,
    sanctions: Class<Arc<Finding>>,
}

/// What a search on certain lists found, without whom it was for: that is in the request again.
#[derive(Debug)]
struct Finding {
    status: ScreeningStatus,
    lists: Vec<ListId>,
    also_loaded: Vec<ListVersion>,
    algorithm: String,
    threshold: Score,
    candidates_scored: u32,
    candidates_truncated: bool,
    matches_truncated: bool,
    matches: Vec<Match>,
    reasons: Vec<Reason>,
}

impl Caches {
    /// Empty, under the terms of these settings.
    pub(crate) fn new(settings: &Snapshot) -> Self {
        let caches =
            Self { classification: Class::new("classification"), sanctions: Class::new("sanctions") };
        caches.obey(settings);
        caches
    }

    /// Obeys the settings' policy from now on, and forgets the results of tenants that are gone.
    pub(crate) fn obey(&self, settings: &Snapshot) {
        let policy = &settings.platform.cache;
        let stays = |tenant: &TenantId| settings.tenants.contains_key(tenant);
        self.classification.obey(policy);
        self.classification.retain(stays);
        self.sanctions.obey(policy);
        self.sanctions.retain(stays);
    }

    /// The classification of `asked`, which holds everything that it depends on.
    pub(crate) fn classify(
        &self,
        tenant: &TenantId,
        asked: &impl Serialize,
        make: impl FnOnce() -> Classification,
    ) -> Found<Arc<Classification>> {
        let Some(key) = key(tenant, asked) else { return Found { value: Arc::new(make()), hit: false } };
        let Ok(found) = self.classification.get_or_make(&key, || Ok::<_, Infallible>(Arc::new(make())));
        found
    }

    /// A screening of `subject` on these lists. `make` must search these very lists.
    pub(crate) fn screen<E>(
        &self,
        tenant: &TenantId,
        lists: &Watchlists,
        subject: Party,
        options: &ScreeningOptions,
        now: DateTime<Utc>,
        make: impl FnOnce(Party) -> Result<Screening, E>,
    ) -> Result<Found<Screening>, E> {
        let Some(key) = screening_key(tenant, &lists.states, &subject, options) else {
            return Ok(Found { value: make(subject)?, hit: false });
        };
        let mut computed = None;
        let found = self.sanctions.get_or_make(&key, || {
            let screening = make(subject.clone())?;
            let finding = Arc::new(Finding::of(&screening));
            computed = Some(screening);
            Ok(finding)
        })?;
        let screening = computed.unwrap_or_else(|| found.value.screening(subject, &lists.states, now));
        Ok(Found { value: screening, hit: found.hit })
    }

    /// The look-ups of each class that keeps anything.
    pub(crate) fn lookups(&self) -> Vec<(&'static str, Lookups)> {
        self.all_lookups().into_iter().filter_map(|(class, lookups)| Some((class, lookups?))).collect()
    }

    /// Brings the metrics up to this moment.
    pub(crate) fn report(&self, metrics: &Metrics) {
        for (class, lookups) in self.all_lookups() {
            metrics.cache_hit_rate(class, lookups.and_then(Lookups::hit_rate));
        }
    }

    fn all_lookups(&self) -> [(&'static str, Option<Lookups>); 2] {
        let now = Instant::now();
        [
            (self.classification.name(), self.classification.lookups(now)),
            (self.sanctions.name(), self.sanctions.lookups(now)),
        ]
    }
}

/// Engine, lists and freshness are part of the key: what was found on other lists, or on these when they were fresh, is not
/// what would be found now. When a list was last read is not: that alone changes nothing.
fn screening_key(
    tenant: &TenantId,
    states: &[ListState],
    subject: &Party,
    options: &ScreeningOptions,
) -> Option<Key> {
    let states: Vec<_> = states.iter().map(|state| (&state.list, &state.version, &state.stale)).collect();
    let ScreeningOptions { lists, threshold, limit } = options;
    key(tenant, &(kyb_screening::ALGORITHM, states, subject, lists, threshold, limit))
}

/// `None` where `asked` can't be written as JSON, which would be a fault of ours and costs no more than the saving.
fn key(tenant: &TenantId, asked: &impl Serialize) -> Option<Key> {
    let asked = serde_json::to_vec(asked).ok()?;
    Some(Key::new(tenant, [asked.as_slice()]))
}

impl Finding {
    fn of(screening: &Screening) -> Self {
        Self {
            status: screening.status,
            lists: screening.list_versions.iter().map(|state| state.list.clone()).collect(),
            also_loaded: screening.also_loaded.clone(),
            algorithm: screening.algorithm.clone(),
            threshold: screening.threshold,
            candidates_scored: screening.candidates_scored,
            candidates_truncated: screening.candidates_truncated,
            matches_truncated: screening.matches_truncated,
            matches: screening.matches.clone(),
            reasons: screening.reasons.clone(),
        }
    }

    fn screening(&self, subject: Party, states: &[ListState], now: DateTime<Utc>) -> Screening {
        Screening {
            id: ScreeningId::generate(),
            status: self.status,
            subject,
            list_versions: states.iter().filter(|state| self.lists.contains(&state.list)).cloned().collect(),
            also_loaded: self.also_loaded.clone(),
            algorithm: self.algorithm.clone(),
            threshold: self.threshold,
            candidates_scored: self.candidates_scored,
            candidates_truncated: self.candidates_truncated,
            matches_truncated: self.matches_truncated,
            matches: self.matches.clone(),
            reasons: self.reasons.clone(),
            created_at: now,
        }
    }
}

#[cfg(test)]
#[path = "cached_tests.rs"]
mod tests;
