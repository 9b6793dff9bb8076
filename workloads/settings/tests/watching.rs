//! A running workload sees changes of its folder soon, and bad ones never.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, Instant},
};

use chrono::Utc;
use kyb_domain::tenant::KeyId;
use kyb_settings::{ApiKey, KeyError, Settings};

/// How often callers look, and how soon a revoked key must be refused.
const INTERVAL: Duration = Duration::from_millis(500);
const AT_MOST: Duration = Duration::from_secs(2);

fn key(id: &str) -> ApiKey {
    ApiKey::generate("test", &KeyId::try_from(id).unwrap())
}

fn tenant(keys: &[&ApiKey]) -> String {
    let line = |key: &&ApiKey| format!("  - {{id: {}, role: Guest, hash: '{}'}}\n", key.id(), key.hash());
    let keys: String = keys.iter().map(line).collect();
    format!("id: acme\ndisplay_name: Acme\nrate_limit: {{requests_per_minute: 60, burst: 5}}\napi_keys:\n{keys}  []\n")
        .replace(if keys.is_empty() { "\u{0}" } else { "  []\n" }, "")
}

fn write(folder: &Path, keys: &[&ApiKey]) {
    fs::write(folder.join("platform.yaml"), "lists: []\n").unwrap();
    fs::write(folder.join("tenant-acme.yaml"), tenant(keys)).unwrap();
}

fn accepts(settings: &Settings, key: &ApiKey) -> bool {
    settings.current().authenticate(key.reveal(), Utc::now()).is_ok()
}

/// Waits until `holds`, at most [`AT_MOST`]; gives how long it took.
async fn soon(what: &str, holds: impl Fn() -> bool) -> Duration {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < AT_MOST, "not within {AT_MOST:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    started.elapsed()
}

#[tokio::test]
async fn a_revoked_key_stops_within_two_seconds_and_its_neighbour_goes_on() {
    let (stays, goes) = (key("stays"), key("goes"));
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[&stays, &goes]);
    let settings = Settings::watch(folder.path(), INTERVAL).unwrap();
    assert!(accepts(&settings, &stays) && accepts(&settings, &goes));
    write(folder.path(), &[&stays]);
    let took = soon("the revoked key is refused", || !accepts(&settings, &goes)).await;
    println!("a revoked key was refused after {took:?}");
    assert!(accepts(&settings, &stays));
    assert_eq!(settings.current().authenticate(goes.reveal(), Utc::now()).unwrap_err(), KeyError::Refused);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_but_the_refusal_and_a_good_one_ends_it() {
    let key = key("key1");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[&key]);
    let settings = Settings::watch(folder.path(), INTERVAL).unwrap();
    let good = settings.current().version.clone();
    let file = folder.path().join("tenant-acme.yaml");
    fs::write(&file, "id: acme\ndisplay_name: [").unwrap();
    soon("the half-written file is refused", || settings.refusal().is_some()).await;
    let refusal = settings.refusal().unwrap();
    assert_eq!(refusal.file, "tenant-acme.yaml");
    assert!(refusal.problem.contains("line "), "{refusal}");
    assert!(accepts(&settings, &key));
    assert_eq!(settings.current().version, good);
    write(folder.path(), &[&key]);
    soon("the refusal goes", || settings.refusal().is_none()).await;
    assert_eq!(settings.current().version, good);
}

#[tokio::test]
async fn a_folder_that_goes_away_and_comes_back_locks_nobody_out() {
    let key = key("key1");
    let outer = tempfile::tempdir().unwrap();
    let (folder, away) = (outer.path().join("settings"), outer.path().join("away"));
    fs::create_dir(&folder).unwrap();
    write(&folder, &[&key]);
    let settings = Settings::watch(&folder, INTERVAL).unwrap();
    fs::rename(&folder, &away).unwrap();
    soon("the missing folder is reported", || settings.refusal().is_some()).await;
    assert!(accepts(&settings, &key));
    fs::rename(&away, &folder).unwrap();
    soon("the refusal goes", || settings.refusal().is_none()).await;
}

/// Lays files out as a kubelet does for a mounted ConfigMap: visible links lead through `..data`, a link to a folder
/// named for its time, which is exchanged by one rename.
fn mount(folder: &Path, generation: &str, keys: &[&ApiKey]) {
    let data = folder.join(format!("..2026_01_01_{generation}"));
    fs::create_dir(&data).unwrap();
    write(&data, keys);
    symlink(data.file_name().unwrap(), folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    for name in ["platform.yaml", "tenant-acme.yaml"] {
        let link = folder.join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
}

#[tokio::test]
async fn a_swapped_mount_is_noticed() {
    let (old, new) = (key("old1"), key("new1"));
    let folder = tempfile::tempdir().unwrap();
    mount(folder.path(), "1", &[&old]);
    let settings = Settings::watch(folder.path(), INTERVAL).unwrap();
    assert!(accepts(&settings, &old));
    let changed = settings.changed();
    mount(folder.path(), "2", &[&new]);
    tokio::time::timeout(AT_MOST, changed).await.unwrap();
    assert!(accepts(&settings, &new) && !accepts(&settings, &old));
    assert_eq!(settings.refusal(), None);
}

#[tokio::test]
async fn a_new_and_a_removed_tenant_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[]);
    let settings = Settings::watch(folder.path(), INTERVAL).unwrap();
    let beta = tenant(&[]).replace("acme", "beta");
    fs::write(folder.path().join("tenant-beta.yaml"), beta).unwrap();
    soon("the new tenant is there", || settings.current().tenants.len() == 2).await;
    fs::remove_file(folder.path().join("tenant-acme.yaml")).unwrap();
    soon("the removed tenant is gone", || settings.current().tenants.len() == 1).await;
}
