//! What becomes of a KybTenant.

use k8s_openapi::api::{
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, ServiceAccount},
    networking::v1::NetworkPolicy,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use kyb_crds::KybTenant;
use serde_json::json;

use crate::installation::here;

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_becomes_its_namespaces_and_what_is_in_them() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-1").await?;
    here.tenant("ajax", "tenant-1", |spec| {
        spec["access"] = json!([
            {"name": "lending-team", "role": "ContextManager", "contexts": ["lending"], "subjects": [{"kind": "Group", "name": "acme-lending"}]},
            {"name": "audit", "role": "Auditor", "subjects": [{"kind": "User", "name": "eve"}]},
        ]);
        spec["egress"] = json!([{"name": "partner", "cidr": "203.0.113.0/24", "ports": [443]}]);
    })
    .await?;
    let settings: ConfigMap = here.found("kyb-tenant-1", "kyb-settings-tenant-ajax").await?;
    let key: Secret = here.found("kyb-t-ajax", "kyb-key-default").await?;
    let key = String::from_utf8(key.data.unwrap_or_default()["key"].0.clone())?;
    let settings = settings.data.unwrap_or_default().remove("tenant-ajax.yaml").unwrap_or_default();
    let hash = kyb_settings::ApiKey::parse(&key)?.hash();
    assert!(settings.contains(&hash), "the settings know the key by its hash: {settings}");
    assert!(!settings.contains(&key), "and never by itself");

    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    for name in ["kyb-t-ajax", "kyb-t-ajax--lending"] {
        let labels = namespaces.get(name).await?.labels().clone();
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        assert_eq!(here.names::<ResourceQuota>(name).await?, ["kyb-tenant"]);
        assert_eq!(here.names::<LimitRange>(name).await?, ["kyb-tenant"]);
        let policies = here.names::<NetworkPolicy>(name).await?;
        assert_eq!(policies, ["kyb-allow-dns", "kyb-allow-gateways", "kyb-deny-all", "kyb-egress-partner"]);
        assert!(here.names::<ServiceAccount>(name).await?.contains(&"kyb-tenant".to_owned()));
    }
    assert_eq!(
        here.names::<RoleBinding>("kyb-t-ajax--lending").await?,
        ["kyb-audit-auditor", "kyb-lending-team-context-manager"]
    );
    assert_eq!(here.names::<RoleBinding>("kyb-t-ajax").await?, ["kyb-audit-auditor", "kyb-operator"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_takes_the_place_of_the_one_before() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-8").await?;
    let access =
        |role: &str| json!([{"name": "audit", "role": role, "subjects": [{"kind": "User", "name": "eve"}]}]);
    here.tenant("brio", "tenant-8", |spec| spec["access"] = access("SystemAdmin")).await?;
    let bound_to = async |roles: [&str; 2]| {
        here.until(&format!("{roles:?}"), || async {
            Ok(here.names::<RoleBinding>("kyb-t-brio").await? == roles)
        })
        .await
    };
    bound_to(["kyb-audit-system-admin", "kyb-operator"]).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let less = Patch::Merge(json!({"spec": {"access": access("Guest")}}));
    tenants.patch("brio", &PatchParams::default(), &less).await?;
    bound_to(["kyb-audit-guest", "kyb-operator"]).await?;
    here.tenant_says("brio", "AccessReady", "Ready").await?;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_is_taken_out_when_its_overlap_ends() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("tenant-7").await?;
    here.tenant("hera", "tenant-7", |_| ()).await?;
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-tenant-7");
    let accepted = async |keys: usize| {
        here.until(&format!("{keys} keys to be accepted"), || async {
            let map = settings.get_opt("kyb-settings-tenant-hera").await?;
            let text: String = map.and_then(|map| map.data).unwrap_or_default().into_values().collect();
            Ok(text.matches("hash:").count() == keys)
        })
        .await
    };
    accepted(1).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let key = json!({"name": "default", "role": "ServiceAccount", "generation": 2, "overlap": "3s"});
    let rotated = Patch::Merge(json!({"spec": {"apiKeys": [key]}}));
    tenants.patch("hera", &PatchParams::default(), &rotated).await?;
    accepted(2).await?;
    accepted(1).await // though nothing changes any more that the operator could be told of
}
