//! The object on whose behalf children are written.

use kube::{Resource, ResourceExt, api::ApiResource};
use serde_json::{Value, json};

/// The object on whose behalf children are written; it becomes their controller reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// How its kind is addressed.
    pub resource: ApiResource,
    /// None where the owner is cluster-scoped; then it may own objects anywhere.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// The uid that the server gave it: another object of the same name is another owner.
    pub uid: String,
    /// Whether it was being deleted when it was read.
    pub is_going: bool,
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
            resource: ApiResource::erase::<K>(&()),
            namespace: object.namespace(),
            name,
            uid,
            is_going: object.meta().deletion_timestamp.is_some(),
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
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "name": self.name,
            "uid": self.uid,
            "controller": true,
            "blockOwnerDeletion": blocks_deletion,
        })
    }
}

#[cfg(test)]
pub(crate) fn sample_owner(namespace: Option<&str>) -> Owner {
    let kind = kube::api::GroupVersionKind::gvk("kit.test", "v1", "Whole");
    Owner {
        resource: ApiResource::from_gvk(&kind),
        namespace: namespace.map(str::to_owned),
        name: "whole".into(),
        uid: "uid-1".into(),
        is_going: false,
    }
}
