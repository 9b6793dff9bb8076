//! The object on whose behalf children are written.

use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

/// The object on whose behalf children are written; it becomes their controller reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Group and version, for example `kyb.dev/v1alpha1`.
    pub api_version: String,
    /// Kind, for example `KybTenant`.
    pub kind: String,
    /// None where the owner is cluster-scoped; then it may own objects anywhere.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The uid that the server gave it: another object of the same name is another owner.
    pub uid: String,
}

/// Why an object can't own anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// It was not read from a server.
    #[error(
        "{kind} {name} has no uid, so nothing can be written on its behalf; read it from the server first"
    )]
    NoUid {
        /// Its kind.
        kind: String,
        /// Its name, `""` where it has none.
        name: String,
    },
}

impl Owner {
    /// The owner that this object, as read from the server, is.
    pub fn of<K: Resource<DynamicType = ()>>(object: &K) -> Result<Self, OwnerError> {
        let (kind, name) = (K::kind(&()).into_owned(), object.name_any());
        let Some(uid) = object.uid() else { return Err(OwnerError::NoUid { kind, name }) };
        Ok(Self {
            api_version: K::api_version(&()).into_owned(),
            kind,
            namespace: object.namespace(),
            name,
            uid,
        })
    }

    /// Whether the garbage collector lets this owner own an object in `namespace` (none: a cluster-scoped one).
    pub fn reaches(&self, namespace: Option<&str>) -> bool {
        self.namespace.is_none() || self.namespace.as_deref() == namespace
    }

    /// The controller reference, as it is written into a child. A child that blocks goes first when the owner is deleted in the
    /// foreground (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion>).
    pub(crate) fn reference(&self, blocks_deletion: bool) -> Value {
        json!({
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": true,
            "blockOwnerDeletion": blocks_deletion,
        })
    }
}

#[cfg(test)]
pub(crate) fn sample_owner(namespace: Option<&str>) -> Owner {
    Owner {
        api_version: "kit.test/v1".into(),
        kind: "Whole".into(),
        namespace: namespace.map(str::to_owned),
        name: "whole".into(),
        uid: "uid-1".into(),
    }
}
