//! `RegionDeployment`: the platform's workloads in one region.
//!
//! The operator turns it into deployments, services, autoscalers, disruption budgets, network policies, a database and a
//! cache, and into the runtime settings that all of them read.

mod data;
mod services;
mod status;
#[cfg(test)]
mod tests;
mod watchlist;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use data::{Database, DevelopmentDatabase, DevelopmentRedis, ExternalDatabase, ExternalRedis, Redis};
pub use services::{
    Autoscaling, Resources, Scheduling, ServiceSpec, Services, TaintEffect, Toleration, TolerationOperator,
};
pub use status::{EffectiveDefaults, RegionDeploymentStatus, ServiceStatus};
pub use watchlist::{WatchlistFormat, WatchlistSource};

use crate::{
    reference_to::{LocalRef, SecretRef},
    schema::enum_schema,
    text::{PlatformVersion, RegionName, Residency},
};

/// The platform's workloads in one region.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "kyb.dev",
    version = "v1alpha1",
    kind = "RegionDeployment",
    plural = "regiondeployments",
    shortname = "rd",
    category = "kyb",
    namespaced,
    status = "RegionDeploymentStatus",
    derive = "PartialEq",
    doc = "The platform's workloads in one region: gateway, worker, database, cache and watchlists.",
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Environment", type_ = "string", json_path = ".spec.environment"),
    printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Gateways", type_ = "string", json_path = ".status.gateways"),
    printcolumn(name = "Tenants", type_ = "integer", json_path = ".status.tenants"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.environment != 'production' || !has(self.database.development)")
        .message("a production region needs database.external; a development database is one pod without backup"),
    validation = Rule::new(
        "self.environment != 'production' || !has(self.redis) || !has(self.redis.development)"
    )
    .message("a production region needs redis.external, or no redis at all"),
    validation = Rule::new(
        "self.environment != 'production' || !has(self.watchlists) || self.watchlists.all(w, \
         (!has(w.url) || w.url.startsWith('https://')) && \
         (!has(w.urls) || w.urls.all(u, u.startsWith('https://'))))"
    )
    .message("a production region reads watchlists over https only: a list changed on its way is worth nothing"),
)]
pub struct RegionDeploymentSpec {
    /// The region's name, such as `us-east-1`. The namespace must carry the label `kyb.dev/region` with the same value. It
    /// can not be changed.
    #[x_kube(
        validation = Rule::new("self == oldSelf")
            .message("region can not be changed; make a RegionDeployment for the other region instead"),
        validation = Rule::new("!self.contains('--')").message("region must not contain `--`"),
    )]
    pub region: RegionName,
    /// Where the rows in this region's database may live, such as `US` or `EU`. It serves only tenants of the same
    /// residency. It can not be changed.
    #[x_kube(validation = Rule::new("self == oldSelf")
        .message("residency can not be changed: one database holds one residency only; make a new RegionDeployment"))]
    pub residency: Residency,
    /// `development`, `staging` or `production`. It gives the defaults of replicas, resources and autoscaling.
    pub environment: Environment,
    /// The platform's version, such as `0.1.0`; the tag of its images where `image.tag` is absent.
    pub version: PlatformVersion,
    /// Where the images come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Secrets with the credentials of the image registry; at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub image_pull_secrets: Vec<SecretRef>,
    /// The revision of the pod templates. Where it is absent, the one in use stays (`status.templateRevision`), and a new region
    /// gets the newest, so an upgrade of the operator changes no pod; set the one that `status.latestTemplateRevision` names to
    /// take part in improvements, at the cost of a rolling restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub template_revision: Option<i32>,
    /// The workloads. Where one is absent, it runs with the environment's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Services>,
    /// How the gateway is reached. Inside the cluster only where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expose: Option<Expose>,
    /// PostgreSQL: `external` or `development`.
    pub database: Database,
    /// Redis: `external` or `development`; without it every gateway caches for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
    /// The CachePolicy of the same namespace that the workloads obey; the platform's own defaults where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_policy: Option<LocalRef>,
    /// The watchlists to screen against; at most 100. Where empty every screening ends in an error, since nothing was
    /// compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub watchlists: Vec<WatchlistSource>,
    /// What the workloads log and where their traces go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// While true the operator writes nothing for this region; its status stays fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// What a region is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// One replica of everything, minimal resources.
    Development,
    /// Two replicas, half the size of production.
    Staging,
    /// Three replicas and more.
    Production,
}
enum_schema!(Environment, ["development", "staging", "production"]);

impl Environment {
    /// As written in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// Where the images come from: `<registry>/<repository>/<component>:<tag>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// The registry's host and port; `docker.io` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-zA-Z0-9][-.a-zA-Z0-9]*(:[0-9]{1,5})?$"))]
    pub registry: Option<String>,
    /// The path below which each component has its image; `kyb` where absent, which gives `…/kyb/kyb-gateway`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200), regex(pattern = "^[a-z0-9]([-._/a-z0-9]*[a-z0-9])?$"))]
    pub repository: Option<String>,
    /// The tag; `spec.version` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = "^[A-Za-z0-9_][-._A-Za-z0-9]*$"))]
    pub tag: Option<String>,
    /// When the kubelet pulls: `Always`, `IfNotPresent` or `Never`; `IfNotPresent` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
}

impl ImageSpec {
    /// The image of a component (`kyb-gateway`) where the spec names none of its own.
    pub fn reference(&self, component: &str, version: &PlatformVersion) -> String {
        let registry = self.registry.as_deref().unwrap_or("docker.io");
        let repository = self.repository.as_deref().unwrap_or("kyb");
        let tag = self.tag.as_deref().unwrap_or(version.as_str());
        format!("{registry}/{repository}/{component}:{tag}")
    }
}

/// When the kubelet pulls an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PullPolicy {
    /// Each time a pod starts.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}
enum_schema!(PullPolicy, ["Always", "IfNotPresent", "Never"]);

impl PullPolicy {
    /// As written in a pod.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

/// How the gateway is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.nodePort) || (has(self.type) && self.type != 'ClusterIP')")
        .message("nodePort is for a Service of type NodePort or LoadBalancer; set type, or leave nodePort out"),
)]
pub struct Expose {
    /// The type of the gateway's Service: `ClusterIP`, `NodePort` or `LoadBalancer`; `ClusterIP` where absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub service_type: Option<ServiceType>,
    /// The Service's port, 1 to 65535; 80 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<i32>,
    /// The port on every node, 30000 to 32767; picked by the cluster where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30_000, max = 32_767))]
    pub node_port: Option<i32>,
    /// Annotations of the Service, as cloud load balancers want them; at most 30.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30), schema_with = "crate::schema::annotations")]
    pub annotations: BTreeMap<String, String>,
}

/// The type of a Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ServiceType {
    /// Inside the cluster only.
    ClusterIP,
    /// On a port of every node.
    NodePort,
    /// Through the cloud's load balancer.
    LoadBalancer,
}
enum_schema!(ServiceType, ["ClusterIP", "NodePort", "LoadBalancer"]);

impl ServiceType {
    /// As written in a Service.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// What the workloads log and where their traces go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
    /// The least important log lines to write: `error`, `warn`, `info`, `debug` or `trace`; `info` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_level: Option<LogLevel>,
    /// An OpenTelemetry collector that takes OTLP over HTTP, such as `http://collector.monitoring:4318`; no traces are sent
    /// where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), regex(pattern = "^https?://[^@\\s]+$"))]
    pub otlp_endpoint: Option<String>,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may fail.
    Warn,
    /// What a person on call wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}
enum_schema!(LogLevel, ["error", "warn", "info", "debug", "trace"]);

impl LogLevel {
    /// As written in a log filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
