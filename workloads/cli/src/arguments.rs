//! The command line as a whole, and the arguments that several commands share.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, ValueEnum};
use kyb_domain::{list::ListId, score::Score};

use crate::{commands::Command, exit::Outcome, progress::Progress};

/// What `--help` says about exit codes; the same table stands in docs/cli.md.
const EXIT_CODES: &str = "\
Exit codes:
  0    approve; no_hit; done
  1    error: something failed, or some row could not be answered
  2    usage: wrong arguments, or lists or input that could not be read; nothing was looked at
  10   review; in_review
  11   reject
  141  whoever read the output stopped reading";

/// Is this business real, what does it do, is anyone behind it sanctioned, and what to do about it.
#[derive(Debug, Parser)]
#[command(name = "kyb", version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 110)]
pub(crate) struct Arguments {
    /// No progress and no notes on standard error; errors only.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

impl Arguments {
    /// Does what was asked.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        self.command.run(&Progress::new(self.quiet))
    }
}

/// Which lists to search, and what to demand of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Watchlists")]
pub(crate) struct ListArguments {
    /// A folder that holds a publisher's own files, or sub-folders of such; several may follow.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    pub(crate) lists: Vec<PathBuf>,
    /// The lists that must be there, such as `ofac-sdn,un-consolidated`; while one is missing nobody gets `no_hit`.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) wanted: Vec<ListId>,
    /// Distrust a list that its publisher dated longer ago than this, such as `36h`, `30d` or `4w`.
    #[arg(long, value_name = "AGE")]
    pub(crate) max_list_age: Option<Age>,
}

/// How to print a single answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// The object of the API.
    Json,
}

/// A length of time as people write it: a whole number and `s`, `m`, `h`, `d` or `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) Duration);

impl FromStr for Age {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("`{text}` is no length of time; write a number and s, m, h, d or w, such as `36h`");
        let unit = text.chars().last().ok_or_else(refused)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 24 * 3600,
            'w' => 7 * 24 * 3600,
            _ => return Err(refused()),
        };
        let count: u64 =
            text.strip_suffix(unit).and_then(|digits| digits.parse().ok()).ok_or_else(refused)?;
        // a century keeps the arithmetic of dates far from its ends
        let total =
            count.checked_mul(seconds).filter(|total| *total <= 100 * 366 * 24 * 3600).ok_or_else(refused)?;
        Ok(Self(Duration::from_secs(total)))
    }
}

/// A threshold from 0 to 1.
pub(crate) fn score(text: &str) -> Result<Score, String> {
    let number: f64 = text.parse().map_err(|_| "must be a number from 0 to 1, such as `0.85`".to_owned())?;
    Score::try_from(number).map_err(|invalid| invalid.problem)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("0s", 0), ("90m", 5400), ("36h", 129_600), ("30d", 2_592_000), ("4w", 2_419_200)]
        {
            assert_eq!(text.parse(), Ok(Age(Duration::from_secs(seconds))), "{text}");
        }
        for bad in ["", "d", "30", "-1d", "1.5h", "30 d", "30D", "é", "99999999999999999999w", "5300w"] {
            assert!(bad.parse::<Age>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_threshold_is_a_number_from_zero_to_one() {
        assert_eq!(score("0.85").map(Score::get), Ok(0.85));
        for bad in ["1.01", "-0.1", "nan", "inf", "high", ""] {
            assert!(score(bad).is_err(), "{bad}");
        }
    }
}
