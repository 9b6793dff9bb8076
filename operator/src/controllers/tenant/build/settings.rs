//! The tenant's settings, as each region of this cluster that serves it gets them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kyb_crds::{Reason, names};
use kyb_domain::tenant::{ContextName, KeyId};
use kyb_settings::files::{ContextFile, KeyFile, TenantFile, tenant_file_name};

use super::{IssuedKey, access::settings_role, object_meta};
use crate::{
    concern::Problem,
    controllers::tenant::{
        dereference::Facts,
        validate::{TenantSettings, ValidTenant},
    },
};

/// One ConfigMap in the namespace of each region that serves the tenant.
pub(super) fn config_maps(
    tenant: &ValidTenant,
    facts: &Facts,
    keys: &[IssuedKey],
) -> Result<Vec<ConfigMap>, Problem> {
    let settings = tenant.settings.as_ref().map_err(Clone::clone)?;
    if facts.unheld {
        // Whoever may call may leave data behind, which a deletion without the finalizer would not erase.
        let message =
            format!("waits for the finalizer {}, which could not be set yet", names::ERASE_FINALIZER);
        return Err(Problem::new(Reason::Retrying, message));
    }
    let file = if facts.erasing {
        erasure(settings)
    } else {
        TenantFile { api_keys: key_files(keys)?, ..bare(settings) }
    };
    facts.serving.iter().map(|region| config_map(&file, &region.namespace)).collect()
}

/// The settings that the regions have, with the keys as they are wanted now: a mistake elsewhere in the spec keeps no revoked key
/// alive. A key of a context that a region does not know yet has to wait, since the region would refuse the whole file.
pub(super) fn with_new_keys(facts: &Facts, keys: &[IssuedKey]) -> Result<Vec<ConfigMap>, Problem> {
    let mut maps = Vec::new();
    for region in &facts.serving {
        let Some(known) = &region.settings else { continue };
        let is_known = |context: &ContextName| known.contexts.iter().any(|known| known.name == *context);
        let mut api_keys = key_files(keys)?;
        api_keys.retain(|key| key.contexts.iter().flatten().all(is_known));
        maps.push(config_map(&TenantFile { api_keys, ..known.clone() }, &region.namespace)?);
    }
    Ok(maps)
}

fn config_map(file: &TenantFile, namespace: &str) -> Result<ConfigMap, Problem> {
    let text = serde_yaml::to_string(file)
        .map_err(|why| Problem::new(Reason::InvalidSpec, format!("the settings can't be written: {why}")))?;
    let mut metadata = object_meta(&names::tenant_config_map(file.id.as_str()), Some(namespace));
    metadata.labels = Some(BTreeMap::from([
        (names::SETTINGS_LABEL.to_owned(), names::SETTINGS_TENANT.to_owned()),
        (names::TENANT_LABEL.to_owned(), file.id.to_string()),
    ]));
    let data = BTreeMap::from([(tenant_file_name(&file.id), text)]);
    Ok(ConfigMap { metadata, data: Some(data), ..ConfigMap::default() })
}

fn key_files(keys: &[IssuedKey]) -> Result<Vec<KeyFile>, Problem> {
    let mut files = Vec::new();
    for key in keys {
        files.push(key_file(key, &key.id, key.hash, key.wanted.expires_at)?);
        if let Some(previous) = &key.previous {
            let ends = key.wanted.expires_at.map_or(previous.until, |at| at.min(previous.until));
            files.push(key_file(key, &previous.id, previous.hash, Some(ends))?);
        }
    }
    Ok(files)
}

/// A tenant that is going: nobody may call for it, and the worker deletes its rows.
fn erasure(settings: &TenantSettings) -> TenantFile {
    TenantFile { api_keys: vec![], erase: true, ..bare(settings) }
}

fn bare(settings: &TenantSettings) -> TenantFile {
    let contexts = settings.contexts.iter().map(|name| ContextFile { name: name.clone() });
    TenantFile {
        id: settings.id.clone(),
        display_name: settings.display_name.clone(),
        contexts: contexts.collect(),
        rate_limit: settings.rate_limit,
        api_keys: vec![],
        verification: settings.verification.clone(),
        lists: settings.lists.clone(),
        threshold: settings.threshold,
        erase: false,
    }
}

fn key_file(
    key: &IssuedKey,
    id: &str,
    hash: kyb_settings::KeyHash,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<KeyFile, Problem> {
    let id = KeyId::try_from(id);
    let id =
        id.map_err(|why| Problem::new(Reason::SecretInvalid, format!("key `{}`: {why}", key.wanted.name)))?;
    let contexts = key.wanted.contexts.clone();
    Ok(KeyFile { id, role: settings_role(key.wanted.role), hash, expires_at, contexts })
}
