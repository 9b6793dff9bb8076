//! `/v1/businesses`: stored businesses. Changing one is in [`change`], erasing and exporting one in [`privacy`].

pub(crate) mod change;
pub(crate) mod privacy;

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SubsecRound as _, Utc};
use kyb_domain::{
    business::{Business, BusinessProfile},
    id::BusinessId,
    identifier::IdentifierValue,
    tenant::ContextName,
    text::Name,
};
use kyb_store::{TenantStore, businesses::BusinessQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Admitted,
    extract::{
        Id, JsonBody,
        cursor::{self, QueryHash},
        page,
        precondition::{IfMatch, etag, is_cached},
        query::QueryOf,
    },
    idempotency::{self, Fingerprinted, Prepared},
    problem::Problem,
    reply,
    state::App,
};

const PATH: &str = "/v1/businesses";

fn rows(app: &App, asker: &Admitted) -> TenantStore {
    app.store.tenant(asker.caller.tenant_id())
}

/// The business, if the caller gets to see it.
async fn find(store: &TenantStore, asker: &Admitted, id: BusinessId) -> Result<Business, Problem> {
    let found = store.business(id).await?.filter(|business| asker.sees(business.context.as_ref()));
    found.ok_or_else(|| Problem::no_such("business"))
}

fn answer(status: StatusCode, business: &Business) -> Result<Response, Problem> {
    let mut response = reply::json(status, business)?;
    reply::set(&mut response, header::ETAG, &etag(business.revision));
    Ok(response)
}

/// Store a business.
#[utoipa::path(
    post,
    path = "/v1/businesses",
    tag = "businesses",
    request_body = BusinessProfile,
    responses((
        status = 201,
        description = "Stored.",
        body = Business,
        headers(
            ("Location" = String, description = "Where the business can be read."),
            ("ETag" = String, description = "Its revision, for If-Match."),
        ),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<BusinessProfile>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: PATH, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    body.value.check_bounds().map_err(|invalid| Problem::out_of_bounds("", &invalid))?;
    // The store keeps microseconds; what is answered now must be what is read later.
    let business = new(body.value, &asker, Utc::now().trunc_subsecs(6));
    let prepared = Prepared {
        status: StatusCode::CREATED,
        location: format!("{PATH}/{}", business.id),
        body: reply::to_bytes(&business)?,
    };
    let kept = prepared.kept_for(pending)?;
    let written = rows(&app, &asker).create_business(&business, &asker.audit(), kept.as_ref()).await?;
    let (mut response, _) = prepared.settle(written)?;
    // A repetition answers with the business as it was created, so the tag is that of its first revision too.
    reply::set(&mut response, header::ETAG, &etag(business.revision));
    Ok(response)
}

fn new(profile: BusinessProfile, asker: &Admitted, now: DateTime<Utc>) -> Business {
    let context = asker.context.clone();
    Business { id: BusinessId::generate(), context, profile, revision: 1, created_at: now, updated_at: now }
}

/// Which businesses to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Words of registered or trading names; best first.
    q: Option<Name>,
    /// A tax number; separators and case do not matter.
    tax_id: Option<IdentifierValue>,
    /// `next_cursor` of the page before, with the same query.
    cursor: Option<String>,
    /// The most businesses of a page; 20 where absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

/// A page of businesses.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Businesses {
    /// Newest first, or best first where `q` was given.
    businesses: Vec<Business>,
    /// Give it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List or find businesses.
#[utoipa::path(
    get,
    path = "/v1/businesses",
    tag = "businesses",
    params(ListQuery),
    responses((status = 200, description = "A page.", body = Businesses)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    QueryOf(wanted): QueryOf<ListQuery>,
) -> Result<Response, Problem> {
    let limit = page::size(wanted.limit)?;
    let context = asker.context.as_ref();
    let (text, tax_id) =
        (wanted.q.as_ref().map(Name::as_str), wanted.tax_id.as_ref().map(IdentifierValue::as_str));
    let hash = QueryHash::of(&[text, tax_id, context.map(ContextName::as_str)]);
    let after = wanted.cursor.as_deref().map(|text| cursor::read(text, hash)).transpose()?;
    let query = BusinessQuery {
        text: text.map(str::to_owned),
        tax_id: tax_id.map(str::to_owned),
        context: context.cloned(),
        after: after.map(BusinessId::from),
        limit,
    };
    let page = rows(&app, &asker).find_businesses(&query).await?;
    let last = page.businesses.last().filter(|_| page.more);
    let next_cursor = last.map(|business| cursor::after(business.id.uuid(), hash));
    reply::json(StatusCode::OK, &Businesses { businesses: page.businesses, next_cursor })
}

/// Read a business.
#[utoipa::path(
    get,
    path = "/v1/businesses/{id}",
    tag = "businesses",
    params(
        ("id" = BusinessId, Path, description = "The business's id."),
        ("If-None-Match" = Option<String>, Header, description = "An ETag that you already have."),
    ),
    responses(
        (
            status = 200, description = "The business.", body = Business,
            headers(("ETag" = String, description = "Its revision, for If-Match.")),
        ),
        (status = 304, description = "You already have it."),
    ),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let business = find(&rows(&app, &asker), &asker, id).await?;
    if is_cached(&headers, business.revision) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        reply::set(&mut response, header::ETAG, &etag(business.revision));
        return Ok(response);
    }
    answer(StatusCode::OK, &business)
}

/// Delete a business.
///
/// Its verifications stay; see erase for personal data.
#[utoipa::path(
    delete,
    path = "/v1/businesses/{id}",
    tag = "businesses",
    params(
        ("id" = BusinessId, Path, description = "The business's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag of what you read."),
    ),
    responses((status = 204, description = "Deleted.")),
)]
pub(crate) async fn delete(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let store = rows(&app, &asker);
    let business = find(&store, &asker, id).await?;
    IfMatch::read(&headers)?.check(business.revision)?;
    if store.delete_business(id, &asker.audit()).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(Problem::no_such("business"))
}
