//! All reads of a region's reconcile.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::Secret,
};
use kube::{Api, ResourceExt};
use kyb_crds::{CachePolicySpec, Reason, RegionDeployment, RegionReportStatus, SecretKeyRef, names};
use kyb_settings::files::CacheFile;

use super::{
    build::{
        database::{self, Role},
        settings,
    },
    pods::{last_words, refused_pods, trouble},
    validate::{Database, ValidRegion},
};
use crate::{concern::Problem, context::Context};

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Why nothing may be written for this object at all.
    pub(crate) refusal: Option<Problem>,
    /// The CachePolicy that the spec names.
    pub(crate) cache_policy: Option<CacheRules>,
    /// The name of the CachePolicy that the spec names, where there is none.
    pub(crate) missing_policy: Option<String>,
    pub(crate) migration: Migration,
    pub(crate) gateway: Running,
    pub(crate) worker: Running,
    pub(crate) database: Running,
    pub(crate) redis: Running,
    /// What is wrong with the Secrets that the spec names.
    pub(crate) secrets: Option<Problem>,
    /// What the worker reports.
    pub(crate) report: Option<RegionReportStatus>,
    /// Tenants that this region serves.
    pub(crate) tenants: usize,
}

/// What the workloads may keep.
#[derive(Debug, Clone)]
pub(crate) enum CacheRules {
    /// As the CachePolicy says.
    Policy(CachePolicySpec),
    /// As they were told last: the CachePolicy is paused.
    Standing(Option<CacheFile>),
}

/// How far the migration of the wanted version is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Migration {
    /// The Job is there or about to be.
    #[default]
    Running,
    /// The Job goes on trying, with why it has not come to its end.
    Delayed(Problem),
    Succeeded,
    /// It gave up, with what it said last.
    Failed(String),
}

/// A workload as it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running {
    pub(crate) exists: bool,
    /// Pods that are wanted now, be it by us or by an autoscaler.
    pub(crate) desired: i32,
    /// Pods of the newest template that are ready.
    pub(crate) ready: i32,
    /// Whether the Deployment's controller has seen its newest spec and replaced all older pods.
    pub(crate) settled: bool,
    pub(crate) image: Option<String>,
    /// What its pods read only when they start, as they were started: see [`ValidRegion::restart_digest`].
    pub(crate) restart: Option<String>,
    /// Why a pod does not come up.
    pub(crate) trouble: Option<Problem>,
}

/// Reads everything.
pub(crate) async fn dereference(
    deployment: &RegionDeployment,
    region: &ValidRegion,
    context: &Context,
) -> Facts {
    let policy =
        region.cache_policy.as_ref().map(|name| (name, context.cache_policy(&region.namespace, name)));
    let report = context.report(deployment).and_then(|report| report.status.clone());
    let gateway = deployment_of(region, names::GATEWAY, crate::component::GATEWAY, context);
    let migration = migration(region, context);
    // Once pods run with them the Secrets are known to be good, and nothing is asked.
    let same = gateway.restart.as_ref() == Some(&region.restart_digest());
    let known = same && gateway.ready > 0 && migration == Migration::Succeeded || !context.sees_secrets;
    let secrets = if known { None } else { check_secrets(region, context).await };
    Facts {
        refusal: refusal(deployment, region, context),
        missing_policy: policy.as_ref().filter(|(_, found)| found.is_none()).map(|(name, _)| (*name).clone()),
        cache_policy: policy.and_then(|(_, found)| Some(rules(&found?.spec, region, context))),
        migration,
        gateway,
        worker: deployment_of(region, names::WORKER, crate::component::WORKER, context),
        database: stateful_set(region, context),
        redis: deployment_of(region, names::REDIS, crate::component::REDIS, context),
        secrets,
        tenants: context.tenants_of(deployment),
        report,
    }
}

fn rules(policy: &CachePolicySpec, region: &ValidRegion, context: &Context) -> CacheRules {
    if policy.paused != Some(true) {
        return CacheRules::Policy(policy.clone());
    }
    CacheRules::Standing(settings::written_cache(&context.live, &region.namespace))
}

/// The namespace must be the region's, and nobody else may serve the region already: the elder stays.
fn refusal(deployment: &RegionDeployment, region: &ValidRegion, context: &Context) -> Option<Problem> {
    let labelled = context.region_of_namespace(&region.namespace);
    if labelled.as_deref() != Some(region.region.as_str()) {
        let message = format!(
            "the namespace {0} does not carry the label {1}={2}; an administrator has to set it: kubectl label namespace {0} {1}={2}",
            region.namespace,
            names::REGION_LABEL,
            region.region
        );
        return Some(Problem::new(Reason::NamespaceNotLabelled, message));
    }
    let elder = context.elder_of(deployment)?;
    let message = format!(
        "region {} is served by RegionDeployment {}/{} already; delete one of the two",
        region.region,
        elder.namespace().unwrap_or_default(),
        elder.name_any()
    );
    Some(Problem::new(Reason::DuplicateRegion, message))
}

fn migration(region: &ValidRegion, context: &Context) -> Migration {
    let name = database::migration_name(region);
    let job: Option<Job> = context.live.typed(Some(&region.namespace), &name);
    let Some(status) = job.and_then(|job| job.status) else { return Migration::Running };
    let conditions = status.conditions.unwrap_or_default();
    let is = |kind: &str| {
        conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True")
    };
    if is("Complete").is_some() {
        return Migration::Succeeded;
    }
    let pods = context.pods_of(&region.namespace, &region.name, crate::component::MIGRATION);
    let pods: Vec<_> = pods.into_iter().filter(|pod| pod.labels().get(JOB_LABEL) == Some(&name)).collect();
    let said = last_words(&pods);
    match is("Failed") {
        Some(failed) => Migration::Failed(said.or_else(|| failed.message.clone()).unwrap_or_default()),
        None => pods
            .iter()
            .find_map(|pod| trouble(pod))
            .or_else(|| said.map(|said| Problem::new(Reason::Retrying, format!("{said}; it is tried again"))))
            .map_or(Migration::Running, Migration::Delayed),
    }
}

/// The label by which the Job controller knows a Job's pods.
const JOB_LABEL: &str = "batch.kubernetes.io/job-name";

fn deployment_of(region: &ValidRegion, name: &str, component: &str, context: &Context) -> Running {
    let found: Option<Deployment> = context.live.typed(Some(&region.namespace), name);
    let trouble =
        context.pods_of(&region.namespace, &region.name, component).iter().find_map(|pod| trouble(pod));
    match found {
        Some(deployment) => running(deployment, trouble),
        None => Running { trouble, ..Running::default() },
    }
}

/// A Deployment as it runs; `trouble` is why one of its pods does not come up.
fn running(deployment: Deployment, trouble: Option<Problem>) -> Running {
    let status = deployment.status.unwrap_or_default();
    let spec = deployment.spec.unwrap_or_default();
    let trouble = trouble.or_else(|| refused_pods(status.conditions.as_deref().unwrap_or_default()));
    let (desired, updated) = (spec.replicas.unwrap_or(1), status.updated_replicas.unwrap_or(0));
    let seen = status.observed_generation >= deployment.metadata.generation;
    let annotations = spec.template.metadata.and_then(|metadata| metadata.annotations);
    let container = spec.template.spec.and_then(|pod| pod.containers.into_iter().next());
    Running {
        exists: true,
        restart: annotations.and_then(|mut all| all.remove(names::RESTART_ANNOTATION)),
        desired,
        ready: status.ready_replicas.unwrap_or(0).min(updated),
        settled: seen && updated == status.replicas.unwrap_or(0),
        image: container.and_then(|container| container.image),
        trouble,
    }
}

fn stateful_set(region: &ValidRegion, context: &Context) -> Running {
    if matches!(region.database, Database::External(_)) {
        return Running::default();
    }
    let found: Option<StatefulSet> = context.live.typed(Some(&region.namespace), names::POSTGRES);
    let pods = context.pods_of(&region.namespace, &region.name, crate::component::DATABASE);
    let trouble = pods.iter().find_map(|pod| trouble(pod));
    let Some(set) = found else { return Running { trouble, ..Running::default() } };
    let status = set.status.unwrap_or_default();
    let template = set.spec.and_then(|spec| spec.template.spec);
    let container = template.and_then(|pod| pod.containers.into_iter().next());
    Running {
        exists: true,
        desired: 1,
        ready: status.ready_replicas.unwrap_or(0),
        settled: status.observed_generation >= set.metadata.generation,
        restart: None,
        image: container.and_then(|container| container.image),
        trouble,
    }
}

/// Looks at the Secrets that the spec names; a development database's are our own.
async fn check_secrets(region: &ValidRegion, context: &Context) -> Option<Problem> {
    let Database::External(external) = &region.database else { return None };
    let mut references = vec![
        ("database.external.migrator", database::credential(region, Role::Migrator)),
        ("database.external.runtime", database::credential(region, Role::Runtime)),
        ("database.external.reader", database::credential(region, Role::Reader)),
    ];
    references.extend(external.ca.clone().map(|ca| ("database.external.ca", ca)));
    for (field, reference) in references {
        if let Err(problem) = check_secret(region, field, &reference, context).await {
            return Some(problem);
        }
    }
    None
}

async fn check_secret(
    region: &ValidRegion,
    field: &str,
    reference: &SecretKeyRef,
    context: &Context,
) -> Result<(), Problem> {
    let (namespace, name, key) = (&region.namespace, &reference.name, &reference.key);
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let read = secrets.get_opt(name.as_str()).await.map_err(|why| {
        Problem::new(
            Reason::Retrying,
            format!("Secret {namespace}/{name} can't be read, will try again: {why}"),
        )
    })?;
    let secret = read.ok_or_else(|| {
        let message = format!(
            "spec.{field}: Secret {namespace}/{name} does not exist; create it with the value under `{key}`"
        );
        Problem::new(Reason::SecretNotFound, message)
    })?;
    if secret.data.unwrap_or_default().contains_key(key.as_str()) {
        return Ok(());
    }
    let message =
        format!("spec.{field}: Secret {namespace}/{name} has no key `{key}`; add it, or correct the spec");
    Err(Problem::new(Reason::SecretKeyNotFound, message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        controllers::region::templates::Templates,
        scope::Scope,
        testing::{LATELY, LONG_AGO, context, namespace_of, region, report, tenant},
    };

    /// What is read of the region `us-east-1` in the namespace `one`, which an administrator gave to it.
    async fn read(others: &[Value]) -> Facts {
        read_of(region("one", "us-east-1", LATELY), &[&[namespace_of("us-east-1", "one")], others].concat())
            .await
    }

    async fn read_of(object: Value, others: &[Value]) -> Facts {
        let context = context(Scope::Cluster, &[std::slice::from_ref(&object), others].concat());
        let object: RegionDeployment = serde_json::from_value(object).unwrap();
        dereference(&object, &ValidRegion::of(&object, Templates::NEWEST), &context).await
    }

    fn ours(kind: &str, version: &str, name: &str, status: &Value) -> Value {
        let labels = json!({names::MANAGED_BY_LABEL: names::MANAGED_BY});
        let metadata = json!({"name": name, "namespace": "one", "labels": labels, "generation": 2});
        let spec = json!({"selector": {}, "serviceName": "one", "template": {}});
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, "status": status})
    }

    fn migration_of(object: &Value) -> String {
        let object: RegionDeployment = serde_json::from_value(object.clone()).unwrap();
        database::migration_name(&ValidRegion::of(&object, Templates::NEWEST))
    }

    #[tokio::test]
    async fn a_namespace_of_nobody_or_of_an_elder_region_is_refused() {
        assert!(read(&[]).await.refusal.is_none());
        let own = || region("one", "us-east-1", LATELY);
        let of = |facts: Facts| facts.refusal.map(|problem| (problem.reason, problem.message)).unwrap();
        let (reason, message) = of(read_of(own(), &[]).await);
        assert_eq!(reason, Reason::NamespaceNotLabelled);
        assert!(message.contains("kubectl label namespace one kyb.dev/region=us-east-1"), "{message}");
        let other = read_of(own(), &[namespace_of("us-west-2", "one")]).await;
        assert_eq!(of(other).0, Reason::NamespaceNotLabelled);
        let (reason, message) = of(read(&[region("elder", "us-east-1", LONG_AGO)]).await);
        assert_eq!(reason, Reason::DuplicateRegion);
        assert!(message.contains("is served by RegionDeployment elder/elder already"), "{message}");
    }

    #[tokio::test]
    async fn a_migration_is_told_by_its_job_and_by_what_its_pod_said_last() {
        let name = migration_of(&region("one", "us-east-1", LATELY));
        let job = |kind: &str| {
            ours(
                "Job",
                "batch/v1",
                &name,
                &json!({"conditions": [{"type": kind, "status": "True", "message": "BackoffLimitExceeded"}]}),
            )
        };
        let pod = |job: &str| {
            let labels = json!({
                names::INSTANCE_LABEL: "one", names::COMPONENT_LABEL: crate::component::MIGRATION, JOB_LABEL: job,
            });
            let ended = json!({"terminated": {"exitCode": 1, "message": "no such role"}});
            let container = json!({
                "name": "migrate", "state": ended, "ready": false, "restartCount": 0, "image": "", "imageID": "",
            });
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "one", "labels": labels},
                "status": {"containerStatuses": [container]},
            })
        };
        let of = |objects: Vec<Value>| async move { read(&objects).await.migration };
        assert_eq!(of(vec![]).await, Migration::Running);
        assert_eq!(of(vec![job("Complete"), pod(&name)]).await, Migration::Succeeded);
        assert_eq!(of(vec![job("Failed"), pod(&name)]).await, Migration::Failed("no such role".to_owned()));
        assert_eq!(of(vec![job("Failed")]).await, Migration::Failed("BackoffLimitExceeded".to_owned()));
        let Migration::Delayed(problem) = of(vec![job("Suspended"), pod(&name)]).await else {
            panic!("it goes on")
        };
        assert_eq!(
            (problem.reason, problem.message.as_str()),
            (Reason::Retrying, "no such role; it is tried again")
        );
        assert_eq!(of(vec![job("Suspended"), pod("of an older job")]).await, Migration::Running);
    }

    #[tokio::test]
    async fn each_workload_is_read_by_its_own_name() {
        let ready = json!({"readyReplicas": 1, "replicas": 1, "updatedReplicas": 1, "observedGeneration": 2});
        let facts = read(&[
            ours("Deployment", "apps/v1", names::GATEWAY, &ready),
            ours("StatefulSet", "apps/v1", names::POSTGRES, &ready),
        ])
        .await;
        assert_eq!(
            [&facts.gateway, &facts.worker, &facts.database, &facts.redis].map(|one| one.ready),
            [1, 0, 1, 0]
        );
        assert!(facts.database.exists && facts.database.settled && !facts.worker.exists);
        let older = json!({"readyReplicas": 1, "observedGeneration": 1});
        assert!(!read(&[ours("StatefulSet", "apps/v1", names::POSTGRES, &older)]).await.database.settled);
    }

    #[tokio::test]
    async fn the_rules_of_a_policy_that_is_paused_stay_as_they_were_written() {
        let policy = |paused: bool| {
            json!({
                "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy",
                "metadata": {"name": "default", "namespace": "one"}, "spec": {"paused": paused},
            })
        };
        assert!(matches!(read(&[policy(false)]).await.cache_policy, Some(CacheRules::Policy(_))));
        assert!(matches!(read(&[policy(true)]).await.cache_policy, Some(CacheRules::Standing(None))));
        let missing = read(&[]).await;
        assert_eq!(
            (missing.missing_policy.as_deref(), missing.cache_policy.is_some()),
            (Some("default"), false)
        );
        assert_eq!(read(&[policy(false)]).await.missing_policy, None);
    }

    #[tokio::test]
    async fn a_secret_that_is_not_there_is_named_until_pods_run_with_it() {
        let secret = |key: &str| json!({"name": "database", "key": key});
        let mut external = region("one", "us-east-1", LATELY);
        external["spec"]["database"] = json!({"external": {
            "migrator": secret("migrator"), "runtime": secret("runtime"), "reader": secret("reader"),
        }});
        let problem = read_of(external, &[namespace_of("us-east-1", "one")]).await.secrets.unwrap();
        assert_eq!(problem.reason, Reason::SecretNotFound);
        assert!(problem.message.contains("Secret one/database does not exist"), "{}", problem.message);
        assert!(read(&[]).await.secrets.is_none(), "a development database's are our own");
    }

    #[tokio::test]
    async fn tenants_are_counted_and_the_report_is_read() {
        let acme = tenant("acme", "acme", LONG_AGO);
        let facts = read(&[&[acme][..], &report("one", 1, &json!({}))].concat()).await;
        assert_eq!((facts.tenants, facts.report.is_some()), (1, true));
    }

    fn seen(change: impl FnOnce(&mut Value)) -> Running {
        let mut deployment = json!({
            "metadata": {"name": "kyb-gateway", "generation": 4},
            "spec": {
                "replicas": 3, "selector": {},
                "template": {
                    "metadata": {"annotations": {names::RESTART_ANNOTATION: "digest"}},
                    "spec": {"containers": [{"name": "gateway", "image": "gateway:1"}]},
                },
            },
            "status": {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3},
        });
        change(&mut deployment);
        running(serde_json::from_value(deployment).unwrap(), None)
    }

    #[test]
    fn a_deployment_is_settled_once_all_pods_are_of_its_newest_template() {
        let well = seen(|_| ());
        assert_eq!((well.exists, well.desired, well.ready, well.settled), (true, 3, 3, true));
        assert_eq!((well.image.as_deref(), well.restart.as_deref()), (Some("gateway:1"), Some("digest")));
        assert!(well.trouble.is_none());
        let older = seen(|deployment| deployment["status"]["observedGeneration"] = 3.into());
        assert!(!older.settled, "its controller has not seen the newest spec");
        let rolling = seen(|deployment| deployment["status"]["updatedReplicas"] = 1.into());
        assert_eq!(
            (rolling.settled, rolling.ready),
            (false, 1),
            "older pods that are ready count for nothing"
        );
        let new = seen(|deployment| deployment["status"] = Value::Null);
        assert_eq!((new.settled, new.ready, new.desired), (false, 0, 3));
        let scaled = seen(|deployment| deployment["spec"]["replicas"] = Value::Null);
        assert_eq!(scaled.desired, 1, "what Kubernetes takes where nothing is said");
    }

    #[test]
    fn why_pods_do_not_come_up_or_are_not_made_is_handed_on() {
        let deployment = || {
            serde_json::from_value::<Deployment>(json!({
            "metadata": {}, "spec": {"selector": {}, "template": {}},
            "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]},
        })).unwrap()
        };
        let refused = running(deployment(), None).trouble.unwrap();
        assert!(refused.message.contains("exceeded quota"), "{}", refused.message);
        let crashing = Problem::new(Reason::CrashLooping, "it ends");
        assert_eq!(
            running(deployment(), Some(crashing.clone())).trouble,
            Some(crashing),
            "the pod's own word comes first"
        );
    }
}
