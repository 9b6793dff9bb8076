//! Many subjects in one request, worked off one after the other, with an answer for every one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{id::BatchId, list::ListId, reason::ReasonCode, score::Score, tenant::ContextName};

/// The most subjects of a batch.
pub const MOST_SUBJECTS: usize = 10_000;

/// What is done with every subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchKind {
    /// It is screened.
    #[default]
    Screening,
}

/// How far a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Nobody has begun.
    Pending,
    /// Some subjects may have their answer.
    Running,
    /// Every subject has its answer.
    Completed,
}

/// How the subjects are to be screened: what the caller asked for, within what its tenant wanted at that time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatchOptions {
    /// Only these lists.
    pub lists: Option<Vec<ListId>>,
    /// Another threshold than the default.
    pub threshold: Option<Score>,
    /// The most matches.
    pub limit: Option<usize>,
}

/// Subjects by their answer. Those that are not counted have none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchCounts {
    /// Nothing was found, on every wanted list.
    pub no_hit: u32,
    /// Something was found.
    pub in_review: u32,
    /// Could not be screened, or not whole.
    pub error: u32,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// What is done with every subject.
    #[serde(rename = "type")]
    pub kind: BatchKind,
    /// How far it has come.
    pub status: BatchStatus,
    /// The business context it was asked in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextName>,
    /// How many subjects it has.
    pub total: u32,
    /// How many of them have their answer, by answer.
    pub counts: BatchCounts,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When the last subject had its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
}

/// Why a subject has no screening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchError {
    /// Where in the subject, as a JSON pointer; absent where it is not about the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The code.
    pub code: ReasonCode,
    /// What it means here, in plain words.
    pub text: String,
}
