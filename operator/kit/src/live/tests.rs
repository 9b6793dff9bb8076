use std::collections::BTreeMap;

use futures::FutureExt;
use kube::runtime::watcher::Event;
use serde_json::json;

use super::*;
use crate::names::SAMPLE;

fn resource() -> ApiResource {
    ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&())
}

fn config_map(name: &str, version: u64, owner: &str) -> DynamicObject {
    let mut object =
        DynamicObject::new(name, &resource()).within("here").data(json!({"data": {"v": version}}));
    object.metadata.resource_version = Some(version.to_string());
    object.metadata.labels = Some(BTreeMap::from([(SAMPLE.owner_uid.to_owned(), owner.to_owned())]));
    object
}

fn key(name: &str) -> ChildKey {
    ChildKey::new(&resource(), Some("here"), name)
}

fn live(events: impl IntoIterator<Item = Event<DynamicObject>>) -> Live {
    let live = Live::new(SAMPLE);
    live.expect(&resource());
    for event in events {
        live.feed(&resource(), event);
    }
    live
}

fn listed(objects: impl IntoIterator<Item = DynamicObject>) -> Live {
    let items = objects.into_iter().map(Event::InitApply);
    live([Event::Init].into_iter().chain(items).chain([Event::InitDone]))
}

fn version_of(live: &Live, name: &str) -> Option<u64> {
    match live.lookup(&key(name)) {
        Lookup::Present(object) => version(&object.metadata),
        _ => None,
    }
}

#[test]
fn nothing_is_called_absent_before_the_first_list_is_complete() {
    let before = live([Event::Init, Event::InitApply(config_map("one", 5, "uid-1"))]);
    assert!(matches!(before.lookup(&key("two")), Lookup::NotSynced));
    assert!(before.synced().now_or_never().is_none());
    before.feed(&resource(), Event::InitDone);
    assert!(matches!(before.lookup(&key("two")), Lookup::Absent));
    assert!(before.synced().now_or_never().is_some());
    assert!(matches!(Live::new(SAMPLE).lookup(&key("two")), Lookup::NotWatched));
}

#[test]
fn a_write_is_seen_at_once_and_an_older_event_does_not_undo_it() {
    let live = listed([config_map("one", 5, "uid-1")]);
    live.written(&key("one"), config_map("one", 9, "uid-1"));
    live.feed(&resource(), Event::Apply(config_map("one", 7, "uid-1")));
    assert_eq!(version_of(&live, "one"), Some(9));
    live.feed(&resource(), Event::Delete(config_map("one", 8, "uid-1")));
    assert_eq!(version_of(&live, "one"), Some(9), "an earlier object of that name was deleted");
    live.feed(&resource(), Event::Delete(config_map("one", 10, "uid-1")));
    assert_eq!(version_of(&live, "one"), None);
}

#[test]
fn versions_are_compared_as_numbers() {
    let live = listed([config_map("one", 9, "uid-1")]);
    live.feed(&resource(), Event::Apply(config_map("one", 10, "uid-1")));
    assert_eq!(version_of(&live, "one"), Some(10));
}

#[test]
fn a_new_list_drops_what_is_gone_and_keeps_what_was_written_meanwhile() {
    let live = listed([config_map("gone", 1, "uid-1"), config_map("kept", 2, "uid-1")]);
    live.feed(&resource(), Event::Init);
    live.written(&key("new"), config_map("new", 12, "uid-1"));
    live.feed(&resource(), Event::InitApply(config_map("kept", 2, "uid-1")));
    assert_eq!(version_of(&live, "gone"), Some(1), "until the list is complete");
    live.feed(&resource(), Event::InitDone);
    let names: Vec<_> = live.owned_by("uid-1").into_iter().map(|(key, _)| key.name).collect();
    assert_eq!(names, ["kept", "new"]);
}

#[test]
fn objects_are_found_by_owner_and_follow_a_changed_label() {
    let live = listed([config_map("one", 1, "uid-1"), config_map("two", 2, "uid-2")]);
    assert_eq!(live.owned_by("uid-1").len(), 1);
    live.feed(&resource(), Event::Apply(config_map("one", 3, "uid-2")));
    assert_eq!((live.owned_by("uid-1").len(), live.owned_by("uid-2").len()), (0, 2));
}

#[test]
fn whoever_owns_a_changed_object_is_told() {
    let live = listed([]);
    let mut object = config_map("one", 1, "uid-1");
    let reference =
        OwnerReference { name: "whole".into(), controller: Some(true), ..OwnerReference::default() };
    object.metadata.owner_references = Some(vec![OwnerReference::default(), reference.clone()]);
    let touched = live.feed(&resource(), Event::Delete(object)).unwrap();
    assert_eq!((touched.key, touched.owner), (key("one"), Some(reference)));
}
