//! The audit chain can only grow, and a change shows.

use std::collections::BTreeSet;

use crate::support::{
    Database, MIGRATOR, RUNTIME, audit, business, completed, pending, run, screening, tenant,
};
use kyb_domain::audit::AuditAction;
use kyb_store::{TenantStore, audit::BrokenChain};
use serde_json::json;

async fn record(rows: &TenantStore, object: &str) {
    let detail = json!({ "object": object, "n": 1.5 });
    rows.record_event(AuditAction::BusinessExported, object, &detail, &audit(), None).await.unwrap();
}

#[tokio::test]
async fn events_can_be_appended_and_nothing_else() {
    let database = Database::fresh().await;
    record(&database.store().tenant(&tenant("acme")), "biz_1").await;
    let changes = [
        "UPDATE kyb.audit_events SET detail = '{}'",
        "DELETE FROM kyb.audit_events",
        "TRUNCATE kyb.audit_events",
    ];
    for change in changes {
        let refused = run(&mut database.connect(RUNTIME).await, change).await.unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{change}: {refused}");
        let mut owner = database.connect(MIGRATOR).await;
        run(&mut owner, "SET kyb.tenant = 'acme'").await.unwrap();
        let refused = run(&mut owner, change).await.unwrap_err().to_string();
        assert!(refused.contains("can only be appended"), "{change}: {refused}");
        let refused = run(&mut database.superuser().await, change).await.unwrap_err().to_string();
        assert!(refused.contains("can only be appended"), "{change}: {refused}");
    }
}

#[tokio::test]
async fn database_and_program_hash_every_event_alike() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    for object in [
        "",
        "biz_1",
        "3:abc,",
        "-,",
        "Käse 東京 \u{1F9C0}",
        "line\nbreak",
        "'; DROP TABLE x; --",
        "\\",
        "\"quoted\"",
    ] {
        record(&acme, object).await;
    }
    let mut context = audit();
    for request_id in [None, Some(String::new()), Some("ü".to_owned())] {
        context.request_id = request_id;
        acme.record_event(AuditAction::BusinessExported, "biz_1", &json!(null), &context, None)
            .await
            .unwrap();
    }
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    let events = acme.audit_events(0, 100).await.unwrap();
    assert_eq!(events.len(), 12);
    assert_eq!(events[0].previous_hash, "0".repeat(64));
    assert!(events.windows(2).all(|pair| pair[1].previous_hash == pair[0].hash && pair[0].at <= pair[1].at));
    assert_eq!(events[2].detail, json!({ "object": "3:abc,", "n": 1.5 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_leave_no_gap_and_no_fork() {
    let database = Database::fresh().await;
    let store = database.store();
    let writers = (0..40).map(|writer| {
        let rows = store.tenant(&tenant(if writer % 4 == 0 { "other" } else { "acme" }));
        tokio::spawn(async move {
            for number in 0..10 {
                record(&rows, &format!("biz_{writer}_{number}")).await;
            }
        })
    });
    futures::future::join_all(writers).await.into_iter().for_each(|done| done.unwrap());
    for (name, expected) in [("acme", 300), ("other", 100)] {
        let rows = store.tenant(&tenant(name));
        let events = rows.audit_events(0, 1000).await.unwrap();
        assert!(events.iter().map(|event| event.sequence).eq(1..=expected), "{name}");
        assert_eq!(rows.verify_audit_chain().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_chain_of_several_pages_is_verified_to_its_end() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let many = "SELECT set_config('kyb.tenant', 'acme', true);
        SELECT count(kyb.append_audit('acme', ROW('system', 's', 'business.exported', 'biz_' || n, NULL, '{}')::kyb.audit_entry))
        FROM generate_series(1, 2500) AS n";
    run(&mut database.connect(RUNTIME).await, many).await.unwrap();
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    tamper(&database, "UPDATE kyb.audit_events SET object = 'biz_0' WHERE sequence = 2345").await;
    assert_eq!(acme.verify_audit_chain().await.unwrap(), Some(BrokenChain { sequence: 2345 }));
}

/// What somebody with all rights can do.
async fn tamper(database: &Database<'_>, change: &str) {
    let statements = format!("ALTER TABLE kyb.audit_events DISABLE TRIGGER append_only; {change}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut database.superuser().await).await.unwrap();
}

#[tokio::test]
async fn a_changed_removed_or_inserted_event_is_found_at_its_sequence() {
    let cases = [
        ("UPDATE kyb.audit_events SET detail = '{}' WHERE sequence = 3", 3),
        ("UPDATE kyb.audit_events SET actor_id = 'nobody' WHERE sequence = 1", 1),
        ("UPDATE kyb.audit_events SET actor_kind = 'worker' WHERE sequence = 2", 2),
        ("UPDATE kyb.audit_events SET action = 'business.erased' WHERE sequence = 4", 4),
        ("UPDATE kyb.audit_events SET at = at + interval '1 microsecond' WHERE sequence = 5", 5),
        ("UPDATE kyb.audit_events SET request_id = NULL WHERE sequence = 6", 6),
        ("DELETE FROM kyb.audit_events WHERE sequence = 4", 5),
        ("DELETE FROM kyb.audit_events WHERE sequence = 1", 2),
        // With a hash of its own that fits: then the next link does not.
        ("UPDATE kyb.audit_events e SET hash = kyb.audit_hash(e), object = object WHERE false", 0),
        (
            "UPDATE kyb.audit_events SET detail = '{}' WHERE sequence = 3;
             UPDATE kyb.audit_events e SET hash = kyb.audit_hash(e) WHERE sequence = 3",
            4,
        ),
    ];
    for (change, expected) in cases {
        let database = Database::fresh().await;
        let acme = database.store().tenant(&tenant("acme"));
        for number in 1..=6 {
            record(&acme, &format!("biz_{number}")).await;
        }
        tamper(&database, change).await;
        let found = acme.verify_audit_chain().await.unwrap().map_or(0, |broken| broken.sequence);
        assert_eq!(found, expected, "{change}");
    }
}

#[tokio::test]
async fn events_hold_no_personal_data() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    let (name, screened) = ("Wilhelmine Musterfrau", screening("Wilhelmine Musterfrau"));
    let stored = business(name);
    acme.create_business(&stored, &audit(), None).await.unwrap();
    acme.update_business(stored.id, &stored.profile, None, &audit(), stored.created_at).await.unwrap();
    acme.record_verification(&completed(pending(name)), &audit(), None).await.unwrap();
    acme.record_screening(&screened, &audit(), None).await.unwrap();
    acme.enqueue_verification(&pending(name), &audit(), None).await.unwrap();
    acme.delete_business(stored.id, &audit()).await.unwrap();
    let events = acme.audit_events(0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.action as u8).collect::<BTreeSet<_>>().len(), 6);
    let text = serde_json::to_string(&events).unwrap();
    assert!(!text.contains("Wilhelmine") && !text.contains("Musterfrau"), "{text}");
    let completed = events.iter().find(|event| event.action == AuditAction::VerificationCompleted).unwrap();
    assert_eq!(completed.detail["outcome"], "review");
    assert_eq!(completed.detail["risk_score"], 10);
    let updated = events.iter().find(|event| event.action == AuditAction::BusinessUpdated).unwrap();
    assert_eq!(updated.detail, json!({ "revision": 2 }));
}
