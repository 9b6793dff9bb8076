//! A whole, checked set of settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use kyb_domain::tenant::TenantId;
use sha2::{Digest, Sha256};

use crate::{
    Caller, Callers, KeyError, Platform, SettingsError, Tenant,
    files::{PLATFORM_FILE, PlatformFile, TenantFile, tenant_file_name},
    source::Folder,
    tenant::CheckedTenant,
};

/// Settings that belong together; checked as a whole, never changed.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// What holds for every tenant.
    pub platform: Platform,
    /// The tenants.
    pub tenants: BTreeMap<TenantId, Arc<Tenant>>,
    /// Their keys.
    pub callers: Callers,
    /// Tenants whose rows are to be deleted for good. They are none of [`Self::tenants`], and nobody calls for them.
    pub erasures: BTreeSet<TenantId>,
    /// 12 hexadecimal digits of the SHA-256 of what was read.
    pub version: String,
    /// The highest resource version among the objects that were seen, those of refused files too; `None` where settings
    /// do not come from a cluster.
    pub resource_version: Option<u64>,
    /// Files whose newest version is not in here; what is, if anything, is their last good one. Always empty for a
    /// folder, which is taken as a whole or not at all.
    pub refused: Vec<SettingsError>,
}

impl Snapshot {
    /// Reads and checks a folder: `platform.yaml` and one `tenant-<id>.yaml` for each tenant.
    pub fn read(folder: &Path) -> Result<Self, SettingsError> {
        Folder::new(folder).read()
    }

    /// Checks settings that were not read from files; relative folders of lists are below `folder`.
    pub fn of(platform: &PlatformFile, tenants: &[TenantFile], folder: &Path) -> Result<Self, SettingsError> {
        let yaml_of = |error: serde_yaml::Error| SettingsError::new(PLATFORM_FILE, error.to_string());
        let mut digest = Sha256::new();
        digest.update(serde_yaml::to_string(platform).map_err(yaml_of)?);
        digest.update(serde_yaml::to_string(tenants).map_err(yaml_of)?);
        let platform = check_platform(platform, folder)?;
        let checked = tenants.iter().map(check_tenant).collect::<Result<Vec<_>, _>>()?;
        Self::assemble(platform, checked.iter(), &digest.finalize())
    }

    /// Puts checked files together, checking what they say about each other.
    pub(crate) fn assemble<'a>(
        platform: Platform,
        tenants: impl Iterator<Item = &'a CheckedTenant>,
        digest: &[u8],
    ) -> Result<Self, SettingsError> {
        let mut snapshot = Self { platform, version: hex::encode(&digest[..6]), ..Self::default() };
        for checked in tenants {
            snapshot
                .add(checked)
                .map_err(|problem| SettingsError::new(tenant_file_name(&checked.tenant.id), problem))?;
        }
        Ok(snapshot)
    }

    fn add(&mut self, checked: &CheckedTenant) -> Result<(), String> {
        self.check_lists(checked)?;
        self.insert(checked)
    }

    /// Refuses a tenant that wants a list which the platform does not have.
    pub(crate) fn check_lists(&self, checked: &CheckedTenant) -> Result<(), String> {
        let wanted = checked.tenant.lists.iter().flatten().filter(|_| !checked.erase);
        match wanted.into_iter().find(|list| !self.platform.has(list)) {
            None => Ok(()),
            Some(unknown) => Err(format!(
                "lists: `{unknown}` is not among the lists of {PLATFORM_FILE}; add it there or take it out"
            )),
        }
    }

    /// Takes in a tenant. Where it is refused, nothing of it stays.
    pub(crate) fn insert(&mut self, checked: &CheckedTenant) -> Result<(), String> {
        let tenant = &checked.tenant;
        if self.tenants.contains_key(&tenant.id) || self.erasures.contains(&tenant.id) {
            return Err("the tenant is there twice; take one out".to_owned());
        }
        if checked.erase {
            self.erasures.insert(tenant.id.clone());
            return Ok(());
        }
        if let Some((key, other)) = checked.keys.iter().find_map(|key| Some((key, self.callers.holder(key)?)))
        {
            let file = tenant_file_name(&other.id);
            return Err(format!(
                "api_keys: `{}` is also a key of {file}; make a new key with an id of its own",
                key.id
            ));
        }
        for key in &checked.keys {
            self.callers.insert(tenant, key);
        }
        self.tenants.insert(tenant.id.clone(), Arc::clone(tenant));
        Ok(())
    }

    /// Who sent this key.
    pub fn authenticate(&self, key: &str, now: DateTime<Utc>) -> Result<Caller, KeyError> {
        self.callers.authenticate(key, now)
    }
}

pub(crate) fn check_platform(file: &PlatformFile, folder: &Path) -> Result<Platform, SettingsError> {
    Platform::check(file, folder).map_err(|problem| SettingsError::new(PLATFORM_FILE, problem))
}

pub(crate) fn check_tenant(file: &TenantFile) -> Result<CheckedTenant, SettingsError> {
    CheckedTenant::check(file).map_err(|problem| SettingsError::new(tenant_file_name(&file.id), problem))
}
