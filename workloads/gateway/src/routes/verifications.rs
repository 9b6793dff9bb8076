//! `POST /v1/verifications`, `GET /v1/verifications/{id}`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::Response,
};
use chrono::Utc;
use kyb_domain::{
    id::VerificationId,
    tenant::ContextName,
    verification::{Findings, Verification, VerificationRequest, VerificationStatus},
};
use serde::Deserialize;

use crate::{
    auth::Admitted,
    engine,
    extract::{Id, JsonBody, prefer::Prefer},
    idempotency::{self, Fingerprinted, Pending, Prepared},
    problem::Problem,
    reply,
    state::App,
};

const PATH: &str = "/v1/verifications";
const LONGEST_REFERENCE: usize = 200;
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Verify a business.
///
/// Runs the checks, assesses the risk and decides by the tenant's policy. The answer is recorded before it is given. With
/// `Prefer: respond-async` the work is queued and answered with 202; read the verification until its status is final, or
/// follow its events.
#[utoipa::path(
    post,
    path = "/v1/verifications",
    tag = "verifications",
    request_body = VerificationRequest,
    params((
        "Prefer" = Option<String>, Header,
        description = "`wait=N`: wait up to N seconds (20 at most) for the result. `respond-async`: queue it (RFC 7240).",
    )),
    responses(
        (
            status = 201, description = "Decided and recorded.", body = Verification,
            headers(("Location" = String, description = "Where the verification can be read again.")),
        ),
        (
            status = 202, description = "Recorded and queued.", body = Verification,
            headers(("Location" = String, description = "Where the verification can be read.")),
        ),
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<VerificationRequest>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: PATH, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    check(&app, &asker, &body.value).await?;
    let accepted = Verification::accepted(body.value, asker.context.clone(), Utc::now());
    match decide(&app, &asker, &accepted, Prefer::read(&headers)).await? {
        Some(findings) => record(&app, &asker, &accepted.completed(findings, Utc::now()), pending).await,
        None => enqueue(&app, &asker, &accepted, pending).await,
    }
}

/// What the type of the request can't say.
async fn check(app: &App, asker: &Admitted, request: &VerificationRequest) -> Result<(), Problem> {
    request.business.check_bounds().map_err(|invalid| Problem::out_of_bounds("/business", &invalid))?;
    if request.reference.as_ref().is_some_and(|text| text.as_str().chars().count() > LONGEST_REFERENCE) {
        return Err(Problem::invalid_input("/reference", "INVALID", "must have at most 200 characters"));
    }
    let Some(id) = request.business_id else { return Ok(()) };
    let stored = app.store.tenant(asker.caller.tenant_id()).business(id).await?;
    if stored.is_some_and(|business| asker.sees(business.context.as_ref())) {
        return Ok(());
    }
    Err(Problem::invalid_input(
        "/business_id",
        "INVALID",
        "there is no such business for this tenant and context",
    ))
}

/// The findings, or `None` where the caller would rather not wait for them.
async fn decide(
    app: &App,
    asker: &Admitted,
    accepted: &Verification,
    prefer: Prefer,
) -> Result<Option<Findings>, Problem> {
    if prefer.is_async() {
        return Ok(None);
    }
    let work = engine::verify(app, &asker.caller.tenant, &accepted.request, accepted.created_at);
    tokio::time::timeout(prefer.wait, work).await.ok().transpose()
}

async fn record(
    app: &App,
    asker: &Admitted,
    verification: &Verification,
    pending: Option<Pending>,
) -> Result<Response, Problem> {
    let prepared = prepare(StatusCode::CREATED, verification)?;
    let kept = prepared.kept_for(pending)?;
    let tenant = asker.caller.tenant_id();
    let written =
        app.store.tenant(tenant).record_verification(verification, &asker.audit(), kept.as_ref()).await?;
    let (response, own) = prepared.settle(written)?;
    if let (true, Some(findings)) = (own, &verification.findings) {
        app.metrics.verification(findings.decision.outcome.as_str(), tenant, "sync");
        app.metrics.risk_assessment(findings.risk.level.as_str(), tenant, "verification");
    }
    Ok(response)
}

async fn enqueue(
    app: &App,
    asker: &Admitted,
    verification: &Verification,
    pending: Option<Pending>,
) -> Result<Response, Problem> {
    let prepared = prepare(StatusCode::ACCEPTED, verification)?;
    let kept = prepared.kept_for(pending)?;
    let store = app.store.tenant(asker.caller.tenant_id());
    let written = store.enqueue_verification(verification, &asker.audit(), kept.as_ref()).await?;
    let (mut response, _) = prepared.settle(written)?;
    response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    Ok(response)
}

fn prepare(status: StatusCode, verification: &Verification) -> Result<Prepared, Problem> {
    let location = format!("{PATH}/{}", verification.id);
    Ok(Prepared { status, location, body: reply::to_bytes(verification)? })
}

/// Read a verification.
#[utoipa::path(
    get,
    path = "/v1/verifications/{id}",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification's id.")),
    responses((status = 200, description = "The verification, whatever its status.", body = Verification)),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<VerificationId>,
) -> Result<Response, Problem> {
    Ok(reply::json_text(StatusCode::OK, text(&app, &asker, id).await?))
}

/// A verification as the text that was stored: it is passed on, not read.
pub(crate) async fn text(app: &App, asker: &Admitted, id: VerificationId) -> Result<String, Problem> {
    let stored = app.store.tenant(asker.caller.tenant_id()).verification_json(id).await?;
    let text = stored.ok_or_else(|| Problem::no_such("verification"))?;
    if asker.context.is_some() && !asker.sees(Glance::at(&text)?.context.as_ref()) {
        return Err(Problem::no_such("verification"));
    }
    Ok(text)
}

/// The little of a stored verification that decides what to do with it.
#[derive(Debug, Deserialize)]
pub(crate) struct Glance {
    pub(crate) status: VerificationStatus,
    #[serde(default)]
    pub(crate) context: Option<ContextName>,
    #[serde(default)]
    pub(crate) decision: Option<DecisionGlance>,
}

/// What was decided.
#[derive(Debug, Deserialize)]
pub(crate) struct DecisionGlance {
    pub(crate) outcome: kyb_domain::decision::DecisionOutcome,
}

impl Glance {
    pub(crate) fn at(text: &str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| {
            tracing::error!(%error, "a stored verification can't be read");
            Problem::internal()
        })
    }
}
