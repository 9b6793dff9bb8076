//! Where the rows go: to standard output, or to a file that can be resumed.
//!
//! ```text
//! rows ──► FILE.part ──fsync──► FILE.journal (a checkpoint) ──fsync──► … ──► finished ──► FILE.part renamed to FILE
//! ```
//!
//! So FILE is there only when it is whole, and whatever stands in FILE.part after the last checkpoint is done again: it may
//! be torn, and after a loss of power it may be anything.

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, StdoutLock, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::{
    Answer, Counts,
    journal::{self, Checkpoint, Journal, Said, with_ending},
    run::{self, Run},
};
use crate::{exit::Unusable, table};

/// How much work a kill can cost. Two files are brought to disk each time, which takes milliseconds.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(200);

/// Where the rows go.
pub(super) enum Destination {
    /// Standard output.
    Standard(Box<csv::Writer<StdoutLock<'static>>>),
    /// A file.
    File(Box<OutputFile>),
}

/// What is to be done.
pub(super) enum Opened {
    /// All rows but the first, which these counts speak of.
    Rows(Destination, Counts),
    /// Nothing: an earlier run was finished.
    Finished(Counts),
}

/// A file being written under a name of its own.
pub(super) struct OutputFile {
    path: PathBuf,
    writer: csv::Writer<Hashed>,
    journal: Journal,
    last: Instant,
    every: Duration,
}

/// A file, and what was written to it.
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Destination {
    /// Standard output, with the header written.
    pub(super) fn standard() -> anyhow::Result<Opened> {
        let mut writer = table::writer();
        super::write_header(&mut writer)?;
        Ok(Opened::Rows(Self::Standard(Box::new(writer)), Counts::default()))
    }

    /// Writes the rows of one answer; `counts` includes it.
    pub(super) fn write(&mut self, answer: &Answer, counts: &Counts) -> anyhow::Result<()> {
        match self {
            Self::Standard(writer) => super::write(writer, answer),
            Self::File(file) => {
                super::write(&mut file.writer, answer)?;
                if file.last.elapsed() >= file.every { file.checkpoint(counts, false) } else { Ok(()) }
            }
        }
    }

    /// All rows are written.
    pub(super) fn finish(self, counts: &Counts) -> anyhow::Result<()> {
        match self {
            Self::Standard(mut writer) => Ok(writer.flush()?),
            Self::File(mut file) => {
                file.checkpoint(counts, true)?;
                publish(&file.path)
            }
        }
    }
}

/// Opens the output of a run: anew, or where an interrupted run of the same came to.
pub(super) fn open(path: &Path, resume: bool, run: &Run) -> anyhow::Result<Opened> {
    open_with(path, resume, run, CHECKPOINT_EVERY)
}

fn open_with(path: &Path, resume: bool, run: &Run, every: Duration) -> anyhow::Result<Opened> {
    let part = lock_part(path)?;
    let opened = open_locked(path, part, resume, run, every);
    if opened.is_err() && fs::metadata(part_of(path)).is_ok_and(|part| part.len() == 0) {
        let _ = fs::remove_file(part_of(path)); // it was made for the lock
    }
    opened
}

fn open_locked(path: &Path, part: File, resume: bool, run: &Run, every: Duration) -> anyhow::Result<Opened> {
    let journal = journal::beside(path);
    let said =
        journal::read(&journal).map_err(|error| damaged(path, "its journal can't be read").because(error))?;
    match said {
        Some(said) if resume => go_on(path, part, run, &said, every),
        Some(Said { checkpoint, .. }) if !is_finished(checkpoint.as_ref()) => Err(Unusable::new(
            format!("there is an interrupted run that writes `{}`", path.display()),
            format!("add --resume to go on with it, or delete `{}` to begin anew", journal.display()),
        )
        .into()),
        None if resume && path.exists() => {
            let problem = format!("`{}` is there, but no journal says what made it", path.display());
            Err(Unusable::new(problem, "delete it, or leave out --resume to replace it").into())
        }
        _ => begin(path, part, run, every),
    }
}

fn part_of(path: &Path) -> PathBuf {
    with_ending(path, ".part")
}

fn is_finished(checkpoint: Option<&Checkpoint>) -> bool {
    checkpoint.is_some_and(|checkpoint| checkpoint.finished)
}

fn damaged(path: &Path, what: &str) -> Unusable {
    let problem = format!("the interrupted run that writes `{}` can't be resumed: {what}", path.display());
    Unusable::new(problem, format!("delete `{}` to begin anew", journal::beside(path).display()))
}

/// Opens the file that is written, for this process alone.
fn lock_part(path: &Path) -> anyhow::Result<File> {
    let part = part_of(path);
    let file =
        File::options().create(true).read(true).write(true).truncate(false).open(&part).map_err(|error| {
            let problem = format!("`{}` can't be written", part.display());
            Unusable::new(problem, "name a file in a folder that is there and may be written to")
                .because(error)
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            let problem = format!("another process is writing `{}`", path.display());
            Err(Unusable::new(problem, "wait for it, or name another file").into())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).context(format!("locking {}", part.display())),
    }
}

fn begin(path: &Path, part: File, run: &Run, every: Duration) -> anyhow::Result<Opened> {
    // the journal first: an old one must never speak of the new bytes
    let journal = Journal::begin(&journal::beside(path), run).context("beginning the journal")?;
    part.set_len(0)?;
    let file = OutputFile::new(path, Hashed { file: part, hash: Sha256::new(), bytes: 0 }, journal, every)?;
    Ok(Opened::Rows(Destination::File(Box::new(file)), Counts::default()))
}

/// Goes on after the last checkpoint, once it is sure that the run is the same and that its output was left alone.
fn go_on(path: &Path, mut part: File, run: &Run, said: &Said, every: Duration) -> anyhow::Result<Opened> {
    if let Some(difference) = run.difference(&said.run) {
        let problem = format!("`{}` was begun otherwise: {difference}", path.display());
        let remedy = format!(
            "resume with what it was begun with, or delete `{}` to begin anew",
            journal::beside(path).display()
        );
        return Err(Unusable::new(problem, remedy).into());
    }
    let Some(checkpoint) = &said.checkpoint else { return begin(path, part, run, every) };
    if checkpoint.finished && is_what_was_written(path, checkpoint)? {
        fs::remove_file(part_of(path))?; // the empty one that was opened to lock it
        return Ok(Opened::Finished(checkpoint.counts));
    }
    let hash = run::hash_of_beginning(&mut part, checkpoint.bytes)?
        .filter(|hash| hex::encode(hash.clone().finalize()) == checkpoint.sha256)
        .ok_or_else(|| damaged(path, "what it has written so far was changed since"))?;
    part.set_len(checkpoint.bytes)?;
    part.seek(SeekFrom::Start(checkpoint.bytes))?;
    if checkpoint.finished {
        publish(path)?;
        return Ok(Opened::Finished(checkpoint.counts));
    }
    let journal = Journal::go_on(&journal::beside(path), said).context("going on with the journal")?;
    let hashed = Hashed { file: part, hash, bytes: checkpoint.bytes };
    let file = OutputFile::new(path, hashed, journal, every)?;
    Ok(Opened::Rows(Destination::File(Box::new(file)), checkpoint.counts))
}

fn is_what_was_written(path: &Path, checkpoint: &Checkpoint) -> anyhow::Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(run::digest_of(file)? == checkpoint.sha256),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context(format!("reading {}", path.display())),
    }
}

/// Gives the output its name. Everything in it is on disk.
fn publish(path: &Path) -> anyhow::Result<()> {
    fs::rename(part_of(path), path).with_context(|| format!("naming {}", path.display()))?;
    Ok(journal::sync_folder_of(path)?)
}

impl OutputFile {
    fn new(path: &Path, hashed: Hashed, journal: Journal, every: Duration) -> anyhow::Result<Self> {
        let is_new = hashed.bytes == 0;
        let mut writer = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(hashed);
        if is_new {
            super::write_header(&mut writer)?;
        }
        Ok(Self { path: path.to_owned(), writer, journal, last: Instant::now(), every })
    }

    /// First the rows to the disk, then the word that they are there.
    fn checkpoint(&mut self, counts: &Counts, finished: bool) -> anyhow::Result<()> {
        self.writer.flush()?;
        let hashed = self.writer.get_ref();
        hashed.file.sync_data()?;
        let sha256 = hex::encode(hashed.hash.clone().finalize());
        self.journal.add(&Checkpoint { counts: *counts, bytes: hashed.bytes, sha256, finished })?;
        self.last = Instant::now();
        Ok(())
    }
}

#[cfg(test)]
#[path = "destination_tests.rs"]
mod tests;
