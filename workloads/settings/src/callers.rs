//! Who sent a key.

use std::{collections::HashMap, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use kyb_domain::tenant::{ContextName, KeyId, Role, TenantId};

use crate::{KeyError, KeyHash, Tenant, files::KeyFile, key};

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its tenant's settings as of this request.
    pub tenant: Arc<Tenant>,
    /// The key used.
    pub key: KeyId,
    /// What it may do.
    pub role: Role,
    /// The contexts that the key may act in; all of the tenant's where `None`.
    pub contexts: Option<Arc<[ContextName]>>,
}

impl Caller {
    /// The tenant's id.
    pub fn tenant_id(&self) -> &TenantId {
        &self.tenant.id
    }

    /// Whether the tenant has this context and the key may act in it.
    pub fn may_use(&self, context: &ContextName) -> bool {
        let allowed = self.contexts.as_ref().is_none_or(|contexts| contexts.contains(context));
        allowed && self.tenant.contexts.contains(context)
    }
}

/// Every tenant's keys by their id. Debug shows how many there are, nothing else.
#[derive(Default)]
pub struct Callers {
    by_id: HashMap<Box<str>, Holder>,
}

struct Holder {
    tenant: Arc<Tenant>,
    key: KeyFile,
    contexts: Option<Arc<[ContextName]>>,
}

impl Callers {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The tenant that has a key of this id.
    pub(crate) fn holder(&self, key: &KeyFile) -> Option<&Arc<Tenant>> {
        self.by_id.get(key.id.as_str()).map(|holder| &holder.tenant)
    }

    /// Takes in a tenant's key, whose id nobody else has.
    pub(crate) fn insert(&mut self, tenant: &Arc<Tenant>, key: &KeyFile) {
        let contexts = key.contexts.as_deref().map(Arc::from);
        let holder = Holder { tenant: Arc::clone(tenant), key: key.clone(), contexts };
        self.by_id.insert(key.id.as_str().into(), holder);
    }

    /// Who sent `text`. A key with an unknown id is hashed and compared all the same, so that the time taken does not
    /// tell which ids exist.
    pub(crate) fn authenticate(&self, text: &str, now: DateTime<Utc>) -> Result<Caller, KeyError> {
        let id = key::split(text).ok_or(KeyError::Malformed)?;
        let holder = self.by_id.get(id);
        let expected = holder.map_or(KeyHash::NOBODY, |holder| holder.key.hash);
        let matches = KeyHash::of(text).matches(&expected);
        holder.filter(|holder| matches && holder.is_valid(now)).map(Holder::caller).ok_or(KeyError::Refused)
    }
}

impl Holder {
    fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.key.expires_at.is_none_or(|end| now < end)
    }

    fn caller(&self) -> Caller {
        Caller {
            tenant: Arc::clone(&self.tenant),
            key: self.key.id.clone(),
            role: self.key.role,
            contexts: self.contexts.clone(),
        }
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callers({} keys)", self.by_id.len())
    }
}
