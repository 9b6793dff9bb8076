//! `kubectl kyb` as a program: see `kubectl kyb --help`.

use std::process::ExitCode;

use clap::Parser as _;
use kyb_operator::kubectl::{Arguments, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await
}
