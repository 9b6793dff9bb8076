//! `POST /v1/screenings`, `GET /v1/screenings/{id}`. Deciding about matches is in [`decisions`].

pub(crate) mod decisions;

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use chrono::Utc;
use kyb_domain::{id::ScreeningId, list::ListId, party::Party, score::Score, screening::Screening};
use kyb_settings::Tenant;
use kyb_verification::{ScreeningError, ScreeningOptions};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Admitted,
    cached, engine,
    extract::{Id, JsonBody, precondition::etag},
    idempotency::{self, Fingerprinted, Prepared},
    problem::Problem,
    reply,
    state::App,
};

const PATH: &str = "/v1/screenings";
const MOST_LISTS: usize = 100;
const MOST_MATCHES: usize = 100;

/// Whom to screen, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScreeningRequest {
    /// Who.
    pub(crate) subject: Party,
    /// Only these of the tenant's lists; all where absent.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    pub(crate) lists: Option<Vec<ListId>>,
    /// The score from which on a candidate is a match; the tenant's or the engine's own where absent.
    #[serde(default)]
    pub(crate) threshold: Option<Score>,
    /// The most matches; 10 where absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<usize>,
}

/// How a caller asks for parties to be screened.
pub(crate) struct Wishes<'a> {
    pub(crate) lists: Option<&'a [ListId]>,
    pub(crate) threshold: Option<Score>,
    pub(crate) limit: Option<usize>,
}

impl ScreeningRequest {
    pub(crate) fn check(&self) -> Result<(), Problem> {
        self.subject.check_bounds().map_err(|invalid| Problem::out_of_bounds("/subject", &invalid))?;
        self.wishes().check()
    }

    pub(crate) fn wishes(&self) -> Wishes<'_> {
        Wishes { lists: self.lists.as_deref(), threshold: self.threshold, limit: self.limit }
    }
}

impl Wishes<'_> {
    /// What the types can't say.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        // An empty list of lists would find nothing and look like an all-clear.
        if self.lists.is_some_and(|lists| lists.is_empty() || lists.len() > MOST_LISTS) {
            return Err(Problem::invalid_input(
                "/lists",
                "INVALID",
                "name 1 to 100 lists, or leave it out for all",
            ));
        }
        if self.limit.is_some_and(|limit| !(1..=MOST_MATCHES).contains(&limit)) {
            return Err(Problem::invalid_input("/limit", "INVALID", "must be from 1 to 100"));
        }
        Ok(())
    }

    /// What the caller asks for, within what its tenant wants.
    pub(crate) fn options(&self, tenant: &Tenant) -> Result<ScreeningOptions, Problem> {
        if let (Some(asked), Some(wanted)) = (self.lists, &tenant.lists)
            && let Some(other) = asked.iter().find(|list| !wanted.contains(list))
        {
            return Err(self.unknown_list(other));
        }
        Ok(ScreeningOptions {
            lists: self.lists.map(<[ListId]>::to_vec).or_else(|| tenant.lists.clone()),
            threshold: self.threshold.or(tenant.threshold),
            limit: self.limit,
        })
    }

    /// Says that a list is not there, to whoever named it.
    pub(crate) fn unknown_list(&self, unknown: &ListId) -> Problem {
        let place = self.lists.and_then(|lists| lists.iter().position(|list| list == unknown));
        let Some(place) = place else {
            // The caller named none: the tenant's settings want a list that the platform does not have.
            tracing::error!(
                list = unknown.as_str(),
                "a tenant's settings name a list that the platform does not have"
            );
            return Problem::internal();
        };
        let detail = format!("`{unknown}` is not one of your lists; see GET /v1/watchlists");
        Problem::invalid_input(format!("/lists/{place}"), "INVALID", detail)
    }
}

/// Screen a party.
///
/// `no_hit` is answered only where every wanted list was searched in a fresh version; otherwise the status is `error`, with
/// reasons. A match that a suppression holds for is answered as `false_positive` with the suppression's id, and the reasons say
/// so; the others decide the status.
#[utoipa::path(
    post,
    path = "/v1/screenings",
    tag = "screenings",
    request_body = ScreeningRequest,
    responses((
        status = 201,
        description = "Screened and recorded.",
        body = Screening,
        headers(
            ("Location" = String, description = "Where the screening can be read again."),
            ("X-Kyb-Cache" = String, description = "`hit` where the search was made for an earlier request on the same lists, else `miss`. Absent from a repeated answer."),
        ),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<ScreeningRequest>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: PATH, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    let wanted = body.value;
    wanted.check()?;
    let options = wanted.wishes().options(&asker.caller.tenant)?;
    let tenant = asker.caller.tenant_id();
    let now = Utc::now();
    let mut found = match engine::screen(&app, tenant, wanted.subject.clone(), &options, now) {
        Ok(found) => found,
        Err(ScreeningError::UnknownList(unknown)) => return Err(wanted.wishes().unknown_list(&unknown)),
    };
    engine::suppress(&app, tenant, std::slice::from_mut(&mut found.value), now).await?;
    let screening = &found.value;
    let prepared = Prepared {
        status: StatusCode::CREATED,
        location: format!("{PATH}/{}", screening.id),
        body: reply::to_bytes(screening)?,
    };
    let kept = prepared.kept_for(pending)?;
    let written = app.store.tenant(tenant).record_screening(screening, &asker.audit(), kept.as_ref()).await?;
    let (mut response, own) = prepared.settle(written)?;
    if own {
        response.headers_mut().insert(cached::HEADER, cached::header_value(found.hit));
    }
    Ok(response)
}

/// Read a screening.
///
/// Its status stays as it was recorded; each match says where it stands and what was decided about it.
#[utoipa::path(
    get,
    path = "/v1/screenings/{id}",
    tag = "screenings",
    params(("id" = ScreeningId, Path, description = "The screening's id.")),
    responses((
        status = 200, description = "The screening.", body = Screening,
        headers(("ETag" = String, description = "How many decisions were made about its matches, for If-Match.")),
    )),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<ScreeningId>,
) -> Result<Response, Problem> {
    let found = app.store.tenant(asker.caller.tenant_id()).screening(id).await?;
    let screening = found.ok_or_else(|| Problem::no_such("screening"))?;
    let mut response = reply::json(StatusCode::OK, &screening)?;
    reply::set(&mut response, header::ETAG, &etag(screening.revision()));
    Ok(response)
}
