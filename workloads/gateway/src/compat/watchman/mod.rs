//! Watchman's interface: `GET /v2/search` and `GET /v2/listinfo`.
//!
//! | module | what |
//! |---|---|
//! | `query` | the parameters of a search, read as a party |
//! | `entity` | a listed entry as Watchman writes one |
//! | here | routes and answers |

mod entity;
mod query;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Router, extract::State, http::StatusCode, middleware, response::Response, routing::get,
};
use chrono::{DateTime, SecondsFormat, Utc};
use kyb_domain::{list::ListState, score::Score};
use kyb_verification::MOST_MATCHES;
use serde::Serialize;
use serde_json::json;

use super::{
    access, errors,
    params::{Params, log_passed_over},
    search::{LEAST_CUTOFF, Question, with_lists},
};
use crate::{auth::Admitted, problem::Problem, reply, state::App};
use entity::{Entity, source};
use query::{KNOWN, Query};

/// What is counted for a tenant.
pub(super) const ENDPOINTS: [(&str, &str); 2] = [("GET", "/v2/listinfo"), ("GET", "/v2/search")];

const USUAL_LIMIT: usize = 10;

/// The routes, in Watchman's form from key to error.
pub(super) fn router(app: &App) -> Router<App> {
    let admitted = middleware::from_fn_with_state(Arc::clone(app), access::admit);
    Router::new()
        .route("/v2/search", get(search))
        .route("/v2/listinfo", get(listinfo))
        .route_layer(admitted)
        .route_layer(middleware::from_fn(errors::as_error))
}

#[derive(Serialize)]
struct Hit {
    #[serde(flatten)]
    entity: Entity,
    #[serde(rename = "match")]
    score: f64,
}

/// The best entries for what is asked. Those of other types are left out, since a client reads only the part of the type it asked for.
async fn search(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    params: Params,
) -> Result<Response, Problem> {
    log_passed_over("/v2/search", params.others(&KNOWN));
    let query = Query::read(&params)?;
    // Whatever is no number counts as nothing said, as with Watchman.
    let number = |name| params.one(name).and_then(|text| text.parse::<f64>().ok());
    let limit = params.one("limit").and_then(|text| text.parse::<usize>().ok()).filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(USUAL_LIMIT).min(MOST_MATCHES);
    let least = number("minMatch").map(Score::clamped);
    let echo = query.echo();
    let hits = with_lists(&app, &asker.caller.tenant, move |lists| {
        // Without `minMatch` the caller judges by the score, so it gets all there is; certain it is from the threshold on.
        let threshold = least.unwrap_or_else(|| lists.usual_threshold());
        let answer =
            lists.ask(&Question::new(query.party(), None, threshold, least.unwrap_or(LEAST_CUTOFF)))?;
        let of_type = answer.matches.iter().filter(|found| query.wants(found.entry.kind));
        let hit = |found: &super::search::Found<'_>| Hit {
            entity: Entity::of(found.list, found.entry, query.kind()),
            score: found.by.score.get(),
        };
        Ok(of_type.take(limit).map(hit).collect::<Vec<_>>())
    });
    reply::json(StatusCode::OK, &json!({"query": echo, "entities": hits.await?}))
}

/// Which lists are searched, how many entries each has, and when they were last read.
async fn listinfo(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
) -> Result<Response, Problem> {
    let states =
        with_lists(&app, &asker.caller.tenant, |lists| Ok(lists.states().cloned().collect::<Vec<_>>()));
    let states = states.await?;
    let loaded: Vec<_> = states.iter().filter_map(|state| state.version.as_ref()).collect();
    let lists: BTreeMap<&str, u32> =
        loaded.iter().map(|version| (source(&version.list), version.entries)).collect();
    let hashes: BTreeMap<&str, &str> =
        loaded.iter().map(|version| (source(&version.list), version.sha256.as_str())).collect();
    let read = states.iter().filter_map(|state: &ListState| state.checked_at);
    let (first, last) = (time(read.clone().min()), time(read.max()));
    let version = concat!("kyb-", env!("CARGO_PKG_VERSION"));
    reply::json(
        StatusCode::OK,
        &json!({"lists": lists, "listHashes": hashes, "startedAt": first, "endedAt": last, "version": version}),
    )
}

/// Go's zero time where nothing was read.
fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
