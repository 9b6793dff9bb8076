//! API keys: derived ones with their Secrets, and the overlap of a rotation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kyb_crds::{Reason, TenantKeyStatus, Timestamp, names};
use kyb_settings::KeyHash;

use super::object_meta;
use crate::{
    controllers::tenant::{
        dereference::Facts,
        validate::{Key, KeySource, ValidTenant},
    },
    derive::{DerivedKey, RootKey},
};

/// A key in use, and the one before it while that is still accepted.
#[derive(Debug, Clone)]
pub(crate) struct IssuedKey {
    pub(crate) wanted: Key,
    /// Its public part and its hash; all that the settings need.
    pub(crate) id: String,
    pub(crate) hash: KeyHash,
    pub(crate) previous: Option<Previous>,
    /// The whole key, where it is ours to hand out.
    secret: Option<DerivedKey>,
}

/// The generation before, still accepted.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) id: String,
    pub(crate) hash: KeyHash,
    pub(crate) until: DateTime<Utc>,
}

/// The tenant's keys as of `now`. What is wrong with one stands in `tenant` or in `facts`, and changes nothing about it: neither
/// is a generation begun without knowing for how long the old one is needed, nor does a key of one's own take a derived
/// one's place before it can be read. Only a key of one's own whose Secret is gone, or holds no key any more, is withdrawn.
pub(crate) fn issue(
    tenant: &ValidTenant,
    facts: &Facts,
    status: &[TenantKeyStatus],
    root: &RootKey,
    now: DateTime<Utc>,
) -> Vec<IssuedKey> {
    let derived = |key: &Key, generation, known: Option<&TenantKeyStatus>, overlap| {
        let derived = root.api_key(&tenant.id, &key.name, i64::from(generation));
        let previous = known
            .and_then(|known| until(known, generation, overlap, now))
            .map(|(generation, until)| previous(root, &tenant.id, &key.name, generation, until));
        let source = KeySource::Derived { generation, overlap: Ok(None) };
        let (id, hash) = (derived.id.clone(), KeyHash::of(&derived.text));
        IssuedKey { wanted: Key { source, ..key.clone() }, id, hash, previous, secret: Some(derived) }
    };
    let issue_one = |key: &Key| {
        let known = status.iter().find(|known| known.name.as_str() == key.name);
        let last = known.and_then(|known| known.generation);
        match &key.source {
            KeySource::Brought(_) => match (facts.brought_keys.get(&key.name)?, last) {
                (Ok(text), _) => Some(brought(key, text.id().to_string(), KeyHash::of(text.reveal()))),
                (Err(_), Some(last)) => Some(derived(key, last, known, None)),
                (Err(problem), None) if problem.reason == Reason::Retrying => {
                    let (id, hash) = facts.unread.get_key_value(known?.key_id.as_ref()?)?;
                    Some(brought(key, id.clone(), *hash))
                }
                (Err(_), None) => None,
            },
            KeySource::Derived { generation, overlap: Ok(overlap) } => {
                let overlap = overlap.and_then(|overlap| chrono::Duration::from_std(overlap).ok());
                Some(derived(key, *generation, known, overlap))
            }
            KeySource::Derived { overlap: Err(_), .. } => Some(derived(key, last?, known, None)),
        }
    };
    tenant.keys.iter().filter_map(issue_one).collect()
}

fn brought(key: &Key, id: String, hash: KeyHash) -> IssuedKey {
    IssuedKey { wanted: key.clone(), id, hash, previous: None, secret: None }
}

/// Which earlier generation is accepted until when. The status remembers it, so that the time is set once. Without a
/// status (a restored backup) no earlier key is accepted.
fn until(
    known: &TenantKeyStatus,
    generation: i32,
    overlap: Option<chrono::Duration>,
    now: DateTime<Utc>,
) -> Option<(i32, DateTime<Utc>)> {
    let last = known.generation?;
    if last < generation {
        return Some((last, now + overlap?));
    }
    let until: DateTime<Utc> = known.previous_until.as_ref()?.as_str().parse().ok()?;
    (generation > 1 && until > now).then_some((generation - 1, until))
}

fn previous(root: &RootKey, tenant: &str, name: &str, generation: i32, until: DateTime<Utc>) -> Previous {
    let DerivedKey { id, text } = root.api_key(tenant, name, i64::from(generation));
    Previous { id, hash: KeyHash::of(&text), until }
}

/// One Secret for each derived key, in the tenant's own namespace.
pub(super) fn secrets(tenant: &ValidTenant, keys: &[IssuedKey]) -> Vec<Secret> {
    let namespace = names::tenant_namespace(&tenant.id);
    let secret = |key: &IssuedKey| {
        let derived = key.secret.as_ref()?;
        let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
        Some(Secret {
            metadata: object_meta(&names::key_secret(&key.wanted.name), Some(&namespace)),
            type_: Some("Opaque".to_owned()),
            data: Some(BTreeMap::from([
                ("key".to_owned(), bytes(&derived.text)),
                ("key-id".to_owned(), bytes(&derived.id)),
            ])),
            ..Secret::default()
        })
    };
    keys.iter().filter_map(secret).collect()
}

impl IssuedKey {
    /// What the tenant's status says of it.
    pub(crate) fn status(&self, tenant: &ValidTenant) -> TenantKeyStatus {
        let generation = match &self.wanted.source {
            KeySource::Derived { generation, .. } => Some(*generation),
            KeySource::Brought(_) => None,
        };
        let name = match &self.wanted.source {
            KeySource::Derived { .. } => names::key_secret(&self.wanted.name),
            KeySource::Brought(reference) => reference.name.to_string(),
        };
        let until = self.previous.as_ref().map(|previous| previous.until);
        TenantKeyStatus {
            name: self.wanted.name.as_str().into(),
            key_id: Some(self.id.clone()),
            generation,
            previous_until: until
                .map(|at| Timestamp::from(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))),
            secret: Some(kyb_crds::NamespacedRef {
                namespace: names::tenant_namespace(&tenant.id).into(),
                name: name.into(),
            }),
        }
    }
}
