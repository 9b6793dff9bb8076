//! `CachePolicy`: what the workloads of a region may keep, and for how long.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::{
    report::CacheReport,
    schema::enum_schema,
    text::{ObjectName, Period},
};

/// What the workloads of a region may keep, and for how long.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "kyb.dev",
    version = "v1alpha1",
    kind = "CachePolicy",
    plural = "cachepolicies",
    shortname = "cp",
    category = "kyb",
    namespaced,
    status = "CachePolicyStatus",
    derive = "PartialEq",
    doc = "What the workloads of a region may keep in their caches, for how long, and how often that hits.",
    printcolumn(name = "Target", type_ = "integer", json_path = ".spec.hitRateTargetPercent"),
    printcolumn(name = "Hit rate", type_ = "integer", json_path = ".status.hitRatePercent"),
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
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicySpec {
    /// What may be kept, by class; a class that is absent is not cached. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub classes: Vec<CacheClassSpec>,
    /// The cache in each gateway's own memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryCacheSpec>,
    /// When entries are fetched anew before they run out; not at all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_ahead: Option<RefreshAhead>,
    /// The hit rate to be told about when it is missed, 1 to 100 percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub hit_rate_target_percent: Option<i32>,
    /// While true changes of this policy do not reach the workloads; its status stays fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// How a class of entries is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheClassSpec {
    /// The class: `classification`, `risk`, `website`, `registry`, `sanctions`, `prediction` or `session`.
    pub name: CacheClass,
    /// How long an entry may be used, such as `24h`. A new version of a watchlist ends `sanctions` entries at once in any
    /// case.
    pub ttl: Period,
    /// What goes first when room is short: `Low`, then `Normal`, then `High`; `Normal` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<CachePriority>,
}

/// A class of cached entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheClass {
    /// What a business does.
    Classification,
    /// How risky it is.
    Risk,
    /// What its web site says.
    Website,
    /// What a registry says.
    Registry,
    /// Screening results.
    Sanctions,
    /// What a model answered.
    Prediction,
    /// Who is logged in.
    Session,
}
enum_schema!(
    CacheClass,
    ["classification", "risk", "website", "registry", "sanctions", "prediction", "session"]
);

/// What goes first when room is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CachePriority {
    /// First.
    Low,
    /// Then these.
    Normal,
    /// Last.
    High,
}
enum_schema!(CachePriority, ["Low", "Normal", "High"]);

/// The cache in each gateway's own memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryCacheSpec {
    /// The most entries that a gateway keeps, 0 to 10,000,000; 0 turns it off; 1,000 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000_000))]
    pub max_entries: Option<i32>,
    /// The longest that any entry stays in memory, whatever its class says; `5m` where absent. It bounds how long one
    /// gateway may use what another one already replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Period>,
}

/// When entries are fetched anew before they run out: the more often one is used, the nearer to `fromPercent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.fromPercent < self.toPercent")
        .message("refreshAhead.fromPercent must be below refreshAhead.toPercent"),
)]
pub struct RefreshAhead {
    /// The earliest, in percent of the time to live; 1 to 99.
    #[schemars(range(min = 1, max = 99))]
    pub from_percent: i32,
    /// The latest, in percent of the time to live; 2 to 100.
    #[schemars(range(min = 2, max = 100))]
    pub to_percent: i32,
}

/// What the operator says of a cache policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicyStatus {
    /// The generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready` always; `Reconciling` and `Stalled` only while true; `HitRateReached` where there is a target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The RegionDeployments of this namespace that use the policy, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub used_by: Vec<ObjectName>,
    /// The observed hit rate over all classes, in whole percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub hit_rate_percent: Option<i32>,
    /// The observed hit rate of each class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["class".into()]))]
    pub hit_rates: Vec<CacheReport>,
    /// How often reconciling failed in a row; absent after a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub failures: Option<i32>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rule_cases::{accepts, refuses, run};

    #[test]
    fn refreshing_ahead_begins_before_it_ends() {
        let good = json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "default", "namespace": "kyb"},
            "spec": {"classes": [{"name": "sanctions", "ttl": "24h"}]},
        });
        let ahead =
            |from: i32, to: i32| json!({"spec": {"refreshAhead": {"fromPercent": from, "toPercent": to}}});
        let message = "refreshAhead.fromPercent must be below refreshAhead.toPercent";
        let cases =
            [accepts(ahead(60, 80)), refuses(ahead(80, 80), message), refuses(ahead(81, 80), message)];
        run::<CachePolicy>(&good, &cases);
    }

    #[test]
    fn a_word_of_an_enum_is_what_the_type_reads() {
        for word in CacheClass::WORDS {
            assert_eq!(json!(serde_json::from_value::<CacheClass>(json!(word)).unwrap()), json!(word));
        }
        for word in CachePriority::WORDS {
            assert_eq!(json!(serde_json::from_value::<CachePriority>(json!(word)).unwrap()), json!(word));
        }
    }
}
