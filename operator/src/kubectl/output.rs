//! Answers on standard output.

use std::process::ExitCode;

use clap::ValueEnum;
use comfy_table::{Table, presets::NOTHING};
use serde::Serialize;

use super::KubectlError;

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// An answer.
pub(crate) trait Answer: Serialize {
    /// For people.
    fn text(&self) -> String;
}

pub(crate) fn print(answer: &impl Answer, output: Output) -> Result<ExitCode, KubectlError> {
    let text = match output {
        Output::Text => answer.text(),
        Output::Json => {
            serde_json::to_string_pretty(answer).map_err(|why| KubectlError::Show(Box::new(why)))?
        }
        Output::Yaml => serde_yaml::to_string(answer).map_err(|why| KubectlError::Show(Box::new(why)))?,
    };
    anstream::println!("{}", text.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// A table as kubectl prints them: no lines, headings in capitals.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
