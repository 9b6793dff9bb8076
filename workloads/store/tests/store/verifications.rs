//! Verifications and screenings come back as they were stored.

use crate::support::{Database, audit, business, completed, pending, pending_of, screening, tenant};
use kyb_domain::id::{ScreeningId, VerificationId};
use kyb_store::{StoreError, Write};

#[tokio::test]
async fn a_verification_is_read_as_it_was_written() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let verification = completed(pending("Bäckerei Müller"));
    assert_eq!(acme.record_verification(&verification, &audit(), None).await.unwrap(), Write::Done);
    assert_eq!(acme.verification(verification.id).await.unwrap().as_ref(), Some(&verification));
    let text = serde_json::to_string(&verification).unwrap();
    assert_eq!(acme.verification_json(verification.id).await.unwrap(), Some(text), "byte for byte");
    assert_eq!(acme.verification_json(VerificationId::generate()).await.unwrap(), None);
}

#[tokio::test]
async fn the_tables_beside_the_document_hold_what_reports_count() {
    let database = Database::fresh().await;
    let verification = completed(pending("Acme"));
    let acme = database.store().tenant(&tenant("acme"));
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    let mut reader = database.superuser().await;
    let row: (String, i16, i64, i64, i64) = sqlx::query_as(
        "SELECT outcome, risk_score, (SELECT count(*) FROM kyb.checks WHERE reasons = '{IDENTITY_UNCONFIRMED}'),
         (SELECT count(*) FROM kyb.screenings), (SELECT count(*) FROM kyb.decisions) FROM kyb.verifications",
    )
    .fetch_one(&mut reader)
    .await
    .unwrap();
    assert_eq!(row, ("review".to_owned(), 10, 10, 1, 1));
}

#[tokio::test]
async fn a_second_verification_with_the_same_id_is_a_conflict_and_changes_nothing() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let verification = completed(pending("Acme"));
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    let mut other = verification.clone();
    other.request.business = crate::support::profile("Other");
    let refused = acme.record_verification(&other, &audit(), None).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(acme.verification(verification.id).await.unwrap(), Some(verification));
    assert_eq!(acme.audit_events(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_verifications_of_a_business_come_newest_first() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let business = business("Acme");
    let [first, second, other] =
        [pending_of(business.id, "one"), pending_of(business.id, "two"), pending("other")].map(completed);
    for verification in [&first, &second, &other] {
        acme.record_verification(verification, &audit(), None).await.unwrap();
    }
    assert_eq!(acme.verifications_of(business.id).await.unwrap(), [second, first]);
}

#[tokio::test]
async fn a_screening_is_found_by_itself_and_inside_a_verification() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let alone = screening("Jane Doe");
    assert_eq!(acme.record_screening(&alone, &audit(), None).await.unwrap(), Write::Done);
    assert_eq!(acme.screening(alone.id).await.unwrap(), Some(alone));
    let verification = completed(pending("Acme"));
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    let inside = verification.findings.unwrap().screenings.remove(0);
    assert_eq!(acme.screening(inside.id).await.unwrap(), Some(inside));
    assert_eq!(acme.screening(ScreeningId::generate()).await.unwrap(), None);
}
