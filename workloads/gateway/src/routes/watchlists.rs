//! `GET /v1/watchlists`.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use kyb_domain::list::{ListId, ListState, ListVersion, Stale};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{auth::Admitted, problem::Problem, reply, state::App};

/// The lists that the tenant wants screened, as they stand now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Watchlists {
    /// One for each wanted list, loaded or not.
    watchlists: Vec<Watchlist>,
}

/// A wanted list as it stands now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Watchlist {
    /// Which list.
    list: ListId,
    /// The version in use in short, such as `2019-06-14+1f3a5b7c9d0e`.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// The version in use; absent where none was ever read.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<ListVersion>,
    /// When the source was last read successfully, changed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<DateTime<Utc>>,
    /// Seconds since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    /// In use and current.
    fresh: bool,
    /// Why it is not fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<Stale>,
}

impl Watchlist {
    fn of(state: &ListState, now: DateTime<Utc>) -> Self {
        Self {
            list: state.list.clone(),
            label: state.version.as_ref().map(ListVersion::label),
            version: state.version.clone(),
            checked_at: state.checked_at,
            age_seconds: state.checked_at.map(|at| (now - at).num_seconds().max(0)),
            fresh: state.is_fresh(),
            stale: state.stale.clone(),
        }
    }
}

/// The wanted lists: versions, ages, freshness.
#[utoipa::path(
    get,
    path = "/v1/watchlists",
    tag = "watchlists",
    responses((status = 200, description = "The lists.", body = Watchlists)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
) -> Result<Response, Problem> {
    let now = Utc::now();
    let wanted = asker.caller.tenant.lists.as_deref();
    let current = app.watchlists.current();
    let states = current.states.iter().filter(|state| wanted.is_none_or(|lists| lists.contains(&state.list)));
    let watchlists = states.map(|state| Watchlist::of(state, now)).collect();
    reply::json(StatusCode::OK, &Watchlists { watchlists })
}
