//! What was seen of the ConfigMaps, and the settings that follow from it. No I/O, no clock, no Kubernetes.
//!
//! ```text
//! events ──► maps (as last seen) ──► changed files ──► newest, each parsed or refused ──► fit ──► Snapshot
//!                                                       in use: the last good of each ───┘
//! ```
//!
//! A file that is refused, by itself or because it does not go with the others, is replaced by its last good version, and
//! all others go on. Only `platform.yaml` stands for all: while it is missing the whole set is refused, since somebody who
//! emptied the namespace by mistake must not lock every tenant out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use super::fit::Fitted;
use crate::{
    SettingsError, Snapshot,
    files::PLATFORM_FILE,
    parsed::{self, MOST_TENANTS, ParsedFile},
};

/// A ConfigMap as far as settings go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenMap {
    /// Its name.
    pub(crate) name: String,
    /// Its resource version; 0 where it is no number, which no reader takes for current.
    pub(crate) resource_version: u64,
    /// Its files by name; other keys are left out.
    pub(crate) files: BTreeMap<String, String>,
}

/// What was seen, and what is in use.
#[derive(Debug)]
pub(crate) struct Board {
    /// Relative folders of lists are below this one.
    base: PathBuf,
    maps: BTreeMap<String, SeenMap>,
    /// Which maps hold a file.
    holders: BTreeMap<String, BTreeSet<String>>,
    /// What came of a listing that is under way; the board shows the state before until it is whole.
    listing: Option<BTreeMap<String, SeenMap>>,
    highest: u64,
    /// Files to be read again.
    changed: BTreeSet<String>,
    /// The newest version of every file that is there.
    newest: BTreeMap<String, Result<Arc<ParsedFile>, SettingsError>>,
    /// What the last settings were made of.
    in_use: BTreeMap<String, Arc<ParsedFile>>,
    dirty: bool,
    /// Whether a refused file is replaced by its last good version; off only in the test that shows why.
    pub(crate) keeps_the_last_good: bool,
}

impl Board {
    pub(crate) fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            maps: BTreeMap::new(),
            holders: BTreeMap::new(),
            listing: None,
            highest: 0,
            changed: BTreeSet::new(),
            newest: BTreeMap::new(),
            in_use: BTreeMap::new(),
            dirty: false,
            keeps_the_last_good: true,
        }
    }

    /// A listing begins; what it does not name in the end is gone.
    pub(crate) fn begin_listing(&mut self) {
        self.listing = Some(BTreeMap::new());
    }

    /// A map of the listing under way.
    pub(crate) fn listed(&mut self, map: SeenMap) {
        self.listing.get_or_insert_default().insert(map.name.clone(), map);
    }

    /// The listing is whole. The resource versions begin anew, since a store that was restored counts from an earlier one.
    pub(crate) fn end_listing(&mut self) {
        let listed = self.listing.take().unwrap_or_default();
        let gone: Vec<String> =
            self.maps.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
        for name in gone {
            self.remove(&name);
        }
        self.highest = 0;
        for map in listed.into_values() {
            self.applied(map);
        }
        self.dirty = true;
    }

    /// A map was made or changed.
    pub(crate) fn applied(&mut self, map: SeenMap) {
        self.highest = self.highest.max(map.resource_version);
        self.dirty = true;
        if self.maps.get(&map.name).is_some_and(|known| known.files == map.files) {
            return;
        }
        self.remove(&map.name);
        for file in map.files.keys() {
            self.holders.entry(file.clone()).or_default().insert(map.name.clone());
            self.changed.insert(file.clone());
        }
        self.maps.insert(map.name.clone(), map);
    }

    /// A map was deleted; `resource_version` is that of its deletion.
    pub(crate) fn deleted(&mut self, name: &str, resource_version: u64) {
        self.highest = self.highest.max(resource_version);
        self.dirty = true;
        self.remove(name);
    }

    /// Whether something happened since the last [`Self::build`].
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    fn remove(&mut self, name: &str) {
        let Some(map) = self.maps.remove(name) else { return };
        for file in map.files.into_keys() {
            if let Some(holders) = self.holders.get_mut(&file) {
                holders.remove(name);
                if holders.is_empty() {
                    self.holders.remove(&file);
                }
            }
            self.changed.insert(file);
        }
    }

    /// The settings as of now. An error refuses the whole set.
    pub(crate) fn build(&mut self) -> Result<Snapshot, SettingsError> {
        self.dirty = false;
        for file in std::mem::take(&mut self.changed) {
            self.read(&file);
        }
        if self.newest.len() > MOST_TENANTS + 1 {
            let problem =
                format!("there are more than {MOST_TENANTS} tenants; spread them over several installations");
            return Err(SettingsError::new("the settings' namespace", problem));
        }
        let mut fitted = self.fit()?;
        self.in_use = fitted.chosen;
        fitted.snapshot.resource_version = Some(self.highest);
        Ok(fitted.snapshot)
    }

    /// Reads a file again, or forgets it where it is gone.
    fn read(&mut self, file: &str) {
        let holders: Vec<&String> = self.holders.get(file).into_iter().flatten().collect();
        let read = match holders[..] {
            [] => {
                self.newest.remove(file);
                if file != PLATFORM_FILE {
                    self.in_use.remove(file);
                }
                return;
            }
            [map] => {
                let text = self.maps.get(map).and_then(|map| map.files.get(file)).map_or("", String::as_str);
                ParsedFile::parse(file, text, &self.base).map(Arc::new)
            }
            [one, other, ..] => {
                let problem =
                    format!("is in the ConfigMaps `{one}` and `{other}`; take it out of one of them");
                Err(SettingsError::new(file, problem))
            }
        };
        let read = read.map(|new| self.same_in_use(file, &new).unwrap_or(new));
        self.newest.insert(file.to_owned(), read);
    }

    /// The version in use where it has the same text: what was not changed stays the same object.
    fn same_in_use(&self, file: &str, new: &ParsedFile) -> Option<Arc<ParsedFile>> {
        self.in_use.get(file).filter(|used| used.digest == new.digest).cloned()
    }

    /// Puts the newest good version of every file together. What does not go with the rest is set back to its last good
    /// version, until all goes together.
    fn fit(&self) -> Result<Fitted, SettingsError> {
        let mut unfit = BTreeMap::new();
        loop {
            let attempt = self.attempt(&unfit)?;
            if attempt.unfit.is_empty() {
                return Ok(attempt);
            }
            unfit.extend(attempt.unfit);
        }
    }

    fn attempt(&self, unfit: &BTreeMap<String, SettingsError>) -> Result<Fitted, SettingsError> {
        let mut fitted = Fitted::over(self.platform()?);
        fitted.refuse(self.newest.get(PLATFORM_FILE).and_then(|newest| newest.as_ref().err()));
        let Candidates { held, fresh } = self.candidates(unfit);
        // What is in use already has its keys; only then come those that want other ones.
        for (name, held) in held {
            fitted.refuse(held.refusal);
            if let Some(file) = held.last_good {
                fitted.keep(name, file);
            }
        }
        for (name, file) in fresh {
            fitted.take(name, file);
        }
        Ok(fitted.finish())
    }

    /// The newest platform file, or the last good one while that is refused.
    fn platform(&self) -> Result<&Arc<ParsedFile>, SettingsError> {
        let newest = self.newest.get(PLATFORM_FILE).ok_or_else(parsed::platform_missing)?;
        match newest {
            Ok(platform) => Ok(platform),
            Err(refusal) => self.last_good(PLATFORM_FILE).ok_or_else(|| refusal.clone()),
        }
    }

    fn last_good(&self, name: &str) -> Option<&Arc<ParsedFile>> {
        self.in_use.get(name).filter(|_| self.keeps_the_last_good)
    }

    /// Every tenant's file: those that stay as they are, or as they last were good, and those that are new.
    fn candidates<'a>(&'a self, unfit: &'a BTreeMap<String, SettingsError>) -> Candidates<'a> {
        let mut candidates = Candidates::default();
        for (name, newest) in self.newest.iter().filter(|(name, _)| *name != PLATFORM_FILE) {
            let last_good = self.last_good(name);
            let refusal = newest.as_ref().err().or_else(|| unfit.get(name));
            match (newest, refusal) {
                (Ok(new), None) if !last_good.is_some_and(|used| Arc::ptr_eq(used, new)) => {
                    candidates.fresh.push((name, new));
                }
                (_, refusal) => candidates.held.push((name, Held { last_good, refusal })),
            }
        }
        candidates
    }
}

/// Tenants' files, by name.
#[derive(Default)]
struct Candidates<'a> {
    held: Vec<(&'a str, Held<'a>)>,
    fresh: Vec<(&'a str, &'a Arc<ParsedFile>)>,
}

/// A file that is not new, or whose newest version is refused.
struct Held<'a> {
    last_good: Option<&'a Arc<ParsedFile>>,
    refusal: Option<&'a SettingsError>,
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
