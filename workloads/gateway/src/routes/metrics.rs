//! `GET /metrics` and `GET /metrics/business`.

use axum::{extract::State, response::Response};
use chrono::Utc;

use crate::{reply, state::App};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every metric, as OpenMetrics text.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses((status = 200, description = "OpenMetrics.", body = String, content_type = "application/openmetrics-text")),
)]
pub(crate) async fn all(State(app): State<App>) -> Response {
    gauge(&app);
    reply::text(OPEN_METRICS, app.metrics.render())
}

/// The business metrics alone, as OpenMetrics text.
#[utoipa::path(
    get,
    path = "/metrics/business",
    tag = "operations",
    responses((status = 200, description = "OpenMetrics.", body = String, content_type = "application/openmetrics-text")),
)]
pub(crate) async fn business(State(app): State<App>) -> Response {
    gauge(&app);
    reply::text(OPEN_METRICS, app.metrics.render_business())
}

/// Brings the gauges up to this moment; ages of lists grow without anything happening.
fn gauge(app: &App) {
    app.metrics.active_tenants(app.settings.current().tenants.len());
    app.metrics.settings_refused(app.settings.refusal().is_some());
    app.caches.report(&app.metrics);
    app.metrics.watchlists(&app.watchlists.current().states, Utc::now());
}
