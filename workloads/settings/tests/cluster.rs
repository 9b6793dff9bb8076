//! Settings from the ConfigMaps of a real API server: soon in use, good ones only, and still there when the server is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use k8s_openapi::api::{
    core::v1::{ConfigMap, Namespace, ServiceAccount},
    rbac::v1::{Role, RoleBinding},
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use kyb_lab::{ControlPlane, Options, Process};
use kyb_settings::{Settings, Snapshot, cluster::LABEL};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::OnceCell;

const SOON: Duration = Duration::from_secs(30);
/// How soon a change must be in use.
const IN_USE_WITHIN: Duration = Duration::from_secs(1);

/// One for all tests here; each has a namespace of its own. The one that breaks it has its own.
async fn shared() -> &'static ControlPlane {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    PLANE.get_or_init(async || ControlPlane::start(Options::default()).await.unwrap()).await
}

fn typed<T: DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn tenant(id: &str, burst: u32) -> String {
    format!(
        "id: {id}\ndisplay_name: {id}\nrate_limit: {{requests_per_minute: 60, burst: {burst}}}\napi_keys: []\n"
    )
}

/// A namespace with settings in it.
struct Place {
    client: Client,
    maps: Api<ConfigMap>,
    namespace: &'static str,
}

impl Place {
    async fn empty(kubernetes: &ControlPlane, namespace: &'static str) -> Self {
        let client = kubernetes.client().await.unwrap();
        let object = typed::<Namespace>(json!({"metadata": {"name": namespace}}));
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        Self { maps: Api::namespaced(client.clone(), namespace), client, namespace }
    }

    /// With a platform and one tenant, and a reader that has them in use.
    async fn watched(kubernetes: &ControlPlane, namespace: &'static str) -> (Self, Settings) {
        let place = Self::empty(kubernetes, namespace).await;
        place.put("platform.yaml", "lists: []\n").await;
        place.put("tenant-acme.yaml", &tenant("acme", 1)).await;
        let settings = Settings::watch_cluster(kubernetes.client().await.unwrap(), namespace);
        until("the first settings", &settings, |snapshot| snapshot.tenants.len() == 1).await;
        (place, settings)
    }

    /// Writes a file's ConfigMap; gives its resource version.
    async fn put(&self, file: &str, text: &str) -> u64 {
        let name = name_of(file);
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {LABEL: "test"}}, "data": {file: text},
        });
        let writer = PatchParams::apply("test").force();
        let written = self.maps.patch(&name, &writer, &Patch::Apply(map)).await.unwrap();
        written.resource_version().unwrap().parse().unwrap()
    }

    async fn delete(&self, file: &str) {
        self.maps.delete(&name_of(file), &DeleteParams::default()).await.unwrap();
    }
}

fn name_of(file: &str) -> String {
    format!("kyb-settings-{}", file.trim_end_matches(".yaml"))
}

/// Waits for settings of which something is true; gives how long it took.
async fn until(what: &str, settings: &Settings, mut is_so: impl FnMut(&Snapshot) -> bool) -> Duration {
    let started = Instant::now();
    let waiting = async {
        loop {
            let changed = settings.changed();
            if is_so(&settings.current()) {
                return;
            }
            changed.await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("not within {SOON:?}: {what}"));
    started.elapsed()
}

fn burst(snapshot: &Snapshot, id: &str) -> Option<u32> {
    snapshot.tenants.get(&id.parse().unwrap()).map(|tenant| tenant.rate_limit.burst)
}

#[tokio::test]
async fn a_change_is_in_use_within_a_second_with_its_resource_version() {
    let (place, settings) = Place::watched(shared().await, "changes").await;
    let mut slowest = Duration::ZERO;
    for number in 2..=20 {
        let version = place.put("tenant-acme.yaml", &tenant("acme", number)).await;
        let took = until("the change", &settings, |now| burst(now, "acme") == Some(number)).await;
        assert!(settings.current().resource_version >= Some(version));
        slowest = slowest.max(took);
    }
    println!("in use after {slowest:?} at most");
    assert!(slowest < IN_USE_WITHIN, "{slowest:?}");
    place.delete("tenant-acme.yaml").await;
    let took = until("the tenant is gone", &settings, |now| now.tenants.is_empty()).await;
    assert!(took < IN_USE_WITHIN, "{took:?}");
}

#[tokio::test]
async fn a_thousand_tenants_at_once_are_in_use_a_second_after_the_last() {
    let (place, settings) = Place::watched(shared().await, "burst").await;
    let put = async |number: u32| {
        let id = format!("t{number}");
        place.put(&format!("tenant-{id}.yaml"), &tenant(&id, 1)).await;
    };
    stream::iter(0..1000).for_each_concurrent(16, put).await;
    let took = until("all tenants", &settings, |now| now.tenants.len() == 1001).await;
    println!("the last of a thousand was in use after {took:?}");
    assert!(took < IN_USE_WITHIN, "{took:?}");
    assert_eq!(settings.refusals(), []);
}

#[tokio::test]
async fn a_bad_file_stalls_nobody_else_and_says_what_is_wrong() {
    let (place, settings) = Place::watched(shared().await, "bad-file").await;
    let version = place.put("tenant-acme.yaml", "id: acme\ndisplay_name: [").await;
    until("the bad file was seen", &settings, |now| now.resource_version >= Some(version)).await;
    assert_eq!(burst(&settings.current(), "acme"), Some(1), "the last good version stays");
    let refusal = settings.refusal().unwrap();
    assert!(refusal.file == "tenant-acme.yaml" && refusal.problem.contains("line "), "{refusal}");
    place.put("tenant-beta.yaml", &tenant("beta", 7)).await;
    until("the other tenant", &settings, |now| burst(now, "beta") == Some(7)).await;
    assert!(settings.refusal().is_some());
    place.put("tenant-acme.yaml", &tenant("acme", 2)).await;
    until("it is good again", &settings, |now| burst(now, "acme") == Some(2)).await;
    assert_eq!(settings.refusals(), []);
}

#[tokio::test]
async fn what_is_not_labelled_is_not_settings() {
    let (place, settings) = Place::watched(shared().await, "unlabelled").await;
    let map = json!({"metadata": {"name": "kyb-settings-tenant-eve"}, "data": {"tenant-eve.yaml": tenant("eve", 1)}});
    place.maps.create(&PostParams::default(), &typed(map)).await.unwrap();
    let version = place.put("tenant-acme.yaml", &tenant("acme", 2)).await;
    until("a later change", &settings, |now| now.resource_version >= Some(version)).await;
    assert_eq!(burst(&settings.current(), "eve"), None);
}

/// A service account that may do what a workload's may, and no more.
async fn workload(kubernetes: &ControlPlane, place: &Place, verbs: &[&str]) -> Client {
    let (namespace, name) = (place.namespace, "workload");
    let (client, post) = (&place.client, PostParams::default());
    let account = typed::<ServiceAccount>(json!({"metadata": {"name": name}}));
    Api::<ServiceAccount>::namespaced(client.clone(), namespace).create(&post, &account).await.unwrap();
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]);
    let role = typed::<Role>(json!({"metadata": {"name": name}, "rules": rules}));
    Api::<Role>::namespaced(client.clone(), namespace).create(&post, &role).await.unwrap();
    let binding = typed::<RoleBinding>(json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }));
    Api::<RoleBinding>::namespaced(client.clone(), namespace).create(&post, &binding).await.unwrap();
    kubernetes.client_for_service_account(namespace, name).await.unwrap()
}

#[tokio::test]
async fn a_workload_needs_to_list_and_watch_and_nothing_else() {
    let kubernetes = shared().await;
    let place = Place::empty(kubernetes, "rights").await;
    let client = workload(kubernetes, &place, &["list", "watch"]).await;
    let settings = Settings::watch_cluster(client, place.namespace);
    assert!(!settings.is_loaded(), "there are none yet, and that is no reason to end");
    place.put("tenant-acme.yaml", &tenant("acme", 1)).await;
    let why = async || settings.refusal().map(|refusal| refusal.to_string()).unwrap_or_default();
    let deadline = Instant::now() + SOON;
    while why().await != "platform.yaml: is missing; write at least `lists: []` into it" {
        assert!(Instant::now() < deadline, "{}", why().await);
        tokio::time::sleep(Duration::from_millis(20)).await; // a refusal of the whole set is no change to wait for
    }
    place.put("platform.yaml", "lists: []\n").await;
    tokio::time::timeout(SOON, settings.loaded()).await.unwrap();
    assert_eq!(burst(&settings.current(), "acme"), Some(1));
}

#[tokio::test]
async fn a_workload_without_the_right_waits_and_says_so() {
    let kubernetes = shared().await;
    let place = Place::empty(kubernetes, "no-rights").await;
    let client = workload(kubernetes, &place, &["list"]).await;
    place.put("platform.yaml", "lists: []\n").await;
    let listed_only = Settings::watch_cluster(client, place.namespace);
    tokio::time::timeout(SOON, listed_only.loaded()).await.unwrap();
    let nobody = kubernetes.client_for("eve", &[]).await.unwrap();
    let settings = Settings::watch_cluster(nobody, place.namespace);
    let deadline = Instant::now() + SOON;
    while !settings.refusal().unwrap().problem.contains("forbidden") {
        assert!(Instant::now() < deadline, "{:?}", settings.refusal());
        tokio::time::sleep(Duration::from_millis(20)).await; // as above
    }
    assert!(!settings.is_loaded());
}

#[tokio::test]
async fn while_the_api_server_is_down_the_last_good_settings_stay_and_afterwards_changes_are_seen_again() {
    let kubernetes =
        ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
    let (place, settings) = Place::watched(&kubernetes, "outage").await;
    for number in 2..=3 {
        let before: Arc<Snapshot> = settings.current();
        kubernetes.kill(Process::ApiServer).unwrap();
        assert!(place.maps.list(&kube::api::ListParams::default()).await.is_err(), "it is down");
        assert!(
            Arc::ptr_eq(&before, &settings.current()) && settings.refusal().is_none() && settings.is_loaded()
        );
        kubernetes.restart(Process::ApiServer).await.unwrap();
        place.put("tenant-acme.yaml", &tenant("acme", number)).await;
        let took =
            until("the change after the outage", &settings, |now| burst(now, "acme") == Some(number)).await;
        println!("in use {took:?} after the write");
        assert!(
            took < Duration::from_secs(10),
            "the longest pause is 5 s, and two attempts may fail: {took:?}"
        );
    }
}
