//! `kyb screen pairs`: how alike two names are, for a table of pairs.

use clap::Args;
use kyb_domain::party::PartyKind;

use super::party_kind;
use crate::{
    exit::Outcome,
    ordered,
    progress::{self, Progress},
    table::{self, Column, Input, Row, Table},
};

/// Scores pairs of names: reads `schema,name1,name2` and any further columns, writes the same rows and `score`.
///
/// Columns and rows stay as they are and in order; `score` goes from 0 to 1 with six decimals. `schema` is `Person`,
/// `Company`, `Organization` or `Business`; anything else is compared as if the kind were not known. A row that can't be
/// read gets an empty score and is reported on standard error with its line; then the exit code is 1.
#[derive(Debug, Args)]
pub(crate) struct Pairs {
    /// The table, as csv with a header; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Input,
}

#[derive(Clone, Copy)]
struct Columns {
    schema: Column,
    first: Column,
    second: Column,
}

impl Pairs {
    /// Scores and writes.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let (table, bar) = Table::open(&self.input, progress)?;
        let columns = Columns {
            schema: table.column("schema")?,
            first: table.column("name1")?,
            second: table.column("name2")?,
        };
        let mut writer = table::writer();
        writer.write_record(table.header().iter().chain(["score"]))?;
        let mut bad_rows = 0_u64;
        ordered::map(
            table.rows(),
            |row| row.map(|row| (score(&row, columns), row)),
            |scored| {
                let (score, row) = scored?;
                let score = score.unwrap_or_else(|problem| {
                    bad_rows += 1;
                    bar.say(&format!("error: line {}: {problem}", row.line));
                    String::new()
                });
                Ok(writer.write_record(row.fields().chain([score.as_bytes()]))?)
            },
        )?;
        writer.flush()?;
        bar.done();
        if bad_rows > 0 {
            progress::say(&format!("error: {bad_rows} rows could not be read; their score is empty"));
            return Ok(Outcome::Incomplete);
        }
        Ok(Outcome::Clear)
    }
}

fn score(row: &Row, columns: Columns) -> Result<String, String> {
    row.check()?;
    let kind = party_kind::from_word(row.field(columns.schema)?).unwrap_or(PartyKind::Unknown);
    let score = kyb_screening::score_names(kind, row.field(columns.first)?, row.field(columns.second)?);
    Ok(format!("{:.6}", score.get()))
}
