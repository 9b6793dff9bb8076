//! Puts tenants' files together with a platform, one by one, and notes what does not go with the rest.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    SettingsError, Snapshot,
    files::PLATFORM_FILE,
    parsed::{Content, ParsedFile, SetDigest},
    tenant::CheckedTenant,
};

/// Settings in the making.
pub(super) struct Fitted {
    pub(super) snapshot: Snapshot,
    /// What it is made of.
    pub(super) chosen: BTreeMap<String, Arc<ParsedFile>>,
    /// New files that do not go with the rest.
    pub(super) unfit: BTreeMap<String, SettingsError>,
}

impl Fitted {
    /// Nothing but the platform yet.
    pub(super) fn over(platform: &Arc<ParsedFile>) -> Self {
        let mut snapshot = Snapshot::default();
        if let Content::Platform(platform) = &platform.content {
            snapshot.platform = platform.clone();
        }
        let chosen = BTreeMap::from([(PLATFORM_FILE.to_owned(), Arc::clone(platform))]);
        Self { snapshot, chosen, unfit: BTreeMap::new() }
    }

    /// Notes that a file's newest version is not in use.
    pub(super) fn refuse(&mut self, refusal: Option<&SettingsError>) {
        self.snapshot.refused.extend(refusal.cloned());
    }

    /// A file that was in use stays, even if the platform dropped a list that it wants: that list counts as missing, so
    /// nothing comes out as `no_hit`, and the refusal says why.
    pub(super) fn keep(&mut self, name: &str, file: &Arc<ParsedFile>) {
        let Some(tenant) = tenant_in(file) else { return };
        let refused = |problem: String| SettingsError::new(name, problem);
        if let Err(problem) = self.snapshot.check_lists(tenant) {
            self.refuse(Some(&refused(problem)));
        }
        match self.snapshot.insert(tenant) {
            Ok(()) => drop(self.chosen.insert(name.to_owned(), Arc::clone(file))),
            Err(problem) => self.refuse(Some(&refused(problem))),
        }
    }

    /// A new file comes in if it goes with what is there already.
    pub(super) fn take(&mut self, name: &str, file: &Arc<ParsedFile>) {
        let Some(tenant) = tenant_in(file) else { return };
        match self.snapshot.check_lists(tenant).and_then(|()| self.snapshot.insert(tenant)) {
            Ok(()) => drop(self.chosen.insert(name.to_owned(), Arc::clone(file))),
            Err(problem) => drop(self.unfit.insert(name.to_owned(), SettingsError::new(name, problem))),
        }
    }

    /// Names the settings after what they are made of.
    pub(super) fn finish(mut self) -> Self {
        let mut digest = SetDigest::default();
        self.chosen.iter().for_each(|(name, file)| digest.add(name, file));
        self.snapshot.version = hex::encode(&digest.finish()[..6]);
        self.snapshot.refused.sort_by(|a, b| a.file.cmp(&b.file));
        self.snapshot.refused.dedup_by(|later, first| later.file == first.file);
        self
    }
}

fn tenant_in(file: &ParsedFile) -> Option<&CheckedTenant> {
    match &file.content {
        Content::Tenant(tenant) => Some(tenant),
        Content::Platform(_) => None,
    }
}
