//! The tenant's settings, as each region of this cluster that serves it gets them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kyb_crds::{Reason, names};
use kyb_domain::tenant::KeyId;
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
    let file = if facts.erasing { erasure(settings) } else { file(settings, keys)? };
    let text = serde_yaml::to_string(&file)
        .map_err(|why| Problem::new(Reason::InvalidSpec, format!("the settings can't be written: {why}")))?;
    let name = tenant_file_name(&settings.id);
    let config_map = |namespace: &str| {
        let mut metadata = object_meta(&names::tenant_config_map(&tenant.id), Some(namespace));
        metadata.labels = Some(BTreeMap::from([
            (names::SETTINGS_LABEL.to_owned(), names::SETTINGS_TENANT.to_owned()),
            (names::TENANT_LABEL.to_owned(), tenant.id.clone()),
        ]));
        ConfigMap {
            metadata,
            data: Some(BTreeMap::from([(name.clone(), text.clone())])),
            ..ConfigMap::default()
        }
    };
    Ok(facts.serving.iter().map(|region| config_map(&region.namespace)).collect())
}

fn file(settings: &TenantSettings, keys: &[IssuedKey]) -> Result<TenantFile, Problem> {
    let mut api_keys = Vec::new();
    for key in keys {
        api_keys.push(key_file(key, &key.id, key.hash, key.wanted.expires_at)?);
        if let Some(previous) = &key.previous {
            let ends = key.wanted.expires_at.map_or(previous.until, |at| at.min(previous.until));
            api_keys.push(key_file(key, &previous.id, previous.hash, Some(ends))?);
        }
    }
    Ok(TenantFile { api_keys, erase: false, ..bare(settings) })
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
