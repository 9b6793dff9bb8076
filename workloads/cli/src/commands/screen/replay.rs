//! `kyb screen replay`: a recorded screening once more, on the versions of the lists that it cites.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use kyb_domain::{list::Watchlist, screening::Screening};
use kyb_verification::{Difference, Replay, ReplayError};
use serde_json::json;

use crate::{
    arguments::Format,
    exit::{Outcome, Unusable},
    lists, output,
    output::{Style, Tone, plain},
    progress::Progress,
    table::Input,
};

/// Makes a recorded screening once more, and says where it comes out otherwise.
///
/// Reads a screening as `GET /v1/screenings/{id}` and `kyb screen --output json` give it. Of the folders those versions are used that
/// the screening cites, found by the SHA-256 of their files; other versions and lists may be there too. Candidates, matches, scores
/// and explanations must come out as they were recorded, to the last digit; what people decided about matches is left aside.
///
/// The exit code: 0 the same, 1 not the same, 2 it can't be replayed, because a version is missing or another version of the
/// algorithm made it.
#[derive(Debug, Args)]
pub(crate) struct ReplayOf {
    /// The screening, as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Input,
    /// A folder that holds a publisher's own files, or sub-folders of such; several may follow.
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    lists: Vec<PathBuf>,
    /// How to print what came of it.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

impl ReplayOf {
    /// Replays and prints.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let recorded = self.recorded()?;
        let lists = self.versions(progress)?;
        let replay = {
            let _wheel = progress.waiting("searching once more");
            kyb_verification::replay(&recorded, &lists).map_err(unusable)?
        };
        match self.output {
            Format::Json => output::print_json(&json!({
                "screening": recorded.id,
                "algorithm": recorded.algorithm,
                "same": replay.differences.is_empty(),
                "differences": replay.differences,
                "matches": replay.matches,
            }))?,
            Format::Text => output::print(|style| text(&recorded, &replay, style))?,
        }
        Ok(if replay.differences.is_empty() { Outcome::Clear } else { Outcome::Incomplete })
    }

    fn recorded(&self) -> anyhow::Result<Screening> {
        const MOST_BYTES: u64 = 16 << 20; // a hundred matches of the longest entries have less
        let remedy = "give a screening as GET /v1/screenings/{id} answers it";
        let text = self.input.read_text(MOST_BYTES, remedy)?;
        Ok(serde_json::from_str(&text).map_err(|error| {
            Unusable::new(format!("{} is no screening", self.input), remedy).because(error)
        })?)
    }

    fn versions(&self, progress: &Progress) -> Result<Vec<Arc<Watchlist>>, Unusable> {
        let _wheel = progress.waiting("reading lists");
        let mut versions = vec![];
        for folder in &self.lists {
            versions.extend(lists::read_folder(folder)?.into_iter().map(|parsed| Arc::new(parsed.watchlist)));
        }
        Ok(versions)
    }
}

fn unusable(error: ReplayError) -> Unusable {
    let remedy = match &error {
        ReplayError::Algorithm { .. } => "use the release of kyb that the algorithm's version came with",
        ReplayError::Missing(_) => "give a folder with the publisher's files of that version, unchanged",
    };
    Unusable::new("the screening can't be replayed", remedy).because(error)
}

fn text(recorded: &Screening, replay: &Replay, style: Style) -> String {
    let subject = style.paint(Tone::Heading, recorded.subject.name.as_str());
    let (tone, verdict) = match replay.differences.len() {
        0 => (Tone::Good, "the same".to_owned()),
        1 => (Tone::Bad, "1 value differs".to_owned()),
        many => (Tone::Bad, format!("{many} values differ")),
    };
    let compared = format!(
        "{}, {} candidates, {} matches",
        recorded.algorithm,
        recorded.candidates_scored,
        replay.matches.len()
    );
    let mut text = format!("{subject}: {}; {compared}\n", style.paint(tone, &verdict));
    for Difference { pointer, recorded, replayed } in &replay.differences {
        text.push_str(&plain(&format!("  {pointer}: recorded {recorded}, now {replayed}")));
        text.push('\n');
    }
    text
}
