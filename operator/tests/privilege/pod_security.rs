//! The operator's pods, and those of all that it makes, pass the strictest Pod Security level.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet, StatefulSetSpec},
    batch::v1::Job,
    core::v1::{PersistentVolumeClaimVolumeSource, Pod, PodTemplateSpec, Secret, Volume},
    scheduling::v1::PriorityClass,
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, PostParams},
};
use kyb_crds::CachePolicy;
use serde_json::json;

use crate::{
    here::Here,
    installation::{Operator, SYSTEM, here},
};

/// A namespace that enforces the level `restricted`.
const STRICT: &str = "strict";
/// The namespace of examples/region/production.yaml.
const PRODUCTION: &str = "kyb-eu-west-1";
/// That of examples/region/development.yaml, whose region has a database and a Redis of its own.
const DEVELOPMENT: &str = "kyb-us-east-1";

#[tokio::test(flavor = "multi_thread")]
async fn every_pod_of_ours_is_let_into_a_restricted_namespace() -> anyhow::Result<()> {
    let (here, _turn) = here().await?;
    let _operator = Operator::start(here.installation, "strict")?;
    here.namespace(STRICT, json!({"pod-security.kubernetes.io/enforce": "restricted"})).await?;
    here.installation.kubectl(&["apply", "-f", "../examples/region/development.yaml"])?;
    production(&here).await?;
    let mut ours = templates(&here, SYSTEM).await?;
    for (namespace, last) in [(DEVELOPMENT, "kyb-redis"), (PRODUCTION, "kyb-worker")] {
        here.migration_succeeds(namespace).await?;
        for name in ["kyb-gateway", "kyb-worker", last] {
            here.found::<Deployment>(namespace, name).await?;
        }
        ours.extend(templates(&here, namespace).await?);
    }
    let names: Vec<_> =
        ours.iter().map(|(name, _)| name.split("-migrate").next().unwrap_or_default()).collect();
    let of_a_region = ["kyb-gateway", "kyb-redis", "kyb-worker", "kyb-postgres", "kyb"];
    assert_eq!(names, [&["kyb-operator"], &of_a_region[..], &["kyb-gateway", "kyb-worker", "kyb"]].concat());

    for (name, template) in ours {
        let let_in = try_pod(&here, template.clone()).await;
        assert!(let_in.is_ok(), "{name}: {let_in:?}");
        // The twin: the same with one privilege is not.
        for privilege in [
            json!({"privileged": true, "allowPrivilegeEscalation": true}),
            json!({"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}),
            json!({"runAsNonRoot": false}),
        ] {
            let refused = try_pod(&here, privileged(&template, &privilege)?).await;
            let why = refused.err().map(|why| why.to_string()).unwrap_or_default();
            assert!(why.contains(r#"violates PodSecurity "restricted:latest""#), "{name} {privilege}: {why}");
        }
    }
    Ok(())
}

/// The region of the example, with all that it refers to.
async fn production(here: &Here) -> anyhow::Result<()> {
    let class = json!({"metadata": {"name": "kyb"}, "value": 1000});
    let class: PriorityClass = serde_json::from_value(class)?;
    Api::all(here.client.clone()).create(&PostParams::default(), &class).await?;
    here.installation.kubectl(&["apply", "-f", "../examples/region/production.yaml"])?;
    for name in ["postgres-migrator", "postgres-runtime", "postgres-reader", "postgres-ca", "redis"] {
        let data = json!({"url": "x://kyb@db.example/kyb", "ca.crt": "x"});
        here.create_in::<Secret>(PRODUCTION, json!({"metadata": {"name": name}, "stringData": data})).await?;
    }
    let policy = json!({"metadata": {"name": "default"}, "spec": {}});
    here.create_in::<CachePolicy>(PRODUCTION, policy).await?;
    Ok(())
}

/// The pod templates of a namespace, each with the name of what it belongs to.
async fn templates(here: &Here, namespace: &str) -> anyhow::Result<Vec<(String, PodTemplateSpec)>> {
    let (client, all) = (&here.client, ListParams::default());
    let deployments = Api::<Deployment>::namespaced(client.clone(), namespace).list(&all).await?;
    let sets = Api::<StatefulSet>::namespaced(client.clone(), namespace).list(&all).await?;
    let jobs = Api::<Job>::namespaced(client.clone(), namespace).list(&all).await?;
    let of_deployments =
        deployments.into_iter().filter_map(|found| Some((found.name_any(), found.spec?.template)));
    let of_sets = sets.into_iter().filter_map(|found| Some((found.name_any(), with_claims(found.spec?))));
    let of_jobs = jobs.into_iter().filter_map(|found| Some((found.name_any(), found.spec?.template)));
    Ok(of_deployments.chain(of_sets).chain(of_jobs).collect())
}

/// The template as the StatefulSet's controller completes it: with a volume for each claim.
fn with_claims(set: StatefulSetSpec) -> PodTemplateSpec {
    let mut template = set.template;
    let claims = set.volume_claim_templates.into_iter().flatten();
    let volumes = claims.map(|claim| Volume {
        name: claim.name_any(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim.name_any(),
            ..PersistentVolumeClaimVolumeSource::default()
        }),
        ..Volume::default()
    });
    template.spec.get_or_insert_default().volumes.get_or_insert_default().extend(volumes);
    template
}

/// Asks for a pod in the strict namespace, without making it.
async fn try_pod(here: &Here, template: PodTemplateSpec) -> kube::Result<Pod> {
    let mut spec = template.spec.unwrap_or_default();
    // Accounts are not there, and are nothing of Pod Security's.
    (spec.service_account_name, spec.service_account) = (None, None);
    let mut pod = Pod { spec: Some(spec), ..Pod::default() };
    pod.metadata.name = Some("tried".to_owned());
    pod.metadata.labels = template.metadata.and_then(|metadata| metadata.labels);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    Api::namespaced(here.client.clone(), STRICT).create(&dry, &pod).await
}

/// The template with other words in the security context of its first container.
fn privileged(template: &PodTemplateSpec, privilege: &serde_json::Value) -> anyhow::Result<PodTemplateSpec> {
    let mut changed = serde_json::to_value(template)?;
    let context = &mut changed["spec"]["containers"][0]["securityContext"];
    for (field, value) in privilege.as_object().into_iter().flatten() {
        context[field] = value.clone();
    }
    Ok(serde_json::from_value(changed)?)
}
