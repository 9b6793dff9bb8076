//! Colour, and tables that fit the terminal.

use std::io::{self, IsTerminal as _};

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    coloured: bool,
}

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Look at this.
    Notable,
    /// This is bad.
    Bad,
    /// A heading.
    Heading,
    /// Beside the point.
    Quiet,
}

impl Style {
    /// Coloured on terminals, unless `NO_COLOR` is set to anything (no-color.org).
    pub(crate) fn of_standard_output() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { coloured: io::stdout().is_terminal() && !refused }
    }

    /// `text` in the colour of `tone`.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.coloured {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Notable => "33",
            Tone::Bad => "1;31",
            Tone::Heading => "1",
            Tone::Quiet => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A cell in the colour of `tone`.
    pub(crate) fn cell(self, tone: Tone, text: &str) -> Cell {
        let cell = Cell::new(text);
        match tone {
            _ if !self.coloured => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Notable => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Quiet => cell.fg(Color::DarkGrey),
            Tone::Heading => cell.add_attribute(comfy_table::Attribute::Bold),
        }
    }
}

/// Rows without lines between them, indented by two; empty text for no rows.
pub(crate) fn table(rows: Vec<Vec<Cell>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((1, 1));
    }
    let lines = table.lines().map(|line| format!(" {}\n", line.trim_end()));
    lines.collect()
}
