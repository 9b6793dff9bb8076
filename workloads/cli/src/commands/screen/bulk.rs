//! `kyb screen bulk`: a table of parties against whole lists, on every core, in bounded memory, resumable.

mod destination;
mod journal;
mod run;

use std::{io::Write, path::PathBuf, time::Instant};

use chrono::{DateTime, Utc};
use clap::Args;
use kyb_domain::{
    country::CountryCode,
    party::Party,
    score::Score,
    screening::{Match, Screening, ScreeningStatus},
    text::Name,
};
use kyb_verification::{ScreeningOptions, Watchlists};
use serde::{Deserialize, Serialize};

use self::{
    destination::{Destination, Opened},
    run::Run,
};
use super::party_kind;
use crate::{
    arguments::{self, ListArguments},
    exit::{Outcome, Unusable},
    lists, ordered, output,
    progress::{Progress, ReadingBar},
    table::{Column, Input, Row, Table},
};

/// Screens a table: reads `id,type,name[,country,birth_date]`, writes `id,status,rank,list,entry_id,matched_name,score`.
///
/// There is at least one row for every row read, in the same order: `hit` (one row for each match, best first, rank from
/// 1), `no_hit` or `error` (rank 0). Nobody gets `no_hit` while a list is missing, unreadable or older than
/// --max-list-age, or where the search had to be cut: then it is `error`, with the reason on standard error. A folder that
/// can't be read does not end the work, since matches on the other lists still count. A row that can't be read is an
/// `error` row too, reported with its line. The exit code is 1 if there was any `error` or a list was missing, else 0.
///
/// `type` is business, person or unknown (also Company, Organization, LegalEntity, Vessel and the like; empty is unknown).
/// `country` is a code or a name, several separated by `;`. `birth_date` is YYYY, YYYY-MM or YYYY-MM-DD.
///
/// With --output the rows go to FILE.part, and FILE is there only when it is whole; FILE.journal says what was asked and how
/// far it came. An interrupted run goes on with the same command and --resume, and the outcome is that of a run without
/// interruption, byte for byte. Other lists, another threshold, input or program are refused.
#[derive(Debug, Args)]
pub(crate) struct Bulk {
    /// The table, as csv with a header; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Input,
    /// The score from which on a candidate is a match, 0 to 1.
    #[arg(long, value_parser = arguments::score)]
    threshold: Option<Score>,
    /// The most matches for each row.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// Write to FILE instead of standard output, so that an interrupted run can be resumed.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on where an interrupted run with this --output came to; begin where there was none.
    #[arg(long, requires = "output")]
    resume: bool,
    #[command(flatten)]
    lists: ListArguments,
}

#[derive(Clone, Copy)]
struct Columns {
    id: Column,
    kind: Column,
    name: Column,
    country: Option<Column>,
    birth_date: Option<Column>,
}

/// One row's answer.
struct Answer {
    id: Vec<u8>,
    line: u64,
    found: Found,
}

enum Found {
    Hits(Vec<Match>),
    Nothing,
    Error(String),
}

/// Rows of the input by their answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    hits: u64,
    clear: u64,
    errors: u64,
}

impl Bulk {
    /// Screens and writes.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let started = Instant::now();
        let (table, bar) = Table::open(&self.input, progress)?;
        let columns = Columns::of(&table)?;
        let now = Utc::now();
        let watchlists = lists::load_what_can_be_read(&self.lists, now, progress)?;
        let problems = kyb_verification::list_problems(&watchlists.states);
        for problem in &problems {
            bar.say(&format!("error: {}: {}", problem.code, output::plain(&problem.text)));
        }
        let counts = match self.open(&watchlists, progress)? {
            Opened::Finished(counts) => counts,
            Opened::Rows(destination, counts) => {
                let work = Work { columns, watchlists: &watchlists, options: self.options(), now };
                work.on_rows_after(counts, table, destination, &bar)?
            }
        };
        bar.done();
        let versions: Vec<String> = watchlists.states.iter().map(output::screening::list_in_short).collect();
        progress.note(&format!(
            "{} hit, {} no_hit, {} error in {:.1} s; searched {}",
            counts.hits,
            counts.clear,
            counts.errors,
            started.elapsed().as_secs_f64(),
            versions.join(", ")
        ));
        Ok(if counts.errors > 0 || !problems.is_empty() { Outcome::Incomplete } else { Outcome::Clear })
    }

    fn options(&self) -> ScreeningOptions {
        ScreeningOptions { lists: None, threshold: self.threshold, limit: Some(usize::from(self.limit)) }
    }

    fn open(&self, watchlists: &Watchlists, progress: &Progress) -> anyhow::Result<Opened> {
        let Some(output) = &self.output else { return Destination::standard() };
        let input_sha256 = {
            let _wheel = progress.waiting("reading the input's digest");
            run::digest(&self.input)?
        };
        if self.resume && input_sha256.is_none() {
            let problem = format!("{} can't be read a second time, so it can't be resumed", self.input);
            return Err(Unusable::new(problem, "give the input as a file, or leave out --resume").into());
        }
        let run = Run {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            algorithm: kyb_screening::ALGORITHM.to_owned(),
            input_sha256,
            threshold: self.threshold.map(|threshold| threshold.get().to_string()),
            limit: self.limit,
            lists: run::lists(watchlists),
        };
        let opened = destination::open(output, self.resume, &run)?;
        match &opened {
            Opened::Finished(_) => progress.note(&format!("`{}` is finished", output.display())),
            Opened::Rows(_, counts) if counts.rows() > 0 => {
                progress.note(&format!("resuming after {} rows", counts.rows()));
            }
            Opened::Rows(..) => {}
        }
        Ok(opened)
    }
}

/// What is the same for every row.
struct Work<'a> {
    columns: Columns,
    watchlists: &'a Watchlists,
    options: ScreeningOptions,
    now: DateTime<Utc>,
}

impl Work<'_> {
    /// Screens the rows that come after those that are counted already.
    fn on_rows_after(
        &self,
        mut counts: Counts,
        table: Table,
        mut destination: Destination,
        bar: &ReadingBar,
    ) -> anyhow::Result<Counts> {
        let done = usize::try_from(counts.rows())?;
        ordered::map(
            // a row that can't be read ends the work even among those that are done: what follows it is not known
            table.rows().enumerate().filter(|(place, row)| *place >= done || row.is_err()),
            |(_, row)| row.map(|row| self.answer(&row)),
            |answer| {
                let answer = answer?;
                counts.add(&answer, bar);
                destination.write(&answer, &counts)
            },
        )?;
        destination.finish(&counts)?;
        Ok(counts)
    }

    fn answer(&self, row: &Row) -> Answer {
        let found = party(row, self.columns).and_then(|party| {
            let screening = kyb_verification::screen(self.watchlists, party, &self.options, self.now);
            Ok(Found::from(screening.map_err(|error| error.to_string())?))
        });
        Answer {
            id: row.raw(self.columns.id).to_vec(),
            line: row.line,
            found: found.unwrap_or_else(Found::Error),
        }
    }
}

impl Columns {
    fn of(table: &Table) -> anyhow::Result<Self> {
        Ok(Self {
            id: table.column("id")?,
            kind: table.column("type")?,
            name: table.column("name")?,
            country: table.optional_column("country")?,
            birth_date: table.optional_column("birth_date")?,
        })
    }
}

impl Counts {
    fn rows(&self) -> u64 {
        self.hits + self.clear + self.errors
    }

    fn add(&mut self, answer: &Answer, bar: &ReadingBar) {
        match &answer.found {
            Found::Hits(_) => self.hits += 1,
            Found::Nothing => self.clear += 1,
            Found::Error(why) => {
                self.errors += 1;
                // what is wrong with the lists was said once, at the start
                if !why.is_empty() {
                    bar.say(&format!("error: line {}: {}", answer.line, output::plain(why)));
                }
            }
        }
    }
}

fn party(row: &Row, columns: Columns) -> Result<Party, String> {
    row.check()?;
    let word = row.field(columns.kind)?;
    let kind = party_kind::from_word(word)
        .ok_or_else(|| format!("type `{word}` is not known; write business, person or unknown"))?;
    let name = Name::try_from(row.field(columns.name)?).map_err(|invalid| match invalid.problem {
        problem if row.raw(columns.name).contains(&b'\n') => {
            format!("name: {problem}; is a closing quote missing?")
        }
        problem => format!("name: {problem}"),
    })?;
    let birth_date = row.optional(columns.birth_date)?.map(str::parse).transpose();
    Ok(Party {
        countries: countries(row.optional(columns.country)?.unwrap_or_default())?,
        birth_date: birth_date
            .map_err(|invalid: kyb_domain::Invalid| format!("birth_date: {}", invalid.problem))?,
        ..Party::named(kind, name)
    })
}

fn countries(text: &str) -> Result<Vec<CountryCode>, String> {
    let given = text.split(';').map(str::trim).filter(|text| !text.is_empty());
    given
        .map(|text| {
            CountryCode::recognise(text)
                .ok_or_else(|| format!("country `{text}` is not known; write an ISO 3166-1 alpha-2 code"))
        })
        .collect()
}

impl From<Screening> for Found {
    fn from(screening: Screening) -> Self {
        match screening.status {
            ScreeningStatus::InReview if !screening.matches.is_empty() => Self::Hits(screening.matches),
            ScreeningStatus::NoHit => Self::Nothing,
            ScreeningStatus::InReview | ScreeningStatus::Error => {
                let own = screening.reasons.iter().filter(|reason| !output::is_about_lists(&reason.code));
                Self::Error(own.map(|reason| reason.text.clone()).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

fn write_header<W: Write>(writer: &mut csv::Writer<W>) -> anyhow::Result<()> {
    Ok(writer.write_record(["id", "status", "rank", "list", "entry_id", "matched_name", "score"])?)
}

fn write<W: Write>(writer: &mut csv::Writer<W>, Answer { id, found, .. }: &Answer) -> anyhow::Result<()> {
    let mut record = |status: &str, fields: [&str; 5]| {
        let fields = [status].into_iter().chain(fields).map(str::as_bytes);
        writer.write_record(std::iter::once(id.as_slice()).chain(fields))
    };
    match found {
        Found::Nothing => record("no_hit", ["0", "", "", "", ""])?,
        Found::Error(_) => record("error", ["0", "", "", "", ""])?,
        Found::Hits(matches) => {
            for (rank, hit) in (1_u32..).zip(matches) {
                let (rank, score) = (rank.to_string(), format!("{:.6}", hit.score.get()));
                record("hit", [&rank, hit.list.as_str(), &hit.entry_id, &hit.matched_name, &score])?;
            }
        }
    }
    Ok(())
}
