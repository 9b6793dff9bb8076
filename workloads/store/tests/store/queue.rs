//! The queue: one job, one worker, no job lost.

use std::{collections::BTreeSet, time::Duration};

use crate::support::{Database, audit, completed, pending, tenant};
use kyb_domain::{
    audit::AuditAction,
    reason::{Reason, ReasonCode},
    verification::VerificationStatus,
};
use kyb_store::Store;

const LONG: Duration = Duration::from_mins(1);

async fn enqueue(store: &Store, count: usize) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for number in 0..count {
        let verification = pending(&format!("Firm {number}"));
        ids.insert(verification.id.to_string());
        let tenant = store.tenant(&tenant(&format!("t{}", number % 3)));
        tenant.enqueue_verification(&verification, &audit(), None).await.unwrap();
    }
    ids
}

#[tokio::test]
async fn a_job_runs_from_pending_to_completed_and_is_audited() {
    let database = Database::fresh().await;
    let store = database.store();
    let acme = store.tenant(&tenant("acme"));
    let verification = pending("Acme");
    acme.enqueue_verification(&verification, &audit(), None).await.unwrap();
    assert_eq!(
        acme.verification(verification.id).await.unwrap().unwrap().status,
        VerificationStatus::Pending
    );
    assert_eq!(store.queue_depth().await.unwrap(), 1);

    let job = store.take_job(LONG).await.unwrap().unwrap();
    assert_eq!((job.tenant.as_str(), job.attempt), ("acme", 1));
    assert_eq!(job.verification.request, verification.request);
    assert_eq!(
        acme.verification(verification.id).await.unwrap().unwrap().status,
        VerificationStatus::Running
    );
    assert!(store.take_job(LONG).await.unwrap().is_none(), "nobody else gets it");
    assert_eq!(store.queue_depth().await.unwrap(), 0);

    let done = completed(job.verification.clone());
    assert!(store.finish_job(&job, &done, &audit()).await.unwrap());
    assert_eq!(acme.verification(verification.id).await.unwrap(), Some(done));
    let events = acme.audit_events(0, 10).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(actions, [AuditAction::VerificationRequested, AuditAction::VerificationCompleted]);
    assert!(store.take_job(LONG).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_never_hold_the_same_job() {
    let database = Database::fresh().await;
    let store = database.store();
    let queued = enqueue(&store, 60).await;
    let workers = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut taken = vec![];
            while let Some(job) = store.take_job(LONG).await.unwrap() {
                taken.push(job.verification.id.to_string());
            }
            taken
        })
    });
    let taken =
        futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(taken.len(), 60, "every job is taken once");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), queued);
}

#[tokio::test]
async fn a_dead_workers_job_comes_back_and_the_dead_workers_result_stores_nothing() {
    let database = Database::fresh().await;
    let store = database.store();
    enqueue(&store, 1).await;
    let lost = store.take_job(Duration::ZERO).await.unwrap().unwrap();
    let second = store.take_job(LONG).await.unwrap().unwrap();
    assert_eq!((second.verification.id, second.attempt), (lost.verification.id, 2));

    assert!(!store.finish_job(&lost, &completed(lost.verification.clone()), &audit()).await.unwrap());
    let reason = Reason::new(ReasonCode::SOURCE_UNREACHABLE, "late");
    store.fail_job(&lost, &reason, Duration::ZERO, &audit()).await.unwrap();
    let t0 = store.tenant(&tenant("t0"));
    assert_eq!(
        t0.verification(lost.verification.id).await.unwrap().unwrap().status,
        VerificationStatus::Running
    );
    assert_eq!(t0.audit_events(0, 10).await.unwrap().len(), 1, "only the request was audited");
    assert!(store.finish_job(&second, &completed(second.verification.clone()), &audit()).await.unwrap());
}

#[tokio::test]
async fn the_third_failure_marks_the_verification_failed_with_the_reason() {
    let database = Database::fresh().await;
    let store = database.store();
    enqueue(&store, 1).await;
    let reason = Reason::new(ReasonCode::SOURCE_UNREACHABLE, "The registry did not answer.");
    let t0 = store.tenant(&tenant("t0"));
    for attempt in 1..=3 {
        let job = store.take_job(LONG).await.unwrap().unwrap();
        assert_eq!(job.attempt, attempt);
        store.fail_job(&job, &reason, Duration::ZERO, &audit()).await.unwrap();
        let stored = t0.verification(job.verification.id).await.unwrap().unwrap();
        if attempt < 3 {
            assert_eq!((stored.status, stored.failure), (VerificationStatus::Pending, None));
        } else {
            assert_eq!((stored.status, stored.failure), (VerificationStatus::Failed, Some(reason.clone())));
            assert!(stored.completed_at.is_some());
        }
    }
    assert!(store.take_job(LONG).await.unwrap().is_none());
    let last = t0.audit_events(0, 10).await.unwrap().pop().unwrap();
    assert_eq!(last.action, AuditAction::VerificationFailed);
    assert_eq!(last.detail["reason"], "SOURCE_UNREACHABLE");
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_given_up() {
    let database = Database::fresh().await;
    let store = database.store();
    enqueue(&store, 1).await;
    let mut last = None;
    while let Some(job) = store.take_job(Duration::ZERO).await.unwrap() {
        last = Some(job);
    }
    let last = last.unwrap();
    assert_eq!(last.attempt, 3);
    let stored = store.tenant(&last.tenant).verification(last.verification.id).await.unwrap().unwrap();
    assert_eq!(stored.status, VerificationStatus::Failed);
    assert_eq!(stored.failure.unwrap().code, ReasonCode::ATTEMPTS_EXHAUSTED);
}

#[tokio::test]
async fn a_job_given_back_with_a_pause_waits_for_it() {
    let database = Database::fresh().await;
    let store = database.store();
    enqueue(&store, 1).await;
    let job = store.take_job(LONG).await.unwrap().unwrap();
    let reason = Reason::new(ReasonCode::SOURCE_UNREACHABLE, "later");
    store.fail_job(&job, &reason, LONG, &audit()).await.unwrap();
    assert!(store.take_job(LONG).await.unwrap().is_none());
    assert_eq!(store.queue_depth().await.unwrap(), 1);
}
