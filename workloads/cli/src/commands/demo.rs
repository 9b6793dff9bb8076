//! `kyb demo`: three businesses verified over HTTP against a platform of its own.

mod cast;

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Args;
use kyb_domain::{
    business::BusinessProfile,
    screening::Match,
    verification::{Verification, VerificationRequest},
};
use serde_json::Value;

use super::serve;
use crate::{
    exit::{Outcome, Remediable},
    lists, output,
    platform::{self, Development, Platform, Signals},
    progress::Progress,
};
use cast::{Cast, Scene};

/// Starts everything, verifies three businesses over HTTP and shows what comes back.
///
/// A sanctioned company with a misspelt name, an ordinary bakery, and a namesake of a listed company. The exit code is 0
/// only if all three come out as they should. On a terminal it goes on serving until Ctrl-C; elsewhere it ends.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kyb demo
  kyb demo --lists ./ofac --keep")]
pub(crate) struct Demo {
    /// A folder that holds a publisher's own files; the example list of this program where none is given.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    lists: Vec<PathBuf>,
    /// Go on serving until Ctrl-C, terminal or not.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    /// Runs it.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        let wanted = platform::wanted(self.lists, None);
        serve::block_on(async {
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
            if let (Ok(()), true, Some(development)) = (&played, goes_on, &platform.development) {
                let url = platform.url();
                let more = format!(
                    "\nstill serving at {url}, until Ctrl-C; try:\n{}",
                    serve::curl(&url, development)
                );
                output::print_bytes(more.as_bytes())?;
                serve::run_until_told(&mut platform, &mut signals).await?;
            }
            platform.stop(&mut signals).await?;
            played?;
            progress
                .note(&format!("done in {:.1} s; nothing is left behind", started.elapsed().as_secs_f64()));
            Ok(Outcome::Clear)
        })
    }
}

/// Every scene, then what was written down meanwhile.
async fn play(platform: &Platform) -> anyhow::Result<()> {
    let development = platform.development.as_ref().context("the demo runs with settings of its own")?;
    let cast = choose(development)?;
    output::print_bytes(serve::about_lists(development).as_bytes())?;
    let client = platform::client()?;
    let mut surprises = vec![];
    for (number, scene) in (1..).zip(cast.scenes()) {
        let verification = ask(&client, &platform.url(), development, number, scene).await?;
        surprises.extend(surprise(scene, &verification));
    }
    show_watchlists(&client, &platform.url(), development).await?;
    surprises.extend(check_audit(platform, development).await?);
    if surprises.is_empty() {
        return output::print_bytes(b"\nall three came out as they should\n");
    }
    let remedy = "look at the answers above; with another list the engines may see it otherwise";
    let problem = format!("the demo did not come out as it should: {}", surprises.join("; "));
    Err(Remediable { problem, remedy: remedy.to_owned(), source: None }.into())
}

fn choose(development: &Development) -> anyhow::Result<Cast> {
    let mut entries = vec![];
    for folder in &development.folders {
        entries.extend(lists::read_folder(folder)?.into_iter().flat_map(|parsed| parsed.watchlist.entries));
    }
    Cast::choose(&entries)
}

async fn ask(
    client: &reqwest::Client,
    url: &str,
    development: &Development,
    number: u32,
    scene: &Scene,
) -> anyhow::Result<Verification> {
    let request = request(scene.business.clone());
    let body = serde_json::to_string_pretty(&request)?;
    output::print(|style| {
        let title = style.paint(output::Tone::Heading, &format!("{number}. {}", scene.title));
        format!("\n{title}\n\nPOST {url}/v1/verifications\n{body}\n\n")
    })?;
    let begun = Instant::now();
    let answer = client
        .post(format!("{url}/v1/verifications"))
        .header("X-API-Key", development.key.reveal())
        .header("Prefer", "wait=20")
        .json(&request)
        .send()
        .await?;
    let (status, took) = (answer.status(), begun.elapsed());
    let text = answer.text().await?;
    if status != reqwest::StatusCode::CREATED {
        bail!("the API answered {status}: {text}");
    }
    let verification: Verification = serde_json::from_str(&text).context("the answer is no verification")?;
    let shown = output::verification::text;
    output::print(|style| format!("{status}, {}\n{}", milliseconds(took), shown(&verification, style)))?;
    Ok(verification)
}

fn request(business: BusinessProfile) -> VerificationRequest {
    VerificationRequest { business, business_id: None, reference: None }
}

fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// What of the answer is not as the scene wants it.
fn surprise(scene: &Scene, verification: &Verification) -> Option<String> {
    let outcome = verification.decision().map(|decision| decision.outcome);
    let screening = verification.findings.as_ref().and_then(|findings| findings.screenings.first());
    let found: Vec<&str> = screening
        .iter()
        .flat_map(|s| s.matches.iter().map(|found: &Match| found.entry_id.as_str()))
        .collect();
    let codes = verification.findings.as_ref().map_or(0, |findings| findings.classification.results.len());
    if !outcome.is_some_and(|outcome| scene.outcomes.contains(&outcome)) {
        return Some(format!("`{}` was to be {:?} and is {outcome:?}", scene.business.name, scene.outcomes));
    }
    match &scene.entry {
        Some(entry) if !found.contains(&entry.as_str()) => {
            Some(format!("entry {entry} is not among the matches of `{}`", scene.business.name))
        }
        None if !found.is_empty() => {
            Some(format!("`{}` is on no list, but entry {} matched", scene.business.name, found[0]))
        }
        None if codes == 0 => Some(format!("`{}` got no industry code", scene.business.name)),
        _ => None,
    }
}

async fn show_watchlists(
    client: &reqwest::Client,
    url: &str,
    development: &Development,
) -> anyhow::Result<()> {
    let url = format!("{url}/v1/watchlists");
    let answer =
        client.get(&url).header("X-API-Key", development.key.reveal()).send().await?.error_for_status()?;
    let answer: Value = serde_json::from_str(&answer.text().await?)?;
    output::print(|style| {
        let title = style.paint(output::Tone::Heading, "The lists behind these answers");
        format!("\n{title}\n\nGET {url}\n{answer:#}\n")
    })
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
