//! In which order objects are made: what others need comes first, protection before what it protects.

use std::collections::BTreeMap;

use crate::children::{Children, Wanted};

/// Objects that may be made at the same time, wave after wave.
pub(super) fn waves(children: &Children) -> impl Iterator<Item = Vec<&Wanted>> {
    let mut waves: BTreeMap<u8, Vec<&Wanted>> = BTreeMap::new();
    for wanted in children.iter() {
        waves.entry(rank(&wanted.key.kind)).or_default().push(wanted);
    }
    waves.into_values()
}

fn rank(kind: &str) -> u8 {
    match kind {
        "Namespace" => 0,
        // What is bound must exist, and limits and policies are in force before anything runs.
        "ClusterRole" | "Role" | "ServiceAccount" | "NetworkPolicy" | "ResourceQuota" | "LimitRange" => 1,
        // May be what allows us to write the next ones.
        "ClusterRoleBinding" | "RoleBinding" => 2,
        "Secret" | "ConfigMap" | "PersistentVolumeClaim" => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use kube::{api::ApiResource, core::GroupVersionKind};
    use serde_json::json;

    use super::*;
    use crate::{Child, names::SAMPLE, owner::sample_owner};

    #[test]
    fn what_others_need_comes_first() {
        let kinds = ["Deployment", "Secret", "RoleBinding", "Namespace", "NetworkPolicy", "Role", "Service"];
        let child = |kind: &str| {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", kind));
            Child::from_json(json!({"metadata": {"name": "one"}}), resource)
        };
        let children = Children::of(&sample_owner(None), &SAMPLE, kinds.map(child)).unwrap();
        let made: Vec<Vec<&str>> = waves(&children)
            .map(|wave| wave.iter().map(|wanted| wanted.key.kind.as_str()).collect())
            .collect();
        let expected: [&[&str]; 5] = [
            &["Namespace"],
            &["NetworkPolicy", "Role"],
            &["RoleBinding"],
            &["Secret"],
            &["Deployment", "Service"],
        ];
        assert_eq!(made, expected);
    }
}
