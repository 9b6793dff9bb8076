//! `GET /openapi.json` and `GET /docs`.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{reply, state::App};

/// This interface as an OpenAPI 3.1 document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses((status = 200, description = "The document.", body = serde_json::Value)),
)]
pub(crate) async fn openapi(State(app): State<App>) -> Response {
    cached(reply::json_text(StatusCode::OK, app.documents.openapi.clone()))
}

/// This interface as a page for people.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "operations",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")),
)]
pub(crate) async fn page(State(app): State<App>) -> Response {
    let mut response = reply::text("text/html; charset=utf-8", app.documents.page.clone());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, app.documents.page_policy.clone());
    cached(response)
}

fn cached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
