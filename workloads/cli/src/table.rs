//! Tables in csv as people and programs write them: with a byte order mark or without, columns in any order, bad rows
//! among good ones. A bad row is handed on as a problem with its line, never left out.

use std::{
    fs::File,
    io::{self, BufRead as _, Read as _},
    path::PathBuf,
    str::FromStr,
};

use anyhow::Context as _;
use csv::{ByteRecord, StringRecord};

use crate::{
    exit::Unusable,
    progress::{Progress, ReadingBar},
};

/// A file, or `-` for standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Standard,
    /// A file.
    File(PathBuf),
}

impl FromStr for Input {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Standard } else { Self::File(text.into()) })
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Standard => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Input {
    /// All of a text, which may have so many bytes; without the mark that some editors put first.
    pub(crate) fn read_text(&self, most_bytes: u64, remedy: &str) -> anyhow::Result<String> {
        let (source, bar) = self.open(&Progress::new(true))?;
        let mut text = String::new();
        source.take(most_bytes + 1).read_to_string(&mut text).with_context(|| format!("reading {self}"))?;
        bar.done();
        if text.len() as u64 > most_bytes {
            return Err(Unusable::new(format!("{self} has more than {most_bytes} bytes"), remedy).into());
        }
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    /// Opens it, and counts what is read of it on a bar.
    pub(crate) fn open(&self, progress: &Progress) -> anyhow::Result<(Box<dyn io::Read + Send>, ReadingBar)> {
        match self {
            Self::Standard => {
                let bar = progress.reading(None);
                Ok((bar.counting(io::stdin()), bar))
            }
            Self::File(path) => {
                let file = File::open(path).map_err(|error| {
                    Unusable::new(format!("`{self}` can't be read"), "give a file, or `-` for standard input")
                        .because(error)
                })?;
                let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
                let bar = progress.reading(length);
                Ok((bar.counting(file), bar))
            }
        }
    }
}

/// A table whose header has been read and has every column that is needed.
pub(crate) struct Table {
    reader: csv::Reader<Source>,
    header: StringRecord,
    name: String,
    line_end: LineEnd,
}

type Source = io::BufReader<Box<dyn io::Read + Send>>;

/// How lines end: the csv reader takes the line feed of a pair for part of the next row, which matters for line numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    LineFeed,
    Pair,
}

/// Where a column stands, from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(usize);

/// One row, well-formed or not.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line it begins on, from 1.
    pub(crate) line: u64,
    record: ByteRecord,
    expected: usize,
}

impl Table {
    /// Reads the header of `input`.
    pub(crate) fn open(input: &Input, progress: &Progress) -> anyhow::Result<(Self, ReadingBar)> {
        let (source, bar) = input.open(progress)?;
        Ok((Self::read(source, input.to_string())?, bar))
    }

    fn read(source: Box<dyn io::Read + Send>, name: String) -> anyhow::Result<Self> {
        let mut source = io::BufReader::with_capacity(1 << 16, source);
        let beginning = source.fill_buf().with_context(|| format!("reading {name}"))?;
        let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line_end = if first_line.ends_with(b"\r") { LineEnd::Pair } else { LineEnd::LineFeed };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let header = reader.byte_headers().with_context(|| format!("reading {name}"))?.clone();
        let remedy = "write comma-separated values in UTF-8 whose first row names the columns";
        let header = StringRecord::from_byte_record(header)
            .map_err(|_| Unusable::new(format!("the header of {name} is not UTF-8"), remedy))?;
        if header.is_empty() {
            return Err(Unusable::new(format!("{name} is empty: there is not even a header"), remedy).into());
        }
        Ok(Self { reader, header, name, line_end })
    }

    /// The header as given.
    pub(crate) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// A column that must be there, once.
    pub(crate) fn column(&self, name: &str) -> Result<Column, Unusable> {
        self.optional_column(name)?.ok_or_else(|| {
            let given: Vec<&str> = self.header.iter().collect();
            let problem =
                format!("{} has no column `{name}`; its columns are: {}", self.name, given.join(", "));
            Unusable::new(
                problem,
                format!("add a column named `{name}`, or name the one you mean so in the first row"),
            )
        })
    }

    /// A column that may be there, once. Case and surrounding white space do not matter.
    pub(crate) fn optional_column(&self, name: &str) -> Result<Option<Column>, Unusable> {
        let is_meant = |(_, title): &(usize, &str)| title.trim().eq_ignore_ascii_case(name);
        let mut places = self.header.iter().enumerate().filter(is_meant).map(|(place, _)| Column(place));
        let first = places.next();
        if places.next().is_some() {
            let problem = format!("{} has more than one column `{name}`", self.name);
            return Err(Unusable::new(problem, "rename all but the one you mean"));
        }
        Ok(first)
    }

    /// The rows. Ends after an error of reading, which is not an error of a row.
    pub(crate) fn rows(self) -> impl Iterator<Item = anyhow::Result<Row>> + Send {
        let Self { mut reader, header, name, line_end } = self;
        let mut ended = false;
        std::iter::from_fn(move || {
            if ended {
                return None;
            }
            let mut record = ByteRecord::new();
            match reader.read_byte_record(&mut record) {
                Ok(true) => {
                    let line = first_line(&record, reader.position().line(), line_end);
                    Some(Ok(Row { line, record, expected: header.len() }))
                }
                Ok(false) => None,
                Err(error) => {
                    ended = true;
                    Some(Err(error).with_context(|| format!("reading {name}")))
                }
            }
        })
    }
}

/// The line a row begins on, from the line that the reader has come to. The row's own position is that of the blank lines
/// before it, if there are any, and never too late.
fn first_line(record: &ByteRecord, reached: u64, line_end: LineEnd) -> u64 {
    let inside = record.as_slice().split(|byte| *byte == b'\n').skip(1).count() as u64;
    let own_end = u64::from(line_end == LineEnd::LineFeed);
    reached.saturating_sub(inside + own_end).max(record.position().map_or(0, csv::Position::line))
}

impl Row {
    /// What is wrong with the row as such.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.record.len() != self.expected {
            return Err(format!("has {} fields where the header has {}", self.record.len(), self.expected));
        }
        Ok(())
    }

    /// A field without surrounding white space; empty where the row is too short.
    pub(crate) fn field(&self, column: Column) -> Result<&str, String> {
        let bytes = self.record.get(column.0).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| format!("field {} is not UTF-8", column.0 + 1))
    }

    /// An optional field: `None` where there is no such column or it is empty.
    pub(crate) fn optional(&self, column: Option<Column>) -> Result<Option<&str>, String> {
        let text = column.map(|column| self.field(column)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A field as it stands, readable or not: what identifies the row in messages and output.
    pub(crate) fn raw(&self, column: Column) -> &[u8] {
        self.record.get(column.0).unwrap_or_default()
    }

    /// Every field as it stands, filled up or cut to the header's width.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.expected).map(|place| self.record.get(place).unwrap_or_default())
    }
}

/// A csv writer on standard output. Flush it: dropping hides errors.
pub(crate) fn writer() -> csv::Writer<io::StdoutLock<'static>> {
    csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(io::stdout().lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &'static [u8]) -> anyhow::Result<Table> {
        Table::read(Box::new(bytes), "the test".to_owned())
    }

    fn rows(bytes: &'static [u8]) -> Vec<Row> {
        table(bytes).unwrap().rows().map(Result::unwrap).collect()
    }

    #[test]
    fn a_byte_order_mark_case_and_spaces_do_not_hide_a_column() {
        let table = table(b"\xef\xbb\xbfID, Name \n1,x\n").unwrap();
        let (id, name) = (table.column("id").unwrap(), table.column("name").unwrap());
        let row = table.rows().next().unwrap().unwrap();
        assert_eq!((row.field(id), row.field(name)), (Ok("1"), Ok("x")));
    }

    #[test]
    fn a_missing_column_is_named_beside_those_that_are_there() {
        let error = table(b"id,nmae\n").unwrap().column("name").unwrap_err().to_string();
        assert_eq!(error, "the test has no column `name`; its columns are: id, nmae");
        assert!(table(b"name,id,NAME\n").unwrap().column("name").is_err(), "two of the name: which one?");
        assert!(table(b"").is_err());
    }

    #[test]
    fn every_row_is_handed_on_with_its_line_whatever_is_wrong_with_it() {
        let lines = |bytes| rows(bytes).iter().map(|row| row.line).collect::<Vec<_>>();
        assert_eq!(lines(b"id\r\n1\r\n\r\n2\r\n\"3\r\n\"\r\n4"), [2, 4, 5, 7]);
        let rows = rows(b"id,name\n1,ok\n2\n\n3,a,b\n\"4\",\"two\nlines\"\n5,\xff\n");
        let seen: Vec<(u64, bool, bool)> =
            rows.iter().map(|row| (row.line, row.check().is_ok(), row.field(Column(1)).is_ok())).collect();
        let expected =
            [(2, true, true), (3, false, true), (5, false, true), (6, true, true), (8, true, false)];
        assert_eq!(seen, expected);
        assert_eq!(rows[1].fields().collect::<Vec<_>>(), [b"2".as_slice(), b""], "filled up");
    }
}
