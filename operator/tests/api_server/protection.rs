//! What a protected tenant keeps, and for how long.

use k8s_openapi::{
    api::core::v1::{Namespace, ResourceQuota},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::KybTenant;
use serde_json::{Value, json};

use crate::{
    installation::{here, spare},
    policies::{self, DELETION_PROTECTION, refusal, refused_by},
};

/// Part of what the definition of the kind says about a protected tenant's contexts.
const KEPT: &str = "a context may not be removed while deletion.protected is true";

fn protected(spec: &mut Value) {
    spec["deletion"] = json!({"protected": true});
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_tenant_is_not_deleted_before_it_is_unprotected() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("protection-1").await?;
    here.tenant("kilo", "protection-1", protected).await?;
    here.found::<ResourceQuota>("kyb-t-kilo", "kyb-tenant").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let Err(why) = tenants.delete("kilo", &DeleteParams::default()).await else { panic!("deleted") };
    assert!(refused_by(&why, DELETION_PROTECTION), "{why}");
    let message = refusal(&why).map(|status| status.message.as_str()).unwrap_or_default();
    assert!(
        message.contains("KybTenant kilo") && message.contains("set spec.deletion.protected to false first"),
        "{message}"
    );
    let it_and_others = ListParams::default().fields("metadata.name=kilo");
    let all = tenants.delete_collection(&DeleteParams::default(), &it_and_others).await;
    assert!(matches!(&all, Err(why) if refused_by(why, DELETION_PROTECTION)), "{all:?}");
    assert_eq!(tenants.get("kilo").await?.metadata.deletion_timestamp, None);

    let unprotected = json!({"spec": {"deletion": {"protected": false}}});
    tenants.patch("kilo", &PatchParams::default(), &Patch::Merge(unprotected)).await?;
    tenants.delete("kilo", &DeleteParams::default()).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("the tenant and its namespaces to go", || async {
        let left = namespaces.list(&ListParams::default()).await?;
        let gone = !left.iter().any(|namespace| namespace.name_any().starts_with("kyb-t-kilo"));
        Ok(gone && tenants.get_opt("kilo").await?.is_none())
    })
    .await
}

/// The twin: the protection is the policy's, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_policy_a_protected_tenant_goes() -> anyhow::Result<()> {
    let here = spare().await?;
    here.region("spare-1").await?;
    here.tenant("kilo", "spare-1", protected).await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    assert!(tenants.delete("kilo", &DeleteParams::default()).await.is_err());
    let dry = DeleteParams { dry_run: true, ..DeleteParams::default() };
    let try_it = async || tenants.delete("kilo", &dry).await.map(drop);
    policies::unbind(&here.client, DELETION_PROTECTION, try_it).await?;
    tenants.delete("kilo", &DeleteParams::default()).await?;
    here.until("the tenant to go", || async { Ok(tenants.get_opt("kilo").await?.is_none()) }).await
}

fn without_contexts() -> Patch<Value> {
    Patch::Merge(json!({"spec": {"contexts": null}}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_tenant_keeps_its_contexts() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("protection-2").await?;
    here.tenant("lima", "protection-2", protected).await?;
    here.found::<ResourceQuota>("kyb-t-lima--lending", "kyb-tenant").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    // Not even together with the protection.
    let both = Patch::Merge(json!({"spec": {"contexts": null, "deletion": null}}));
    for change in [without_contexts(), both] {
        let changed = tenants.patch("lima", &PatchParams::default(), &change).await;
        assert!(matches!(&changed, Err(why) if why.to_string().contains(KEPT)), "{changed:?}");
    }
    let unprotected = json!({"spec": {"deletion": {"protected": false}}});
    tenants.patch("lima", &PatchParams::default(), &Patch::Merge(unprotected)).await?;
    tenants.patch("lima", &PatchParams::default(), &without_contexts()).await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("the context's namespace to go", || async {
        Ok(namespaces.get_opt("kyb-t-lima--lending").await?.is_none())
    })
    .await
}

/// The twin: without that rule of the definition the context, and all that lies in its namespace, would go.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_rule_a_protected_tenant_loses_its_contexts() -> anyhow::Result<()> {
    let here = spare().await?;
    here.region("spare-2").await?;
    here.tenant("lima", "spare-2", protected).await?;
    here.found::<ResourceQuota>("kyb-t-lima--lending", "kyb-tenant").await?;
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    assert!(tenants.patch("lima", &PatchParams::default(), &without_contexts()).await.is_err());
    drop_the_rule(&Api::all(here.client.clone())).await?;
    here.until("the rule to be gone", || async {
        Ok(tenants.patch("lima", &PatchParams::default(), &without_contexts()).await.is_ok())
    })
    .await?;
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("the context's namespace to go", || async {
        Ok(namespaces.get_opt("kyb-t-lima--lending").await?.is_none())
    })
    .await
}

/// Takes the rule out of the definition of KybTenant.
async fn drop_the_rule(definitions: &Api<CustomResourceDefinition>) -> anyhow::Result<()> {
    let mut definition = serde_json::to_value(definitions.get("kybtenants.kyb.dev").await?)?;
    let rules = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations";
    let rules = definition.pointer_mut(rules).and_then(Value::as_array_mut);
    let rules = rules.ok_or_else(|| anyhow::anyhow!("the definition has no rules"))?;
    let before = rules.len();
    rules.retain(|rule| !rule["message"].as_str().is_some_and(|message| message.contains(KEPT)));
    anyhow::ensure!(rules.len() == before - 1, "the rule is not there");
    let definition: CustomResourceDefinition = serde_json::from_value(definition)?;
    definitions.replace("kybtenants.kyb.dev", &PostParams::default(), &definition).await?;
    Ok(())
}
