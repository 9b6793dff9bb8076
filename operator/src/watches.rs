//! What is watched for as long as the process lives, and what tells the controllers of changes.
//!
//! ```text
//! API server ── one watch a kind ──► store, then ──► change ──► each controller that it concerns
//! ```
//!
//! Held to single namespaces (see [`Scope`]) there is one watch a kind in each, into the same store: see [`gathered`](crate::gathered)
//! and [`Live::follow_in`]. Each of them lasts as long as its namespace. Of namespaces themselves, which lie in none, each one that
//! is listed is watched by its name, so that the operator need not see any other.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use futures::{Stream, StreamExt as _, stream, stream::BoxStream};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        batch::v1::Job,
        core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
        rbac::v1::RoleBinding,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::ApiResource,
    runtime::{WatchStreamExt as _, reflector::Store, watcher},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport, names};
use kyb_kit::{Live, Touched, unbroken};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use crate::{
    context::Stores,
    gathered::Gathered,
    scope::{self, Presence, Scope},
    sight::{Sight, Watched},
};

/// Watches go on for as long as the process; they are shared by all controllers.
pub(crate) struct Watches {
    pub(crate) stores: Stores,
    pub(crate) changes: Changes,
    /// Which of them are refused.
    pub(crate) sight: Sight,
}

/// What has changed, once the store of its kind knows it. Controllers go by these and not by watches of their own, which may be
/// ahead of the stores: whoever looked then would see the old state, and never be told again.
pub(crate) struct Changes {
    pub(crate) touched: broadcast::Sender<Change<Touched>>,
    pub(crate) tenants: Followed<KybTenant>,
    pub(crate) regions: Followed<RegionDeployment>,
    pub(crate) policies: Followed<CachePolicy>,
    pub(crate) pods: Followed<Pod>,
    pub(crate) namespaces: Followed<Namespace>,
}

/// The changes of a kind.
pub(crate) struct Followed<K> {
    /// Each of them.
    pub(crate) all: broadcast::Sender<Change<K>>,
    /// Those that are more than another status, which is its object's own business: what others do does not follow from it. A
    /// region's status counts its tenants; if all tenants looked at that, each new one would cost as much as all before it.
    pub(crate) meant: broadcast::Sender<Change<K>>,
}

/// The object that changed or is gone; none where anything may have: after a new listing, and when changes came faster than
/// they were taken in.
pub(crate) type Change<K> = Option<Arc<K>>;

/// So many changes may wait for the slowest controller. Room for all of them is set aside from the beginning.
pub(crate) const BACKLOG: usize = 4096;

impl Watches {
    pub(crate) fn start(client: &Client, live: &Live, scope: &Scope) -> Self {
        let part_of = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
        let all = watcher::Config::default;
        let seer = Seer { sight: Sight::default(), touched: broadcast::channel(BACKLOG).0 };
        let (namespaces, of_namespaces) = follow(of_namespaces(client, scope), &seer);
        let presence = Presence::new(namespaces.clone(), of_namespaces.all.clone());
        let (tenants, of_tenants) = follow(vec![(None, events(Api::all(client.clone()), all()))], &seer);
        let (regions, of_regions) = follow(within(client, scope, &presence, &all()), &seer);
        let (policies, of_policies) = follow(within(client, scope, &presence, &all()), &seer);
        let (pods, of_pods) = follow(within(client, scope, &presence, &all().labels(&part_of)), &seer);
        follow_children(client, live, scope, &presence, &seer);
        let changes = Changes {
            touched: seer.touched,
            tenants: of_tenants,
            regions: of_regions,
            policies: of_policies,
            pods: of_pods,
            namespaces: of_namespaces,
        };
        Self { stores: Stores { tenants, regions, policies, pods, namespaces }, changes, sight: seer.sight }
    }
}

/// Has all objects looked at when a watch is refused, and when it goes on.
#[derive(Clone)]
struct Seer {
    sight: Sight,
    touched: broadcast::Sender<Change<Touched>>,
}

impl Seer {
    fn note<T>(&self, watched: &Watched, came: &Result<T, watcher::Error>) {
        if self.sight.note(watched, came) {
            let _ = self.touched.send(None); // nobody listens before the lease is held
        }
    }
}

/// A watch, and the namespace that it is of; none: all.
type Watch<K> = (Option<String>, BoxStream<'static, Result<watcher::Event<K>, watcher::Error>>);

/// Those of regions, found by their label; of the listed ones each by its name, labelled or not.
fn of_namespaces(client: &Client, scope: &Scope) -> Vec<Watch<Namespace>> {
    let watch = |place: Option<String>| {
        let which = match &place {
            None => watcher::Config::default().labels(names::REGION_LABEL),
            Some(name) => watcher::Config::default().fields(&format!("metadata.name={name}")),
        };
        (place, events(Api::all(client.clone()), which))
    };
    scope.places().into_iter().map(watch).collect()
}

/// The watches of a kind that lies in namespaces.
fn within<K>(client: &Client, scope: &Scope, presence: &Presence, which: &watcher::Config) -> Vec<Watch<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    K: Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let watch = |place: Option<String>| {
        let api = scope::api(client, place.as_deref());
        let which = which.clone();
        let watch = move || events(api.clone(), which.clone());
        let nothing = || vec![Ok(watcher::Event::Init), Ok(watcher::Event::InitDone)];
        let events = match place.clone() {
            None => watch(),
            Some(namespace) => presence.clone().while_there(namespace, nothing, watch).boxed(),
        };
        (place, events)
    };
    scope.places().into_iter().map(watch).collect()
}

fn events<K>(
    api: Api<K>,
    which: watcher::Config,
) -> BoxStream<'static, Result<watcher::Event<K>, watcher::Error>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    // What there is comes through the watch itself, object by object: pages of a list would all be in memory at once. And who set which
    // field is the larger part of many objects, and nobody here asks for it.
    unbroken(watcher(api, which.streaming_lists()))
        .modify(|object| object.managed_fields_mut().clear())
        .boxed()
}

fn follow_children(client: &Client, live: &Live, scope: &Scope, presence: &Presence, seer: &Seer) {
    for resource in child_kinds().iter().filter(|resource| !HEEDED.contains(&resource.kind.as_str())) {
        live.leave_out_status(resource);
    }
    let mut children = stream::SelectAll::new();
    for place in scope.places() {
        for resource in scope.child_kinds() {
            let watched = (resource.kind.clone(), place.clone());
            let touched = children_in(place.clone(), client, live, resource, presence);
            children.push(touched.map(move |event| (watched.clone(), event)).boxed());
        }
    }
    let seer = seer.clone();
    tokio::spawn(children.for_each(move |(watched, event)| {
        seer.note(&watched, &event);
        match event {
            // Nobody listens before the lease is held.
            Ok(touched) => touched.into_iter().for_each(|one| drop(seer.touched.send(Some(Arc::new(one))))),
            Err(error) => tracing::warn!(%error, "a watch of children is tried again"),
        }
        std::future::ready(())
    }));
}

/// The kinds of children whose status somebody reads. A quota's, for one, changes with every object in its namespace.
const HEEDED: [&str; 5] = ["Deployment", "Job", "Namespace", "RegionReport", "StatefulSet"];

/// Children of a kind that were touched in a place, by each event.
fn children_in(
    place: Option<String>,
    client: &Client,
    live: &Live,
    resource: ApiResource,
    presence: &Presence,
) -> BoxStream<'static, Result<Vec<Touched>, watcher::Error>> {
    let Some(namespace) = place else { return live.follow(client, resource).boxed() };
    live.expect(&resource, Some(&namespace));
    let (here, watched) = (Some(namespace.clone()), resource.clone());
    let touched = {
        let (live, client, here) = (live.clone(), client.clone(), here.clone());
        move || live.follow_in(&client, watched.clone(), here.as_deref())
    };
    let live = live.clone();
    let nothing = move || {
        let list = [watcher::Event::Init, watcher::Event::InitDone].into_iter();
        list.map(|event| Ok(live.feed_in(&resource, here.as_deref(), event))).collect()
    };
    presence.clone().while_there(namespace, nothing, touched).boxed()
}

/// The kinds of our children that may be listed. Secrets are not among them.
pub(crate) fn child_kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<RegionReport>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

/// Follows a kind into a store, and tells of each change that the store has taken in.
fn follow<K>(watches: Vec<Watch<K>>, seer: &Seer) -> (Store<K>, Followed<K>)
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let (places, events): (Vec<_>, Vec<_>) = watches.into_iter().unzip();
    let subjects: Vec<Watched> =
        places.iter().map(|place| (K::kind(&()).into_owned(), place.clone())).collect();
    let mut gathered = Gathered::of(places);
    let store = gathered.store();
    let numbered =
        |(watch, events): (usize, BoxStream<'static, _>)| events.map(move |event| (watch, event)).boxed();
    let mut events = stream::select_all(events.into_iter().enumerate().map(numbered));
    let followed = Followed { all: broadcast::channel(BACKLOG).0, meant: broadcast::channel(BACKLOG).0 };
    let (all, meant, seer) = (followed.all.clone(), followed.meant.clone(), seer.clone());
    tokio::spawn(async move {
        let mut said = Said::default();
        while let Some((watch, event)) = events.next().await {
            seer.note(&subjects[watch], &event);
            if let Ok(event) = &event {
                gathered.take(watch, event);
            }
            let Some((change, is_meant)) = change(event, &mut said) else { continue };
            // Nobody listens before the lease is held.
            if is_meant {
                let _ = meant.send(change.clone());
            }
            let _ = all.send(change);
        }
    });
    (store, followed)
}

/// What an event of a watch changes, and whether that is more than a status.
fn change<K>(event: Result<watcher::Event<K>, watcher::Error>, said: &mut Said) -> Option<(Change<K>, bool)>
where
    K: Resource<DynamicType = ()>,
{
    match event {
        Ok(watcher::Event::Apply(object)) => {
            let is_meant = said.is_news(object.meta());
            Some((Some(Arc::new(object)), is_meant))
        }
        Ok(watcher::Event::Delete(object)) => {
            said.forget(object.meta());
            Some((Some(Arc::new(object)), true))
        }
        Ok(watcher::Event::InitDone) => Some((None, true)),
        Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
        Err(error) => {
            tracing::warn!(kind = %K::kind(&()), %error, "a watch is tried again");
            None
        }
    }
}

/// What was last meant by each object: a digest of what its users write. Of kinds without a generation every change is meant.
#[derive(Default)]
struct Said(HashMap<String, u64>);

impl Said {
    fn is_news(&mut self, metadata: &ObjectMeta) -> bool {
        let (Some(generation), Some(uid)) = (metadata.generation, &metadata.uid) else { return true };
        let mut hasher = DefaultHasher::new();
        let deleted = metadata.deletion_timestamp.is_some();
        (generation, deleted, &metadata.labels, &metadata.annotations, &metadata.finalizers)
            .hash(&mut hasher);
        let digest = hasher.finish();
        self.0.insert(uid.clone(), digest) != Some(digest)
    }

    fn forget(&mut self, metadata: &ObjectMeta) {
        if let Some(uid) = &metadata.uid {
            self.0.remove(uid);
        }
    }
}

/// Changes, for one controller. None: some were missed, and everything has to be looked at.
pub(crate) fn listen<T: Clone + Send + 'static>(
    changes: &broadcast::Sender<Option<T>>,
) -> impl Stream<Item = Option<T>> + Send + use<T> {
    stream::unfold(changes.subscribe(), |mut receiver| async {
        match receiver.recv().await {
            Ok(change) => Some((change, receiver)),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "more changes came than could be taken in; looking at everything");
                Some((None, receiver))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_missed_changes_is_told_to_look_at_everything() {
        let (sender, _) = broadcast::channel(2);
        let changes = listen(&sender);
        for number in 1..=3 {
            sender.send(Some(number)).unwrap();
        }
        drop(sender);
        assert_eq!(changes.collect::<Vec<_>>().await, [None, Some(2), Some(3)]);
    }

    #[test]
    fn another_status_is_not_meant_for_others() {
        let metadata = |generation, label: &str| ObjectMeta {
            uid: Some("one".to_owned()),
            generation: Some(generation),
            labels: Some([("label".to_owned(), label.to_owned())].into()),
            ..ObjectMeta::default()
        };
        let mut said = Said::default();
        let changes = [(1, "a", true), (1, "a", false), (2, "a", true), (2, "b", true), (2, "b", false)];
        for (generation, label, is_news) in changes {
            assert_eq!(said.is_news(&metadata(generation, label)), is_news, "{generation} {label}");
        }
        said.forget(&metadata(2, "b"));
        assert!(said.is_news(&metadata(2, "b")));
        assert!(
            said.is_news(&ObjectMeta::default()) && said.is_news(&ObjectMeta::default()),
            "no generation"
        );
    }
}
