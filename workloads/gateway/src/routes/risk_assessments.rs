//! `POST /v1/risk-assessments`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::AuditAction,
    business::BusinessProfile,
    id::RiskAssessmentId,
    list::ListState,
    risk::{RiskFactor, RiskLevel},
    score::Points,
    verification::VerificationRequest,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{auth::Admitted, engine, extract::JsonBody, idempotency, problem::Problem, reply, state::App};

/// Whose risk to assess.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RiskAssessmentRequest {
    /// The business.
    business: BusinessProfile,
}

/// A risk score and what it is made of: the points of the factors add up to the score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RiskAssessmentAnswer {
    /// Names this answer in the audit trail; it can't be read again.
    id: RiskAssessmentId,
    /// The sum.
    score: Points,
    /// Its band.
    level: RiskLevel,
    /// The factors, heaviest first; each adds at least one point.
    factors: Vec<RiskFactor>,
    /// Name and version of the factor table.
    model: String,
    /// The lists that were searched.
    list_versions: Vec<ListState>,
    /// When.
    created_at: DateTime<Utc>,
}

/// Assess a risk.
///
/// Runs the checks and screenings that the score needs. Nothing but an audit event without personal data is kept, so
/// `Idempotency-Key` is accepted and changes nothing: the same business gives the same score while the lists are the same.
#[utoipa::path(
    post,
    path = "/v1/risk-assessments",
    tag = "risk-assessments",
    request_body = RiskAssessmentRequest,
    responses((status = 200, description = "The score and its factors.", body = RiskAssessmentAnswer)),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<RiskAssessmentRequest>,
) -> Result<Response, Problem> {
    idempotency::key(&headers)?;
    let business = body.value.business;
    business.check_bounds().map_err(|invalid| Problem::out_of_bounds("/business", &invalid))?;
    let now = Utc::now();
    let request = VerificationRequest { business, business_id: None, reference: None };
    let findings = engine::verify(&app, &asker.caller.tenant, &request, now).await?;
    let risk = findings.risk;
    app.metrics.risk_assessment(risk.level.as_str(), asker.caller.tenant_id(), "direct");
    let id = RiskAssessmentId::generate();
    let detail = json!({"score": risk.score, "level": risk.level, "model": risk.model});
    let store = app.store.tenant(asker.caller.tenant_id());
    let action = AuditAction::RiskAssessmentCompleted;
    store.record_event(action, &id.to_string(), &detail, &asker.audit(), None).await?;
    let list_versions = findings.screenings.into_iter().next().map(|screening| screening.list_versions);
    let answer = RiskAssessmentAnswer {
        id,
        score: risk.score,
        level: risk.level,
        factors: risk.factors,
        model: risk.model,
        list_versions: list_versions.unwrap_or_default(),
        created_at: now,
    };
    reply::json(StatusCode::OK, &answer)
}
