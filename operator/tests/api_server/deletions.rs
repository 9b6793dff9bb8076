//! What becomes of objects that are deleted, and what they say while something holds them.

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Namespace, Secret},
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment};
use serde_json::{Value, json};

use crate::{
    here::Here,
    installation::{OPERATOR, here},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tenant_leaves_nothing() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-1").await?;
    here.tenant("dune", "deletions-1", |_| ()).await?;
    here.found::<Secret>("kyb-t-dune", "kyb-key-default").await?;
    here.found::<ConfigMap>("kyb-deletions-1", "kyb-settings-tenant-dune").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    tenants.delete("dune", &DeleteParams::default()).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-deletions-1");
    here.until("nothing to be left", || async {
        let left = namespaces.list(&ListParams::default()).await?;
        let left = left.iter().any(|namespace| namespace.name_any().starts_with("kyb-t-dune"));
        Ok(!left && settings.get_opt("kyb-settings-tenant-dune").await?.is_none())
    })
    .await
}

fn erased(spec: &mut Value) {
    spec["deletion"] = json!({"data": "Erase"});
}

/// What the worker is told of a tenant, once it is as wanted.
async fn told(here: &Here, region: &str, tenant: &str, wanted: &str) -> anyhow::Result<()> {
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), &format!("kyb-{region}"));
    here.until(wanted, || async {
        let map = settings.get_opt(&format!("kyb-settings-tenant-{tenant}")).await?;
        let texts = map.and_then(|map| map.data).unwrap_or_default().into_values();
        Ok(texts.into_iter().any(|text| text.contains(wanted)))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_waited_for_and_told() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-2").await?;
    let mark = here.installation.plane.audit_mark().await?;
    here.tenant("echo", "deletions-2", erased).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    here.until("the finalizer", || async {
        Ok(tenants.get("echo").await?.finalizers().contains(&"kyb.dev/erase".to_owned()))
    })
    .await?;
    told(&here, "deletions-2", "echo", "id: echo").await?;
    let writes = here.installation.plane.audited_since(mark).await?;
    let first = |part: &str| {
        writes.iter().position(|event| {
            event.is_write() && event.username() == OPERATOR && event.request_uri.contains(part)
        })
    };
    let (held, let_in) = (first("/kybtenants/echo?"), first("/configmaps/kyb-settings-tenant-echo?"));
    assert!(held.is_some() && held < let_in, "held {held:?} before anybody may call for it {let_in:?}");
    tenants.delete("echo", &DeleteParams::default()).await?;
    told(&here, "deletions-2", "echo", "erase: true").await?;
    told(&here, "deletions-2", "echo", "api_keys: []").await?;
    let message = here.tenant_says("echo", "Erased", "Erasing").await?;
    assert!(message.contains("waits until a worker of deletions-2 has reported"), "{message}");
    here.tenant_says("echo", "Ready", "Erasing").await?;
    here.tenant_says("echo", "Reconciling", "Erasing").await?;
    let report = |state: &str, problem: &str| {
        let problem = (!problem.is_empty()).then_some(problem);
        json!({"erasures": [{"tenant": "echo", "state": state, "problem": problem}]})
    };
    here.report_also("deletions-2", report("Failed", "the database can't be reached")).await?;
    here.until("the failure to be told", || async {
        let message = here.tenant_says("echo", "Erased", "Erasing").await?;
        Ok(message == "region deletions-2: the database can't be reached; it is tried again")
    })
    .await?;
    here.report_also("deletions-2", report("Done", "")).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("echo").await?.is_none()) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_leaves_somebody_elses_finalizer_alone() -> anyhow::Result<()> {
    const THEIRS: &str = "example.org/keep";
    let here = here().await?;
    here.region("deletions-7").await?;
    here.tenant("wanda", "deletions-7", |_| ()).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let patch = async |change: Value| {
        tenants.patch("wanda", &PatchParams::default(), &Patch::Merge(change)).await.map(drop)
    };
    let held_by = async |wanted: &[&str]| {
        here.until(&format!("the finalizers {wanted:?}"), || async {
            let mut found = tenants.get("wanda").await?.finalizers().to_vec();
            found.sort();
            Ok(found == wanted)
        })
        .await
    };
    patch(json!({"metadata": {"finalizers": [THEIRS]}})).await?;
    patch(json!({"spec": {"deletion": {"data": "Erase"}}})).await?;
    held_by(&[THEIRS, "kyb.dev/erase"]).await?;
    tenants.delete("wanda", &DeleteParams::default()).await?;
    told(&here, "deletions-7", "wanda", "erase: true").await?;
    here.report_also("deletions-7", json!({"erasures": [{"tenant": "wanda", "state": "Done"}]})).await?;
    held_by(&[THEIRS]).await?;
    patch(json!({"metadata": {"finalizers": null}})).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("wanda").await?.is_none()) }).await
}

/// As Argo CD deletes: children first. The one that asks for the erasure has to stay until that is done.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_outlives_a_deletion_in_the_foreground() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-6").await?;
    here.tenant("fern", "deletions-6", erased).await?;
    told(&here, "deletions-6", "fern", "id: fern").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    tenants.delete("fern", &DeleteParams::foreground()).await?;
    told(&here, "deletions-6", "fern", "erase: true").await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("the namespaces to go", || async { Ok(namespaces.get_opt("kyb-t-fern").await?.is_none()) })
        .await?;
    let settings: Api<ConfigMap> = Api::namespaced(here.client.clone(), "kyb-deletions-6");
    let asks = settings.get("kyb-settings-tenant-fern").await?.uid();
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await; // the garbage collector would have come
        assert_eq!(
            settings.get("kyb-settings-tenant-fern").await?.uid(),
            asks,
            "it was deleted and made again"
        );
        assert!(namespaces.get_opt("kyb-t-fern").await?.is_none(), "made again while it is on its way out");
    }
    here.report_also("deletions-6", json!({"erasures": [{"tenant": "fern", "state": "Done"}]})).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("fern").await?.is_none()) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_of_a_paused_tenant_says_what_it_waits_for() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-3").await?;
    here.tenant("tara", "deletions-3", erased).await?;
    told(&here, "deletions-3", "tara", "id: tara").await?; // so it is held
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let pause = |paused: bool| Patch::Merge(json!({"spec": {"paused": paused}}));
    tenants.patch("tara", &PatchParams::default(), &pause(true)).await?;
    here.tenant_says("tara", "NamespacesReady", "Paused").await?;
    tenants.delete("tara", &DeleteParams::default()).await?;
    let message = here.tenant_says("tara", "Erased", "Paused").await?;
    assert!(message.contains("set it to false to go on"), "{message}");
    here.tenant_says("tara", "Stalled", "Paused").await?;
    tenants.patch("tara", &PatchParams::default(), &pause(false)).await?;
    told(&here, "deletions-3", "tara", "erase: true").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_younger_of_two_with_one_id_goes_without_erasing_the_elders_data() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-4").await?;
    let elder = here.tenant("uma", "deletions-4", |_| ()).await?;
    told(&here, "deletions-4", "uma", "id: uma").await?;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await; // ages are told in whole seconds
    let mut spec = serde_json::to_value(&elder.spec)?;
    erased(&mut spec);
    let second = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "uma-again"}, "spec": spec});
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    tenants.create(&kube::api::PostParams::default(), &serde_json::from_value(second)?).await?;
    here.tenant_says("uma-again", "Ready", "DuplicateTenant").await?;
    tenants.delete("uma-again", &DeleteParams::default()).await?;
    here.until("the younger to go", || async { Ok(tenants.get_opt("uma-again").await?.is_none()) }).await?;
    let settings: ConfigMap = here.found("kyb-deletions-4", "kyb-settings-tenant-uma").await?;
    let settings = settings.data.unwrap_or_default().remove("tenant-uma.yaml").unwrap_or_default();
    assert!(!settings.contains("erase: true"), "{settings}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_elses_finalizer_holds_does_not_say_that_all_is_well() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("deletions-5").await?;
    here.tenant("vera", "deletions-5", |_| ()).await?;
    here.tenant_says("vera", "Ready", "NoReport").await?;
    let policy = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "kept"}, "spec": {}});
    here.create_in::<CachePolicy>("kyb-deletions-5", policy).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    hold_and_delete(&tenants, "vera").await?;
    let message = here.tenant_says("vera", "Ready", "Deleting").await?;
    assert!(message.contains("example.org/keep"), "{message}");
    here.tenant_says("vera", "Reconciling", "Deleting").await?;
    let policies: Api<CachePolicy> = in_region(&here);
    hold_and_delete(&policies, "kept").await?;
    here.until("the policy to say so", || async {
        let conditions = policies.get("kept").await?.status.unwrap_or_default().conditions;
        Ok(conditions.iter().any(|one| one.type_ == "Ready" && one.reason == "Deleting"))
    })
    .await?;
    let regions: Api<RegionDeployment> = in_region(&here);
    hold_and_delete(&regions, "deletions-5").await?;
    here.region_says("kyb-deletions-5", "deletions-5", "Ready", "Deleting").await?;
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    tenants.patch("vera", &PatchParams::default(), &free).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("vera").await?.is_none()) }).await
}

fn in_region<K>(here: &Here) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Api::namespaced(here.client.clone(), "kyb-deletions-5")
}

async fn hold_and_delete<K>(api: &Api<K>, name: &str) -> anyhow::Result<()>
where
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let held = Patch::Merge(json!({"metadata": {"finalizers": ["example.org/keep"]}}));
    api.patch(name, &PatchParams::default(), &held).await?;
    api.delete(name, &DeleteParams::default()).await?;
    Ok(())
}
