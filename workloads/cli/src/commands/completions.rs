//! `kyb completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::{Shell, generate};

use crate::{arguments::Arguments, exit::Outcome, output};

/// Prints completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  kyb completions bash > ~/.local/share/bash-completion/completions/kyb")]
pub(crate) struct Completions {
    shell: Supported,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Supported {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Prints them.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let shell = match self.shell {
            Supported::Bash => Shell::Bash,
            Supported::Zsh => Shell::Zsh,
            Supported::Fish => Shell::Fish,
        };
        let mut script = vec![]; // `generate` panics on a broken pipe
        generate(shell, &mut Arguments::command(), "kyb", &mut script);
        output::print_bytes(&script)?;
        Ok(Outcome::Clear)
    }
}
