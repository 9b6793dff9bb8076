//! `RegionReport`: what a region's running workloads say back.
//!
//! The operator makes the object, named like the RegionDeployment; the worker writes its status and nothing else, rounded
//! and only on change; the operator reads it into the status of the other kinds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{
    cache_policy::CacheClass,
    schema::enum_schema,
    text::{ListName, ObjectName, RegionName, Sha256, TenantId},
};

/// What a region's running workloads say back.
#[derive(CustomResource, Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "kyb.dev",
    version = "v1alpha1",
    kind = "RegionReport",
    plural = "regionreports",
    shortname = "rr",
    category = "kyb",
    namespaced,
    status = "RegionReportStatus",
    derive = "PartialEq",
    doc = "What a region's running workloads say back: list versions, settings accepted or refused, hit rates. Written by the worker.",
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region"),
    printcolumn(name = "Workloads", type_ = "integer", json_path = ".status.counts.workloads"),
    printcolumn(name = "Refusing", type_ = "integer", json_path = ".status.counts.refusing"),
    printcolumn(name = "Lists fresh", type_ = "string", json_path = ".status.counts.listsFresh"),
    printcolumn(name = "Schema", type_ = "integer", json_path = ".status.database.schemaVersion"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct RegionReportSpec {
    /// The region that is reported on. It can not be changed.
    #[x_kube(validation = Rule::new("self == oldSelf").message("region can not be changed; the operator makes one report for each region"))]
    pub region: RegionName,
}

/// What a region's running workloads say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegionReportStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`: a worker has written this report. Whether one still runs stands in the RegionDeployment, as `WorkerReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The report in figures; for `kubectl get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<ReportCounts>,
    /// Settings files that some pod refuses, sorted by name, the first 500; `counts.refusedFiles` counts all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub refused: Vec<RefusedSettings>,
    /// The pods that sent a heartbeat lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 400))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub workloads: Vec<WorkloadReport>,
    /// The watchlists in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub watchlists: Vec<WatchlistReport>,
    /// How often the caches hit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["class".into()]))]
    pub caches: Vec<CacheReport>,
    /// Erasures that were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["tenant".into()]))]
    pub erasures: Vec<ErasureReport>,
    /// The database as the worker finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseReport>,
}

/// A report in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportCounts {
    /// Pods that sent a heartbeat lately.
    #[schemars(range(min = 0))]
    pub workloads: i32,
    /// Pods that refuse a settings file.
    #[schemars(range(min = 0))]
    pub refusing: i32,
    /// Settings files that some pod refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub refused_files: Option<i32>,
    /// Fresh and wanted watchlists, such as `2/2`.
    #[schemars(length(max = 16))]
    pub lists_fresh: String,
}

/// What one pod uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadReport {
    /// The pod.
    pub name: ObjectName,
    /// What it is: `gateway` or `worker`.
    #[schemars(length(min = 1, max = 63))]
    pub component: String,
    /// The version that it runs.
    #[schemars(length(min = 1, max = 128))]
    pub version: String,
    /// The settings that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsReport>,
}

/// The settings that a pod uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsReport {
    /// The highest resource version among the settings that it has looked at, a number as text. Of these it uses all but
    /// the files under `refused`.
    #[schemars(length(min = 1, max = 20), regex(pattern = "^[0-9]+$"))]
    pub resource_version: String,
}

/// A settings file that a pod refuses. The last good version of it stays in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedSettings {
    /// The file, such as `tenant-acme.yaml`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// What is wrong with it, and where.
    #[schemars(length(max = 500))]
    pub problem: String,
    /// A pod that refuses it: of several the first by name.
    pub pod: ObjectName,
}

/// A watchlist as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchlistReport {
    /// Its name.
    pub name: ListName,
    /// The version in use, such as `2026-06-14+1f3a5b7c9d0e`; absent where none was ever read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub version: Option<String>,
    /// The SHA-256 of its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// How many entries it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub entries: Option<i32>,
    /// `Fresh`, `Stale` (in use, but not to be trusted to be current) or `Missing`.
    pub state: WatchlistState,
    /// Why it is not fresh: which source failed, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1_000))]
    pub problem: Option<String>,
}

/// How a watchlist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WatchlistState {
    /// In use and current.
    Fresh,
    /// In use, but its source was not read for too long.
    Stale,
    /// Never read.
    Missing,
}
enum_schema!(WatchlistState, ["Fresh", "Stale", "Missing"]);

/// How often a class of the cache hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheReport {
    /// The class: `classification`, `risk`, `website`, `registry`, `sanctions`, `prediction` or `session`.
    pub class: CacheClass,
    /// Hits in whole percent of all look-ups.
    #[schemars(range(min = 0, max = 100))]
    pub hit_rate_percent: i32,
}

/// How far the erasure of a tenant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureReport {
    /// The tenant.
    pub tenant: TenantId,
    /// `Pending`, `Running`, `Done` or `Failed`.
    pub state: ErasureState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1_000))]
    pub problem: Option<String>,
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErasureState {
    /// Asked for.
    Pending,
    /// Under way.
    Running,
    /// Nothing is left but a tombstone.
    Done,
    /// It will be tried again.
    Failed,
}
enum_schema!(ErasureState, ["Pending", "Running", "Done", "Failed"]);

/// The database as the worker finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseReport {
    /// The version of its tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub schema_version: Option<i64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule_cases::{accepts_change, refuses_change, run};

    #[test]
    fn a_report_stays_with_its_region() {
        let good = json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionReport", "metadata": {"name": "a", "namespace": "kyb"},
            "spec": {"region": "us-east-1"},
        });
        let region = |region: &str| json!({"spec": {"region": region}});
        let message = "region can not be changed; the operator makes one report for each region";
        let cases =
            [accepts_change(region("a"), region("a")), refuses_change(region("a"), region("b"), message)];
        run::<RegionReport>(&good, &cases);
    }

    #[test]
    fn a_word_of_an_enum_is_what_the_type_reads() {
        for word in WatchlistState::WORDS {
            assert_eq!(json!(serde_json::from_value::<WatchlistState>(json!(word)).unwrap()), json!(word));
        }
        for word in ErasureState::WORDS {
            assert_eq!(json!(serde_json::from_value::<ErasureState>(json!(word)).unwrap()), json!(word));
        }
    }
}
