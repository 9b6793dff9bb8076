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
    let told =
        |touched: Vec<Touched>| touched.into_iter().map(|one| (one.key, one.owner)).collect::<Vec<_>>();
    let once = vec![(key("one"), Some(reference))];
    assert_eq!(told(live.feed(&resource(), Event::Apply(object.clone()))), once);
    assert_eq!(told(live.feed(&resource(), Event::Delete(object.clone()))), once);

    live.feed(&resource(), Event::Apply(object));
    live.feed(&resource(), Event::Init);
    assert_eq!(told(live.feed(&resource(), Event::InitDone)), once, "it went while nobody watched");
}

#[test]
fn what_others_did_before_our_write_is_news_when_the_write_comes_back() {
    let live = listed([config_map("one", 5, "uid-1")]);
    let mut answer = config_map("one", 7, "uid-1");
    answer.data["status"] = json!({"ready": 1}); // theirs, of version 6, which the watch has not brought, and may never bring
    live.written(&key("one"), answer.clone());
    assert_eq!(live.feed(&resource(), Event::Apply(answer.clone())).len(), 1);
    assert_eq!(live.feed(&resource(), Event::Apply(answer)).len(), 0, "told once");
    assert_eq!(live.feed(&resource(), Event::Apply(config_map("one", 6, "uid-1"))).len(), 1, "late");
}

#[test]
fn what_we_wrote_and_what_is_only_listed_again_is_no_news() {
    let live = listed([config_map("one", 5, "uid-1")]);
    let touched = |event| live.feed(&resource(), event).len();
    live.written(&key("two"), config_map("two", 7, "uid-1"));
    assert_eq!(touched(Event::Apply(config_map("two", 7, "uid-1"))), 0, "our own write came back");
    assert_eq!(touched(Event::Apply(config_map("two", 8, "uid-1"))), 1, "somebody else's");
    live.feed(&resource(), Event::Init);
    assert_eq!(touched(Event::InitApply(config_map("one", 5, "uid-1"))), 0);
    assert_eq!(touched(Event::InitApply(config_map("two", 9, "uid-1"))), 1);
}
