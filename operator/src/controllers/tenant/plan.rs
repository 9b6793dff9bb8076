//! What a tenant gets where its spec says nothing, by commercial plan. Applied in memory, never written into a spec.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kyb_crds::Plan;
use kyb_settings::RateLimit;

use super::build::limits::quantities;

/// The quota of each of the tenant's namespaces.
pub(crate) fn quota(plan: Plan) -> BTreeMap<String, Quantity> {
    quantities(match plan {
        Plan::Starter => &[
            ("requests.cpu", "1"),
            ("requests.memory", "2Gi"),
            ("limits.cpu", "2"),
            ("limits.memory", "4Gi"),
            ("persistentvolumeclaims", "2"),
            ("services", "4"),
            ("secrets", "20"),
        ],
        Plan::Professional => &[
            ("requests.cpu", "4"),
            ("requests.memory", "8Gi"),
            ("limits.cpu", "8"),
            ("limits.memory", "16Gi"),
            ("persistentvolumeclaims", "8"),
            ("services", "10"),
            ("secrets", "30"),
        ],
        Plan::Enterprise => &[
            ("requests.cpu", "50"),
            ("requests.memory", "100Gi"),
            ("limits.cpu", "100"),
            ("limits.memory", "200Gi"),
            ("persistentvolumeclaims", "20"),
            ("services", "20"),
            ("secrets", "50"),
        ],
    })
}

/// How many API requests the tenant may make.
pub(crate) fn rate_limit(plan: Plan) -> RateLimit {
    let (requests_per_minute, burst) = match plan {
        Plan::Starter => (60, 20),
        Plan::Professional => (1_000, 100),
        Plan::Enterprise => (10_000, 500),
    };
    RateLimit { requests_per_minute, burst }
}

/// What a container requests that says nothing itself.
pub(crate) fn container_requests() -> BTreeMap<String, Quantity> {
    quantities(&[("cpu", "100m"), ("memory", "128Mi")])
}

/// What a container is limited to that says nothing itself.
pub(crate) fn container_limits() -> BTreeMap<String, Quantity> {
    quantities(&[("cpu", "500m"), ("memory", "512Mi")])
}
