//! `kyb`: verify, screen, classify and serve without a cluster.
//!
//! ```text
//! verify, screen, classify:  arguments ──► lists ──► engines ──► output ──► exit code
//! screen bulk, … bulk:       table ──► ordered (every core) ──► csv on standard output
//! serve, demo:               platform: throw-away PostgreSQL, worker and gateway in this process
//! ```

mod arguments;
mod commands;
mod exit;
mod lists;
mod ordered;
mod output;
mod platform;
mod progress;
mod table;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let arguments = arguments::Arguments::parse();
    match arguments.run() {
        Ok(outcome) => outcome.into(),
        Err(error) => exit::report(&error),
    }
}
