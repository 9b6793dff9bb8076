//! Erasing and exporting a business: what data protection law asks for.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use chrono::{DateTime, Utc};
use kyb_domain::{audit::AuditAction, business::Business, id::BusinessId, verification::Verification};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{find, rows};
use crate::{auth::Admitted, extract::Id, idempotency, problem::Problem, reply, state::App};

/// What an erasure did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erasure {
    /// The business that is gone.
    id: BusinessId,
    /// How many of its verifications were blanked.
    verifications_blanked: u64,
}

/// Erase a business's personal data (GDPR Article 17).
///
/// The business is deleted; requests, evidence and screenings of its verifications are blanked; ids, decisions, times and the
/// audit trail stay. Doing it twice answers 404 the second time, so `Idempotency-Key` is accepted and needs no keeping.
#[utoipa::path(
    post,
    path = "/v1/businesses/{id}/erase",
    tag = "businesses",
    params(("id" = BusinessId, Path, description = "The business's id.")),
    responses((status = 200, description = "Erased.", body = Erasure)),
)]
pub(crate) async fn erase(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    idempotency::key(&headers)?;
    let store = rows(&app, &asker);
    find(&store, &asker, id).await?;
    let blanked = store.erase_business(id, &asker.audit()).await?;
    let verifications_blanked = blanked.ok_or_else(|| Problem::no_such("business"))?;
    reply::json(StatusCode::OK, &Erasure { id, verifications_blanked })
}

/// Everything that is kept about a business.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Export {
    /// The business.
    business: Business,
    /// Its verifications, newest first, at most 100.
    verifications: Vec<Verification>,
    /// When this was put together.
    exported_at: DateTime<Utc>,
}

/// Export a business (GDPR Articles 15 and 20).
///
/// The export is noted in the audit trail.
#[utoipa::path(
    get,
    path = "/v1/businesses/{id}/export",
    tag = "businesses",
    params(("id" = BusinessId, Path, description = "The business's id.")),
    responses((status = 200, description = "Everything that is kept about it.", body = Export)),
)]
pub(crate) async fn export(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BusinessId>,
) -> Result<Response, Problem> {
    let store = rows(&app, &asker);
    let business = find(&store, &asker, id).await?;
    let verifications = store.verifications_of(id).await?;
    // Written down before anything is handed out.
    let detail = json!({"verifications": verifications.len()});
    store.record_event(AuditAction::BusinessExported, &id.to_string(), &detail, &asker.audit(), None).await?;
    let mut response =
        reply::json(StatusCode::OK, &Export { business, verifications, exported_at: Utc::now() })?;
    let download = HeaderValue::from_static("attachment; filename=\"business.json\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, download);
    Ok(response)
}
