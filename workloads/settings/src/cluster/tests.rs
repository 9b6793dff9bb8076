use std::collections::BTreeMap;

use futures::{SinkExt, channel::mpsc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::*;
use crate::Settings;

fn config_map(file: &str, resource_version: u64, text: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("kyb-settings-{}", file.trim_end_matches(".yaml"))),
            resource_version: Some(resource_version.to_string()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([
            (file.to_owned(), text.to_owned()),
            ("notes".to_owned(), "x".to_owned()),
        ])),
        ..ConfigMap::default()
    }
}

fn tenant(id: &str, burst: u64) -> String {
    format!(
        "id: {id}\ndisplay_name: {id}\nrate_limit: {{requests_per_minute: 60, burst: {burst}}}\napi_keys: []\n"
    )
}

fn waiting() -> (Settings, Follower) {
    let (nothing, why) = nothing_received("kyb-test");
    let settings = Settings::waiting(nothing, why);
    let follower = Follower {
        shared: settings.downgrade(),
        namespace: "kyb-test".to_owned(),
        board: Board::new(BASE),
        pause: SHORTEST_PAUSE,
        build_at: None,
    };
    (settings, follower)
}

fn failure() -> watcher::Error {
    watcher::Error::NoResourceVersion
}

type Events = mpsc::Sender<watcher::Result<Event<ConfigMap>>>;

/// Settings that follow events sent by hand.
fn followed() -> (Settings, Events) {
    let (settings, follower) = waiting();
    let (events, stream) = mpsc::channel(0);
    tokio::spawn(follower.run(stream));
    (settings, events)
}

async fn send_all(events: &mut Events, all: impl IntoIterator<Item = Event<ConfigMap>>) {
    for event in all {
        events.send(Ok(event)).await.unwrap();
    }
}

fn listing() -> Vec<Event<ConfigMap>> {
    vec![
        Event::Init,
        Event::InitApply(config_map("platform.yaml", 1, "lists: []\n")),
        Event::InitApply(config_map("tenant-acme.yaml", 2, &tenant("acme", 1))),
        Event::InitDone,
    ]
}

#[tokio::test(start_paused = true)]
async fn without_settings_one_waits_and_says_for_what() {
    let (settings, mut events) = followed();
    assert!(!settings.is_loaded());
    assert!(settings.refusal().unwrap().problem.contains("waiting for ConfigMaps labelled kyb.dev/settings"));
    let changed = settings.changed();
    events.send(Err(failure())).await.unwrap();
    send_all(&mut events, [Event::Init, Event::InitDone]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!settings.is_loaded() && settings.refusal().unwrap().file == "platform.yaml");
    send_all(&mut events, listing()).await;
    changed.await;
    assert!(settings.is_loaded() && settings.refusal().is_none());
    assert_eq!((settings.current().tenants.len(), settings.current().resource_version), (1, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_changes_at_once_are_read_once_and_soon() {
    let (settings, mut follower) = waiting();
    let started = Instant::now();
    for event in listing() {
        follower.take(event);
    }
    for number in 1..=1000 {
        let file = format!("tenant-t{number}.yaml");
        follower.take(Event::Apply(config_map(&file, 10 + number, &tenant(&format!("t{number}"), 1))));
    }
    assert_eq!(follower.build_at, Some(started + GATHER), "one reading is due, and none was done");
    assert!(!settings.is_loaded());
    follower.build().await;
    assert_eq!((follower.build_at, settings.current().tenants.len()), (None, 1001));
    assert_eq!(settings.current().resource_version, Some(1010));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_never_rests_does_not_keep_changes_from_use() {
    let (settings, mut events) = followed();
    send_all(&mut events, listing()).await;
    let started = Instant::now();
    for number in 1..=100 {
        events
            .send(Ok(Event::Apply(config_map("tenant-acme.yaml", 10 + number, &tenant("acme", number)))))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert!(settings.current().resource_version > Some(90), "{:?}", settings.current().resource_version);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_away_the_last_good_settings_stay_and_pauses_grow() {
    let (settings, mut events) = followed();
    let changed = settings.changed();
    send_all(&mut events, listing()).await;
    changed.await;
    let started = Instant::now();
    for _ in 0..10 {
        // Every attempt to list again begins with `Init`, which must not shorten the pauses.
        events.send(Ok(Event::Init)).await.unwrap();
        events.send(Err(failure())).await.unwrap();
    }
    events.send(Ok(Event::Init)).await.unwrap();
    let away = started.elapsed();
    assert!(away > Duration::from_secs(20) && away < Duration::from_mins(1), "{away:?}");
    assert_eq!((settings.current().tenants.len(), settings.refusal()), (1, None));
    let changed = settings.changed();
    send_all(&mut events, listing().into_iter().skip(1)).await;
    send_all(&mut events, [Event::Apply(config_map("tenant-acme.yaml", 7, &tenant("acme", 2)))]).await;
    changed.await;
    assert_eq!(settings.current().resource_version, Some(7));
}

#[tokio::test(start_paused = true)]
async fn what_was_gathered_before_the_server_went_away_comes_into_use() {
    let (settings, mut events) = followed();
    let changed = settings.changed();
    send_all(&mut events, listing()).await;
    events.send(Err(failure())).await.unwrap();
    changed.await;
    assert!(settings.is_loaded());
}

#[tokio::test]
async fn keys_that_are_no_files_are_not_settings() {
    let map = seen(config_map("tenant-acme.yaml", 2, "x"));
    assert_eq!(map.files.keys().collect::<Vec<_>>(), ["tenant-acme.yaml"]);
    assert_eq!((map.name.as_str(), map.resource_version), ("kyb-settings-tenant-acme", 2));
}
