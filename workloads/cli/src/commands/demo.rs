//! `kyb demo`: three businesses verified over HTTP, against a platform of its own or one that runs already.

mod cast;
mod stage;

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::Args;

use super::serve;
use crate::{
    exit::{Outcome, Remediable, Unusable},
    output,
    platform::{self, Development, Platform, Signals},
    progress::Progress,
};
use stage::Stage;

/// Verifies three businesses over HTTP and shows what comes back, against a platform that it starts for this.
///
/// A sanctioned company with a misspelt name, an ordinary bakery, and a namesake of a listed company. The exit code is 0
/// only if all three come out as they should. On a terminal it goes on serving until Ctrl-C; elsewhere it ends. With --at
/// it asks a platform that runs already.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kyb demo
  kyb demo --lists ./ofac --keep
  kyb demo --at http://127.0.0.1:8080 --key-file ./key --lists ./ofac")]
pub(crate) struct Demo {
    /// A folder that holds a publisher's own files; the example list of this program where none is given.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    lists: Vec<PathBuf>,
    /// Go on serving until Ctrl-C, terminal or not.
    #[arg(long, conflicts_with = "at")]
    keep: bool,
    /// Where a platform answers already; --lists then says which list it screens against.
    #[arg(long, value_name = "URL", requires_all = ["key_file", "lists"])]
    at: Option<String>,
    /// A file with an API key of that platform.
    #[arg(long, value_name = "FILE", requires = "at")]
    key_file: Option<PathBuf>,
}

impl Demo {
    /// Runs it.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        match (&self.at, &self.key_file) {
            (Some(url), Some(key_file)) => {
                let key = std::fs::read_to_string(key_file).map_err(|error| {
                    let problem = format!("can't read the API key in `{}`", key_file.display());
                    Unusable::new(problem, "give a file that holds the key and nothing else").because(error)
                })?;
                let stage = Stage::new(url.trim_end_matches('/'), key.trim(), &self.lists)?;
                serve::block_on(async { conclude(&stage.play().await?) })
            }
            _ => serve::block_on(self.run_own(progress)),
        }
    }

    /// Starts a platform, plays, and leaves nothing of it.
    async fn run_own(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        let wanted = platform::wanted(self.lists, None);
        let mut signals = Signals::listen()?;
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut platform = tokio::select! {
            platform = Platform::start(any_port, wanted, progress) => platform?,
            () = signals.next() => return Ok(Outcome::Incomplete),
        };
        let played = tokio::select! {
            played = play(&platform) => played,
            () = signals.next() => Err(anyhow::anyhow!("stopped before the end")),
        };
        let goes_on = self.keep || (output::is_interactive() && std::env::var_os("CI").is_none());
        if let (Ok(_), true, Some(development)) = (&played, goes_on, &platform.development) {
            let url = platform.url();
            let more =
                format!("\nstill serving at {url}, until Ctrl-C; try:\n{}", serve::curl(&url, development));
            output::print_bytes(more.as_bytes())?;
            serve::run_until_told(&mut platform, &mut signals).await?;
        }
        platform.stop(&mut signals).await?;
        let outcome = played?;
        progress.note(&format!("done in {:.1} s; nothing is left behind", started.elapsed().as_secs_f64()));
        Ok(outcome)
    }
}

/// Every scene, then what was written down meanwhile.
async fn play(platform: &Platform) -> anyhow::Result<Outcome> {
    let development = platform.development.as_ref().context("the demo runs with settings of its own")?;
    output::print_bytes(serve::about_lists(development).as_bytes())?;
    let stage = Stage::new(&platform.url(), development.key.reveal(), &development.folders)?;
    let mut surprises = stage.play().await?;
    surprises.extend(check_audit(platform, development).await?);
    conclude(&surprises)
}

fn conclude(surprises: &[String]) -> anyhow::Result<Outcome> {
    if surprises.is_empty() {
        output::print_bytes(b"\nall three came out as they should\n")?;
        return Ok(Outcome::Clear);
    }
    let remedy = "look at the answers above; with another list the engines may see it otherwise";
    let problem = format!("the demo did not come out as it should: {}", surprises.join("; "));
    bail!(Remediable { problem, remedy: remedy.to_owned(), source: None })
}

/// The events that the three verifications left, and whether their chain holds.
async fn check_audit(platform: &Platform, development: &Development) -> anyhow::Result<Option<String>> {
    let tenant = platform.store.tenant(&development.tenant);
    let events = tenant.audit_events(0, 100).await?;
    let broken = tenant.verify_audit_chain().await?;
    output::print(|style| {
        let mut text =
            format!("\n{}\n\n", style.paint(output::Tone::Heading, "What was written down for good"));
        for event in &events {
            let (action, short) = (output::word(&event.action), event.hash.get(..12).unwrap_or_default());
            let _ = writeln!(text, "  {} {action} {} {short}…", event.sequence, event.object);
        }
        let verdict = if broken.is_none() { "every hash of the chain holds" } else { "THE CHAIN IS BROKEN" };
        text + &format!("  {verdict}\n")
    })?;
    Ok(match broken {
        Some(broken) => Some(format!("the audit chain is broken at event {}", broken.sequence)),
        None if events.len() < 3 => Some(format!("{} audit events were written, not three", events.len())),
        None => None,
    })
}
