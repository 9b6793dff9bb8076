//! What probes and Prometheus ask.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use kyb_kit::Live;

use crate::metrics::Metrics;

/// What the answers follow from.
#[derive(Clone)]
pub struct Status {
    /// What is watched.
    pub live: Live,
    /// What is counted.
    pub metrics: Metrics,
}

/// `/health`: the process lives. `/ready`: it has seen the cluster, and could take over. `/metrics`.
pub fn routes(status: Status) -> Router {
    Router::new()
        .route("/health", get(|| async { "alive" }))
        .route("/ready", get(ready))
        .route("/metrics", get(|State(status): State<Status>| async move { status.metrics.render() }))
        .with_state(status)
}

async fn ready(State(status): State<Status>) -> (StatusCode, &'static str) {
    if status.live.is_synced() {
        (StatusCode::OK, "ready")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "has not seen the whole cluster yet; can it list what it looks after?",
        )
    }
}
