//! yente's interface: query by example, text search, single entities, and what the service says of itself.
//!
//! | module | what |
//! |---|---|
//! | `about` | `/catalog`, `/algorithms`, `/healthz`, `/readyz` |
//! | `dataset` | which lists a data set's name means |
//! | `matching` | `POST /match/{dataset}` |
//! | `example` | a described entity, read as a party |
//! | `browse` | `GET /search/{dataset}`, `GET /entities/{id}` |
//! | `entity` | a listed entry, written as an entity of FollowTheMoney |

mod about;
mod browse;
mod dataset;
mod entity;
mod example;
mod matching;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};

use super::{access, errors};
use crate::state::App;

/// What is counted for a tenant.
pub(super) const ENDPOINTS: [(&str, &str); 5] = [
    ("GET", "/algorithms"),
    ("GET", "/catalog"),
    ("GET", "/entities/{id}"),
    ("GET", "/search/{dataset}"),
    ("POST", "/match/{dataset}"),
];

/// The routes, in yente's form from key to error.
pub(super) fn router(app: &App) -> Router<App> {
    let admitted = middleware::from_fn_with_state(Arc::clone(app), access::admit);
    let open = Router::new().route("/healthz", get(about::healthz)).route("/readyz", get(about::readyz));
    Router::new()
        .route("/match/{dataset}", post(matching::answer))
        .route("/search/{dataset}", get(browse::search))
        .route("/entities/{id}", get(browse::entity))
        .route("/catalog", get(about::catalog))
        .route("/algorithms", get(about::algorithms))
        .route_layer(admitted)
        .merge(open)
        .route_layer(middleware::from_fn(errors::as_detail))
}
