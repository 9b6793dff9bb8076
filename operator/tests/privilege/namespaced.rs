//! Held to single namespaces (`rbac.scope=namespaces`), the operator does there what it does elsewhere, says what an administrator has
//! to do, and neither sees nor asks for anything in another namespace.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace, ResourceQuota, Secret},
        rbac::v1::{Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::{KybTenant, RegionDeployment, names};
use kyb_lab::{AuditEvent, Mark};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    here::{Here, region_deployment},
    installation::{ACCOUNT, Installation, OPERATOR, Operator, SYSTEM, here},
    policies::refusal,
};

/// The region's namespace.
const REGION: &str = "kyb-held";
/// The namespace of the tenant `acme`.
const TENANT: &str = "kyb-t-acme";
/// That of its context.
const CONTEXT: &str = "kyb-t-acme--lending";
/// One that was deleted after the chart was installed, and the operator's Role with it.
const GONE: &str = "kyb-gone";
const LISTED: [&str; 4] = [GONE, REGION, TENANT, CONTEXT];

#[tokio::test(flavor = "multi_thread")]
async fn held_to_namespaces_the_operator_works_in_these_and_sees_no_other() -> anyhow::Result<()> {
    let here = held().await?;
    here.create_in::<RegionDeployment>(REGION, region_deployment("held")).await?;
    for id in ["acme", "bolt"] {
        here.tenant(id, "held", |_| ()).await?;
    }
    let namespaces = LISTED.join(",");
    let planned = plan(&here, &["--namespaces", &namespaces]).await?;
    let mark = here.installation.plane.audit_mark().await?;
    let operator = Operator::start(here.installation, "held")?;
    let said = || format!("the operator says:\n{}", operator.log());
    in_prepared_namespaces_all_is_made(&here).await.with_context(said)?;
    a_plan_knows_of_the_namespaces(&here, &planned).await?;
    an_unlisted_tenant_says_so_and_is_served(&here).await?;
    nothing_is_written_where_the_label_is_taken_off(&here).await?;
    a_namespace_may_go_and_be_made_again(&here).await?;
    ensure!(operator.log().contains(&LISTED.join(", ")), "the log does not say what is looked after");
    let account = here.installation.operator().await?;
    reads_config_maps(&account, REGION).await?;
    let refused = reads_config_maps(&account, "default").await;
    ensure!(matches!(&refused, Err(why) if refusal(why).is_some()), "{refused:?}");
    assert_eq!(strays(&here, mark).await?, [""; 0]);
    Ok(())
}

/// The twin: with rights in the whole cluster the same account may look anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn with_rights_in_the_whole_cluster_it_would_see_others() -> anyhow::Result<()> {
    let (here, _turn) = here().await?;
    Ok(reads_config_maps(&here.installation.operator().await?, "default").await?)
}

/// The installation, once the rights that it gives are in force.
async fn held() -> anyhow::Result<Here> {
    static HELD: OnceCell<Installation> = OnceCell::const_new();
    let here = Here::of(HELD.get_or_try_init(install).await?).await?;
    let account = here.installation.operator().await?;
    let (tenants, first) = (Api::<KybTenant>::all(account.clone()), ListParams::default().limit(1));
    here.until("the operator's rights", || async {
        Ok(reads_config_maps(&account, REGION).await.is_ok() && tenants.list(&first).await.is_ok())
    })
    .await?;
    Ok(here)
}

async fn install() -> anyhow::Result<Installation> {
    let namespaces = format!("rbac.namespaces={{{}}}", LISTED.join(","));
    let labels = ["kyb.dev/tenant=gone", "kyb.dev/region=held", "kyb.dev/tenant=acme", "kyb.dev/tenant=acme"];
    let prepared: Vec<_> = LISTED.into_iter().zip(labels).collect();
    let installation = Installation::with(&["rbac.scope=namespaces", &namespaces], &prepared).await?;
    installation.kubectl(&["delete", "namespace", GONE, "--timeout=60s"])?;
    Ok(installation)
}

async fn in_prepared_namespaces_all_is_made(here: &Here) -> anyhow::Result<()> {
    here.region_says(REGION, "held", "AccessReady", "Ready").await?;
    here.migration_succeeds(REGION).await?;
    here.found::<Deployment>(REGION, "kyb-gateway").await?;
    for condition in ["NamespacesReady", "AccessReady", "KeysReady"] {
        here.tenant_says("acme", condition, "Ready").await?;
    }
    here.found::<Secret>(TENANT, "kyb-key-default").await?;
    here.found::<ResourceQuota>(CONTEXT, "kyb-tenant").await?;
    here.found::<ConfigMap>(REGION, &names::tenant_config_map("acme")).await?;
    Ok(())
}

/// All that was planned is there, and nothing of it is a namespace; without the list, it would have been.
async fn a_plan_knows_of_the_namespaces(here: &Here, planned: &[String]) -> anyhow::Result<()> {
    ensure!(planned.len() > 30, "only {planned:?}");
    let namespaces = LISTED.join(",");
    here.until("all that was planned", || async {
        Ok(plan(here, &["--namespaces", &namespaces]).await? == [""; 0])
    })
    .await?;
    let is_namespace = |change: &String| change.starts_with("Namespace ");
    ensure!(!planned.iter().any(is_namespace), "{planned:?}");
    let twin = plan(here, &[]).await?;
    ensure!(twin.iter().any(is_namespace), "{twin:?}");
    Ok(())
}

/// What applying the region and the tenants again would change.
async fn plan(here: &Here, further: &[&str]) -> anyhow::Result<Vec<String>> {
    let region = Api::<RegionDeployment>::namespaced(here.client.clone(), REGION).get("held").await?;
    let tenants = Api::<KybTenant>::all(here.client.clone()).list(&ListParams::default()).await?;
    let mut manifests = vec![manifest("RegionDeployment", &region.metadata, &json!(region.spec))];
    manifests.extend(tenants.iter().map(|one| manifest("KybTenant", &one.metadata, &json!(one.spec))));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("all.json");
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": manifests}).to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyb-operator"));
    command.args(["plan", "--output", "json", "-f"]).arg(&file).args(further).stdin(Stdio::null());
    let output = command.env("KUBECONFIG", here.installation.plane.kubeconfig()).output()?;
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    let plan: Value = serde_json::from_slice(&output.stdout).with_context(|| complained)?;
    let text = |change: &Value, field: &str| change[field].as_str().unwrap_or_default().to_owned();
    let said =
        |change: &Value| ["kind", "namespace", "name", "action"].map(|field| text(change, field)).join(" ");
    Ok(plan["changes"].as_array().into_iter().flatten().map(said).collect())
}

fn manifest(kind: &str, metadata: &ObjectMeta, spec: &Value) -> Value {
    let place = json!({"name": metadata.name, "namespace": metadata.namespace});
    json!({"apiVersion": names::API_VERSION, "kind": kind, "metadata": place, "spec": spec})
}

/// Neither before its namespace is made nor after: it is not listed.
async fn an_unlisted_tenant_says_so_and_is_served(here: &Here) -> anyhow::Result<()> {
    let message = here.tenant_says("bolt", "NamespacesReady", "NamespaceNotPrepared").await?;
    ensure!(message.contains("kyb-t-bolt") && message.contains("rbac.namespaces"), "{message}");
    for condition in ["AccessReady", "KeysReady"] {
        here.tenant_says("bolt", condition, "NamespaceNotPrepared").await?;
    }
    here.found::<ConfigMap>(REGION, &names::tenant_config_map("bolt")).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    ensure!(namespaces.get_opt("kyb-t-bolt").await?.is_none(), "the operator made a namespace");
    here.namespace("kyb-t-bolt", json!({"kyb.dev/tenant": "bolt"})).await?;
    looked_at(here, "bolt").await?;
    here.tenant_says("bolt", "NamespacesReady", "NamespaceNotPrepared").await?;
    assert_eq!(here.names::<RoleBinding>("kyb-t-bolt").await?, [""; 0]);
    Ok(())
}

async fn nothing_is_written_where_the_label_is_taken_off(here: &Here) -> anyhow::Result<()> {
    here.installation.kubectl(&["label", "namespace", CONTEXT, "kyb.dev/tenant-"])?;
    let message = here.tenant_says("acme", "NamespacesReady", "NamespaceNotPrepared").await?;
    ensure!(message.contains(&format!("kubectl label namespace {CONTEXT} kyb.dev/tenant=acme")), "{message}");
    here.tenant_says("acme", "KeysReady", "Ready").await?; // the key lies elsewhere
    let quotas: Api<ResourceQuota> = Api::namespaced(here.client.clone(), CONTEXT);
    quotas.delete("kyb-tenant", &DeleteParams::default()).await?; // it is there still, and does not come back
    looked_at(here, "acme").await?;
    assert_eq!(here.names::<ResourceQuota>(CONTEXT).await?, [""; 0]);
    here.installation.kubectl(&["label", "namespace", CONTEXT, "kyb.dev/tenant=acme"])?;
    here.found::<ResourceQuota>(CONTEXT, "kyb-tenant").await?;
    here.tenant_says("acme", "NamespacesReady", "Ready").await?;
    Ok(())
}

/// Its Role goes with it, so nobody may look there any more: nothing is left there, which nobody has to be refused to say.
async fn a_namespace_may_go_and_be_made_again(here: &Here) -> anyhow::Result<()> {
    let roles: Api<Role> = Api::namespaced(here.client.clone(), CONTEXT);
    let bindings: Api<RoleBinding> = Api::namespaced(here.client.clone(), CONTEXT);
    let (mut role, mut binding) = (roles.get(ACCOUNT).await?, bindings.get("kyb-operator-namespaced").await?);
    here.installation.kubectl(&["delete", "namespace", CONTEXT, "--timeout=60s"])?;
    here.tenant_says("acme", "NamespacesReady", "NamespaceNotPrepared").await?;
    sees_everything(here).await?;

    here.namespace(CONTEXT, json!({"kyb.dev/tenant": "acme"})).await?;
    for metadata in [&mut role.metadata, &mut binding.metadata] {
        *metadata = ObjectMeta { name: metadata.name.take(), ..ObjectMeta::default() };
    }
    roles.create(&PostParams::default(), &role).await?; // as an upgrade of the chart would
    bindings.create(&PostParams::default(), &binding).await?;
    here.found::<ResourceQuota>(CONTEXT, "kyb-tenant").await?;
    here.tenant_says("acme", "NamespacesReady", "Ready").await?;
    sees_everything(here).await
}

/// Waits until the tenant says of no watch that it is refused.
async fn sees_everything(here: &Here) -> anyhow::Result<()> {
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    here.until("no watch to be refused", || async {
        let conditions = tenants.get("acme").await?.status.unwrap_or_default().conditions;
        Ok(!conditions.iter().any(|condition| condition.type_ == "Observed"))
    })
    .await
}

/// Changes the tenant, and waits until the operator has looked at it.
async fn looked_at(here: &Here, tenant: &str) -> anyhow::Result<()> {
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let change = Patch::Merge(json!({"spec": {"displayName": "Another Name"}}));
    let generation = tenants.patch(tenant, &PatchParams::default(), &change).await?.metadata.generation;
    here.until("the tenant to be looked at", || async {
        Ok(tenants.get(tenant).await?.status.unwrap_or_default().observed_generation == generation)
    })
    .await
}

async fn reads_config_maps(client: &Client, namespace: &str) -> kube::Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    maps.get_opt("any").await.map(drop)
}

/// The operator's requests that reach beyond the listed namespaces. Tenants lie in none; their events go to `default`; the Lease is
/// in the operator's own.
async fn strays(here: &Here, since: Mark) -> anyhow::Result<Vec<String>> {
    let events = here.installation.plane.audited_since(since).await?;
    let strays = |event: &&AuditEvent| {
        let is_its_own = event.username() == OPERATOR && event.user_agent.starts_with("kyb-operator/"); // not the test's
        let Some(about) = event.object_ref.as_ref().filter(|_| is_its_own) else { return false };
        let namespace = about.namespace.as_str();
        match about.resource.as_str() {
            "kybtenants" => false,
            "namespaces" => !LISTED.contains(&about.name.as_str()),
            "leases" => namespace != SYSTEM,
            "events" => namespace != "default" && !LISTED.contains(&namespace),
            _ => !LISTED.contains(&namespace),
        }
    };
    let said = |event: &AuditEvent| format!("{} {} {}", event.code(), event.verb, event.request_uri);
    Ok(events.iter().filter(strays).map(said).collect())
}
