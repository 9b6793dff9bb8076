//! The objects themselves, by key and by owner.
//!
//! There are many, and each is looked at seldom: only when its owner is reconciled. So each is kept as the JSON that it came as, a
//! fifth to a tenth of what it takes as a tree of values, and read when it is looked at.

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
    objects: HashMap<Arc<ChildKey>, Held>,
    owned: HashMap<Box<str>, BTreeSet<Arc<ChildKey>>>,
}

/// An object, and what of it is asked for often.
struct Held {
    version: Option<u64>,
    uid: Option<Box<str>>,
    owner: Option<Box<str>>,
    /// What others did to it came with the answer to a write of ours, and nobody was told of it yet.
    untold: bool,
    json: Box<[u8]>,
}

impl Held {
    fn of(object: &DynamicObject, names: &Names) -> Self {
        Self {
            version: version(&object.metadata),
            uid: object.metadata.uid.as_deref().map(Box::from),
            owner: owner_uid(object, names).map(Box::from),
            untold: false,
            // It came as JSON, so it is written as such; an object that is not would read as one without anything.
            json: serde_json::to_vec(object).unwrap_or_default().into(),
        }
    }

    fn object(&self) -> Option<Arc<DynamicObject>> {
        serde_json::from_slice(&self.json).map(Arc::new).ok()
    }
}

struct Kind {
    resource: ApiResource,
    synced: bool,
    /// While the kind is being listed: what the list, and writes since it began, have brought.
    listed: Option<HashSet<Arc<ChildKey>>>,
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

    /// What an event changes. Our own writes come back as events, and so does everything in a new list: what is held in the same
    /// version already is no change, unless it brought something of others' along.
    pub(super) fn feed(&mut self, resource: &ApiResource, event: Event<DynamicObject>) -> Vec<Touched> {
        match event {
            Event::Init => {
                self.kind(resource).listed = Some(HashSet::new());
                vec![]
            }
            Event::InitDone => self.end_of_list(resource),
            Event::InitApply(object) | Event::Apply(object) => {
                let key = ChildKey::of(resource, &object);
                let touched = Touched { owner: controller(&object), key: key.clone() };
                if self.see(&key, object) { vec![touched] } else { vec![] }
            }
            Event::Delete(object) => {
                let key = ChildKey::of(resource, &object);
                self.drop_older(&key, &object);
                vec![Touched { owner: controller(&object), key }]
            }
        }
    }

    /// Takes in what a watch brings; whether somebody has to be told.
    fn see(&mut self, key: &ChildKey, object: DynamicObject) -> bool {
        let seen = version(&object.metadata);
        if let Some(held) = self.objects.get_mut(key).filter(|held| seen.is_some() && held.version == seen) {
            let untold = std::mem::take(&mut held.untold);
            self.listed(key);
            return untold;
        }
        self.keep(key, object, false); // an older one is not kept, but told: what follows from it may not have been done yet
        true
    }

    /// Takes in what the server answered to a write. Where others changed the object since we looked at it, their change came
    /// along, and what we made of the object does not know of it.
    pub(super) fn take(&mut self, key: &ChildKey, object: DynamicObject) {
        let before = self.objects.get(key).and_then(Held::object);
        let untold = before.is_some_and(|before| before.data.get("status") != object.data.get("status"));
        self.keep(key, object, untold);
    }

    /// Keeps `object` unless a newer version is held already.
    fn keep(&mut self, key: &ChildKey, mut object: DynamicObject, untold: bool) {
        self.listed(key);
        if self.objects.get(key).is_some_and(|held| held.version > version(&object.metadata)) {
            return;
        }
        handover::trim(&mut object);
        let held = Held { untold, ..Held::of(&object, &self.names) };
        let key =
            self.objects.get_key_value(key).map_or_else(|| Arc::new(key.clone()), |(key, _)| key.clone());
        self.remove(&key);
        if let Some(owner) = &held.owner {
            self.owned.entry(owner.clone()).or_default().insert(key.clone());
        }
        self.objects.insert(key, held);
    }

    fn listed(&mut self, key: &ChildKey) {
        let kind = self.kinds.get_mut(&(key.group.clone(), key.kind.clone()));
        if let Some(listed) = kind.and_then(|kind| kind.listed.as_mut()) {
            listed.insert(Arc::new(key.clone()));
        }
    }

    /// Drops what is held unless it is newer than `deleted`, which has the version at which it was deleted.
    fn drop_older(&mut self, key: &ChildKey, deleted: &DynamicObject) {
        if self.objects.get(key).is_some_and(|held| held.version <= version(&deleted.metadata)) {
            self.remove(key);
        }
    }

    pub(super) fn drop_uid(&mut self, key: &ChildKey, uid: &str) {
        if self.objects.get(key).is_some_and(|held| held.uid.as_deref() == Some(uid)) {
            self.remove(key);
        }
    }

    fn end_of_list(&mut self, resource: &ApiResource) -> Vec<Touched> {
        let kind = self.kind(resource);
        kind.synced = true;
        let listed = kind.listed.take().unwrap_or_default();
        let of_kind = |key: &&Arc<ChildKey>| key.group == resource.group && key.kind == resource.kind;
        let gone: Vec<_> =
            self.objects.keys().filter(of_kind).filter(|key| !listed.contains(*key)).cloned().collect();
        let touched = |key: &Arc<ChildKey>, held: Held| {
            let owner = held.object().and_then(|object| controller(&object));
            Touched { owner, key: ChildKey::clone(key) }
        };
        gone.iter().filter_map(|key| Some(touched(key, self.remove(key)?))).collect()
    }

    fn remove(&mut self, key: &ChildKey) -> Option<Held> {
        let held = self.objects.remove(key)?;
        if let Some(owner) = &held.owner
            && let Some(keys) = self.owned.get_mut(owner)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.owned.remove(owner);
            }
        }
        Some(held)
    }

    pub(super) fn is_synced(&self) -> bool {
        self.kinds.values().all(|kind| kind.synced)
    }

    pub(super) fn lookup(&self, key: &ChildKey) -> Lookup {
        match self.kinds.get(&(key.group.clone(), key.kind.clone())) {
            None => Lookup::NotWatched,
            Some(kind) if !kind.synced => Lookup::NotSynced,
            Some(_) => self.objects.get(key).and_then(Held::object).map_or(Lookup::Absent, Lookup::Present),
        }
    }

    pub(super) fn owned_by(&self, owner_uid: &str) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let keys = self.owned.get(owner_uid).into_iter().flatten();
        keys.filter_map(|key| Some((ChildKey::clone(key), self.objects.get(key)?.object()?))).collect()
    }

    pub(super) fn resource(&self, key: &ChildKey) -> Option<ApiResource> {
        Some(self.kinds.get(&(key.group.clone(), key.kind.clone()))?.resource.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }
}

fn owner_uid<'a>(object: &'a DynamicObject, names: &Names) -> Option<&'a str> {
    object.metadata.labels.as_ref()?.get(names.owner_uid).map(String::as_str)
}

fn controller(object: &DynamicObject) -> Option<OwnerReference> {
    let references = object.metadata.owner_references.as_ref()?;
    references.iter().find(|reference| reference.controller == Some(true)).cloned()
}
