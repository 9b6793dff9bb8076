//! The platform's metrics by the names and buckets of requirement row E1, and a few of our own.
//!
//! A metric without a source is not here: a gauge that nobody sets would report a made-up zero.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use chrono::{DateTime, Utc};
use kyb_domain::{list::ListState, tenant::TenantId};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};

use crate::{
    bounded::{Bounded, Fold, OTHER},
    told::Told,
};

/// The content type of [`Metrics::render`] and [`Metrics::render_business`] (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds of the buckets for requests: E1's (0.1 to 10) and finer ones below.
const REQUEST_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];
/// E1's last bound for requests.
const LONGEST_REQUEST: f64 = 10.0;
/// Upper bounds in seconds of the buckets for engines: E1's (0.01 to 2) and finer ones below.
const ENGINE_SECONDS: [f64; 11] = [0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    endpoint: String,
    method: &'static str,
    status_code: u16,
    tenant_id: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    endpoint: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verified {
    result: String,
    tenant_id: Arc<str>,
    verification_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Assessed {
    risk_level: String,
    tenant_id: Arc<str>,
    assessment_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    model_name: String,
    model_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct List {
    list: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheClass {
    cache_type: &'static str,
}

impl Fold for Answered {
    fn folded(&self) -> Self {
        Self { endpoint: OTHER.into(), tenant_id: OTHER.into(), ..self.clone() }
    }
}

impl Fold for Asked {
    fn folded(&self) -> Self {
        Self { endpoint: OTHER.into(), ..self.clone() }
    }
}

impl Fold for Verified {
    fn folded(&self) -> Self {
        Self { result: OTHER.into(), tenant_id: OTHER.into(), verification_type: OTHER.into() }
    }
}

impl Fold for Assessed {
    fn folded(&self) -> Self {
        Self { risk_level: OTHER.into(), tenant_id: OTHER.into(), assessment_type: OTHER.into() }
    }
}

impl Fold for Model {
    fn folded(&self) -> Self {
        Self { model_name: OTHER.into(), model_version: OTHER.into() }
    }
}

/// Every metric of a process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    all: Arc<All>,
}

struct All {
    technical: Registry,
    business: Registry,
    requests: Bounded<Answered, Counter>,
    request_seconds: Bounded<Asked, Histogram>,
    verifications: Bounded<Verified, Counter>,
    risk_assessments: Bounded<Assessed, Counter>,
    engine_seconds: Bounded<Model, Histogram>,
    active_tenants: Told,
    list_entries: Family<List, Gauge>,
    list_age: Family<List, Gauge>,
    list_stale: Family<List, Gauge>,
    lists_seen: Mutex<BTreeSet<List>>,
    settings_refused: Told,
    queue_depth: Told,
    monitors_behind: Told,
    cache_hit_rate: Family<CacheClass, Gauge<f64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = All {
            technical: Registry::default(),
            business: Registry::default(),
            requests: Bounded::new(Counter::default),
            request_seconds: Bounded::new(|| {
                Histogram::new(REQUEST_SECONDS.into_iter().chain([LONGEST_REQUEST]))
            }),
            verifications: Bounded::new(Counter::default),
            risk_assessments: Bounded::new(Counter::default),
            engine_seconds: Bounded::new(|| Histogram::new(ENGINE_SECONDS)),
            active_tenants: Told::default(),
            list_entries: Family::default(),
            list_age: Family::default(),
            list_stale: Family::default(),
            lists_seen: Mutex::default(),
            settings_refused: Told::default(),
            queue_depth: Told::default(),
            monitors_behind: Told::default(),
            cache_hit_rate: Family::default(),
        };
        all.register();
        Self { all: Arc::new(all) }
    }
}

/// Registers a metric under its full name. The library appends `_total` to counters, and a full stop to the meaning.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, meaning: &str, metric: &M) {
    let name = if matches!(metric.metric_type(), prometheus_client::metrics::MetricType::Counter) {
        name.trim_end_matches("_total")
    } else {
        name
    };
    registry.register(name, meaning, metric.clone());
}

impl All {
    /// Every name and its meaning; `docs/metrics.md` says the same.
    fn register(&mut self) {
        let t = &mut self.technical;
        add(t, "kyb_api_requests_total", "Answered requests", &self.requests);
        add(t, "kyb_api_request_duration_seconds", "Time to answer a request", &self.request_seconds);
        add(
            t,
            "kyb_ml_model_inference_duration_seconds",
            "Time of one run of an engine",
            &self.engine_seconds,
        );
        add(t, "kyb_watchlist_entries", "Entries of the list version in use", &self.list_entries);
        add(
            t,
            "kyb_watchlist_age_seconds",
            "Time since the list's source was last read successfully",
            &self.list_age,
        );
        add(t, "kyb_watchlist_stale", "1 while the list is missing or too old, else 0", &self.list_stale);
        add(
            t,
            "kyb_settings_refused",
            "1 while the newest settings are refused, else 0",
            &self.settings_refused,
        );
        add(t, "kyb_queue_depth", "Jobs that wait", &self.queue_depth);
        add(
            t,
            "kyb_monitors_behind",
            "Monitors that were not yet compared with the lists in use, or are past the time of a whole search",
            &self.monitors_behind,
        );
        add(
            t,
            "kyb_cache_hit_rate_ratio",
            "Look-ups of the last five to ten minutes that were answered from memory, 0 to 1",
            &self.cache_hit_rate,
        );
        let b = &mut self.business;
        add(b, "kyb_business_verifications_total", "Finished verifications", &self.verifications);
        add(b, "kyb_risk_assessments_total", "Risk assessments", &self.risk_assessments);
        add(b, "kyb_active_tenants_total", "Tenants in the settings", &self.active_tenants);
    }
}

impl Metrics {
    /// All metrics at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// One answered request. `endpoint` is the route template, never a path with ids in it. A request that belongs to no
    /// tenant, such as one with an unknown key, has an empty `tenant_id`.
    pub fn api_request(
        &self,
        endpoint: &str,
        method: &str,
        status: u16,
        tenant: Option<&TenantId>,
        took: Duration,
    ) {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or(OTHER);
        let asked = Asked { endpoint: endpoint.to_owned(), method };
        self.all.request_seconds.get(&asked).observe(took.as_secs_f64());
        let tenant_id = tenant.map_or("", TenantId::as_str).into();
        let answered = Answered { endpoint: asked.endpoint, method, status_code: status, tenant_id };
        self.all.requests.get(&answered).inc();
    }

    /// One finished verification; `result` is its decision, `kind` is `sync` or `async`.
    pub fn verification(&self, result: &str, tenant: &TenantId, kind: &str) {
        let labels = Verified {
            result: result.into(),
            tenant_id: tenant.as_str().into(),
            verification_type: kind.into(),
        };
        self.all.verifications.get(&labels).inc();
    }

    /// One risk assessment; `kind` is `verification` or `direct`.
    pub fn risk_assessment(&self, level: &str, tenant: &TenantId, kind: &str) {
        let labels = Assessed {
            risk_level: level.into(),
            tenant_id: tenant.as_str().into(),
            assessment_type: kind.into(),
        };
        self.all.risk_assessments.get(&labels).inc();
    }

    /// One run of an engine: `screening`, `classification`.
    pub fn inference(&self, model: &str, version: &str, took: Duration) {
        let labels = Model { model_name: model.into(), model_version: version.into() };
        self.all.engine_seconds.get(&labels).observe(took.as_secs_f64());
    }

    /// How many tenants the settings hold.
    pub fn active_tenants(&self, count: usize) {
        self.all.active_tenants.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The wanted lists: entries, age of the last successful read, stale or not. A list that is no longer wanted is no
    /// longer reported; one that was never read has neither entries nor an age, and is stale.
    pub fn watchlists(&self, states: &[ListState], now: DateTime<Utc>) {
        let entries = |state: &ListState| state.version.as_ref().map(|version| i64::from(version.entries));
        let age = |state: &ListState| state.checked_at.map(|at| (now - at).num_seconds().max(0));
        let mut seen = self.all.lists_seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(states.iter().map(|state| List { list: state.list.to_string() }));
        report(&self.all.list_entries, &seen, states, entries);
        report(&self.all.list_age, &seen, states, age);
        report(&self.all.list_stale, &seen, states, |state| Some(i64::from(!state.is_fresh())));
    }

    /// Whether the newest settings were refused.
    pub fn settings_refused(&self, refused: bool) {
        self.all.settings_refused.set(i64::from(refused));
    }

    /// Monitors that were not yet compared with the lists in use, or are past the time of a whole search.
    pub fn monitors_behind(&self, monitors: u64) {
        self.all.monitors_behind.set(i64::try_from(monitors).unwrap_or(i64::MAX));
    }

    /// Jobs that wait.
    pub fn queue_depth(&self, jobs: u64) {
        self.all.queue_depth.set(i64::try_from(jobs).unwrap_or(i64::MAX));
    }

    /// How often a class of results was answered from memory, 0 to 1; `None` where it keeps nothing or nobody asked, and
    /// then it is not reported.
    pub fn cache_hit_rate(&self, class: &'static str, rate: Option<f64>) {
        let label = CacheClass { cache_type: class };
        match rate {
            Some(rate) => {
                self.all.cache_hit_rate.get_or_create(&label).set(rate);
            }
            None => {
                self.all.cache_hit_rate.remove(&label);
            }
        }
    }

    /// `GET /metrics`: OpenMetrics text of every metric.
    pub fn render(&self) -> String {
        render(&[&self.all.technical, &self.all.business])
    }

    /// `GET /metrics/business`: the business metrics alone.
    pub fn render_business(&self) -> String {
        render(&[&self.all.business])
    }
}

/// Sets what is known of each list ever seen, and takes out what is not known any more.
fn report(
    family: &Family<List, Gauge>,
    seen: &BTreeSet<List>,
    states: &[ListState],
    value: impl Fn(&ListState) -> Option<i64>,
) {
    for label in seen {
        let state = states.iter().find(|state| state.list.as_str() == label.list);
        match state.and_then(&value) {
            Some(value) => {
                family.get_or_create(label).set(value);
            }
            None => {
                family.remove(label);
            }
        }
    }
}

fn render(registries: &[&Registry]) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for registry in registries {
        // Writing into a String can't fail.
        let _ = text::encode_registry(&mut out, registry);
    }
    let _ = text::encode_eof(&mut out);
    out
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
