//! After the erasure of a tenant nothing of it is left but its audit chain, and nothing can come back.

use std::time::Duration;

use crate::support::{
    Database, Decided, RUNTIME, audit, business, completed, hit, key, now, pending, pending_of, run,
    screening, tenant,
};
use kyb_domain::audit::AuditAction;
use kyb_store::{Store, StoreError, TenantStore, usage::UsageRow};
use sqlx::{Connection as _, PgConnection};

/// Rows of a tenant in every table that has any.
async fn rows_of(database: &Database<'_>, tenant: &str) -> Vec<(String, i64)> {
    let mut superuser = database.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         WHERE c.relnamespace = 'kyb'::regnamespace AND c.relkind = 'r' ORDER BY 1",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let mut found = vec![];
    for table in tables {
        let count = format!("SELECT count(*) FROM kyb.{table} WHERE tenant_id = '{tenant}'");
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut superuser).await.unwrap();
        if count > 0 {
            found.push((table, count));
        }
    }
    found
}

fn usage() -> UsageRow {
    UsageRow { hour: now(), endpoint: "GET /".to_owned(), requests: 1, errors: 0 }
}

/// Something in every table.
async fn fill(rows: &TenantStore, times: usize) {
    for number in 0..times {
        let business = business(&format!("Firm {number}"));
        let name = format!("k{number}");
        rows.create_business(&business, &audit(), Some(&key(&name, "f", "x"))).await.unwrap();
        rows.record_verification(&completed(pending_of(business.id, "Firm")), &audit(), None).await.unwrap();
        rows.enqueue_verification(&pending("Firm"), &audit(), None).await.unwrap();
        let hit = hit("Firm");
        rows.record_screening(&hit, &audit(), None).await.unwrap();
        crate::batches::create(rows, 2).await;
        crate::monitors::create(rows, "Firm").await;
        let decided = Decided::suppressing(&hit);
        rows.decide_match(&decided.deciding(), &audit(), None).await.unwrap();
    }
    rows.add_usage(&[usage()]).await.unwrap();
}

async fn erase(store: &Store, id: &str) -> u64 {
    store.request_erasure(&tenant(id), &audit()).await.unwrap();
    let mut deleted = 0;
    loop {
        match store.erase_tenant(&tenant(id), 7).await.unwrap() {
            0 => return deleted,
            more => deleted += more,
        }
    }
}

#[tokio::test]
async fn an_erased_tenant_leaves_its_audit_chain_and_a_tombstone_and_no_other_row() {
    let database = Database::fresh().await;
    let store = database.store();
    let (acme, other) = (store.tenant(&tenant("acme")), store.tenant(&tenant("other")));
    fill(&acme, 10).await;
    fill(&other, 2).await;
    crate::monitors::alert_all(&store).await;
    let (before, others) = (rows_of(&database, "acme").await, rows_of(&database, "other").await);
    assert_eq!(before.len(), 18, "something of every table but one (no tax number): {before:?}");
    let deleted = erase(&store, "acme").await;
    let events = before.iter().find(|(table, _)| table == "audit_events").unwrap().1;
    assert_eq!(i64::try_from(deleted).unwrap(), before.iter().map(|(_, rows)| rows).sum::<i64>() - events);
    assert_eq!(rows_of(&database, "acme").await, [("audit_events".to_owned(), events + 1)]);
    assert_eq!(rows_of(&database, "other").await, others, "nobody else lost anything");

    let last = acme.audit_events(events, 10).await.unwrap().pop().unwrap();
    assert_eq!((last.action, last.object.as_str()), (AuditAction::TenantErasureStarted, "acme"));
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    let tombstones = store.tenant_erasures().await.unwrap();
    assert_eq!((tombstones.len(), tombstones[0].tenant.as_str(), tombstones[0].rows), (1, "acme", deleted));
    assert!(tombstones[0].finished_at.unwrap() >= tombstones[0].requested_at);
}

#[tokio::test]
async fn nothing_can_be_stored_for_an_erased_tenant_from_the_request_on() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    fill(&acme, 1).await;
    let late = hit("Late");
    acme.record_screening(&late, &audit(), None).await.unwrap();
    store.request_erasure(&tenant("acme"), &audit()).await.unwrap();
    let kept = key("late", "f", "x");
    let hit_id = late.id;
    let stored = acme.business(business("x").id).await;
    assert!(matches!(stored, Ok(None)), "reading does not fail");
    let hits = acme.screening(hit_id).await.unwrap().unwrap();
    let decided = Decided::suppressing(&hits);
    let refusals = [
        acme.decide_match(&decided.deciding(), &audit(), None).await.err(),
        acme.create_business(&business("Late"), &audit(), None).await.err(),
        acme.record_verification(&completed(pending("Late")), &audit(), None).await.err(),
        acme.enqueue_verification(&pending("Late"), &audit(), None).await.err(),
        acme.record_screening(&screening("Late"), &audit(), None).await.err(),
        acme.remember_answer(&kept).await.err(),
        acme.add_usage(&[usage()]).await.err(),
        acme.record_event(AuditAction::BusinessExported, "x", &serde_json::json!({}), &audit(), None)
            .await
            .err(),
    ];
    for (number, refusal) in refusals.iter().enumerate() {
        assert!(matches!(refusal, Some(StoreError::Erased)), "{number}: {refusal:?}");
    }
    assert!(!StoreError::Erased.is_retryable());
    store.tenant(&tenant("other")).create_business(&business("Fine"), &audit(), None).await.unwrap();
}

/// Whether a row of a tenant stays behind when its write began before the erasure and ends after it.
async fn a_write_under_way_leaves_a_row(fenced: bool) -> bool {
    let database = Database::fresh().await;
    let store = database.store();
    if !fenced {
        run(
            &mut database.connect(crate::support::MIGRATOR).await,
            "DROP TRIGGER refuse_erased ON kyb.api_usage",
        )
        .await
        .unwrap();
    }
    let mut writer: PgConnection = database.connect(RUNTIME).await;
    let mut transaction = writer.begin().await.unwrap();
    sqlx::query(
        "SELECT kyb.add_usage('acme', ARRAY[now()], ARRAY['GET /'], ARRAY[1::bigint], ARRAY[0::bigint])",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    let erasing = {
        let store = store.clone();
        tokio::spawn(async move { erase(&store, "acme").await })
    };
    if fenced {
        crate::support::eventually("the erasure waits for the write", || async {
            let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)";
            sqlx::query_scalar::<_, bool>(waiting).fetch_one(store.pool()).await.unwrap()
        })
        .await;
        transaction.commit().await.unwrap();
        erasing.await.unwrap();
    } else {
        erasing.await.unwrap();
        transaction.commit().await.unwrap();
    }
    rows_of(&database, "acme").await.iter().any(|(table, _)| table == "api_usage")
}

#[tokio::test]
async fn a_write_that_is_under_way_is_waited_for_and_erased_too() {
    assert!(!a_write_under_way_leaves_a_row(true).await);
}

#[tokio::test]
async fn without_the_fence_it_would_stay_behind() {
    assert!(a_write_under_way_leaves_a_row(false).await);
}

#[tokio::test]
async fn an_erasure_that_was_broken_off_is_finished_by_asking_again() {
    let database = Database::fresh().await;
    let store = database.store();
    fill(&store.tenant(&tenant("acme")), 4).await;
    store.request_erasure(&tenant("acme"), &audit()).await.unwrap();
    assert!(store.erase_tenant(&tenant("acme"), 2).await.unwrap() > 0);
    let halfway = store.tenant_erasures().await.unwrap().remove(0);
    assert!(halfway.finished_at.is_none() && halfway.rows > 0);
    erase(&store, "acme").await;
    let done = store.tenant_erasures().await.unwrap().remove(0);
    assert!(done.finished_at.is_some() && done.rows > halfway.rows);
    assert_eq!(erase(&store, "acme").await, 0, "asking once more finds nothing");
    assert_eq!(store.tenant_erasures().await.unwrap(), [done], "and changes nothing");
    let events = store.tenant(&tenant("acme")).audit_events(0, 1000).await.unwrap();
    let begun = events.iter().filter(|event| event.action == AuditAction::TenantErasureStarted);
    assert_eq!(begun.count(), 1);
}

#[tokio::test]
async fn several_workers_may_erase_at_once() {
    let database = Database::fresh().await;
    let store = database.store();
    fill(&store.tenant(&tenant("acme")), 20).await;
    let erasing: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { erase(&store, "acme").await })
        })
        .collect();
    let mut deleted = 0;
    for worker in erasing {
        deleted += worker.await.unwrap();
    }
    let rows = store.tenant_erasures().await.unwrap()[0].rows;
    assert_eq!((rows, rows_of(&database, "acme").await.len()), (deleted, 1));
}

#[tokio::test]
async fn an_erasure_nobody_asked_for_deletes_nothing() {
    let database = Database::fresh().await;
    let store = database.store();
    fill(&store.tenant(&tenant("acme")), 1).await;
    let before = rows_of(&database, "acme").await;
    assert!(matches!(store.erase_tenant(&tenant("acme"), 100).await, Err(StoreError::Database(_))));
    assert_eq!(rows_of(&database, "acme").await, before);
}

#[tokio::test]
async fn decisions_of_a_tenant_that_was_not_erased_can_not_be_deleted() {
    let database = Database::fresh().await;
    let store = database.store();
    for id in ["acme", "other"] {
        fill(&store.tenant(&tenant(id)), 1).await;
    }
    store.request_erasure(&tenant("other"), &audit()).await.unwrap();
    let mut runtime = database.connect(RUNTIME).await;
    run(&mut runtime, "SET kyb.tenant = 'acme'").await.unwrap();
    for table in [
        "verifications",
        "checks",
        "decisions",
        "screenings",
        "api_usage",
        "match_decisions",
        "suppressions",
        "batches",
        "batch_items",
        "monitors",
        "monitor_alerts",
    ] {
        let delete = format!("DELETE FROM kyb.{table}");
        let done = sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&mut runtime).await.unwrap();
        assert_eq!(done.rows_affected(), 0, "{table}");
    }
    for refused in ["DELETE FROM kyb.audit_events", "DELETE FROM kyb.tenant_erasures"] {
        assert!(run(&mut runtime, refused).await.is_err(), "{refused}");
    }
}

#[tokio::test]
async fn a_job_in_hand_is_lost_with_its_tenant() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    acme.enqueue_verification(&pending("Firm"), &audit(), None).await.unwrap();
    let job = store.take_job(Duration::from_mins(1)).await.unwrap().unwrap();
    erase(&store, "acme").await;
    assert!(!store.finish_job(&job, &completed(job.verification.clone()), &audit()).await.unwrap());
    assert_eq!(rows_of(&database, "acme").await.len(), 1, "the audit chain");
}
