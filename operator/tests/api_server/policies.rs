//! The chart's admission policies: when they are in force, and how a test does without one.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use k8s_openapi::api::{
    admissionregistration::v1::ValidatingAdmissionPolicyBinding,
    core::v1::{ConfigMap, Namespace},
};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    core::Status,
};
use kyb_crds::KybTenant;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::installation::Installation;

/// What confines the operator to namespaces that carry our labels.
pub(crate) const CONFINEMENT: &str = "kyb-operator-confinement";
/// What keeps it from labelling a namespace that is not its own.
pub(crate) const NAMESPACES: &str = "kyb-operator-namespaces";
/// What keeps protected tenants from being deleted.
pub(crate) const DELETION_PROTECTION: &str = "kyb-deletion-protection";

/// The API server takes a policy in a moment after it was made.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);

/// Waits until each policy of the chart refuses what it is there to refuse, and the operator's rights have been taken in.
pub(crate) async fn in_force(installation: &Installation) -> anyhow::Result<()> {
    let (admin, operator) = (installation.plane.client().await?, installation.operator().await?);
    until_refused_by(CONFINEMENT, async || tries_a_config_map(&operator, "default").await).await?;
    until_refused_by(NAMESPACES, async || tries_a_namespace(&operator, "probe").await).await?;
    let tenants: Api<KybTenant> = Api::all(admin);
    tenants.create(&PostParams::default(), &probe()?).await?;
    let dry = DeleteParams { dry_run: true, ..DeleteParams::default() };
    until_refused_by(DELETION_PROTECTION, async || tenants.delete("probe", &dry).await.map(drop)).await?;
    let unprotected = json!({"spec": {"deletion": {"protected": false}}});
    tenants.patch("probe", &PatchParams::default(), &Patch::Merge(unprotected)).await?;
    tenants.delete("probe", &DeleteParams::default()).await?;
    Ok(())
}

/// Takes a policy's binding away, as its twin tests do, and waits until `probe` is no longer refused by it.
pub(crate) async fn unbind(
    admin: &Client,
    policy: &str,
    mut probe: impl AsyncFnMut() -> kube::Result<()>,
) -> anyhow::Result<()> {
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(admin.clone());
    bindings.delete(policy, &DeleteParams::default()).await?;
    let began = Instant::now();
    while let Err(why) = probe().await {
        ensure!(refused_by(&why, policy), "refused for another reason: {why}");
        ensure!(began.elapsed() < IN_FORCE_WITHIN, "{policy} is still in force");
        tokio::time::sleep(Duration::from_millis(50)).await; // between two looks
    }
    Ok(())
}

async fn until_refused_by(
    policy: &str,
    mut probe: impl AsyncFnMut() -> kube::Result<()>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let answer = probe().await;
        if matches!(&answer, Err(why) if refused_by(why, policy)) {
            return Ok(());
        }
        if began.elapsed() > IN_FORCE_WITHIN {
            bail!("{policy} does not come into force: {answer:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await; // between two looks
    }
}

/// Whether it is this policy that said no, not RBAC nor another policy.
pub(crate) fn refused_by(why: &kube::Error, policy: &str) -> bool {
    refusal(why)
        .is_some_and(|status| status.message.contains(&format!("ValidatingAdmissionPolicy '{policy}'")))
}

/// The answer of an API server that refuses, where it is one.
pub(crate) fn refusal(why: &kube::Error) -> Option<&Status> {
    match why {
        kube::Error::Api(status) if status.code == 403 => Some(status),
        _ => None,
    }
}

/// Asks for a ConfigMap there, without making it.
pub(crate) async fn tries_a_config_map(client: &Client, namespace: &str) -> kube::Result<()> {
    tries::<ConfigMap>(&Api::namespaced(client.clone(), namespace), json!({"metadata": {"name": "probe"}}))
        .await
}

async fn tries_a_namespace(client: &Client, name: &str) -> kube::Result<()> {
    tries::<Namespace>(&Api::all(client.clone()), json!({"metadata": {"name": name}})).await
}

async fn tries<K>(api: &Api<K>, object: Value) -> kube::Result<()>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object: K = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    api.create(&dry, &object).await.map(drop)
}

/// A protected tenant, of which no operator knows.
fn probe() -> anyhow::Result<KybTenant> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "probe"},
        "spec": {
            "id": "probe", "displayName": "Probe", "plan": "starter",
            "placement": {"home": "nowhere", "regions": ["nowhere"], "residency": "US"},
            "deletion": {"protected": true},
        },
    }))?)
}
