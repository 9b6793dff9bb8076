//! Batches: every subject answered once, whoever died on the way.

use std::time::Duration;

use crate::support::{Database, audit, key, now, screening, tenant};
use kyb_domain::{
    audit::AuditAction,
    batch::{Batch, BatchCounts, BatchError, BatchKind, BatchOptions, BatchStatus},
    id::BatchId,
    party::{Party, PartyKind},
    reason::ReasonCode,
    screening::ScreeningStatus,
};
use kyb_store::{
    Store, TenantStore, Write,
    batches::{Answer, Item, SLICE, Slice},
};

const LONG: Duration = Duration::from_mins(1);

fn unusable() -> BatchError {
    BatchError { pointer: Some("/name".into()), code: ReasonCode::SUBJECT_UNUSABLE, text: "too long".into() }
}

fn batch(total: usize, error: u32) -> Batch {
    Batch {
        id: BatchId::generate(),
        kind: BatchKind::Screening,
        status: BatchStatus::Pending,
        context: None,
        total: u32::try_from(total).unwrap(),
        counts: BatchCounts { error, ..BatchCounts::default() },
        created_at: now(),
        completed_at: None,
    }
}

fn items(count: usize) -> Vec<Item> {
    (0..count)
        .map(|number| Ok(Party::named(PartyKind::Business, format!("Firm {number}").try_into().unwrap())))
        .collect()
}

/// A batch of so many usable subjects.
pub(crate) async fn create(rows: &TenantStore, count: usize) -> BatchId {
    let batch = batch(count, 0);
    rows.create_batch(&batch, &BatchOptions::default(), &items(count), &audit(), None).await.unwrap();
    batch.id
}

/// What a worker answers: clear, but for every tenth, which is a hit.
fn answers(slice: &Slice) -> Vec<Answer> {
    let answer = |(position, subject): &(i32, Party)| {
        let mut answer = screening(subject.name.as_str());
        if position % 10 == 0 {
            answer.status = ScreeningStatus::InReview;
        }
        (*position, Ok(answer))
    };
    slice.subjects.iter().map(answer).collect()
}

async fn finish(store: &Store, slice: &Slice) -> bool {
    store.finish_slice(slice, &answers(slice), now(), &audit()).await.unwrap()
}

#[tokio::test]
async fn every_subject_has_one_answer_in_the_order_of_the_batch() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let mut items = items(250);
    items[7] = Err(unusable());
    let asked = batch(250, 1);
    acme.create_batch(&asked, &BatchOptions::default(), &items, &audit(), None).await.unwrap();
    assert_eq!(acme.batch(asked.id).await.unwrap(), Some(asked.clone()));
    assert_eq!(store.queue_depth().await.unwrap(), 3);
    let mut slices = vec![];
    while let Some(slice) = store.take_slice(LONG).await.unwrap() {
        slices.push(slice);
    }
    let sizes: Vec<usize> = slices.iter().map(|slice| slice.subjects.len()).collect();
    assert_eq!(sizes, [99, 100, 50]);
    for slice in slices.iter().rev() {
        assert_eq!(acme.batch(asked.id).await.unwrap().unwrap().status, BatchStatus::Running);
        assert!(finish(&store, slice).await);
        assert!(!finish(&store, slice).await, "twice: the lease is gone, and nothing is stored");
    }
    let done = acme.batch(asked.id).await.unwrap().unwrap();
    assert_eq!(done.status, BatchStatus::Completed);
    assert_eq!(done.counts, BatchCounts { no_hit: 224, in_review: 25, error: 1 });
    let results = acme.batch_results(asked.id, -1, 1000).await.unwrap();
    assert_eq!(results.len(), 250);
    for (number, result) in results.iter().enumerate() {
        assert_eq!(usize::try_from(result.index).unwrap(), number);
        match &result.text {
            Ok(screening) => assert!(screening.contains(&format!("\"Firm {number}\"")), "{screening}"),
            Err(error) => assert!(number == 7 && error.contains("SUBJECT_UNUSABLE"), "{error}"),
        }
    }
    let page = acme.batch_results(asked.id, 99, SLICE).await.unwrap();
    assert_eq!((page.len(), page[0].index), (100, 100));
    let read: kyb_domain::screening::Screening =
        serde_json::from_str(page[0].text.as_ref().unwrap()).unwrap();
    assert_eq!(acme.screening(read.id).await.unwrap(), Some(read), "each can be read by itself");
    let events = acme.audit_events(0, 10).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(actions, [AuditAction::BatchRequested, AuditAction::BatchCompleted]);
    assert_eq!(
        events[1].detail,
        serde_json::json!({"total": 250, "no_hit": 224, "in_review": 25, "errors": 1})
    );
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
}

#[tokio::test]
async fn a_dead_workers_slice_comes_back_and_nothing_of_it_is_doubled() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let id = create(&acme, 30).await;
    let lost = store.take_slice(Duration::ZERO).await.unwrap().unwrap();
    let second = store.take_slice(LONG).await.unwrap().unwrap();
    assert_eq!((second.attempt, &second.subjects), (2, &lost.subjects));
    assert!(!finish(&store, &lost).await, "it came back to life: its lease is lost");
    store.return_slice(&lost, Duration::ZERO).await.unwrap();
    assert!(store.take_slice(LONG).await.unwrap().is_none(), "and so it can't give the slice back either");
    assert!(acme.batch_results(id, -1, 100).await.is_err(), "no answer yet is no answer");
    assert!(finish(&store, &second).await);
    assert_eq!(acme.batch_results(id, -1, 100).await.unwrap().len(), 30);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM kyb.screenings")
        .fetch_one(&mut database.superuser().await)
        .await
        .unwrap();
    assert_eq!(kept, 30);
}

/// Twin of the test above: where a slice may be ended without its lease, the batch is answered twice.
#[tokio::test]
async fn without_the_lease_answers_would_be_doubled() {
    let database = Database::fresh().await;
    let store = database.store();
    create(&store.tenant(&tenant("acme")), 30).await;
    let mut superuser = database.superuser().await;
    let body = "SELECT replace(replace(pg_get_functiondef(p.oid), ' AND s.lease = p_lease', ''), 'IF NOT FOUND', 'IF false') \
                FROM pg_proc p WHERE p.proname = 'finish_slice'";
    let unguarded: String = sqlx::query_scalar(body).fetch_one(&mut superuser).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(unguarded)).execute(&mut superuser).await.unwrap();
    // the second look at the sum would catch it
    crate::support::run(
        &mut superuser,
        "ALTER TABLE kyb.batches DROP CONSTRAINT batches_check, DROP CONSTRAINT batches_check1",
    )
    .await
    .unwrap();
    let lost = store.take_slice(Duration::ZERO).await.unwrap().unwrap();
    let second = store.take_slice(LONG).await.unwrap().unwrap();
    assert!(finish(&store, &lost).await && finish(&store, &second).await);
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM kyb.screenings").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(kept, 60);
}

#[tokio::test]
async fn a_batch_that_leaves_somebody_out_can_not_be_completed() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let id = create(&acme, 3).await;
    let slice = store.take_slice(LONG).await.unwrap().unwrap();
    let short = &answers(&slice)[..2];
    let refused = store.finish_slice(&slice, short, now(), &audit()).await.unwrap_err();
    assert!(format!("{refused:?}").contains("batches_check"), "{refused:?}");
    assert_eq!(
        acme.batch(id).await.unwrap().unwrap().counts,
        BatchCounts::default(),
        "nothing of it was stored"
    );
    assert!(finish(&store, &slice).await);
}

#[tokio::test]
async fn the_same_key_makes_one_batch_and_another_tenant_sees_none() {
    let database = Database::fresh().await;
    let store = database.store();
    let [acme, other] = ["acme", "other"].map(|id| store.tenant(&tenant(id)));
    let make = async |answer: &str| {
        let key = key("k", "f", answer);
        acme.create_batch(&batch(1, 0), &BatchOptions::default(), &items(1), &audit(), Some(&key))
            .await
            .unwrap()
    };
    assert_eq!(make("first").await, Write::Done);
    assert_eq!(make("second").await, Write::Replayed(key("k", "f", "first").response));
    let slice = store.take_slice(LONG).await.unwrap().unwrap();
    assert!(store.take_slice(LONG).await.unwrap().is_none());
    assert!(finish(&store, &slice).await);
    assert_eq!(other.batch(slice.batch).await.unwrap(), None);
    assert!(other.batch_results(slice.batch, -1, 10).await.unwrap().is_empty());
    assert_eq!(acme.batch_results(slice.batch, -1, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_slice_in_hand_is_lost_with_its_tenant() {
    let database = Database::fresh().await;
    let store = database.store();
    create(&store.tenant(&tenant("acme")), 3).await;
    let slice = store.take_slice(LONG).await.unwrap().unwrap();
    store.request_erasure(&tenant("acme"), &audit()).await.unwrap();
    while store.erase_tenant(&tenant("acme"), 100).await.unwrap() > 0 {}
    assert!(!finish(&store, &slice).await);
    assert!(store.take_slice(LONG).await.unwrap().is_none());
}
