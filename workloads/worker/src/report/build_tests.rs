use chrono::{DateTime, Utc};
use k8s_openapi::jiff::Timestamp;
use kyb_domain::list::{ListFormat, ListVersion, PublishedBy, Stale};
use kyb_store::heartbeats::{CacheLookups, Component, RefusedFile};

use super::*;

fn gateway(pod: &str, resource_version: Option<u64>, refused: &[&str], hits: u64, all: u64) -> Heartbeat {
    let refused =
        refused.iter().map(|file| RefusedFile { file: (*file).to_owned(), problem: "bad".to_owned() });
    Heartbeat {
        pod: pod.to_owned(),
        component: Component::Gateway,
        version: "0.1.0".to_owned(),
        resource_version,
        refused: refused.collect(),
        caches: vec![CacheLookups { class: "sanctions".to_owned(), hits, all }],
    }
}

fn list(version: bool, stale: Option<&str>) -> ListState {
    ListState {
        list: "un".try_into().unwrap(),
        version: version.then(|| ListVersion {
            list: "un".try_into().unwrap(),
            format: ListFormat::UnXml,
            published: "2026-06-14".parse().unwrap(),
            published_by: PublishedBy::Document,
            sha256: "1f".repeat(32),
            entries: 700,
        }),
        checked_at: Some(Utc::now()),
        stale: stale.map(|why| Stale { why: why.to_owned() }),
    }
}

fn found<'a>(heartbeats: &'a [Heartbeat], lists: &'a [ListState]) -> Found<'a> {
    Found { heartbeats, lists, rates: caches(heartbeats), erasures: vec![], schema_version: 15 }
}

fn json(status: &RegionReportStatus) -> serde_json::Value {
    serde_json::to_value(status).unwrap()
}

#[test]
fn a_report_says_who_runs_with_which_settings_and_lists() {
    let beats =
        [gateway("a", Some(7), &[], 3, 4), gateway("b", None, &["tenant-x.yaml", "tenant-y.yaml"], 1, 4)];
    let lists =
        [list(true, None), list(true, Some("HTTP 500")), list(false, Some("no version was read yet"))];
    let expected = serde_json::json!({
        "counts": {"workloads": 2, "refusing": 1, "refusedFiles": 2, "listsFresh": "1/3"},
        "refused": [
            {"name": "tenant-x.yaml", "problem": "bad", "pod": "b"},
            {"name": "tenant-y.yaml", "problem": "bad", "pod": "b"},
        ],
        "workloads": [
            {"name": "a", "component": "gateway", "version": "0.1.0", "settings": {"resourceVersion": "7"}},
            {"name": "b", "component": "gateway", "version": "0.1.0"},
        ],
        "watchlists": [
            {"name": "un", "version": "2026-06-14+1f1f1f1f1f1f", "sha256": "1f".repeat(32), "entries": 700, "state": "Fresh"},
            {"name": "un", "version": "2026-06-14+1f1f1f1f1f1f", "sha256": "1f".repeat(32), "entries": 700, "state": "Stale",
             "problem": "HTTP 500"},
            {"name": "un", "state": "Missing", "problem": "no version was read yet"},
        ],
        "caches": [{"class": "sanctions", "hitRatePercent": 50}],
        "database": {"schemaVersion": 15},
    });
    assert_eq!(json(&status(found(&beats, &lists))), expected);
}

#[test]
fn every_file_that_some_pod_refuses_is_named_once_and_cut_to_the_schemas_bounds() {
    let mut beats = [
        gateway("a", Some(7), &["tenant-y.yaml"], 0, 0),
        gateway("b", Some(7), &["tenant-x.yaml", "tenant-y.yaml"], 0, 0),
    ];
    beats[1].refused[0].problem = "ä".repeat(2_000);
    let status = status(found(&beats, &[]));
    let told: Vec<_> = status
        .refused
        .iter()
        .map(|file| (file.name.as_str(), file.pod.as_str(), file.problem.chars().count()))
        .collect();
    assert_eq!(told, [("tenant-x.yaml", "b", 500), ("tenant-y.yaml", "a", 3)]);
}

#[test]
fn files_beyond_the_schemas_bounds_are_counted() {
    let files: Vec<String> = (0..600).map(|number| format!("tenant-{number:03}.yaml")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let status = status(found(&[gateway("a", Some(7), &files, 0, 0)], &[]));
    assert_eq!((status.refused.len(), status.counts.unwrap().refused_files), (500, Some(600)));
    assert_eq!(status.refused[499].name, "tenant-499.yaml");
}

#[test]
fn nothing_in_a_report_moves_by_itself() {
    let beats = [gateway("a", Some(7), &[], 3, 4)];
    let read_later = ListState { checked_at: Some(DateTime::UNIX_EPOCH), ..list(true, None) };
    let (one, other) = (status(found(&beats, &[list(true, None)])), status(found(&beats, &[read_later])));
    assert_eq!(one, other);
    let at = |second| Time(Timestamp::from_second(second).unwrap());
    let first = completed(one.clone(), &RegionReportStatus::default(), Some(3), at(100));
    let second = completed(one, &first, Some(3), at(200));
    assert_eq!(first, second, "the time of the condition is that of its last change");
    assert_eq!(
        (first.observed_generation, first.conditions[0].last_transition_time.clone()),
        (Some(3), at(100))
    );
}

#[test]
fn a_class_that_nobody_asked_or_knows_has_no_rate() {
    let mut beat = gateway("a", None, &[], 0, 0);
    beat.caches.push(CacheLookups { class: "horoscopes".to_owned(), hits: 1, all: 1 });
    assert_eq!(caches(&[beat]), []);
}

#[test]
fn an_erasure_is_pending_running_failed_or_done() {
    let tenant = |id: &str| TenantId::try_from(id).unwrap();
    let tombstone = |id: &str, done: bool| TenantErasure {
        tenant: tenant(id),
        requested_at: DateTime::UNIX_EPOCH,
        finished_at: done.then_some(DateTime::UNIX_EPOCH),
        rows: 1,
    };
    let asked = ["done", "failed", "pending", "running", "was-failing"].map(tenant).into();
    let begun = [
        tombstone("done", true),
        tombstone("failed", false),
        tombstone("long-ago", true),
        tombstone("running", false),
        tombstone("was-failing", true),
    ];
    let problem =
        |id: &TenantId| id.as_str().contains("fail").then(|| "the database can't be reached".to_owned());
    let told: Vec<_> = erasures(&asked, &begun, problem)
        .into_iter()
        .map(|report| (report.tenant.to_string(), report.state, report.problem.is_some()))
        .collect();
    let expected = [
        ("done", ErasureState::Done, false),
        ("failed", ErasureState::Failed, true),
        ("pending", ErasureState::Pending, false),
        ("running", ErasureState::Running, false),
        ("was-failing", ErasureState::Done, false),
    ];
    assert_eq!(told, expected.map(|(tenant, state, failed)| (tenant.to_owned(), state, failed)));
}
