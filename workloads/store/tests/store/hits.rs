//! Decisions about matches are kept for good, suppressions are each tenant's own, and both forget whom they were about.

use crate::support::{
    Database, Decided, RUNTIME, audit, business, completed, hit, key, now, pending_of, run, subject_of,
    tenant,
};
use chrono::TimeDelta;
use kyb_domain::{
    audit::AuditAction,
    screening::{MatchStatus, Screening},
    text::Justification,
};
use kyb_store::{StoreError, TenantStore, Write};

async fn recorded(rows: &TenantStore, name: &str) -> Screening {
    let screening = hit(name);
    rows.record_screening(&screening, &audit(), None).await.unwrap();
    screening
}

async fn decide(rows: &TenantStore, decided: &Decided<'_>) -> Option<Write> {
    rows.decide_match(&decided.deciding(), &audit(), None).await.unwrap()
}

/// How many suppressions hold for a screening's subject.
async fn in_force(rows: &TenantStore, screening: &Screening) -> usize {
    rows.suppressions_for(&[subject_of(screening)], now()).await.unwrap().len()
}

fn why(text: &str) -> Justification {
    text.try_into().unwrap()
}

#[tokio::test]
async fn every_decision_is_kept_and_the_last_one_counts() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let screening = recorded(&acme, "Firm").await;
    let statuses = [MatchStatus::FalsePositive, MatchStatus::Pending, MatchStatus::Confirmed];
    let decided = statuses.map(|status| Decided::as_status(&screening, status));
    for one in &decided {
        assert_eq!(decide(&acme, one).await, Some(Write::Done));
    }
    let stored = acme.screening(screening.id).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.revision()), (screening.status, 3), "the status stays as recorded");
    assert_eq!(stored.matches[0].status, MatchStatus::Confirmed);
    assert_eq!(stored.matches[0].decisions, decided.map(|one| one.decision));
    let events = acme.audit_events(0, 10).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.action == AuditAction::MatchDecided).count(), 3);
    assert!(
        !format!("{events:?}").contains("Compared by hand"),
        "people's words can't be erased from the chain"
    );
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
}

#[tokio::test]
async fn of_two_decisions_on_one_state_one_is_refused_and_leaves_nothing() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let screening = recorded(&acme, "Firm").await;
    let mut all: Vec<_> = (0..8).map(|_| Decided::suppressing(&screening)).collect();
    for one in &mut all {
        one.expected = Some(vec![0]);
    }
    let context = audit();
    let deciding: Vec<_> = all.iter().map(Decided::deciding).collect();
    let kept: Vec<_> = (0..8).map(|number| key(&format!("k{number}"), "f", "x")).collect();
    let asked = deciding.iter().zip(&kept).map(|(one, key)| acme.decide_match(one, &context, Some(key)));
    let answers = futures::future::join_all(asked).await;
    let done = answers.iter().filter(|answer| matches!(answer, Ok(Some(Write::Done)))).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Conflict))).count();
    assert_eq!((done, refused), (1, 7), "{answers:?}");
    assert_eq!(acme.screening(screening.id).await.unwrap().unwrap().revision(), 1);
    assert_eq!(in_force(&acme, &screening).await, 1);
    let mut repeatable = 0;
    for key in &kept {
        repeatable += usize::from(acme.answer_for(&key.key, "f").await.unwrap().is_some());
    }
    assert_eq!(repeatable, 1, "a refused decision keeps no answer either");
}

#[tokio::test]
async fn a_suppression_ends_by_time_by_withdrawal_and_by_another_decision() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let screening = recorded(&acme, "Firm").await;
    let mut timed = Decided::suppressing(&screening);
    let end = now() + TimeDelta::hours(1);
    timed.suppression.as_mut().unwrap().expires_at = Some(end);
    decide(&acme, &timed).await;
    let subjects = [subject_of(&screening)];
    let before = acme.suppressions_for(&subjects, end - TimeDelta::microseconds(1)).await.unwrap();
    assert_eq!(before[0].id, timed.suppression.as_ref().unwrap().id);
    assert!(acme.suppressions_for(&subjects, end).await.unwrap().is_empty(), "expired");

    let replaced = Decided::suppressing(&screening);
    decide(&acme, &replaced).await;
    assert_eq!(in_force(&acme, &screening).await, 1, "the new one in the old one's place");
    let id = replaced.suppression.as_ref().unwrap().id;
    let withdrawn = acme.withdraw_suppression(id, &why("a mistake"), &audit(), now()).await.unwrap().unwrap();
    assert_eq!(withdrawn.withdrawn.as_ref().unwrap().reason, why("a mistake"));
    assert_eq!(in_force(&acme, &screening).await, 0);
    let again = acme.withdraw_suppression(id, &why("once more"), &audit(), now()).await.unwrap().unwrap();
    assert_eq!(again, withdrawn, "withdrawing again changes nothing");

    let other = recorded(&acme, "Firm").await; // the same subject
    decide(&acme, &Decided::suppressing(&screening)).await;
    decide(&acme, &Decided::as_status(&other, MatchStatus::FalsePositive)).await;
    assert_eq!(in_force(&acme, &screening).await, 1, "a plain false positive says nothing against it");
    decide(&acme, &Decided::as_status(&other, MatchStatus::Confirmed)).await;
    assert_eq!(in_force(&acme, &screening).await, 0, "what was confirmed is not suppressed anywhere");

    let events = acme.audit_events(0, 100).await.unwrap();
    let count = |action| events.iter().filter(|event| event.action == action).count();
    assert_eq!(count(AuditAction::SuppressionCreated), 3);
    assert_eq!(count(AuditAction::SuppressionWithdrawn), 3);
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    assert_eq!(acme.suppressions(None, 50).await.unwrap().suppressions.len(), 3, "ended ones are listed too");
}

#[tokio::test]
async fn a_page_of_suppressions_goes_on_where_the_last_one_ended() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let mut made = vec![];
    for number in 0..5 {
        let screening = recorded(&acme, &format!("Firm {number}")).await;
        let decided = Decided::suppressing(&screening);
        decide(&acme, &decided).await;
        made.insert(0, decided.suppression.unwrap().id);
    }
    let first = acme.suppressions(None, 3).await.unwrap();
    let second = acme.suppressions(first.suppressions.last().map(|one| one.id), 3).await.unwrap();
    assert_eq!((first.more, second.more), (true, false));
    let listed: Vec<_> = first.suppressions.iter().chain(&second.suppressions).map(|one| one.id).collect();
    assert_eq!(listed, made);
}

/// How many suppressions of `acme` another tenant with the same subject has, and whether it can decide about acme's match.
async fn leaked(fenced: bool) -> (usize, usize, bool) {
    let database = Database::fresh().await;
    let store = database.store();
    let [acme, other] = ["acme", "other"].map(|id| store.tenant(&tenant(id)));
    if !fenced {
        let open = "ALTER TABLE kyb.suppressions DISABLE ROW LEVEL SECURITY;
            ALTER TABLE kyb.screenings DISABLE ROW LEVEL SECURITY";
        run(&mut database.connect(crate::support::MIGRATOR).await, open).await.unwrap();
    }
    let screening = recorded(&acme, "Firm").await;
    decide(&acme, &Decided::suppressing(&screening)).await;
    assert_eq!(in_force(&acme, &screening).await, 1);
    let listed = other.suppressions(None, 50).await.unwrap().suppressions.len();
    let held = in_force(&other, &screening).await;
    let decided = decide(&other, &Decided::as_status(&screening, MatchStatus::Confirmed)).await.is_some();
    if fenced {
        assert_eq!(in_force(&acme, &screening).await, 1);
        let id = acme.suppressions(None, 1).await.unwrap().suppressions[0].id;
        assert_eq!(other.suppression(id).await.unwrap(), None);
        assert_eq!(other.withdraw_suppression(id, &why("x"), &audit(), now()).await.unwrap(), None);
        assert_eq!(in_force(&acme, &screening).await, 1);
    }
    (listed, held, decided)
}

#[tokio::test]
async fn another_tenants_suppressions_do_nothing() {
    assert_eq!(leaked(true).await, (0, 0, false));
}

#[tokio::test]
async fn without_row_level_security_they_would() {
    assert_eq!(leaked(false).await, (1, 1, true));
}

#[tokio::test]
async fn start_up_refuses_suppressions_whose_security_is_off() {
    let database = Database::fresh().await;
    let store = database.store();
    store.check().await.unwrap();
    let mut migrator = database.connect(crate::support::MIGRATOR).await;
    run(&mut migrator, "ALTER TABLE kyb.suppressions NO FORCE ROW LEVEL SECURITY").await.unwrap();
    assert!(matches!(store.check().await, Err(StoreError::Schema(_))));
}

/// What a program that was taken over might try on what people decided; by each, whether triggers alone keep it from that.
const REWRITES: [(&str, bool); 7] = [
    ("UPDATE kyb.match_decisions SET status = 'confirmed'", false),
    ("UPDATE kyb.match_decisions SET reason = 'another'", true),
    ("UPDATE kyb.suppressions SET entry_fingerprint = subject_fingerprint", false),
    ("UPDATE kyb.suppressions SET subject_fingerprint = entry_fingerprint", true),
    ("UPDATE kyb.suppressions SET withdrawn_reason = 'another'", true),
    (
        "UPDATE kyb.suppressions SET withdrawn_at = NULL, withdrawn_kind = NULL, withdrawn_id = NULL, withdrawn_reason = NULL",
        true,
    ),
    ("UPDATE kyb.suppressions SET expires_at = NULL", false),
];

/// Which rewrites of a decision and of a suppression that ended were let through. Rows can't be deleted either way.
async fn rewritten(guarded: bool) -> Vec<&'static str> {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let screening = recorded(&acme, "Firm").await;
    let decided = Decided::suppressing(&screening);
    decide(&acme, &decided).await;
    let id = decided.suppression.unwrap().id;
    acme.withdraw_suppression(id, &why("a mistake"), &audit(), now()).await.unwrap();
    if !guarded {
        let open = "ALTER TABLE kyb.match_decisions DISABLE TRIGGER keep_decision;
            ALTER TABLE kyb.suppressions DISABLE TRIGGER keep_suppression";
        run(&mut database.connect(crate::support::MIGRATOR).await, open).await.unwrap();
    }
    let mut runtime = database.connect(RUNTIME).await;
    run(&mut runtime, "SET kyb.tenant = 'acme'").await.unwrap();
    let mut passed = vec![];
    for (rewrite, _) in REWRITES {
        match run(&mut runtime, rewrite).await {
            Ok(()) => passed.push(rewrite),
            Err(error) => {
                assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{rewrite}: {error}");
            }
        }
    }
    for table in ["match_decisions", "suppressions"] {
        let delete = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM kyb.{table}")));
        assert_eq!(delete.execute(&mut runtime).await.unwrap().rows_affected(), 0, "{table}");
    }
    passed
}

#[tokio::test]
async fn what_was_decided_can_not_be_changed() {
    assert!(rewritten(true).await.is_empty());
}

#[tokio::test]
async fn without_triggers_what_erasure_may_change_could_be_rewritten() {
    let guarded: Vec<_> =
        REWRITES.iter().filter(|(_, by_trigger)| *by_trigger).map(|(one, _)| *one).collect();
    assert_eq!(rewritten(false).await, guarded);
}

#[tokio::test]
async fn an_erasure_blanks_what_was_written_about_a_business_and_ends_its_suppressions() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let erased = business("Wilhelmine Musterfrau");
    acme.create_business(&erased, &audit(), None).await.unwrap();
    let mut verification = completed(pending_of(erased.id, "Wilhelmine Musterfrau"));
    let screening = hit("Wilhelmine Musterfrau");
    verification.findings.as_mut().unwrap().screenings = vec![screening.clone()];
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    let mut decided = Decided::suppressing(&screening);
    decided.decision.reason = why("Musterfrau is another one.");
    let mut kept = key("decided", "f", "");
    kept.response.body = serde_json::json!({ "reason": "Musterfrau is another one." });
    acme.decide_match(&decided.deciding(), &audit(), Some(&kept)).await.unwrap();
    assert_eq!(in_force(&acme, &screening).await, 1);

    assert_eq!(acme.erase_business(erased.id, &audit()).await.unwrap(), Some(1));
    assert_eq!(in_force(&acme, &screening).await, 0);
    let left = acme.suppressions(None, 1).await.unwrap().suppressions.remove(0);
    assert_eq!((left.reason, left.withdrawn.unwrap().reason), (why("erased"), why("erased")));
    assert_ne!(left.subject_fingerprint, subject_of(&screening));
    let mut superuser = database.superuser().await;
    for table in ["match_decisions", "suppressions", "idempotency_keys"] {
        let search = format!("SELECT count(*) FROM kyb.{table} t WHERE t::text ILIKE '%musterfrau%'");
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(search)).fetch_one(&mut superuser).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    let late = Decided::as_status(&screening, MatchStatus::Confirmed);
    assert_eq!(decide(&acme, &late).await, None, "what was erased is not decided about any more");
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
}
