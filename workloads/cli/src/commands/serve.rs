//! `kyb serve`: the whole API on loopback with a throw-away PostgreSQL.

use std::{fmt::Write as _, future::Future, net::SocketAddr, path::PathBuf};

use clap::Args;
use kyb_telemetry::logs::{self, LogOptions};

use crate::{
    exit::Outcome,
    output,
    platform::{self, Development, Platform, Signals},
    progress::Progress,
};

/// Runs the whole API on loopback with a throw-away PostgreSQL, until Ctrl-C.
///
/// Needs the programs of PostgreSQL 15 or later on this machine, nothing else. Database, worker and gateway belong to this
/// process: when it ends, however it ends, nothing is left. Without --settings there is one tenant, `demo`, whose new API
/// key is printed once. Without --lists a small example list is used, which is good for trying and for nothing else.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kyb serve --lists ./ofac ./un
  kyb serve --listen 127.0.0.1:0 --settings ./settings

Log lines go to standard error and follow RUST_LOG (info where unset); --quiet keeps them back.")]
pub(crate) struct Serve {
    /// A loopback address; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// A folder that holds a publisher's own files, or sub-folders of such.
    #[arg(long, num_args = 1.., value_name = "DIR", conflicts_with = "settings")]
    lists: Vec<PathBuf>,
    /// A folder with platform.yaml and one tenant-ID.yaml for each tenant, watched for changes.
    #[arg(long, value_name = "DIR")]
    settings: Option<PathBuf>,
}

impl Serve {
    /// Serves until told to stop.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let wanted = platform::wanted(self.lists, self.settings);
        block_on(async {
            let logs = LogOptions { service: "kyb", json: false, otlp_endpoint: None };
            let _telemetry = if progress.is_quiet() { None } else { Some(logs::init(&logs)?) };
            let mut signals = Signals::listen()?;
            let mut platform = tokio::select! {
                platform = Platform::start(self.listen, wanted, progress) => platform?,
                () = signals.next() => return Ok(Outcome::Clear),
            };
            output::print_bytes(announcement(&platform).as_bytes())?;
            run_until_told(&mut platform, &mut signals).await?;
            progress.note("stopping…");
            platform.stop(&mut signals).await?;
            Ok(Outcome::Clear)
        })
    }
}

/// Runs a future on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

/// Waits for a signal; a part that ends by itself is an error.
pub(super) async fn run_until_told(platform: &mut Platform, signals: &mut Signals) -> anyhow::Result<()> {
    tokio::select! {
        () = signals.next() => Ok(()),
        error = platform.failed() => Err(error),
    }
}

/// Where it answers, and how to ask.
fn announcement(platform: &Platform) -> String {
    let url = platform.url();
    let mut text = format!("ready at {url}; documentation at {url}/docs\n");
    if let Some(development) = &platform.development {
        text.push_str(&about_lists(development));
        // writing to a String can't fail
        let (tenant, key) = (&development.tenant, development.key.reveal());
        let _ = writeln!(text, "tenant {tenant}, API key (shown once): {key}");
        let _ = write!(text, "try:\n{}", curl(&url, development));
    }
    text + "Ctrl-C stops it; nothing is kept\n"
}

/// Which lists are in use, and loudly so where it is the example.
pub(super) fn about_lists(development: &Development) -> String {
    let versions = development
        .versions
        .iter()
        .map(|version| format!("list {} {} ({} entries)\n", version.list, version.label(), version.entries));
    let mut text: String = versions.collect();
    if development.is_example {
        text.push_str("!! EXAMPLE LIST: a handful of well-known entries, for trying only; give --lists DIR for real ones !!\n");
    }
    text
}

/// A request to copy.
pub(super) fn curl(url: &str, development: &Development) -> String {
    format!(
        "  curl -s {url}/v1/verifications -H 'X-API-Key: {}' -H 'Content-Type: application/json' \\\n       \
         -d '{{\"business\": {{\"name\": \"Rosoboroneksport OAO\", \"country\": \"RU\"}}}}'\n",
        development.key.reveal()
    )
}
