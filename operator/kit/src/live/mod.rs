//! What the server has of ours, without asking it: one watch for each kind, and what we wrote ourselves. Whoever may not look at the
//! whole cluster has one for each kind in each namespace instead ([`Live::follow_in`]); to whoever looks something up it is the same.
//!
//! ```text
//! watch of a kind ─► follow ─► Live ◄── Applier (what the server answered to a write)
//!                      │         └► lookup by key, list by owner: no request
//!                      └► Touched: whose object changed ─► reconcile the owner
//! ```
//!
//! A write is seen at once, not only when the watch brings it: otherwise the next reconcile would write it again.
//! Versions of one object are compared as numbers (Kubernetes 1.35, KEP-5504), so an older event does not undo it.

mod store;

use std::sync::{Arc, PoisonError, RwLock};

use futures::{Stream, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::{
    Client,
    api::{ApiResource, DynamicObject},
    runtime::watcher,
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::{ChildKey, Names, objects::objects_in, unbroken};
use store::Store;

/// What is known of an object.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// No watch was started for its kind, or none in its namespace.
    NotWatched,
    /// The watch that it would be seen by has not brought the first list yet.
    NotSynced,
    /// There is none that is ours. Somebody else's object of that name may exist, since only ours are watched.
    Absent,
    /// This is the newest version seen, without its managed fields (but those about `spec.replicas`), and
    /// without its status where that is left out.
    Present(Arc<DynamicObject>),
}

/// An object of ours that others changed, or that went while nobody watched.
#[derive(Debug, Clone)]
pub struct Touched {
    /// Which.
    pub key: ChildKey,
    /// The controller that its owner references name, if any: reconcile that one.
    pub owner: Option<OwnerReference>,
}

/// When a request began, told by how many lists its object's watch had brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(u64);

/// What the server has of ours. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub struct Live {
    names: Names,
    store: Arc<RwLock<Store>>,
    /// Says that some watch has brought a list.
    synced: Arc<watch::Sender<()>>,
}

impl Live {
    /// Watches nothing yet.
    pub fn new(names: Names) -> Self {
        Self {
            names,
            store: Arc::new(RwLock::new(Store::new(names))),
            synced: Arc::new(watch::Sender::new(())),
        }
    }

    /// What is fed and answered is all that there is: no watch goes on, so every answer is kept. For rehearsals, in which nobody else
    /// changes anything, and whose answers may have no version or one of before.
    pub fn rehearsed(names: Names) -> Self {
        let live = Self::new(names);
        live.write(Store::keep_every_answer);
        live
    }

    /// Watches all objects of a kind that carry our label, in the whole cluster, and tells what each event touches, which may be nothing.
    /// The stream must be polled for anything to be seen, it never ends by itself, and tries again with a growing wait after an error.
    /// Watch each kind once.
    pub fn follow(
        &self,
        client: &Client,
        resource: ApiResource,
    ) -> impl Stream<Item = Result<Vec<Touched>, watcher::Error>> + Send + use<> {
        self.follow_in(client, resource, None)
    }

    /// The same in one namespace. A kind is watched either in the whole cluster (none) or once in each of several namespaces:
    /// what lies elsewhere is then not watched.
    pub fn follow_in(
        &self,
        client: &Client,
        resource: ApiResource,
        namespace: Option<&str>,
    ) -> impl Stream<Item = Result<Vec<Touched>, watcher::Error>> + Send + use<> {
        self.expect(&resource, namespace);
        let namespace = namespace.map(str::to_owned);
        let api = objects_in(client, namespace.as_deref(), &resource);
        let live = self.clone();
        let which = watcher::Config::default().labels(&self.names.selector()).streaming_lists();
        unbroken(watcher(api, which))
            .map_ok(move |event| live.feed_in(&resource, namespace.as_deref(), event))
    }

    /// Leaves out the status of objects of a kind, which nobody here asks for: what changes there alone is then told to nobody.
    pub fn leave_out_status(&self, resource: &ApiResource) {
        self.write(|store| store.leave_out_status(resource));
    }

    /// Says that a kind is going to be watched, in a namespace or everywhere, so that [`Live::synced`] waits for it.
    pub fn expect(&self, resource: &ApiResource, namespace: Option<&str>) {
        self.write(|store| store.expect(resource, namespace));
    }

    /// Takes in an event of the watch of a kind; [`Live::follow`] does that. For tests, and for watches of another shape.
    pub fn feed(&self, resource: &ApiResource, event: watcher::Event<DynamicObject>) -> Vec<Touched> {
        self.feed_in(resource, None, event)
    }

    /// The same of the watch in one namespace.
    pub fn feed_in(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        event: watcher::Event<DynamicObject>,
    ) -> Vec<Touched> {
        let listed = matches!(event, watcher::Event::InitDone);
        let touched = self.write(|store| store.feed(resource, namespace, event));
        if listed {
            self.synced.send_replace(());
        }
        touched
    }

    /// Waits until each watch has brought its list once.
    pub async fn synced(&self) {
        let mut synced = self.synced.subscribe();
        while !self.is_synced() {
            // The sender is ours, so it is never gone.
            let _ = synced.changed().await;
        }
    }

    /// Whether each watch has brought its list once.
    pub fn is_synced(&self) -> bool {
        self.read(Store::is_synced)
    }

    /// What is known of an object.
    pub fn lookup(&self, key: &ChildKey) -> Lookup {
        self.read(|store| store.lookup(key))
    }

    /// The object as its own type; none where there is none, or where it does not parse.
    pub fn typed<K>(&self, namespace: Option<&str>, name: &str) -> Option<K>
    where
        K: kube::Resource<DynamicType = ()> + DeserializeOwned,
    {
        let key = ChildKey::new(&ApiResource::erase::<K>(&()), namespace, name);
        match self.lookup(&key) {
            Lookup::Present(object) => object.as_ref().clone().try_parse().ok(),
            _ => None,
        }
    }

    /// All watched objects that carry an owner's uid, in order of their keys.
    pub fn owned_by(&self, owner_uid: &str) -> Vec<(ChildKey, Arc<DynamicObject>)> {
        self.read(|store| store.owned_by(owner_uid))
    }

    /// Whether children of this owner may have gone unseen: it has others, so it is not new; and in a rehearsal nobody takes any.
    pub(crate) fn may_have_lost(&self, owner_uid: &str) -> bool {
        self.read(|store| store.may_have_lost(owner_uid))
    }

    /// Whether others have deleted children of this owner since it was whole last. They may have gone because it is gone itself.
    pub(crate) fn is_bereft(&self, owner_uid: &str) -> bool {
        self.read(|store| store.is_bereft(owner_uid))
    }

    /// Says that the owner has all its children again.
    pub(crate) fn made_whole(&self, owner_uid: &str) {
        if self.is_bereft(owner_uid) {
            self.write(|store| store.made_whole(owner_uid));
        }
    }

    /// How a watched kind is addressed.
    pub fn resource(&self, key: &ChildKey) -> Option<ApiResource> {
        self.read(|store| store.resource(key))
    }

    /// How many objects are held, for a metric.
    pub fn len(&self) -> usize {
        self.read(Store::len)
    }

    /// Whether no object is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// To be asked before a request, for [`Live::answered`].
    pub(crate) fn now(&self, key: &ChildKey) -> Moment {
        Moment(self.read(|store| store.lists(key)))
    }

    /// Takes in what the server answered to a request about an object, which began at that moment.
    pub(crate) fn answered(&self, key: &ChildKey, object: DynamicObject, began: Moment) {
        self.write(|store| store.take(key, object, began.0)); // our own, so whether it is news does not matter
    }

    /// Takes in that the server has deleted the object of this uid.
    pub(crate) fn deleted(&self, key: &ChildKey, uid: &str) {
        self.write(|store| store.drop_uid(key, uid));
    }

    /// The lock is held for lookups and insertions only.
    fn read<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.store.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        change(&mut self.store.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The version of an object as the number that it is; none where the server numbers differently.
pub(crate) fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests;
