//! The whole platform on loopback: database, settings, gateway and worker.
//!
//! Gateway and worker run as the real programs or inside this process. The programs are what is shipped; inside is for
//! tests that need other bounds than the programs offer.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kyb_worker::WorkerOptions;
use serde_json::Value;

use crate::{
    binaries,
    client::Client,
    database::Database,
    inside::Inside,
    program::Program,
    settings::{ListPlan, SettingsFolder, TenantPlan},
    waiting::until,
};

/// How long a start may take on a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// Where a part runs.
#[derive(Debug, Clone, Default)]
pub enum Host<Options> {
    /// As the real program.
    #[default]
    Program,
    /// Inside this process, with options of its own.
    Inside(Options),
    /// Not at all.
    Nowhere,
}

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Whether commits reach the disk before they are acknowledged.
    pub durable: bool,
    /// The tenants.
    pub tenants: Vec<TenantPlan>,
    /// The wanted lists.
    pub lists: Vec<ListPlan>,
    /// Where the gateway runs.
    pub gateway: Host<()>,
    /// Where the worker runs.
    pub worker: Host<WorkerOptions>,
}

impl Plan {
    /// Tenants `acme` and `umbrella` with the default policy, no lists, not durable, real programs.
    pub fn new() -> Self {
        Self { tenants: vec![TenantPlan::new("acme"), TenantPlan::new("umbrella")], ..Self::default() }
    }
}

/// A part that runs.
enum Part {
    Program(Program),
    Inside { _running: Inside },
    Nowhere,
}

/// The running platform; everything is gone when it is dropped or when this process dies.
pub struct Platform {
    // In the order of their drops: whoever uses the database goes first.
    gateway: Part,
    worker: Part,
    /// The settings folder that both watch.
    pub settings: SettingsFolder,
    /// The database.
    pub database: Database,
    logs: tempfile::TempDir,
    port: u16,
    client: Client,
}

impl Platform {
    /// Starts everything and waits until the gateway is ready.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let database = Database::start(plan.durable).await?;
        let platform = Self::on(database, plan).await?;
        platform.ready().await?;
        Ok(platform)
    }

    /// Starts gateway and worker on this database and waits for nothing.
    pub async fn on(database: Database, plan: Plan) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut platform = Self {
            gateway: Part::Nowhere,
            worker: Part::Nowhere,
            settings: SettingsFolder::write(&plan.tenants, &plan.lists)?,
            database,
            logs: tempfile::tempdir()?,
            port,
            client: Client::new(format!("http://127.0.0.1:{port}"))?,
        };
        platform.gateway = match plan.gateway {
            Host::Program => Part::Program(platform.start_program("kyb-gateway", port).await?),
            Host::Inside(()) => Part::Inside {
                _running: Inside::gateway(&platform.settings, &platform.database, port).await?,
            },
            Host::Nowhere => Part::Nowhere,
        };
        platform.worker = match plan.worker {
            Host::Program => Part::Program(platform.start_program("kyb-worker", 0).await?),
            Host::Inside(options) => {
                Part::Inside { _running: Inside::worker(&platform.settings, &platform.database, options)? }
            }
            Host::Nowhere => Part::Nowhere,
        };
        Ok(platform)
    }

    /// A client without a key.
    pub fn anonymous(&self) -> &Client {
        &self.client
    }

    /// A client with a tenant's key.
    pub fn client(&self, tenant: &str) -> anyhow::Result<Client> {
        Ok(self.client.with_key(self.settings.key(tenant)?))
    }

    /// The gateway's loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The gateway as a program.
    pub fn gateway(&mut self) -> anyhow::Result<&mut Program> {
        match &mut self.gateway {
            Part::Program(program) => Ok(program),
            Part::Inside { .. } | Part::Nowhere => anyhow::bail!("the gateway is no program here"),
        }
    }

    /// Kills the gateway (SIGKILL) and starts another one on the same port.
    pub async fn replace_gateway(&mut self) -> anyhow::Result<()> {
        self.gateway()?.kill()?;
        self.gateway = Part::Program(self.start_program("kyb-gateway", self.port).await?);
        Ok(())
    }

    /// Waits until `/ready` answers 200: the database answers and every wanted list is in use.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let ready = until("/ready", STARTS_WITHIN, || async {
            let answer = self.client.get("/ready").await?;
            ensure!(answer.status == 200, "/ready answered {}: {}", answer.status, answer.body);
            Ok(())
        });
        ready.await.with_context(|| self.logs_of_programs())
    }

    /// The wanted lists as `GET /v1/watchlists` shows them.
    pub async fn watchlists(&self, client: &Client) -> anyhow::Result<Vec<Value>> {
        let lists = client.get("/v1/watchlists").await?.expect(200)?;
        Ok(lists["watchlists"].as_array().with_context(|| format!("no lists in {lists}"))?.clone())
    }

    /// Waits until every wanted list is in use and fresh.
    pub async fn fresh(&self, client: &Client) -> anyhow::Result<()> {
        until("fresh lists", STARTS_WITHIN, || async {
            let lists = self.watchlists(client).await?;
            ensure!(lists.iter().all(|list| list["fresh"] == true), "{lists:?}");
            Ok(())
        })
        .await
        .with_context(|| self.logs_of_programs())
    }

    /// `GET /metrics`: the value of the series of this name with a label of this value.
    pub async fn metric(&self, name: &str, label: &str) -> anyhow::Result<f64> {
        let answer = self.client.get("/metrics").await?;
        ensure!(answer.status == 200, "/metrics answered {}", answer.status);
        let labelled =
            |line: &&str| line.starts_with(&format!("{name}{{")) && line.contains(&format!("=\"{label}\""));
        let line = answer.body.lines().find(labelled);
        let line = line.with_context(|| format!("no {name} for {label} in\n{}", answer.body))?;
        Ok(line.rsplit(' ').next().unwrap_or_default().parse()?)
    }

    /// What the programs printed, for a failure's context.
    pub fn logs_of_programs(&self) -> String {
        let parts = [("gateway", &self.gateway), ("worker", &self.worker)];
        let log = |(name, part): (&str, &Part)| match part {
            Part::Program(program) => format!("--- {name}:\n{}\n", last_lines(&program.log())),
            Part::Inside { .. } | Part::Nowhere => String::new(),
        };
        parts.map(log).concat()
    }

    async fn start_program(&self, name: &'static str, port: u16) -> anyhow::Result<Program> {
        let log = self.logs.path().join(name);
        let arguments = arguments(name, port, &self.settings);
        let url = self.database.runtime_url();
        tokio::task::spawn_blocking(move || {
            let binary = binaries::ensure_built()?.join(name);
            let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
            // No load balancer has to notice a stop here.
            let no_delay = ("KYB_DRAIN_DELAY", "0".to_owned());
            Program::start(
                &binary,
                &arguments,
                &[("KYB_DATABASE_URL", url), ("RUST_LOG", level), no_delay],
                &log,
            )
        })
        .await?
    }
}

/// The arguments with which `kyb-gateway` or `kyb-worker` serves on a loopback port with these settings.
pub fn arguments(program: &str, port: u16, settings: &SettingsFolder) -> Vec<String> {
    let (listen, settings) = (format!("127.0.0.1:{port}"), settings.path().display().to_string());
    let serve = ["--listen".to_owned(), listen, "--settings".to_owned(), settings];
    let command = (program == "kyb-worker").then(|| "run".to_owned());
    command.into_iter().chain(serve).collect()
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(30).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
