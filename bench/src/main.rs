//! `kyb-bench`: figures of the platform, as JSON lines on standard output, each beside a baseline measured in the same run.
//!
//! ```text
//! rounds: ours, baseline, ours, baseline, …  ──► medians, median of the rounds' ratios ──► figure
//! ```
//!
//! | module | what | baseline |
//! |---|---|---|
//! | [`read`] | `GET /v1/verifications/{id}` | a bare hyper server that answers the same bytes |
//! | [`mod@write`] | `POST /v1/verifications`, recorded and audited | `pgbench` with single-insert transactions |
//! | [`screen`] | screenings in process and over HTTP | Jaro-Winkler over every name |
//! | [`quality`] | names that are labelled as the same or not | Jaro-Winkler; nomenklatura and rapidfuzz, where Python can install them |
//! | [`million`] | screenings with a million names | Jaro-Winkler over every name |
//! | [`memory`] | resident memory of the gateway, settled and during a swap | the same gateway without lists |
//! | [`loading`] | reading and indexing a list | a bare csv reader over the same files |
//! | [`operator`] | tenants in a real API server, the operator's memory and requests | a plain client that makes the same objects |

mod bare;
mod figure;
mod load;
mod loading;
mod memory;
mod million;
mod operator;
mod quality;
mod read;
mod rounds;
mod screen;
mod write;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

/// Measures the platform on loopback; figures on standard output, progress on standard error.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct Arguments {
    /// Only these; where not said, all but those that have to be named
    #[arg(long, value_name = "NAME")]
    only: Vec<Benchmark>,
    /// How long each round takes, where a round is a length of time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Rounds of each figure and of its baseline, in turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Connections under load
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    connections: u32,
    /// So many tenants, one number after the other, where the operator's cost is measured
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', default_value = "100,1000,3000")]
    tenants: Vec<usize>,
    /// So many screenings of a million names are compared with the whole list, name by name; each takes some seconds
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    recall: u32,
    /// Those tenants have one namespace each instead of two
    #[arg(long)]
    small: bool,
    /// How long 1,000 tenants are left alone, to see what is asked for meanwhile
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    idle_minutes: u32,
    /// Folder with a list in OFAC's format; OFAC's of 2019 beside the repository if it is there, else the example
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Used by this program itself: serve the bytes of a file on this loopback port
    #[arg(long, hide = true, requires = "body")]
    bare_server: Option<u16>,
    /// Used by this program itself: the file to serve
    #[arg(long, hide = true)]
    body: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Reading a verification over HTTP.
    Read,
    /// Verifying over HTTP, recorded and audited.
    Write,
    /// Screening.
    Screen,
    /// Telling names apart, on labelled pairs. Only where named: engines in Python are downloaded to compare with.
    Quality,
    /// Screening a list of a million names. Only where named.
    Million,
    /// Memory of the gateway.
    Memory,
    /// Loading a list.
    Loading,
    /// The operator. Only where named: it needs Kubernetes's own programs, which are built the first time.
    Operator,
    /// The operator with many tenants. Only where named.
    Scale,
}

/// How to measure.
#[derive(Debug, Clone)]
struct Setup {
    rounds: u32,
    round: Duration,
    connections: usize,
    recall: usize,
    lists: PathBuf,
}

impl Arguments {
    fn setup(&self) -> anyhow::Result<Setup> {
        let root = kyb_e2e::binaries::workspace_root()?;
        let candidates = [root.join("../shared/data/ofac-2019"), root.join("examples/lists")];
        let lists = self.lists.clone().or_else(|| candidates.into_iter().find(|folder| folder.is_dir()));
        let lists = lists.context("no list to measure with; name a folder with --lists")?;
        Ok(Setup {
            rounds: self.rounds,
            round: Duration::from_secs(self.seconds),
            connections: self.connections as usize,
            recall: self.recall as usize,
            lists: lists.canonicalize().with_context(|| format!("can't open {}", lists.display()))?,
        })
    }

    async fn run(self) -> anyhow::Result<()> {
        if let (Some(port), Some(body)) = (self.bare_server, &self.body) {
            return bare::serve(port, std::fs::read(body)?).await;
        }
        let setup = self.setup()?;
        let wanted = |benchmark| self.only.is_empty() || self.only.contains(&benchmark);
        eprintln!("lists: {}", setup.lists.display());
        if wanted(Benchmark::Loading) {
            loading::measure(&setup).await?;
        }
        if wanted(Benchmark::Screen) {
            screen::measure(&setup).await?;
        }
        if self.only.contains(&Benchmark::Quality) {
            quality::measure(&setup).await?;
        }
        if self.only.contains(&Benchmark::Million) {
            million::measure(&setup).await?;
        }
        if wanted(Benchmark::Read) {
            read::measure(&setup).await?;
        }
        if wanted(Benchmark::Write) {
            write::measure(&setup).await?;
        }
        if wanted(Benchmark::Memory) {
            memory::measure(&setup).await?;
        }
        if self.only.contains(&Benchmark::Operator) {
            operator::measure().await?;
        }
        if self.only.contains(&Benchmark::Scale) {
            let idle = Duration::from_secs(60 * u64::from(self.idle_minutes));
            operator::scale::measure(&self.tenants, self.small, idle).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }
}
