//! Runs the machine's programs (`ip`, `ctr`, `go`, …), and says what they said when they fail.

use std::ffi::OsStr;

use tokio::process::Command;

use crate::{
    error::{LabError, Result},
    files,
};

/// A program with its arguments; its standard input is empty.
pub(crate) fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    command
}

/// Runs it to its end and returns what it printed on standard output.
pub(crate) async fn run(doing: &str, mut command: Command) -> Result<String> {
    let line = line_of(&command);
    let output = command.output().await.map_err(|source| LabError::Spawn {
        doing: doing.into(),
        command: line.clone(),
        source,
    })?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(said.into_owned());
    }
    let output_end = files::last_lines(&format!("{said}{complained}"));
    Err(LabError::Command {
        doing: doing.into(),
        command: line,
        status: output.status.to_string(),
        output: output_end,
    })
}

/// As one would type it, near enough for a message.
fn line_of(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for `sh`.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_says_what_was_run_and_what_it_said() {
        let error = run("try", command("sh", ["-c", "echo out; echo bad >&2; exit 3"])).await.unwrap_err();
        let text = error.to_string();
        for part in ["can't try", "sh -c echo out", "exit status: 3", "out\nbad"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[tokio::test]
    async fn a_quoted_word_is_one_word_to_a_shell() {
        for word in ["plain", "two words", "it's", "$HOME `x` \"y\" \\", ""] {
            let script = format!("printf %s {}", quoted(word));
            assert_eq!(run("echo", command("sh", ["-c", &script])).await.unwrap(), word);
        }
    }
}
