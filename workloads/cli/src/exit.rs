//! How `kyb` ends: exit codes, and errors with their causes and a remedy.

use std::{
    io::{ErrorKind, Write as _},
    process::ExitCode,
};

use kyb_domain::{decision::DecisionOutcome, screening::ScreeningStatus};

/// What a command that ran to its end found. Errors are not outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing speaks against it: approved, no hit, done.
    Clear,
    /// A person has to look.
    Review,
    /// Turned down.
    Reject,
    /// Some of what was asked could not be answered; what and why was said already.
    Incomplete,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Clear => 0,
            Outcome::Incomplete => 1,
            Outcome::Review => 10,
            Outcome::Reject => 11,
        })
    }
}

impl From<DecisionOutcome> for Outcome {
    fn from(decision: DecisionOutcome) -> Self {
        match decision {
            DecisionOutcome::Approve => Self::Clear,
            DecisionOutcome::Review => Self::Review,
            DecisionOutcome::Reject => Self::Reject,
        }
    }
}

impl From<ScreeningStatus> for Outcome {
    fn from(status: ScreeningStatus) -> Self {
        match status {
            ScreeningStatus::NoHit => Self::Clear,
            ScreeningStatus::InReview => Self::Review,
            ScreeningStatus::Error => Self::Incomplete,
        }
    }
}

/// An error that the caller can mend, and how. Ends the program with 2: nothing was looked at.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Unusable {
    problem: String,
    remedy: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Unusable {
    /// What can't be used, and what to do.
    pub(crate) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into(), source: None }
    }

    /// The same, because of `source`.
    pub(crate) fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }
}

/// An error that the caller can mend though the arguments were right, such as a missing program. Ends with 1.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Remediable {
    /// What went wrong.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) remedy: String,
    /// Why.
    #[source]
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Says what went wrong, its causes and what to do, and gives the exit code. Says nothing where the reader of the output
/// went away: that is how pipelines end (the code is that of a program ended by SIGPIPE).
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::from(141);
    }
    let mut lines = vec![format!("error: {error}")];
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // many errors repeat their source in their own words
        if !said.contains(&cause) {
            lines.push(format!("  caused by: {cause}"));
            said = cause;
        }
    }
    lines.extend(remedy(error).map(|remedy| format!("  help: {remedy}")));
    let mut stderr = std::io::stderr().lock();
    for line in lines {
        let _ = writeln!(stderr, "{line}"); // nobody is left to tell that standard error is closed
    }
    ExitCode::from(if error.chain().any(<dyn std::error::Error>::is::<Unusable>) { 2 } else { 1 })
}

fn remedy(error: &anyhow::Error) -> Option<&str> {
    error.chain().find_map(|cause| {
        let unusable = cause.downcast_ref::<Unusable>().map(|unusable| unusable.remedy.as_str());
        unusable.or_else(|| cause.downcast_ref::<Remediable>().map(|remediable| remediable.remedy.as_str()))
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let in_csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(io) => Some(io.kind()),
            _ => None,
        });
        kind.or(in_csv) == Some(ErrorKind::BrokenPipe)
    })
}
