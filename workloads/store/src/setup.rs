//! What the migrator does: schema, roles, grants.

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{StoreError, connect};

/// The version of the schema that this program speaks: the number of the last migration.
pub const SCHEMA_VERSION: i64 = 18;

/// The roles that the migrations grant rights to. The programs' logins are these roles themselves or members of them.
const GRANTEES: [&str; 2] = ["kyb_runtime", "kyb_reader"];

/// A role to create or to set the password of.
#[derive(Clone)]
pub struct RoleLogin {
    /// Its name.
    pub name: String,
    /// Its password. Never printed.
    pub password: String,
}

/// Without the password.
impl std::fmt::Debug for RoleLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleLogin").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Runs the embedded migrations as the migrator and grants the runtime and the reader role what they need.
/// Idempotent; safe to run from several processes at once. The roles `kyb_runtime` and `kyb_reader` must exist.
pub async fn migrate(migrator_url: &str) -> Result<(), StoreError> {
    migrate_with(&connect::parse(migrator_url)?).await
}

async fn migrate_with(options: &PgConnectOptions) -> Result<(), StoreError> {
    // A pool of one, because sqlx can't prove the future over a bare connection to be `Send`.
    let session = options.clone().application_name("kyb-migrate");
    let pool = PgPoolOptions::new().max_connections(1).connect_with(session).await?;
    let roles: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1)")
        .bind(GRANTEES)
        .fetch_one(&pool)
        .await?;
    if roles < 2 {
        let what = "the roles `kyb_runtime` and `kyb_reader` must exist before migrating; create them (see docs/data-store.md)";
        return Err(StoreError::Schema(what.to_owned()));
    }
    // In the schema itself, since nobody may create tables in `public` any more (PostgreSQL 15).
    let mut migrator: Migrator = sqlx::migrate!();
    migrator.create_schema("kyb");
    migrator.dangerous_set_table_name("kyb.migrations");
    migrator.run(&pool).await.map_err(migration_failed)?;
    pool.close().await;
    Ok(())
}

fn migration_failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(version) => StoreError::Schema(format!(
            "the database was migrated by a newer program (migration {version} is unknown to this one); upgrade this program"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Schema(format!(
            "migration {version} was applied in another form than this program's; the database belongs to another build"
        )),
        other => StoreError::Schema(format!("the database can't be migrated: {other}")),
    }
}

/// For development and tests, as a superuser: makes the database, the migrator, the runtime and the reader role, and migrates.
/// What exists already stays, but for passwords, which are set.
pub async fn bootstrap(
    superuser_url: &str,
    database: &str,
    migrator: &RoleLogin,
    runtime: &RoleLogin,
    reader: &RoleLogin,
) -> Result<(), StoreError> {
    let superuser = connect::parse(superuser_url)?;
    let mut connection = superuser.clone().application_name("kyb-bootstrap").connect().await?;
    // Roles belong to the whole server, and PostgreSQL does not queue concurrent changes of one role by itself.
    sqlx::query("SELECT pg_advisory_lock(1802068323)").execute(&mut connection).await?;
    // A failing statement with a password in it must not stand in the server's log.
    run(&mut connection, "SET log_min_error_statement = 'panic'; SET log_statement = 'none'".to_owned())
        .await?;
    make_roles(&mut connection, [migrator, runtime, reader]).await?;
    make_database(&mut connection, database, [migrator, runtime, reader]).await?;
    connection.close().await?; // frees the lock
    migrate_with(&superuser.username(&migrator.name).password(&migrator.password).database(database)).await
}

async fn make_roles(
    connection: &mut PgConnection,
    [migrator, runtime, reader]: [&RoleLogin; 3],
) -> Result<(), StoreError> {
    for group in GRANTEES {
        if !role_exists(connection, group).await? {
            run(connection, format!("CREATE ROLE {group} NOLOGIN")).await?;
        }
    }
    for role in [migrator, runtime, reader] {
        let name = quoted_name(&role.name)?;
        if !role_exists(connection, &role.name).await? {
            run(connection, format!("CREATE ROLE {name}")).await?;
        }
        let password = quoted_text(&role.password)?;
        let rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION";
        run(connection, format!("ALTER ROLE {name} {rights} PASSWORD {password}")).await?;
    }
    for (group, role) in GRANTEES.into_iter().zip([runtime, reader]) {
        if role.name != group {
            run(connection, format!("GRANT {group} TO {}", quoted_name(&role.name)?)).await?;
        }
    }
    Ok(())
}

async fn make_database(
    connection: &mut PgConnection,
    database: &str,
    roles: [&RoleLogin; 3],
) -> Result<(), StoreError> {
    let name = quoted_name(database)?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut *connection)
        .await?;
    let owner = quoted_name(&roles[0].name)?;
    if !exists {
        run(connection, format!("CREATE DATABASE {name} OWNER {owner}")).await?;
    }
    run(connection, format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")).await?;
    for role in roles {
        run(connection, format!("GRANT CONNECT ON DATABASE {name} TO {}", quoted_name(&role.name)?)).await?;
    }
    Ok(())
}

async fn role_exists(connection: &mut PgConnection, name: &str) -> Result<bool, StoreError> {
    let call = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)");
    Ok(call.bind(name).fetch_one(connection).await?)
}

/// Runs a statement that can't have parameters; whatever stands in it was quoted here.
async fn run(connection: &mut PgConnection, statement: String) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

fn quoted_name(name: &str) -> Result<String, StoreError> {
    if name.is_empty() || name.len() > 63 || name.contains('\0') {
        let rule = "names of roles and databases must have 1 to 63 bytes and no NUL";
        return Err(StoreError::Configuration(rule.to_owned()));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// With `E''`, so that a backslash means the same whatever the server's settings.
fn quoted_text(text: &str) -> Result<String, StoreError> {
    if text.contains('\0') {
        return Err(StoreError::Configuration("a password must not contain NUL".to_owned()));
    }
    Ok(format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_version_is_that_of_the_last_migration() {
        let migrator: Migrator = sqlx::migrate!();
        assert_eq!(migrator.iter().map(|migration| migration.version).max(), Some(SCHEMA_VERSION));
    }

    #[test]
    fn names_and_passwords_are_quoted() {
        assert_eq!(quoted_name("a\"b").unwrap(), "\"a\"\"b\"");
        assert_eq!(quoted_text("it's a \\").unwrap(), "E'it''s a \\\\'");
        assert!(quoted_name("").is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        let login = RoleLogin { name: "kyb_runtime".to_owned(), password: "hunter2".to_owned() };
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
