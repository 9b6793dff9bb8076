//! A control plane with the kinds installed and the operator running in this process.

use std::{fmt::Debug, time::Duration};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        core::v1::Namespace,
        scheduling::v1::PriorityClass,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use kyb_lab::{AuditEvent, ControlPlane, Mark, Options};
use kyb_operator::config::Run;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{hints, subject::Subject};

const SYSTEM: &str = "kyb-system";
/// So long nothing is written before all is taken to be at rest.
const QUIET: Duration = Duration::from_millis(1_500);
/// So often it may not be quiet before something is taken to go on for ever: the 50 namespaces of a large tenant take minutes to end.
const PATIENCE: u32 = 400;
/// After so many quiet looks in a row what is missing does not come: a quota may forbid it.
const LONG_QUIET: u32 = 4;
/// So many requests are made at a time.
pub(crate) const AT_A_TIME: usize = 16;

/// A control plane with the kinds.
pub(crate) struct Ground {
    pub(crate) client: Client,
    plane: ControlPlane,
    operator: Option<Operator>,
    folder: tempfile::TempDir,
}

struct Operator {
    running: JoinHandle<()>,
    stop: CancellationToken,
}

impl Ground {
    /// With a running operator.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let ground = Self::without_operator().await?;
        let file = Kubeconfig::read_from(ground.plane.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        let run = Run {
            listen: ([127, 0, 0, 1], 0).into(),
            root_key_file: ground.folder.path().join("root-key"),
            namespace: SYSTEM.to_owned(),
            service_account: "kyb-operator".to_owned(),
            pod_name: "test".to_owned(),
            concurrency: 8,
            lease_seconds: 20, // a busy machine must not lose it
            namespaces: vec![],
        };
        std::fs::write(&run.root_key_file, [7; 32])?;
        let stop = CancellationToken::new();
        let running = tokio::spawn(operate(config, run, stop.clone()));
        Ok(Self { operator: Some(Operator { running, stop }), ..ground })
    }

    pub(crate) async fn without_operator() -> anyhow::Result<Self> {
        let plane = ControlPlane::start(Options::default()).await?;
        let client = plane.client().await?;
        install(&client).await?;
        Ok(Self { client, plane, operator: None, folder: tempfile::tempdir()? })
    }

    /// Ends the operator; the API server goes on.
    pub(crate) async fn stop_operator(&mut self) -> anyhow::Result<()> {
        if let Some(operator) = self.operator.take() {
            operator.stop.cancel();
            operator.running.await?;
        }
        Ok(())
    }

    /// Waits until nobody has written anything for a while, no namespace is on its way out, and workloads have their pods.
    pub(crate) async fn rest(&self) -> anyhow::Result<()> {
        let mut last = Vec::new();
        let mut quiet = 0;
        for _ in 0..PATIENCE {
            let mark = self.plane.audit_mark().await?;
            tokio::time::sleep(QUIET).await; // nothing to wait for: it is the silence itself that counts
            // A mark that was set while something was being written may stand within a line.
            let Ok(events) = self.plane.audited_since(mark).await else { continue };
            last = moving(&events);
            ensure!(self.operator.as_ref().is_none_or(|it| !it.running.is_finished()), "the operator ended");
            if !last.is_empty() || self.namespaces_end().await? {
                quiet = 0;
                continue;
            }
            quiet += 1;
            if quiet > LONG_QUIET
                || self.have_their_pods::<Deployment>().await?
                    && self.have_their_pods::<StatefulSet>().await?
            {
                return Ok(());
            }
        }
        anyhow::bail!("never at rest; the last writes: {last:#?}")
    }

    /// Whether no workload waits for Kubernetes' own controllers, which a busy machine starves.
    async fn have_their_pods<K>(&self) -> anyhow::Result<bool>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug,
    {
        let all = Api::<K>::all(self.client.clone()).list(&ListParams::default()).await?;
        let has_its_pods = |workload: K| {
            let workload = serde_json::to_value(workload)?;
            let number = |field: &str| workload.pointer(field).and_then(Value::as_i64).unwrap_or_default();
            let ready = number("/status/readyReplicas") == number("/spec/replicas");
            anyhow::Ok(ready && number("/status/observedGeneration") == number("/metadata/generation"))
        };
        all.items.into_iter().try_fold(true, |so_far, workload| Ok(has_its_pods(workload)? && so_far))
    }

    async fn namespaces_end(&self) -> anyhow::Result<bool> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let all = namespaces.list(&ListParams::default()).await?;
        Ok(all.iter().any(|namespace| namespace.metadata.deletion_timestamp.is_some()))
    }

    pub(crate) async fn mark(&self) -> anyhow::Result<Mark> {
        Ok(self.plane.audit_mark().await?)
    }

    pub(crate) async fn since(&self, mark: Mark) -> anyhow::Result<Vec<AuditEvent>> {
        Ok(self.plane.audited_since(mark).await?)
    }

    /// Has the operator look at objects again though nothing that it goes by has changed; what it then writes.
    pub(crate) async fn look_again(&self, subjects: &[&Subject]) -> anyhow::Result<Vec<String>> {
        let mark = self.mark().await?;
        let touched = stream::iter(subjects).map(|subject| subject.touch(&self.client));
        touched.buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
        self.rest().await?;
        Ok(needless_writes(&self.since(mark).await?))
    }
}

async fn operate(config: kube::Config, run: Run, stop: CancellationToken) {
    if let Err(why) = kyb_operator::run::run_in(config, &run, stop).await {
        eprintln!("the operator ended: {why:#}");
    }
}

async fn install(client: &Client) -> anyhow::Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in kyb_crds::definitions() {
        definitions.create(&PostParams::default(), &definition).await?;
    }
    for definition in kyb_crds::definitions() {
        let established = kube::runtime::conditions::is_crd_established();
        kube::runtime::wait::await_condition(definitions.clone(), &definition.name_any(), established)
            .await?;
    }
    let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": SYSTEM}}))?;
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let class: PriorityClass =
        serde_json::from_value(json!({"metadata": {"name": hints::PRIORITY_CLASS}, "value": 1}))?;
    Api::all(client.clone()).create(&PostParams::default(), &class).await.context("a PriorityClass")?;
    Ok(())
}

/// The writes that something follows from. Leases, events and the figures of autoscalers come for ever, and so does the count of
/// failures of an object that fails.
fn moving(events: &[AuditEvent]) -> Vec<String> {
    let aside = ["leases", "events", "horizontalpodautoscalers"];
    let writes = events.iter().filter(|event| event.is_write() && !aside.contains(&event.resource()));
    writes.filter(|event| !is_by_operator(event) || !is_of_a_failure(event)).map(line).collect()
}

/// What the operator wrote and need not have written.
pub(crate) fn needless_writes(events: &[AuditEvent]) -> Vec<String> {
    let writes = events.iter().filter(|event| event.is_write() && is_by_operator(event));
    writes.filter(|event| event.resource() != "leases" && !is_of_a_failure(event)).map(line).collect()
}

fn is_by_operator(event: &AuditEvent) -> bool {
    event.user_agent.starts_with("kyb-operator/")
}

/// A failing object is tried again, and its status counts how often. What is tried is refused, and changes nothing.
fn is_of_a_failure(event: &AuditEvent) -> bool {
    let failures = event.response_object.as_ref().and_then(|object| object.pointer("/status/failures"));
    let refused = event.response_status.is_some_and(|status| status.code >= 400);
    failures.is_some_and(|failures| failures.as_i64() > Some(0)) || refused || event.resource() == "events"
}

fn line(event: &AuditEvent) -> String {
    let code = event.response_status.map_or(0, |status| status.code);
    let status = event.response_object.as_ref().and_then(|object| object.get("status"));
    let said = status.filter(|_| event.request_uri.contains("/status")).map(Value::to_string);
    format!("{} {} {code} {}", event.verb, event.request_uri, said.unwrap_or_default())
}
