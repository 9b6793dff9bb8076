//! One key, one write, one answer.

use crate::support::{
    Database, RUNTIME, audit, business, completed, eventually, key, options, pending, run, tenant,
};
use kyb_store::{ConnectOptions, Store, StoreError, Write};

async fn count(database: &Database<'_>, table: &str) -> i64 {
    let call = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM kyb.{table}")));
    call.fetch_one(&mut database.superuser().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_with_one_key_write_once_and_get_the_same_answer() {
    let database = Database::fresh().await;
    let many = ConnectOptions { max_connections: 50, ..options(database.url(RUNTIME)) };
    let store = Store::lazy(&many).unwrap();
    let requests = (0..50).map(|number| {
        let rows = store.tenant(&tenant("acme"));
        tokio::spawn(async move {
            let key = key("one", "same request", &format!("answer {number}"));
            let write =
                rows.record_verification(&completed(pending("Acme")), &audit(), Some(&key)).await.unwrap();
            (key.response, write)
        })
    });
    let answers: Vec<_> = futures::future::join_all(requests).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = answers.iter().filter(|(_, write)| *write == Write::Done).collect();
    assert_eq!(winners.len(), 1);
    let replayed = Write::Replayed(winners[0].0.clone());
    assert_eq!(answers.iter().filter(|(_, write)| *write == replayed).count(), 49);
    for (table, expected) in
        [("verifications", 1), ("checks", 10), ("audit_events", 1), ("idempotency_keys", 1)]
    {
        assert_eq!(count(&database, table).await, expected, "{table}");
    }
}

#[tokio::test]
async fn a_key_used_for_another_request_writes_nothing() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    acme.create_business(&business("Acme"), &audit(), Some(&key("k", "first", "1"))).await.unwrap();
    let other =
        acme.create_business(&business("Other"), &audit(), Some(&key("k", "second", "2"))).await.unwrap();
    assert_eq!(other, Write::KeyReused);
    assert_eq!((count(&database, "businesses").await, count(&database, "audit_events").await), (1, 1));
    assert_eq!(acme.answer_for("k", "second").await.unwrap(), Some(Write::KeyReused));
}

#[tokio::test]
async fn a_write_that_fails_keeps_no_key() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let verification = completed(pending("Acme"));
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    let again = acme.record_verification(&verification, &audit(), Some(&key("k", "f", "1"))).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
    assert_eq!(acme.answer_for("k", "f").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_is_good_for_24_hours_and_then_swept() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    for name in ["a", "b", "c"] {
        acme.remember_answer(&key(name, "f", "old")).await.unwrap();
    }
    let age =
        |hours: &str| format!("UPDATE kyb.idempotency_keys SET created_at = now() - interval '{hours}'");
    let mut superuser = database.superuser().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(age("23 hours 59 minutes"))).execute(&mut superuser).await.unwrap();
    assert_eq!(
        acme.remember_answer(&key("a", "f", "new")).await.unwrap(),
        Write::Replayed(key("a", "f", "old").response)
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(age("24 hours 1 minute"))).execute(&mut superuser).await.unwrap();
    assert_eq!(acme.answer_for("a", "f").await.unwrap(), None);
    assert_eq!(acme.remember_answer(&key("a", "another request", "new")).await.unwrap(), Write::Done);
    assert_eq!(count(&database, "idempotency_keys").await, 1, "the two other expired keys are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_request_waits_for_the_first_and_wins_if_that_fails() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let mut first = database.connect(RUNTIME).await;
    let claim = "BEGIN; SELECT kyb.remember_answer('acme', ROW('k', 'f', 200, NULL, '{}')::kyb.idempotency)";
    run(&mut first, claim).await.unwrap();
    let second = tokio::spawn(async move { acme.remember_answer(&key("k", "f", "second")).await });
    let watcher = &tokio::sync::Mutex::new(database.superuser().await);
    eventually("the second request waits for the first", async || {
        let call = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        let waiting: i64 = call.fetch_one(&mut *watcher.lock().await).await.unwrap();
        waiting == 1
    })
    .await;
    assert!(!second.is_finished());
    run(&mut first, "ROLLBACK").await.unwrap();
    assert_eq!(second.await.unwrap().unwrap(), Write::Done);
}
