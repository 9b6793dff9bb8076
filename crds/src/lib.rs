//! The custom resources of the platform: their types, their rules and the names they share.
//!
//! ```text
//! Rust types ─ derive ─► schema and CEL rules ─ tidy ─► crds/yaml/*.yaml  ─► API server, kubectl explain
//!      │                                          └───► docs/kinds/reference/*.md
//!      └─ serde ─► objects as the operator reads and writes them
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`tenant`] | `KybTenant`: a customer |
//! | [`region`] | `RegionDeployment`: the workloads of one region |
//! | [`cache_policy`] | `CachePolicy`: what they may keep |
//! | [`report`] | `RegionReport`: what they say back |
//! | [`text`] | bounded texts: names, ids, lengths of time |
//! | [`reference_to`] | references to other objects |
//! | [`names`] | labels, annotations, finalizers, field managers, names of objects |
//! | [`conditions`] | condition types and reasons |
//! | [`schema`], [`yaml`], [`field_table`] | what is generated from the types |
//!
//! No schema holds a `default:`: what the user did not write is filled in by the operator, in memory, and shown in status.

#![expect(clippy::duplicated_attributes, reason = "printer columns of one type have it in common")]
#![expect(unreachable_pub, reason = "deriving `KubeSchema` repeats each public type inside a function")]

pub mod cache_policy;
pub mod conditions;
pub mod field_table;
pub mod names;
mod period;
pub mod reference_to;
pub mod region;
pub mod report;
#[cfg(test)]
mod rule_cases;
pub mod schema;
pub mod tenant;
pub mod text;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

pub use cache_policy::*;
pub use conditions::{ConditionType, Reason};
pub use period::BadPeriod;
pub use reference_to::*;
pub use region::*;
pub use report::*;
pub use tenant::*;
pub use text::*;

/// The definition of every kind, sorted by name.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    vec![
        schema::definition::<CachePolicy>(),
        schema::definition::<KybTenant>(),
        schema::definition::<RegionDeployment>(),
        schema::definition::<RegionReport>(),
    ]
}

/// File name and text of every kind's definition, sorted by name.
pub fn yaml() -> Result<Vec<(String, String)>, serde_yaml::Error> {
    definitions().iter().map(file).collect()
}

fn file(crd: &CustomResourceDefinition) -> Result<(String, String), serde_yaml::Error> {
    let name = format!("kyb.dev_{}.yaml", crd.spec.names.plural);
    Ok((
        name,
        format!("# Generated from crds/src by `make crds`; do not edit.\n{}", serde_yaml::to_string(crd)?),
    ))
}
