//! A region's spec as the builders want it: the environment's defaults filled in, images resolved.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use kyb_crds::{
    Autoscaling, EffectiveDefaults, Environment, Expose, ExternalDatabase, ImageSpec, LogLevel, PullPolicy,
    RegionDeployment, RegionDeploymentSpec, Scheduling, ServiceSpec, WatchlistSource, names,
};
use sha2::{Digest, Sha256};

use super::templates::Templates;
use crate::{
    component::{GATEWAY, WORKER},
    controllers::tenant::build::limits::quantities,
    profile::{Profile, Resources},
};

/// A region, checked.
#[derive(Debug, Clone)]
pub(crate) struct ValidRegion {
    /// The RegionDeployment's name and place.
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) region: String,
    pub(crate) residency: String,
    pub(crate) environment: Environment,
    pub(crate) version: String,
    pub(crate) gateway: Service,
    pub(crate) worker: Service,
    pub(crate) database: Database,
    pub(crate) redis: Option<Redis>,
    pub(crate) expose: Expose,
    pub(crate) pull_policy: &'static str,
    pub(crate) pull_secrets: Vec<String>,
    pub(crate) log_level: &'static str,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) watchlists: Vec<WatchlistSource>,
    pub(crate) cache_policy: Option<String>,
    pub(crate) templates: Templates,
}

/// One workload as it will run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    pub(crate) image: String,
    /// None where an autoscaler decides.
    pub(crate) replicas: Option<i32>,
    pub(crate) autoscaling: Option<Autoscaling>,
    pub(crate) requests: BTreeMap<String, Quantity>,
    pub(crate) limits: BTreeMap<String, Quantity>,
    pub(crate) scheduling: Option<Scheduling>,
}

/// Where the rows lie.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// One's own.
    External(ExternalDatabase),
    /// A single pod.
    Development(DevelopmentDatabase),
}

/// A single PostgreSQL pod.
#[derive(Debug, Clone)]
pub(crate) struct DevelopmentDatabase {
    pub(crate) image: String,
    pub(crate) storage: String,
    pub(crate) storage_class: Option<String>,
}

/// Where the shared cache lies.
#[derive(Debug, Clone)]
pub(crate) enum Redis {
    /// One's own.
    External,
    /// A single pod of this image.
    Development(String),
}

impl ValidRegion {
    /// Fills in what the spec leaves out. The API server has seen to it that exactly one database is named; of an object
    /// that names none, a development database is taken, and the status says so.
    pub(crate) fn of(deployment: &RegionDeployment, templates: Templates) -> Self {
        let spec = &deployment.spec;
        let profile = Profile::of(spec.environment);
        let image = spec.image.clone().unwrap_or_default();
        let services = spec.services.clone().unwrap_or_default();
        let telemetry = spec.telemetry.clone().unwrap_or_default();
        Self {
            name: deployment.name_any(),
            namespace: deployment.namespace().unwrap_or_default(),
            region: spec.region.to_string(),
            residency: spec.residency.to_string(),
            environment: spec.environment,
            version: spec.version.to_string(),
            gateway: service(
                services.gateway,
                &image.reference(names::GATEWAY, &spec.version),
                profile.gateways,
                profile.gateway,
            ),
            worker: service(
                services.worker,
                &image.reference(names::WORKER, &spec.version),
                profile.workers,
                profile.worker,
            ),
            database: database(spec, &image, profile.storage),
            redis: redis(spec, &image),
            expose: spec.expose.clone().unwrap_or_default(),
            pull_policy: image.pull_policy.unwrap_or(PullPolicy::IfNotPresent).as_str(),
            pull_secrets: spec.image_pull_secrets.iter().map(|secret| secret.name.to_string()).collect(),
            log_level: telemetry.log_level.unwrap_or(LogLevel::Info).as_str(),
            otlp_endpoint: telemetry.otlp_endpoint,
            watchlists: spec.watchlists.clone(),
            cache_policy: spec.cache_policy.as_ref().map(|policy| policy.name.to_string()),
            templates,
        }
    }

    /// Which of the pods' inputs they read only when they start: where their database is.
    pub(crate) fn restart_digest(&self) -> String {
        let text = match &self.database {
            Database::External(external) => serde_json::to_string(external).unwrap_or_default(),
            Database::Development(_) => names::POSTGRES.to_owned(),
        };
        hex::encode(&Sha256::digest(text)[..6])
    }

    /// What runs where the spec says nothing, for the status.
    pub(crate) fn defaults(&self) -> Vec<EffectiveDefaults> {
        let of = |name: &str, service: &Service| EffectiveDefaults {
            name: name.into(),
            replicas: service.replicas,
            autoscaling: service.autoscaling.clone(),
            requests: service.requests.clone(),
            limits: service.limits.clone(),
        };
        vec![of(GATEWAY, &self.gateway), of(WORKER, &self.worker)]
    }
}

fn service(spec: Option<ServiceSpec>, image: &str, replicas: i32, resources: Resources) -> Service {
    let spec = spec.unwrap_or_default();
    let given = spec.resources.unwrap_or_default();
    let fixed = if spec.autoscaling.is_some() { None } else { Some(spec.replicas.unwrap_or(replicas)) };
    Service {
        image: spec.image.unwrap_or_else(|| image.to_owned()),
        replicas: fixed,
        autoscaling: spec.autoscaling,
        requests: or(given.requests, &[("cpu", resources.cpu), ("memory", resources.memory)]),
        limits: or(given.limits, &[("cpu", resources.cpu_limit), ("memory", resources.memory_limit)]),
        scheduling: spec.scheduling,
    }
}

fn or(given: BTreeMap<String, Quantity>, default: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    if given.is_empty() { quantities(default) } else { given }
}

fn database(spec: &RegionDeploymentSpec, image: &ImageSpec, storage: &str) -> Database {
    if let Some(external) = &spec.database.external {
        return Database::External(external.clone());
    }
    let given = spec.database.development.clone().unwrap_or_default();
    Database::Development(DevelopmentDatabase {
        image: given.image.unwrap_or_else(|| image.reference(names::POSTGRES, &spec.version)),
        storage: given.storage.map_or_else(|| storage.to_owned(), |size| size.to_string()),
        storage_class: given.storage_class_name.map(|name| name.to_string()),
    })
}

fn redis(spec: &RegionDeploymentSpec, image: &ImageSpec) -> Option<Redis> {
    let redis = spec.redis.as_ref()?;
    if redis.external.is_some() {
        return Some(Redis::External);
    }
    let own = redis.development.as_ref()?.image.clone();
    Some(Redis::Development(own.unwrap_or_else(|| image.reference(names::REDIS, &spec.version))))
}
