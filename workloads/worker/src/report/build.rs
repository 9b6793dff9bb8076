//! The report, from what was found. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kyb_crds::{
    CacheClass, CacheReport, ConditionType, DatabaseReport, ErasureReport, ErasureState, Reason,
    RefusedSettings, RegionReportStatus, ReportCounts, SettingsReport, WatchlistReport, WatchlistState,
    WorkloadReport,
};
use kyb_domain::{list::ListState, tenant::TenantId};
use kyb_store::{heartbeats::Heartbeat, tenant_erasure::TenantErasure};

/// The bounds of the report's schema.
const MOST_WORKLOADS: usize = 400;
const MOST_REFUSED: usize = 500;
const MOST_LISTS: usize = 100;
const MOST_ERASURES: usize = 1_000;
const LONGEST_MESSAGE: usize = 1_000;
const LONGEST_PROBLEM: usize = 500;
const LONGEST_FILE: usize = 253;

/// What a report is made of.
pub(super) struct Found<'a> {
    pub(super) heartbeats: &'a [Heartbeat],
    pub(super) lists: &'a [ListState],
    pub(super) rates: Vec<CacheReport>,
    pub(super) erasures: Vec<ErasureReport>,
    pub(super) schema_version: i64,
}

/// The status without what depends on the object that it goes into.
pub(super) fn status(found: Found<'_>) -> RegionReportStatus {
    let fresh = found.lists.iter().filter(|list| list.is_fresh()).count();
    let refusing = found.heartbeats.iter().filter(|beat| !beat.refused.is_empty()).count();
    let refused = refused(found.heartbeats);
    RegionReportStatus {
        observed_generation: None,
        conditions: vec![],
        counts: Some(ReportCounts {
            workloads: count(found.heartbeats.len()),
            refusing: count(refusing),
            refused_files: Some(count(refused.len())),
            lists_fresh: format!("{fresh}/{}", found.lists.len()),
        }),
        refused: refused.into_values().take(MOST_REFUSED).collect(),
        workloads: found.heartbeats.iter().take(MOST_WORKLOADS).map(workload).collect(),
        watchlists: found.lists.iter().take(MOST_LISTS).map(watchlist).collect(),
        caches: found.rates,
        erasures: found.erasures,
        database: Some(DatabaseReport { schema_version: Some(found.schema_version) }),
    }
}

/// The same for an object: its generation, and `Ready`, whose time is that of its last change.
pub(super) fn completed(
    status: RegionReportStatus,
    standing: &RegionReportStatus,
    generation: Option<i64>,
    now: Time,
) -> RegionReportStatus {
    let ready = standing.conditions.iter().find(|known| known.type_ == ConditionType::Ready.as_str());
    let since = ready.filter(|known| known.status == "True").map(|known| known.last_transition_time.clone());
    let ready = Condition {
        type_: ConditionType::Ready.as_str().to_owned(),
        status: "True".to_owned(),
        reason: Reason::Ready.as_str().to_owned(),
        message: "a worker wrote this; the RegionDeployment's WorkerReady tells whether one still runs"
            .to_owned(),
        observed_generation: generation,
        last_transition_time: since.unwrap_or(now),
    };
    RegionReportStatus { observed_generation: generation, conditions: vec![ready], ..status }
}

fn workload(beat: &Heartbeat) -> WorkloadReport {
    let settings =
        beat.resource_version.map(|version| SettingsReport { resource_version: version.to_string() });
    WorkloadReport {
        name: beat.pod.as_str().into(),
        component: beat.component.as_str().to_owned(),
        version: beat.version.clone(),
        settings,
    }
}

/// Every file that some pod refuses, by name. Of several pods that refuse one the first speaks for all.
fn refused(heartbeats: &[Heartbeat]) -> BTreeMap<String, RefusedSettings> {
    let mut refused = BTreeMap::new();
    for beat in heartbeats {
        for file in &beat.refused {
            let name = cut(&file.file, LONGEST_FILE);
            refused.entry(name.clone()).or_insert_with(|| RefusedSettings {
                name,
                problem: cut(&file.problem, LONGEST_PROBLEM),
                pod: beat.pod.as_str().into(),
            });
        }
    }
    refused
}

fn watchlist(list: &ListState) -> WatchlistReport {
    let state = match (&list.version, &list.stale) {
        (None, _) => WatchlistState::Missing,
        (Some(_), Some(_)) => WatchlistState::Stale,
        (Some(_), None) => WatchlistState::Fresh,
    };
    WatchlistReport {
        name: list.list.as_str().into(),
        version: list.version.as_ref().map(kyb_domain::list::ListVersion::label),
        sha256: list.version.as_ref().map(|version| version.sha256.as_str().into()),
        entries: list.version.as_ref().map(|version| i32::try_from(version.entries).unwrap_or(i32::MAX)),
        state,
        problem: list.stale.as_ref().map(|stale| cut(&stale.why, LONGEST_MESSAGE)),
    }
}

/// The hit rate of each class over all pods together, in whole percent; nothing where nobody looked.
pub(super) fn caches(heartbeats: &[Heartbeat]) -> Vec<CacheReport> {
    let mut sums: BTreeMap<CacheClass, (u64, u64)> = BTreeMap::new();
    for cache in heartbeats.iter().flat_map(|beat| &beat.caches) {
        if let Some(class) = class(&cache.class) {
            let (hits, all) = sums.entry(class).or_default();
            (*hits, *all) = (*hits + cache.hits, *all + cache.all);
        }
    }
    let looked = sums.into_iter().filter(|(_, (_, all))| *all > 0);
    let report = |(class, (hits, all)): (CacheClass, (u64, u64))| {
        let percent = hits.min(all) * 100 / all;
        CacheReport { class, hit_rate_percent: i32::try_from(percent).unwrap_or(100) }
    };
    looked.map(report).collect()
}

/// The class of this name, as the custom resources know it.
fn class(name: &str) -> Option<CacheClass> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// How far each erasure is that the settings ask for.
pub(super) fn erasures(
    asked: &BTreeSet<TenantId>,
    begun: &[TenantErasure],
    problem: impl Fn(&TenantId) -> Option<String>,
) -> Vec<ErasureReport> {
    let report = |tenant: &TenantId| {
        let tombstone = begun.iter().find(|erasure| erasure.tenant == *tenant);
        let is_done = tombstone.is_some_and(|erasure| erasure.finished_at.is_some());
        let problem = problem(tenant).filter(|_| !is_done).map(|problem| cut(&problem, LONGEST_MESSAGE));
        let state = match (is_done, &problem, tombstone) {
            (true, _, _) => ErasureState::Done,
            (false, Some(_), _) => ErasureState::Failed,
            (false, None, Some(_)) => ErasureState::Running,
            (false, None, None) => ErasureState::Pending,
        };
        ErasureReport { tenant: tenant.as_str().into(), state, problem }
    };
    asked.iter().take(MOST_ERASURES).map(report).collect()
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// At most so many characters.
fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
