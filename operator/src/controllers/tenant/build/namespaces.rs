//! One namespace for the tenant and one for each of its contexts, under Pod Security `restricted`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use kyb_crds::names;

use super::{Place, object_meta};
use crate::controllers::tenant::validate::ValidTenant;

/// <https://kubernetes.io/docs/concepts/security/pod-security-admission/>: refuse, warn about and record what is less than
/// `restricted`.
const POD_SECURITY: [(&str, &str); 3] = [
    ("pod-security.kubernetes.io/enforce", "restricted"),
    ("pod-security.kubernetes.io/warn", "restricted"),
    ("pod-security.kubernetes.io/audit", "restricted"),
];

/// The namespaces.
pub(super) fn namespaces(tenant: &ValidTenant) -> Vec<Namespace> {
    tenant.places().iter().map(|place| namespace(tenant, place)).collect()
}

fn namespace(tenant: &ValidTenant, place: &Place) -> Namespace {
    let mut metadata = object_meta(&place.namespace, None);
    metadata.labels = Some(labels(tenant, place));
    Namespace { metadata, ..Namespace::default() }
}

fn labels(tenant: &ValidTenant, place: &Place) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<_, _> =
        POD_SECURITY.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    labels.insert(names::TENANT_LABEL.to_owned(), tenant.id.clone());
    if let Some(context) = &place.context {
        labels.insert(names::CONTEXT_LABEL.to_owned(), context.clone());
    }
    if let Some(compliance) = &tenant.compliance {
        labels.insert(names::COMPLIANCE_LABEL.to_owned(), compliance.clone());
    }
    labels
}
