//! The objects themselves, by key and by owner.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    api::{ApiResource, DynamicObject},
    runtime::watcher::Event,
};

use super::{Lookup, Touched, version};
use crate::{ChildKey, Names, handover};

pub(super) struct Store {
    names: Names,
    kinds: HashMap<(String, String), Kind>,
    objects: HashMap<ChildKey, Arc<DynamicObject>>,
    owned: HashMap<String, BTreeSet<ChildKey>>,
}

struct Kind {
    resource: ApiResource,
    synced: bool,
    /// While the kind is being listed: what the list, and writes since it began, have brought.
    listed: Option<HashSet<ChildKey>>,
}

impl Store {
    pub(super) fn new(names: Names) -> Self {
        Self { names, kinds: HashMap::new(), objects: HashMap::new(), owned: HashMap::new() }
    }

    pub(super) fn expect(&mut self, resource: &ApiResource) {
        self.kind(resource);
    }

    fn kind(&mut self, resource: &ApiResource) -> &mut Kind {
        let name = (resource.group.clone(), resource.kind.clone());
        let unseen = || Kind { resource: resource.clone(), synced: false, listed: None };
        self.kinds.entry(name).or_insert_with(unseen)
    }

    pub(super) fn feed(&mut self, resource: &ApiResource, event: Event<DynamicObject>) -> Option<Touched> {
        match event {
            Event::Init => self.kind(resource).listed = Some(HashSet::new()),
            Event::InitDone => self.end_of_list(resource),
            Event::InitApply(object) | Event::Apply(object) => {
                let key = ChildKey::of(resource, &object);
                let touched = Touched { owner: controller(&object), key: key.clone() };
                self.take(&key, object);
                return Some(touched);
            }
            Event::Delete(object) => {
                let key = ChildKey::of(resource, &object);
                self.drop_older(&key, &object);
                return Some(Touched { owner: controller(&object), key });
            }
        }
        None
    }

    /// Keeps `object` unless a newer version is held already.
    pub(super) fn take(&mut self, key: &ChildKey, mut object: DynamicObject) {
        if let Some(kind) = self.kinds.get_mut(&(key.group.clone(), key.kind.clone()))
            && let Some(listed) = &mut kind.listed
        {
            listed.insert(key.clone());
        }
        if self.objects.get(key).is_some_and(|held| version(&held.metadata) > version(&object.metadata)) {
            return;
        }
        handover::trim(&mut object);
        self.remove(key);
        if let Some(owner) = owner_uid(&object, &self.names) {
            self.owned.entry(owner).or_default().insert(key.clone());
        }
        self.objects.insert(key.clone(), Arc::new(object));
    }

    /// Drops what is held unless it is newer than `deleted`, which has the version at which it was deleted.
    fn drop_older(&mut self, key: &ChildKey, deleted: &DynamicObject) {
        if self.objects.get(key).is_some_and(|held| version(&held.metadata) <= version(&deleted.metadata)) {
            self.remove(key);
        }
    }

    pub(super) fn drop_uid(&mut self, key: &ChildKey, uid: &str) {
        if self.objects.get(key).is_some_and(|held| held.metadata.uid.as_deref() == Some(uid)) {
            self.remove(key);
        }
    }

    fn end_of_list(&mut self, resource: &ApiResource) {
        let kind = self.kind(resource);
        kind.synced = true;
        let listed = kind.listed.take().unwrap_or_default();
        let of_kind = |key: &&ChildKey| key.group == resource.group && key.kind == resource.kind;
        let gone: Vec<_> =
            self.objects.keys().filter(of_kind).filter(|key| !listed.contains(*key)).cloned().collect();
        for key in &gone {
            self.remove(key);
        }
    }

    fn remove(&mut self, key: &ChildKey) {
        let Some(object) = self.objects.remove(key) else { return };
        let Some(owner) = owner_uid(&object, &self.names) else { return };
        if let Some(keys) = self.owned.get_mut(&owner) {
            keys.remove(key);
            if keys.is_empty() {
                self.owned.remove(&owner);
            }
        }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.kinds.values().all(|kind| kind.synced)
    }

    pub(super) fn lookup(&self, key: &ChildKey) -> Lookup {
        match self.kinds.get(&(key.group.clone(), key.kind.clone())) {
            None => Lookup::NotWatched,
            Some(kind) if !kind.synced => Lookup::NotSynced,
            Some(_) => self.objects.get(key).cloned().map_or(Lookup::Absent, Lookup::Present),
        }
    }

    pub(super) fn owned_by(&self, owner_uid: &str) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let keys = self.owned.get(owner_uid).into_iter().flatten();
        keys.filter_map(|key| Some((key.clone(), self.objects.get(key)?.clone()))).collect()
    }

    pub(super) fn resource(&self, key: &ChildKey) -> Option<ApiResource> {
        Some(self.kinds.get(&(key.group.clone(), key.kind.clone()))?.resource.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }
}

fn owner_uid(object: &DynamicObject, names: &Names) -> Option<String> {
    object.metadata.labels.as_ref()?.get(names.owner_uid).cloned()
}

fn controller(object: &DynamicObject) -> Option<OwnerReference> {
    let references = object.metadata.owner_references.as_ref()?;
    references.iter().find(|reference| reference.controller == Some(true)).cloned()
}
