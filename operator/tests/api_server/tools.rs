//! What tools of others make of live objects: kstatus, by which Flux and Helm go, and Argo CD's health by charts/argocd, both run as
//! they are, in e2e/status.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use kyb_crds::{KybTenant, RegionDeployment};
use serde_json::{Value, json};

use crate::{here::Here, installation::here};

/// Builds the checker.
fn checker(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("kyb-status-check");
    let mut build = Command::new("go");
    let status = build.args(["build", "-o"]).arg(&program).arg(".").current_dir("../e2e/status").status()?;
    ensure!(status.success(), "go build: {status}");
    Ok(program)
}

/// What kstatus and Argo CD say of an object.
fn judged(program: &Path, object: &Value) -> anyhow::Result<(String, String)> {
    let mut child = Command::new(program)
        .args(["-lua", "../charts/argocd"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no input")?.write_all(object.to_string().as_bytes())?;
    let said: Value = serde_json::from_slice(&child.wait_with_output()?.stdout)?;
    let text = |pointer: &str| said.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((text("/kstatus/status"), text("/argo/status")))
}

struct Live<'a> {
    here: &'a Here,
    tenants: Api<KybTenant>,
    program: PathBuf,
}

impl Live<'_> {
    async fn object(&self, name: &str) -> anyhow::Result<Value> {
        let mut object = serde_json::to_value(self.tenants.get(name).await?)?;
        object["apiVersion"] = "kyb.dev/v1alpha1".into();
        object["kind"] = "KybTenant".into();
        Ok(object)
    }

    /// Waits until the operator has seen the newest spec and given this reason, and looks at what the tools make of it.
    async fn is(&self, name: &str, reason: &str, kstatus: &str, argo: &str) -> anyhow::Result<Value> {
        self.here
            .until(&format!("{name} to be {reason}"), || async {
                let object = self.object(name).await?;
                let seen = object["status"]["observedGeneration"] == object["metadata"]["generation"];
                let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
                Ok(seen && ready.is_some_and(|ready| ready["reason"] == reason))
            })
            .await?;
        let object = self.object(name).await?;
        self.looks(&object, kstatus, argo)?;
        Ok(object)
    }

    fn looks(&self, object: &Value, kstatus: &str, argo: &str) -> anyhow::Result<()> {
        let said = judged(&self.program, object)?;
        ensure!(said == (kstatus.to_owned(), argo.to_owned()), "{said:?} of {object:#}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_agree_about_live_objects() -> anyhow::Result<()> {
    let here = here().await?;
    let folder = tempfile::tempdir()?;
    let program = checker(folder.path())?;
    let live = Live { here: &here, tenants: Api::all(here.client.clone()), program };
    here.region("tools-1").await?;
    here.tenant("tools-a", "tools-1", |_| ()).await?;
    live.is("tools-a", "NoReport", "InProgress", "Progressing").await?;

    here.worker_runs("tools-1").await?;
    here.report("tools-1", u64::from(u32::MAX)).await?;
    let ready = live.is("tools-a", "Ready", "Current", "Healthy").await?;
    here.installation.kubectl(&["wait", "kt/tools-a", "--for=condition=Ready", "--timeout=5s"])?;
    let mut newer = ready.clone();
    newer["metadata"]["generation"] = json!(newer["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
    live.looks(&newer, "InProgress", "Progressing")?;
    let mut unseen = ready;
    unseen.as_object_mut().context("no object")?.remove("status");
    live.looks(&unseen, "Current", "Progressing")?; // the one place where they differ; see docs/gitops.md

    let spec = |spec: Value| Patch::Merge(json!({ "spec": spec }));
    live.tenants.patch("tools-a", &PatchParams::default(), &spec(json!({"paused": true}))).await?;
    here.tenant_says("tools-a", "NamespacesReady", "Paused").await?;
    live.is("tools-a", "Ready", "Current", "Suspended").await?;
    live.tenants.patch("tools-a", &PatchParams::default(), &spec(json!({"paused": null}))).await?;
    live.is("tools-a", "Ready", "Current", "Healthy").await?;

    here.tenant("tools-b", "tools-1", |spec| spec["placement"]["residency"] = "EU".into()).await?;
    live.is("tools-b", "ResidencyMismatch", "Failed", "Degraded").await?;

    let held = Patch::Merge(json!({"metadata": {"finalizers": ["example.org/keep"]}}));
    live.tenants.patch("tools-a", &PatchParams::default(), &held).await?;
    live.tenants.delete("tools-a", &DeleteParams::default()).await?;
    live.is("tools-a", "Deleting", "Terminating", "Progressing").await?;
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    live.tenants.patch("tools-a", &PatchParams::default(), &free).await?;
    Ok(())
}

/// What a spec refers to may come a moment later, as with tools that apply everything at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_a_moment_later_is_no_failure() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-tools-2", json!({"kyb.dev/region": "tools-2"})).await?;
    let mut region = crate::here::region_deployment("tools-2");
    region["spec"]["cachePolicy"] = json!({"name": "later"});
    here.create_in::<RegionDeployment>("kyb-tools-2", region).await?;
    let message = here.region_says("kyb-tools-2", "tools-2", "Reconciling", "ReferenceNotFound").await?;
    ensure!(message.contains("CachePolicy kyb-tools-2/later does not exist"), "{message}");
    // It is one after a while.
    here.region_says("kyb-tools-2", "tools-2", "Stalled", "ReferenceNotFound").await.map(drop)
}
