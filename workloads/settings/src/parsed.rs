//! What folder and cluster share: the text of one file, read and checked as far as it can be by itself.

use std::{path::Path, sync::Arc};

use kyb_domain::tenant::TenantId;
use sha2::{Digest, Sha256};

use crate::{
    Platform, SettingsError, bounds,
    files::{PLATFORM_FILE, PlatformFile, TenantFile},
    snapshot::{check_platform, check_tenant},
    tenant::CheckedTenant,
};

/// The most tenants.
pub const MOST_TENANTS: usize = 100_000;

/// A file that was read and is good by itself.
#[derive(Debug, Clone)]
pub(crate) struct ParsedFile {
    pub(crate) digest: [u8; 32],
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Platform(Platform),
    Tenant(Arc<CheckedTenant>),
}

impl ParsedFile {
    /// Reads a file by its name and text; relative folders of lists are below `base`.
    pub(crate) fn parse(name: &str, text: &str, base: &Path) -> Result<Self, SettingsError> {
        Ok(Self { digest: Sha256::digest(text).into(), content: Content::parse(name, text, base)? })
    }
}

impl Content {
    fn parse(name: &str, text: &str, base: &Path) -> Result<Self, SettingsError> {
        bounds::check(text).map_err(|problem| SettingsError::new(name, problem))?;
        if name == PLATFORM_FILE {
            let file: PlatformFile =
                serde_yaml::from_str(text).map_err(|e| SettingsError::unreadable(name, &e))?;
            return check_platform(&file, base).map(Self::Platform);
        }
        let id = tenant_of(name)?;
        let file: TenantFile = serde_yaml::from_str(text).map_err(|e| SettingsError::unreadable(name, &e))?;
        if file.id != id {
            let problem = format!("id is `{}` but the file's name says `{id}`; make them the same", file.id);
            return Err(SettingsError::new(name, problem));
        }
        check_tenant(&file).map(|checked| Self::Tenant(Arc::new(checked)))
    }
}

/// Whether this is a file that settings may stand in. Hidden files and files of other kinds are nobody's business; a YAML
/// file of an unknown name is, since it is most likely a misspelt tenant, who would silently be locked out.
pub(crate) fn is_ours(name: &str) -> bool {
    !name.starts_with('.') && (has_extension(name, "yaml") || has_extension(name, "yml"))
}

/// There is no `platform.yaml`.
pub(crate) fn platform_missing() -> SettingsError {
    SettingsError::new(PLATFORM_FILE, "is missing; write at least `lists: []` into it")
}

fn tenant_of(name: &str) -> Result<TenantId, SettingsError> {
    let id = name.strip_prefix("tenant-").and_then(|rest| rest.strip_suffix(".yaml"));
    let rule = format!("is neither `{PLATFORM_FILE}` nor `tenant-<id>.yaml`; rename it or take it out");
    let id = id.ok_or_else(|| SettingsError::new(name, rule))?;
    TenantId::try_from(id).map_err(|invalid| SettingsError::new(name, format!("the file's name: {invalid}")))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The digest over files, each by its name and the digest of its text, in the order of the names.
#[derive(Default)]
pub(crate) struct SetDigest(Sha256);

impl SetDigest {
    pub(crate) fn add(&mut self, name: &str, file: &ParsedFile) {
        self.0.update(Sha256::digest(name));
        self.0.update(file.digest);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
