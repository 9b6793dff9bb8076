//! `kubectl kyb`: what a person asks of the platform in a cluster, and the few things that a person tells it.
//!
//! ```text
//! arguments ─► clusters (one for each --context) ─► a command ─► an answer ─► text, JSON, YAML
//! ```
//!
//! It speaks to API servers alone, with the rights of whoever runs it, and needs no operator that runs.
//!
//! | module | what |
//! |---|---|
//! | `status` | one screen: what is there, what is not ready, why and since when |
//! | `tree` | an object and all that was made for it, with its health |
//! | `explain` | what a tenant may do, where its data lives, what its limits are |
//! | `tell` | pausing, resuming, new keys, revoked keys |
//! | `doctor` | whether the installation is sound |
//! | [`crate::plan`] | what applying files would do |

pub(crate) mod clusters;
mod doctor;
mod explain;
mod health;
mod output;
mod status;
mod tell;
mod tree;

use std::{io::Write as _, process::ExitCode};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::plan;
use clusters::{Cluster, connect};
use output::{Output, print};

/// Looks at the KYB platform in a cluster, and tells it the few things that people tell it.
///
/// Exit codes: 0 done, 1 it failed or something is wrong, 2 `plan`: there is something to do.
#[derive(Debug, Parser)]
#[command(name = "kubectl-kyb", bin_name = "kubectl kyb", version, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where to look, and how to show it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Look {
    /// The kubeconfig's context to use; again for another cluster, and all are shown together
    #[arg(long, value_name = "NAME")]
    context: Vec<String>,
    /// How to show it
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// One cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One screen: tenants, regions, cache policies, reports; what is not ready, why, and since when
    Status(Look),
    /// An object, and all that was made for it, with its health
    Tree(tree::Tree),
    /// What a tenant may do, where its data lives, and what its limits are
    Explain(explain::Explain),
    /// Have the operator write nothing for an object until it is resumed
    Pause(tell::Object),
    /// Have the operator look after an object again
    Resume(tell::Object),
    /// The API keys of a tenant
    #[command(subcommand)]
    Keys(tell::Keys),
    /// Tell what applying files would do, without doing it
    Plan(plan::Arguments),
    /// Whether the installation is sound: kinds, operator, lease, clock, admission, rights
    Doctor(doctor::Doctor),
    /// Print completions for a shell, for the name kubectl-kyb
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KubectlError {
    /// No cluster is found.
    #[error("can't find the cluster{}; set KUBECONFIG, or name a context with --context", .context.as_ref().map_or(String::new(), |name| format!(" {name}")))]
    Cluster {
        context: Option<String>,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server refused or did not answer.
    #[error("can't {what}")]
    Request {
        what: String,
        #[source]
        source: Box<kube::Error>,
    },
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// The answer can't be shown.
    #[error("can't show the answer")]
    Show(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl KubectlError {
    /// For `map_err`: what could not be done.
    pub(crate) fn request(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| Self::Request { what, source: Box::new(source) }
    }
}

/// Does what the arguments ask for.
pub async fn run(arguments: Arguments) -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default(); // whoever was first is the same provider
    match arguments.command.run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", plan::with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

impl Command {
    async fn run(self) -> Result<ExitCode, KubectlError> {
        match self {
            Self::Status(look) => print(&status::status(&connect(&look.context).await?).await?, look.output),
            Self::Tree(tree) => {
                print(&tree::tree(&tree, &connect(&tree.look.context).await?).await?, tree.look.output)
            }
            Self::Explain(explain) => {
                let clusters = connect(&explain.look.context).await?;
                print(&explain::explain(&explain.tenant, &clusters).await?, explain.look.output)
            }
            Self::Pause(object) => object.pause(true).await,
            Self::Resume(object) => object.pause(false).await,
            Self::Keys(keys) => keys.run().await,
            Self::Plan(arguments) => Ok(plan::run(&arguments).await),
            Self::Doctor(doctor) => {
                let found = doctor::doctor(&doctor, &connect(&doctor.look.context).await?).await;
                let code = if found.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
                print(&found, doctor.look.output).map(|_| code)
            }
            Self::Completions { shell } => {
                let mut text = Vec::new();
                clap_complete::generate(shell, &mut Arguments::command(), "kubectl-kyb", &mut text);
                std::io::stdout().write_all(&text).map_err(|why| KubectlError::Show(Box::new(why)))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }
}
