//! A whole, checked set of settings.

use std::{collections::BTreeMap, path::Path, sync::Arc};

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
    /// 12 hexadecimal digits of the SHA-256 of what was read.
    pub version: String,
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
        let tenant = &checked.tenant;
        let wanted = tenant.lists.iter().flatten();
        if let Some(unknown) = wanted.into_iter().find(|list| !self.platform.has(list)) {
            return Err(format!(
                "lists: `{unknown}` is not among the lists of {PLATFORM_FILE}; add it there or take it out"
            ));
        }
        for key in &checked.keys {
            self.callers.insert(tenant, key).map_err(|other| {
                let file = tenant_file_name(&other.id);
                format!(
                    "api_keys: `{}` is also a key of {file}; make a new key with an id of its own",
                    key.id
                )
            })?;
        }
        match self.tenants.insert(tenant.id.clone(), Arc::clone(tenant)) {
            Some(_) => Err("the tenant is there twice; take one out".to_owned()),
            None => Ok(()),
        }
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
