//! Who asked what.

use kyb_domain::tenant::TenantId;
use sha2::{Digest, Sha256};

/// Who asked what: the tenant, and a digest of everything that the result depends on. Two tenants' keys are never equal,
/// whatever they asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    tenant: TenantId,
    asked: [u8; 32],
}

impl Key {
    /// The key of what `tenant` asked. SHA-256 over the parts, each preceded by its length, so that no two lists of parts run
    /// together.
    pub fn new<'a>(tenant: &TenantId, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self { tenant: tenant.clone(), asked: digest.finalize().into() }
    }

    /// Whose result it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(id: &str) -> TenantId {
        id.try_into().unwrap()
    }

    fn key(id: &str, parts: &[Vec<u8>]) -> Key {
        Key::new(&tenant(id), parts.iter().map(Vec::as_slice))
    }

    proptest! {
        #[test]
        fn keys_are_equal_when_tenant_and_parts_are_and_never_else(
            one in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
            other in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
        ) {
            prop_assert_eq!(key("acme", &one) == key("acme", &other), one == other);
            prop_assert_ne!(key("acme", &one), key("other", &one));
        }
    }
}
