//! The workloads of a region: how many, how large, and where.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{schema::enum_schema, text::ObjectName};

/// The workloads of a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// The HTTP API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<ServiceSpec>,
    /// Queued and scheduled work: batches, watchlist updates, erasures, reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<ServiceSpec>,
}

/// One workload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.replicas) && has(self.autoscaling))")
        .message("say either replicas or autoscaling: under an autoscaler the number of replicas is its to choose"),
)]
pub struct ServiceSpec {
    /// How many pods, 0 to 100; instead of `autoscaling`. That of the environment where both are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub replicas: Option<i32>,
    /// How many pods by load; instead of `replicas`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// What a pod gets. That of the environment where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The whole image reference, in place of the one made from `spec.image` and `spec.version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), regex(pattern = "^[^\\s]+$"))]
    pub image: Option<String>,
    /// On which nodes the pods run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduling: Option<Scheduling>,
}

/// How many pods by load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.minReplicas <= self.maxReplicas")
        .message("autoscaling.minReplicas must not be above autoscaling.maxReplicas"),
    validation = Rule::new("has(self.cpuPercent) || has(self.memoryPercent)")
        .message("autoscaling needs cpuPercent, memoryPercent or both to scale by"),
)]
pub struct Autoscaling {
    /// The fewest pods, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub min_replicas: i32,
    /// The most pods, 1 to 200.
    #[schemars(range(min = 1, max = 200))]
    pub max_replicas: i32,
    /// The average CPU use to aim at, in percent of what a pod requests; 1 to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub cpu_percent: Option<i32>,
    /// The average memory use to aim at, in percent of what a pod requests; 1 to 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub memory_percent: Option<i32>,
}

/// What a pod gets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// What it is sure to get, such as `{cpu: 200m, memory: 256Mi}`; at most 10 names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub requests: BTreeMap<String, Quantity>,
    /// What it is limited to, such as `{cpu: 500m, memory: 512Mi}`; at most 10 names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub limits: BTreeMap<String, Quantity>,
}

/// On which nodes the pods run. Over hosts and zones they are spread in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduling {
    /// Labels that a node must have; at most 20.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20), schema_with = "crate::schema::labels")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods put up with; at most 20.
    // Atomic on purpose: two tolerations may differ in any field, so nothing in them is a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tolerations: Vec<Toleration>,
    /// The PriorityClass of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<ObjectName>,
}

/// A taint that pods put up with, as in a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.value) || !has(self.operator) || self.operator == 'Equal'")
        .message("a toleration with operator Exists must not have a value"),
    validation = Rule::new("has(self.key) || (has(self.operator) && self.operator == 'Exists')")
        .message("a toleration without a key tolerates everything; say operator Exists if that is meant"),
)]
pub struct Toleration {
    /// The taint's key; every key where absent, which needs `operator: Exists`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 317))]
    pub key: Option<String>,
    /// `Equal` or `Exists`; `Equal` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,
    /// The taint's value, for `Equal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; each of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
    /// How long a running pod stays under `NoExecute`, in seconds; for ever where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub toleration_seconds: Option<i64>,
}

/// How a toleration compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TolerationOperator {
    /// Key and value are those of the taint.
    Equal,
    /// The taint has the key.
    Exists,
}
enum_schema!(TolerationOperator, ["Equal", "Exists"]);

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods prefer other nodes.
    PreferNoSchedule,
    /// Running pods go, too.
    NoExecute,
}
enum_schema!(TaintEffect, ["NoSchedule", "PreferNoSchedule", "NoExecute"]);
