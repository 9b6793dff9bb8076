//! `kyb classify`: industry codes for one business, or for a table of them.

use clap::{Args, Subcommand};
use kyb_domain::{
    classification::Scheme,
    text::{FreeText, Name},
};

use crate::{
    arguments::Format,
    exit::Outcome,
    ordered, output,
    progress::Progress,
    table::{self, Column, Input, Row, Table},
};

const EXAMPLES: &str = "\
Examples:
  kyb classify --description \"bakery selling bread and cakes over the counter\"
  kyb classify bulk --input businesses.csv --top 3 > codes.csv";

/// Names industry codes (NAICS 2022) for what a business says it does; none where it says too little.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Classify {
    #[command(subcommand)]
    many: Option<Many>,
    /// What the business says it does.
    #[arg(long, value_name = "TEXT", required = true)]
    description: Option<FreeText>,
    /// Its name, which may say more.
    #[arg(long)]
    name: Option<Name>,
    /// The most codes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=100))]
    top: u8,
    /// How to print the classification.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Many {
    Bulk(Bulk),
}

/// Classifies a table: reads `id,description[,name]`, writes `id,rank,scheme,code,title,confidence`.
///
/// There is at least one row for every row read, in the same order. Where the text says too little there is one row of
/// rank 0 without a code. A row that can't be read gets the same and is reported on standard error with its line; then the
/// exit code is 1.
#[derive(Debug, Args)]
struct Bulk {
    /// The table, as csv with a header; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    input: Input,
    /// The most codes for each row.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=100))]
    top: u8,
}

impl Classify {
    /// Classifies and prints.
    pub(crate) fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        if let Some(Many::Bulk(bulk)) = self.many {
            return bulk.run(progress);
        }
        let (name, description) = (self.name.as_ref(), self.description.as_ref());
        let classification = kyb_classification::classify(name, description, usize::from(self.top));
        match self.output {
            Format::Json => output::print_json(&classification)?,
            Format::Text => output::print(|style| output::classification::text(&classification, style))?,
        }
        Ok(Outcome::Clear)
    }
}

/// One row's answer: the lines of the output, or why there is none.
struct Answer {
    id: Vec<u8>,
    line: u64,
    codes: Result<Vec<[String; 5]>, String>,
}

#[derive(Clone, Copy)]
struct Columns {
    id: Column,
    description: Column,
    name: Option<Column>,
}

impl Bulk {
    fn run(self, progress: &Progress) -> anyhow::Result<Outcome> {
        let (table, bar) = Table::open(&self.input, progress)?;
        let columns = Columns {
            id: table.column("id")?,
            description: table.column("description")?,
            name: table.optional_column("name")?,
        };
        let top = usize::from(self.top);
        let mut writer = table::writer();
        writer.write_record(["id", "rank", "scheme", "code", "title", "confidence"])?;
        let mut bad_rows = 0_u64;
        ordered::map(
            table.rows(),
            |row| row.map(|row| answer(&row, columns, top)),
            |answer| {
                let Answer { id, line, codes } = answer?;
                let codes = codes.unwrap_or_else(|problem| {
                    bad_rows += 1;
                    bar.say(&format!("error: line {line}: {problem}"));
                    vec![]
                });
                write(&mut writer, &id, &codes)
            },
        )?;
        writer.flush()?;
        bar.done();
        if bad_rows > 0 {
            crate::progress::say(&format!(
                "error: {bad_rows} rows could not be read; they have rank 0 and no code"
            ));
            return Ok(Outcome::Incomplete);
        }
        Ok(Outcome::Clear)
    }
}

fn answer(row: &Row, columns: Columns, top: usize) -> Answer {
    Answer { id: row.raw(columns.id).to_vec(), line: row.line, codes: classify(row, columns, top) }
}

fn classify(row: &Row, columns: Columns, top: usize) -> Result<Vec<[String; 5]>, String> {
    row.check()?;
    let description =
        FreeText::try_from(row.field(columns.description)?).map_err(|e| format!("description: {e}"))?;
    let name = row.optional(columns.name)?.map(Name::try_from).transpose().map_err(|e| e.to_string())?;
    let classification = kyb_classification::classify(name.as_ref(), Some(&description), top);
    let codes = classification.results.into_iter().take(top).map(|code| {
        let confidence = format!("{:.6}", code.confidence.get());
        [code.rank.to_string(), code.scheme.as_str().to_owned(), code.code, code.title, confidence]
    });
    Ok(codes.collect())
}

fn write<W: std::io::Write>(
    writer: &mut csv::Writer<W>,
    id: &[u8],
    codes: &[[String; 5]],
) -> anyhow::Result<()> {
    if codes.is_empty() {
        let none = ["0", Scheme::Naics2022.as_str(), "", "", "0.000000"];
        writer.write_record(std::iter::once(id).chain(none.iter().map(|field| field.as_bytes())))?;
    }
    for code in codes {
        writer.write_record(std::iter::once(id).chain(code.iter().map(String::as_bytes)))?;
    }
    Ok(())
}
