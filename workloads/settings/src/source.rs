//! The directory source: reads a folder as a whole and notices, cheaply, that it changed.
//!
//! A look compares names, sizes, inodes and times of the files, and where the link `..data` leads, by which a kubelet
//! swaps all files of a mounted ConfigMap at once. What changed must look the same twice before it is read, since a file
//! that is being written may read as a shorter one that is just as valid. Only files that changed are read again.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    SettingsError, Snapshot,
    parsed::{self, Content, MOST_TENANTS, ParsedFile, SetDigest},
};

/// The largest file, in bytes; also the most that a ConfigMap holds.
pub const LARGEST_FILE: u64 = 1024 * 1024;

/// A file changed this shortly before a look may change again without its time showing it, as file systems count in
/// steps; it is read again at the next look.
const TIME_STEP: Duration = Duration::from_secs(1);
/// After so many looks that each saw another change, the folder is read although it is not calm: somebody who keeps
/// writing must not keep a revoked key alive.
const PATIENCE: u32 = 5;

/// What a look at the folder gave.
#[derive(Debug)]
pub(crate) enum Look {
    /// The same as when it was last read.
    Unchanged,
    /// Changed, perhaps still being written; look again soon.
    Unsettled,
    /// Read anew.
    Read(Box<Result<Snapshot, SettingsError>>),
}

/// A folder of settings and what was read of it last.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    known: BTreeMap<String, Known>,
    read: Option<Listing>,
    seen: Option<Listing>,
    impatience: u32,
    /// Whether a change must look the same twice before it is read; off only in the test that shows why.
    pub(crate) wait_for_calm: bool,
}

/// A file as it was when last read.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    young: bool,
    file: ParsedFile,
}

/// What a look sees of the folder.
#[derive(Debug, Clone)]
struct Listing {
    files: BTreeMap<String, Option<Stamp>>,
    data_link: Option<PathBuf>,
    looked_at: SystemTime,
}

/// What tells, without reading it, that a file is another than before. Symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    regular: bool,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, known: BTreeMap::new(), read: None, seen: None, impatience: 0, wait_for_calm: true }
    }

    /// Reads the folder now. If it changes meanwhile it is read again, at most [`PATIENCE`] times.
    pub(crate) fn read(&mut self) -> Result<Snapshot, SettingsError> {
        let mut before = self.list()?;
        for _ in 0..PATIENCE {
            let outcome = self.load(&before);
            let after = self.list()?;
            if after.same(&before) {
                self.read = Some(before);
                return outcome;
            }
            before = after;
        }
        self.load(&before)
    }

    /// Looks whether the folder changed, and reads it if it did and is calm.
    pub(crate) fn look(&mut self) -> Look {
        let now = match self.list() {
            Ok(now) => now,
            Err(error) => return self.lost(error),
        };
        let same = self.read.as_ref().is_some_and(|read| read.same(&now));
        if same && !self.read.as_ref().is_some_and(Listing::is_young) {
            return Look::Unchanged;
        }
        let calm = self.seen.replace(now.clone()).is_some_and(|seen| seen.same(&now)) || !self.wait_for_calm;
        if !same && !calm && self.impatience < PATIENCE {
            self.impatience += 1;
            return Look::Unsettled;
        }
        let outcome = self.load(&now);
        let stayed = self.list().is_ok_and(|after| after.same(&now)) || !self.wait_for_calm;
        if !stayed && self.impatience < PATIENCE {
            self.impatience += 1;
            return Look::Unsettled;
        }
        self.impatience = 0;
        self.read = Some(now);
        Look::Read(Box::new(outcome))
    }

    fn lost(&mut self, error: SettingsError) -> Look {
        (self.read, self.seen) = (None, None);
        Look::Read(Box::new(Err(error)))
    }

    /// The settings' files and their stamps.
    fn list(&self) -> Result<Listing, SettingsError> {
        let looked_at = SystemTime::now();
        let failed = |error: io::Error| {
            let folder = self.path.display();
            SettingsError::new("the settings' folder", format!("{folder} can't be read: {error}"))
        };
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if parsed::is_ours(&name) {
                files.insert(name, fs::metadata(entry.path()).ok().map(|metadata| Stamp::of(&metadata)));
            }
        }
        if files.len() > MOST_TENANTS + 1 {
            let problem =
                format!("holds more than {MOST_TENANTS} tenants; spread them over several installations");
            return Err(SettingsError::new("the settings' folder", problem));
        }
        Ok(Listing { files, data_link: fs::read_link(self.path.join("..data")).ok(), looked_at })
    }

    /// Reads what changed, then puts all together.
    fn load(&mut self, listing: &Listing) -> Result<Snapshot, SettingsError> {
        self.known.retain(|name, _| listing.files.contains_key(name));
        for (name, stamp) in &listing.files {
            let current = |known: &Known| Some(known.stamp) == *stamp && !known.young;
            if !self.known.get(name).is_some_and(current) {
                self.known.remove(name); // a bad file must not pass as its earlier, good self
                let known = self.load_file(name, *stamp, listing.looked_at)?;
                self.known.insert(name.clone(), known);
            }
        }
        self.assemble()
    }

    fn load_file(
        &self,
        name: &str,
        stamp: Option<Stamp>,
        looked_at: SystemTime,
    ) -> Result<Known, SettingsError> {
        let refused = |problem: &str| SettingsError::new(name, problem);
        let stamp = stamp.ok_or_else(|| refused("can't be found; is it a link that leads nowhere?"))?;
        let text = self.text(name, stamp).map_err(|problem| refused(&problem))?;
        let file = ParsedFile::parse(name, &text, &self.path)?;
        Ok(Known { stamp, young: stamp.is_young(looked_at), file })
    }

    fn text(&self, name: &str, stamp: Stamp) -> Result<String, String> {
        let too_large = || format!("is larger than {LARGEST_FILE} bytes; take out what is not needed");
        if !stamp.regular {
            return Err("is not a file".to_owned()); // opening a pipe would wait for a writer
        }
        if stamp.bytes > LARGEST_FILE {
            return Err(too_large());
        }
        let mut text = Vec::new();
        fs::File::open(self.path.join(name))
            .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut text))
            .map_err(|error| format!("can't be read: {error}"))?;
        if text.len() as u64 > LARGEST_FILE {
            return Err(too_large());
        }
        String::from_utf8(text).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            format!("line {line} is not UTF-8 text; save it as UTF-8")
        })
    }

    fn assemble(&self) -> Result<Snapshot, SettingsError> {
        let mut digest = SetDigest::default();
        let (mut platform, mut tenants) = (None, Vec::new());
        for (name, known) in &self.known {
            digest.add(name, &known.file);
            match &known.file.content {
                Content::Platform(read) => platform = Some(read.clone()),
                Content::Tenant(checked) => tenants.push(Arc::clone(checked)),
            }
        }
        let platform = platform.ok_or_else(parsed::platform_missing)?;
        Snapshot::assemble(platform, tenants.iter().map(Arc::as_ref), &digest.finish())
    }
}

impl Listing {
    fn same(&self, other: &Self) -> bool {
        self.files == other.files && self.data_link == other.data_link
    }

    fn is_young(&self) -> bool {
        self.files.values().flatten().any(|stamp| stamp.is_young(self.looked_at))
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            regular: metadata.is_file(),
        }
    }

    /// Whether the file was so young at the look that a later change may bear the same time.
    fn is_young(&self, looked_at: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let since_epoch =
            Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
        let age = looked_at.duration_since(UNIX_EPOCH + since_epoch);
        age.map_or_else(|ahead| ahead.duration() < TIME_STEP, |age| age < TIME_STEP)
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
