//! The plugin `kubectl kyb`, as a person uses it.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, ensure};
use kube::Api;
use kyb_crds::KybTenant;
use serde_json::Value;

use crate::{here::Here, installation::here};

fn run(here: &Here, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kyb"));
    command.args(arguments).env("KUBECONFIG", here.installation.plane.kubeconfig()).stdin(Stdio::null());
    Ok(command.output()?)
}

/// What it printed; what it complained of, where it failed.
fn said(here: &Here, arguments: &[&str]) -> anyhow::Result<String> {
    let output = run(here, arguments)?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_what_is_there_and_why_it_is_not_ready() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("plugin-1").await?;
    here.tenant("plugin-a", "plugin-1", |spec| {
        spec["rateLimit"] = serde_json::json!({"requestsPerMinute": 77, "burst": 7});
    })
    .await?;
    here.tenant_says("plugin-a", "Ready", "NoReport").await?;

    let status: Value = serde_json::from_str(&said(&here, &["status", "-o", "json"])?)?;
    let rows = status["objects"].as_array().context("no objects")?;
    let tenant = rows.iter().find(|row| row["name"] == "plugin-a").context("no tenant")?;
    ensure!(
        tenant["ready"] == "False" && tenant["reason"] == "NoReport" && tenant["since"].is_string(),
        "{tenant}"
    );
    let text = said(&here, &["status"])?;
    ensure!(text.lines().any(|line| line.starts_with("KybTenant plugin-a: NoReport: ")), "{text}");

    let tree = said(&here, &["tree", "kt", "plugin-a"])?;
    for line in ["├─ Namespace kyb-t-plugin-a: active", "Secret kyb-t-plugin-a/kyb-key-default: is there"]
    {
        ensure!(tree.contains(line), "no {line} in {tree}");
    }
    let tree = said(&here, &["tree", "rd", "plugin-1"])?;
    ensure!(tree.contains("StatefulSet kyb-plugin-1/kyb-postgres: 0 of 1 ready !"), "{tree}");
    ensure!(tree.contains("─ Pod kyb-postgres-0: pending !"), "{tree}");

    let explained = said(&here, &["explain", "plugin-a"])?;
    for line in [
        "77 a minute, 7 at once",
        "requests.cpu 50",
        "lives in US, written in plugin-1",
        "in Secret kyb-t-plugin-a/kyb-key-default",
    ] {
        ensure!(explained.contains(line), "no {line} in {explained}");
    }
    let missing = run(&here, &["explain", "nobody"])?;
    let complaint = String::from_utf8_lossy(&missing.stderr);
    ensure!(
        missing.status.code() == Some(1) && complaint.contains("there is no KybTenant nobody"),
        "{complaint}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pauses_resumes_and_changes_keys() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("plugin-2").await?;
    here.tenant("plugin-b", "plugin-2", |_| ()).await?;
    here.tenant_says("plugin-b", "Ready", "NoReport").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());

    said(&here, &["pause", "kybtenant", "plugin-b"])?;
    here.tenant_says("plugin-b", "NamespacesReady", "Paused").await?;
    said(&here, &["resume", "kt", "plugin-b"])?;
    here.tenant_says("plugin-b", "NamespacesReady", "Ready").await?;
    ensure!(tenants.get("plugin-b").await?.spec.paused.is_none(), "nothing is left of a pause");

    let key = async || anyhow::Ok(tenants.get("plugin-b").await?.status.unwrap_or_default().keys);
    let first = key().await?.first().and_then(|key| key.key_id.clone());
    said(&here, &["keys", "rotate", "plugin-b", "--overlap", "2h"])?;
    here.until("the new key", || async {
        let keys = key().await?;
        let new = keys.first().context("no key")?;
        Ok(new.key_id != first && new.generation == Some(2) && new.previous_until.is_some())
    })
    .await?;
    said(&here, &["keys", "revoke", "plugin-b"])?;
    here.until("no key", || async { Ok(key().await?.is_empty()) }).await?;
    let again = run(&here, &["keys", "revoke", "plugin-b"])?;
    ensure!(String::from_utf8_lossy(&again.stderr).contains("has no key default"), "{again:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_missing() -> anyhow::Result<()> {
    let here = here().await?;
    let output = run(&here, &["doctor", "-o", "json"])?;
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let verdicts = |check: &str| -> Vec<&str> {
        let of = findings.iter().filter(|finding| finding["check"] == *check);
        of.filter_map(|finding| finding["verdict"].as_str()).collect()
    };
    ensure!(verdicts("kinds") == ["good"; 4], "{findings:#?}");
    ensure!(verdicts("protection") == ["good"] && verdicts("webhooks") == ["good"], "{findings:#?}");
    ensure!(verdicts("lease and clock") == ["good"] && verdicts("your rights") == ["good"], "{findings:#?}");
    // The chart's Deployment has no pod here: no node runs any.
    ensure!(verdicts("operator") == ["bad"] && output.status.code() == Some(1), "{findings:#?}");
    let elsewhere = run(&here, &["doctor", "--operator-namespace", "default", "-o", "json"])?;
    let elsewhere = String::from_utf8_lossy(&elsewhere.stdout);
    ensure!(elsewhere.contains("install the chart kyb-operator"), "{elsewhere}");
    Ok(())
}

#[test]
fn a_cluster_that_is_not_there_is_said_and_completions_need_none() -> anyhow::Result<()> {
    let plugin = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kyb"));
        command
            .env("KUBECONFIG", "/nonexistent")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env("HOME", Path::new("/nonexistent"));
        command
    };
    let output = plugin().args(["status", "--context", "nowhere"]).output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1) && complaint.contains("can't find the cluster nowhere"),
        "{complaint}"
    );
    for shell in ["bash", "zsh", "fish"] {
        let output = plugin().args(["completions", shell]).output()?;
        ensure!(String::from_utf8_lossy(&output.stdout).contains("kubectl-kyb"), "{shell}");
    }
    Ok(())
}
