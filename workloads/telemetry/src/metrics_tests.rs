use std::collections::BTreeMap;

use kyb_domain::list::{ListFormat, ListVersion, PublishedBy, Stale};

use super::*;
use crate::bounded::MOST_SERIES;

fn tenant(id: &str) -> TenantId {
    TenantId::try_from(id).unwrap()
}

fn state(list: &str, read: Option<(u32, DateTime<Utc>)>, stale: bool) -> ListState {
    let version = |entries| ListVersion {
        list: list.try_into().unwrap(),
        format: ListFormat::UnXml,
        published: chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        published_by: PublishedBy::Document,
        sha256: "0".repeat(64),
        entries,
    };
    ListState {
        list: list.try_into().unwrap(),
        version: read.map(|(entries, _)| version(entries)),
        checked_at: read.map(|(_, at)| at),
        stale: stale.then(|| Stale { why: "the source does not answer".into() }),
    }
}

fn now() -> DateTime<Utc> {
    "2026-05-01T12:00:00Z".parse().unwrap()
}

/// Every metric, used once.
fn used() -> Metrics {
    let metrics = Metrics::new();
    let acme = tenant("acme");
    metrics.api_request("/v1/verifications/{id}", "GET", 200, Some(&acme), Duration::from_millis(3));
    metrics.verification("approve", &acme, "sync");
    metrics.risk_assessment("low", &acme, "direct");
    metrics.inference("screening", "v1", Duration::from_micros(700));
    metrics.active_tenants(2);
    metrics.watchlists(&[state("un", Some((700, now())), false)], now() + chrono::Duration::seconds(90));
    metrics.settings_refused(true);
    metrics.queue_depth(7);
    metrics.monitors_behind(3);
    metrics.cache_hit_rate("classification", Some(0.75));
    metrics
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "no line `{line}` in\n{text}");
}

#[test]
fn names_and_labels_are_those_of_the_requirements() {
    let text = used().render();
    has(
        &text,
        r#"kyb_api_requests_total{endpoint="/v1/verifications/{id}",method="GET",status_code="200",tenant_id="acme"} 1"#,
    );
    has(
        &text,
        r#"kyb_business_verifications_total{result="approve",tenant_id="acme",verification_type="sync"} 1"#,
    );
    has(&text, r#"kyb_risk_assessments_total{risk_level="low",tenant_id="acme",assessment_type="direct"} 1"#);
    has(&text, r#"kyb_api_request_duration_seconds_count{endpoint="/v1/verifications/{id}",method="GET"} 1"#);
    has(
        &text,
        r#"kyb_ml_model_inference_duration_seconds_count{model_name="screening",model_version="v1"} 1"#,
    );
    has(&text, "kyb_active_tenants_total 2");
    has(&text, r#"kyb_watchlist_entries{list="un"} 700"#);
    has(&text, r#"kyb_watchlist_age_seconds{list="un"} 90"#);
    has(&text, r#"kyb_watchlist_stale{list="un"} 0"#);
    has(&text, "kyb_settings_refused 1");
    has(&text, "kyb_queue_depth 7");
    has(&text, "kyb_monitors_behind 3");
    has(&text, r#"kyb_cache_hit_rate_ratio{cache_type="classification"} 0.75"#);
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    assert!(!text.contains("_total_total"));
}

#[test]
fn the_wanted_bucket_bounds_are_all_there() {
    let text = used().render();
    let bounds = |name: &str| -> Vec<f64> {
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name}_bucket")));
        lines.filter_map(|line| line.split("le=\"").nth(1)?.split('"').next()?.parse().ok()).collect()
    };
    let requests = bounds("kyb_api_request_duration_seconds");
    for wanted in [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, f64::INFINITY] {
        assert!(requests.contains(&wanted), "{wanted} in {requests:?}");
    }
    let engines = bounds("kyb_ml_model_inference_duration_seconds");
    for wanted in [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, f64::INFINITY] {
        assert!(engines.contains(&wanted), "{wanted} in {engines:?}");
    }
    assert!(requests.is_sorted() && engines.is_sorted());
}

#[test]
fn what_has_no_source_is_not_reported() {
    let text = Metrics::new().render();
    assert_eq!(text, "# EOF\n");
    let used = used().render();
    for absent in ["accuracy", "revenue", "churn"] {
        assert!(!used.contains(absent), "{absent}");
    }
}

#[test]
fn business_metrics_are_also_to_be_had_alone() {
    let text = used().render_business();
    has(&text, "kyb_active_tenants_total 2");
    assert!(
        text.contains("kyb_business_verifications_total{") && text.contains("kyb_risk_assessments_total{")
    );
    assert!(!text.contains("kyb_api_requests") && text.ends_with("# EOF\n"));
}

#[test]
fn a_list_that_is_not_wanted_any_more_is_not_reported_any_more() {
    let metrics = used();
    metrics.watchlists(&[state("ofac", None, true)], now());
    let text = metrics.render();
    assert!(!text.contains("\"un\""), "{text}");
    has(&text, r#"kyb_watchlist_stale{list="ofac"} 1"#);
    assert!(
        !text.contains("kyb_watchlist_entries") && !text.contains("kyb_watchlist_age"),
        "nothing is known of it"
    );
}

#[test]
fn a_cache_that_keeps_nothing_has_no_hit_rate() {
    let metrics = used();
    metrics.cache_hit_rate("classification", None);
    assert!(!metrics.render().contains("kyb_cache_hit_rate_ratio{"));
}

#[test]
fn a_method_that_nobody_knows_is_no_label_of_its_own() {
    let metrics = Metrics::new();
    for method in ["BREW", "get", "GET\"} 1\nforged 1"] {
        metrics.api_request("/v1", method, 405, None, Duration::ZERO);
    }
    let text = metrics.render();
    has(&text, r#"kyb_api_requests_total{endpoint="/v1",method="other",status_code="405",tenant_id=""} 3"#);
}

#[test]
fn series_are_bounded_and_nothing_goes_uncounted() {
    let metrics = Metrics::new();
    let acme = tenant("acme");
    let sent = MOST_SERIES + 5_000;
    for number in 0..sent {
        metrics.api_request(&format!("/v1/{number}"), "GET", 404, Some(&acme), Duration::ZERO);
    }
    let text = metrics.render();
    let counts: Vec<usize> = text
        .lines()
        .filter(|line| line.starts_with("kyb_api_requests_total"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(counts.len(), MOST_SERIES + 1);
    assert_eq!(counts.iter().sum::<usize>(), sent);
    has(
        &text,
        r#"kyb_api_requests_total{endpoint="other",method="GET",status_code="404",tenant_id="other"} 5000"#,
    );
}

/// Full name → type and label names, as the registry shows them.
fn registered() -> BTreeMap<String, (String, String, String)> {
    let text = used().render();
    let meaning = |name: &str| {
        let help = format!("# HELP {name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&help)).unwrap();
        line.trim_end_matches('.').to_owned()
    };
    let mut found = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let full = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        let sample = text.lines().find(|line| line.starts_with(name)).unwrap();
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
        let names = labels.split("\",").filter_map(|pair| pair.split_once('=')).map(|(label, _)| label);
        let names: Vec<&str> = names.filter(|label| *label != "le").collect();
        found.insert(full, (kind.to_owned(), names.join(", "), meaning(name)));
    }
    found
}

/// The same, as `docs/metrics.md` says: rows of four columns whose first is a name in backquotes.
fn documented() -> BTreeMap<String, (String, String, String)> {
    let page = include_str!("../../../docs/metrics.md");
    let rows = page.lines().filter(|line| line.starts_with("| `kyb_") && line.matches('|').count() == 5);
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
        let mut next = || cells.next().unwrap();
        (next(), (next(), next(), next()))
    })
    .collect()
}

#[test]
fn the_docs_page_and_the_registry_are_equal() {
    assert_eq!(registered(), documented());
}
