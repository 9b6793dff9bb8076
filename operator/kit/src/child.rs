//! A desired object, of any kind, as a pure builder makes it.

use std::fmt;

use kube::{
    Resource,
    api::{ApiResource, DynamicObject},
};
use serde::Serialize;
use serde_json::Value;

/// Which object: kind, place and name. The version is left out: an object is the same in each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChildKey {
    /// API group, `""` for the core one.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// None for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl ChildKey {
    /// The key of an object of `resource`'s kind.
    pub fn new(resource: &ApiResource, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The key of `object`, which is of `resource`'s kind.
    pub fn of(resource: &ApiResource, object: &DynamicObject) -> Self {
        let metadata = &object.metadata;
        Self::new(resource, metadata.namespace.as_deref(), metadata.name.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for ChildKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// A desired object: all fields that we want to decide, and none that others decide. Labels that tell whose it is, the
/// owner reference and the digest are added by [`Children::of`](crate::Children::of).
///
/// Leave a field out rather than setting it to what the server leaves out (`false`, `0` and `""` of most built-in
/// kinds): otherwise it looks changed once after each start.
#[derive(Debug, Clone)]
pub struct Child {
    pub(crate) key: ChildKey,
    pub(crate) resource: ApiResource,
    pub(crate) body: Value,
    pub(crate) leaves_replicas: bool,
    pub(crate) blocks_deletion: bool,
}

impl Child {
    /// A child of a type known at compile time. It must have a name, and a namespace if its kind is namespaced; a status
    /// is dropped.
    pub fn new<K>(object: &K) -> Self
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let resource = ApiResource::erase::<K>(&());
        // What can't be written as JSON has no name either, which `Children::of` refuses.
        Self::from_json(serde_json::to_value(object).unwrap_or_default(), resource)
    }

    /// A child of a kind that is only known by name, for example one whose CRD may be missing.
    pub fn dynamic(object: &DynamicObject, resource: ApiResource) -> Self {
        Self::from_json(serde_json::to_value(object).unwrap_or_default(), resource)
    }

    /// A child written as JSON.
    pub fn from_json(mut body: Value, resource: ApiResource) -> Self {
        let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace").map(str::to_owned);
        let key = ChildKey::new(&resource, namespace.as_deref(), text("/metadata/name").unwrap_or_default());
        if let Some(fields) = body.as_object_mut() {
            fields.remove("status");
            fields.insert("apiVersion".into(), resource.api_version.clone().into());
            fields.insert("kind".into(), resource.kind.clone().into());
        }
        Self { key, resource, body, leaves_replicas: false, blocks_deletion: true }
    }

    /// Leaves `spec.replicas` to an autoscaler: it is not written, and if it was ours it is handed over at its present
    /// value (see [`handover`](crate::handover)).
    #[must_use]
    pub fn leaving_replicas(mut self) -> Self {
        if let Some(spec) = self.body.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("replicas");
        }
        self.leaves_replicas = true;
        self
    }

    /// Stays for as long as its owner is there, even where that is deleted in the foreground, which otherwise deletes children
    /// first: for an object by which somebody is asked to clean up.
    #[must_use]
    pub fn not_blocking_deletion(mut self) -> Self {
        self.blocks_deletion = false;
        self
    }

    /// Which object this is.
    pub fn key(&self) -> &ChildKey {
        &self.key
    }

    /// The object as it was built, for a plan or a snapshot test.
    pub fn body(&self) -> &Value {
        &self.body
    }
}
