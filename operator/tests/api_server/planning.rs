//! `kyb-operator plan` says what then happens, object by object and field by field.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, ListParams},
};
use kyb_crds::names;
use kyb_kit::{
    compare::{Difference, differences},
    rehearsal::changes,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use crate::{
    here::{Here, region_deployment},
    installation::here,
};

/// Changes that are planned, then made. More with `KYB_PLANS=number`.
const CHANGES: usize = 12;

/// Kind, namespace, name.
type Key = (String, String, String);

/// What a plan says of the objects that belong to some of our own.
pub(crate) struct Planned {
    owners: BTreeSet<String>,
    before: BTreeMap<Key, Value>,
    said: Vec<Value>,
}

impl Planned {
    /// Plans the files for these owners, such as `KybTenant acme`, without which a plan may not be: others work here, too.
    pub(crate) async fn of(here: &Here, files: &[&Path], owners: &[&str]) -> anyhow::Result<Self> {
        let owners: BTreeSet<_> = owners.iter().map(|owner| (*owner).to_owned()).collect();
        let before = objects(here).await?;
        let mark = here.installation.plane.audit_mark().await?;
        let (_, plan) = plan(here, files)?;
        let planner = |event: &&kyb_lab::AuditEvent| event.user_agent.starts_with("kyb-operator-plan/");
        let events = here.installation.plane.audited_since(mark).await?;
        ensure!(events.iter().any(|event| planner(&event)), "the planner is known by its user agent");
        let wrote: Vec<_> = events.iter().filter(planner).filter(|event| event.is_write()).collect();
        ensure!(wrote.is_empty(), "planning wrote {wrote:?}");
        let of_ours = |change: &&Value| change["owner"].as_str().is_some_and(|owner| owners.contains(owner));
        let said = plan["changes"].as_array().into_iter().flatten().filter(of_ours).cloned().collect();
        Ok(Self { owners, before, said })
    }

    /// Waits until what was planned has happened, and nothing else has.
    pub(crate) async fn comes_true(&self, here: &Here) -> anyhow::Result<()> {
        let said =
            self.said.iter().map(|change| (key_of(change), action_of(change))).collect::<BTreeMap<_, _>>();
        let last = std::sync::Mutex::new(String::new());
        let same = async || {
            let happened = self.happened(here).await?;
            // What is refused does not happen.
            let differs = |key: &Key, action: &String| match happened.get(key) {
                None => action != "refuse",
                Some(happened) => happened != action,
            };
            let differ: Vec<_> = said.iter().filter(|(key, action)| differs(key, action)).collect();
            // With a namespace goes all that is in it.
            let goes_along = |key: &Key| {
                let place = ("Namespace".to_owned(), String::new(), key.1.clone());
                said.get(&place).is_some_and(|action| action == "delete")
            };
            let more = happened.iter().filter(|(key, _)| !said.contains_key(*key) && !goes_along(key));
            let more: Vec<_> = more.collect();
            let text = format!("planned and not so: {differ:#?}\nnot planned: {more:#?}");
            if let Ok(mut last) = last.lock() {
                *last = text;
            }
            anyhow::Ok(differ.is_empty() && more.is_empty())
        };
        let waited = here.until("what was planned", &same).await;
        waited.with_context(|| last.lock().map(|last| last.clone()).unwrap_or_default())?;
        let now = objects(here).await?;
        for change in &self.said {
            let key = key_of(change);
            let Some(object) = now.get(&key) else { continue };
            self.is_as_planned(change, object).with_context(|| format!("{key:?}"))?;
        }
        Ok(())
    }

    fn is_as_planned(&self, planned: &Value, object: &Value) -> anyhow::Result<()> {
        if action_of(planned) == "create" {
            let mut wanted = planned["object"].clone();
            unknown_before(&mut wanted);
            let open = differences(&wanted, object);
            ensure!(open.is_empty(), "other than planned: {}", told(&wanted, &open));
            return Ok(());
        }
        if action_of(planned) == "refuse" {
            return Ok(());
        }
        let before = self.before.get(&key_of(planned)).context("it was not there before")?;
        let fields = |change: &Value| {
            change["field"].as_str().unwrap_or_default().split(' ').next().map(str::to_owned)
        };
        let said: BTreeSet<_> =
            planned["fields"].as_array().into_iter().flatten().filter_map(fields).collect();
        let happened: BTreeSet<_> = changed_fields(before, object).collect();
        let digest = format!("metadata.annotations[{}]", names::APPLIED_ANNOTATION);
        let without_digest = |fields: &BTreeSet<String>| {
            fields.iter().filter(|field| **field != digest).cloned().collect::<BTreeSet<_>>()
        };
        ensure!(
            without_digest(&said) == without_digest(&happened),
            "planned {said:?}, happened {happened:?}"
        );
        Ok(())
    }

    /// What has become of the owners' objects since the plan.
    async fn happened(&self, here: &Here) -> anyhow::Result<BTreeMap<Key, String>> {
        let now = objects(here).await?;
        let ours = |object: &Value| owner_of(object).is_some_and(|owner| self.owners.contains(&owner));
        let mut happened = BTreeMap::new();
        for (key, object) in now.iter().filter(|(_, object)| ours(object)) {
            match self.before.get(key) {
                Some(before) if before["metadata"]["uid"] != object["metadata"]["uid"] => {
                    happened.insert(key.clone(), "recreate".to_owned());
                }
                Some(before) if changed_fields(before, object).next().is_none() => (),
                Some(_) => drop(happened.insert(key.clone(), "change".to_owned())),
                None => drop(happened.insert(key.clone(), "create".to_owned())),
            }
        }
        for (key, object) in self.before.iter().filter(|(_, object)| ours(object)) {
            if !now.contains_key(key) {
                happened.insert(key_of_object(object), "delete".to_owned());
            }
        }
        Ok(happened)
    }
}

/// What was planned at each place, and what is there.
fn told(wanted: &Value, open: &[Difference]) -> String {
    let planned = |open: &Difference| wanted.pointer(&open.pointer).cloned().unwrap_or_default();
    let line = |open: &Difference| format!("\n{}: {} -> {:?}", open.pointer, planned(open), open.found);
    open.iter().map(line).collect()
}

/// The fields that differ, but for those that controllers of Kubernetes's own write.
fn changed_fields(before: &Value, after: &Value) -> impl Iterator<Item = String> {
    let of_others = [
        "metadata.annotations[deployment.kubernetes.io/revision]",
        "metadata.finalizers",
        "metadata.deletion",
    ];
    let scaled = !sets_replicas(after);
    let fields = changes(before, after).into_iter().map(|change| change.field);
    fields.filter(move |field| {
        !(of_others.iter().any(|other| field.starts_with(other)) || scaled && field == "spec.replicas")
    })
}

/// Whether the operator decides how many there are, and no autoscaler.
fn sets_replicas(object: &Value) -> bool {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let ours = |entry: &&Value| entry["manager"] == names::REGION_MANAGER;
    entries.filter(ours).any(|entry| entry.pointer("/fieldsV1/f:spec/f:replicas").is_some())
}

/// Takes out what the plan could not know.
fn unknown_before(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("ownerReferences");
        if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
            labels.remove(names::OWNER_UID_LABEL);
        }
    }
    if object["kind"] == "Secret"
        && let Some(secret) = object.as_object_mut()
    {
        secret.remove("data");
    }
    // The server chooses addresses anew.
    let spec = object.get_mut("spec").and_then(Value::as_object_mut);
    if let Some(spec) = spec.filter(|spec| spec.contains_key("clusterIP")) {
        spec.retain(|name, _| !["clusterIP", "clusterIPs", "healthCheckNodePort"].contains(&name.as_str()));
        for port in spec
            .get_mut("ports")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            port.remove("nodePort");
        }
    }
    // What a Job's pods are told apart by follows from its uid.
    if object["kind"] == "Job" {
        if let Some(labels) =
            object.pointer_mut("/spec/template/metadata/labels").and_then(Value::as_object_mut)
        {
            labels.retain(|name, _| !name.contains("controller-uid"));
        }
        if let Some(spec) = object["spec"].as_object_mut() {
            spec.remove("selector");
        }
    }
}

fn key_of(change: &Value) -> Key {
    let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
    (text("kind"), text("namespace"), text("name"))
}

fn key_of_object(object: &Value) -> Key {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

fn action_of(change: &Value) -> String {
    change["action"].as_str().unwrap_or_default().to_owned()
}

fn owner_of(object: &Value) -> Option<String> {
    let owner =
        object["metadata"]["ownerReferences"].as_array()?.iter().find(|owner| owner["controller"] == true)?;
    Some(format!("{} {}", owner["kind"].as_str()?, owner["name"].as_str()?))
}

/// All that the operator has written.
async fn objects(here: &Here) -> anyhow::Result<BTreeMap<Key, Value>> {
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=kyb-operator");
    let mut found = BTreeMap::new();
    for resource in kinds() {
        let api: Api<DynamicObject> = Api::all_with(here.client.clone(), &resource);
        for object in api.list(&ours).await? {
            let mut object = serde_json::to_value(object)?;
            object["kind"] = resource.kind.clone().into();
            found.insert(key_of_object(&object), object);
        }
    }
    Ok(found)
}

fn kinds() -> Vec<ApiResource> {
    use k8s_openapi::api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        batch::v1::Job,
        core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
        rbac::v1::RoleBinding,
    };
    vec![
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<kyb_crds::RegionReport>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

/// Runs the program; its exit code and what it printed.
fn plan(here: &Here, files: &[&Path]) -> anyhow::Result<(Option<i32>, Value)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyb-operator"));
    command.args(["plan", "--output", "json"]).env("KUBECONFIG", here.installation.plane.kubeconfig());
    for file in files {
        command.arg("-f").arg(file);
    }
    let output = command.stdin(Stdio::null()).output()?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let plan = serde_json::from_str(&said).with_context(|| format!("{said}{complained}"))?;
    Ok((output.status.code(), plan))
}

/// A tenant and a region that change at random, as their owners might change them.
struct Changing {
    random: StdRng,
    tenant: Value,
    region: Value,
    versions: u32,
}

const REGION: &str = "plan-1";
const TENANT: &str = "planned";

impl Changing {
    fn new(seed: u64) -> Self {
        let tenant = json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": TENANT},
            "spec": {
                "id": TENANT, "displayName": "Planned", "plan": "enterprise", "contexts": [{"name": "one"}],
                "placement": {"home": REGION, "regions": [REGION], "residency": "US"},
                "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
                "deletion": {"protected": false, "data": "Retain"},
            },
        });
        Self { random: StdRng::seed_from_u64(seed), tenant, region: region_deployment(REGION), versions: 0 }
    }

    fn change(&mut self) -> &'static str {
        let number = self.random.random_range(2..9_i64);
        let (tenant, region) = (&mut self.tenant["spec"], &mut self.region["spec"]);
        let changes = [
            "contexts",
            "plan",
            "quota",
            "rate limit",
            "egress",
            "access",
            "key",
            "rotation",
            "scaling",
            "replicas",
            "resources",
            "version",
            "redis",
            "watchlist",
            "rule",
        ];
        let what = *changes.choose(&mut self.random).unwrap_or(&"plan");
        match what {
            "contexts" => {
                tenant["contexts"] =
                    (1..number).map(|number| json!({"name": format!("c{number}")})).collect();
            }
            "plan" => {
                tenant["plan"] = ["starter", "professional", "enterprise"]
                    [usize::try_from(number % 3).unwrap_or(0)]
                .into();
            }
            "quota" => {
                tenant["quota"] = json!({"requests.cpu": number.to_string(), "services": number.to_string()});
            }
            "rate limit" => tenant["rateLimit"] = json!({"requestsPerMinute": number * 100, "burst": number}),
            "egress" => {
                tenant["egress"] =
                    json!([{"name": format!("e{number}"), "cidr": "203.0.113.0/24", "ports": [443]}]);
            }
            "access" => {
                let subject = json!({"kind": "User", "name": format!("user-{number}")});
                tenant["access"] = json!([{"name": "team", "role": "Auditor", "subjects": [subject]}]);
            }
            "key" => {
                let key = json!({"name": format!("k{number}"), "role": "Auditor", "generation": 1});
                tenant["apiKeys"] = json!([tenant["apiKeys"][0], key]);
            }
            "rotation" => {
                let generation = tenant["apiKeys"][0]["generation"].as_i64().unwrap_or(1);
                tenant["apiKeys"][0]["generation"] = (generation + 1).into();
            }
            "scaling" => {
                region["services"]["gateway"] =
                    json!({"autoscaling": {"minReplicas": number, "maxReplicas": 20, "cpuPercent": 60}});
            }
            "replicas" => {
                region["services"] =
                    json!({"gateway": {"replicas": number}, "worker": {"replicas": number % 3 + 1}});
            }
            "resources" => {
                region["services"]["worker"]["resources"] =
                    json!({"requests": {"cpu": format!("{number}00m")}});
            }
            "version" => {
                self.versions += 1;
                region["version"] = format!("0.1.{}", self.versions).into();
            }
            "redis" if region["redis"].is_null() => region["redis"] = json!({"development": {}}),
            "redis" => drop(region.as_object_mut().and_then(|spec| spec.remove("redis"))),
            "watchlist" => {
                let list = json!({"name": format!("l{number}"), "format": "UnXml", "url": "https://lists.example/un.xml"});
                region["watchlists"] = json!([list]);
            }
            _ => {
                let when = format!("risk.score >= {number}0");
                tenant["verification"] = json!({"policy": [{"name": "high", "when": when, "then": "review", "reason": "RISK_HIGH"}]});
            }
        }
        what
    }

    fn write(&self, folder: &Path) -> anyhow::Result<std::path::PathBuf> {
        let file = folder.join("changing.json");
        std::fs::write(
            &file,
            json!({"apiVersion": "v1", "kind": "List", "items": [self.region, self.tenant]}).to_string(),
        )?;
        Ok(file)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_changes_come_true_as_planned() -> anyhow::Result<()> {
    let here = here().await?;
    let number = std::env::var("KYB_PLANS").ok().and_then(|number| number.parse().ok()).unwrap_or(CHANGES);
    let folder = tempfile::tempdir()?;
    let seed = 20_261_121;
    let mut changing = Changing::new(seed);
    let owners = ["KybTenant planned", "RegionDeployment plan-1"];
    here.namespace("kyb-plan-1", json!({"kyb.dev/region": REGION})).await?;
    let mut planned = 0;
    let mut what = "new";
    for round in 0..number {
        let file = changing.write(folder.path())?;
        let plan = Planned::of(&here, &[&file], &owners).await?;
        let file = file.display().to_string();
        here.installation.kubectl(&["apply", "--server-side", "-f", &file])?;
        let came = tokio::select! {
            came = plan.comes_true(&here) => came,
            why = here.all_migrations_succeed("kyb-plan-1") => Err(why),
        };
        came.with_context(|| format!("seed {seed}, round {round}: {what}"))?;
        planned += plan.said.len();
        what = changing.change();
    }
    eprintln!("{number} changes, {planned} objects planned and seen");
    ensure!(planned > number, "hardly anything was planned: {planned}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_would_refuse_is_said_and_nothing_changes() -> anyhow::Result<()> {
    let here = here().await?;
    here.region("plan-2").await?;
    here.tenant("planned-2", "plan-2", |_| ()).await?;
    here.tenant_says("planned-2", "Ready", "NoReport").await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tenant.json");
    let mut tenant = Changing::new(1).tenant;
    tenant["metadata"]["name"] = "planned-2".into();
    std::fs::write(&file, tenant.to_string())?;
    let (code, said) = plan(&here, &[&file])?;
    let refused =
        said["changes"].as_array().into_iter().flatten().find(|change| change["action"] == "refuse");
    let refusal = refused.context("nothing is refused")?["refusal"].as_str().unwrap_or_default().to_owned();
    ensure!(code == Some(1) && refusal.contains("spec.id"), "{code:?}: {refusal}");
    Ok(())
}

#[test]
fn without_a_cluster_everything_is_new_and_no_secret_is_shown() -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyb-operator"));
    command.args(["plan", "--offline", "-f", "../examples/quickstart"]).env_remove("KUBECONFIG");
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.code() == Some(2), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "+ create KybTenant acme",
        "+ create Namespace kyb-t-acme--lending",
        "+ create Deployment kyb-us-east-1/kyb-gateway",
    ] {
        ensure!(said.contains(line), "no {line} in {said}");
    }
    ensure!(!said.contains('\u{1b}'), "colours are for terminals");
    let again = command.args(["--output", "yaml"]).output()?;
    let said = String::from_utf8_lossy(&again.stdout);
    ensure!(said.contains("(secret)") && !said.contains("kyb_live_"), "{said}");
    Ok(())
}

#[test]
fn what_can_not_be_planned_is_said_with_what_to_do() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tenant.yaml");
    for (text, says) in [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: one}\n", "no KybTenant"),
        (
            "apiVersion: kyb.dev/v1alpha1\nkind: KybTenant\nmetadata: {name: one}\nspec: {ide: one}\n",
            "KybTenant one: ",
        ),
        ("{", "document 1: no YAML"),
    ] {
        std::fs::write(&file, text)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_kyb-operator"));
        let output = command.args(["plan", "--offline", "-f"]).arg(&file).output()?;
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(1) && complained.contains(says), "{text}: {complained}");
    }
    Ok(())
}
