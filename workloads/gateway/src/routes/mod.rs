//! The routes. Each is written down once, with its documentation beside it; the OpenAPI document is made from that.

mod batches;
mod businesses;
mod classifications;
mod docs;
mod events;
pub(crate) mod health;
mod metrics;
mod monitors;
mod risk_assessments;
mod screenings;
mod suppressions;
mod verifications;
mod watchlists;

use std::sync::Arc;

use axum::{Router, middleware, response::IntoResponse};
use tower_http::compression::{
    CompressionLayer,
    predicate::{NotForContentType, Predicate, SizeAbove},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    admit::admit,
    compat,
    observe::observe,
    problem::{Kind, Problem},
    state::App,
};

/// Answers up to this size are sent as they are.
const COMPRESS_ABOVE: u64 = 1024;

/// The routes that anybody may call.
pub(crate) fn open() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::all))
        .routes(routes!(metrics::business))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::page))
}

/// The routes that need an API key.
pub(crate) fn v1() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(verifications::create))
        .routes(routes!(verifications::read))
        .routes(routes!(events::follow))
        .routes(routes!(businesses::list, businesses::create))
        .routes(routes!(businesses::read, businesses::change::change, businesses::delete))
        .routes(routes!(businesses::privacy::erase))
        .routes(routes!(businesses::privacy::export))
        .routes(routes!(screenings::create))
        .routes(routes!(screenings::read))
        .routes(routes!(screenings::decisions::create))
        .routes(routes!(suppressions::list))
        .routes(routes!(suppressions::read))
        .routes(routes!(suppressions::withdraw))
        .routes(routes!(batches::create))
        .routes(routes!(batches::read))
        .routes(routes!(batches::results))
        .routes(routes!(monitors::list, monitors::create))
        .routes(routes!(monitors::read, monitors::end))
        .routes(routes!(monitors::alerts_of))
        .routes(routes!(monitors::alerts))
        .routes(routes!(classifications::create))
        .routes(routes!(risk_assessments::create))
        .routes(routes!(watchlists::list))
}

/// Every route with its middleware. `observe` is around all of them, unknown ones too; `admit` around `/v1` only; the
/// interfaces of others bring their own.
pub(crate) fn router(app: &App) -> Router {
    let admitted = middleware::from_fn_with_state(Arc::clone(app), admit);
    let observed = middleware::from_fn_with_state(Arc::clone(app), observe);
    let (v1, _) = v1().split_for_parts();
    let (open, _) = open().split_for_parts();
    open.merge(v1.route_layer(admitted))
        .merge(compat::router(app))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(observed)
        .layer(
            CompressionLayer::new().compress_when(SizeAbove::new(COMPRESS_ABOVE).and(NotForContentType::SSE)),
        )
        .with_state(Arc::clone(app))
}

async fn method_not_allowed() -> impl IntoResponse {
    Problem::new(Kind::MethodNotAllowed, "this route has other methods; see the Allow header")
}

async fn not_found() -> impl IntoResponse {
    Problem::new(Kind::NotFound, "there is no such route; GET /docs lists them all")
}
