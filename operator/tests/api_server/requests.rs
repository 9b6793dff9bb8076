//! Single requests, made with one token or another, and whether the API server would let them be made.

use anyhow::{Context as _, ensure};
use http::Request as Http;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::{Api, Client, api::PostParams};
use serde_json::json;

/// A request about a kind, in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// `list`, `watch`, `get`, `delete` or `patch`.
    pub(crate) verb: &'static str,
    /// API group and version, `v1` for the core group.
    pub(crate) api: &'static str,
    /// The plural, with its subresource, if any, behind a slash.
    pub(crate) resource: &'static str,
    /// None: the whole cluster.
    pub(crate) namespace: Option<&'static str>,
    /// Empty for `list` and `watch`.
    pub(crate) name: &'static str,
}

impl Request {
    /// About a core kind.
    pub(crate) const fn core(verb: &'static str, resource: &'static str, name: &'static str) -> Self {
        Self { verb, api: "v1", resource, namespace: None, name }
    }

    /// About a kind of ours.
    pub(crate) const fn ours(verb: &'static str, resource: &'static str, name: &'static str) -> Self {
        Self { verb, api: "kyb.dev/v1alpha1", resource, namespace: None, name }
    }

    /// The same in a namespace.
    pub(crate) const fn within(self, namespace: &'static str) -> Self {
        Self { namespace: Some(namespace), ..self }
    }

    /// Whether these rights allow it: the answer to the request itself, with which the answer to the question whether it is
    /// allowed must agree. What it would change stays as it is.
    pub(crate) async fn is_allowed(&self, client: &Client) -> anyhow::Result<bool> {
        let answered = self.goes_through(client).await?;
        ensure!(answered == self.reviewed(client).await?, "{self:?}: allowed by one of two answers only");
        Ok(answered)
    }

    /// Makes the request, and tells whether it was allowed: a thing that does not exist was allowed to be asked for.
    pub(crate) async fn goes_through(&self, client: &Client) -> anyhow::Result<bool> {
        match client.request_text(self.http()?).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(false),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(true),
            Err(why) => Err(why).with_context(|| format!("{self:?}")),
        }
    }

    fn http(&self) -> anyhow::Result<Http<Vec<u8>>> {
        let base = if self.api == "v1" { "/api/v1".to_owned() } else { format!("/apis/{}", self.api) };
        let place = self.namespace.map_or_else(String::new, |name| format!("/namespaces/{name}"));
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        let path = format!("{base}{place}/{resource}/{}/{subresource}", self.name);
        let path = path.trim_end_matches('/');
        Ok(match self.verb {
            "list" => Http::get(format!("{path}?limit=1")).body(vec![])?,
            "watch" => Http::get(format!("{path}?watch=true&timeoutSeconds=1")).body(vec![])?,
            "get" => Http::get(path).body(vec![])?,
            "delete" => Http::delete(format!("{path}?dryRun=All")).body(vec![])?,
            "patch" => Http::patch(format!("{path}?dryRun=All"))
                .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
                .body(b"{}".to_vec())?,
            other => anyhow::bail!("no such verb here: {other}"),
        })
    }

    /// Asks whether it would be allowed.
    async fn reviewed(&self, client: &Client) -> anyhow::Result<bool> {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        let (group, version) = self.api.split_once('/').unwrap_or(("", self.api));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let attributes = ResourceAttributes {
            verb: some(self.verb),
            group: some(group),
            version: some(version),
            resource: some(resource),
            subresource: some(subresource),
            namespace: self.namespace.map(str::to_owned),
            name: some(self.name),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}

/// A binding of a ClusterRole to somebody, as JSON.
pub(crate) fn role_binding(name: &str, role: &str, subject: &serde_json::Value) -> serde_json::Value {
    json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    })
}
