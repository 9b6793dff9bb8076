//! Verifying over HTTP, recorded and audited in a durable PostgreSQL, beside `pgbench` with single-insert transactions on
//! the same server over as many connections.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use kyb_e2e::{ListPlan, Plan, Platform, TenantPlan, names::ORDINARY_FIRMS};
use serde_json::json;

use crate::{
    Setup,
    figure::{Figure, print_pair},
    load::{self, Requests},
    rounds::{alternate, median},
};

/// One row, one transaction.
const TABLE: &str =
    "CREATE TABLE bench_insert (id bigserial PRIMARY KEY, tenant text, at timestamptz, body text)";
const INSERT: &str =
    "INSERT INTO bench_insert (tenant, at, body) VALUES ('acme', now(), 'a verification');\n";

/// Prints verifications per second of one tenant and of eight, whose audit chains do not wait for one another.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let tenants: Vec<TenantPlan> =
        (1..=8).map(|number| TenantPlan::new(&format!("tenant-{number}"))).collect();
    let lists = vec![ListPlan { refresh_seconds: 3600, ..ListPlan::ofac(&setup.lists) }];
    let platform = Platform::start(Plan { durable: true, tenants, lists, ..Plan::default() }).await?;
    let folder = tempfile::tempdir()?;
    let pgbench = Pgbench::new(platform.database.superuser_url(), folder.path())?;
    let gateway = SocketAddr::from(([127, 0, 0, 1], platform.port()));
    for tenants in [1, 8] {
        let keys: Vec<String> = (1..=tenants)
            .map(|number| platform.settings.key(&format!("tenant-{number}")).map(str::to_owned))
            .collect::<anyhow::Result<_>>()?;
        let requests: Requests = Arc::new(move |connection, number| {
            let (name, country) = ORDINARY_FIRMS[(connection * 7 + number) % ORDINARY_FIRMS.len()];
            let body = json!({"business": {"name": name, "country": country}});
            load::post("/v1/verifications", &keys[connection % keys.len()], &body)
        });
        let mut latencies = Vec::new();
        load::run(gateway, setup.connections, Duration::from_secs(1), 201, &requests).await?; // warm
        let name =
            format!("post_verification_per_second_{tenants}_tenant{}", if tenants == 1 { "" } else { "s" });
        let ours = async || -> anyhow::Result<f64> {
            let measured = load::run(gateway, setup.connections, setup.round, 201, &requests).await?;
            latencies.push(measured.p99_us);
            Ok(measured.per_second)
        };
        let pair = alternate(&name, setup.rounds, ours, async || pgbench.run(setup)).await?;
        print_pair(&name, "1/s", &pair);
        Figure::new(&format!("{name}_p99"), median(latencies.into_iter()), "us").print();
    }
    Ok(())
}

/// PostgreSQL's own load generator.
struct Pgbench {
    binaries: PathBuf,
    url: String,
    script: PathBuf,
}

impl Pgbench {
    fn new(url: String, folder: &Path) -> anyhow::Result<Self> {
        let binaries =
            binaries().context("no `pgbench` found beside PostgreSQL; install postgresql-contrib")?;
        let created = Command::new(binaries.join("psql")).args([&url, "-q", "-c", TABLE]).output()?;
        ensure!(created.status.success(), "psql: {}", String::from_utf8_lossy(&created.stderr));
        let script = folder.join("insert.sql");
        std::fs::write(&script, INSERT)?;
        Ok(Self { binaries, url, script })
    }

    /// Transactions per second.
    fn run(&self, setup: &Setup) -> anyhow::Result<f64> {
        let output = Command::new(self.binaries.join("pgbench"))
            .args([
                "-n",
                "-j",
                "2",
                "-c",
                &setup.connections.to_string(),
                "-T",
                &setup.round.as_secs().to_string(),
                "-f",
            ])
            .arg(&self.script)
            .arg(&self.url)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        let line =
            said.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench names no tps")?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    }
}

/// The folder of PostgreSQL's programs: `KYB_POSTGRES_BIN`, else the newest of Debian's, else from `PATH`.
fn binaries() -> Option<PathBuf> {
    let named = std::env::var_os("KYB_POSTGRES_BIN").map(PathBuf::from);
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|majors| majors.flatten().map(|major| major.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    named
        .into_iter()
        .chain(debian.into_iter().rev())
        .chain(path)
        .find(|folder| folder.join("pgbench").is_file())
}
