//! Bad input: each a condition that says what to do, with the rest of the object reconciled.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use kyb_crds::KybTenant;
use serde_json::json;

use crate::installation::here;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_does_not_compile_stops_only_the_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-1").await?;
    let rule = |when: &str| json!({"policy": [{"name": "critical", "when": when, "then": "reject"}]});
    here.tenant("gale", "conditions-1", |spec| spec["verification"] = rule("risk.score >= 85")).await?;
    let before: ConfigMap = here.found("kyb-conditions-1", "kyb-settings-tenant-gale").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let bad = json!({"spec": {"verification": rule("risk.scor >= 85"), "contexts": [{"name": "lending"}, {"name": "trade"}]}});
    tenants.patch("gale", &PatchParams::default(), &Patch::Merge(bad)).await?;
    let message = here.tenant_says("gale", "PolicyValid", "InvalidPolicy").await?;
    assert!(message.contains("critical") && message.contains("scor"), "{message}");
    here.found::<k8s_openapi::api::core::v1::ResourceQuota>("kyb-t-gale--trade", "kyb-tenant").await?;
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-conditions-1");
    assert_eq!(
        settings.get("kyb-settings-tenant-gale").await?.data,
        before.data,
        "the last good settings stay"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_ones_own_that_is_missing_is_named() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-2").await?;
    here.tenant("hale", "conditions-2", |spec| {
        spec["apiKeys"] = json!([
            {"name": "default", "role": "ServiceAccount"},
            {"name": "own", "role": "Guest", "secretRef": {"name": "own-key", "key": "token"}},
        ]);
    })
    .await?;
    let message = here.tenant_says("hale", "KeysReady", "SecretNotFound").await?;
    assert!(message.contains("kyb-t-hale/own-key") && message.contains("`token`"), "{message}");
    here.found::<Secret>("kyb-t-hale", "kyb-key-default").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_of_one_id_are_told_apart_by_age() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("conditions-3").await?;
    here.tenant("iris", "conditions-3", |_| ()).await?;
    here.found::<Secret>("kyb-t-iris", "kyb-key-default").await?;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // ages are told in whole seconds
    let second: KybTenant = serde_json::from_value(json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "iris-again"},
        "spec": {"id": "iris", "displayName": "Acme", "plan": "starter", "placement": {"home": "conditions-3", "regions": ["conditions-3"], "residency": "US"}},
    }))?;
    Api::all(here.client.clone()).create(&PostParams::default(), &second).await?;
    let message = here.tenant_says("iris-again", "Ready", "DuplicateTenant").await?;
    assert!(message.contains("KybTenant iris "), "{message}");
    Ok(())
}
