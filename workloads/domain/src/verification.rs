//! A verification: the checks, their evidence, and the decision.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    business::BusinessProfile,
    classification::Classification,
    decision::Decision,
    id::{BusinessId, VerificationId},
    reason::Reason,
    risk::RiskAssessment,
    screening::Screening,
    tenant::ContextName,
};

/// What is checked, each at most once in a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// Does the name read like a business's?
    Name,
    /// Is the address whole and consistent?
    Address,
    /// Does a business registry know it?
    Registry,
    /// Does the tax number belong to it?
    TaxId,
    /// Is the legal form a known one and the same as in the name?
    LegalForm,
    /// Who runs it?
    People,
    /// Who owns it?
    Ownership,
    /// What does it do?
    Industry,
    /// What does its web site say?
    Website,
    /// Is it, or anyone behind it, sanctioned?
    Watchlist,
}

impl CheckName {
    /// All of them, in the order of an answer.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Address,
        Self::Registry,
        Self::TaxId,
        Self::LegalForm,
        Self::People,
        Self::Ownership,
        Self::Industry,
        Self::Website,
        Self::Watchlist,
    ];

    /// The check's name as written in answers, policies and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Registry => "registry",
            Self::TaxId => "tax_id",
            Self::LegalForm => "legal_form",
            Self::People => "people",
            Self::Ownership => "ownership",
            Self::Industry => "industry",
            Self::Website => "website",
            Self::Watchlist => "watchlist",
        }
    }

    /// Whether success, from an independent source, confirms who the business is.
    pub fn proves_identity(self) -> bool {
        matches!(self, Self::Registry | Self::TaxId | Self::Name | Self::Address)
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// What was claimed holds, as far as this check's source can tell.
    Success,
    /// Something a person should see.
    Warning,
    /// What was claimed does not hold.
    Failure,
    /// The check could not be done: a source did not answer. Never a silent pass.
    Error,
    /// There was nothing to check, or no source to check it with.
    Skipped,
}

impl CheckStatus {
    /// The status's name as written in answers and policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// Where a piece of evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The applicant said so.
    Applicant,
    /// A rule of form, such as check digits, or a published code table.
    Standard,
    /// A published list.
    Watchlist,
    /// A registry or authority, asked by us.
    Registry,
}

impl SourceKind {
    /// Whether the applicant can't have made it up.
    pub fn is_independent(self) -> bool {
        matches!(self, Self::Watchlist | Self::Registry)
    }
}

/// A source and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// What kind of source.
    pub kind: SourceKind,
    /// Its name: `applicant`, `ISO 17442`, a list's id.
    pub name: String,
    /// Its version, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// One claim and what backs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// What the source says, in plain words.
    pub claim: String,
    /// Who says so.
    pub source: Source,
}

/// One check, its outcome and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    /// Which check.
    pub name: CheckName,
    /// How it came out.
    pub status: CheckStatus,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What backs it.
    pub evidence: Vec<Evidence>,
}

impl Check {
    /// Success that rests on at least one source that the applicant can't have made up.
    pub fn is_independent_success(&self) -> bool {
        self.status == CheckStatus::Success && self.evidence.iter().any(|e| e.source.kind.is_independent())
    }
}

/// How far a verification has come. Not its decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerificationStatus {
    /// Accepted, not begun.
    Pending,
    /// Being worked on.
    Running,
    /// Done; there is a decision.
    Completed,
    /// Given up after the last attempt; there is no decision.
    Failed,
    /// Called off.
    Cancelled,
    /// Not begun in time.
    Expired,
}

impl VerificationStatus {
    /// The status's name as written in answers and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether it will not change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

/// What a caller asks: this business, please.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VerificationRequest {
    /// The business.
    pub business: BusinessProfile,
    /// The stored business that this is about, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_id: Option<BusinessId>,
    /// The caller's own reference, given back as it came; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<crate::text::Name>,
}

/// What a finished verification found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Findings {
    /// The checks, in the order of [`CheckName::ALL`].
    pub checks: Vec<Check>,
    /// The screenings: first of the business, then of each owner, director and officer.
    pub screenings: Vec<Screening>,
    /// What it does.
    pub classification: Classification,
    /// How risky it is.
    pub risk: RiskAssessment,
    /// What to do.
    pub decision: Decision,
}

/// A verification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verification {
    /// Its id.
    pub id: VerificationId,
    /// How far it has come.
    pub status: VerificationStatus,
    /// The business context it was asked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextName>,
    /// What was asked.
    pub request: VerificationRequest,
    /// What was found, once completed.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// Why there is no decision, where it failed, was cancelled or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Reason>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
}

impl Verification {
    /// A verification that was just accepted.
    pub fn accepted(request: VerificationRequest, context: Option<ContextName>, now: DateTime<Utc>) -> Self {
        Self {
            id: VerificationId::generate(),
            status: VerificationStatus::Pending,
            context,
            request,
            findings: None,
            failure: None,
            created_at: now,
            completed_at: None,
        }
    }

    /// The same verification, done.
    #[must_use]
    pub fn completed(self, findings: Findings, now: DateTime<Utc>) -> Self {
        Self {
            status: VerificationStatus::Completed,
            findings: Some(findings),
            completed_at: Some(now),
            ..self
        }
    }

    /// The decision, once there is one.
    pub fn decision(&self) -> Option<&Decision> {
        self.findings.as_ref().map(|findings| &findings.decision)
    }
}
