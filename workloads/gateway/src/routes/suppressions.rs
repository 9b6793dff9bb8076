//! `/v1/suppressions`: decisions that hold for later screenings. They are made by deciding about a match.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{SubsecRound as _, Utc};
use kyb_domain::{id::SuppressionId, suppression::Suppression, text::Justification};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Admitted,
    extract::{
        Id, JsonBody,
        cursor::{self, QueryHash},
        page::PageQuery,
        query::QueryOf,
    },
    idempotency,
    problem::Problem,
    reply,
    state::App,
};

/// A page of suppressions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suppressions {
    /// Newest first, ended ones too.
    suppressions: Vec<Suppression>,
    /// Give it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List suppressions.
///
/// All of the tenant's, those that expired or were withdrawn too.
#[utoipa::path(
    get,
    path = "/v1/suppressions",
    tag = "suppressions",
    params(PageQuery),
    responses((status = 200, description = "A page.", body = Suppressions)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    QueryOf(wanted): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let hash = QueryHash::of(&[Some("suppressions")]);
    let (size, after) = (wanted.size()?, wanted.after(hash)?);
    let store = app.store.tenant(asker.caller.tenant_id());
    let page = store.suppressions(after.map(SuppressionId::from), size).await?;
    let last = page.suppressions.last().filter(|_| page.more);
    let next_cursor = last.map(|one| cursor::after(one.id.uuid(), hash));
    reply::json(StatusCode::OK, &Suppressions { suppressions: page.suppressions, next_cursor })
}

/// Read a suppression.
#[utoipa::path(
    get,
    path = "/v1/suppressions/{id}",
    tag = "suppressions",
    params(("id" = SuppressionId, Path, description = "The suppression's id.")),
    responses((status = 200, description = "The suppression.", body = Suppression)),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<SuppressionId>,
) -> Result<Response, Problem> {
    let found = app.store.tenant(asker.caller.tenant_id()).suppression(id).await?;
    reply::json(StatusCode::OK, &found.ok_or_else(|| Problem::no_such("suppression"))?)
}

/// Why a suppression is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawalRequest {
    /// Why.
    reason: Justification,
}

/// Withdraw a suppression.
///
/// For people, as deciding is. From the next screening on the match is pending again. A suppression that was withdrawn before
/// is answered as it is, so `Idempotency-Key` is accepted and needs no keeping.
#[utoipa::path(
    post,
    path = "/v1/suppressions/{id}/withdraw",
    tag = "suppressions",
    params(("id" = SuppressionId, Path, description = "The suppression's id.")),
    request_body = WithdrawalRequest,
    responses((status = 200, description = "The suppression, withdrawn.", body = Suppression)),
)]
pub(crate) async fn withdraw(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<SuppressionId>,
    headers: HeaderMap,
    body: JsonBody<WithdrawalRequest>,
) -> Result<Response, Problem> {
    idempotency::key(&headers)?;
    let store = app.store.tenant(asker.caller.tenant_id());
    let now = Utc::now().trunc_subsecs(6);
    let withdrawn = store.withdraw_suppression(id, &body.value.reason, &asker.audit(), now).await?;
    reply::json(StatusCode::OK, &withdrawn.ok_or_else(|| Problem::no_such("suppression"))?)
}
