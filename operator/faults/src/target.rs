//! What a request, or an event of a watch, is about.

use std::fmt;

use http::{Method, Uri};
use serde_json::Value;

/// What is asked for, as RBAC calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read all objects of a kind.
    List,
    /// Be told of changes; of an event, that it tells of one.
    Watch,
    /// `POST`.
    Create,
    /// `PUT`.
    Update,
    /// `PATCH`, server-side apply included.
    Patch,
    /// Delete one object.
    Delete,
    /// Delete all objects of a kind.
    DeleteCollection,
}

impl Verb {
    /// As RBAC spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether it changes anything.
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// What a request is about, or an event: then the verb is [`Verb::Watch`] and the name is the object's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// What is asked for.
    pub verb: Verb,
    /// API group; empty for the core group.
    pub group: String,
    /// The plural, `namespaces` for a namespace itself.
    pub resource: String,
    /// None for what has none, and for requests about all namespaces.
    pub namespace: Option<String>,
    /// None for lists, watches and objects that the server names.
    pub name: Option<String>,
    /// Such as `status`.
    pub subresource: Option<String>,
}

impl Target {
    /// Of a request to an API server; None where the path is none of objects, such as `/version`. The body is looked at only for the
    /// name of what is created.
    pub fn of_request(method: &Method, uri: &Uri, body: &[u8]) -> Option<Self> {
        let mut parts = uri.path().trim_matches('/').split('/');
        let group = match parts.next()? {
            "api" => String::new(),
            "apis" => parts.next()?.to_owned(),
            _ => return None,
        };
        let _version = parts.next()?;
        let rest: Vec<&str> = parts.collect();
        let (namespace, rest) = match rest.as_slice() {
            // A namespace itself, with or without one of its subresources.
            ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => {
                (None, &rest[..])
            }
            ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let part = |place: usize| rest.get(place).map(|part| (*part).to_owned());
        let (resource, mut name) = (part(0)?, part(1));
        let verb = verb(method, uri, name.is_some())?;
        if verb == Verb::Create && name.is_none() {
            let object: Value = serde_json::from_slice(body).unwrap_or_default();
            name = object.pointer("/metadata/name").and_then(Value::as_str).map(str::to_owned);
        }
        Some(Self { verb, group, resource, namespace, name, subresource: part(2) })
    }

    /// Of an object in an event of a watch that was asked for with `self`.
    pub(crate) fn of_event(&self, object: &Value) -> Self {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Self { namespace: text("/metadata/namespace"), name: text("/metadata/name"), ..self.clone() }
    }

    /// The same kind and place without a verb: what was created or deleted.
    pub(crate) fn object(&self) -> Self {
        Self { verb: Verb::Get, subresource: None, ..self.clone() }
    }
}

fn verb(method: &Method, uri: &Uri, is_named: bool) -> Option<Verb> {
    let watches = || uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
    Some(match (method.as_str(), is_named) {
        ("GET", _) if watches() => Verb::Watch,
        ("GET", true) => Verb::Get,
        ("GET", false) => Verb::List,
        ("POST", _) => Verb::Create,
        ("PUT", _) => Verb::Update,
        ("PATCH", _) => Verb::Patch,
        ("DELETE", true) => Verb::Delete,
        ("DELETE", false) => Verb::DeleteCollection,
        _ => return None,
    })
}

/// `patch networkpolicies.networking.k8s.io/status shop/deny-all`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, namespace, name, subresource } = self;
        write!(f, "{} {resource}", verb.as_str())?;
        if !group.is_empty() {
            write!(f, ".{group}")?;
        }
        if let Some(subresource) = subresource {
            write!(f, "/{subresource}")?;
        }
        match (namespace, name) {
            (Some(namespace), Some(name)) => write!(f, " {namespace}/{name}"),
            (Some(place), None) => write!(f, " {place}/"),
            (None, Some(name)) => write!(f, " {name}"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &str, uri: &str, body: &str) -> Option<String> {
        let target = Target::of_request(&method.parse().unwrap(), &uri.parse().unwrap(), body.as_bytes());
        target.map(|target| target.to_string())
    }

    #[test]
    fn requests_are_told_as_rbac_would() {
        for (method, uri, body, expected) in [
            ("GET", "/api/v1/namespaces", "", "list namespaces"),
            ("GET", "/api/v1/namespaces/shop", "", "get namespaces shop"),
            ("PUT", "/api/v1/namespaces/shop/finalize", "", "update namespaces/finalize shop"),
            ("GET", "/api/v1/namespaces/shop/pods?watch=true&limit=1", "", "watch pods shop/"),
            ("GET", "/apis/apps/v1/deployments?limit=500", "", "list deployments.apps"),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/shop/deployments/web/scale",
                "",
                "patch deployments.apps/scale shop/web",
            ),
            ("DELETE", "/api/v1/namespaces/shop/secrets/key", "", "delete secrets shop/key"),
            ("DELETE", "/api/v1/namespaces/shop/secrets", "", "deletecollection secrets shop/"),
            (
                "POST",
                "/apis/events.k8s.io/v1/namespaces/shop/events",
                r#"{"metadata":{"name":"web.17f3"}}"#,
                "create events.events.k8s.io shop/web.17f3",
            ),
        ] {
            assert_eq!(told(method, uri, body).as_deref(), Some(expected), "{method} {uri}");
        }
        assert_eq!(told("GET", "/version", ""), None);
        assert_eq!(told("GET", "/apis", ""), None);
    }
}
