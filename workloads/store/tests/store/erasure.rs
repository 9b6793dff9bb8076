//! After an erasure nothing says who was verified.

use std::time::Duration;

use crate::support::{Database, RUNTIME, audit, business, completed, key, pending_of, tenant};
use kyb_domain::{audit::AuditAction, reason::ReasonCode, verification::VerificationStatus};
use kyb_store::{Idempotency, Write};
use serde_json::json;

const NAME: &str = "Wilhelmine Musterfrau";

/// The tables in which some row still contains the word, whatever the column.
async fn tables_with(database: &Database<'_>, word: &str) -> Vec<String> {
    let mut superuser = database.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'kyb'::regnamespace AND relkind = 'r'",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    let mut found = vec![];
    for table in tables {
        let search = format!("SELECT EXISTS (SELECT FROM kyb.{table} t WHERE t::text ILIKE '%{word}%')");
        if sqlx::query_scalar(sqlx::AssertSqlSafe(search)).fetch_one(&mut superuser).await.unwrap() {
            found.push(table);
        }
    }
    found.sort();
    found
}

fn answer_with_name(name: &str) -> Idempotency {
    let mut kept = key(name, "f", "");
    kept.response.body = json!({ "name": NAME });
    kept
}

#[tokio::test]
async fn an_erasure_blanks_every_table_and_keeps_decisions_and_audit() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let (erased, kept) = (business(NAME), business("Unrelated"));
    acme.create_business(&erased, &audit(), Some(&answer_with_name("created"))).await.unwrap();
    acme.create_business(&kept, &audit(), None).await.unwrap();
    let unrelated = completed(pending_of(kept.id, "Unrelated"));
    acme.record_verification(&unrelated, &audit(), None).await.unwrap();
    let mut of_erased = vec![];
    for _ in 0..120 {
        let verification = completed(pending_of(erased.id, NAME));
        acme.record_verification(&verification, &audit(), None).await.unwrap();
        of_erased.push(verification);
    }
    let last = completed(pending_of(erased.id, NAME));
    acme.record_verification(&last, &audit(), Some(&answer_with_name("verified"))).await.unwrap();
    let tables = ["business_words", "businesses", "idempotency_keys", "verifications"];
    assert_eq!(tables_with(&database, "musterfrau").await, tables, "the search sees what is to be erased");

    assert_eq!(acme.erase_business(erased.id, &audit()).await.unwrap(), Some(121));
    assert_eq!(tables_with(&database, "musterfrau").await, [""; 0]);
    assert_eq!(tables_with(&database, "wilhelmine").await, [""; 0]);

    let blank = acme.verification(last.id).await.unwrap().unwrap();
    assert_eq!(
        (blank.status, blank.created_at, blank.completed_at),
        (last.status, last.created_at, last.completed_at)
    );
    assert_eq!(blank.decision().unwrap().outcome, last.decision().unwrap().outcome);
    assert_eq!(blank.decision().unwrap().reasons[0].code, ReasonCode::IDENTITY_UNCONFIRMED);
    let screened = last.findings.unwrap().screenings.remove(0).id;
    assert_eq!(acme.screening(screened).await.unwrap(), None);
    assert_eq!(acme.verification(unrelated.id).await.unwrap(), Some(unrelated));
    assert!(
        acme.business(erased.id).await.unwrap().is_none() && acme.business(kept.id).await.unwrap().is_some()
    );

    let event = acme.audit_events(0, 1000).await.unwrap().pop().unwrap();
    assert_eq!((event.action, event.detail), (AuditAction::BusinessErased, json!({ "verifications": 121 })));
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    let replayed = acme.answer_for("verified", "f").await.unwrap();
    assert!(matches!(replayed, Some(Write::Replayed(answer)) if answer.body == json!({ "erased": true })));
    assert_eq!(acme.erase_business(erased.id, &audit()).await.unwrap(), None);
}

#[tokio::test]
async fn a_queued_or_running_verification_is_called_off_and_its_worker_stores_nothing() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let erased = business(NAME);
    acme.create_business(&erased, &audit(), None).await.unwrap();
    let [running, waiting] = [pending_of(erased.id, NAME), pending_of(erased.id, NAME)];
    for verification in [&running, &waiting] {
        acme.enqueue_verification(verification, &audit(), None).await.unwrap();
    }
    let job = store.take_job(Duration::from_mins(1)).await.unwrap().unwrap();
    assert_eq!(acme.erase_business(erased.id, &audit()).await.unwrap(), Some(2));
    assert!(!store.finish_job(&job, &completed(job.verification.clone()), &audit()).await.unwrap());
    for id in [running.id, waiting.id] {
        let stored = acme.verification(id).await.unwrap().unwrap();
        assert_eq!(stored.status, VerificationStatus::Cancelled);
        assert_eq!(stored.failure.unwrap().code, ReasonCode::DATA_ERASED);
    }
    assert!(store.take_job(Duration::from_mins(1)).await.unwrap().is_none());
    assert_eq!(tables_with(&database, "musterfrau").await, [""; 0]);
}

#[tokio::test]
async fn an_erasure_that_was_broken_off_is_finished_by_asking_again() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let erased = business(NAME);
    acme.create_business(&erased, &audit(), None).await.unwrap();
    for _ in 0..3 {
        acme.record_verification(&completed(pending_of(erased.id, NAME)), &audit(), None).await.unwrap();
    }
    // The first step of an erasure, for one verification only.
    let step = "SELECT kyb.blank_documents('acme', ARRAY[id], ARRAY['completed'], ARRAY[document])
        FROM kyb.documents_to_blank('acme', $1, 1)";
    let mut runtime = database.connect(RUNTIME).await;
    sqlx::query(step).bind(erased.id.uuid()).execute(&mut runtime).await.unwrap();
    assert!(acme.business(erased.id).await.unwrap().is_some(), "the business goes last");
    assert_eq!(acme.erase_business(erased.id, &audit()).await.unwrap(), Some(3));
}
