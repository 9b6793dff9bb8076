//! OFAC's csv dialect, read strictly.
//!
//! No header; records are lines; a field is a number, text in double quotes (doubled inside), or `-0-` for null, often with
//! blanks behind. A general csv reader takes a quote that is never closed, text behind a closed quote and a half last
//! record without a word, and any of them can be all that shows that a download broke off. So this one refuses them.

use std::borrow::Cow;

use crate::{ListError, Place, SourceFile, source::END_OF_FILE};

/// The publisher's null.
const NULL: &str = "-0-";
/// Remarks are published up to this many characters; the rest goes to a file of its own.
pub(super) const LONGEST_REMARK: usize = 1000;

/// One record of `N` fields.
#[derive(Debug)]
pub(super) struct Record<'a, const N: usize> {
    /// Its line, from 1.
    pub(super) line: u64,
    fields: [Option<Cow<'a, str>>; N],
}

impl<const N: usize> Record<'_, N> {
    /// The text of a field, from 0; `None` for the publisher's null.
    pub(super) fn get(&self, field: usize) -> Option<&str> {
        self.fields.get(field)?.as_deref()
    }

    /// The field as the decimal number that it must be.
    pub(super) fn number(&self, file: &SourceFile, field: usize) -> Result<&str, ListError> {
        let is_number =
            |text: &&str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let place = Place::Field(u32::try_from(field + 1).unwrap_or(u32::MAX));
        self.get(field)
            .filter(is_number)
            .ok_or_else(|| file.fault(self.line, place, "must be a number of 1 to 10 digits"))
    }
}

/// A whole file.
#[derive(Debug)]
pub(super) struct Table<'a, const N: usize> {
    /// Its records, at least one.
    pub(super) records: Vec<Record<'a, N>>,
    /// Whether the publisher's end-of-file byte stands at the end.
    pub(super) marked: bool,
}

/// Reads a whole file.
pub(super) fn read<const N: usize>(file: &SourceFile) -> Result<Table<'_, N>, ListError> {
    let text = file.text()?;
    let end = char::from(END_OF_FILE);
    let marked = text.ends_with(end);
    let text = text.strip_suffix(end).unwrap_or(text);
    let open = !marked && !text.ends_with('\n');
    let mut records = Vec::new();
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n').zip(1..).peekable();
    while let Some((line, at)) = lines.next() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let last = if open && lines.peek().is_none() { last_record(line) } else { Some((line, false)) };
        let (line, null_follows) =
            last.ok_or_else(|| file.cut(format!("its last record, on line {at}, is not finished")))?;
        let read = fields(line).map_err(|(field, problem)| file.fault(at, Place::Field(field), problem));
        let mut read = read?;
        if null_follows {
            read.push(None);
        }
        records.push(record(file, at, read)?);
    }
    Ok(Table { records, marked })
}

/// A last record that no line end follows, if it is whole, and whether a null field follows that is to be added. Its last
/// field must be
/// - the null, of which the end may be missing (archived copies end in `-0`): nothing else starts with a bare `-`; or
/// - quoted text that reads like an end. A quote alone does not prove it: `"a.k.a. ""BNC""."` cut after its third quote
///   looks closed as well.
fn last_record(line: &str) -> Option<(&str, bool)> {
    let line = line.trim_end();
    if line.ends_with(NULL) {
        return Some((line, false));
    }
    if let Some(before) = [",-0", ",-"].into_iter().find_map(|part| line.strip_suffix(part)) {
        return Some((before, true));
    }
    let quoted = line.strip_suffix('"')?;
    let field = quoted.rsplit("\",").next().unwrap_or(quoted);
    let whole = quoted.ends_with('.') || field.chars().count() >= LONGEST_REMARK;
    whole.then_some((line, false))
}

fn record<'a, const N: usize>(
    file: &SourceFile,
    line: u64,
    fields: Vec<Option<Cow<'a, str>>>,
) -> Result<Record<'a, N>, ListError> {
    let fields = fields.try_into().map_err(|fields: Vec<_>| {
        let problem = format!("has {} fields instead of {N}", fields.len());
        file.fault(line, Place::Line, problem)
    })?;
    Ok(Record { line, fields })
}

/// A fault inside a line: which field, from 1, and what is wrong.
type Fault = (u32, &'static str);

fn fields(line: &str) -> Result<Vec<Option<Cow<'_, str>>>, Fault> {
    let mut fields = Vec::with_capacity(12);
    let mut rest = line;
    for number in 1.. {
        let (text, behind) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => unquote(quoted).map_err(|problem| (number, problem))?,
            None => bare(rest).map_err(|problem| (number, problem))?,
        };
        let null = matches!(text.trim(), NULL | "");
        fields.push((!null).then_some(text));
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    Ok(fields)
}

/// A field without quotes and what follows it.
fn bare(rest: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let (text, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    if text.contains('"') {
        return Err("has a quote inside text that is not quoted");
    }
    Ok((Cow::Borrowed(text.trim()), behind))
}

/// The text up to the closing quote and what follows it.
fn unquote(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut from = 0;
    loop {
        let at = from + quoted[from..].find('"').ok_or("has a quote that is not closed on its line")?;
        if quoted[at + 1..].starts_with('"') {
            from = at + 2;
            continue;
        }
        let behind = quoted[at + 1..].trim_start_matches(' ');
        if !behind.is_empty() && !behind.starts_with(',') {
            return Err("has text behind its closing quote");
        }
        let text = &quoted[..at];
        let text =
            if text.contains("\"\"") { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
        return Ok((text, behind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { name: "add.csv".into(), bytes: text.as_bytes().to_vec() }
    }

    fn rows(text: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        let file = file(text);
        let table: Table<'_, 3> = read(&file).map_err(|error| error.to_string())?;
        let row = |r: &Record<'_, 3>| (0..3).map(|at| r.get(at).map(str::to_owned)).collect();
        Ok(table.records.iter().map(row).collect())
    }

    #[test]
    fn numbers_quotes_and_nulls_are_read() {
        let some = |text: &str| Some(text.to_owned());
        let expected = vec![vec![some("36"), some("A, \"B\" & C"), None], vec![some("37"), None, some("x.")]];
        for end in ["\r\n\u{1a}", "\r\n", "\n", ""] {
            let text = format!("36,\"A, \"\"B\"\" & C\",-0- \r\n37,-0-,\"x.\"{end}");
            assert_eq!(rows(&text), Ok(expected.clone()), "{end:?}");
        }
        for end in ["-0- \r", "-0-", "-0", "-"] {
            assert_eq!(rows(&format!("1,-0- ,{end}")), Ok(vec![vec![some("1"), None, None]]), "{end}");
        }
    }

    #[test]
    fn every_fault_is_refused_with_its_line_and_field() {
        for (text, words) in [
            ("1,2,-0-\n1,2\n", "add.csv, line 2: has 2 fields instead of 3"),
            ("1,2,-0-\n\n1,2,-0-\n", "add.csv, line 2: has 1 fields instead of 3"),
            ("1,2,\"abc\n", "add.csv, line 1, field 3: has a quote that is not closed on its line"),
            ("1,\"a\"b,-0-\n", "add.csv, line 1, field 2: has text behind its closing quote"),
            ("1,a\"b,-0-\n", "add.csv, line 1, field 2: has a quote inside text that is not quoted"),
            ("1,2,-0-\n1,2,\"-0", "add.csv is cut off: its last record, on line 2, is not finished"),
            ("1,2,-0-\n1,2,", "add.csv is cut off: its last record, on line 2, is not finished"),
            ("1,2,\"a.k.a. \"", "add.csv is cut off: its last record, on line 1, is not finished"),
            ("1,2,-0-\r1,2,-0-", "add.csv, line 1: has 5 fields instead of 3"),
        ] {
            let error = rows(text).unwrap_err();
            assert!(error.starts_with(words), "{text:?}: {error}");
        }
    }
}
