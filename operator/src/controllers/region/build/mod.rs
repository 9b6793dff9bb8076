//! What a region owns. Pure: from a checked region and what was read, to objects.
//!
//! Order matters in one place: gateway and worker are only changed once the Secrets that they read are there and the migration of
//! their version has succeeded. Until then what runs goes on as it is.

mod access;
pub(crate) mod database;
mod gateway;
mod network;
mod redis;
pub(crate) mod settings;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;
mod worker;
mod workload;

use k8s_openapi::api::rbac::v1::Subject;
use kyb_crds::{ConditionType, Reason, RegionReport, RegionReportSpec};
use kyb_kit::Child;

use super::{
    dereference::{Facts, Migration},
    validate::{Database, Redis, ValidRegion},
};
use crate::{
    concern::{Concern, Problem},
    derive::RootKey,
};

/// Everything, by concern.
pub(crate) fn concerns(
    region: &ValidRegion,
    facts: &Facts,
    operator: &Subject,
    root: &RootKey,
) -> Vec<Concern> {
    vec![
        Concern::of(ConditionType::AccessReady, ground(region, operator)),
        Concern {
            condition: ConditionType::SettingsDelivered,
            children: settings(region, facts).map(|child| vec![child]),
        },
        Concern::of(ConditionType::DatabaseReady, database(region, root)),
        Concern::of(ConditionType::Migrated, [Child::new(&database::migration(region))]),
        Concern::of(ConditionType::RedisReady, redis(region)),
        once_the_database_is_prepared(ConditionType::GatewayReady, facts, || gateway::gateway(region)),
        once_the_database_is_prepared(ConditionType::WorkerReady, facts, || worker::worker(region)),
    ]
}

/// Accounts, network policies, and the report that the worker fills.
fn ground(region: &ValidRegion, operator: &Subject) -> Vec<Child> {
    let mut report =
        RegionReport::new(&region.name, RegionReportSpec { region: region.region.as_str().into() });
    report.metadata.namespace = Some(region.namespace.clone());
    let policies = network::policies(region);
    let mut children = vec![Child::new(&access::operator_binding(region, operator)), Child::new(&report)];
    children.extend(access::accounts(region));
    children.extend(policies.iter().map(Child::new));
    children
}

fn settings(region: &ValidRegion, facts: &Facts) -> Result<Child, Problem> {
    if let Some(missing) = &facts.missing_policy {
        let message = format!(
            "CachePolicy {}/{missing} does not exist; create it, or take spec.cachePolicy out",
            region.namespace
        );
        return Err(Problem::new(Reason::ReferenceNotFound, message));
    }
    settings::config_map(region, facts.cache_policy.as_ref()).map(|map| Child::new(&map))
}

fn database(region: &ValidRegion, root: &RootKey) -> Vec<Child> {
    match &region.database {
        Database::External(_) => vec![],
        Database::Development(database) => database::development(region, database, root),
    }
}

fn redis(region: &ValidRegion) -> Vec<Child> {
    match &region.redis {
        Some(Redis::Development(image)) => redis::development(region, image),
        Some(Redis::External) | None => vec![],
    }
}

fn once_the_database_is_prepared(
    condition: ConditionType,
    facts: &Facts,
    children: impl FnOnce() -> Vec<Child>,
) -> Concern {
    let waits = |what: &str| Concern { condition, children: Err(Problem::new(Reason::Progressing, what)) };
    match &facts.migration {
        _ if facts.secrets.is_some() => waits("waits for the Secrets of the database; see DatabaseReady"),
        Migration::Succeeded => Concern::of(condition, children()),
        Migration::Failed(_) | Migration::Delayed(_) | Migration::Running => {
            waits("waits for the migration of the database")
        }
    }
}
