//! csv with a header, as RFC 4180 describes it, read strictly.
//!
//! A general csv reader takes a quote that is never closed, text behind a closed quote and a half last record without a
//! word, and any of them can be all that shows that a download broke off. So this one refuses them, and a last record that
//! no line end follows as well. What the format can't show is a file that lost whole records at its end: every record
//! stands for itself. A version that lost more than a fifth is refused by [`shrink`](crate::shrink).

use std::borrow::Cow;

use crate::{ListError, Place, SourceFile};

/// How many columns a refusal names.
const SHOWN: usize = 8;

/// One record: as many fields as the header has.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    fields: Vec<Cow<'a, str>>,
    /// The byte of the text at which it starts.
    at: usize,
}

impl Record<'_> {
    /// The text of a field without blanks around it; `None` where there is none, or no such column.
    pub(crate) fn get(&self, column: Option<usize>) -> Option<&str> {
        Some(self.fields.get(column?)?.trim()).filter(|text| !text.is_empty())
    }
}

/// A table while it is read.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    file: &'a SourceFile,
    text: &'a str,
    /// The byte at which the header starts.
    start: usize,
    /// The byte at which the next record starts.
    next: usize,
    header: Vec<String>,
}

/// How a column's name is compared: without case, blanks and punctuation, which publishers change.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The names of the columns if the first line of `start` is a header, as [`plain`] makes them.
pub(crate) fn header_names(start: &str) -> Vec<String> {
    let line = start.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let line = format!("{line}\n"); // it may be cut off here, which the reader refuses later
    let fields = fields(&line, 0).map(|(fields, _)| fields).unwrap_or_default();
    fields.iter().map(|name| plain(name)).collect()
}

impl<'a> Table<'a> {
    /// The table in `text`, a part of `file`'s whole text that starts at the byte `start`. Refuses a column that is there
    /// twice.
    pub(crate) fn open(file: &'a SourceFile, text: &'a str, start: usize) -> Result<Self, ListError> {
        let mut table = Self { file, text, start, next: start, header: vec![] };
        let Some(header) = table.record()? else { return Err(file.cut("it has no header")) };
        for (column, name) in header.fields.iter().enumerate() {
            if !plain(name).is_empty() && table.column(name).is_some() {
                let problem = format!("the column {:?} is there twice", name.trim());
                return Err(table.refuse(&header, Some(column), problem));
            }
            table.header.push(name.trim().to_owned());
        }
        Ok(table)
    }

    /// At which place the column `name` stands.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        let name = plain(name);
        self.header.iter().position(|known| plain(known) == name)
    }

    /// The column `name`, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<usize, ListError> {
        self.column(name).ok_or_else(|| {
            let some = self.header.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if self.header.len() > SHOWN { " …" } else { "" };
            let problem = format!("the header has no column {name}; it has {some}{more}");
            self.fault(self.start, None, problem)
        })
    }

    /// The names of all columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The next record; lines without anything are passed over.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'a>>, ListError> {
        let Some(record) = self.record()? else { return Ok(None) };
        if record.fields.len() != self.header.len() {
            let problem = format!("has {} fields instead of {}", record.fields.len(), self.header.len());
            return Err(self.refuse(&record, None, problem));
        }
        Ok(Some(record))
    }

    /// The refusal of the file for `problem` in a record.
    pub(crate) fn refuse(
        &self,
        record: &Record<'_>,
        column: Option<usize>,
        problem: impl Into<String>,
    ) -> ListError {
        self.fault(record.at, column, problem)
    }

    fn fault(&self, at: usize, column: Option<usize>, problem: impl Into<String>) -> ListError {
        let place =
            column.map_or(Place::Line, |column| Place::Field(u32::try_from(column + 1).unwrap_or(u32::MAX)));
        self.file.fault(self.line_of(at), place, problem)
    }

    /// The line of a byte, from 1. Counted anew for each fault, of which there is at most one.
    fn line_of(&self, at: usize) -> u64 {
        let lines = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        u64::try_from(lines + 1).unwrap_or(u64::MAX)
    }

    fn record(&mut self) -> Result<Option<Record<'a>>, ListError> {
        loop {
            let at = self.next;
            if at >= self.text.len() {
                return Ok(None);
            }
            let (fields, behind) = fields(self.text, at).map_err(|fault| match fault {
                Fault::Open => {
                    let line = self.line_of(at);
                    self.file.cut(format!("its last record, on line {line}, is not finished"))
                }
                Fault::Quote(column, problem) => self.fault(at, Some(column), problem),
            })?;
            self.next = behind;
            if fields.len() > 1 || fields.iter().any(|field| !field.is_empty()) {
                return Ok(Some(Record { fields, at }));
            }
        }
    }
}

/// What is wrong with a record.
enum Fault {
    /// The text ends before its line does.
    Open,
    /// A column, from 0, and what is wrong with its quotes.
    Quote(usize, &'static str),
}

/// The fields of the record that starts at `at`, and where the next one starts.
fn fields(text: &str, mut at: usize) -> Result<(Vec<Cow<'_, str>>, usize), Fault> {
    let mut fields = Vec::new();
    loop {
        let rest = &text[at..];
        let (field, length) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => bare(rest, fields.len())?,
        };
        fields.push(field);
        at += length;
        let rest = &text[at..];
        if rest.starts_with(',') {
            at += 1;
        } else if let Some(end) = ["\r\n", "\n"].into_iter().find(|end| rest.starts_with(end)) {
            return Ok((fields, at + end.len()));
        } else if rest.is_empty() {
            return Err(Fault::Open);
        } else {
            return Err(Fault::Quote(fields.len() - 1, "has text behind its closing quote"));
        }
    }
}

/// A field without quotes and its length in bytes.
fn bare(rest: &str, column: usize) -> Result<(Cow<'_, str>, usize), Fault> {
    let end = rest.find([',', '\n']).ok_or(Fault::Open)?;
    let field = &rest[..end];
    let field = if rest[end..].starts_with('\n') { field.strip_suffix('\r').unwrap_or(field) } else { field };
    if field.contains('"') {
        return Err(Fault::Quote(column, "has a quote inside text that is not quoted"));
    }
    Ok((Cow::Borrowed(field), field.len()))
}

/// The text between an opening quote, which `quoted` follows, and the one that closes it; and the length of all three.
fn unquote(quoted: &str) -> Result<(Cow<'_, str>, usize), Fault> {
    let mut from = 0;
    loop {
        let at = from + quoted[from..].find('"').ok_or(Fault::Open)?;
        if quoted[at + 1..].starts_with('"') {
            from = at + 2;
            continue;
        }
        let text = &quoted[..at];
        let text =
            if text.contains("\"\"") { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
        return Ok((text, at + 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
        let file = SourceFile { name: "own.csv".into(), bytes: text.as_bytes().to_vec() };
        let all = || {
            let text = file.text()?;
            let mut table = Table::open(&file, text, 0)?;
            let mut rows = Vec::new();
            while let Some(record) = table.next()? {
                rows.push(record.fields.iter().map(ToString::to_string).collect());
            }
            Ok::<_, ListError>(rows)
        };
        all().map_err(|error| error.to_string())
    }

    #[test]
    fn quotes_commas_and_line_ends_inside_a_field_are_read() {
        let expected = vec![
            vec!["1".to_owned(), "a \"b\", c".into(), "x\r\ny".into()],
            vec!["2".into(), String::new(), String::new()],
        ];
        for end in ["\n", "\r\n", "\n\n\r\n"] {
            let text = format!("\u{feff}id,Na me,c\n1,\"a \"\"b\"\", c\",\"x\r\ny\"\r\n\n2,,{end}");
            assert_eq!(rows(&text), Ok(expected.clone()), "{end:?}");
        }
    }

    #[test]
    fn every_fault_is_refused_with_its_line_and_field() {
        for (text, words) in [
            ("a,b\n1,2\n3\n", "own.csv, line 3: has 1 fields instead of 2"),
            ("a,b\n\"1\n\",2\n3,4,5\n", "own.csv, line 4: has 3 fields instead of 2"),
            ("a,b\n1,\"2\"x\n", "own.csv, line 2, field 2: has text behind its closing quote"),
            ("a,b\n1,2\"x\n", "own.csv, line 2, field 2: has a quote inside text that is not quoted"),
            ("a,b\n1,\"2\n3,4\n", "own.csv is cut off: its last record, on line 2, is not finished"),
            ("a,b\n1,2\n3,4", "own.csv is cut off: its last record, on line 3, is not finished"),
            ("a,b,A \n1,2,3\n", "own.csv, line 1, field 3: the column \"A\" is there twice"),
            ("a,b", "own.csv is cut off: its last record, on line 1, is not finished"),
        ] {
            let refused = rows(text).unwrap_err();
            assert!(refused.starts_with(words), "{text:?}: {refused}");
        }
    }

    #[test]
    fn columns_are_found_whatever_their_spelling() {
        assert_eq!(header_names("\u{feff}ID,\"Name 6\",D.O.B\nx"), ["id", "name6", "dob"]);
        assert_eq!(header_names("a\"b"), [""; 0]);
    }
}
