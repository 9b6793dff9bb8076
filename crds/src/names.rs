//! Every name that the parts share: labels, annotations, finalizers, field managers, namespaces, objects.
//!
//! `docs/kinds/README.md` lists them for people; a test keeps the two equal. Why settings travel as they do is in
//! `docs/decisions/0008-control-plane.md`.

use crate::tenant::Role;

/// The API group.
pub const GROUP: &str = "kyb.dev";
/// The API version of this release.
pub const VERSION: &str = "v1alpha1";
/// Group and version, as `apiVersion` has them.
pub const API_VERSION: &str = "kyb.dev/v1alpha1";

/// On a tenant's objects and namespaces: the tenant's id.
pub const TENANT_LABEL: &str = "kyb.dev/tenant";
/// On a context's objects and namespace: the context's name.
pub const CONTEXT_LABEL: &str = "kyb.dev/context";
/// On a platform namespace, set by an administrator: the region that it holds. On a region's objects: the region.
pub const REGION_LABEL: &str = "kyb.dev/region";
/// On every object that the operator makes: the UID of the custom resource that it belongs to. Pruning and telling
/// strangers apart go by it.
pub const OWNER_UID_LABEL: &str = "kyb.dev/owner-uid";
/// On settings ConfigMaps: [`SETTINGS_PLATFORM`] or [`SETTINGS_TENANT`]. Workloads watch for it.
pub const SETTINGS_LABEL: &str = "kyb.dev/settings";
/// On a region's objects: the environment.
pub const ENVIRONMENT_LABEL: &str = "kyb.dev/environment";
/// On a tenant's namespaces: the compliance regime.
pub const COMPLIANCE_LABEL: &str = "kyb.dev/compliance";
/// Who manages an object; [`MANAGED_BY`] on ours.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The application that an object belongs to; [`PART_OF`] on ours.
pub const PART_OF_LABEL: &str = "app.kubernetes.io/part-of";
/// Which instance of a workload it is: the RegionDeployment's name.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// A workload's part: `gateway`, `worker`, `database`, `redis`, `migration`.
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";

/// Every label, ours first.
pub const LABELS: [&str; 11] = [
    TENANT_LABEL,
    CONTEXT_LABEL,
    REGION_LABEL,
    OWNER_UID_LABEL,
    SETTINGS_LABEL,
    ENVIRONMENT_LABEL,
    COMPLIANCE_LABEL,
    MANAGED_BY_LABEL,
    PART_OF_LABEL,
    INSTANCE_LABEL,
    COMPONENT_LABEL,
];

/// On every object that the operator makes: the digest of what it last applied.
pub const APPLIED_ANNOTATION: &str = "kyb.dev/applied";
/// On pod templates: the digest of what a pod reads only when it starts, so that a change restarts it.
pub const RESTART_ANNOTATION: &str = "kyb.dev/restart";

/// On workloads: the revision of the pod templates that theirs is of, so that another operator makes it of the same.
pub const TEMPLATE_REVISION_ANNOTATION: &str = "kyb.dev/template-revision";

/// Every annotation.
pub const ANNOTATIONS: [&str; 3] = [APPLIED_ANNOTATION, RESTART_ANNOTATION, TEMPLATE_REVISION_ANNOTATION];

/// The finalizer of a KybTenant with `deletion.data: Erase`: held until the worker reports the data erased.
pub const ERASE_FINALIZER: &str = "kyb.dev/erase";

/// Every finalizer.
pub const FINALIZERS: [&str; 1] = [ERASE_FINALIZER];

/// The field manager of the tenant controller, for the objects that it makes.
pub const TENANT_MANAGER: &str = "kyb-operator/tenant";
/// The field manager of the region controller, for the objects that it makes.
pub const REGION_MANAGER: &str = "kyb-operator/region";
/// The operator's field manager for the status of custom resources.
pub const STATUS_MANAGER: &str = "kyb-operator/status";
/// The field manager that holds `replicas` while they are handed over to an autoscaler: [`REGION_MANAGER`] with the ending
/// that the kit gives.
pub const HANDOVER_MANAGER: &str = "kyb-operator/region-handover";
/// The operator's field manager for its finalizer on a KybTenant.
pub const FINALIZER_MANAGER: &str = "kyb-operator/finalizer";
/// The worker's field manager for the status of the RegionReport.
pub const WORKER_MANAGER: &str = "kyb-worker/report";

/// Every field manager: one for each writer and purpose, so that none takes another's fields.
pub const FIELD_MANAGERS: [&str; 6] =
    [TENANT_MANAGER, REGION_MANAGER, STATUS_MANAGER, HANDOVER_MANAGER, FINALIZER_MANAGER, WORKER_MANAGER];

/// The value of [`MANAGED_BY_LABEL`] on every object that the operator makes.
pub const MANAGED_BY: &str = "kyb-operator";
/// The value of [`PART_OF_LABEL`] on every object that the operator makes.
pub const PART_OF: &str = "kyb";
/// The value of [`SETTINGS_LABEL`] on the ConfigMap that holds for every tenant.
pub const SETTINGS_PLATFORM: &str = "platform";
/// The value of [`SETTINGS_LABEL`] on a tenant's ConfigMap.
pub const SETTINGS_TENANT: &str = "tenant";

/// The HTTP API's component; its image and its Deployment are named by it.
pub const GATEWAY: &str = "kyb-gateway";
/// The component for queued and scheduled work.
pub const WORKER: &str = "kyb-worker";
/// The development database.
pub const POSTGRES: &str = "kyb-postgres";
/// The development Redis.
pub const REDIS: &str = "kyb-redis";
/// The Job that changes the tables, before its version is added.
pub const MIGRATION: &str = "kyb-migrate";

/// The Secret beside the operator with the installation's root key, under `key`.
pub const ROOT_KEY_SECRET: &str = "kyb-root-key";

/// The ClusterRole that the operator binds to itself in a tenant's or region's namespace, so that it may write Secrets
/// there and nowhere else.
pub const OPERATOR_SECRETS_ROLE: &str = "kyb-operator-secrets";

/// The ClusterRole that a grant of a role binds in a tenant's namespaces.
pub const fn tenant_cluster_role(role: Role) -> &'static str {
    match role {
        Role::SystemAdmin => "kyb-tenant-system-admin",
        Role::ContextManager => "kyb-tenant-context-manager",
        Role::ServiceAccount => "kyb-tenant-service-account",
        Role::Guest => "kyb-tenant-guest",
        Role::Auditor => "kyb-tenant-auditor",
    }
}

/// The longest name of a namespace (RFC 1123 label).
pub const LONGEST_NAMESPACE: usize = 63;

/// A tenant's own namespace: `kyb-t-<tenant>`.
pub fn tenant_namespace(tenant: &str) -> String {
    format!("kyb-t-{tenant}")
}

/// The namespace of a business context: `kyb-t-<tenant>--<context>`.
pub fn context_namespace(tenant: &str, context: &str) -> String {
    format!("kyb-t-{tenant}--{context}")
}

/// Whether a namespace of this name is a tenant's own, or of one of its contexts.
pub fn is_tenants(tenant: &str, namespace: &str) -> bool {
    let rest = namespace.strip_prefix(&tenant_namespace(tenant));
    rest.is_some_and(|context| context.is_empty() || context.starts_with("--"))
}

/// The ConfigMap of `platform.yaml`.
pub const PLATFORM_CONFIG_MAP: &str = "kyb-settings-platform";

/// The ConfigMap of a tenant's settings: `kyb-settings-tenant-<tenant>`.
pub fn tenant_config_map(tenant: &str) -> String {
    format!("kyb-settings-tenant-{tenant}")
}

/// The Secret, in the tenant's namespace, that holds a derived API key: `kyb-key-<key>`.
pub fn key_secret(key: &str) -> String {
    format!("kyb-key-{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{ContextName, TenantId};

    #[test]
    fn the_longest_tenant_and_context_still_make_a_namespace() {
        let tenant = "t".repeat(TenantId::LONGEST as usize);
        let context = "c".repeat(ContextName::LONGEST as usize);
        assert_eq!(context_namespace(&tenant, &context).len(), LONGEST_NAMESPACE);
        assert!(tenant_config_map(&tenant).len() <= LONGEST_NAMESPACE);
    }

    #[test]
    fn no_two_tenants_share_a_namespace() {
        // The safeguard is that ids hold no `--`; without it these two would be one.
        assert_eq!(tenant_namespace("acme--lending"), context_namespace("acme", "lending"));
        assert_ne!(tenant_namespace("acme-lending"), context_namespace("acme", "lending"));
    }

    #[test]
    fn our_own_names_carry_our_group() {
        let ours = [&ANNOTATIONS[..], &FINALIZERS, &LABELS[..7]].concat();
        assert!(ours.iter().all(|name| name.starts_with("kyb.dev/")), "{ours:?}");
        assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
    }

    #[test]
    fn the_page_about_kinds_names_every_name() {
        let page = include_str!("../../docs/kinds/README.md");
        let names = [&LABELS[..], &ANNOTATIONS, &FINALIZERS, &FIELD_MANAGERS].concat();
        let missing: Vec<_> = names.into_iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
