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

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use kyb_kit::ChildKey;
    use serde_json::json;

    use super::*;

    fn touched(kind: &str, namespace: Option<&str>, name: &str, owner: Option<(&str, &str)>) -> Touched {
        let key = ChildKey {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        };
        let owner = owner.map(|(kind, name)| OwnerReference {
            kind: kind.to_owned(),
            name: name.to_owned(),
            ..OwnerReference::default()
        });
        Touched { key, owner }
    }

    fn tenant(name: &str, regions: &[&str]) -> KybTenant {
        let regions = regions.to_vec();
        serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": name},
            "spec": {
                "id": name, "displayName": name, "plan": "enterprise",
                "placement": {"home": regions[0], "regions": regions, "residency": "US"},
            },
        }))
        .unwrap()
    }

    fn region(namespace: &str, name: &str, residency: &str) -> RegionDeployment {
        serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment",
            "metadata": {"name": "kyb", "namespace": namespace},
            "spec": {
                "region": name, "residency": residency, "environment": "development", "version": "0.1.0",
                "database": {"development": {}},
            },
        }))
        .unwrap()
    }

    /// A store that holds these.
    fn held<K>(objects: Vec<K>) -> Store<K>
    where
        K: Resource<DynamicType = ()> + Clone + 'static,
    {
        let (store, mut writer) = kube::runtime::reflector::store();
        for object in objects {
            writer.apply_watcher_event(&kube::runtime::watcher::Event::Apply(object));
        }
        store
    }

    #[test]
    fn an_owner_with_a_namespace_is_in_that_of_the_child_and_a_tenant_in_none() {
        let of_region = touched("Deployment", Some("place"), "worker", Some(("RegionDeployment", "kyb")));
        assert_eq!(owner(&of_region), Some(ObjectRef::<RegionDeployment>::new("kyb").within("place")));
        assert_eq!(owner::<KybTenant>(&of_region), None, "it is of another kind");
        let of_tenant = touched("Secret", Some("place"), "key", Some(("KybTenant", "acme")));
        assert_eq!(owner(&of_tenant), Some(ObjectRef::<KybTenant>::new("acme")));
        assert_eq!(owner::<KybTenant>(&touched("Secret", Some("place"), "key", None)), None);
    }

    #[test]
    fn a_report_and_the_worker_concern_what_is_reported() {
        let region = Some(("RegionDeployment", "kyb"));
        let is = |kind, name| reporting(&touched(kind, Some("place"), name, region)).is_some();
        assert!(is("RegionReport", "any") && is("Deployment", names::WORKER));
        assert!(!is("Deployment", names::GATEWAY) && !is("ConfigMap", names::WORKER));
    }

    #[test]
    fn tenants_and_regions_meet_where_place_and_residency_are_the_same() {
        let tenants = held(vec![tenant("acme", &["us-east-1"]), tenant("other", &["eu-west-1"])]);
        let here = region("place", "us-east-1", "US");
        assert_eq!(tenants_of(&tenants, &here), [ObjectRef::new("acme")]);
        assert!(tenants_of(&tenants, &region("place", "us-east-1", "EU")).is_empty());
        assert_eq!(all(&tenants).len(), 2);

        let regions = held(vec![here, region("elsewhere", "eu-west-1", "US")]);
        let acme = tenant("acme", &["us-east-1"]);
        assert_eq!(regions_of(&regions, &acme), [ObjectRef::new("kyb").within("place")]);
        assert_eq!(regions_in(&regions, "elsewhere"), [ObjectRef::new("kyb").within("elsewhere")]);
        assert!(regions_in(&regions, "nowhere").is_empty());

        let namespace = names::tenant_namespace("acme");
        assert_eq!(tenants_in(&tenants, &namespace), [ObjectRef::new("acme")]);
        assert!(tenants_in(&tenants, "place").is_empty());
    }
}
