//! `POST /v1/screenings/{id}/matches/{list}/{entry_id}/decisions`: what a person says about a match.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use chrono::{DateTime, SubsecRound as _, Utc};
use kyb_domain::{
    fingerprint::Fingerprint,
    id::{DecisionId, ScreeningId, SuppressionId},
    screening::{Match, MatchDecision, MatchStatus, Screening},
    text::Justification,
};
use kyb_store::hits::{Deciding, NewSuppression};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    auth::Admitted,
    extract::{JsonBody, precondition::IfMatch},
    idempotency::{self, Fingerprinted, Prepared},
    problem::Problem,
    reply,
    state::App,
};

/// What was decided about a match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// Where it is left; `pending` opens it again.
    status: MatchStatus,
    /// Why.
    reason: Justification,
    /// Makes a false positive hold for later screenings of this subject against this entry too.
    #[serde(default)]
    suppress: Option<Suppress>,
}

/// For how long to suppress a match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suppress {
    /// Until when, exclusively; until it is withdrawn, or subject or entry change, where absent.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

impl DecisionRequest {
    fn check(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        let Some(suppress) = &self.suppress else { return Ok(()) };
        if self.status != MatchStatus::FalsePositive {
            let detail = "only a match that is left as `false_positive` can be suppressed";
            return Err(Problem::invalid_input("/suppress", "INVALID", detail));
        }
        if suppress.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::invalid_input("/suppress/expires_at", "INVALID", "must be in the future"));
        }
        Ok(())
    }

    /// What is to hold for later screenings. A match without a fingerprint was recorded before there were any: what it was
    /// about can't be recognised again.
    fn suppression(&self, found: &Match) -> Result<Option<NewSuppression>, Problem> {
        let Some(suppress) = &self.suppress else { return Ok(None) };
        let entry = found.entry_fingerprint.ok_or_else(|| {
            let detail = "this match does not say which version of the entry it is about; screen again, and decide about that";
            Problem::invalid_input("/suppress", "INVALID", detail)
        })?;
        Ok(Some(NewSuppression {
            id: SuppressionId::generate(),
            entry,
            expires_at: suppress.expires_at.map(|end| end.trunc_subsecs(6)),
        }))
    }
}

/// Decide about a match.
///
/// For people, not for automation: keys of the roles SystemAdmin and ContextManager. Every decision is kept; the last one
/// says where the match stands. Anything but a plain `false_positive` also ends the suppressions in force for this
/// subject and entry; with `suppress` a new one takes their place. With `If-Match` nothing is decided unless the screening is still
/// as you read it.
#[utoipa::path(
    post,
    path = "/v1/screenings/{id}/matches/{list}/{entry_id}/decisions",
    tag = "screenings",
    params(
        ("id" = ScreeningId, Path, description = "The screening's id."),
        ("list" = String, Path, description = "The match's list."),
        ("entry_id" = String, Path, description = "The match's entry, percent-encoded."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the screening that you read."),
    ),
    request_body = DecisionRequest,
    responses((
        status = 201, description = "Decided.", body = MatchDecision,
        headers(("Location" = String, description = "The screening.")),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    place: Result<Path<(String, String, String)>, PathRejection>,
    headers: HeaderMap,
    body: JsonBody<DecisionRequest>,
) -> Result<Response, Problem> {
    let missing = || Problem::no_such("match");
    let Path((id, list, entry_id)) = place.map_err(|_| missing())?;
    let path = format!("/v1/screenings/{id}/matches/{list}/{entry_id}/decisions");
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: &path, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    let expected = IfMatch::read(&headers)?.revisions();
    let now = Utc::now().trunc_subsecs(6); // as exact as the store keeps it
    let store = app.store.tenant(asker.caller.tenant_id());
    let screening = store.screening(id.parse::<ScreeningId>().map_err(|_| missing())?).await?;
    let screening = screening.ok_or_else(missing)?;
    let found = find(&screening, &list, &entry_id).ok_or_else(missing)?;
    body.value.check(now)?;
    let audit = asker.audit();
    let suppression = body.value.suppression(found)?;
    let decision = MatchDecision {
        id: DecisionId::generate(),
        status: body.value.status,
        reason: body.value.reason,
        decided_by: audit.actor.clone(),
        decided_at: now,
        suppression_id: suppression.as_ref().map(|one| one.id),
    };
    let deciding = Deciding {
        screening: screening.id,
        subject: Fingerprint::of_subject(&screening.subject).ok_or_else(Problem::internal)?,
        list: &found.list,
        entry_id: &found.entry_id,
        decision: &decision,
        suppression,
        expected: expected.as_deref(),
    };
    let prepared = Prepared {
        status: StatusCode::CREATED,
        location: format!("/v1/screenings/{}", screening.id),
        body: reply::to_bytes(&decision)?,
    };
    let kept = prepared.kept_for(pending)?;
    let written = store.decide_match(&deciding, &audit, kept.as_ref()).await?.ok_or_else(missing)?;
    Ok(prepared.settle(written)?.0)
}

fn find<'a>(screening: &'a Screening, list: &str, entry_id: &str) -> Option<&'a Match> {
    screening.matches.iter().find(|found| found.list.as_str() == list && found.entry_id == entry_id)
}
