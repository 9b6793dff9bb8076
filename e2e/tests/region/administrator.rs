//! What an administrator can get wrong, seen by the condition that names it; and that it is well again once it is mended.

use anyhow::ensure;
use kyb_e2e::demo::{Demo, NAMESPACE, condition_of};
use serde_json::json;

const REGION: &str = "rd/us-east-1";

pub(crate) fn asks_for_an_image_that_is_not_there(demo: &Demo) -> anyhow::Result<()> {
    demo.patch(REGION, &json!({"spec": {"version": "9.9.9"}}))?;
    let ready = demo.until_condition(REGION, "Ready", "ImagePullFailed")?;
    ensure!(ready.message.contains("kyb-") && ready.message.contains(":9.9.9"), "{ready:?}");
    gateways_serve(demo)?;
    demo.patch(REGION, &json!({"spec": {"version": "0.1.0"}}))?;
    demo.until_condition(REGION, "Ready", "Ready").map(|_| ())
}

pub(crate) fn sets_a_quota_that_is_too_small(demo: &Demo) -> anyhow::Result<()> {
    let pods = demo.kubectl(&[
        "-n",
        NAMESPACE,
        "get",
        "pods",
        "-o",
        "name",
        "--field-selector=status.phase=Running",
    ])?;
    let quota = format!("--hard=pods={}", pods.lines().count());
    demo.kubectl(&["-n", NAMESPACE, "create", "quota", "small", &quota])?;
    let limit = |memory: &str| json!({"spec": {"services": {"gateway": {"resources": {"limits": {"memory": memory}}}}}});
    demo.patch(REGION, &limit("500Mi"))?;
    let ready = demo.until_condition(REGION, "GatewayReady", "QuotaExceeded")?;
    ensure!(ready.message.contains("small") && ready.message.contains("raise the quota"), "{ready:?}");
    gateways_serve(demo)?;
    demo.kubectl(&["-n", NAMESPACE, "delete", "quota", "small"])?;
    demo.patch(REGION, &limit("512Mi"))?;
    demo.until_condition(REGION, "Ready", "Ready").map(|_| ())
}

const SECOND_REGION: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: kyb-us-west-2
  labels: {kyb.dev/region: us-west-2}
---
apiVersion: v1
kind: Secret
metadata: {name: database, namespace: kyb-us-west-2}
stringData:
  migrator: postgres://kyb_migrator:not-a-secret@127.0.0.1:1/kyb
  runtime: postgres://kyb_runtime:not-a-secret@127.0.0.1:1/kyb
  reader: postgres://kyb_reader:not-a-secret@127.0.0.1:1/kyb
---
apiVersion: kyb.dev/v1alpha1
kind: RegionDeployment
metadata: {name: us-west-2, namespace: kyb-us-west-2}
spec:
  region: us-west-2
  residency: US
  environment: development
  version: 0.1.0
  database:
    external:
      migrator: {name: database, key: migrator}
      runtime: {name: database, key: runtime}
      reader: {name: database, key: reader}
";

pub(crate) fn names_a_database_that_is_not_there(demo: &Demo) -> anyhow::Result<()> {
    demo.apply(SECOND_REGION)?;
    let condition = demo.until(|| {
        let object = demo.kubectl(&["-n", "kyb-us-west-2", "get", "rd", "us-west-2", "-o", "json"])?;
        let found = condition_of(&serde_json::from_str(&object)?, "DatabaseReady")?;
        ensure!(found.reason == "DatabaseUnreachable", "{found:?}");
        Ok(found)
    })?;
    ensure!(!condition.message.contains("not-a-secret"), "{condition:?}");
    // The rest is there; what needs the database waits.
    demo.kubectl(&[
        "-n",
        "kyb-us-west-2",
        "get",
        "serviceaccount/kyb-gateway",
        "configmap/kyb-settings-platform",
    ])?;
    let policies = demo.kubectl(&["-n", "kyb-us-west-2", "get", "networkpolicies", "-o", "name"])?;
    ensure!(policies.lines().count() >= 3, "{policies}");
    ensure!(demo.condition(REGION, "Ready")?.status == "True", "the other region goes on");
    demo.kubectl(&["delete", "namespace", "kyb-us-west-2"])?;
    demo.until_condition("kybtenant/acme", "Ready", "Ready").map(|_| ())
}

fn gateways_serve(demo: &Demo) -> anyhow::Result<()> {
    let gateway = demo.get("deployment/kyb-gateway")?;
    let ready = gateway["status"]["readyReplicas"].as_i64().unwrap_or_default();
    ensure!(ready >= 1, "{gateway:#}");
    Ok(())
}
