//! Monitors: taken by whoever knows the newest lists, given back once, and an alert for every change.

use std::time::Duration;

use crate::support::{Database, RUNTIME, audit, hit, key, now, run, screening, tenant};
use chrono::TimeDelta;
use kyb_domain::{
    audit::AuditAction::{MonitorAlerted, MonitorCreated, MonitorEnded},
    id::{AlertId, MonitorId},
    list::{ListFormat, ListVersion, PublishedBy},
    monitor::{Alert, Compared, Monitor, MonitorOptions, MonitorStatus, Outcome, Recorded},
    screening::{Screening, ScreeningStatus},
};
use kyb_store::{
    Store, StoreError, TenantStore, Write,
    monitors::{Checked, Loaded, TakenMonitor, TakenMonitors},
};

const LONG: Duration = Duration::from_mins(1);

fn version(number: u32) -> ListVersion {
    ListVersion {
        list: "test".parse().unwrap(),
        format: ListFormat::OfacCsv,
        published: "2026-01-01".parse().unwrap(),
        published_by: PublishedBy::HttpHeader,
        sha256: format!("{number:064x}"),
        entries: 1,
    }
}

fn compared(number: u32) -> Compared {
    Compared { algorithm: "test/1".to_owned(), lists: vec![version(number)] }
}

fn monitor(first: &Screening) -> Monitor {
    let created_at = now();
    Monitor {
        id: MonitorId::generate(),
        status: MonitorStatus::Active,
        context: Some("lending".parse().unwrap()),
        subject: Some(first.subject.clone()),
        options: MonitorOptions { limit: Some(3), ..MonitorOptions::default() },
        outcome: first.status,
        screening_id: first.id,
        compared: compared(1),
        created_at,
        checked_at: created_at,
        ended_at: None,
    }
}

/// A monitor of somebody who is not listed, compared with version 1.
pub(crate) async fn create(rows: &TenantStore, name: &str) -> Monitor {
    let first = screening(name);
    let monitor = monitor(&first);
    let later = now() + TimeDelta::days(7);
    rows.create_monitor(&monitor, &first, later, &audit(), None).await.unwrap();
    monitor
}

async fn take(store: &Store, number: u32) -> Option<TakenMonitors> {
    store.take_monitors(&compared(number), &Loaded::new(), LONG).await.unwrap()
}

fn unchanged(monitor: &TakenMonitor) -> Checked {
    Checked { monitor: monitor.id, whole_at: None, changed: None }
}

fn alerted(monitor: &TakenMonitor) -> Checked {
    let after = hit(monitor.subject.name.as_str());
    let outcome = Outcome::of(&after);
    let alert = Alert {
        id: AlertId::generate(),
        monitor_id: monitor.id,
        before: Recorded { screening_id: monitor.screening, status: monitor.outcome.status },
        after: Recorded { screening_id: after.id, status: after.status },
        changes: outcome.changes(&monitor.outcome, &compared(2)),
        algorithm: "test/1".to_owned(),
        created_at: now(),
    };
    Checked { monitor: monitor.id, whole_at: None, changed: Some((after, alert)) }
}

async fn finish(store: &Store, taken: &TakenMonitors, number: u32, checked: &[Checked]) -> usize {
    store.finish_monitors(taken, &compared(number), checked, now(), &audit()).await.unwrap()
}

/// How many are not compared with version 2.
async fn behind(store: &Store) -> u64 {
    store.monitors_behind(&compared(2)).await.unwrap()
}

/// An alert for every monitor of every tenant.
pub(crate) async fn alert_all(store: &Store) {
    while let Some(taken) = take(store, 2).await {
        let checked: Vec<_> = taken.monitors.iter().map(alerted).collect();
        assert_eq!(finish(store, &taken, 2, &checked).await, checked.len());
    }
}

#[tokio::test]
async fn a_monitor_is_taken_once_for_each_version_and_what_changed_is_kept() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let made = [create(&acme, "Firm 0").await, create(&acme, "Firm 1").await];
    assert_eq!(acme.monitor(made[0].id).await.unwrap().as_ref(), Some(&made[0]));
    assert!(take(&store, 1).await.is_none(), "compared with these lists already");
    assert_eq!(behind(&store).await, 2);
    let taken = take(&store, 2).await.unwrap();
    assert_eq!((taken.monitors.len(), &taken.compared), (2, &compared(1)));
    assert_eq!(behind(&store).await, 2, "in work is not done");
    assert!(take(&store, 2).await.is_none(), "they are in work");
    let first = taken.monitors.iter().find(|one| one.id == made[0].id).unwrap();
    let second = taken.monitors.iter().find(|one| one.id == made[1].id).unwrap();
    let checked = [alerted(first), unchanged(second)];
    assert_eq!(finish(&store, &taken, 2, &checked).await, 2);
    assert_eq!(behind(&store).await, 0);
    assert_eq!(
        finish(&store, &taken, 2, &checked).await,
        0,
        "twice: the lease is gone, and nothing is stored"
    );
    assert!(take(&store, 2).await.is_none());

    let (after, alert) = checked[0].changed.as_ref().unwrap();
    let read = acme.monitor(made[0].id).await.unwrap().unwrap();
    assert_eq!((read.outcome, read.screening_id, &read.compared), (after.status, after.id, &compared(2)));
    assert_eq!(acme.screening(after.id).await.unwrap().as_ref(), Some(after));
    assert_eq!(acme.screening(made[0].screening_id).await.unwrap().unwrap().status, ScreeningStatus::NoHit);
    let page = acme.alerts(None, None, None, 10).await.unwrap();
    assert_eq!((&page.alerts, page.more), (&vec![alert.clone()], false));
    assert!(acme.alerts(Some(made[1].id), None, None, 10).await.unwrap().alerts.is_empty());
    assert!(acme.alerts(None, Some(&"other".parse().unwrap()), None, 10).await.unwrap().alerts.is_empty());
    let read = acme.monitor(made[1].id).await.unwrap().unwrap();
    assert_eq!((read.screening_id, &read.compared), (made[1].screening_id, &compared(2)));
    assert!(read.checked_at > made[1].checked_at);

    let events = acme.audit_events(0, 10).await.unwrap();
    let told: Vec<_> = events.iter().map(|event| (event.action, event.object.clone())).collect();
    let of = |action, monitor: &Monitor| (action, monitor.id.to_string());
    assert_eq!(
        told,
        [of(MonitorCreated, &made[0]), of(MonitorCreated, &made[1]), of(MonitorAlerted, &made[0])]
    );
    assert_eq!(events[2].detail["before"], "no_hit");
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
}

#[tokio::test]
async fn who_has_not_loaded_the_active_version_takes_none() {
    let database = Database::fresh().await;
    let store = database.store();
    create(&store.tenant(&tenant("acme")), "Firm").await;
    store.activate_list(&version(2), &[], None, now()).await.unwrap();
    let with = async |sha256: Option<u32>| {
        let loaded = vec![("test".parse().unwrap(), sha256.map(|number| version(number).sha256))];
        store.take_monitors(&compared(2), &loaded, Duration::ZERO).await.unwrap()
    };
    assert!(with(Some(1)).await.is_none(), "an older version would undo what a newer one said");
    assert!(with(None).await.is_none(), "not loaded yet");
    assert!(with(Some(2)).await.is_some());
}

#[tokio::test]
async fn a_dead_workers_monitors_come_back_and_its_answers_are_lost() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    create(&acme, "Firm").await;
    let lost = store.take_monitors(&compared(2), &Loaded::new(), Duration::ZERO).await.unwrap().unwrap();
    let second = take(&store, 2).await.unwrap();
    assert_eq!(finish(&store, &lost, 2, &[alerted(&lost.monitors[0])]).await, 0);
    store.return_monitors(&lost, Duration::ZERO).await.unwrap();
    assert!(take(&store, 2).await.is_none(), "it can't give back what is another's");
    assert!(acme.alerts(None, None, None, 10).await.unwrap().alerts.is_empty());
    assert_eq!(finish(&store, &second, 2, &[alerted(&second.monitors[0])]).await, 1);
    assert_eq!(acme.alerts(None, None, None, 10).await.unwrap().alerts.len(), 1);
}

/// Twin of the test above: where monitors may be given back without their lease, one change is told twice.
#[tokio::test]
async fn without_the_lease_alerts_would_be_doubled() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    create(&acme, "Firm").await;
    let mut superuser = database.superuser().await;
    let body = "SELECT replace(pg_get_functiondef(p.oid), ' AND w.lease = p_lease', '') \
                FROM pg_proc p WHERE p.proname = 'finish_monitors'";
    let unguarded: String = sqlx::query_scalar(body).fetch_one(&mut superuser).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(unguarded)).execute(&mut superuser).await.unwrap();
    let lost = store.take_monitors(&compared(2), &Loaded::new(), Duration::ZERO).await.unwrap().unwrap();
    let second = take(&store, 2).await.unwrap();
    for taken in [&lost, &second] {
        assert_eq!(finish(&store, taken, 2, &[alerted(&taken.monitors[0])]).await, 1);
    }
    assert_eq!(acme.alerts(None, None, None, 10).await.unwrap().alerts.len(), 2);
}

#[tokio::test]
async fn it_is_taken_for_a_whole_search_though_nothing_changed() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let first = screening("Firm");
    acme.create_monitor(&monitor(&first), &first, now(), &audit(), None).await.unwrap();
    assert_eq!(store.monitors_behind(&compared(1)).await.unwrap(), 1);
    let taken = take(&store, 1).await.unwrap();
    assert!(taken.monitors[0].whole);
    let later = Some(now() + TimeDelta::days(7));
    let done = Checked { whole_at: later, ..unchanged(&taken.monitors[0]) };
    assert_eq!(finish(&store, &taken, 1, &[done]).await, 1);
    assert_eq!(store.monitors_behind(&compared(1)).await.unwrap(), 0);
    assert!(take(&store, 1).await.is_none());
    assert!(!take(&store, 2).await.unwrap().monitors[0].whole);
}

#[tokio::test]
async fn an_ended_monitor_forgets_its_subject_and_keeps_its_history() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let made = create(&acme, "Firm").await;
    alert_all(&store).await;
    let taken = take(&store, 3).await.unwrap();
    let ended = acme.end_monitor(made.id, &audit(), now()).await.unwrap().unwrap();
    assert_eq!((ended.status, &ended.subject, ended.ended_at.is_some()), (MonitorStatus::Ended, &None, true));
    assert_eq!(finish(&store, &taken, 3, &[alerted(&taken.monitors[0])]).await, 0, "it was in work");
    assert!(take(&store, 4).await.is_none());
    assert_eq!(acme.end_monitor(made.id, &audit(), now()).await.unwrap(), Some(ended.clone()), "as it was");
    assert_eq!(acme.monitors(None, None, 10).await.unwrap().monitors, [ended]);
    let alerts = acme.alerts(Some(made.id), None, None, 10).await.unwrap().alerts;
    assert_eq!(alerts.len(), 1);
    for one in [alerts[0].before, alerts[0].after] {
        assert_eq!(acme.screening(one.screening_id).await.unwrap().unwrap().status, one.status);
    }
    let actions: Vec<_> =
        acme.audit_events(0, 10).await.unwrap().into_iter().map(|event| event.action).collect();
    assert_eq!(actions, [MonitorCreated, MonitorAlerted, MonitorEnded]);
}

#[tokio::test]
async fn an_alert_can_not_be_changed_or_taken_away() {
    let database = Database::fresh().await;
    let store = database.store();
    create(&store.tenant(&tenant("acme")), "Firm").await;
    alert_all(&store).await;
    let mut runtime = database.connect(RUNTIME).await;
    run(&mut runtime, "SET kyb.tenant = 'acme'").await.unwrap();
    assert!(run(&mut runtime, "UPDATE kyb.monitor_alerts SET document = '{}'").await.is_err());
    run(&mut runtime, "DELETE FROM kyb.monitor_alerts").await.unwrap();
    let alerts = store.tenant(&tenant("acme")).alerts(None, None, None, 10).await.unwrap().alerts;
    assert_eq!(alerts.len(), 1, "only those of erased tenants can be deleted");
}

/// What another tenant sees of a monitor and its alert.
async fn seen_by_another(database: &Database<'_>, store: &Store) -> (usize, usize) {
    create(&database.store().tenant(&tenant("acme")), "Firm").await;
    alert_all(&database.store()).await;
    let other = store.tenant(&tenant("other"));
    let monitors = other.monitors(None, None, 10).await.unwrap().monitors.len();
    (monitors, other.alerts(None, None, None, 10).await.unwrap().alerts.len())
}

#[tokio::test]
async fn another_tenant_sees_neither_monitor_nor_alert_and_ends_none() {
    let database = Database::fresh().await;
    let store = database.store();
    assert_eq!(seen_by_another(&database, &store).await, (0, 0));
    let acme = store.tenant(&tenant("acme"));
    let own = acme.monitors(None, None, 10).await.unwrap().monitors;
    let other = store.tenant(&tenant("other"));
    assert_eq!(other.end_monitor(own[0].id, &audit(), now()).await.unwrap(), None);
    assert_eq!(acme.monitor(own[0].id).await.unwrap().unwrap().status, MonitorStatus::Active);
}

/// Twin of the test above: row-level security is the fence.
#[tokio::test]
async fn without_row_level_security_another_tenant_would_see_both() {
    let database = Database::fresh().await;
    assert_eq!(seen_by_another(&database, &database.superuser_store()).await, (1, 1));
}

#[tokio::test]
async fn the_same_key_makes_one_monitor_and_pages_follow_each_other() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let make = async |answer: &str| {
        let (first, key) = (screening("Firm"), key("k", "f", answer));
        acme.create_monitor(&monitor(&first), &first, now(), &audit(), Some(&key)).await.unwrap()
    };
    assert_eq!(make("first").await, Write::Done);
    assert_eq!(make("second").await, Write::Replayed(key("k", "f", "first").response));
    let second = create(&acme, "Second").await;
    let page = acme.monitors(None, None, 1).await.unwrap();
    assert_eq!((page.monitors[0].id, page.more), (second.id, true));
    let rest = acme.monitors(None, Some(second.id), 1).await.unwrap();
    assert_eq!((rest.monitors.len(), rest.more), (1, false));
    assert!(acme.monitors(Some(&"other".parse().unwrap()), None, 9).await.unwrap().monitors.is_empty());
}

#[tokio::test]
async fn nothing_is_kept_of_a_monitor_whose_tenant_was_erased() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    create(&acme, "Firm").await;
    let taken = take(&store, 2).await.unwrap();
    store.request_erasure(&tenant("acme"), &audit()).await.unwrap();
    let checked = [alerted(&taken.monitors[0])];
    let late = store.finish_monitors(&taken, &compared(2), &checked, now(), &audit()).await;
    assert!(matches!(late, Err(StoreError::Erased)), "{late:?}");
    while store.erase_tenant(&tenant("acme"), 100).await.unwrap() > 0 {}
    assert_eq!(finish(&store, &taken, 2, &checked).await, 0);
    assert!(take(&store, 3).await.is_none());
    assert!(acme.monitors(None, None, 10).await.unwrap().monitors.is_empty());
}
