//! A sample and what is asked of every format.

use std::{fmt::Write, path::Path};

use kyb_lists::{Entry, ListError, ListFormat, Parsed, Published, PublishedBy, SourceFile};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

/// One sample file.
pub(crate) struct Sample {
    format: ListFormat,
    /// Its whole text.
    pub(crate) text: String,
}

impl Sample {
    /// The file at `path` below `tests/samples`.
    pub(crate) fn new(format: ListFormat, path: &str) -> Self {
        let text =
            std::fs::read_to_string(Path::new("tests/samples").join(path)).expect("the sample is there");
        Self { format, text }
    }

    /// What is read from it.
    pub(crate) fn parsed(&self) -> Parsed {
        self.read(self.text.as_bytes().to_vec()).expect("the sample is whole")
    }

    /// What is read from other bytes in its place.
    pub(crate) fn read(&self, bytes: Vec<u8>) -> Result<Parsed, ListError> {
        let list = "sample".try_into().expect("a list's name");
        let published = Published { date: "2000-01-01".parse().expect("a date"), by: PublishedBy::Download };
        kyb_lists::parse(&list, self.format, &[SourceFile { name: "file".into(), bytes }], published)
    }

    /// Every entry, what was not understood, and the date are these.
    pub(crate) fn reads(&self, entries: &str, not_understood: &str, dated: (&str, PublishedBy)) {
        let parsed = self.parsed();
        assert_eq!(shown(&parsed.watchlist.entries), entries);
        assert_eq!(counts(&parsed), not_understood);
        let version = &parsed.watchlist.version;
        assert_eq!((version.published.to_string().as_str(), version.published_by), dated);
    }

    /// With each first text replaced by the second, once, the sample is refused with words that begin with the third.
    pub(crate) fn refuses(&self, faults: &[(&str, &str, &str)]) {
        for (from, to, words) in faults {
            assert!(self.text.contains(from), "{from} is in the sample");
            let changed = self.text.replacen(from, to, 1).into_bytes();
            let refused = self.read(changed).map(|_| ()).expect_err(words).to_string();
            assert!(refused.starts_with(words), "{from} to {to}: {refused}");
        }
    }

    /// Cut at any byte, what is left of the document is refused, or is all of the list: no more than what follows `end` is
    /// missing.
    pub(crate) fn is_whole_or_refused(&self, end: &str) {
        let whole = self.parsed().watchlist.entries;
        for (left, entries) in self.cuts_that_pass() {
            assert_eq!(entries, whole, "cut to {} bytes", left.len());
            assert!(left.ends_with(end));
        }
    }

    /// How far the sample was cut wherever what is left is taken for a list, and what is left.
    pub(crate) fn cuts_that_pass(&self) -> Vec<(&str, Vec<Entry>)> {
        let cuts = (0..self.text.len()).filter(|left| self.text.is_char_boundary(*left));
        let read = |left| {
            let text = &self.text[..left];
            self.read(text.as_bytes().to_vec()).ok().map(|parsed| (text, parsed.watchlist.entries))
        };
        cuts.filter_map(read).collect()
    }

    /// Replaces some bytes by others, 512 times: whatever is left of the list is refused, or has entries that have names.
    /// Bytes that have nothing of the list are refused.
    pub(crate) fn no_bytes_make_the_reader_panic(&self, special: &'static [u8]) {
        let junk = prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(special)], 0..40);
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(512) });
        let cases = (0..=self.text.len(), 0usize..60, junk);
        let result = runner.run(&cases, |(at, cut, junk)| {
            let mut bytes = self.text.as_bytes().to_vec();
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, junk);
            if let Ok(parsed) = self.read(bytes) {
                let entries = parsed.watchlist.entries;
                prop_assert!(!entries.is_empty());
                prop_assert!(
                    entries.iter().all(|entry| entry.names.iter().all(|name| !name.text.trim().is_empty()))
                );
            }
            Ok(())
        });
        result.expect("no panic");
        let random = prop::collection::vec(any::<u8>(), 0..2000);
        let result = runner.run(&random, |bytes| {
            prop_assert!(self.read(bytes).is_err());
            Ok(())
        });
        result.expect("no panic");
    }
}

/// Everything that an entry says, a line each.
pub(crate) fn shown(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let reference =
            entry.reference.as_ref().map(|reference| format!(" ({reference})")).unwrap_or_default();
        line(&mut text, &format!("{} {:?}{reference}", entry.id, entry.kind));
        for name in &entry.names {
            line(&mut text, &format!("  {:?}: {}", name.kind, name.text));
        }
        for program in &entry.programs {
            line(&mut text, &format!("  program: {program}"));
        }
        if !entry.countries.is_empty() {
            line(&mut text, &format!("  countries: {:?}", entry.countries));
        }
        for born in &entry.birth_dates {
            let circa = if born.circa { "circa " } else { "" };
            line(&mut text, &format!("  born: {circa}{} to {}", born.first, born.last));
        }
        for number in &entry.identifiers {
            let country = number.country.map(|country| format!(" of {country}")).unwrap_or_default();
            line(&mut text, &format!("  {:?}: {}{country}", number.kind, number.value));
        }
        for address in &entry.addresses {
            line(&mut text, &format!("  address: {address}"));
        }
        if let Some(remarks) = &entry.remarks {
            line(&mut text, &format!("  remarks: {remarks}"));
        }
    }
    text
}

/// What was not understood, a line each.
pub(crate) fn counts(parsed: &Parsed) -> String {
    let mut text = String::new();
    for (label, times) in &parsed.not_understood {
        line(&mut text, &format!("{times} {label}"));
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("memory");
}
