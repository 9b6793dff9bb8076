//! What may be used in each namespace: ResourceQuota and LimitRange.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::api::resource::Quantity,
};

use super::{Place, object_meta};
use crate::controllers::tenant::validate::ValidTenant;

/// The name of both objects.
const NAME: &str = "kyb-tenant";

/// One quota a namespace: the context's own, else the tenant's, else that of its plan.
pub(super) fn quotas(tenant: &ValidTenant) -> Vec<ResourceQuota> {
    let quota = |place: &Place| ResourceQuota {
        metadata: object_meta(NAME, Some(&place.namespace)),
        spec: Some(ResourceQuotaSpec { hard: Some(place.quota.clone()), ..ResourceQuotaSpec::default() }),
        status: None,
    };
    tenant.places().iter().map(quota).collect()
}

/// What a container gets that says nothing itself; without it the quota would refuse such a container.
pub(super) fn limit_ranges(tenant: &ValidTenant) -> Vec<LimitRange> {
    let item = LimitRangeItem {
        type_: "Container".to_owned(),
        default: Some(tenant.container_limits.clone()),
        default_request: Some(tenant.container_requests.clone()),
        ..LimitRangeItem::default()
    };
    let range = |place: &Place| LimitRange {
        metadata: object_meta(NAME, Some(&place.namespace)),
        spec: Some(LimitRangeSpec { limits: vec![item.clone()] }),
    };
    tenant.places().iter().map(range).collect()
}

/// Quantities by name.
pub(crate) fn quantities(pairs: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Quantity((*value).to_owned()))).collect()
}
