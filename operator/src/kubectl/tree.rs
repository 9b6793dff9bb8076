//! An object of ours, and all that was made for it, with its health.

use clap::Args;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams},
};
use kyb_crds::names;
use serde::Serialize;

use super::{Cluster, KubectlError, Look, health::Health, output::Answer, status::kinds};
use crate::watches::child_kinds;

/// What to show the tree of.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tree {
    /// Its kind, such as `kybtenant`, `kt` or `rd`
    pub(crate) kind: String,
    /// Its name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) look: Look,
}

/// Objects of that name, in all of the clusters.
#[derive(Debug, Serialize)]
pub(crate) struct Trees(Vec<Node>);

#[derive(Debug, Serialize)]
struct Node {
    object: String,
    #[serde(flatten)]
    health: Health,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Self>,
    /// What could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(crate) async fn tree(wanted: &Tree, clusters: &[Cluster]) -> Result<Trees, KubectlError> {
    let resource = find_kind(&wanted.kind)?;
    let mut trees = Vec::new();
    for cluster in clusters {
        let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &resource);
        let only = ListParams::default().fields(&format!("metadata.name={}", wanted.name));
        let list =
            api.list(&only).await.map_err(KubectlError::request(format!("list {}", resource.plural)))?;
        for object in list {
            trees.push(Node::root(cluster, &resource, &object).await?);
        }
    }
    if trees.is_empty() {
        return Err(KubectlError::NotFound(format!(
            "there is no {} {}; see `kubectl kyb status`",
            resource.kind, wanted.name
        )));
    }
    Ok(Trees(trees))
}

/// A kind of ours by its name, its plural or its short name.
pub(crate) fn find_kind(called: &str) -> Result<ApiResource, KubectlError> {
    let called = called.to_lowercase();
    let is = |resource: &ApiResource| {
        let short = kyb_crds::definitions()
            .into_iter()
            .find(|definition| definition.spec.names.kind == resource.kind);
        let short = short.and_then(|definition| definition.spec.names.short_names).unwrap_or_default();
        called == resource.kind.to_lowercase() || called == resource.plural || short.contains(&called)
    };
    let unknown = || {
        let known: Vec<_> = kinds().into_iter().map(|resource| resource.kind.to_lowercase()).collect();
        KubectlError::NotFound(format!("`{called}` is no kind of ours; there are {}", known.join(", ")))
    };
    kinds().into_iter().find(is).ok_or_else(unknown)
}

impl Node {
    async fn root(
        cluster: &Cluster,
        resource: &ApiResource,
        object: &DynamicObject,
    ) -> Result<Self, KubectlError> {
        let json = serde_json::to_value(object).unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        let (mut children, mut note) = (Vec::new(), None);
        let ours = ListParams::default().labels(&format!("{}={uid}", names::OWNER_UID_LABEL));
        let mut kinds = child_kinds();
        kinds.push(ApiResource::erase::<Secret>(&()));
        for kind in kinds {
            let api: Api<DynamicObject> = Api::all_with(cluster.client.clone(), &kind);
            match api.list(&ours).await {
                Ok(list) => {
                    for child in list {
                        children.push(Self::child(cluster, &kind, &child).await?);
                    }
                }
                // Few may list all Secrets.
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    note = Some(format!("not allowed to list {}", kind.plural));
                }
                Err(source) => return Err(KubectlError::request(format!("list {}", kind.plural))(source)),
            }
        }
        children.sort_by(|one, other| one.object.cmp(&other.object));
        let cluster = if cluster.name.is_empty() { String::new() } else { format!("{}: ", cluster.name) };
        let named = format!("{cluster}{}", called(&resource.kind, object));
        Ok(Self { object: named, health: Health::of(&resource.kind, &json), children, note })
    }

    async fn child(
        cluster: &Cluster,
        resource: &ApiResource,
        object: &DynamicObject,
    ) -> Result<Self, KubectlError> {
        let json = serde_json::to_value(object).unwrap_or_default();
        let mut children = Vec::new();
        if let ("Deployment" | "StatefulSet" | "Job", Some(namespace)) =
            (resource.kind.as_str(), object.namespace())
        {
            let selector = json.pointer("/spec/selector/matchLabels").and_then(serde_json::Value::as_object);
            let labels = selector
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
            let its = ListParams::default().labels(&labels.collect::<Vec<_>>().join(","));
            let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
            for pod in
                pods.list(&its).await.map_err(KubectlError::request(format!("list pods in {namespace}")))?
            {
                let health = Health::of("Pod", &serde_json::to_value(&pod).unwrap_or_default());
                children.push(Self {
                    object: format!("Pod {}", pod.name_any()),
                    health,
                    children: vec![],
                    note: None,
                });
            }
        }
        Ok(Self {
            object: called(&resource.kind, object),
            health: Health::of(&resource.kind, &json),
            children,
            note: None,
        })
    }

    /// This node and all below it, `before` each of which stands what leads to it.
    fn lines(&self, before: &str) -> Vec<String> {
        let last = self.children.len().saturating_sub(1);
        let child = |(index, child): (usize, &Self)| {
            let (branch, within) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let below = child.lines(&format!("{before}{within}")).into_iter().skip(1);
            std::iter::once(format!("{before}{branch}{}", child.line())).chain(below).collect::<Vec<_>>()
        };
        std::iter::once(self.line()).chain(self.children.iter().enumerate().flat_map(child)).collect()
    }

    fn line(&self) -> String {
        let mark = if self.health.well { "" } else { " !" };
        format!("{}: {}{mark}", self.object, self.health.what)
    }
}

fn called(kind: &str, object: &DynamicObject) -> String {
    let within = object.namespace().map_or(String::new(), |namespace| format!("{namespace}/"));
    format!("{kind} {within}{}", object.name_any())
}

impl Answer for Trees {
    fn text(&self) -> String {
        let note = |node: &Node| node.note.as_ref().map(|note| format!("Note: {note}."));
        let lines = self.0.iter().flat_map(|root| root.lines("").into_iter().chain(note(root)));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_each_of_their_names() {
        for (called, kind) in
            [("kt", "KybTenant"), ("KybTenant", "KybTenant"), ("regiondeployments", "RegionDeployment")]
        {
            assert_eq!(find_kind(called).unwrap().kind, kind);
        }
        assert!(find_kind("pod").unwrap_err().to_string().contains("kybtenant, regiondeployment"));
    }

    #[test]
    fn a_tree_shows_what_is_not_well() {
        let node = |object: &str, well: bool, children| Node {
            object: object.to_owned(),
            health: Health { well, what: "so".to_owned() },
            children,
            note: None,
        };
        let leaf = |name: &str, well| node(name, well, vec![]);
        let tree = Trees(vec![node(
            "root",
            true,
            vec![node("one", false, vec![leaf("pod", false)]), leaf("two", true)],
        )]);
        assert_eq!(tree.text(), "root: so\n├─ one: so !\n│  └─ pod: so !\n└─ two: so");
    }
}
