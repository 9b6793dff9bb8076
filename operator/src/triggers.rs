//! Which objects to look at again when another one changes.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Resource, ResourceExt,
    runtime::reflector::{ObjectRef, Store},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport, names};
use kyb_kit::Touched;

use crate::context::serves;

/// The owner, of kind `K`, of a child that changed.
pub(crate) fn owner<K: Resource<DynamicType = ()>>(touched: &Touched) -> Option<ObjectRef<K>> {
    let owner = touched.owner.as_ref().filter(|owner| owner.kind == K::kind(&()))?;
    let reference = ObjectRef::new(&owner.name);
    // An owner with a namespace owns only within it, so it is in the child's; one without has none.
    Some(match (&touched.key.namespace, is_namespaced::<K>()) {
        (Some(namespace), true) => reference.within(namespace),
        _ => reference,
    })
}

fn is_namespaced<K: Resource<DynamicType = ()>>() -> bool {
    K::kind(&()) != KybTenant::kind(&())
}

/// Tenants that a region may serve.
pub(crate) fn tenants_of(tenants: &Store<KybTenant>, region: &RegionDeployment) -> Vec<ObjectRef<KybTenant>> {
    tenants
        .state()
        .iter()
        .filter(|tenant| serves(region, tenant))
        .map(|tenant| ObjectRef::from_obj(&**tenant))
        .collect()
}

/// All objects of a kind: of tenants, since which region is the first of a cluster matters to each.
pub(crate) fn all<K>(objects: &Store<K>) -> Vec<ObjectRef<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    objects.state().iter().map(|object| ObjectRef::from_obj(&**object)).collect()
}

/// The region whose report changed, or the readiness of whose worker, without which a report holds no longer.
pub(crate) fn reporting(touched: &Touched) -> Option<ObjectRef<RegionDeployment>> {
    let key = &touched.key;
    let is_report = key.kind == RegionReport::kind(&());
    let is_worker = key.kind == Deployment::kind(&()) && key.name == names::WORKER;
    if is_report || is_worker { owner(touched) } else { None }
}

/// Regions that serve a tenant, whose count of tenants it changes.
pub(crate) fn regions_of(
    regions: &Store<RegionDeployment>,
    tenant: &KybTenant,
) -> Vec<ObjectRef<RegionDeployment>> {
    regions
        .state()
        .iter()
        .filter(|region| serves(region, tenant))
        .map(|region| ObjectRef::from_obj(&**region))
        .collect()
}

/// The tenant that a namespace is for, by its name.
pub(crate) fn tenants_in(tenants: &Store<KybTenant>, namespace: &str) -> Vec<ObjectRef<KybTenant>> {
    let is_for = |tenant: &Arc<KybTenant>| names::is_tenants(tenant.spec.id.as_str(), namespace);
    let tenants = tenants.state().into_iter().filter(is_for);
    tenants.map(|tenant| ObjectRef::from_obj(&*tenant)).collect()
}

/// Regions in a namespace.
pub(crate) fn regions_in(
    regions: &Store<RegionDeployment>,
    namespace: &str,
) -> Vec<ObjectRef<RegionDeployment>> {
    let here = |region: &&Arc<RegionDeployment>| region.namespace().as_deref() == Some(namespace);
    regions.state().iter().filter(here).map(|region| ObjectRef::from_obj(&**region)).collect()
}

/// Cache policies in a namespace.
pub(crate) fn policies_in(policies: &Store<CachePolicy>, namespace: &str) -> Vec<ObjectRef<CachePolicy>> {
    let here = |policy: &&Arc<CachePolicy>| policy.namespace().as_deref() == Some(namespace);
    policies.state().iter().filter(here).map(|policy| ObjectRef::from_obj(&**policy)).collect()
}
