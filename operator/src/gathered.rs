//! Several watches of a kind into one store.
//!
//! Who is held to single namespaces has a watch in each. Whoever looks something up, and `kube`'s `Controller`, want one store all the
//! same. `kube`'s own [`reflector`](kube::runtime::reflector()) can't be fed by several watches: it takes the end of any list for the
//! whole of what there is, and forgets what the others have brought. So lists are taken apart here, and the store's writer is given
//! single objects: each that a list brings, and at its end, as deleted, those of the same place that it did not bring. It is given one
//! whole list, of what it has, when each watch has been listed once: that is how it tells that the store is ready.

use std::collections::HashSet;

use kube::{
    Resource, ResourceExt as _,
    runtime::{
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher::Event,
    },
};

/// A store, and what its watches have brought so far.
pub(crate) struct Gathered<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    writer: Writer<K>,
    store: Store<K>,
    lists: Vec<List<K>>,
}

/// How far a watch is.
struct List<K: Resource<DynamicType = ()>> {
    /// The namespace that is watched; none: all.
    place: Option<String>,
    is_complete: bool,
    /// While it is being listed: what the list has brought.
    listed: HashSet<ObjectRef<K>>,
}

impl<K> Gathered<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    /// A watch for each place, in this order.
    pub(crate) fn of(places: Vec<Option<String>>) -> Self {
        let (store, writer) = reflector::store();
        let list = |place| List { place, is_complete: false, listed: HashSet::new() };
        Self { writer, store, lists: places.into_iter().map(list).collect() }
    }

    pub(crate) fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// Takes in an event of one of the watches.
    pub(crate) fn take(&mut self, watch: usize, event: &Event<K>) {
        let Some(list) = self.lists.get_mut(watch) else { return };
        match event {
            Event::Init => list.listed.clear(),
            Event::InitApply(object) => {
                list.listed.insert(ObjectRef::from_obj(object));
                self.writer.apply_watcher_event(&Event::Apply(object.clone()));
            }
            Event::InitDone => self.end_of_list(watch),
            Event::Apply(_) | Event::Delete(_) => self.writer.apply_watcher_event(event),
        }
    }

    fn end_of_list(&mut self, watch: usize) {
        let was_complete = self.lists.iter().all(|list| list.is_complete);
        let Some(list) = self.lists.get_mut(watch) else { return };
        list.is_complete = true;
        let listed = std::mem::take(&mut list.listed);
        for object in self.store.state() {
            if lies_in(list.place.as_deref(), &*object) && !listed.contains(&ObjectRef::from_obj(&*object)) {
                self.writer.apply_watcher_event(&Event::Delete(K::clone(&object)));
            }
        }
        if !was_complete && self.lists.iter().all(|list| list.is_complete) {
            self.say_ready();
        }
    }

    fn say_ready(&mut self) {
        let objects = self.store.state();
        self.writer.apply_watcher_event(&Event::Init);
        for object in objects {
            self.writer.apply_watcher_event(&Event::InitApply(K::clone(&object)));
        }
        self.writer.apply_watcher_event(&Event::InitDone);
    }
}

/// Whether the watch of a place would bring an object. A Namespace lies in itself.
fn lies_in<K: Resource<DynamicType = ()>>(place: Option<&str>, object: &K) -> bool {
    place.is_none_or(|place| object.namespace().unwrap_or_else(|| object.name_any()) == place)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    const HERE: usize = 0;
    const THERE: usize = 1;

    fn two() -> Gathered<Pod> {
        Gathered::of(vec![Some("here".to_owned()), Some("there".to_owned())])
    }

    fn pod(namespace: &str, name: &str) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.namespace = Some(namespace.to_owned());
        pod.metadata.name = Some(name.to_owned());
        pod
    }

    fn list(gathered: &mut Gathered<Pod>, watch: usize, pods: &[Pod]) {
        gathered.take(watch, &Event::Init);
        for pod in pods {
            gathered.take(watch, &Event::InitApply(pod.clone()));
        }
        gathered.take(watch, &Event::InitDone);
    }

    fn names(gathered: &Gathered<Pod>) -> Vec<String> {
        let name = |pod: &Pod| format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
        let mut names: Vec<_> = gathered.store().state().iter().map(|pod| name(pod)).collect();
        names.sort();
        names
    }

    fn is_ready(gathered: &Gathered<Pod>) -> bool {
        gathered.store().wait_until_ready().now_or_never().is_some()
    }

    #[test]
    fn it_is_ready_when_each_watch_has_been_listed_and_not_before() {
        let mut gathered = two();
        list(&mut gathered, HERE, &[pod("here", "one")]);
        gathered.take(HERE, &Event::Apply(pod("here", "two")));
        gathered.take(HERE, &Event::Delete(pod("here", "one")));
        assert!(!is_ready(&gathered));
        list(&mut gathered, THERE, &[pod("there", "one")]);
        assert!(is_ready(&gathered));
        assert_eq!(names(&gathered), ["here/two", "there/one"]);
    }

    #[test]
    fn a_new_list_drops_what_is_gone_of_its_own_place_alone() {
        let mut gathered = two();
        list(&mut gathered, HERE, &[pod("here", "gone"), pod("here", "kept")]);
        list(&mut gathered, THERE, &[pod("there", "other")]);
        list(&mut gathered, HERE, &[pod("here", "kept"), pod("here", "new")]);
        assert_eq!(names(&gathered), ["here/kept", "here/new", "there/other"]);
    }

    #[test]
    fn a_list_that_was_broken_off_drops_nothing() {
        let mut gathered = two();
        list(&mut gathered, HERE, &[pod("here", "one"), pod("here", "two")]);
        gathered.take(HERE, &Event::Init);
        gathered.take(HERE, &Event::InitApply(pod("here", "one")));
        assert_eq!(names(&gathered), ["here/one", "here/two"]);
        list(&mut gathered, HERE, &[pod("here", "two")]);
        assert_eq!(names(&gathered), ["here/two"], "and what it brought counts no more");
    }

    #[test]
    fn one_watch_of_everything_is_as_good() {
        let mut gathered = Gathered::of(vec![None]);
        list(&mut gathered, HERE, &[pod("here", "one"), pod("there", "one")]);
        list(&mut gathered, HERE, &[pod("there", "one")]);
        assert_eq!(names(&gathered), ["there/one"]);
        assert!(is_ready(&gathered));
    }

    #[test]
    fn a_namespace_lies_in_itself() {
        let mut namespace = k8s_openapi::api::core::v1::Namespace::default();
        namespace.metadata.name = Some("here".to_owned());
        assert!(lies_in(Some("here"), &namespace) && !lies_in(Some("there"), &namespace));
    }
}
