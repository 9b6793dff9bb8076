//! A publisher's file as text: encoding, forbidden characters, positions.

use crate::{ListError, Place, SourceFile};

impl SourceFile {
    /// The file as text without a byte order mark. Refuses an empty file, what is not UTF-8 (OFAC publishes ASCII, the UN
    /// UTF-8; guessing an older encoding would spoil names) and control characters other than tab and line ends.
    pub(crate) fn text(&self) -> Result<&str, ListError> {
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let good = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
                let good = std::str::from_utf8(good).unwrap_or_default();
                return Err(self.fault_at(good, good.len(), "not UTF-8; a publisher's own file is".into()));
            }
        };
        if text.trim().is_empty() {
            return Err(ListError::Truncated { file: self.name.clone(), problem: "it is empty".into() });
        }
        let bytes = text.as_bytes();
        let end = bytes.len() - usize::from(bytes.last() == Some(&END_OF_FILE));
        let forbidden = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
        match bytes.iter().take(end).position(forbidden) {
            Some(at) => {
                Err(self.fault_at(text, at, format!("holds the control character {:#04x}", bytes[at])))
            }
            None => Ok(text),
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
}
