//! The database goes away and comes back; what was acknowledged stays.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::support::{Database, RUNTIME, audit, completed, eventually, key, options, pending, run, tenant};
use kyb_domain::id::VerificationId;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_store::{ConnectOptions, Store, StoreError, TenantStore};

fn durable_server() -> EphemeralPostgres {
    EphemeralPostgres::start(&Options { durable: true, max_connections: 50 }).unwrap()
}

fn impatient(database: &Database<'_>) -> Store {
    let quick = ConnectOptions { acquire_timeout: Duration::from_secs(2), ..options(database.url(RUNTIME)) };
    Store::lazy(&quick).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_is_unavailable_and_comes_back_without_a_new_pool() {
    let server = durable_server();
    let database = Database::on(&server).await;
    let store = impatient(&database);
    let acme = store.tenant(&tenant("acme"));
    let verification = completed(pending("Acme"));
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    for down in [EphemeralPostgres::stop, EphemeralPostgres::crash] {
        down(&server);
        let read = acme.verification_json(verification.id).await;
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        let write = acme.record_verification(&completed(pending("Other")), &audit(), None).await;
        assert!(write.as_ref().is_err_and(StoreError::is_retryable), "{write:?}");
        assert!(store.check().await.is_err_and(|error| error.is_retryable()));
        server.restart().unwrap();
        eventually("reads work again", async || {
            matches!(acme.verification(verification.id).await, Ok(Some(stored)) if stored == verification)
        })
        .await;
    }
    store.check().await.unwrap();
}

/// What the writers were told is stored.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<Vec<VerificationId>>,
    count: AtomicUsize,
    stop: AtomicBool,
}

impl Ledger {
    async fn write_until_stopped(&self, rows: TenantStore) {
        while !self.stop.load(Ordering::Relaxed) {
            let verification = completed(pending("Acme"));
            let key = key(&verification.id.to_string(), "f", "stored");
            if rows.record_verification(&verification, &audit(), Some(&key)).await.is_ok() {
                self.acknowledged.lock().unwrap().push(verification.id);
                self.count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Crashes the server again and again under writers of two tenants; what they were told is stored.
async fn acknowledged_over_crashes(
    server: &EphemeralPostgres,
    store: &Store,
    crashes: usize,
) -> Vec<VerificationId> {
    let ledger = Arc::new(Ledger::default());
    let writers: Vec<_> = (0..6)
        .map(|writer| {
            let (ledger, rows) = (Arc::clone(&ledger), store.tenant(&tenant(["acme", "other"][writer % 2])));
            tokio::spawn(async move { ledger.write_until_stopped(rows).await })
        })
        .collect();
    for crash in 1..=crashes {
        let enough = crash * 60;
        eventually("the writers write", async || ledger.count.load(Ordering::Relaxed) >= enough).await;
        server.crash();
        server.restart().unwrap();
    }
    ledger.stop.store(true, Ordering::Relaxed);
    futures::future::join_all(writers).await.into_iter().for_each(|done| done.unwrap());
    std::mem::take(&mut *ledger.acknowledged.lock().unwrap())
}

async fn lost(store: &Store, acknowledged: &[VerificationId]) -> usize {
    let [acme, other] = ["acme", "other"].map(|id| store.tenant(&tenant(id)));
    let mut lost = 0;
    for id in acknowledged {
        let found = [acme.verification_json(*id).await.unwrap(), other.verification_json(*id).await.unwrap()];
        lost += usize::from(found == [None, None]);
    }
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_verifications_survive_crashes_and_none_is_half_there() {
    let server = durable_server();
    let database = Database::on(&server).await;
    let store = impatient(&database);
    let acknowledged = acknowledged_over_crashes(&server, &store, 5).await;
    println!("{} verifications acknowledged over 5 crashes", acknowledged.len());
    assert_eq!(lost(&store, &acknowledged).await, 0);
    // Each is whole: ten checks, a decision, a screening, a key and an event for every verification.
    let whole: Vec<i64> = sqlx::query_scalar(
        "SELECT count(*) FROM kyb.verifications UNION SELECT count(*) / 10 FROM kyb.checks
         UNION SELECT count(*) FROM kyb.decisions UNION SELECT count(*) FROM kyb.screenings
         UNION SELECT count(*) FROM kyb.idempotency_keys UNION SELECT count(*) FROM kyb.audit_events",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert_eq!(whole.len(), 1, "all counts are the same: {whole:?}");
    assert!(whole[0] >= i64::try_from(acknowledged.len()).unwrap());
    for name in ["acme", "other"] {
        assert_eq!(store.tenant(&tenant(name)).verify_audit_chain().await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twin_without_waiting_for_the_disk_acknowledged_verifications_are_lost() {
    let server = durable_server();
    let database = Database::on(&server).await;
    let no_wait =
        "CREATE OR REPLACE FUNCTION kyb.make_durable() RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$";
    // The server's own background writing of the log would hide most losses.
    let slow_writer = "ALTER SYSTEM SET wal_writer_delay = '10s'";
    for statement in
        [no_wait, slow_writer, "ALTER SYSTEM SET wal_writer_flush_after = '1GB'", "SELECT pg_reload_conf()"]
    {
        run(&mut database.superuser().await, statement).await.unwrap();
    }
    let store = impatient(&database);
    // Whether a crash meets writes that are not on disk yet is chance: more crashes are made until one does.
    let mut acknowledged_in_all = 0;
    for _ in 0..6 {
        let acknowledged = acknowledged_over_crashes(&server, &store, 5).await;
        acknowledged_in_all += acknowledged.len();
        if lost(&store, &acknowledged).await > 0 {
            return;
        }
    }
    panic!("none of {acknowledged_in_all} is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_reaches_the_time_limit_is_retryable_and_leaves_nothing() {
    let database = Database::fresh().await;
    let quick =
        ConnectOptions { statement_timeout: Duration::from_millis(300), ..options(database.url(RUNTIME)) };
    let acme = Store::lazy(&quick).unwrap().tenant(&tenant("acme"));
    let mut blocker = database.connect(RUNTIME).await;
    run(&mut blocker, "BEGIN; SELECT pg_advisory_xact_lock(1802068322, hashtext('acme'))").await.unwrap();
    let verification = completed(pending("Acme"));
    let refused = acme.record_verification(&verification, &audit(), None).await;
    assert!(refused.as_ref().is_err_and(StoreError::is_retryable), "{refused:?}");
    run(&mut blocker, "ROLLBACK").await.unwrap();
    assert_eq!(acme.verification_json(verification.id).await.unwrap(), None);
    acme.record_verification(&verification, &audit(), None).await.unwrap();
}
