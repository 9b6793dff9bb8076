//! Deletes what we made for an owner and no longer want: found by the owner's uid, never by name alone.

use std::{collections::BTreeSet, sync::Arc};

use kube::api::{ApiResource, DynamicObject, PropagationPolicy};

use crate::{ChildKey, Children, Names};

/// What may be deleted. The default: everything that is watched, owned and no longer wanted, but no namespace, and
/// nothing at all when nothing is wanted, since an empty set is more often a mistake than a wish.
#[derive(Debug, Clone, Default)]
pub struct Prune {
    /// Whether namespaces may go, with all that is in them.
    pub namespaces: bool,
    /// Whether everything may go when nothing is wanted.
    pub everything: bool,
    /// Objects of kinds that are not watched, which go unless they are wanted: each is read once after a start.
    pub unwatched: Vec<(ChildKey, ApiResource)>,
    /// Namespaces in which nothing is deleted, wanted or not.
    pub spared: BTreeSet<String>,
    /// Whether nothing is deleted, for an owner that is paused or whose build failed in part.
    pub nothing: bool,
}

impl Prune {
    /// Deletes nothing.
    pub fn nothing() -> Self {
        Self { nothing: true, ..Self::default() }
    }

    pub(crate) fn unwatched_surplus<'a>(
        &'a self,
        children: &'a Children,
    ) -> impl Iterator<Item = (&'a ChildKey, &'a ApiResource)> {
        let may = self.applies_to(children);
        self.unwatched
            .iter()
            .filter(move |(key, _)| may && !children.contains(key) && !self.spares(key))
            .map(|(key, resource)| (key, resource))
    }

    fn spares(&self, key: &ChildKey) -> bool {
        key.namespace.as_ref().is_some_and(|namespace| self.spared.contains(namespace))
    }

    fn applies_to(&self, children: &Children) -> bool {
        !self.nothing && (self.everything || !children.is_empty())
    }
}

/// An object that is no longer wanted.
#[derive(Debug, Clone)]
pub(crate) struct Surplus {
    pub(crate) key: ChildKey,
    pub(crate) object: Arc<DynamicObject>,
}

/// What of `owned`, the watched objects that carry the owner's uid, is to be deleted. Namespaces come last.
pub(crate) fn surplus(
    children: &Children,
    owned: &[(ChildKey, Arc<DynamicObject>)],
    prune: &Prune,
) -> Vec<Surplus> {
    if !prune.applies_to(children) {
        return Vec::new();
    }
    let goes = |(key, object): &&(ChildKey, Arc<DynamicObject>)| {
        let is_allowed = (prune.namespaces || key.kind != "Namespace") && !prune.spares(key);
        is_allowed && !children.contains(key) && object.metadata.deletion_timestamp.is_none()
    };
    let mut surplus: Vec<_> = owned
        .iter()
        .filter(goes)
        .map(|(key, object)| Surplus { key: key.clone(), object: object.clone() })
        .collect();
    surplus.sort_by_key(|surplus| surplus.key.kind == "Namespace");
    surplus
}

/// Whether an object that was read is ours and not on its way already.
pub(crate) fn may_go(object: &DynamicObject, owner_uid: &str, names: &Names) -> bool {
    let owner = object.metadata.labels.as_ref().and_then(|labels| labels.get(names.owner_uid));
    owner.is_some_and(|owner| owner == owner_uid) && object.metadata.deletion_timestamp.is_none()
}

/// How what an object owns goes with it. A StatefulSet's and a Job's name stays taken until their pods are gone, so that a
/// successor does not meet them; everything else goes at once and is cleaned up behind.
pub(crate) fn propagation(kind: &str) -> PropagationPolicy {
    match kind {
        "StatefulSet" | "Job" => PropagationPolicy::Foreground,
        _ => PropagationPolicy::Background,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::GroupVersionKind;
    use serde_json::json;

    use super::*;
    use crate::{Child, names::SAMPLE, owner::sample_owner};

    fn resource(kind: &str) -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", kind))
    }

    fn wanted(names: &[&str]) -> Children {
        let child =
            |name: &&str| Child::from_json(json!({"metadata": {"name": name}}), resource("ConfigMap"));
        Children::of(&sample_owner(None), &SAMPLE, names.iter().map(child)).unwrap()
    }

    fn owned(objects: &[(&str, &str)]) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let owned = |(kind, name): &(&str, &str)| {
            let object = DynamicObject::new(name, &resource(kind));
            (ChildKey::new(&resource(kind), None, name), Arc::new(object))
        };
        objects.iter().map(owned).collect()
    }

    fn gone(children: &Children, owned: &[(ChildKey, Arc<DynamicObject>)], prune: &Prune) -> Vec<String> {
        surplus(children, owned, prune).into_iter().map(|surplus| surplus.key.name).collect()
    }

    const OWNED: &[(&str, &str)] =
        &[("Namespace", "place"), ("ConfigMap", "old"), ("ConfigMap", "kept"), ("Pod", "kept")];

    #[test]
    fn what_is_no_longer_wanted_goes_and_namespaces_stay() {
        assert_eq!(
            gone(&wanted(&["kept"]), &owned(OWNED), &Prune::default()),
            ["old", "kept"],
            "the pod was not wanted"
        );
    }

    #[test]
    fn namespaces_go_last_and_only_where_allowed() {
        let prune = Prune { namespaces: true, ..Prune::default() };
        assert_eq!(gone(&wanted(&["kept"]), &owned(OWNED), &prune), ["old", "kept", "place"]);
    }

    #[test]
    fn an_empty_set_deletes_nothing_unless_that_is_said() {
        assert!(gone(&wanted(&[]), &owned(OWNED), &Prune::default()).is_empty());
        let prune = Prune { everything: true, ..Prune::default() };
        assert_eq!(gone(&wanted(&[]), &owned(OWNED), &prune), ["old", "kept", "kept"]);
        assert!(gone(&wanted(&["x"]), &owned(OWNED), &Prune::nothing()).is_empty());
    }

    #[test]
    fn nothing_goes_from_a_namespace_that_is_spared() {
        let at = |namespace| ChildKey::new(&resource("ConfigMap"), Some(namespace), "old");
        let found = |key| (key, Arc::new(DynamicObject::new("old", &resource("ConfigMap"))));
        let owned = [found(at("here")), found(at("there"))];
        let unwatched = ["here", "there"].map(|namespace| (at(namespace), resource("Secret"))).to_vec();
        let prune = Prune { spared: ["there".to_owned()].into(), unwatched, ..Prune::default() };
        let wanted = wanted(&["kept"]);
        let watched: Vec<_> =
            surplus(&wanted, &owned, &prune).into_iter().map(|surplus| surplus.key).collect();
        assert_eq!(watched, [at("here")]);
        let unwatched: Vec<_> = prune.unwatched_surplus(&wanted).map(|(key, _)| key.clone()).collect();
        assert_eq!(unwatched, [at("here")]);
    }

    #[test]
    fn what_is_on_its_way_is_not_deleted_again() {
        let mut object = DynamicObject::new("old", &resource("Pod"));
        object.metadata.deletion_timestamp =
            Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        let going = [(ChildKey::new(&resource("Pod"), None, "old"), Arc::new(object))];
        assert!(gone(&wanted(&["kept"]), &going, &Prune::default()).is_empty());
    }

    #[test]
    fn only_objects_with_the_owners_uid_may_go() {
        let with = |labels: &[(&str, &str)]| {
            let mut object = DynamicObject::new("one", &resource("Secret"));
            let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            object.metadata.labels = Some(labels.collect::<BTreeMap<_, _>>());
            object
        };
        assert!(may_go(&with(&[(SAMPLE.owner_uid, "uid-1")]), "uid-1", &SAMPLE));
        assert!(!may_go(&with(&[(SAMPLE.owner_uid, "uid-2")]), "uid-1", &SAMPLE));
        assert!(!may_go(&with(&[]), "uid-1", &SAMPLE));
        assert!(!may_go(&with(&[(SAMPLE.owner_uid, "")]), "uid-1", &SAMPLE));
    }
}
