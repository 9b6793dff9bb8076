//! A control plane is the real thing, is there in seconds, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace, Pod, ServiceAccount},
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use kyb_lab::{ControlPlane, Options, Process};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::OnceCell;

const SOON: Duration = Duration::from_mins(1);

/// One for all tests here that leave it whole; each test has a namespace of its own.
async fn shared() -> &'static ControlPlane {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    PLANE.get_or_init(async || ControlPlane::start(Options::default()).await.unwrap()).await
}

fn typed<T: DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

async fn make_namespace(client: &Client, name: &str) {
    let namespace = typed::<Namespace>(json!({"metadata": {"name": name}}));
    Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
}

async fn make_config_map(client: &Client, namespace: &str, name: &str) -> kube::Result<ConfigMap> {
    let object = typed::<ConfigMap>(json!({"metadata": {"name": name}, "data": {"a": "b"}}));
    Api::namespaced(client.clone(), namespace).create(&PostParams::default(), &object).await
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
    }
}

/// Those that name the folder in their command line.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&folder)).collect()
}

#[tokio::test]
async fn controllers_make_service_accounts_and_pods_and_clean_up() {
    let client = shared().await.client().await.unwrap();
    make_namespace(&client, "controllers").await;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "controllers");
    until("a default service account", async || accounts.get_opt("default").await.unwrap().is_some()).await;

    let labels = json!({"app": "web"});
    let pod = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]}});
    let spec = json!({"replicas": 3, "selector": {"matchLabels": labels}, "template": pod});
    let deployment = typed::<Deployment>(json!({"metadata": {"name": "web"}, "spec": spec}));
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "controllers");
    deployments.create(&PostParams::default(), &deployment).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), "controllers");
    let number_of_pods = async || pods.list(&ListParams::default()).await.unwrap().items.len();
    until("three pods", async || number_of_pods().await == 3).await;

    deployments.delete("web", &DeleteParams::background()).await.unwrap();
    until("garbage collection", async || number_of_pods().await == 0).await;
    let namespaces: Api<Namespace> = Api::all(client);
    namespaces.delete("controllers", &DeleteParams::default()).await.unwrap();
    until("the namespace's end", async || namespaces.get_opt("controllers").await.unwrap().is_none()).await;
}

#[tokio::test]
async fn users_and_service_accounts_may_do_only_what_roles_allow() {
    let plane = shared().await;
    let admin = plane.client().await.unwrap();
    make_namespace(&admin, "roles").await;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "editors", "namespace": "roles"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [
            {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "second"},
            {"kind": "ServiceAccount", "name": "default", "namespace": "roles"},
        ],
    });
    let bindings: Api<k8s_openapi::api::rbac::v1::RoleBinding> = Api::namespaced(admin.clone(), "roles");
    bindings.create(&PostParams::default(), &typed(role)).await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), "roles");
    until("a default service account", async || accounts.get_opt("default").await.unwrap().is_some()).await;

    let member = plane.client_for("eve", &["first", "second"]).await.unwrap();
    // A new role takes effect a moment after it is written.
    until("the role", async || make_config_map(&member, "roles", "by-eve").await.is_ok()).await;
    make_config_map(&member, "default", "by-eve").await.unwrap_err();
    let stranger = plane.client_for("mallory", &["first"]).await.unwrap();
    make_config_map(&stranger, "roles", "by-mallory").await.unwrap_err();
    let account = plane.client_for_service_account("roles", "default").await.unwrap();
    make_config_map(&account, "roles", "by-account").await.unwrap();
    make_config_map(&account, "default", "by-account").await.unwrap_err();
}

#[tokio::test]
async fn the_audit_log_has_every_answered_write_with_its_body_and_who_made_it() {
    let plane = shared().await;
    let admin = plane.client().await.unwrap();
    make_namespace(&admin, "audit").await;
    let mark = plane.audit_mark().await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(admin.clone(), "audit");
    let apply = PatchParams::apply("tester");
    let wanted =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a": "b"}});
    maps.patch("mine", &apply, &Patch::Apply(&wanted)).await.unwrap();
    maps.patch("mine", &apply.clone().dry_run(), &Patch::Apply(&wanted)).await.unwrap();
    maps.get("mine").await.unwrap();
    let eve = plane.client_for("eve", &[]).await.unwrap();
    make_config_map(&eve, "audit", "refused").await.unwrap_err();

    let events = plane.audited_since(mark).await.unwrap();
    let here = events
        .iter()
        .filter(|event| event.object_ref.as_ref().is_some_and(|object| object.namespace == "audit"));
    let ours = here.filter(|event| {
        event.resource() == "configmaps" && event.username() != "system:kube-controller-manager"
    });
    let ours = ours.filter(|event| !event.username().starts_with("system:serviceaccount:kube-system:"));
    let seen: Vec<_> = ours
        .clone()
        .map(|event| (event.verb.as_str(), event.username(), event.code(), event.is_write()))
        .collect();
    assert_eq!(
        seen,
        [
            ("patch", "kubernetes-admin", 201, true),
            ("patch", "kubernetes-admin", 200, false),
            ("get", "kubernetes-admin", 200, false),
            ("create", "eve", 403, true),
        ]
    );
    let first = ours.clone().next().unwrap();
    assert_eq!(first.request_object.as_ref().unwrap()["data"], json!({"a": "b"}));
    assert!(first.request_uri.contains("fieldManager=tester"), "{}", first.request_uri);
}

#[tokio::test]
async fn two_at_once_are_strangers_to_each_other() {
    let (first, second) =
        tokio::join!(ControlPlane::start(Options::default()), ControlPlane::start(Options::default()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.url(), second.url());
    make_namespace(&first.client().await.unwrap(), "only-in-the-first").await;
    let others: Api<Namespace> = Api::all(second.client().await.unwrap());
    assert!(others.get_opt("only-in-the-first").await.unwrap().is_none());

    let folder = first.folder().to_owned();
    assert_eq!(
        processes_of(&folder).len(),
        4,
        "three components and the keeper: {:?}",
        processes_of(&folder)
    );
    drop(first);
    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
    others.list(&ListParams::default()).await.unwrap();
}

#[tokio::test]
async fn what_was_stored_outlives_a_killed_api_server_and_a_paused_store_answers_nothing() {
    let plane =
        ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await.unwrap();
    let client = plane.client().await.unwrap();
    make_config_map(&client, "default", "kept").await.unwrap();
    plane.kill(Process::ApiServer).unwrap();
    Api::<ConfigMap>::namespaced(client, "default").get("kept").await.unwrap_err();
    plane.restart(Process::ApiServer).await.unwrap();
    let client = plane.client().await.unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    maps.get("kept").await.unwrap();

    plane.pause(Process::Etcd).unwrap();
    let write = make_config_map(&client, "default", "late");
    tokio::time::timeout(Duration::from_secs(2), write).await.expect_err("nothing can be stored meanwhile");
    plane.resume(Process::Etcd).unwrap();
    until("the store's coming back", async || maps.get_opt("kept").await.is_ok_and(|found| found.is_some()))
        .await;
}

/// What the holder says before the folder of its control plane.
const FOLDER: &str = "the folder is ";

/// Started by [`holder`] as a test that dies.
#[tokio::test]
#[ignore = "waits to be killed"]
async fn hold_until_killed() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    println!("\n{FOLDER}{}", plane.folder().display());
    std::future::pending::<()>().await;
}

/// This test program once more, as a child process that has started a control plane, and its folder.
fn holder() -> (std::process::Child, PathBuf) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "hold_until_killed", "--ignored", "--nocapture"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| line.strip_prefix(FOLDER).map(PathBuf::from));
    (child, folder.unwrap())
}

#[tokio::test]
async fn a_killed_test_leaves_neither_process_nor_folder() {
    let (mut child, folder) = holder();
    assert!(processes_of(&folder).len() >= 4, "the check sees what runs: {:?}", processes_of(&folder));
    child.kill().unwrap();
    child.wait().unwrap();
    until("the processes are gone", async || processes_of(&folder).is_empty()).await;
    until("the folder is removed", async || !folder.exists()).await;
}

#[tokio::test]
async fn kubectl_of_the_same_version_is_there() {
    let plane = shared().await;
    let output = plane.kubectl().args(["version", "-o", "json"]).output().unwrap();
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(version["clientVersion"]["gitVersion"], version["serverVersion"]["gitVersion"]);
    assert_eq!(version["serverVersion"]["gitVersion"], kyb_lab::build::KUBERNETES_VERSION);
}
