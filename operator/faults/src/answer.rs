//! Answers that the API server did not give, in the form in which it would.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use crate::{Fault, Target, service::AnyBody};

/// The `Status` with which the server refuses a request; None where this fault is no answer.
pub(crate) fn refusal(fault: Fault, target: &Target) -> Option<Response<AnyBody>> {
    let (code, reason, message) = match fault {
        Fault::Conflict => (409, "Conflict", conflict(target)),
        Fault::TooManyRequests => (
            429,
            "TooManyRequests",
            "the server has received too many requests and has asked us to try again later".to_owned(),
        ),
        Fault::ServerError => {
            (500, "InternalError", "Internal error occurred: etcdserver: leader changed".to_owned())
        }
        Fault::Timeout => {
            (504, "Timeout", "Timeout: request did not complete within the allotted timeout".to_owned())
        }
        Fault::Forbidden => (403, "Forbidden", forbidden(target)),
        Fault::QuotaExceeded => (403, "Forbidden", quota(target)),
        _ => return None,
    };
    let mut details = json!({"name": target.name, "group": target.group, "kind": target.resource});
    if code == 429 {
        details["retryAfterSeconds"] = 1.into();
    }
    let status = status(code, reason, &message, &details);
    let mut response = json_response(StatusCode::from_u16(code).ok()?, &status);
    if code == 429 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Some(response)
}

/// The event with which a watch ends that can't go on from where it is.
pub(crate) fn gone() -> Value {
    let message = "The resourceVersion for the provided watch is too old.";
    json!({"type": "ERROR", "object": status(410, "Expired", message, &json!({}))})
}

pub(crate) fn json_response(code: StatusCode, body: &Value) -> Response<AnyBody> {
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn status(code: u16, reason: &str, message: &str, details: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    })
}

fn conflict(target: &Target) -> String {
    format!(
        "Operation cannot be fulfilled on {} {:?}: the object has been modified; please apply your changes to the latest version and try again",
        qualified(target),
        name(target)
    )
}

/// As `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters` words it.
fn forbidden(target: &Target) -> String {
    let resource = match &target.subresource {
        Some(subresource) => format!("{}/{subresource}", target.resource),
        None => target.resource.clone(),
    };
    let place = match &target.namespace {
        Some(namespace) => format!("in the namespace {namespace:?}"),
        None => "at the cluster scope".to_owned(),
    };
    format!(
        "{} {:?} is forbidden: User \"system:serviceaccount:faults:controller\" cannot {} resource {resource:?} in API group {:?} {place}",
        qualified(target),
        name(target),
        target.verb.as_str(),
        target.group
    )
}

/// As the admission plugin `ResourceQuota` words it.
fn quota(target: &Target) -> String {
    let resource = &target.resource;
    format!(
        "{} {:?} is forbidden: exceeded quota: faults, requested: count/{resource}=1, used: count/{resource}=1, limited: count/{resource}=1",
        qualified(target),
        name(target)
    )
}

fn qualified(target: &Target) -> String {
    if target.group.is_empty() {
        target.resource.clone()
    } else {
        format!("{}.{}", target.resource, target.group)
    }
}

fn name(target: &Target) -> &str {
    target.name.as_deref().unwrap_or_default()
}
