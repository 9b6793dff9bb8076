//! A problem in the form that a client of another service reads.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use serde_json::json;

use crate::problem::Problem;

/// `{"detail": …}`, as yente's clients read it.
pub(super) async fn as_detail(request: Request, next: Next) -> Response {
    tell(next.run(request).await, "detail")
}

/// `{"error": …}`, as Watchman's clients read it.
pub(super) async fn as_error(request: Request, next: Next) -> Response {
    tell(next.run(request).await, "error")
}

/// Writes the problem that a response brings into its body; status and headers stay.
fn tell(mut response: Response, member: &str) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    *response.body_mut() = Body::from(json!({ member: problem.detail() }).to_string());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
