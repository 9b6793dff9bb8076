//! Who may do what in the tenant's namespaces. The ClusterRoles come with the chart; the operator may bind them by name and
//! nothing else.

use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{RoleBinding, RoleRef, Subject},
};
use kyb_crds::{Role, names};

use super::{Place, object_meta};
use crate::controllers::tenant::validate::{Grant, ValidTenant};

const RBAC: &str = "rbac.authorization.k8s.io";
/// The account that a tenant's own workloads run under.
const SERVICE_ACCOUNT: &str = "kyb-tenant";

/// One RoleBinding for each grant in each namespace where it holds.
pub(super) fn grants(tenant: &ValidTenant) -> Vec<RoleBinding> {
    let of_grant = |grant: &Grant| -> Vec<RoleBinding> {
        tenant
            .places()
            .iter()
            .filter(|place| grant.holds_in(place))
            .map(|place| binding(place, grant))
            .collect()
    };
    tenant.grants.iter().flat_map(of_grant).collect()
}

/// Its name has the role, since a RoleBinding's can't be changed: another role is another binding, and the old one goes.
fn binding(place: &Place, grant: &Grant) -> RoleBinding {
    let role = names::tenant_cluster_role(grant.role);
    let short = role.strip_prefix("kyb-tenant-").unwrap_or(role);
    RoleBinding {
        metadata: object_meta(&format!("kyb-{}-{short}", grant.name), Some(&place.namespace)),
        role_ref: cluster_role(role),
        subjects: Some(grant.subjects.clone()),
    }
}

/// An account without rights and without a mounted token.
pub(super) fn service_accounts(tenant: &ValidTenant) -> Vec<ServiceAccount> {
    let account = |place: &Place| ServiceAccount {
        metadata: object_meta(SERVICE_ACCOUNT, Some(&place.namespace)),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    tenant.places().iter().map(account).collect()
}

/// Lets the operator write the Secrets of the tenant's own namespace, since nothing lets it do so anywhere else.
pub(super) fn operator_binding(tenant: &ValidTenant, operator: &Subject) -> RoleBinding {
    RoleBinding {
        metadata: object_meta("kyb-operator", Some(&names::tenant_namespace(&tenant.id))),
        role_ref: cluster_role(names::OPERATOR_SECRETS_ROLE),
        subjects: Some(vec![operator.clone()]),
    }
}

fn cluster_role(name: &str) -> RoleRef {
    RoleRef { api_group: RBAC.to_owned(), kind: "ClusterRole".to_owned(), name: name.to_owned() }
}

/// A subject of a spec as a RoleBinding wants it.
pub(crate) fn subject(spec: &kyb_crds::Subject) -> Subject {
    let group = match spec.kind {
        kyb_crds::SubjectKind::ServiceAccount => String::new(),
        kyb_crds::SubjectKind::User | kyb_crds::SubjectKind::Group => RBAC.to_owned(),
    };
    Subject {
        kind: spec.kind.as_str().to_owned(),
        name: spec.name.clone(),
        namespace: spec.namespace.as_ref().map(ToString::to_string),
        api_group: (!group.is_empty()).then_some(group),
    }
}

/// The role of whoever a key belongs to, as the settings write it.
pub(crate) fn settings_role(role: Role) -> kyb_domain::tenant::Role {
    match role {
        Role::SystemAdmin => kyb_domain::tenant::Role::SystemAdmin,
        Role::ContextManager => kyb_domain::tenant::Role::ContextManager,
        Role::ServiceAccount => kyb_domain::tenant::Role::ServiceAccount,
        Role::Guest => kyb_domain::tenant::Role::Guest,
        Role::Auditor => kyb_domain::tenant::Role::Auditor,
    }
}
