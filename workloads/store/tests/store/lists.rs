//! Watchlist versions: stored whole, activated at once, noticed by everybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{Database, now, tenant};
use kyb_domain::list::{ListFormat, ListId, ListVersion, PublishedBy};
use kyb_store::{Store, lists::StoredFile};
use serde_json::json;

fn list() -> ListId {
    "ofac-sdn".try_into().unwrap()
}

fn version(number: u32) -> ListVersion {
    ListVersion {
        list: list(),
        format: ListFormat::OfacCsv,
        published: chrono::NaiveDate::from_ymd_opt(2019, 6, 1 + number % 28).unwrap(),
        published_by: PublishedBy::HttpHeader,
        sha256: format!("{number:064x}"),
        entries: number,
    }
}

fn files(number: u32) -> Vec<StoredFile> {
    ["add.csv", "sdn.csv"]
        .map(|name| StoredFile {
            name: name.to_owned(),
            bytes: format!("{name} {number}\u{0}").repeat(1000).into_bytes(),
        })
        .into()
}

async fn activate(store: &Store, number: u32) {
    store
        .activate_list(&version(number), &files(number), Some(&json!({ "etag": number })), now())
        .await
        .unwrap();
}

#[tokio::test]
async fn files_come_back_as_they_were_and_are_kept_compressed() {
    let database = Database::fresh().await;
    let store = database.store();
    activate(&store, 1).await;
    assert_eq!(store.list_files(&list(), &version(1).sha256).await.unwrap(), Some(files(1)));
    assert_eq!(store.list_files(&list(), &version(2).sha256).await.unwrap(), None);
    let stored: i64 = sqlx::query_scalar("SELECT sum(octet_length(content)) FROM kyb.list_files")
        .fetch_one(&mut database.superuser().await)
        .await
        .unwrap();
    assert!(stored < 1000, "{stored} bytes for 20,000 of repeated text");
}

#[tokio::test]
async fn the_row_says_what_is_active_and_how_the_last_check_went() {
    let database = Database::fresh().await;
    let store = database.store();
    assert!(store.list_rows().await.unwrap().is_empty());
    store.list_failed(&list(), "the server answered 500", now()).await.unwrap();
    let row = store.list_rows().await.unwrap().remove(0);
    assert_eq!(
        (row.active, row.checked_at, row.last_error.as_deref()),
        (None, None, Some("the server answered 500"))
    );

    let checked = now();
    store.activate_list(&version(1), &files(1), Some(&json!({ "etag": "x" })), checked).await.unwrap();
    let row = store.list_rows().await.unwrap().remove(0);
    assert_eq!((row.active, row.checked_at, row.last_error), (Some(version(1)), Some(checked), None));
    assert_eq!(row.validators, Some(json!({ "etag": "x" })));

    store.list_failed(&list(), "30 % smaller", now()).await.unwrap();
    let row = store.list_rows().await.unwrap().remove(0);
    assert_eq!(
        (row.active, row.checked_at),
        (Some(version(1)), Some(checked)),
        "the last good version stays"
    );
    assert_eq!(row.last_error.as_deref(), Some("30 % smaller"));

    let later = now();
    store.list_unchanged(&list(), later).await.unwrap();
    let row = store.list_rows().await.unwrap().remove(0);
    assert_eq!((row.checked_at, row.last_error), (Some(later), None));
}

#[tokio::test]
async fn the_revision_grows_with_every_change_and_only_then() {
    let database = Database::fresh().await;
    let store = database.store();
    let mut before = store.lists_revision().await.unwrap();
    store.list_rows().await.unwrap();
    assert_eq!(store.lists_revision().await.unwrap(), before);
    for change in 0..3 {
        match change {
            0 => activate(&store, 1).await,
            1 => store.list_unchanged(&list(), now()).await.unwrap(),
            _ => store.list_failed(&list(), "why", now()).await.unwrap(),
        }
        let after = store.lists_revision().await.unwrap();
        assert!(after > before, "change {change}");
        before = after;
    }
}

#[tokio::test]
async fn the_same_content_again_is_no_new_version() {
    let database = Database::fresh().await;
    let store = database.store();
    activate(&store, 1).await;
    let republished =
        ListVersion { published: chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(), ..version(1) };
    store.activate_list(&republished, &files(1), None, now()).await.unwrap();
    assert_eq!(store.list_rows().await.unwrap()[0].active, Some(version(1)));
    let versions: i64 = sqlx::query_scalar("SELECT count(*) FROM kyb.list_versions")
        .fetch_one(&mut database.superuser().await)
        .await
        .unwrap();
    assert_eq!(versions, 1);
}

#[tokio::test]
async fn the_files_of_the_newest_five_versions_are_kept() {
    let database = Database::fresh().await;
    let store = database.store();
    for number in 1..=7 {
        activate(&store, number).await;
    }
    for number in 1..=7 {
        let kept = store.list_files(&list(), &version(number).sha256).await.unwrap().is_some();
        assert_eq!(kept, number > 2, "version {number}");
    }
    activate(&store, 1).await;
    assert_eq!(
        store.list_files(&list(), &version(1).sha256).await.unwrap(),
        Some(files(1)),
        "an old one may come back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_during_activations_finds_the_active_versions_files() {
    let database = Database::fresh().await;
    let store = database.store();
    activate(&store, 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, over) = (store.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let mut number = 1;
            while number < 40 || !over.load(Ordering::Relaxed) {
                number += 1;
                activate(&store, number).await;
            }
            number
        })
    };
    let mut reads = 0;
    while !writer.is_finished() {
        let active = store.list_rows().await.unwrap().remove(0).active.unwrap();
        // Four further activations in between would drop the files; then the row has moved on too.
        if let Some(found) = store.list_files(&list(), &active.sha256).await.unwrap() {
            assert_eq!(found, files(active.entries));
            reads += 1;
            over.store(reads > 10, Ordering::Relaxed);
        }
    }
    let last = writer.await.unwrap();
    assert!(reads > 10, "{reads}");
    assert_eq!(store.list_rows().await.unwrap()[0].active, Some(version(last)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_wakes_those_who_wait_long_before_the_limit() {
    let database = Database::fresh().await;
    let (writer, reader) = (database.store(), database.store());
    let limit = Duration::from_mins(1);
    reader.lists_changed(limit).await; // the first call listens, and says so at once: something may have been missed
    let waiting = {
        let reader = reader.clone();
        tokio::spawn(async move { reader.lists_changed(limit).await })
    };
    let began = Instant::now();
    activate(&writer, 1).await;
    waiting.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());

    // A change while nobody waits is told to the next who does.
    reader.lists_changed(limit).await;
    activate(&writer, 2).await;
    reader.lists_changed(limit).await;
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_a_change_the_wait_ends_at_its_limit() {
    let database = Database::fresh().await;
    let store = database.store();
    store.lists_changed(Duration::from_mins(1)).await;
    let began = Instant::now();
    store.lists_changed(Duration::from_millis(200)).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    // Not a tenant's data: no tenant is needed or changed.
    assert!(store.tenant(&tenant("acme")).audit_events(0, 1).await.unwrap().is_empty());
}
