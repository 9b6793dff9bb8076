//! Whether the operator arrives where it would have arrived had nothing gone wrong, whatever goes wrong on the way, once.
//!
//! ```text
//! story, without faults ─► reference: each step's requests and events, and how it ends
//!                              │
//!                              ├─ each request and event × each fault that can befall it ─► plans
//!                              ▼
//! story, a plan a step ─► the same end? nothing made or deleted once more? no write after that? ─► matrix
//! ```
//!
//! One operator and one API server play many stories at the same time, each with a scope of its own, by whose name `kyb-faults` tells
//! whose requests are whose. Plans that end the process strike one at a time: each ends the only operator, whose next life begins at
//! once.
//!
//! | module | what |
//! |---|---|
//! | [`scenario`] | the stories: every kind made, changed in every section, deleted, made again; others who write, too |
//! | [`plans`] | what can go wrong in a step |
//! | [`campaign`] | which plans are tried, in which play of which story |
//! | [`run`] | one play, and its verdict |
//! | [`oracle`] | when two scopes are in the same state |
//! | [`world`] | what the API server has, for the oracle |
//! | [`operator`] | the operator under test, life after life |
//! | [`stage`], [`stand_ins`] | the API server, and what does a node's and a worker's part |
//! | [`matrix`] | the counts |
//! | [`paused`] | another operator, whose lease has passed |
//! | [`twins`] | that the harness would notice |
//!
//! `KYB_FAULT_PLANS` sets how many plans are tried (a number, or `all`), `KYB_FAULT_SEED` which ones, and `KYB_FAULT_ONLY` keeps those
//! with a text in what a divergence is headed with, such as `policy: made again, merged`.

mod campaign;
mod matrix;
mod operator;
mod oracle;
mod paused;
mod plans;
mod run;
mod scenario;
mod stage;
mod stand_ins;
mod twins;
mod world;

use std::{io::Write as _, time::Instant};

use anyhow::{Context as _, ensure};

use campaign::{Repertoire, Report, Trial};
use matrix::Count;
use run::Runner;
use stage::Stage;

/// So many plans are tried unless more are asked for.
const SAMPLE: usize = 320;
/// Picked by this seed, unless another is given: the same plans each time.
const SEED: u64 = 1;
/// So many stories are played at the same time.
const SEATS: usize = 48;
/// So many of those in which the process ends: each end is one for all of them.
const SEATS_OF_CRASHES: usize = 12;

/// Printed past the test harness, which keeps what passing tests print.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// How many plans, and the seed that picks them.
fn wanted() -> anyhow::Result<(usize, u64)> {
    let size = match std::env::var("KYB_FAULT_PLANS").as_deref() {
        Err(_) => SAMPLE,
        Ok("all") => usize::MAX,
        Ok(number) => number.parse().context("KYB_FAULT_PLANS is a number, or `all`")?,
    };
    let seed = std::env::var("KYB_FAULT_SEED").ok().map(|seed| seed.parse()).transpose();
    Ok((size, seed.context("KYB_FAULT_SEED is a number")?.unwrap_or(SEED)))
}

/// Those that end the process come after all others, since each of them ends it for every scope.
async fn perform(
    repertoire: &Repertoire,
    runner: &Runner,
    trials: Vec<Trial>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let (crashes, others): (Vec<_>, Vec<_>) = trials.into_iter().partition(Trial::is_of_process);
    repertoire.perform(runner, &others, SEATS, report).await?;
    say(&format!("{} plans of requests and watches in {:.0?}", others.len(), began.elapsed()));
    repertoire.perform(runner, &crashes, SEATS_OF_CRASHES, report).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_on_the_way_changes_nothing_of_the_end() -> anyhow::Result<()> {
    let (size, seed) = wanted()?;
    let began = Instant::now();
    let (stage, operator) = Stage::with_operator().await?;
    let runner = Runner::new(&stage);
    let repertoire = Repertoire::of(&runner, scenario::stories()).await?;
    let mut all = repertoire.trials();
    if let Ok(only) = std::env::var("KYB_FAULT_ONLY") {
        all.retain(|trial| repertoire.heading(trial).contains(&only));
    }
    let (known, cells) = (all.len(), repertoire.cells(&all));
    let (picked, left) = repertoire.sample(all, size, seed);
    say(&format!(
        "{} of {known} plans, KYB_FAULT_SEED={seed}; references after {:.0?}",
        picked.len(),
        began.elapsed()
    ));
    let mut report = Report::default();
    perform(&repertoire, &runner, picked, &mut report).await?;
    if size >= cells {
        let stand_ins = repertoire.stand_ins(left, &report.matrix);
        say(&format!("{} more plans for what nothing struck", stand_ins.len()));
        perform(&repertoire, &runner, stand_ins, &mut report).await?;
    }
    let lives = operator.end().await?;

    let Report { matrix, divergences, .. } = &report;
    let (struck, unreached) = (matrix.total(Count::Struck), matrix.total(Count::Unreached));
    say(&format!(
        "{matrix}\n{struck} plans struck and changed nothing, {unreached} were not reached, {} diverged; {lives} lives; {:.0?}",
        divergences.len(),
        began.elapsed()
    ));
    if size >= cells {
        let holes: Vec<_> =
            matrix.holes().into_iter().map(|(scenario, fault)| format!("{scenario}: {fault}")).collect();
        ensure!(holes.is_empty(), "nothing struck: {}", holes.join(", "));
    }
    ensure!(
        divergences.is_empty(),
        "{} of {struck} plans diverged:\n{}",
        divergences.len(),
        divergences.join("\n")
    );
    Ok(())
}
