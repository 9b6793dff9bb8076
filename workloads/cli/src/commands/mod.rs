//! The commands, one file each.

mod classify;
mod completions;
mod demo;
mod screen;
mod serve;
mod verify;

use clap::Subcommand;

use crate::{exit::Outcome, progress::Progress};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Verify(Box<verify::Verify>),
    Screen(Box<screen::Screen>),
    Classify(classify::Classify),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        match self {
            Self::Verify(verify) => verify.run(progress),
            Self::Screen(screen) => screen.run(progress),
            Self::Classify(classify) => classify.run(progress),
            Self::Serve(serve) => serve.run(progress),
            Self::Demo(demo) => demo.run(progress),
            Self::Completions(completions) => completions.run(),
        }
    }
}
