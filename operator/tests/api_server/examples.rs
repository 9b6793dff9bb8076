//! Every file under examples/, applied with kubectl as its README says, becomes what it declares.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        rbac::v1::RoleBinding,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use kyb_crds::{KybTenant, RegionReport};
use kyb_lab::{AuditEvent, Mark};
use serde_json::{Value, json};

use crate::{
    here::Here,
    installation::{OPERATOR, here},
    planning::Planned,
};

/// What is applied together, in this order; each is deleted before the next, since they share names.
const STORIES: [&[&str]; 3] = [
    &[
        "region/development.yaml",
        "cache-policy/cache-policy.yaml",
        "tenant/tenant.yaml",
        "tenant/smallest.yaml",
    ],
    &["quickstart/lists.yaml", "quickstart/quickstart.yaml"],
    &["region/production.yaml"],
];

fn folder() -> PathBuf {
    PathBuf::from("../examples")
}

#[test]
fn every_example_is_in_a_story() {
    let mut found = BTreeSet::new();
    for story in folder().read_dir().unwrap() {
        let story = story.unwrap();
        let files =
            story.path().read_dir().unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let name = story.file_name().into_string().unwrap();
        found.extend(files.filter(|file| file.ends_with("yaml")).map(|file| format!("{name}/{file}")));
    }
    let told: BTreeSet<_> = STORIES.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(found, told, "each file belongs into one of the stories");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_becomes_what_it_declares() -> anyhow::Result<()> {
    let here = here().await?;
    let stories: [(&[&str], _); 3] =
        [(STORIES[0], Story::Separate), (STORIES[1], Story::Quickstart), (STORIES[2], Story::Production)];
    for (files, story) in stories {
        let paths: Vec<_> = files.iter().map(|file| folder().join(file)).collect();
        let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        let planned = Planned::of(&here, &paths, story.objects()).await?;
        let mark = here.installation.plane.audit_mark().await?;
        for file in files {
            let file = folder().join(file).display().to_string();
            // Both ways that people use.
            let how: &[&str] =
                if story == Story::Quickstart { &["apply", "-f"] } else { &["apply", "--server-side", "-f"] };
            here.installation.kubectl(&[how, &[file.as_str()]].concat())?;
        }
        here.migration_succeeds(story.place()).await?;
        planned.comes_true(&here).await.with_context(|| format!("{files:?}"))?;
        only_statuses_are_ours(&here)?;
        match story {
            Story::Separate => {
                a_region_to_develop_with(&here).await?;
                a_customer(&here).await?;
            }
            Story::Quickstart => a_quickstart(&here).await?,
            Story::Production => a_region_in_production(&here).await?,
        }
        assert_eq!(refused(&here, mark).await?, [""; 0], "the chart's roles let the operator do all of it");
        delete(&here, files).await?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    Separate,
    Quickstart,
    Production,
}

impl Story {
    /// The objects of ours in its files that others follow from.
    fn objects(self) -> &'static [&'static str] {
        match self {
            Self::Separate => &["RegionDeployment us-east-1", "KybTenant acme", "KybTenant bakery"],
            Self::Quickstart => &["RegionDeployment us-east-1", "KybTenant acme"],
            Self::Production => &["RegionDeployment eu-west-1"],
        }
    }

    /// Where its region is.
    fn place(self) -> &'static str {
        if self == Self::Production { "kyb-eu-west-1" } else { "kyb-us-east-1" }
    }
}

/// Nothing of what people write is changed by the operator, as the API server has recorded it: it writes statuses, and a finalizer
/// where data is to be erased.
fn only_statuses_are_ours(here: &Here) -> anyhow::Result<()> {
    let said = here.installation.kubectl(&[
        "get",
        "kt,rd,cachepolicy",
        "-A",
        "-o",
        "json",
        "--show-managed-fields",
    ])?;
    let list: Value = serde_json::from_str(&said)?;
    let mut statuses = 0;
    for object in list["items"].as_array().into_iter().flatten() {
        let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
        for entry in entries.filter(|entry| {
            entry["manager"].as_str().is_some_and(|manager| manager.starts_with("kyb-operator"))
        }) {
            let fields = entry["fieldsV1"].as_object().context("no fields")?;
            let of_metadata = fields.get("f:metadata").and_then(Value::as_object);
            let is_finalizer =
                of_metadata.is_some_and(|fields| fields.keys().all(|field| field == "f:finalizers"));
            let is_clean =
                fields.keys().all(|field| field == "f:status" || field == "f:metadata" && is_finalizer);
            ensure!(is_clean, "{} writes {entry:#} of {}", entry["manager"], object["metadata"]["name"]);
            statuses += usize::from(fields.contains_key("f:status"));
        }
    }
    ensure!(statuses > 0, "the operator has written no status");
    Ok(())
}

/// What the running operator asked for about the objects of the examples, and was not given in the end: its right to the
/// Secrets of a namespace is in force a moment after it has bound it.
async fn refused(here: &Here, mark: Mark) -> anyhow::Result<Vec<String>> {
    let ours = |event: &&AuditEvent| {
        event.username() == OPERATOR
            && event.user_agent.starts_with("kyb-operator/")
            && ["us-east-1", "eu-west-1", "acme", "bakery"]
                .iter()
                .any(|name| event.request_uri.contains(name))
    };
    let events = here.installation.plane.audited_since(mark).await?;
    let path = |event: &AuditEvent| event.request_uri.split('?').next().unwrap_or_default().to_owned();
    let last: BTreeMap<_, _> =
        events.iter().filter(ours).map(|event| ((event.verb.clone(), path(event)), event.code())).collect();
    let refused = last.into_iter().filter(|(_, code)| *code == 403);
    Ok(refused.map(|((verb, path), _)| format!("{verb} {path}")).collect())
}

/// examples/region/development.yaml, with a CachePolicy beside it that it does not name.
async fn a_region_to_develop_with(here: &Here) -> anyhow::Result<()> {
    const PLACE: &str = "kyb-us-east-1";
    here.found::<StatefulSet>(PLACE, "kyb-postgres").await?;
    here.region_says(PLACE, "us-east-1", "Ready", "ReplicasUnavailable").await?;
    here.region_says(PLACE, "us-east-1", "Reconciling", "ReplicasUnavailable").await?;
    assert_eq!(here.names::<Secret>(PLACE).await?, ["kyb-postgres"]);
    assert_eq!(here.names::<NetworkPolicy>(PLACE).await?.len(), 6);
    assert_eq!(here.names::<Service>(PLACE).await?, ["kyb-gateway", "kyb-postgres", "kyb-redis"]);
    let accounts = here.names::<ServiceAccount>(PLACE).await?;
    assert_eq!(accounts, ["default", "kyb-gateway", "kyb-migrate", "kyb-worker"]);
    let settings = settings(here, PLACE, "platform").await?;
    assert!(settings.contains("https://lists.example/ofac/") && settings.contains("6h"), "{settings}");

    let gateway: Deployment = here.found(PLACE, "kyb-gateway").await?;
    assert_eq!(gateway.spec.unwrap_or_default().replicas, Some(1));
    here.found::<Deployment>(PLACE, "kyb-worker").await?;
    assert_eq!(here.names::<HorizontalPodAutoscaler>(PLACE).await?, [""; 0], "a fixed number was asked for");

    let policy = [
        "get",
        "cp",
        "default",
        "-n",
        PLACE,
        "-o",
        "jsonpath={.status.conditions[?(@.type=='SettingsDelivered')].reason}",
    ];
    assert_eq!(here.installation.kubectl(&policy)?, "NotUsed");
    Ok(())
}

/// examples/tenant: one that uses most of what there is, and one that uses the least.
async fn a_customer(here: &Here) -> anyhow::Result<()> {
    here.tenant_says("acme", "Ready", "NoReport").await?;
    here.tenant_says("acme", "Reconciling", "NoReport").await?;
    let large = [("requests.cpu", "4"), ("limits.memory", "16Gi"), ("services", "8"), ("secrets", "20")];
    let small =
        [("requests.cpu", "2"), ("requests.memory", "4Gi"), ("limits.cpu", "4"), ("limits.memory", "8Gi")];
    for (place, wanted) in
        [("kyb-t-acme", large), ("kyb-t-acme--lending", large), ("kyb-t-acme--trade", small)]
    {
        has_quota(here, place, &wanted).await?;
        let namespace: Namespace = Api::all(here.client.clone()).get(place).await?;
        assert_eq!(namespace.labels()["kyb.dev/compliance"], "soc2-pci");
        let limits: LimitRange = here.found(place, "kyb-tenant").await?;
        let limits = limits.spec.unwrap_or_default().limits.remove(0);
        assert_eq!(limits.default.unwrap_or_default()["cpu"], Quantity("500m".to_owned()));
        assert!(here.names::<NetworkPolicy>(place).await?.contains(&"kyb-egress-partner".to_owned()));
    }
    assert_eq!(
        here.names::<RoleBinding>("kyb-t-acme--lending").await?,
        ["kyb-audit-auditor", "kyb-lending-team-context-manager"]
    );
    assert_eq!(here.names::<RoleBinding>("kyb-t-acme--trade").await?, ["kyb-audit-auditor"]);
    here.found::<Secret>("kyb-t-acme", "kyb-key-lending-reports").await?;
    let settings = settings(here, "kyb-us-east-1", "tenant-acme").await?;
    for said in
        ["requests_per_minute: 10000", "burst: 500", "risk.score >= 85", "RISK_CRITICAL", "2030-01-01"]
    {
        assert!(settings.contains(said), "{said} is not in {settings}");
    }

    here.tenant_says("bakery", "Ready", "NoReport").await?;
    has_quota(here, "kyb-t-bakery", &[("requests.cpu", "1"), ("services", "4")]).await?;
    assert_eq!(here.names::<RoleBinding>("kyb-t-bakery").await?, ["kyb-operator"]);
    Ok(())
}

/// examples/quickstart: the region, its cache policy and a customer in one file.
async fn a_quickstart(here: &Here) -> anyhow::Result<()> {
    const PLACE: &str = "kyb-us-east-1";
    here.found::<Service>("kyb-lists", "lists").await?;
    here.region_says(PLACE, "us-east-1", "SettingsDelivered", "NoReport").await?;
    let settings = settings(here, PLACE, "platform").await?;
    for said in ["classification", "sanctions", "max_entries: 100000", "http://lists.kyb-lists.svc/ofac/"] {
        assert!(settings.contains(said), "{said} is not in {settings}");
    }
    has_quota(here, "kyb-t-acme--trade", &[("requests.cpu", "4"), ("persistentvolumeclaims", "4")]).await?;
    here.tenant_says("acme", "Ready", "NoReport").await?;

    let scaler: HorizontalPodAutoscaler = here.found(PLACE, "kyb-gateway").await?;
    let scaler = scaler.spec.unwrap_or_default();
    assert_eq!((scaler.min_replicas, scaler.max_replicas), (Some(1), 5));
    let gateway = serde_json::to_value(here.found::<Deployment>(PLACE, "kyb-gateway").await?)?;
    let resources = &gateway["spec"]["template"]["spec"]["containers"][0]["resources"];
    assert_eq!(
        *resources,
        json!({"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}})
    );
    // Protected as the file says; kubectl shows what to do.
    let Err(why) = here.installation.kubectl(&["delete", "kt", "acme"]) else { panic!("deleted") };
    assert!(why.to_string().contains("set spec.deletion.protected to false first"), "{why}");
    Ok(())
}

/// examples/region/production.yaml: first without the Secrets and the CachePolicy that it names, then with them.
async fn a_region_in_production(here: &Here) -> anyhow::Result<()> {
    const PLACE: &str = "kyb-eu-west-1";
    here.region_says(PLACE, "eu-west-1", "Ready", "SecretNotFound").await?;
    here.region_says(PLACE, "eu-west-1", "Stalled", "SecretNotFound").await?;
    here.region_says(PLACE, "eu-west-1", "SettingsDelivered", "ReferenceNotFound").await?;
    for name in ["migrator", "runtime", "reader"] {
        let literal = "--from-literal=url=postgres://kyb@db.example/kyb";
        here.installation.kubectl(&[
            "create",
            "secret",
            "generic",
            &format!("postgres-{name}"),
            "-n",
            PLACE,
            literal,
        ])?;
    }
    here.installation.kubectl(&[
        "create",
        "secret",
        "generic",
        "postgres-ca",
        "-n",
        PLACE,
        "--from-literal=ca.crt=x",
    ])?;
    let policy = json!({"apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "default"}, "spec": {}});
    here.create_in::<kyb_crds::CachePolicy>(PLACE, policy).await?;
    here.region_says(PLACE, "eu-west-1", "DatabaseReady", "NoReport").await?;
    here.region_says(PLACE, "eu-west-1", "SettingsDelivered", "NoReport").await?;
    assert_eq!(here.names::<StatefulSet>(PLACE).await?, [""; 0], "the database is one's own");

    let gateway = serde_json::to_value(here.found::<Deployment>(PLACE, "kyb-gateway").await?)?;
    let pod = &gateway["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"], json!({"pool": "kyb"}));
    assert_eq!(pod["tolerations"][0]["key"], "dedicated");
    assert_eq!(pod["priorityClassName"], "kyb");
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "registry"}]));
    assert_eq!(pod["containers"][0]["image"], "registry.example/kyb/kyb-gateway:0.1.0");
    let worker: Deployment = here.found(PLACE, "kyb-worker").await?;
    assert_eq!(worker.spec.unwrap_or_default().replicas, Some(2));
    let service = serde_json::to_value(here.found::<Service>(PLACE, "kyb-gateway").await?)?;
    assert_eq!(
        (&service["spec"]["type"], &service["spec"]["ports"][0]["port"]),
        (&json!("LoadBalancer"), &json!(443))
    );
    assert!(service["metadata"]["annotations"]["external-dns.alpha.kubernetes.io/hostname"].is_string());
    Ok(())
}

async fn settings(here: &Here, place: &str, name: &str) -> anyhow::Result<String> {
    let map: ConfigMap = here.found(place, &format!("kyb-settings-{name}")).await?;
    Ok(map.data.unwrap_or_default().into_values().collect())
}

async fn has_quota(here: &Here, place: &str, wanted: &[(&str, &str)]) -> anyhow::Result<()> {
    let quota: ResourceQuota = here.found(place, "kyb-tenant").await?;
    let hard: BTreeMap<String, Quantity> = quota.spec.unwrap_or_default().hard.unwrap_or_default();
    for (name, value) in wanted {
        assert_eq!(hard.get(*name), Some(&Quantity((*value).to_owned())), "{place}: {name}");
    }
    Ok(())
}

/// As a person would: protection off, then everything; the worker is asked to erase, and says that it did.
async fn delete(here: &Here, files: &[&str]) -> anyhow::Result<()> {
    let tenants: Api<KybTenant> = Api::all(here.client.clone());
    if tenants.get_opt("acme").await?.is_some() {
        let unprotected = json!({"spec": {"deletion": {"protected": false}}});
        tenants.patch("acme", &PatchParams::default(), &Patch::Merge(unprotected)).await?;
    }
    if tenants.get_opt("bakery").await?.is_some() {
        here.installation.kubectl(&["delete", "kt", "bakery", "--wait=false"])?;
        let reports: Api<RegionReport> = Api::namespaced(here.client.clone(), "kyb-us-east-1");
        let done = json!({"status": {"erasures": [{"tenant": "bakery", "state": "Done"}]}});
        reports.patch_status("us-east-1", &PatchParams::default(), &Patch::Merge(done)).await?;
    }
    for file in files.iter().rev() {
        let file = folder().join(file).display().to_string();
        here.installation.kubectl(&["delete", "--ignore-not-found", "--timeout=60s", "-f", &file])?;
    }
    let namespaces: Api<Namespace> = Api::all(here.client.clone());
    here.until("nothing to be left", || async {
        let left = namespaces.list(&kube::api::ListParams::default()).await?;
        let names = ["kyb-t-acme", "kyb-t-bakery", "kyb-us-east-1", "kyb-eu-west-1", "kyb-lists"];
        Ok(!left.iter().any(|left| names.iter().any(|name| left.name_any().starts_with(name))))
    })
    .await
}
