//! A publisher's file as text: encoding, forbidden characters, positions.

use crate::{ListError, ListId, Place, SourceFile};

/// How files of other kinds begin, and what to do with them. A user meets each of them: an archive as downloaded, the
/// page of an expired address, a table saved by a spreadsheet program.
const FOREIGN: [(&[u8], &str); 7] = [
    (b"\x1f\x8b", "is compressed (gzip); unpack it"),
    (b"PK\x03\x04", "is a zip archive or a spreadsheet; unpack it, or save it as the format that is wanted"),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd); unpack it"),
    (b"\xd0\xcf\x11\xe0", "is an office document; save it as the format that is wanted"),
    (b"%PDF", "is a PDF; take the publisher's file for machines"),
    (b"\xff\xfe", "is UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16; save it as UTF-8"),
];
/// How much of a file shows what it is. A file that is none is refused by this part, however long it is.
const HEAD: usize = 4096;

impl SourceFile {
    /// The one file that a list is read from; `expected` says in words which.
    pub(crate) fn only<'a>(
        list: &ListId,
        files: &'a [Self],
        expected: &'static str,
    ) -> Result<&'a Self, ListError> {
        if let [file] = files {
            return Ok(file);
        }
        let problem = format!("{} files were given", files.len());
        Err(ListError::WrongFiles { list: list.clone(), expected: expected.to_owned(), problem })
    }

    /// The file as text without a byte order mark. Refuses an empty file, what is not UTF-8 (OFAC publishes ASCII, the
    /// others UTF-8; guessing an older encoding would spoil names), control characters other than tab and line ends, and
    /// what is plainly no list.
    pub(crate) fn text(&self) -> Result<&str, ListError> {
        self.is_no_other_kind()?;
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let good = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
                let good = std::str::from_utf8(good).unwrap_or_default();
                return Err(self.fault_at(good, good.len(), "not UTF-8; a publisher's own file is".into()));
            }
        };
        if text.trim().is_empty() {
            return Err(self.cut("it is empty"));
        }
        let bytes = text.as_bytes();
        let end = bytes.len() - usize::from(bytes.last() == Some(&END_OF_FILE));
        match bytes.iter().take(end).position(|byte| is_forbidden(*byte)) {
            Some(at) => Err(self.fault_at(text, at, forbidden(bytes[at]))),
            None => Ok(text),
        }
    }

    /// Refuses archives, web pages and what begins with control characters by the first bytes alone.
    pub(crate) fn is_no_other_kind(&self) -> Result<(), ListError> {
        let head = self.bytes.get(..HEAD).unwrap_or(&self.bytes);
        let foreign = FOREIGN.iter().find(|(start, _)| head.starts_with(start));
        if let Some((_, problem)) = foreign {
            return Err(self.fault(1, Place::Line, *problem));
        }
        let start = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim_start().to_lowercase();
        if start.starts_with("<!doctype html") || start.starts_with("<html") {
            let problem = "is a web page; the list's address may have moved or want a login";
            return Err(self.fault(1, Place::Line, problem));
        }
        let control =
            head.iter().take(self.bytes.len().saturating_sub(1)).position(|byte| is_forbidden(*byte));
        match control.map(|at| (at, std::str::from_utf8(&head[..at]))) {
            Some((at, Ok(before))) => Err(self.fault_at(before, at, forbidden(head[at]))),
            _ => Ok(()),
        }
    }

    /// The fault `problem` at the byte `offset` of `text`.
    pub(crate) fn fault_at(&self, text: &str, offset: usize, problem: String) -> ListError {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let place = Place::Column(u32::try_from(column).unwrap_or(u32::MAX));
        self.fault(u64::try_from(line).unwrap_or(u64::MAX), place, problem)
    }

    /// The fault `problem` on `line`.
    pub(crate) fn fault(&self, line: u64, place: Place, problem: impl Into<String>) -> ListError {
        ListError::Malformed { file: self.name.clone(), line, place, problem: problem.into() }
    }

    /// The file is cut, which shows by `problem`.
    pub(crate) fn cut(&self, problem: impl Into<String>) -> ListError {
        ListError::Truncated { file: self.name.clone(), problem: problem.into() }
    }
}

fn is_forbidden(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n')
}

fn forbidden(byte: u8) -> String {
    format!("holds the control character {byte:#04x}")
}

/// The byte (SUB, Ctrl-Z) with which OFAC ends its csv files.
pub(crate) const END_OF_FILE: u8 = 0x1a;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> SourceFile {
        SourceFile { name: "sdn.csv".into(), bytes: bytes.to_vec() }
    }

    #[test]
    fn text_that_is_no_text_is_refused_with_its_position() {
        let cases: [(&[u8], &str); 5] = [
            (b"", "sdn.csv is cut off: it is empty"),
            (b" \r\n ", "sdn.csv is cut off: it is empty"),
            (b"a\nb\xe9c", "sdn.csv, line 2, column 2: not UTF-8"),
            (b"a\n\0", "sdn.csv, line 2, column 1: holds the control character 0x00"),
            (b"a\x1a\n", "sdn.csv, line 1, column 2: holds the control character 0x1a"),
        ];
        for (bytes, words) in cases {
            let error = file(bytes).text().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        assert_eq!(file("\u{feff}é\x1a".as_bytes()).text().unwrap(), "é\x1a");
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        let cases: [(&[u8], &str); 5] = [
            (b"\x1f\x8b\x08\x00", "sdn.csv, line 1: is compressed (gzip); unpack it"),
            (b"PK\x03\x04\x14", "sdn.csv, line 1: is a zip archive"),
            (b"%PDF-1.7\n", "sdn.csv, line 1: is a PDF"),
            (b"\xff\xfei\0d\0", "sdn.csv, line 1: is UTF-16"),
            (
                b"\n<!DOCTYPE html>\n<html>",
                "sdn.csv, line 1: is a web page; the list's address may have moved",
            ),
        ];
        for (bytes, words) in cases {
            let error = file(bytes).text().unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn zeros_are_refused_by_their_first_bytes() {
        let error = file(&[0; HEAD + 1]).is_no_other_kind().unwrap_err().to_string();
        assert_eq!(error, "sdn.csv, line 1, column 1: holds the control character 0x00");
    }
}
