//! One tenant's rows are invisible to another, through every method and without any.

use sqlx::Row as _;

use crate::support::{
    Database, MIGRATOR, READER, RUNTIME, audit, business, completed, key, now, pending, pending_of, profile,
    run, screening, tenant,
};
use kyb_store::{Write, businesses::BusinessQuery, usage::UsageRow};

/// Every table that has a tenant, but the queues.
const TABLES: [&str; 16] = [
    "api_usage",
    "audit_events",
    "batch_items",
    "batches",
    "business_tax_ids",
    "business_words",
    "businesses",
    "checks",
    "decisions",
    "idempotency_keys",
    "match_decisions",
    "monitor_alerts",
    "monitors",
    "screenings",
    "suppressions",
    "verifications",
];

#[tokio::test]
async fn another_tenants_rows_are_invisible_to_every_method() {
    let database = Database::fresh().await;
    let store = database.store();
    let [acme, other] = ["acme", "other"].map(|id| store.tenant(&tenant(id)));
    let business = business("Acme");
    let verification = completed(pending_of(business.id, "Acme"));
    let screening = screening("Acme");
    let usage = UsageRow { hour: now(), endpoint: "GET /".to_owned(), requests: 1, errors: 0 };
    acme.create_business(&business, &audit(), Some(&key("k", "f", "acme"))).await.unwrap();
    acme.record_verification(&verification, &audit(), None).await.unwrap();
    acme.record_screening(&screening, &audit(), None).await.unwrap();
    acme.add_usage(&[usage]).await.unwrap();

    assert_eq!(other.business(business.id).await.unwrap(), None);
    assert_eq!(other.update_business(business.id, &profile("X"), None, &audit(), now()).await.unwrap(), None);
    assert!(!other.delete_business(business.id, &audit()).await.unwrap());
    assert_eq!(other.erase_business(business.id, &audit()).await.unwrap(), None);
    for text in [None, Some("acme".to_owned())] {
        let query = BusinessQuery { text, limit: 50, ..BusinessQuery::default() };
        assert_eq!(acme.find_businesses(&query).await.unwrap().businesses.len(), 1);
        assert!(other.find_businesses(&query).await.unwrap().businesses.is_empty());
    }
    assert_eq!(other.verification(verification.id).await.unwrap(), None);
    assert_eq!(other.verification_json(verification.id).await.unwrap(), None);
    assert!(other.verifications_of(business.id).await.unwrap().is_empty());
    assert_eq!(other.screening(screening.id).await.unwrap(), None);
    assert!(other.audit_events(0, 50).await.unwrap().is_empty());
    assert_eq!(other.verify_audit_chain().await.unwrap(), None);
    assert!(other.usage(chrono::DateTime::UNIX_EPOCH).await.unwrap().is_empty());
    assert_eq!(other.answer_for("k", "f").await.unwrap(), None);
    assert_eq!(
        other.remember_answer(&key("k", "f", "other")).await.unwrap(),
        Write::Done,
        "keys are each tenant's own"
    );

    assert_eq!(acme.business(business.id).await.unwrap(), Some(business));
    assert_eq!(acme.verification(verification.id).await.unwrap(), Some(verification));
    assert_eq!(
        acme.answer_for("k", "f").await.unwrap(),
        Some(Write::Replayed(key("k", "f", "acme").response))
    );
}

#[tokio::test]
async fn without_a_tenant_nothing_is_read_changed_or_written() {
    let database = Database::fresh().await;
    let acme = database.store().tenant(&tenant("acme"));
    acme.record_verification(&completed(pending("Acme")), &audit(), None).await.unwrap();
    for role in [RUNTIME, READER, MIGRATOR] {
        let mut connection = database.connect(role).await;
        for tenant_was_set_before in [false, true] {
            if tenant_was_set_before {
                // Leaves the setting empty instead of unknown, as a pooled connection has it.
                run(&mut connection, "BEGIN; SELECT set_config('kyb.tenant', 'acme', true); COMMIT")
                    .await
                    .unwrap();
            }
            let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM kyb.verifications")
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(seen, 0, "{role}");
        }
        let write = "INSERT INTO kyb.api_usage VALUES ('acme', now(), 'GET /', 1, 0)";
        let refused = run(&mut connection, write).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{role}: {refused}");
    }
    let mut connection = database.connect(RUNTIME).await;
    let changed =
        sqlx::query("UPDATE kyb.verifications SET document = ''").execute(&mut connection).await.unwrap();
    assert_eq!(changed.rows_affected(), 0);
}

#[tokio::test]
async fn a_row_for_another_tenant_than_the_one_set_is_refused() {
    let database = Database::fresh().await;
    let mut connection = database.connect(RUNTIME).await;
    let as_acme = |tenant| {
        format!(
            "SELECT set_config('kyb.tenant', 'acme', true); INSERT INTO kyb.api_usage VALUES ('{tenant}', now(), 'GET /', 1, 0)"
        )
    };
    let [own, foreign] = ["acme", "other"].map(as_acme);
    sqlx::raw_sql(sqlx::AssertSqlSafe(own)).execute(&mut connection).await.unwrap();
    let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(foreign)).execute(&mut connection).await.unwrap_err();
    assert!(refused.to_string().contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn the_reader_sees_the_tenant_it_names_and_changes_nothing() {
    let database = Database::fresh().await;
    let store = database.store();
    for id in ["acme", "other"] {
        store.tenant(&tenant(id)).create_business(&business(id), &audit(), None).await.unwrap();
    }
    let mut reader = database.connect(READER).await;
    run(&mut reader, "SET kyb.tenant = 'acme'").await.unwrap();
    let seen: Vec<String> =
        sqlx::query_scalar("SELECT tenant_id FROM kyb.businesses").fetch_all(&mut reader).await.unwrap();
    assert_eq!(seen, ["acme"]);
    for write in
        ["DELETE FROM kyb.businesses", "UPDATE kyb.lists SET last_error = ''", "TRUNCATE kyb.verifications"]
    {
        assert!(run(&mut reader, write).await.is_err(), "{write}");
    }
}

#[tokio::test]
async fn every_table_with_a_tenant_is_under_forced_row_level_security() {
    let database = Database::fresh().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
         JOIN pg_policies p ON p.schemaname = 'kyb' AND p.tablename = c.relname AND p.cmd = 'ALL'
             AND p.qual = '(tenant_id = kyb.current_tenant())' AND p.with_check = p.qual
         WHERE c.relkind = 'r' AND c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert_eq!(tables, TABLES);
    let others: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.columns
         WHERE table_schema = 'kyb' AND column_name = 'tenant_id' AND table_name <> ALL ($1) ORDER BY 1",
    )
    .bind(TABLES.map(str::to_owned))
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    assert_eq!(
        others,
        ["batch_slices", "jobs", "monitor_watches"],
        "the queues alone are open, and hold ids and times only (next test)"
    );
}

#[tokio::test]
async fn the_queue_holds_ids_and_times_only() {
    let database = Database::fresh().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name || ' ' || data_type FROM information_schema.columns
         WHERE table_schema = 'kyb' AND table_name IN ('batch_slices', 'jobs', 'monitor_watches') ORDER BY table_name, ordinal_position",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    let expected = [
        "tenant_id text",
        "batch_id uuid",
        "first integer",
        "last integer",
        "attempt smallint",
        "status text",
        "due_at timestamp with time zone",
        "lease uuid",
        "tenant_id text",
        "verification_id uuid",
        "attempt smallint",
        "status text",
        "due_at timestamp with time zone",
        "lease uuid",
        "created_at timestamp with time zone",
        "tenant_id text",
        "monitor_id uuid",
        "seen text", // a digest of what every tenant can read: versions of lists
        "whole_at timestamp with time zone",
        "due_at timestamp with time zone",
        "lease uuid",
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn the_runtime_role_has_the_privileges_it_needs_and_no_other() {
    let database = Database::fresh().await;
    let rows = sqlx::query(
        "SELECT table_name::text, string_agg(left(privilege_type, 1), '' ORDER BY privilege_type)
         FROM information_schema.table_privileges WHERE table_schema = 'kyb' AND grantee = 'kyb_runtime'
         GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&mut database.superuser().await)
    .await
    .unwrap();
    let granted: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let granted: Vec<(&str, &str)> =
        granted.iter().map(|(table, rights)| (table.as_str(), rights.as_str())).collect();
    // D: delete, I: insert, S: select, U: update. What was checked, decided and counted can be deleted only where its tenant
    // was erased (see `tenant_erasure`).
    let expected = [
        ("api_usage", "DISU"),
        ("audit_events", "IS"),
        ("batch_items", "DISU"),
        ("batch_slices", "DISU"),
        ("batches", "DISU"),
        ("business_tax_ids", "DISU"),
        ("business_words", "DISU"),
        ("businesses", "DISU"),
        ("checks", "DIS"),
        ("decisions", "DIS"),
        ("idempotency_keys", "DISU"),
        ("jobs", "DISU"),
        ("list_files", "DIS"),
        ("list_revision", "SU"),
        ("list_versions", "ISU"),
        ("lists", "ISU"),
        ("match_decisions", "DIS"),
        ("migrations", "S"),
        ("monitor_alerts", "DIS"),
        ("monitor_watches", "DISU"),
        ("monitors", "DISU"),
        ("screenings", "DISU"),
        ("suppressions", "DIS"),
        ("tenant_erasures", "ISU"),
        ("verifications", "DISU"),
        ("workload_heartbeats", "DISU"),
    ];
    assert_eq!(granted, expected);
}
