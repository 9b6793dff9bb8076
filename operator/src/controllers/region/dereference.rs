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
    let Some(deployment) = found else { return Running { trouble, ..Running::default() } };
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
