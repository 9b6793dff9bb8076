//! What processes say of themselves is there for a minute and no longer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::support::{Database, eventually};
use kyb_store::heartbeats::{CacheLookups, Component, Heartbeat, RefusedFile};
use tokio::sync::{Notify, oneshot};

fn heartbeat(pod: &str, resource_version: u64) -> Heartbeat {
    Heartbeat {
        pod: pod.to_owned(),
        component: Component::Gateway,
        version: "0.1.0".to_owned(),
        resource_version: Some(resource_version),
        refused: vec![RefusedFile { file: "tenant-a.yaml".to_owned(), problem: "x".to_owned() }],
        caches: vec![CacheLookups { class: "sanctions".to_owned(), hits: 3, all: 4 }],
    }
}

#[tokio::test]
async fn the_newest_heartbeat_of_every_pod_is_read_back_as_it_was_given() {
    let database = Database::fresh().await;
    let store = database.store();
    let worker = Heartbeat {
        component: Component::Worker,
        resource_version: None,
        refused: vec![],
        ..heartbeat("b", 0)
    };
    for beat in [heartbeat("a", 1), worker.clone(), heartbeat("a", u64::from(u32::MAX) + 7)] {
        store.beat(&beat).await.unwrap();
    }
    assert_eq!(store.heartbeats().await.unwrap(), [heartbeat("a", u64::from(u32::MAX) + 7), worker]);
    store.end_heartbeat("a").await.unwrap();
    assert_eq!(store.heartbeats().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_pod_that_said_nothing_for_a_minute_is_not_there_and_the_next_heartbeat_removes_it() {
    let database = Database::fresh().await;
    let store = database.store();
    for pod in ["gone", "here"] {
        store.beat(&heartbeat(pod, 1)).await.unwrap();
    }
    let mut superuser = database.superuser().await;
    let age =
        "UPDATE kyb.workload_heartbeats SET seen_at = seen_at - interval '61 seconds' WHERE pod = 'gone'";
    sqlx::query(age).execute(&mut superuser).await.unwrap();
    let pods: Vec<String> = store.heartbeats().await.unwrap().into_iter().map(|beat| beat.pod).collect();
    assert_eq!(pods, ["here"]);
    let rows = "SELECT count(*) FROM kyb.workload_heartbeats";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&mut superuser).await.unwrap(), 2);
    store.beat(&heartbeat("here", 2)).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&mut superuser).await.unwrap(), 1);
}

#[tokio::test]
async fn a_change_is_said_at_once_and_a_stop_takes_the_heartbeat_back() {
    let database = Database::fresh().await;
    let store = database.store();
    let (version, changed) = (Arc::new(AtomicU64::new(1)), Arc::new(Notify::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let beating = {
        let (version, changed) = (Arc::clone(&version), Arc::clone(&changed));
        let state = move || heartbeat("a", version.load(Ordering::SeqCst));
        let change = move || Arc::clone(&changed).notified_owned();
        tokio::spawn(store.clone().keep_beating(state, change, async { drop(stopped.await) }))
    };
    let said = async || store.heartbeats().await.unwrap().first().and_then(|beat| beat.resource_version);
    eventually("the first heartbeat", || async { said().await == Some(1) }).await;
    version.store(2, Ordering::SeqCst);
    changed.notify_one();
    let told = tokio::time::Instant::now();
    eventually("the second heartbeat", || async { said().await == Some(2) }).await;
    assert!(
        told.elapsed() < Duration::from_millis(1_500),
        "{:?}: it did not wait for its turn",
        told.elapsed()
    );
    stop.send(()).unwrap();
    beating.await.unwrap();
    assert_eq!(store.heartbeats().await.unwrap(), []);
}
