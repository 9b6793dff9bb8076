//! What becomes of a KybTenant.

use k8s_openapi::api::{
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, ServiceAccount},
    networking::v1::NetworkPolicy,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use kyb_crds::KybTenant;
use serde_json::json;

use crate::installation::here;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_becomes_its_namespaces_and_what_is_in_them() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-1").await?;
    here.tenant("acme", "tenant-1", |spec| {
        spec["access"] = json!([
            {"name": "lending-team", "role": "ContextManager", "contexts": ["lending"], "subjects": [{"kind": "Group", "name": "acme-lending"}]},
            {"name": "audit", "role": "Auditor", "subjects": [{"kind": "User", "name": "eve"}]},
        ]);
        spec["egress"] = json!([{"name": "partner", "cidr": "203.0.113.0/24", "ports": [443]}]);
    })
    .await?;
    let settings: ConfigMap = here.found("kyb-tenant-1", "kyb-settings-tenant-acme").await?;
    let key: Secret = here.found("kyb-t-acme", "kyb-key-default").await?;
    let key = String::from_utf8(key.data.unwrap_or_default()["key"].0.clone())?;
    let settings = settings.data.unwrap_or_default().remove("tenant-acme.yaml").unwrap_or_default();
    let hash = kyb_settings::ApiKey::parse(&key)?.hash();
    assert!(settings.contains(&hash), "the settings know the key by its hash: {settings}");
    assert!(!settings.contains(&key), "and never by itself");

    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    for name in ["kyb-t-acme", "kyb-t-acme--lending"] {
        let labels = namespaces.get(name).await?.labels().clone();
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        assert_eq!(here.names::<ResourceQuota>(name).await?, ["kyb-tenant"]);
        assert_eq!(here.names::<LimitRange>(name).await?, ["kyb-tenant"]);
        let policies = here.names::<NetworkPolicy>(name).await?;
        assert_eq!(policies, ["kyb-allow-dns", "kyb-allow-gateways", "kyb-deny-all", "kyb-egress-partner"]);
        assert!(here.names::<ServiceAccount>(name).await?.contains(&"kyb-tenant".to_owned()));
    }
    assert_eq!(here.names::<RoleBinding>("kyb-t-acme--lending").await?, ["kyb-audit", "kyb-lending-team"]);
    assert_eq!(here.names::<RoleBinding>("kyb-t-acme").await?, ["kyb-audit", "kyb-operator"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_ready_only_when_every_gateway_uses_its_settings() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-2").await?;
    here.tenant("bolt", "tenant-2", |_| ()).await?;
    here.tenant_says("bolt", "Ready", "NoReport").await?;
    let settings: ConfigMap = here.found("kyb-tenant-2", "kyb-settings-tenant-bolt").await?;
    let written: u64 = settings.resource_version().unwrap_or_default().parse()?;
    here.report("tenant-2", written - 1).await?;
    here.tenant_says("bolt", "Ready", "SettingsPending").await?;
    here.report("tenant-2", written).await?;
    assert_eq!(here.tenant_says("bolt", "Ready", "Ready").await?, "served by tenant-2");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_namespace_is_left_alone() -> anyhow::Result<()> {
    let here = here().await?;
    here.namespace("kyb-t-cato", json!({"whose": "theirs"})).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    let before = namespaces.get("kyb-t-cato").await?.resource_version();
    here.region("tenant-3").await?;
    here.tenant("cato", "tenant-3", |_| ()).await?;
    let message = here.tenant_says("cato", "NamespacesReady", "NotOwned").await?;
    assert!(message.contains("kyb-t-cato") && message.contains("rename it or delete it"), "{message}");
    let other: Namespace = namespaces.get("kyb-t-cato--lending").await?;
    assert_eq!(other.labels()["kyb.dev/tenant"], "cato", "the rest goes on");
    assert_eq!(namespaces.get("kyb-t-cato").await?.resource_version(), before, "untouched");
    assert_eq!(here.names::<Secret>("kyb-t-cato").await?, [""; 0], "and nothing is put into it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tenant_leaves_nothing() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-4").await?;
    here.tenant("dune", "tenant-4", |_| ()).await?;
    here.found::<Secret>("kyb-t-dune", "kyb-key-default").await?;
    here.found::<ConfigMap>("kyb-tenant-4", "kyb-settings-tenant-dune").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    tenants.delete("dune", &DeleteParams::default()).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-tenant-4");
    here.until("nothing to be left", || async {
        let left = namespaces.list(&ListParams::default()).await?;
        let left = left.iter().any(|namespace| namespace.name_any().starts_with("kyb-t-dune"));
        Ok(!left && settings.get_opt("kyb-settings-tenant-dune").await?.is_none())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_waited_for() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-5").await?;
    here.tenant("echo", "tenant-5", |spec| spec["deletion"] = json!({"data": "Erase"})).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    here.until("the finalizer", || async {
        Ok(tenants.get("echo").await?.finalizers().contains(&"kyb.dev/erase".to_owned()))
    })
    .await?;
    here.found::<ConfigMap>("kyb-tenant-5", "kyb-settings-tenant-echo").await?;
    tenants.delete("echo", &DeleteParams::default()).await?;
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-tenant-5");
    here.until("the worker to be asked", || async {
        let text = settings.get("kyb-settings-tenant-echo").await?.data.unwrap_or_default();
        Ok(text["tenant-echo.yaml"].contains("erase: true")
            && text["tenant-echo.yaml"].contains("api_keys: []"))
    })
    .await?;
    let reports: Api<kyb_crds::RegionReport> = Api::namespaced(here.client.clone(), "kyb-tenant-5");
    let done = json!({"status": {"erasures": [{"tenant": "echo", "state": "Done"}]}});
    reports.patch_status("tenant-5", &PatchParams::default(), &Patch::Merge(done)).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("echo").await?.is_none()) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_is_taken_out_takes_its_namespace_with_it() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-6").await?;
    here.tenant("fern", "tenant-6", |_| ()).await?;
    here.found::<ResourceQuota>("kyb-t-fern--lending", "kyb-tenant").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let without = json!({"spec": {"contexts": null}});
    tenants.patch("fern", &PatchParams::default(), &Patch::Merge(without)).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("the namespace to go", || async {
        Ok(namespaces.get_opt("kyb-t-fern--lending").await?.is_none())
    })
    .await?;
    assert!(namespaces.get_opt("kyb-t-fern").await?.is_some());
    Ok(())
}
