//! One tenant's settings.

use std::{collections::HashSet, hash::Hash, ops::RangeInclusive, sync::Arc};

use kyb_domain::{
    list::ListId,
    score::Score,
    tenant::{ContextName, TenantId},
};
use kyb_policy::Policy;
use serde::{Deserialize, Serialize};

use crate::files::{KeyFile, TenantFile};

/// `tenant-<id>.yaml`, checked, its policy compiled.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name for people.
    pub display_name: String,
    /// Its business contexts.
    pub contexts: Vec<ContextName>,
    /// How many requests it may make.
    pub rate_limit: RateLimit,
    /// How it decides.
    pub policy: Arc<Policy>,
    /// The lists it wants screened; all of the platform's where `None`.
    pub lists: Option<Vec<ListId>>,
    /// The screening threshold; the engine's own where `None`.
    pub threshold: Option<Score>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Sustained rate, 1 to 10,000,000.
    pub requests_per_minute: u32,
    /// How many may come at once, 1 to 1,000,000.
    pub burst: u32,
}

const REQUESTS_PER_MINUTE: RangeInclusive<u32> = 1..=10_000_000;
const BURST: RangeInclusive<u32> = 1..=1_000_000;

/// A tenant's file, checked as far as it can be without the other files.
#[derive(Debug)]
pub(crate) struct CheckedTenant {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) keys: Vec<KeyFile>,
    /// Every row of it is to be deleted; it is nobody's tenant any more.
    pub(crate) erase: bool,
}

impl CheckedTenant {
    /// Checks what was written. The error says where and what to do.
    pub(crate) fn check(file: &TenantFile) -> Result<Self, String> {
        file.rate_limit.check()?;
        if file.erase && !file.api_keys.is_empty() {
            return Err("erase: a tenant that is to be erased has no keys; write `api_keys: []`".to_owned());
        }
        let contexts: Vec<ContextName> = file.contexts.iter().map(|context| context.name.clone()).collect();
        if let Some(twice) = first_twice(&contexts) {
            return Err(format!("contexts: `{twice}` is there twice; take one out"));
        }
        if let Some(twice) = first_twice(file.api_keys.iter().map(|key| &key.id)) {
            return Err(format!("api_keys: `{twice}` is there twice; a new key needs a new id"));
        }
        file.api_keys.iter().try_for_each(|key| check_key(key, &contexts))?;
        check_lists(file.lists.as_deref())?;
        let policy =
            Policy::compile(&file.verification.spec()).map_err(|e| format!("verification.policy: {e}"))?;
        let tenant = Tenant {
            id: file.id.clone(),
            display_name: file.display_name.as_str().to_owned(),
            contexts,
            rate_limit: file.rate_limit,
            policy: Arc::new(policy),
            lists: file.lists.clone(),
            threshold: file.threshold,
        };
        Ok(Self { tenant: Arc::new(tenant), keys: file.api_keys.clone(), erase: file.erase })
    }
}

impl RateLimit {
    fn check(self) -> Result<(), String> {
        if !REQUESTS_PER_MINUTE.contains(&self.requests_per_minute) {
            return Err("rate_limit: requests_per_minute must be 1 to 10000000".to_owned());
        }
        if !BURST.contains(&self.burst) {
            return Err("rate_limit: burst must be 1 to 1000000".to_owned());
        }
        Ok(())
    }
}

fn check_key(key: &KeyFile, contexts: &[ContextName]) -> Result<(), String> {
    let Some(wanted) = &key.contexts else { return Ok(()) };
    let place = format!("api_keys: `{}`", key.id);
    if wanted.is_empty() {
        return Err(format!(
            "{place} may act in no context; leave `contexts` out for all, or remove the key"
        ));
    }
    match wanted.iter().find(|context| !contexts.contains(context)) {
        Some(unknown) => {
            Err(format!("{place} names the context `{unknown}`, which the tenant does not have"))
        }
        None => Ok(()),
    }
}

fn check_lists(lists: Option<&[ListId]>) -> Result<(), String> {
    let Some(lists) = lists else { return Ok(()) };
    if lists.is_empty() {
        return Err("lists is empty; leave it out for all lists, or name at least one".to_owned());
    }
    match first_twice(lists) {
        Some(twice) => Err(format!("lists: `{twice}` is there twice; take one out")),
        None => Ok(()),
    }
}

fn first_twice<T: Hash + Eq + Clone>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = HashSet::new();
    items.into_iter().find(|item| !seen.insert(item.clone()))
}
