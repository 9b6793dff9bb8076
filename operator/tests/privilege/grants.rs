//! The chart's roles, as they are installed, taken apart into single grants.

use std::collections::BTreeSet;

use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
    rbac::v1::{ClusterRole, PolicyRule, Role},
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use crate::{here::Here, installation::SYSTEM, table::LEASE};

/// One verb on one kind, in one role; where a rule names objects, on one of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) role: String,
    pub(crate) group: String,
    /// The plural, with its subresource, if any, behind a slash.
    pub(crate) resource: String,
    pub(crate) verb: String,
    /// Empty: all objects.
    pub(crate) name: String,
}

impl Grant {
    /// How the API server says that it is missing.
    pub(crate) fn refusal(&self) -> String {
        format!(r#"cannot {} resource "{}" in API group "{}""#, self.verb, self.resource, self.group)
    }

    fn rule(&self) -> PolicyRule {
        PolicyRule {
            api_groups: Some(vec![self.group.clone()]),
            resources: Some(vec![self.resource.clone()]),
            verbs: vec![self.verb.clone()],
            resource_names: (!self.name.is_empty()).then(|| vec![self.name.clone()]),
            ..PolicyRule::default()
        }
    }
}

/// Who holds a role, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) user: &'static str,
    /// Empty: in the whole cluster.
    pub(crate) namespace: &'static str,
}

/// The roles that the chart gives to programs: all but those for people.
pub(crate) struct Roles {
    client: Client,
    installed: Vec<(String, Vec<PolicyRule>)>,
}

impl Roles {
    pub(crate) async fn installed(here: &Here) -> anyhow::Result<Self> {
        let client = here.client.clone();
        let ours = ListParams::default().labels("app.kubernetes.io/name=kyb-operator");
        let cluster_roles: Api<ClusterRole> = Api::all(client.clone());
        let roles: Api<Role> = Api::all(client.clone());
        let is_for_people =
            |name: &str| name.starts_with("kyb-tenant-") || ["kyb-viewer", "kyb-editor"].contains(&name);
        let cluster_roles = cluster_roles.list(&ours).await?.items.into_iter();
        let roles = roles.list(&ours).await?.items.into_iter();
        let installed = cluster_roles
            .map(|role| (role.name_any(), role.rules.unwrap_or_default()))
            .filter(|(name, _)| !is_for_people(name))
            .chain(roles.map(|role| (role.name_any(), role.rules.unwrap_or_default())))
            .collect();
        Ok(Self { client, installed })
    }

    /// Every single grant.
    pub(crate) fn grants(&self) -> BTreeSet<Grant> {
        self.installed
            .iter()
            .flat_map(|(role, rules)| rules.iter().flat_map(|rule| single(role, rule)))
            .collect()
    }

    /// Takes a grant away, and waits until its holder does not have it any more.
    pub(crate) async fn take(&self, here: &Here, grant: &Grant, holder: Holder) -> anyhow::Result<()> {
        let grants = self.grants().into_iter();
        let others = grants.filter(|other| other.role == grant.role && other != grant);
        let rules: Vec<_> = others.map(|other| other.rule()).collect();
        self.write(&grant.role, &rules).await?;
        here.until(&format!("{grant:?} to be gone"), || async { Ok(!self.holds(grant, holder).await?) }).await
    }

    /// Brings a role back to what the chart says.
    pub(crate) async fn restore(&self, here: &Here, grant: &Grant, holder: Holder) -> anyhow::Result<()> {
        for (role, rules) in self.installed.iter().filter(|(role, _)| *role == grant.role) {
            self.write(role, rules).await?;
        }
        here.until(&format!("{grant:?} to be back"), || self.holds(grant, holder)).await
    }

    async fn write(&self, name: &str, rules: &[PolicyRule]) -> anyhow::Result<()> {
        let (as_it_is, rules) = (PatchParams::default(), Patch::Merge(json!({ "rules": rules })));
        if name == LEASE {
            let api: Api<Role> = Api::namespaced(self.client.clone(), SYSTEM);
            api.patch(name, &as_it_is, &rules).await?;
        } else {
            let api: Api<ClusterRole> = Api::all(self.client.clone());
            api.patch(name, &as_it_is, &rules).await?;
        }
        Ok(())
    }

    /// Whether the API server would let the holder do it.
    pub(crate) async fn holds(&self, grant: &Grant, holder: Holder) -> anyhow::Result<bool> {
        let (resource, subresource) = grant.resource.split_once('/').unwrap_or((&grant.resource, ""));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let attributes = ResourceAttributes {
            group: some(&grant.group),
            resource: some(resource),
            subresource: some(subresource),
            verb: some(&grant.verb),
            name: some(&grant.name),
            namespace: some(holder.namespace),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: Some(holder.user.to_owned()),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let answer = Api::all(self.client.clone()).create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

fn single(of_role: &str, rule: &PolicyRule) -> Vec<Grant> {
    let or_any = |words: &Option<Vec<String>>| words.clone().unwrap_or_else(|| vec![String::new()]);
    let (groups, names) = (or_any(&rule.api_groups), or_any(&rule.resource_names));
    let resources = rule.resources.iter().chain(&rule.non_resource_urls).flatten();
    let mut grants = Vec::new();
    for (resource, group) in resources.flat_map(|resource| groups.iter().map(move |group| (resource, group)))
    {
        for (verb, name) in rule.verbs.iter().flat_map(|verb| names.iter().map(move |name| (verb, name))) {
            grants.push(Grant {
                role: of_role.to_owned(),
                group: group.clone(),
                resource: resource.clone(),
                verb: verb.clone(),
                name: name.clone(),
            });
        }
    }
    grants
}
