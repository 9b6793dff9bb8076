//! What the programs refuse before they serve.

use crate::support::{Database, MIGRATOR, READER, login, options, run};
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_store::{Store, StoreError, setup};

async fn problem(store: &Store) -> String {
    match store.check().await {
        Err(StoreError::UnsafeRole { role, problem }) => format!("{role} {problem}"),
        Err(StoreError::Schema(what)) => what,
        other => format!("{other:?}"),
    }
}

/// Makes a login role with the runtime's rights and something more; roles belong to the server, so each has its own name.
async fn role_with(database: &Database<'_>, name: &str, more: &str) -> Store {
    let drop_and_make = format!(
        "DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD E'it''s \\\\ secret' IN ROLE kyb_runtime; {more}"
    );
    let connect = format!("GRANT CONNECT ON DATABASE \"{}\" TO {name}", database.name);
    for statements in [drop_and_make, connect] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
            .execute(&mut database.superuser().await)
            .await
            .unwrap();
    }
    database.store_as(name)
}

#[tokio::test]
async fn the_runtime_role_is_accepted() {
    let database = Database::fresh().await;
    database.store().check().await.unwrap();
    database.store().ping().await.unwrap();
}

#[tokio::test]
async fn a_role_that_could_pass_row_level_security_is_refused() {
    let database = Database::fresh().await;
    assert_eq!(problem(&database.superuser_store()).await, "postgres is a superuser");
    let owner = problem(&database.store_as(MIGRATOR)).await;
    assert!(owner.starts_with("kyb_migrator owns the "), "{owner}");
    let cases = [
        ("test_bypass", "ALTER ROLE test_bypass BYPASSRLS", "test_bypass has BYPASSRLS"),
        ("test_creator", "ALTER ROLE test_creator CREATEROLE", "test_creator may create roles"),
        (
            "test_replicator",
            "ALTER ROLE test_replicator REPLICATION",
            "test_replicator may replicate the whole database",
        ),
        (
            "test_heir",
            "GRANT test_super TO test_heir",
            "test_heir is a member of `test_super`, which is a superuser",
        ),
        (
            "test_files",
            "GRANT pg_read_server_files TO test_files",
            "test_files is a member of `pg_read_server_files`, which may reach the server's files",
        ),
        (
            "test_auditor",
            "GRANT UPDATE ON kyb.audit_events TO test_auditor",
            "test_auditor may change audit events",
        ),
        (
            "test_maker",
            "GRANT CREATE ON SCHEMA kyb TO test_maker",
            "test_maker may create objects in schema kyb",
        ),
    ];
    run(&mut database.superuser().await, "CREATE ROLE test_super SUPERUSER NOLOGIN").await.unwrap();
    for (name, more, expected) in cases {
        let store = role_with(&database, name, "").await;
        store.check().await.unwrap();
        sqlx::raw_sql(more).execute(&mut database.superuser().await).await.unwrap();
        assert_eq!(problem(&store).await, expected);
    }
}

#[tokio::test]
async fn a_member_of_the_owner_is_refused_even_if_it_does_not_inherit() {
    let database = Database::fresh().await;
    let store = role_with(
        &database,
        "test_member",
        "ALTER ROLE test_member NOINHERIT; GRANT kyb_migrator TO test_member",
    )
    .await;
    let found = problem(&store).await;
    assert!(found.starts_with("test_member is a member of `kyb_migrator`, which owns the "), "{found}");
}

#[tokio::test]
async fn a_table_whose_security_was_loosened_is_refused() {
    let loosened = [
        ("ALTER TABLE kyb.checks DISABLE ROW LEVEL SECURITY", "kyb.checks"),
        ("ALTER TABLE kyb.businesses NO FORCE ROW LEVEL SECURITY", "kyb.businesses"),
        ("CREATE POLICY everything ON kyb.decisions USING (true)", "kyb.decisions"),
        ("DROP POLICY rows_of_the_tenant ON kyb.screenings", "kyb.screenings"),
        ("DROP POLICY deleted_only_of_the_erased ON kyb.checks", "kyb.checks"),
    ];
    for (statement, table) in loosened {
        let database = Database::fresh().await;
        run(&mut database.connect(MIGRATOR).await, statement).await.unwrap();
        let found = problem(&database.store()).await;
        assert!(found.contains(table), "{statement}: {found}");
    }
}

#[tokio::test]
async fn another_schema_version_is_refused_with_the_side_to_upgrade() {
    let database = Database::fresh().await;
    let mut owner = database.connect(MIGRATOR).await;
    let newer = "INSERT INTO kyb.migrations VALUES (999, 'later', now(), true, '', 0)";
    run(&mut owner, newer).await.unwrap();
    assert!(problem(&database.store()).await.ends_with("upgrade this program"));
    let refused = setup::migrate(&database.url(MIGRATOR)).await.unwrap_err();
    assert!(refused.to_string().ends_with("upgrade this program"), "{refused}");
    run(&mut owner, "DELETE FROM kyb.migrations WHERE version > 5").await.unwrap();
    assert!(problem(&database.store()).await.ends_with("migrate the database"));
}

#[tokio::test]
async fn a_database_that_was_not_migrated_or_granted_is_refused_with_what_to_do() {
    let database = Database::fresh().await;
    run(&mut database.connect(MIGRATOR).await, "DROP SCHEMA kyb CASCADE").await.unwrap();
    assert!(problem(&database.store()).await.contains("migrate it"));

    let database = Database::fresh().await;
    let store = role_with(&database, "test_stranger", "REVOKE kyb_runtime FROM test_stranger").await;
    assert!(problem(&store).await.contains("`test_stranger` may use"));
}

#[tokio::test]
async fn a_reader_is_no_runtime_role() {
    let database = Database::fresh().await;
    // It passes the check, since it can do less, not more; its writes are refused.
    let refused = database.store_as(READER).lists_revision().await;
    assert!(refused.is_ok());
    let refused = database.store_as(READER).queue_depth().await;
    assert!(refused.is_ok());
    let lease = std::time::Duration::from_secs(1);
    assert!(matches!(database.store_as(READER).take_job(lease).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_server_without_the_roles_is_refused_before_anything_is_made() {
    let server = EphemeralPostgres::start(&Options { durable: false, max_connections: 10 }).unwrap();
    let refused = setup::migrate(&server.superuser_url()).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Schema(what) if what.contains("must exist before migrating")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_password_stands_in_no_error() {
    let database = Database::fresh().await;
    let wrong = database.url("kyb_runtime_login").replace("it%27s", "hunter2");
    let error = Store::lazy(&options(wrong)).unwrap().ping().await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    let error = setup::bootstrap("postgres://a:hunter2@", "x", &login("a"), &login("b"), &login("c"))
        .await
        .unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
}
