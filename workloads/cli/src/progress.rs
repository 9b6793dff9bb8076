//! Progress and notes on standard error. Progress is drawn on terminals only; notes are said unless `--quiet`.

use std::{
    borrow::Cow,
    io::{IsTerminal as _, Read, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where progress and notes go.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    quiet: bool,
    draws: bool,
}

impl Progress {
    /// Silent, or on standard error.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, draws: !quiet && std::io::stderr().is_terminal() }
    }

    /// Whether only errors are to be said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A line for whoever watches.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            say(line);
        }
    }

    /// A turning wheel until the value is dropped.
    pub(crate) fn waiting(&self, what: impl Into<Cow<'static, str>>) -> Wheel {
        let bar = if self.draws { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Wheel(bar)
    }

    /// A bar that counts the bytes read of an input, of which `length` is known for files.
    pub(crate) fn reading(&self, length: Option<u64>) -> ReadingBar {
        let target = if self.draws { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = match length {
            Some(_) => "{wide_bar} {bytes}/{total_bytes}, {elapsed}, {eta} left",
            None => "{spinner} {bytes} read, {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        ReadingBar(bar)
    }
}

/// A turning wheel, gone when dropped.
pub(crate) struct Wheel(ProgressBar);

impl Drop for Wheel {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// How much of an input was read. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ReadingBar(ProgressBar);

impl ReadingBar {
    /// The same reader, counted.
    pub(crate) fn counting(&self, reader: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        Box::new(self.0.wrap_read(reader))
    }

    /// An error of one row, said even when quiet, without tearing the bar.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| say(line));
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}

/// A line on standard error; a closed one is nobody's problem (`eprintln!` would panic).
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
