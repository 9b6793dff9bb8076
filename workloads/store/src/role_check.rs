//! What the programs refuse at start-up: a role that could pass row-level security, a schema that is not theirs, and a
//! table whose security is off.

use sqlx::PgPool;

use crate::{StoreError, setup::SCHEMA_VERSION};

/// The first thing that is wrong with the role that logged in, or with a role it is a member of and so could become.
/// `session_user`, because SET ROLE can be undone. The order is that of severity.
const PROBLEM: &str = "
    WITH mine AS (
        SELECT r.* FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER')
    ), owned AS (
        SELECT relowner AS owner, 'table ' || relname AS what FROM pg_class WHERE relnamespace = to_regnamespace('kyb')
        UNION ALL SELECT proowner, 'function ' || proname FROM pg_proc WHERE pronamespace = to_regnamespace('kyb')
        UNION ALL SELECT nspowner, 'schema kyb' FROM pg_namespace WHERE nspname = 'kyb'
        UNION ALL SELECT datdba, 'database' FROM pg_database WHERE datname = current_database()
    ), problems AS (
        SELECT 1 AS rank, rolname, 'is a superuser' AS what FROM mine WHERE rolsuper
        UNION ALL SELECT 2, rolname, 'has BYPASSRLS' FROM mine WHERE rolbypassrls
        UNION ALL SELECT 3, rolname, 'owns the ' || o.what FROM mine JOIN owned o ON o.owner = mine.oid
        UNION ALL SELECT 4, rolname, 'may create roles' FROM mine WHERE rolcreaterole
        UNION ALL SELECT 5, rolname, 'may replicate the whole database' FROM mine WHERE rolreplication
        UNION ALL SELECT 6, rolname, 'may reach the server''s files' FROM mine
            WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        UNION ALL SELECT 7, session_user, 'may create objects in schema kyb'
            WHERE has_schema_privilege(session_user, to_regnamespace('kyb'), 'CREATE')
        UNION ALL SELECT 8, session_user, 'may change audit events'
            FROM pg_class WHERE relnamespace = to_regnamespace('kyb') AND relname = 'audit_events'
            AND has_table_privilege(session_user, oid, 'UPDATE, DELETE, TRUNCATE')
    )
    SELECT session_user::text, CASE WHEN rolname = session_user THEN what
        ELSE 'is a member of `' || rolname || '`, which ' || what END
    FROM problems ORDER BY rolname <> session_user, rank LIMIT 1";

pub(crate) async fn refuse_unsafe_role(pool: &PgPool) -> Result<(), StoreError> {
    let found: Option<(String, String)> = sqlx::query_as(PROBLEM).fetch_optional(pool).await?;
    match found {
        Some((role, problem)) => Err(StoreError::UnsafeRole { role, problem }),
        None => Ok(()),
    }
}

pub(crate) async fn refuse_other_schema(pool: &PgPool) -> Result<(), StoreError> {
    // Not by `kyb.migrations::regclass`, which is an error where the schema may not be used.
    const READABLE: &str = "SELECT has_schema_privilege(to_regnamespace('kyb'), 'USAGE') IS TRUE AND EXISTS (
        SELECT FROM pg_class WHERE relnamespace = to_regnamespace('kyb') AND relname = 'migrations'
        AND has_table_privilege(oid, 'SELECT')), session_user::text";
    let (readable, role): (bool, String) = sqlx::query_as(READABLE).fetch_one(pool).await?;
    if !readable {
        return Err(StoreError::Schema(format!(
            "the database has no schema `kyb` that role `{role}` may use; migrate it, and make the role `kyb_runtime` or a \
             member of it (see docs/data-store.md)"
        )));
    }
    let found: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM kyb.migrations").fetch_one(pool).await?;
    let found = found.unwrap_or(0);
    match found.cmp(&SCHEMA_VERSION) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(StoreError::Schema(format!(
            "the database's schema is version {found} and this program needs {SCHEMA_VERSION}; migrate the database"
        ))),
        std::cmp::Ordering::Greater => Err(StoreError::Schema(format!(
            "the database's schema is version {found} and this program knows {SCHEMA_VERSION}; upgrade this program"
        ))),
    }
}

/// Tables with a tenant (but the queues, which hold ids and times only) whose security is off, not forced, or loosened
/// by a policy that is not ours, or by the lack of the one that lets rows of erased tenants only be deleted.
const OPEN_TABLE: &str = "
    SELECT c.relname::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = to_regnamespace('kyb') AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('jobs', 'batch_slices', 'monitor_watches')
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity
        AND ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid AND polpermissive)
            = ARRAY['rows_of_the_tenant']
        AND ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid AND NOT polpermissive)
            = CASE WHEN c.relname IN ('verifications', 'checks', 'decisions', 'screenings', 'api_usage',
                'match_decisions', 'suppressions', 'batches', 'batch_items',
                'monitors', 'monitor_alerts')
                THEN ARRAY['deleted_only_of_the_erased'] ELSE ARRAY[]::text[] END)
    ORDER BY 1 LIMIT 1";

pub(crate) async fn refuse_open_tables(pool: &PgPool) -> Result<(), StoreError> {
    let open: Option<String> = sqlx::query_scalar(OPEN_TABLE).fetch_optional(pool).await?;
    match open {
        Some(table) => Err(StoreError::Schema(format!(
            "row-level security of table kyb.{table} is off, not forced, or changed; restore the policies of its migration"
        ))),
        None => Ok(()),
    }
}
