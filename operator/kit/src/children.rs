//! A checked set of desired objects, each marked as ours.

use std::collections::BTreeMap;

use kube::api::ApiResource;
use serde_json::{Map, Value};

use crate::{
    Child, ChildKey, Names, Owner,
    digest::{canonical, digest},
    names::MANAGED_BY,
};

/// Why a set of desired objects can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChildrenError {
    /// The builder made an object twice.
    #[error("{0} is built twice; which of the two is meant?")]
    Twice(ChildKey),
    /// The builder made an object without a name, or one that is no JSON object.
    #[error("a {kind} is built without a name")]
    Nameless {
        /// Its kind.
        kind: String,
    },
    /// The garbage collector would delete the object at once, since its owner is not in its namespace.
    #[error("{child} can't be owned from the namespace {owner}; only objects there can")]
    OutOfReach {
        /// The object.
        child: ChildKey,
        /// The owner's namespace.
        owner: String,
    },
}

/// A desired object as it will be applied.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which object.
    pub key: ChildKey,
    /// How its kind is addressed.
    pub resource: ApiResource,
    /// The whole body, with marks, owner reference and digest, without `uid` and `resourceVersion`.
    pub body: Value,
    /// The digest of all of `body` but the digest itself.
    pub digest: String,
    /// Whether `spec.replicas` is left to others.
    pub leaves_replicas: bool,
}

/// A checked set of desired objects of one owner: no two of the same name, each within the owner's reach.
#[derive(Debug, Clone)]
pub struct Children {
    owner: Owner,
    wanted: BTreeMap<ChildKey, Wanted>,
}

impl Children {
    /// Marks each child as the owner's and checks the set.
    pub fn of(
        owner: &Owner,
        names: &Names,
        children: impl IntoIterator<Item = Child>,
    ) -> Result<Self, ChildrenError> {
        let mut wanted = BTreeMap::new();
        for child in children {
            let child = marked(child, owner, names)?;
            if let Some(earlier) = wanted.insert(child.key.clone(), child) {
                return Err(ChildrenError::Twice(earlier.key));
            }
        }
        Ok(Self { owner: owner.clone(), wanted })
    }

    /// On whose behalf they are written.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The owner's uid.
    pub fn owner_uid(&self) -> &str {
        &self.owner.uid
    }

    /// Whether the object is wanted.
    pub fn contains(&self, key: &ChildKey) -> bool {
        self.wanted.contains_key(key)
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Wanted> {
        self.wanted.values()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.wanted.len()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }
}

fn marked(child: Child, owner: &Owner, names: &Names) -> Result<Wanted, ChildrenError> {
    let Child { key, resource, body, leaves_replicas, blocks_deletion } = child;
    let (Value::Object(mut body), false) = (canonical(&body), key.name.is_empty()) else {
        return Err(ChildrenError::Nameless { kind: key.kind });
    };
    if let (false, Some(place)) = (owner.reaches(key.namespace.as_deref()), &owner.namespace) {
        return Err(ChildrenError::OutOfReach { child: key, owner: place.clone() });
    }
    let mut metadata = taken(&mut body, "metadata");
    mark(&mut metadata, "labels", MANAGED_BY, names.managed_by);
    mark(&mut metadata, "labels", names.owner_uid, &owner.uid);
    metadata.insert("ownerReferences".into(), vec![owner.reference(blocks_deletion)].into());
    body.insert("metadata".into(), metadata.clone().into());
    let digest = digest(&Value::Object(body.clone()));
    mark(&mut metadata, "annotations", names.applied, &digest);
    body.insert("metadata".into(), metadata.into());
    Ok(Wanted { key, resource, body: body.into(), digest, leaves_replicas })
}

fn mark(metadata: &mut Map<String, Value>, map: &str, key: &str, value: &str) {
    let mut marks = taken(metadata, map);
    marks.insert(key.into(), value.into());
    metadata.insert(map.into(), marks.into());
}

/// The map at `name`, taken out; an empty one where there is none.
fn taken(fields: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match fields.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{names::SAMPLE, owner::sample_owner};

    fn config_map(namespace: &str, name: &str) -> Child {
        let resource = ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
        let body = json!({"metadata": {"name": name, "namespace": namespace}, "data": {"a": "1", "b": null}});
        Child::from_json(body, resource)
    }

    #[test]
    fn a_child_is_marked_as_ours() {
        let owner = sample_owner(None);
        let children = Children::of(&owner, &SAMPLE, [config_map("here", "one")]).unwrap();
        let wanted = children.iter().next().unwrap();
        assert_eq!(children.owner_uid(), "uid-1");
        let expected = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": "one",
                "namespace": "here",
                "labels": {"app.kubernetes.io/managed-by": "kit-test", "kit.test/owner-uid": "uid-1"},
                "annotations": {"kit.test/applied": wanted.digest},
                "ownerReferences": [{
                    "apiVersion": "kit.test/v1", "kind": "Whole", "name": "whole", "uid": "uid-1",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "data": {"a": "1"},
        });
        assert_eq!(wanted.body, expected);
    }

    #[test]
    fn a_child_that_is_to_outlive_a_foreground_deletion_does_not_block_it() {
        let child = config_map("here", "one").not_blocking_deletion();
        let children = Children::of(&sample_owner(None), &SAMPLE, [child]).unwrap();
        let reference = &children.iter().next().unwrap().body["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&reference["controller"], &reference["blockOwnerDeletion"]),
            (&json!(true), &json!(false))
        );
    }

    #[test]
    fn an_object_built_twice_is_refused() {
        let twice = [config_map("here", "one"), config_map("here", "two"), config_map("here", "one")];
        let error = Children::of(&sample_owner(None), &SAMPLE, twice).unwrap_err();
        assert_eq!(error, ChildrenError::Twice(config_map("here", "one").key));
        let apart = [config_map("here", "one"), config_map("there", "one")];
        assert_eq!(Children::of(&sample_owner(None), &SAMPLE, apart).unwrap().len(), 2);
    }

    #[test]
    fn an_object_that_its_owner_can_not_reach_is_refused() {
        let owner = sample_owner(Some("here"));
        assert!(Children::of(&owner, &SAMPLE, [config_map("here", "one")]).is_ok());
        let error = Children::of(&owner, &SAMPLE, [config_map("there", "one")]).unwrap_err();
        assert!(matches!(error, ChildrenError::OutOfReach { owner, .. } if owner == "here"));
    }

    #[test]
    fn an_object_without_a_name_is_refused() {
        let error = Children::of(&sample_owner(None), &SAMPLE, [config_map("here", "")]).unwrap_err();
        assert_eq!(error, ChildrenError::Nameless { kind: "ConfigMap".into() });
    }

    #[test]
    fn the_digest_follows_what_is_wanted_and_whose_it_is() {
        let digest = |owner: &Owner, child| {
            Children::of(owner, &SAMPLE, [child]).unwrap().iter().next().unwrap().digest.clone()
        };
        let (one, child) = (sample_owner(None), config_map("here", "one"));
        let other = Owner { uid: "uid-2".into(), ..one.clone() };
        assert_eq!(digest(&one, child.clone()), digest(&one, child.clone()));
        assert_ne!(digest(&one, child.clone()), digest(&other, child.clone()));
        let mut changed = child.clone();
        changed.body["data"]["a"] = "2".into();
        assert_ne!(digest(&one, child), digest(&one, changed));
    }
}
