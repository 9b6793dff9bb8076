//! What is written down for good: who did what to what, chained by hashes so that a change shows.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::tenant::TenantId;

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// `api_key`, `worker` or `system`.
    pub kind: ActorKind,
    /// The key's id, or the part of the system.
    pub id: String,
}

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A caller with an API key.
    ApiKey,
    /// The worker, on somebody's earlier request.
    Worker,
    /// The platform itself.
    System,
}

/// An action worth an audit event: a verb on a kind of object, such as `verification.completed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuditAction {
    /// A business was stored.
    #[serde(rename = "business.created")]
    BusinessCreated,
    /// A business was changed.
    #[serde(rename = "business.updated")]
    BusinessUpdated,
    /// A business was deleted.
    #[serde(rename = "business.deleted")]
    BusinessDeleted,
    /// A business's personal data was erased.
    #[serde(rename = "business.erased")]
    BusinessErased,
    /// A business's data was handed out.
    #[serde(rename = "business.exported")]
    BusinessExported,
    /// A verification was accepted for later.
    #[serde(rename = "verification.requested")]
    VerificationRequested,
    /// A verification was decided.
    #[serde(rename = "verification.completed")]
    VerificationCompleted,
    /// A verification was given up.
    #[serde(rename = "verification.failed")]
    VerificationFailed,
    /// Somebody was screened.
    #[serde(rename = "screening.completed")]
    ScreeningCompleted,
    /// Somebody said whether a match is the listed party.
    #[serde(rename = "screening.match_decided")]
    MatchDecided,
    /// Such a decision is to hold for later screenings too.
    #[serde(rename = "suppression.created")]
    SuppressionCreated,
    /// It holds no longer, since somebody took it back or decided anew.
    #[serde(rename = "suppression.withdrawn")]
    SuppressionWithdrawn,
    /// A batch was accepted for later.
    #[serde(rename = "batch.requested")]
    BatchRequested,
    /// Every subject of a batch has its answer.
    #[serde(rename = "batch.completed")]
    BatchCompleted,
    /// A subject is looked at from now on whenever a list changes.
    #[serde(rename = "monitor.created")]
    MonitorCreated,
    /// It was screened again, and its outcome is another.
    #[serde(rename = "monitor.alerted")]
    MonitorAlerted,
    /// It is not looked at any more.
    #[serde(rename = "monitor.ended")]
    MonitorEnded,
    /// A risk was assessed.
    #[serde(rename = "risk_assessment.completed")]
    RiskAssessmentCompleted,
    /// Everything of the tenant but this chain is being deleted. The last event of a chain.
    #[serde(rename = "tenant.erasure_started")]
    TenantErasureStarted,
}

/// One audit event of one tenant. `hash` covers every other field and the hash of the event before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Whose.
    pub tenant: TenantId,
    /// Position in the tenant's chain, from 1, without gaps.
    pub sequence: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// To which object: its id.
    pub object: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// What else matters, without personal data: outcome, list versions, policy version.
    pub detail: serde_json::Value,
    /// Hash of the event before, 64 hexadecimal digits; zeros for the first.
    pub previous_hash: String,
    /// Hash of this event, 64 hexadecimal digits.
    pub hash: String,
}
