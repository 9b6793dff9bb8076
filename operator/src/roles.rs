//! ClusterRoles that come with the chart. The operator may bind these by name, in namespaces that carry our labels, and no
//! others.

use kyb_crds::{Role, names};

/// Lets a gateway read the settings of its own namespace.
pub const SETTINGS_READER: &str = "kyb-settings-reader";

/// Lets a worker read the settings of its own namespace and write the status of the region's report.
pub const REPORT_WRITER: &str = "kyb-report-writer";

/// All that may be bound.
pub fn all() -> impl Iterator<Item = &'static str> {
    [names::OPERATOR_SECRETS_ROLE, SETTINGS_READER, REPORT_WRITER]
        .into_iter()
        .chain(Role::ALL.into_iter().map(names::tenant_cluster_role))
}
