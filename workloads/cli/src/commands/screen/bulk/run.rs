//! What a run was asked: a resumed one must have been asked exactly the same.

use std::{
    fs::File,
    io::{self, Read as _},
};

use kyb_domain::list::ListState;
use kyb_verification::Watchlists;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{exit::Unusable, table::Input};

/// Everything that the outcome depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// The program, since it writes the rows.
    pub(super) program: String,
    /// The algorithm, since it scores.
    pub(super) algorithm: String,
    /// SHA-256 of the input; none where it can be read only once.
    pub(super) input_sha256: Option<String>,
    /// The threshold asked for, with all its digits; the engine's own where none was.
    pub(super) threshold: Option<String>,
    /// The most matches of a row.
    pub(super) limit: u8,
    /// Each list with its version and digest, or why it is missing or not trusted.
    pub(super) lists: Vec<String>,
}

impl Run {
    /// What differs from `earlier`, in words; none where nothing does.
    pub(super) fn difference(&self, earlier: &Self) -> Option<String> {
        let differs = |what: &str, before: &str, now: &str| {
            (before != now).then(|| format!("{what} was {before} and is {now} now"))
        };
        let own = |value: &Option<String>, none: &str| value.clone().unwrap_or_else(|| none.to_owned());
        let input =
            |run: &Self| own(&run.input_sha256, "read from a stream").chars().take(16).collect::<String>();
        let threshold = |run: &Self| own(&run.threshold, "the usual one");
        let lists = |run: &Self| run.lists.join(", ");
        differs("the program", &earlier.program, &self.program)
            .or_else(|| differs("the algorithm", &earlier.algorithm, &self.algorithm))
            .or_else(|| differs("the SHA-256 of the input", &input(earlier), &input(self)))
            .or_else(|| differs("the threshold", &threshold(earlier), &threshold(self)))
            .or_else(|| differs("the limit", &earlier.limit.to_string(), &self.limit.to_string()))
            .or_else(|| differs("what was searched", &lists(earlier), &lists(self)))
    }
}

/// The lists as far as they decide what is found.
pub(super) fn lists(watchlists: &Watchlists) -> Vec<String> {
    watchlists.states.iter().map(list).collect()
}

fn list(state: &ListState) -> String {
    let version = state.version.as_ref().map_or_else(
        || "missing".to_owned(),
        |version| format!("{} sha256:{}", version.published, version.sha256),
    );
    let trust = if state.stale.is_some() { " (not trusted)" } else { "" };
    format!("{} {version}{trust}", state.list)
}

/// SHA-256 of an input that can be read again, `None` for any other.
pub(super) fn digest(input: &Input) -> anyhow::Result<Option<String>> {
    let Input::File(path) = input else { return Ok(None) };
    let unreadable = |error| Unusable::new(format!("`{input}` can't be read"), "give a file").because(error);
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Ok(None);
    }
    Ok(Some(digest_of(file).map_err(unreadable)?))
}

/// SHA-256 of all that a reader gives, in hexadecimal digits.
pub(super) fn digest_of(mut reader: impl io::Read) -> io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The same of the first `length` bytes; `None` where there are fewer.
pub(super) fn hash_of_beginning(file: &mut File, length: u64) -> io::Result<Option<Sha256>> {
    let (mut hash, mut buffer, mut left) = (Sha256::new(), vec![0; 1 << 16], length);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match file.read(&mut buffer[..most])? {
            0 => return Ok(None),
            read => {
                hash.update(&buffer[..read]);
                left -= read as u64;
            }
        }
    }
    Ok(Some(hash))
}
