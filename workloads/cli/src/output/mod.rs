//! What goes to standard output: text for people, JSON for programs. Tables of csv are written by [`crate::table`].

pub(crate) mod classification;
pub(crate) mod screening;
mod style;
pub(crate) mod verification;

use std::io::{self, IsTerminal as _, Write as _};

use kyb_domain::reason::ReasonCode;
use serde::Serialize;

pub(crate) use style::{Style, Tone};

/// Prints what `render` makes, in colour where standard output is a terminal and `NO_COLOR` is not set.
pub(crate) fn print(render: impl FnOnce(Style) -> String) -> anyhow::Result<()> {
    print_bytes(render(Style::of_standard_output()).as_bytes())
}

/// Prints an object as indented JSON.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    print_bytes(&text)
}

/// Prints bytes as they are; unlike `print!` it does not panic when the reader has gone.
pub(crate) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Whether both ends of a conversation are people.
pub(crate) fn is_interactive() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Text that others wrote, without characters that could steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The word by which a value goes in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(), // only values that are words come here
    }
}

/// Whether a reason speaks of the lists as a whole, not of one subject.
pub(crate) fn is_about_lists(code: &ReasonCode) -> bool {
    [ReasonCode::LIST_MISSING, ReasonCode::LIST_STALE].contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{9b}c"), "a [31m b c");
    }
}
