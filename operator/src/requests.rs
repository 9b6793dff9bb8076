//! What the operator asks the API server for, counted.
//!
//! The server counts the same in `apiserver_request_total`, but of all clients together, and whoever runs the operator may not see it.

use http::Request;
use kube::{Client, client::Body};
use prometheus_client::encoding::EncodeLabelSet;
use tower::service_fn;

use crate::metrics::Metrics;

/// What was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    /// As RBAC spells it; `other` for methods that RBAC has no verb for.
    verb: &'static str,
    /// The plural with its group, as in `deployments.apps/scale`; the path's first part where it leads to no resource.
    resource: String,
    /// HTTP's, of a watch that of its beginning; `error` where no answer came.
    code: String,
}

/// The client, each of whose requests is counted.
pub(crate) fn counted(client: Client, metrics: &Metrics) -> Client {
    let namespace = client.default_namespace().to_owned();
    let metrics = metrics.clone();
    let service = service_fn(move |request: Request<Body>| {
        let (verb, resource) = asked_for(&request);
        let (client, metrics) = (client.clone(), metrics.clone());
        async move {
            let answer = client.send(request).await;
            let code =
                answer.as_ref().map_or("error".to_owned(), |answer| answer.status().as_str().to_owned());
            metrics.asked(&Asked { verb, resource, code });
            answer
        }
    });
    Client::new(service, namespace)
}

/// The verb and the resource of a request.
fn asked_for(request: &Request<Body>) -> (&'static str, String) {
    let path = request.uri().path();
    match parts(path) {
        Some((group, rest)) => (verb(request, rest.len() > 1), resource(group, &rest)),
        None => {
            (verb(request, true), path.trim_matches('/').split('/').next().unwrap_or_default().to_owned())
        }
    }
}

fn verb(request: &Request<Body>, names_an_object: bool) -> &'static str {
    let is_watch =
        || request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
    match request.method().as_str() {
        "GET" if is_watch() => "watch",
        "GET" if names_an_object => "get",
        "GET" => "list",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "other",
    }
}

fn resource(group: &str, rest: &[&str]) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    let subresource = rest.get(2).map(|subresource| format!("/{subresource}")).unwrap_or_default();
    format!("{}{dot}{group}{subresource}", rest.first().unwrap_or(&""))
}

/// The parts of a path after its group, version and namespace, and the group.
fn parts(path: &str) -> Option<(&str, Vec<&str>)> {
    let mut parts = path.trim_matches('/').split('/');
    let group = match parts.next()? {
        "api" => "",
        "apis" => parts.next()?,
        _ => return None,
    };
    let _version = parts.next()?;
    let rest: Vec<_> = parts.collect();
    Some(match rest.as_slice() {
        ["namespaces", _, "status" | "finalize"] => (group, rest),
        ["namespaces", _, within @ ..] if !within.is_empty() => (group, within.to_vec()),
        _ => (group, rest),
    })
}

#[cfg(test)]
mod tests {
    use http::Response;
    use tower::BoxError;

    use super::*;

    fn told(method: &str, uri: &str) -> (&'static str, String) {
        asked_for(&Request::builder().method(method).uri(uri).body(Body::empty()).unwrap())
    }

    #[test]
    fn requests_are_told_apart_by_verb_and_resource() {
        let cases = [
            ("GET", "/api/v1/namespaces/shop/secrets/key", "get", "secrets"),
            ("GET", "/api/v1/namespaces", "list", "namespaces"),
            ("GET", "/api/v1/namespaces?watch=true&labelSelector=a", "watch", "namespaces"),
            ("PATCH", "/api/v1/namespaces/shop?fieldManager=us", "patch", "namespaces"),
            ("PUT", "/api/v1/namespaces/shop/finalize", "update", "namespaces/finalize"),
            ("GET", "/apis/kyb.dev/v1alpha1/kybtenants?limit=500", "list", "kybtenants.kyb.dev"),
            ("PATCH", "/apis/kyb.dev/v1alpha1/kybtenants/acme/status", "patch", "kybtenants.kyb.dev/status"),
            ("POST", "/apis/events.k8s.io/v1/namespaces/shop/events", "create", "events.events.k8s.io"),
            ("DELETE", "/apis/batch/v1/namespaces/shop/jobs/one", "delete", "jobs.batch"),
            ("GET", "/version", "get", "version"),
        ];
        for (method, uri, verb, resource) in cases {
            assert_eq!(told(method, uri), (verb, resource.to_owned()), "{method} {uri}");
        }
    }

    #[tokio::test]
    async fn every_request_is_counted_with_its_answer_and_its_want_of_one() {
        let metrics = Metrics::default();
        let server = service_fn(|request: Request<Body>| async move {
            if request.uri().path().ends_with("broken") {
                return Err(BoxError::from("no answer"));
            }
            Ok(Response::builder().status(404).body(Body::empty())?)
        });
        let client = counted(Client::new(server, "default"), &metrics);
        for name in ["absent", "broken"] {
            let request =
                Request::get(format!("/api/v1/namespaces/shop/secrets/{name}")).body(Body::empty()).unwrap();
            let _ = client.send(request).await;
        }
        let text = metrics.render();
        for code in ["404", "error"] {
            let line = format!(
                r#"kyb_operator_api_requests_total{{verb="get",resource="secrets",code="{code}"}} 1"#
            );
            assert!(text.contains(&line), "{text}");
        }
    }
}
