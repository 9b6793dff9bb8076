//! What a tenant owns. Pure: from a checked tenant and what was read, to objects.

pub(crate) mod access;
mod keys;
pub(crate) mod limits;
mod namespaces;
mod network;
mod settings;
#[cfg(test)]
mod tests;

use k8s_openapi::{api::rbac::v1::Subject, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::Resource;
use kyb_crds::ConditionType;
use kyb_kit::Child;
use serde::Serialize;

pub(crate) use super::validate::Place;
pub(crate) use keys::{IssuedKey, issue};

use super::{dereference::Facts, validate::ValidTenant};
use crate::concern::Concern;

/// The namespaces, what lies in them, and the settings in those of the regions. Where an administrator makes the namespaces, not
/// these, and nothing in those that are not prepared. Of a tenant that is being erased only the settings,
/// which ask for that: the rest goes already, where the deletion is one in the foreground.
pub(crate) fn concerns(
    tenant: &ValidTenant,
    facts: &Facts,
    keys: &[IssuedKey],
    operator: &Subject,
) -> Vec<Concern> {
    let settings = settings::config_maps(tenant, facts, keys).map(|maps| children(maps).collect::<Vec<_>>());
    if facts.erasing {
        let settings = settings.map(|maps| maps.into_iter().map(Child::not_blocking_deletion).collect());
        return vec![Concern { condition: ConditionType::PolicyValid, children: settings }];
    }
    let made = if facts.unprepared.is_none() { namespaces::namespaces(tenant) } else { vec![] };
    let bounds = children(made)
        .chain(children(limits::quotas(tenant)))
        .chain(children(limits::limit_ranges(tenant)))
        .chain(children(network::policies(tenant)));
    let access = children(access::grants(tenant))
        .chain(children(access::service_accounts(tenant)))
        .chain([Child::new(&access::operator_binding(tenant, operator))]);
    let keys_alone = if settings.is_err() { settings::with_new_keys(facts, keys) } else { Ok(vec![]) };
    let issued = keys_alone
        .map(|maps| children(keys::secrets(tenant, keys)).chain(children(maps)).collect::<Vec<_>>());
    let concerns = vec![
        Concern::of(ConditionType::NamespacesReady, bounds),
        Concern::of(ConditionType::AccessReady, access),
        Concern { condition: ConditionType::KeysReady, children: issued },
        Concern { condition: ConditionType::PolicyValid, children: settings },
    ];
    let is_open =
        |child: &Child| child.key().namespace.as_ref().is_none_or(|name| facts.closed(name).is_none());
    concerns.into_iter().map(|concern| concern.only(is_open)).collect()
}

fn children<K: Resource<DynamicType = ()> + Serialize>(objects: Vec<K>) -> impl Iterator<Item = Child> {
    objects.into_iter().map(|object| Child::new(&object))
}

/// The name and place of an object.
pub(crate) fn object_meta(name: &str, namespace: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        ..ObjectMeta::default()
    }
}
