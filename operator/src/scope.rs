//! Where the operator works: in the whole cluster, or in the namespaces that an administrator lists and in no other.

use std::{collections::BTreeSet, fmt, pin::pin, sync::Arc};

use futures::{
    FutureExt as _, Stream, StreamExt as _,
    future::{BoxFuture, Shared},
    stream,
};
use k8s_openapi::{NamespaceResourceScope, api::core::v1::Namespace};
use kube::{
    Api, Client, Resource,
    api::ApiResource,
    runtime::reflector::{ObjectRef, Store},
};
use tokio::sync::broadcast;

use crate::watches::{Change, child_kinds, listen};

/// Where the operator works.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In every namespace that carries our labels. It makes those of tenants.
    #[default]
    Cluster,
    /// In these, whether or not they are there yet. It makes and deletes none.
    Namespaces(BTreeSet<String>),
}

impl Scope {
    /// Held to these namespaces; everywhere where none are named.
    pub(crate) fn of(namespaces: &[String]) -> Self {
        if namespaces.is_empty() {
            Self::Cluster
        } else {
            Self::Namespaces(namespaces.iter().cloned().collect())
        }
    }

    /// Whether it may work in a namespace.
    pub(crate) fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespaces(namespaces) => namespaces.contains(namespace),
        }
    }

    /// The kinds of children that may be listed in each of its places: of single namespaces there is no list.
    pub(crate) fn child_kinds(&self) -> Vec<ApiResource> {
        let is_listed = |kind: &ApiResource| *self == Self::Cluster || kind.kind != "Namespace";
        child_kinds().into_iter().filter(is_listed).collect()
    }

    /// Where to look for what lies in namespaces: once everywhere (none), or once in each.
    pub(crate) fn places(&self) -> Vec<Option<String>> {
        match self {
            Self::Cluster => vec![None],
            Self::Namespaces(namespaces) => namespaces.iter().cloned().map(Some).collect(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("the whole cluster"),
            Self::Namespaces(namespaces) => {
                f.write_str(&namespaces.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The objects of a kind in a namespace, or everywhere.
pub(crate) fn api<K>(client: &Client, place: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match place {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Which of the namespaces that the operator is held to are there.
#[derive(Clone)]
pub(crate) struct Presence {
    namespaces: Store<Namespace>,
    changes: broadcast::Sender<Change<Namespace>>,
    /// Once it is known what there is. Of many that wait for a store itself, only the last is told (kube 5.0, `DelayedInit`).
    known: Shared<BoxFuture<'static, ()>>,
}

impl Presence {
    pub(crate) fn new(namespaces: Store<Namespace>, changes: broadcast::Sender<Change<Namespace>>) -> Self {
        let store = namespaces.clone();
        let known = async move {
            let _ = store.wait_until_ready().await; // whoever fills it lives as long as the process
        };
        Self { namespaces, changes, known: known.boxed().shared() }
    }

    /// What watches in a namespace bring, for as long as the process lives. Where there is no such namespace there is nothing in it, but
    /// nobody may look either, since the operator's Role went with it: a watch would fail for ever, and everything else would wait for
    /// it. So `nothing` comes in its place, and a watch begins whenever the namespace is there, and ends with it.
    pub(crate) fn while_there<T, W>(
        self,
        namespace: String,
        nothing: impl Fn() -> Vec<T> + Send + Sync,
        watch: impl Fn() -> W + Send + Sync,
    ) -> impl Stream<Item = T> + Send
    where
        T: Send,
        W: Stream<Item = T> + Send,
    {
        let all = Arc::new((self, namespace, nothing, watch));
        let turn = move || {
            let (before, after) = (all.clone(), all.clone());
            let before = async move {
                let (presence, namespace, nothing, _) = &*before;
                stream::iter(if presence.is_there(namespace).await { vec![] } else { nothing() })
            };
            let after = async move {
                let (presence, namespace, _, watch) = &*after;
                presence.appears(namespace).await;
                watch().take_until(presence.clone().goes(namespace.clone()))
            };
            before.flatten_stream().chain(after.flatten_stream())
        };
        stream::repeat_with(turn).flatten()
    }

    /// Whether it is there, and not about to go; waits until that is known.
    async fn is_there(&self, namespace: &str) -> bool {
        self.known.clone().await;
        let found = self.namespaces.get(&ObjectRef::new(namespace));
        found.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none())
    }

    /// Waits until there is none. While one is about to go, what is in it is still to be looked after.
    async fn goes(self, namespace: String) {
        let mut changes = pin!(listen(&self.changes));
        while self.namespaces.get(&ObjectRef::new(&namespace)).is_some() {
            changes.next().await;
        }
    }

    async fn appears(&self, namespace: &str) {
        let mut changes = pin!(listen(&self.changes)); // before the first look, so that nothing falls in between
        while !self.is_there(namespace).await {
            changes.next().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use kube::runtime::{reflector, watcher::Event};

    use super::*;

    fn namespace(name: &str) -> Namespace {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace
    }

    #[tokio::test]
    async fn a_namespace_that_is_not_there_holds_nothing_and_is_watched_once_it_is() {
        let (namespaces, mut writer) = reflector::store();
        let presence = Presence::new(namespaces, broadcast::channel(8).0);
        let watched = || stream::iter(["watched"]).chain(stream::pending());
        let of =
            |name: &str| presence.clone().while_there(name.to_owned(), || vec!["nothing"], watched).boxed();
        let (mut here, mut late) = (of("here"), of("late"));
        assert_eq!(here.next().now_or_never(), None, "not before it is known what there is");
        for event in [Event::Init, Event::InitApply(namespace("here")), Event::InitDone] {
            writer.apply_watcher_event(&event);
        }
        assert_eq!(here.next().now_or_never(), Some(Some("watched")));
        assert_eq!(late.next().now_or_never(), Some(Some("nothing")));
        assert_eq!(late.next().now_or_never(), None);
        writer.apply_watcher_event(&Event::Apply(namespace("late")));
        presence.changes.send(Some(Arc::new(namespace("late")))).unwrap();
        assert_eq!(late.next().now_or_never(), Some(Some("watched")));
    }

    #[tokio::test]
    async fn a_watch_ends_with_its_namespace_and_begins_with_the_next() {
        let (namespaces, mut writer) = reflector::store();
        let presence = Presence::new(namespaces, broadcast::channel(8).0);
        let changes = presence.changes.clone();
        let mut tell = |event: Event<Namespace>| {
            writer.apply_watcher_event(&event);
            let _ = changes.send(None); // nobody may be waiting
        };
        let watched = || stream::iter(["watched"]).chain(stream::pending());
        let mut here = pin!(presence.while_there("here".to_owned(), || vec!["nothing"], watched));
        for event in [Event::Init, Event::InitApply(namespace("here")), Event::InitDone] {
            tell(event);
        }
        assert_eq!(here.next().now_or_never(), Some(Some("watched")));
        let mut leaving = namespace("here");
        leaving.metadata.deletion_timestamp = Some(Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
        tell(Event::Apply(leaving.clone()));
        assert_eq!(here.next().now_or_never(), None, "what is about to go is still looked after");
        tell(Event::Delete(leaving));
        assert_eq!(here.next().now_or_never(), Some(Some("nothing")));
        assert_eq!(here.next().now_or_never(), None);
        tell(Event::Apply(namespace("here")));
        assert_eq!(here.next().now_or_never(), Some(Some("watched")));
    }

    #[tokio::test]
    async fn everybody_who_waits_is_told_what_there_is() {
        let (namespaces, mut writer) = reflector::store();
        let presence = Presence::new(namespaces, broadcast::channel(8).0);
        let waiting = (0..9).map(|_| {
            let presence = presence.clone();
            tokio::spawn(async move { presence.is_there("here").await })
        });
        let waiting: Vec<_> = waiting.collect();
        tokio::task::yield_now().await; // each has asked
        for event in [Event::Init, Event::InitApply(namespace("here")), Event::InitDone] {
            writer.apply_watcher_event(&event);
        }
        let all = futures::future::try_join_all(waiting);
        let all = tokio::time::timeout(std::time::Duration::from_secs(5), all).await.unwrap().unwrap();
        assert_eq!(all, [true; 9]);
    }

    #[test]
    fn it_is_held_to_what_is_listed() {
        let held = Scope::of(&["b".to_owned(), "a".to_owned(), "b".to_owned()]);
        assert_eq!(held.to_string(), "a, b");
        assert!(held.covers("a") && !held.covers("c"));
        assert_eq!(held.places(), [Some("a".to_owned()), Some("b".to_owned())]);
        assert!(Scope::of(&[]).covers("c"));
    }

    #[test]
    fn single_namespaces_are_not_listed() {
        let lists = |scope: Scope| scope.child_kinds().iter().any(|kind| kind.kind == "Namespace");
        assert!(lists(Scope::Cluster) && !lists(Scope::of(&["one".to_owned()])));
        let kinds = |scope: Scope| scope.child_kinds().len();
        assert_eq!(kinds(Scope::Cluster), kinds(Scope::of(&["one".to_owned()])) + 1);
        assert_eq!(Scope::of(&["one".to_owned(), "two".to_owned()]).to_string(), "one, two");
    }
}
