//! A throw-away PostgreSQL with the platform's roles and schema.

use std::sync::Arc;

use anyhow::Context as _;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_store::setup::{self, RoleLogin};

/// The database's name.
const DATABASE: &str = "kyb";

/// A running server with the database `kyb`, its three roles and its schema.
#[derive(Debug)]
pub struct Database {
    server: Arc<EphemeralPostgres>,
    password: String,
}

impl Database {
    /// Starts a server and migrates it. `durable`: commits reach the disk before they are acknowledged.
    pub async fn start(durable: bool) -> anyhow::Result<Self> {
        let options = Options { durable, max_connections: 100 };
        let server = tokio::task::spawn_blocking(move || EphemeralPostgres::start(&options)).await??;
        let password = uuid::Uuid::now_v7().simple().to_string();
        let login = |name: &str| RoleLogin { name: name.to_owned(), password: password.clone() };
        let (migrator, runtime, reader) = (login("kyb_migrator"), login("kyb_runtime"), login("kyb_reader"));
        setup::bootstrap(&server.superuser_url(), DATABASE, &migrator, &runtime, &reader)
            .await
            .context("can't make the database, its roles and its schema")?;
        Ok(Self { server: Arc::new(server), password })
    }

    /// The server, to be broken.
    pub fn server(&self) -> &Arc<EphemeralPostgres> {
        &self.server
    }

    /// What gateway and worker connect with.
    pub fn runtime_url(&self) -> String {
        self.server.url("kyb_runtime", &self.password, DATABASE)
    }

    /// What owns the schema; programs that serve must refuse it.
    pub fn owner_url(&self) -> String {
        self.server.url("kyb_migrator", &self.password, DATABASE)
    }

    /// The superuser in the platform's database; programs that serve must refuse it.
    pub fn superuser_url(&self) -> String {
        self.server.superuser_url().replace("/postgres?", &format!("/{DATABASE}?"))
    }

    /// The password of the roles, to look for where it must not be.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// A pool of the runtime role, for what a test must look up behind the API's back.
    pub fn store(&self) -> anyhow::Result<kyb_store::Store> {
        Ok(kyb_store::Store::lazy(&kyb_store::ConnectOptions {
            url: self.runtime_url(),
            max_connections: 8,
            acquire_timeout: std::time::Duration::from_secs(5),
            statement_timeout: std::time::Duration::from_secs(30),
        })?)
    }
}
