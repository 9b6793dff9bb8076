//! The objects themselves, by key and by owner.
//!
//! A kind has one list for each of its watches: one of the whole cluster, or one for each namespace that is watched. An object belongs
//! to the list that covers its namespace, so a new list of one namespace says nothing of another.
//!
//! There are many objects, and each is looked at seldom: only when its owner is reconciled. So each is kept as the JSON that it came
//! as, a fifth to a tenth of what it takes as a tree of values, and read when it is looked at.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
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
    /// Kinds whose status is left out, by group and kind.
    statusless: HashSet<(String, String)>,
    /// The uids of owners whose children went without our doing.
    bereft: HashSet<Box<str>>,
    keeps_every_answer: bool,
}

/// An object, and what of it is asked for often.
struct Held {
    version: Option<u64>,
    uid: Option<Box<str>>,
    owner: Option<Box<str>>,
    /// What others did to it came with the answer to a write of ours, and nobody was told of it yet.
    untold: bool,
    /// A digest of all but the version.
    content: u64,
    json: Box<[u8]>,
}

impl Held {
    fn of(object: &DynamicObject, names: &Names) -> Self {
        Self {
            version: version(&object.metadata),
            uid: object.metadata.uid.as_deref().map(Box::from),
            owner: owner_uid(object, names).map(Box::from),
            untold: false,
            content: content(object),
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
    /// By namespace; the one without a namespace is that of the whole cluster.
    lists: BTreeMap<Option<String>, List>,
}

/// How far a watch is.
#[derive(Default)]
struct List {
    synced: bool,
    /// While it is being listed: what the list has brought.
    listed: Option<HashSet<Arc<ChildKey>>>,
    /// How many lists are complete.
    lists: u64,
    /// The newest version that was brought.
    newest: Option<u64>,
}

impl List {
    /// Whether an object of this version, written since so many lists were complete, is still to be brought: versions of one kind grow
    /// together, and what a new list leaves out may have gone.
    fn is_to_bring(&self, version: Option<u64>, since: u64) -> bool {
        self.newest < version && self.lists == since
    }
}

impl Kind {
    /// The list that an object of this namespace would be in.
    fn list(&self, namespace: Option<&String>) -> Option<&List> {
        self.lists.get(&None).or_else(|| self.lists.get(&namespace.cloned()))
    }

    fn list_mut(&mut self, namespace: Option<&String>) -> Option<&mut List> {
        let place = if self.lists.contains_key(&None) { None } else { namespace.cloned() };
        self.lists.get_mut(&place)
    }
}

impl Store {
    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            kinds: HashMap::new(),
            objects: HashMap::new(),
            owned: HashMap::new(),
            statusless: HashSet::new(),
            bereft: HashSet::new(),
            keeps_every_answer: false,
        }
    }

    pub(super) fn keep_every_answer(&mut self) {
        self.keeps_every_answer = true;
    }

    pub(super) fn expect(&mut self, resource: &ApiResource, namespace: Option<&str>) {
        self.list(resource, namespace);
    }

    fn list(&mut self, resource: &ApiResource, namespace: Option<&str>) -> &mut List {
        let name = (resource.group.clone(), resource.kind.clone());
        let unseen = || Kind { resource: resource.clone(), lists: BTreeMap::new() };
        let kind = self.kinds.entry(name).or_insert_with(unseen);
        kind.lists.entry(namespace.map(str::to_owned)).or_default()
    }

    pub(super) fn leave_out_status(&mut self, resource: &ApiResource) {
        self.statusless.insert((resource.group.clone(), resource.kind.clone()));
    }

    /// What an event changes. Our own writes come back as events, and so does everything in a new list: what is held in the same
    /// version already is no change, unless it brought something of others' along; nor is what differs in its version alone, where the
    /// status is left out.
    pub(super) fn feed(
        &mut self,
        resource: &ApiResource,
        namespace: Option<&str>,
        event: Event<DynamicObject>,
    ) -> Vec<Touched> {
        match event {
            Event::Init => {
                self.list(resource, namespace).listed = Some(HashSet::new());
                vec![]
            }
            Event::InitDone => self.end_of_list(resource, namespace),
            Event::InitApply(object) | Event::Apply(object) => {
                self.advance(resource, namespace, &object);
                let key = ChildKey::of(resource, &object);
                let touched = Touched { owner: controller(&object), key: key.clone() };
                if self.see(&key, object) { vec![touched] } else { vec![] }
            }
            Event::Delete(object) => {
                self.advance(resource, namespace, &object);
                let key = ChildKey::of(resource, &object);
                self.drop_older(&key, &object);
                vec![Touched { owner: controller(&object), key }]
            }
        }
    }

    fn advance(&mut self, resource: &ApiResource, namespace: Option<&str>, object: &DynamicObject) {
        let list = self.list(resource, namespace);
        list.newest = list.newest.max(version(&object.metadata));
    }

    /// Takes in what a watch brings; whether somebody has to be told.
    fn see(&mut self, key: &ChildKey, mut object: DynamicObject) -> bool {
        let seen = version(&object.metadata);
        if let Some(held) = self.objects.get_mut(key).filter(|held| seen.is_some() && held.version == seen) {
            let untold = std::mem::take(&mut held.untold);
            self.listed(key);
            return untold;
        }
        self.listed(key);
        self.trim(key, &mut object);
        let new = Held::of(&object, &self.names);
        let is_told = match self.objects.get(key) {
            Some(held) if held.version < new.version && held.content == new.content => held.untold,
            _ => true, // an older one is not kept, but told: what follows from it may not have been done yet
        };
        self.keep(key, new);
        is_told
    }

    /// Leaves out what nobody asks for.
    fn trim(&self, key: &ChildKey, object: &mut DynamicObject) {
        handover::trim(object);
        let kind = (key.group.clone(), key.kind.clone());
        if let (true, Some(fields)) = (self.statusless.contains(&kind), object.data.as_object_mut()) {
            fields.remove("status");
        }
    }

    /// How many lists of what an object is in are complete.
    pub(super) fn lists(&self, key: &ChildKey) -> u64 {
        self.list_of(key).map_or(0, |list| list.lists)
    }

    /// Takes in what the server answered to a request that began when so many lists were complete. Where others changed the object
    /// since we looked at it, their change came along, and what we made of the object does not know of it.
    ///
    /// An answer may come later than the news that others have deleted the object since, after which nothing would ever be heard of
    /// it. So one of an object that is not held is kept only while the watch is still to bring it.
    pub(super) fn take(&mut self, key: &ChildKey, mut object: DynamicObject, since: u64) {
        let to_bring = |list: &List| list.is_to_bring(version(&object.metadata), since);
        let is_kept = self.keeps_every_answer || self.objects.contains_key(key);
        if !is_kept && !self.list_of(key).is_some_and(to_bring) {
            return;
        }
        self.trim(key, &mut object);
        let held = self.objects.get(key);
        let before = held.and_then(Held::object);
        let changed = before.is_some_and(|before| before.data.get("status") != object.data.get("status"));
        let untold = changed || held.is_some_and(|held| held.untold); // of two writes in a row the first may have brought it
        let new = Held { untold, ..Held::of(&object, &self.names) };
        self.keep(key, new);
    }

    /// Keeps an object unless a newer version is held already.
    fn keep(&mut self, key: &ChildKey, new: Held) {
        if self.objects.get(key).is_some_and(|held| held.version > new.version) {
            return;
        }
        let key =
            self.objects.get_key_value(key).map_or_else(|| Arc::new(key.clone()), |(key, _)| key.clone());
        self.remove(&key);
        if let Some(owner) = &new.owner {
            self.owned.entry(owner.clone()).or_default().insert(key.clone());
        }
        self.objects.insert(key, new);
    }

    fn listed(&mut self, key: &ChildKey) {
        let kind = self.kinds.get_mut(&(key.group.clone(), key.kind.clone()));
        let list = kind.and_then(|kind| kind.list_mut(key.namespace.as_ref()));
        if let Some(listed) = list.and_then(|list| list.listed.as_mut()) {
            listed.insert(Arc::new(key.clone()));
        }
    }

    /// Drops what is held unless it is newer than `deleted`, which has the version at which it was deleted.
    fn drop_older(&mut self, key: &ChildKey, deleted: &DynamicObject) {
        if self.objects.get(key).is_some_and(|held| held.version <= version(&deleted.metadata)) {
            self.lose(key);
        }
    }

    pub(super) fn drop_uid(&mut self, key: &ChildKey, uid: &str) {
        if self.objects.get(key).is_some_and(|held| held.uid.as_deref() == Some(uid)) {
            self.remove(key);
        }
    }

    fn end_of_list(&mut self, resource: &ApiResource, namespace: Option<&str>) -> Vec<Touched> {
        let list = self.list(resource, namespace);
        list.synced = true;
        list.lists += 1;
        let listed = list.listed.take().unwrap_or_default();
        let is_here = |key: &&Arc<ChildKey>| namespace.is_none() || key.namespace.as_deref() == namespace;
        let of_kind = |key: &&Arc<ChildKey>| key.group == resource.group && key.kind == resource.kind;
        let ours = self.objects.keys().filter(of_kind).filter(is_here);
        let gone: Vec<_> = ours.filter(|key| !listed.contains(*key)).cloned().collect();
        let touched = |key: &Arc<ChildKey>, held: Held| {
            let owner = held.object().and_then(|object| controller(&object));
            Touched { owner, key: ChildKey::clone(key) }
        };
        gone.iter().filter_map(|key| Some(touched(key, self.lose(key)?))).collect()
    }

    /// Removes what somebody else deleted.
    fn lose(&mut self, key: &ChildKey) -> Option<Held> {
        let held = self.remove(key)?;
        self.bereft.extend(held.owner.clone());
        Some(held)
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
        self.kinds.values().flat_map(|kind| kind.lists.values()).all(|list| list.synced)
    }

    pub(super) fn lookup(&self, key: &ChildKey) -> Lookup {
        match self.list_of(key) {
            None => Lookup::NotWatched,
            Some(list) if !list.synced => Lookup::NotSynced,
            Some(_) => self.objects.get(key).and_then(Held::object).map_or(Lookup::Absent, Lookup::Present),
        }
    }

    /// The list that an object would be in.
    fn list_of(&self, key: &ChildKey) -> Option<&List> {
        self.kinds.get(&(key.group.clone(), key.kind.clone()))?.list(key.namespace.as_ref())
    }

    pub(super) fn owned_by(&self, owner_uid: &str) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        let keys = self.owned.get(owner_uid).into_iter().flatten();
        keys.filter_map(|key| Some((ChildKey::clone(key), self.objects.get(key)?.object()?))).collect()
    }

    pub(super) fn may_have_lost(&self, owner_uid: &str) -> bool {
        !self.keeps_every_answer && self.owned.contains_key(owner_uid)
    }

    pub(super) fn is_bereft(&self, owner_uid: &str) -> bool {
        self.bereft.contains(owner_uid)
    }

    pub(super) fn made_whole(&mut self, owner_uid: &str) {
        self.bereft.remove(owner_uid);
    }

    pub(super) fn resource(&self, key: &ChildKey) -> Option<ApiResource> {
        Some(self.kinds.get(&(key.group.clone(), key.kind.clone()))?.resource.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }
}

fn content(object: &DynamicObject) -> u64 {
    let mut hasher = DefaultHasher::new();
    let metadata = ObjectMeta { resource_version: None, ..object.metadata.clone() };
    // Neither fails: both came as JSON.
    serde_json::to_vec(&metadata).unwrap_or_default().hash(&mut hasher);
    serde_json::to_vec(&object.data).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

fn owner_uid<'a>(object: &'a DynamicObject, names: &Names) -> Option<&'a str> {
    object.metadata.labels.as_ref()?.get(names.owner_uid).map(String::as_str)
}

fn controller(object: &DynamicObject) -> Option<OwnerReference> {
    let references = object.metadata.owner_references.as_ref()?;
    references.iter().find(|reference| reference.controller == Some(true)).cloned()
}
