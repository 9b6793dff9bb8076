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
    live.expect(&resource(), None);
    for event in events {
        live.feed(&resource(), event);
    }
    live
}

fn listed(objects: impl IntoIterator<Item = DynamicObject>) -> Live {
    let items = objects.into_iter().map(Event::InitApply);
    live([Event::Init].into_iter().chain(items).chain([Event::InitDone]))
}

/// A write that nothing comes in between.
fn written(live: &Live, name: &str, answer: DynamicObject) {
    live.answered(&key(name), answer, live.now(&key(name)));
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
fn a_status_that_is_left_out_is_nobodys_news_and_takes_no_room() {
    let with_status = |version| {
        let mut object = config_map("one", version, "uid-1");
        object.data = json!({"data": {"v": 1}, "status": {"used": version}});
        object
    };
    let told = |live: &Live, object| live.feed(&resource(), Event::Apply(object)).len();
    let heeding = listed([with_status(5)]);
    assert_eq!(told(&heeding, with_status(6)), 1);

    let live = Live::new(SAMPLE);
    live.leave_out_status(&resource());
    for event in [Event::Init, Event::InitApply(with_status(5)), Event::InitDone] {
        live.feed(&resource(), event);
    }
    assert_eq!(told(&live, with_status(6)), 0);
    assert_eq!(version_of(&live, "one"), Some(6), "a deletion is bound to the newest version");
    let Lookup::Present(held) = live.lookup(&key("one")) else { panic!("it is there") };
    assert_eq!(held.data, json!({"data": {"v": 1}}));
    assert_eq!(told(&live, config_map("one", 7, "uid-1")), 1, "the data changed");

    written(&live, "one", with_status(8));
    written(&live, "one", with_status(9));
    assert_eq!(told(&live, with_status(9)), 0, "nor is what came along with a write of ours");
}

#[test]
fn a_write_is_seen_at_once_and_an_older_event_does_not_undo_it() {
    let live = listed([config_map("one", 5, "uid-1")]);
    written(&live, "one", config_map("one", 9, "uid-1"));
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
fn a_new_list_drops_what_is_gone_when_it_is_complete() {
    let live = listed([config_map("gone", 1, "uid-1"), config_map("kept", 2, "uid-1")]);
    live.feed(&resource(), Event::Init);
    live.feed(&resource(), Event::InitApply(config_map("kept", 2, "uid-1")));
    assert_eq!(version_of(&live, "gone"), Some(1), "until the list is complete");
    live.feed(&resource(), Event::InitDone);
    let names: Vec<_> = live.owned_by("uid-1").into_iter().map(|(key, _)| key.name).collect();
    assert_eq!(names, ["kept"]);
}

#[test]
fn an_answer_after_the_news_of_a_deletion_brings_nothing_back() {
    let live = listed([config_map("one", 5, "uid-1")]);
    let began = live.now(&key("one"));
    live.feed(&resource(), Event::Apply(config_map("one", 7, "uid-1")));
    live.feed(&resource(), Event::Delete(config_map("one", 8, "uid-1")));
    live.answered(&key("one"), config_map("one", 7, "uid-1"), began);
    assert_eq!(version_of(&live, "one"), None, "nothing would ever be heard of it again");

    live.answered(&key("one"), config_map("one", 9, "uid-1"), began);
    assert_eq!(version_of(&live, "one"), Some(9), "it was made again, which the watch is still to bring");
}

#[test]
fn where_nothing_is_watched_every_answer_is_kept() {
    for (live, is_kept) in [(Live::new(SAMPLE), false), (Live::rehearsed(SAMPLE), true)] {
        live.feed(&resource(), Event::Init);
        live.feed(&resource(), Event::InitApply(config_map("two", 600, "uid-1")));
        live.feed(&resource(), Event::InitDone);
        let mut answer = config_map("one", 0, "uid-1");
        answer.metadata.resource_version = None; // a dry run's
        written(&live, "one", answer);
        assert_eq!(matches!(live.lookup(&key("one")), Lookup::Present(_)), is_kept);
    }
}

#[test]
fn an_answer_after_a_new_list_counts_only_once_the_watch_brings_it() {
    let live = listed([]);
    let began = live.now(&key("one"));
    let list_anew = || [Event::Init, Event::InitDone].map(|event| live.feed(&resource(), event));
    list_anew();
    live.answered(&key("one"), config_map("one", 7, "uid-1"), began);
    assert_eq!(version_of(&live, "one"), None, "it may have been made and deleted before the list");
    live.feed(&resource(), Event::Apply(config_map("one", 7, "uid-1")));
    assert_eq!(version_of(&live, "one"), Some(7));

    let live = listed([]);
    live.feed(&resource(), Event::Init);
    written(&live, "one", config_map("one", 7, "uid-1"));
    assert_eq!(version_of(&live, "one"), Some(7), "until the list is complete");
    assert_eq!(live.feed(&resource(), Event::InitDone).len(), 1, "and whoever owns it looks again");
    assert_eq!(version_of(&live, "one"), None);
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
    written(&live, "one", answer.clone());
    assert_eq!(live.feed(&resource(), Event::Apply(answer.clone())).len(), 1);
    assert_eq!(live.feed(&resource(), Event::Apply(answer)).len(), 0, "told once");
    assert_eq!(live.feed(&resource(), Event::Apply(config_map("one", 6, "uid-1"))).len(), 1, "late");
}

#[test]
fn what_came_with_the_first_of_two_writes_is_news_when_the_second_comes_back() {
    let live = listed([config_map("one", 5, "uid-1")]);
    let mut answer = config_map("one", 7, "uid-1");
    answer.data["status"] = json!({"ready": 1});
    written(&live, "one", answer.clone());
    answer.metadata.resource_version = Some("8".into());
    written(&live, "one", answer.clone());
    assert_eq!(live.feed(&resource(), Event::Apply(answer)).len(), 1);
}

#[test]
fn what_we_wrote_and_what_is_only_listed_again_is_no_news() {
    let live = listed([config_map("one", 5, "uid-1")]);
    let touched = |event| live.feed(&resource(), event).len();
    written(&live, "two", config_map("two", 7, "uid-1"));
    assert_eq!(touched(Event::Apply(config_map("two", 7, "uid-1"))), 0, "our own write came back");
    assert_eq!(touched(Event::Apply(config_map("two", 8, "uid-1"))), 1, "somebody else's");
    live.feed(&resource(), Event::Init);
    assert_eq!(touched(Event::InitApply(config_map("one", 5, "uid-1"))), 0);
    assert_eq!(touched(Event::InitApply(config_map("two", 9, "uid-1"))), 1);
}

/// A list of one namespace.
fn list_in(live: &Live, namespace: &str, objects: impl IntoIterator<Item = DynamicObject>) -> Vec<Touched> {
    let items = objects.into_iter().map(Event::InitApply);
    let events = [Event::Init].into_iter().chain(items).chain([Event::InitDone]);
    events.flat_map(|event| live.feed_in(&resource(), Some(namespace), event)).collect()
}

fn there(object: DynamicObject) -> DynamicObject {
    DynamicObject { metadata: ObjectMeta { namespace: Some("there".into()), ..object.metadata }, ..object }
}

/// Watched in two namespaces, each of which has been listed.
fn in_two_namespaces() -> Live {
    let live = Live::new(SAMPLE);
    list_in(&live, "here", [config_map("one", 1, "uid-1")]);
    list_in(&live, "there", [there(config_map("one", 2, "uid-1"))]);
    live
}

#[test]
fn a_new_list_of_one_namespace_drops_nothing_of_another() {
    let live = in_two_namespaces();
    let gone: Vec<_> = list_in(&live, "here", []).into_iter().map(|touched| touched.key).collect();
    assert_eq!(gone, [key("one")]);
    let left: Vec<_> = live.owned_by("uid-1").into_iter().map(|(key, _)| key.namespace).collect();
    assert_eq!(left, [Some("there".to_owned())]);
}

#[test]
fn what_is_written_while_another_namespace_is_listed_stays() {
    let live = in_two_namespaces();
    live.feed_in(&resource(), Some("there"), Event::Init);
    written(&live, "new", config_map("new", 9, "uid-1"));
    live.feed_in(&resource(), Some("there"), Event::InitDone);
    assert_eq!((version_of(&live, "one"), version_of(&live, "new")), (Some(1), Some(9)));
    list_in(&live, "here", []);
    assert!(live.is_empty());
}

#[test]
fn each_namespace_is_waited_for_and_what_lies_elsewhere_is_not_watched() {
    let live = Live::new(SAMPLE);
    live.expect(&resource(), Some("here"));
    live.expect(&resource(), Some("there"));
    list_in(&live, "here", []);
    assert!(live.synced().now_or_never().is_none());
    let at = |namespace| live.lookup(&ChildKey::new(&resource(), Some(namespace), "one"));
    assert!(matches!(at("here"), Lookup::Absent));
    assert!(matches!(at("there"), Lookup::NotSynced));
    assert!(matches!(at("elsewhere"), Lookup::NotWatched));
    list_in(&live, "there", []);
    assert!(live.synced().now_or_never().is_some());
}
