//! Accounts of the region's pods and what they may do: read their own namespace's settings; the worker also writes the
//! region's report.

use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{RoleBinding, RoleRef, Subject},
};
use kyb_crds::names;
use kyb_kit::Child;

use super::workload::object_meta;
use crate::{
    component::{GATEWAY, MIGRATION, WORKER},
    controllers::region::validate::ValidRegion,
    roles,
};

/// Lets the operator write the Secrets of this namespace, since nothing lets it do so anywhere else.
pub(super) fn operator_binding(region: &ValidRegion, operator: &Subject) -> RoleBinding {
    binding(region, "kyb-operator", "operator", names::OPERATOR_SECRETS_ROLE, operator.clone())
}

/// Accounts and their rights.
pub(super) fn accounts(region: &ValidRegion) -> Vec<Child> {
    let accounts = [(names::GATEWAY, GATEWAY), (names::WORKER, WORKER), (names::MIGRATION, MIGRATION)];
    let accounts = accounts.map(|(name, component)| Child::new(&account(region, name, component)));
    let rights =
        [(names::GATEWAY, GATEWAY, roles::SETTINGS_READER), (names::WORKER, WORKER, roles::REPORT_WRITER)];
    let rights = rights.map(|(name, component, role)| {
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: name.to_owned(),
            namespace: Some(region.namespace.clone()),
            api_group: None,
        };
        Child::new(&binding(region, name, component, role, subject))
    });
    accounts.into_iter().chain(rights).collect()
}

fn account(region: &ValidRegion, name: &str, component: &str) -> ServiceAccount {
    ServiceAccount { metadata: object_meta(region, name, component), ..ServiceAccount::default() }
}

fn binding(region: &ValidRegion, name: &str, component: &str, role: &str, subject: Subject) -> RoleBinding {
    RoleBinding {
        metadata: object_meta(region, name, component),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "ClusterRole".to_owned(),
            name: role.to_owned(),
        },
        subjects: Some(vec![subject]),
    }
}
