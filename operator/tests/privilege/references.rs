//! Whatever a spec names, the operator asks for nothing outside the object's own namespaces: either the API server refuses the
//! name, or the name is that of something near.
//!
//! Every field that names something else is filled with generated names that point elsewhere, and the API server's audit log
//! shows where the operator has looked.

use std::collections::BTreeSet;

use anyhow::ensure;
use k8s_openapi::{
    api::core::v1::Secret, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::{KybTenant, RegionDeployment};
use kyb_lab::{AuditEvent, Mark};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    here::{Here, region_deployment},
    installation::{OPERATOR, Operator, SYSTEM, here},
};

/// The region whose specs are hostile.
const NEAR: &str = "kyb-near";
/// A region's and a tenant's namespace that belong to others: here is what the names are after.
const FAR: [&str; 2] = ["kyb-far", "kyb-t-far"];
/// The Secret there.
const PREY: &str = "prey";

/// So many names for each field.
const NAMES: usize = 12;

/// The fields of a RegionDeployment that name something.
const OF_A_REGION: [&str; 12] = [
    "/region",
    "/cachePolicy/name",
    "/imagePullSecrets/0/name",
    "/database/external/migrator/name",
    "/database/external/migrator/key",
    "/database/external/runtime/name",
    "/database/external/reader/name",
    "/database/external/ca/name",
    "/database/external/ca/key",
    "/redis/external/url/name",
    "/redis/external/url/key",
    "/redis/external/ca/name",
];

/// Those of a KybTenant.
const OF_A_TENANT: [&str; 11] = [
    "/id",
    "/placement/home",
    "/placement/regions/0",
    "/contexts/0/name",
    "/access/0/name",
    "/access/0/subjects/0/name",
    "/access/0/subjects/0/namespace",
    "/apiKeys/0/name",
    "/apiKeys/0/secretRef/name",
    "/apiKeys/0/secretRef/key",
    "/lists/0",
];

#[tokio::test(flavor = "multi_thread")]
async fn references_stay_in_the_namespaces_of_their_object() -> anyhow::Result<()> {
    let (here, _turn) = here().await?;
    let _operator = Operator::start(here.installation, "near")?;
    set_the_scene(&here).await?;
    let mark = here.installation.plane.audit_mark().await?;
    let mut random = StdRng::seed_from_u64(7);
    let (mut taken, mut own) = (0, owned(&here).await?);
    for field in OF_A_REGION {
        for name in names(&mut random) {
            taken += usize::from(try_region(&here, field, &name).await?);
        }
    }
    for field in OF_A_TENANT {
        for (number, name) in names(&mut random).into_iter().enumerate() {
            let spec = changed(tenant(&format!("near-{number}")), field, &name);
            if try_tenant(&here, &spec).await? {
                taken += 1;
                own.extend(namespaces(&spec));
            }
        }
    }
    let tried = (OF_A_REGION.len() + OF_A_TENANT.len()) * NAMES;
    println!("{taken} of {tried} specs were taken");
    ensure!(taken > tried / 10 && taken < tried, "{taken} of {tried} were taken: that tries nothing");
    let asked = asked(&here, mark).await?;
    ensure!(asked.iter().any(|event| event.resource() == "secrets"), "no reference was followed");
    assert_eq!(crossings(&asked, &own), [""; 0]);
    Ok(())
}

/// The twin: what keeps a name from leading out of its namespace are the patterns in the definitions. Without them one does, and
/// the look at the audit log finds it.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_patterns_a_name_leads_out_of_its_namespace() -> anyhow::Result<()> {
    let (here, _turn) = here().await?;
    let _operator = Operator::start(here.installation, "twin")?;
    here.namespace("kyb-twin", json!({"kyb.dev/region": "twin"})).await?;
    let definition = without_patterns(&here).await?;
    let mark = here.installation.plane.audit_mark().await?;
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), "kyb-twin");
    let name = format!("../../{}/secrets/{PREY}", FAR[0]);
    let spec = changed(external(), "/database/external/migrator/name", &name);
    let leads_out = object::<RegionDeployment>(
        &json!({"metadata": {"name": "twin"}, "spec": changed(spec, "/region", "twin")}),
    )?;
    here.until("the patterns to be gone", || async {
        Ok(regions.create(&PostParams::default(), &leads_out).await.is_ok())
    })
    .await?;
    let own = owned(&here).await?;
    here.until("the way out to be seen", || async {
        let crossings = crossings(&asked(&here, mark).await?, &own);
        Ok(crossings.iter().any(|request| request.contains(&name)))
    })
    .await?;
    regions.delete("twin", &DeleteParams::default()).await?;
    let definitions: Api<CustomResourceDefinition> = Api::all(here.client.clone());
    let whole = json!({"spec": {"versions": definition.spec.versions}});
    definitions.patch(&definition.name_any(), &PatchParams::default(), &Patch::Merge(whole)).await?;
    Ok(())
}

/// Takes the patterns out of the definition of RegionDeployments; gives it as it was.
async fn without_patterns(here: &Here) -> anyhow::Result<CustomResourceDefinition> {
    let definitions: Api<CustomResourceDefinition> = Api::all(here.client.clone());
    let definition = definitions.get("regiondeployments.kyb.dev").await?;
    let mut versions = serde_json::to_value(&definition.spec.versions)?;
    forget_patterns(&mut versions);
    let change = Patch::Merge(json!({"spec": {"versions": versions}}));
    definitions.patch(&definition.name_any(), &PatchParams::default(), &change).await?;
    Ok(definition)
}

fn forget_patterns(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "pattern" || !value.is_string());
            fields.values_mut().for_each(forget_patterns);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_patterns),
        _ => (),
    }
}

/// A region with a database of its own, and what is not its own: each with a Secret.
async fn set_the_scene(here: &Here) -> anyhow::Result<()> {
    here.namespace(NEAR, json!({"kyb.dev/region": "near"})).await?;
    here.namespace(FAR[0], json!({"kyb.dev/region": "far"})).await?;
    here.namespace(FAR[1], json!({"kyb.dev/tenant": "far"})).await?;
    for namespace in [NEAR, FAR[0], FAR[1]] {
        let prey = json!({"metadata": {"name": PREY}, "stringData": {"url": "postgres://x"}});
        here.create_in::<Secret>(namespace, prey).await?;
    }
    let region = json!({"metadata": {"name": "near"}, "spec": external()});
    here.create_in::<RegionDeployment>(NEAR, region).await?;
    here.region_says(NEAR, "near", "DatabaseReady", "SecretNotFound").await?;
    Ok(())
}

/// The spec of a region that brings everything along.
fn external() -> Value {
    let own = |key: &str| json!({"name": "own", "key": key});
    let mut spec = region_deployment("near")["spec"].take();
    spec["database"] = json!({"external": {
        "migrator": own("migrator"), "runtime": own("runtime"), "reader": own("reader"), "ca": own("ca"),
    }});
    spec["redis"] = json!({"external": {"url": own("redis"), "ca": own("ca")}});
    spec["imagePullSecrets"] = json!([{"name": "own"}]);
    spec["cachePolicy"] = json!({"name": "own"});
    spec
}

fn tenant(id: &str) -> Value {
    json!({
        "id": id, "displayName": "Near", "plan": "starter",
        "placement": {"home": "near", "regions": ["near"], "residency": "US"},
        "contexts": [{"name": "lending"}],
        "access": [{"name": "people", "role": "Guest", "subjects": [
            {"kind": "ServiceAccount", "name": "eve", "namespace": "theirs"},
        ]}],
        "apiKeys": [{"name": "own", "role": "Guest", "secretRef": {"name": "own", "key": "token"}}],
        "lists": ["ofac-sdn"],
    })
}

fn changed(mut spec: Value, field: &str, name: &str) -> Value {
    if let Some(value) = spec.pointer_mut(field) {
        *value = name.into();
    }
    if field == "/placement/regions/0" {
        spec["placement"]["home"] = name.into(); // which has to be one of them
    }
    spec
}

/// Names that point elsewhere: some well-formed, some made of what has a meaning in paths, queries and encodings.
fn names(random: &mut StdRng) -> Vec<String> {
    const WHOLE: [&str; 6] = ["prey", "far", "kyb-far", "kyb-t-far", "kyb-root-key", "kube-system"];
    const PARTS: [&str; 22] = [
        "..",
        "/",
        "../",
        "%2f",
        "%2F",
        "%2e%2e%2f",
        "\\",
        "?watch=true",
        "#",
        ";",
        ":",
        " ",
        "\n",
        "\u{202e}",
        "ü",
        "A",
        ".",
        "*",
        "$(id)",
        "secrets/prey",
        "kyb-far",
        "kube-system",
    ];
    let mut one = || match random.random_range(0..10) {
        0..3 => WHOLE.choose(random).copied().unwrap_or_default().to_owned(),
        3 => "long-".repeat(random.random_range(14..80)) + "name",
        4 => format!("../../{}/secrets/{PREY}", FAR.choose(random).copied().unwrap_or_default()),
        _ => {
            let parts = random.random_range(1..6);
            (0..parts).filter_map(|_| PARTS.choose(random).copied()).collect()
        }
    };
    (0..NAMES).map(|_| one()).collect()
}

/// Changes the region's spec; whether the API server takes it. Then the operator has looked at it when this returns.
async fn try_region(here: &Here, field: &str, name: &str) -> anyhow::Result<bool> {
    let regions: Api<RegionDeployment> = Api::namespaced(here.client.clone(), NEAR);
    let spec = changed(external(), field, name);
    let taken = regions.patch("near", &PatchParams::default(), &Patch::Merge(json!({ "spec": spec }))).await;
    let Some(region) = unless_refused(taken)? else { return Ok(false) };
    here.until("the region to be looked at", || async {
        let status = regions.get("near").await?.status.unwrap_or_default();
        Ok(status.observed_generation == region.metadata.generation)
    })
    .await?;
    Ok(true)
}

/// The same with a tenant that is made for it and goes again.
async fn try_tenant(here: &Here, spec: &Value) -> anyhow::Result<bool> {
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    let tenant = object::<KybTenant>(&json!({"metadata": {"name": "near"}, "spec": spec}))?;
    if unless_refused(tenants.create(&PostParams::default(), &tenant).await)?.is_none() {
        return Ok(false);
    }
    here.until("the tenant to be looked at", || async {
        let status = tenants.get("near").await?.status.unwrap_or_default();
        Ok(status.observed_generation.is_some())
    })
    .await?;
    tenants.delete("near", &DeleteParams::default()).await?;
    here.until("the tenant to be gone", || async { Ok(tenants.get_opt("near").await?.is_none()) }).await?;
    Ok(true)
}

fn object<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned>(object: &Value) -> anyhow::Result<K> {
    let mut object = object.clone();
    object["apiVersion"] = K::api_version(&()).into();
    object["kind"] = K::kind(&()).into();
    Ok(serde_json::from_value(object)?)
}

fn unless_refused<K>(answer: kube::Result<K>) -> anyhow::Result<Option<K>> {
    match answer {
        Ok(taken) => Ok(Some(taken)),
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(None),
        Err(why) => Err(why.into()),
    }
}

/// The namespaces of all regions and tenants, those of other tests among them: the operator looks after these, too. What lies
/// far belongs to none.
async fn owned(here: &Here) -> anyhow::Result<BTreeSet<String>> {
    let regions = Api::<RegionDeployment>::all(here.client.clone()).list(&ListParams::default()).await?;
    let tenants = Api::<KybTenant>::all(here.client.clone()).list(&ListParams::default()).await?;
    let of_tenants = tenants.into_iter().filter_map(|tenant| Some(tenant.status?.namespaces));
    let of_tenants = of_tenants.flatten().map(|namespace| namespace.to_string());
    Ok(regions.iter().filter_map(ResourceExt::namespace).chain(of_tenants).collect())
}

/// The namespaces of a tenant: its own, and those of its contexts.
fn namespaces(spec: &Value) -> [String; 2] {
    let (id, context) = (&spec["id"], &spec["contexts"][0]["name"]);
    let [id, context] = [id, context].map(|name| name.as_str().unwrap_or_default());
    [format!("kyb-t-{id}"), format!("kyb-t-{id}--{context}")]
}

/// Everything that the operator has asked for since then.
async fn asked(here: &Here, since: Mark) -> anyhow::Result<Vec<AuditEvent>> {
    let mut events = here.installation.plane.audited_since(since).await?;
    events.retain(|event| event.username() == OPERATOR);
    Ok(events)
}

/// The requests that reach beyond these namespaces. What has none may be asked for: tenants, and lists of the whole cluster. So
/// may the operator's Lease, and events of tenants, which lie in `default`.
fn crossings(events: &[AuditEvent], own: &BTreeSet<String>) -> Vec<String> {
    let crosses = |event: &&AuditEvent| {
        let path = event.request_uri.split('?').next().unwrap_or_default();
        let about = event.object_ref.clone().unwrap_or_default();
        let is_usual = match about.resource.as_str() {
            "leases" => about.namespace == SYSTEM,
            "events" => about.namespace == "default",
            _ => about.namespace.is_empty(),
        };
        let is_plain = !path.contains("..") && !path.contains('%') && !path.contains("//");
        !(is_plain && (is_usual || own.contains(&about.namespace)))
    };
    let said = |event: &AuditEvent| format!("{} {} {}", event.code(), event.verb, event.request_uri);
    events.iter().filter(crosses).map(said).collect()
}
