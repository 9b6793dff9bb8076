//! `GET /health` and `GET /ready`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{problem::Problem, reply, state::App};

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// Whether the process should get requests, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether every part that is needed is there.
    ready: bool,
    /// The parts.
    parts: Vec<Part>,
}

/// One part of readiness.
#[derive(Serialize, ToSchema)]
pub(crate) struct Part {
    /// `process`, `database`, `watchlists` or `settings`.
    name: &'static str,
    /// Whether requests can be served as far as this part goes.
    ready: bool,
    /// What is wrong with it or what to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Is the process alive?
///
/// Says nothing about the database or the lists; see `/ready`.
#[utoipa::path(get, path = "/health", tag = "operations", responses((status = 200, description = "Alive.", body = Health)))]
pub(crate) async fn health() -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &Health { status: "ok" })
}

/// Should the process get requests?
///
/// Stale lists and refused settings are reported, but do not make the process unready: it goes on serving what it has. In a
/// cluster it is not ready until the first settings came.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "operations",
    responses(
        (status = 200, description = "Ready.", body = Readiness),
        (status = 503, description = "Not ready; the parts say why.", body = Readiness),
    ),
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let parts = parts(&app).await;
    let ready = parts.iter().all(|part| part.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply::json(status, &Readiness { ready, parts })
}

async fn parts(app: &App) -> Vec<Part> {
    vec![process(app), database(app).await, watchlists(app), settings(app)]
}

/// What keeps the process from being ready, in words; `None` where it is.
pub(crate) async fn why_unready(app: &App) -> Option<String> {
    let unready = parts(app).await.into_iter().filter(|part| !part.ready);
    let why: Vec<String> = unready
        .map(|part| format!("{}: {}", part.name, part.detail.as_deref().unwrap_or("not ready")))
        .collect();
    (!why.is_empty()).then(|| why.join("; "))
}

fn process(app: &App) -> Part {
    let stopping = app.stopping.is_cancelled();
    Part { name: "process", ready: !stopping, detail: stopping.then(|| "stopping".to_owned()) }
}

async fn database(app: &App) -> Part {
    let detail = if !app.is_checked() {
        Some("its role and schema have not been checked yet")
    } else if !app.is_database_alive().await {
        Some("it does not answer")
    } else {
        None
    };
    Part { name: "database", ready: detail.is_none(), detail: detail.map(str::to_owned) }
}

fn watchlists(app: &App) -> Part {
    let watchlists = app.watchlists.current();
    let named = |wanted: fn(&kyb_domain::list::ListState) -> bool| {
        let names: Vec<&str> =
            watchlists.states.iter().filter(|s| wanted(s)).map(|s| s.list.as_str()).collect();
        names.join(", ")
    };
    let missing = named(|state| state.version.is_none());
    let stale = named(|state| state.version.is_some() && state.stale.is_some());
    let detail = match (missing.as_str(), stale.as_str()) {
        _ if watchlists.states.is_empty() => {
            Some("no list is configured, so nothing can come out as `no_hit`".to_owned())
        }
        ("", "") => None,
        ("", stale) => Some(format!("stale: {stale}")),
        (missing, "") => Some(format!("never loaded: {missing}")),
        (missing, stale) => Some(format!("never loaded: {missing}; stale: {stale}")),
    };
    Part { name: "watchlists", ready: missing.is_empty(), detail }
}

fn settings(app: &App) -> Part {
    let refusals = app.settings.refusals();
    let detail = match (app.settings.is_loaded(), &refusals[..]) {
        (_, []) => None,
        (false, [why, ..]) => Some(format!("none yet: {why}")),
        (true, [refusal]) => {
            Some(format!("the newest files were refused, the last good ones are in use: {refusal}"))
        }
        (true, [first, ..]) => {
            let more = refusals.len() - 1;
            Some(format!(
                "{} files were refused, their last good versions are in use: {first}; {more} more",
                refusals.len()
            ))
        }
    };
    Part { name: "settings", ready: app.settings.is_loaded(), detail }
}
