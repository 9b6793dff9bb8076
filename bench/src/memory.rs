//! Resident memory of the gateway with a list, settled and while another version is swapped in, beside the same gateway
//! without lists.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use kyb_e2e::{
    Client, ListPlan, Plan, Platform,
    lists::{self, ListFile},
    waiting::until,
};

use crate::{
    Setup,
    figure::{Figure, print_pair},
    rounds::{Pair, median},
};

/// The most that is allowed, settled, in MiB.
const SETTLED_LIMIT: f64 = 128.0;
/// The most that is allowed during a swap, as a multiple of settled.
const PEAK_LIMIT: f64 = 1.5;
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// After the last change, before memory counts as settled.
const SETTLES_IN: Duration = Duration::from_secs(2);

/// With what the publisher ends its files.
const END_OF_FILE: u8 = 0x1a;

/// What one round gave, in MiB.
struct Round {
    settled: f64,
    peak: f64,
    afterwards: f64,
    without_lists: f64,
}

/// Prints memory settled, at its peak during a swap, and afterwards.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    lists::write(folder.path(), &lists::files(&setup.lists)?)?;
    let mut with_list =
        Platform::start(Plan { lists: vec![ListPlan::ofac(folder.path())], ..Plan::new() }).await?;
    let mut without = Platform::start(Plan::new()).await?;
    let mut rounds = Vec::new();
    for number in 1..=setup.rounds {
        let round = round(&mut with_list, &mut without, folder.path(), number).await?;
        eprintln!(
            "memory: round {number} of {}: {:.1} MiB, {:.1} at the peak, {:.1} afterwards, {:.1} without lists",
            setup.rounds, round.settled, round.peak, round.afterwards, round.without_lists
        );
        rounds.push(round);
    }
    let pairs: Vec<_> = rounds.iter().map(|round| (round.settled, round.without_lists)).collect();
    let pair = Pair::of(&pairs);
    print_pair("gateway_memory_settled", "MiB", &pair);
    Figure::new("gateway_memory_settled_limit", SETTLED_LIMIT, "MiB").print();
    let peak = median(rounds.iter().map(|round| round.peak));
    Figure::new("gateway_memory_peak_during_swap", peak, "MiB").beside(pair.ours).print();
    let times = median(rounds.iter().map(|round| round.peak / round.settled));
    Figure::new("gateway_memory_peak_during_swap_ratio", times, "x").print();
    Figure::new("gateway_memory_peak_during_swap_ratio_limit", PEAK_LIMIT, "x").print();
    let afterwards = median(rounds.iter().map(|round| round.afterwards));
    Figure::new("gateway_memory_after_swap", afterwards, "MiB").beside(pair.ours).print();
    Ok(())
}

async fn round(
    with_list: &mut Platform,
    without: &mut Platform,
    folder: &Path,
    number: u32,
) -> anyhow::Result<Round> {
    with_list.replace_gateway().await?;
    with_list.ready().await?;
    let client = with_list.client("acme")?;
    with_list.fresh(&client).await?;
    tokio::time::sleep(SETTLES_IN).await;
    let pid = with_list.gateway()?.pid();
    let settled = resident(pid)?;
    let before = version(with_list, &client).await?;
    add_an_entry(folder, number)?;
    let peak = peak_until_swapped(with_list, &client, pid, &before).await?;
    let afterwards = resident(pid)?;

    without.replace_gateway().await?;
    without.ready().await?;
    tokio::time::sleep(SETTLES_IN).await;
    let without_lists = resident(without.gateway()?.pid())?;
    Ok(Round { settled, peak, afterwards, without_lists })
}

/// Samples until another version is in use and memory has settled.
async fn peak_until_swapped(
    platform: &Platform,
    client: &Client,
    pid: u32,
    before: &str,
) -> anyhow::Result<f64> {
    let (done, mut swapped) = tokio::sync::oneshot::channel();
    let sampling = tokio::task::spawn_blocking(move || -> anyhow::Result<f64> {
        let mut peak = 0.0_f64;
        while swapped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            peak = peak.max(resident(pid)?);
            std::thread::sleep(SAMPLE_EVERY);
        }
        Ok(peak)
    });
    let began = Instant::now();
    until("the swap", Duration::from_mins(1), || async {
        let now = version(platform, client).await?;
        ensure!(now != before, "still {now}");
        Ok(())
    })
    .await
    .with_context(|| platform.logs_of_programs())?;
    eprintln!("memory: swapped after {:.1} s", began.elapsed().as_secs_f64());
    tokio::time::sleep(SETTLES_IN).await;
    let _ = done.send(()); // the sampler may have failed, which its result says
    sampling.await?
}

async fn version(platform: &Platform, client: &Client) -> anyhow::Result<String> {
    let lists = platform.watchlists(client).await?;
    let version = lists.first().and_then(|list| list["version"]["sha256"].as_str());
    Ok(version.context("no version in use")?.to_owned())
}

/// A new version of the list: one organisation more, with a row for its address, without which `add.csv` would look cut off.
fn add_an_entry(folder: &Path, number: u32) -> anyhow::Result<()> {
    let id = 9_000_000 + number;
    let entry = format!("{id},\"ADDED COMPANY {number}\",-0- ,\"SDGT\"{}", ",-0- ".repeat(8));
    let address = format!("{id},{id},-0- ,-0- ,\"Cuba\",-0- ");
    let mut changed = lists::files(folder)?;
    for (name, line) in [("sdn.csv", entry), ("add.csv", address)] {
        let named = |file: &&mut ListFile| file.name.eq_ignore_ascii_case(name);
        let file = changed.iter_mut().find(named).with_context(|| format!("the list has no {name}"))?;
        file.bytes = with_line(&file.bytes, &line);
    }
    lists::write(folder, &changed)
}

/// The file with one line more, and the publisher's mark again at its end if it was there.
fn with_line(file: &[u8], line: &str) -> Vec<u8> {
    let marked = file.last() == Some(&END_OF_FILE);
    let whole = file.strip_suffix(&[END_OF_FILE]).unwrap_or(file).trim_ascii_end();
    [whole, b"\r\n", line.as_bytes(), if marked { b"\r\n\x1a" } else { b"\r\n" }].concat()
}

/// Resident memory of a process in MiB.
pub(crate) fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
