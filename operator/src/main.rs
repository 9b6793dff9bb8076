//! The operator as a program: see `kyb-operator --help`.

use std::process::ExitCode;

use clap::Parser as _;
use kyb_operator::{
    config::{Command, Config},
    plan, run,
};
use tracing_subscriber::{EnvFilter, fmt};

fn main() -> ExitCode {
    let config = Config::parse();
    match config.command {
        Command::Crds => print_definitions(),
        Command::Plan(arguments) => in_runtime(plan::run(&arguments)),
        Command::Run(run) => {
            init_logs(config.log_text);
            operate(&run)
        }
    }
}

fn print_definitions() -> ExitCode {
    match kyb_crds::yaml() {
        Ok(files) => {
            for (_, text) in &files {
                print!("---\n{text}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the definitions can't be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn operate(config: &kyb_operator::config::Run) -> ExitCode {
    in_runtime(async {
        match run::run(config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "ends");
                ExitCode::from(error.exit_code())
            }
        }
    })
}

fn in_runtime(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            eprintln!("can't start: {error}");
            ExitCode::from(2)
        }
    }
}

fn init_logs(text: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if text {
        builder.init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
