//! What a screening answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    audit::Actor,
    fingerprint::Fingerprint,
    id::{DecisionId, ScreeningId, SuppressionId},
    list::{EntryKind, ListId, ListState, ListVersion, NameKind},
    party::Party,
    reason::Reason,
    score::Score,
    text::Justification,
};

/// What came of a screening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScreeningStatus {
    /// Every wanted list was searched in a fresh version, no candidate was left out, and none reached the threshold but
    /// those that a suppression holds for, which are then among the matches and the reasons.
    NoHit,
    /// At least one match reached the threshold and is not suppressed; a person has to look. Stays so whatever that person
    /// decides: each match says where it was left.
    InReview,
    /// Nothing was found, but it can't be said that there is nothing: a list is missing or stale, or candidates were cut.
    Error,
}

/// Where a person left a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatchStatus {
    /// Nobody has decided yet.
    Pending,
    /// It is the listed party.
    Confirmed,
    /// It is somebody else.
    FalsePositive,
}

/// What a person decided about a match. Decisions are never changed; a later one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchDecision {
    /// Its id.
    pub id: DecisionId,
    /// Where the match was left.
    pub status: MatchStatus,
    /// Why.
    pub reason: Justification,
    /// By whom.
    pub decided_by: Actor,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// The suppression that it made, where it is to hold for later screenings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression_id: Option<SuppressionId>,
}

/// What a score is made of: one comparison, in words that an auditor can follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feature {
    /// What was compared: `name`, `country`, `birth_date`, `identifier`, `address`, `legal_form`.
    pub name: FeatureName,
    /// How alike, 0 to 1.
    pub score: Score,
    /// How much it counts: the change it made to the whole score, negative where it lowered it.
    pub weight: f64,
    /// What was compared with what, in words.
    pub detail: String,
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FeatureName {
    /// Names.
    Name,
    /// Legal forms inside names.
    LegalForm,
    /// Countries.
    Country,
    /// Dates of birth.
    BirthDate,
    /// Identifiers.
    Identifier,
    /// Addresses.
    Address,
}

/// From this score on a feature beside the name counts as second evidence.
pub const AGREES: f64 = 0.9;

/// A listed entry that the subject may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Match {
    /// The list.
    pub list: ListId,
    /// The publisher's id of the entry.
    pub entry_id: String,
    /// What the entry is.
    pub entry_type: EntryKind,
    /// The entry's primary name.
    pub caption: String,
    /// The listed name that was most alike.
    pub matched_name: String,
    /// What the publisher calls that name.
    pub name_kind: NameKind,
    /// Programmes or regimes.
    pub programs: Vec<String>,
    /// The whole score.
    pub score: Score,
    /// What it is made of.
    pub features: Vec<Feature>,
    /// The listed entry as it was compared; absent from matches that were recorded before there were fingerprints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_fingerprint: Option<Fingerprint>,
    /// Where it stands: as the last decision says, or `false_positive` where a suppression held, or else `pending`.
    pub status: MatchStatus,
    /// The suppression that held when it was screened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression_id: Option<SuppressionId>,
    /// What was decided about it since, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<MatchDecision>,
}

impl Match {
    /// Whether it still may be, or is, the listed party.
    pub fn stands(&self) -> bool {
        self.status != MatchStatus::FalsePositive
    }

    /// The feature beside the name and its legal form that agrees best, if one does.
    pub fn second_evidence(&self) -> Option<&Feature> {
        let beside_name = |f: &&Feature| !matches!(f.name, FeatureName::Name | FeatureName::LegalForm);
        self.features
            .iter()
            .filter(beside_name)
            .filter(|feature| feature.score.get() >= AGREES)
            .max_by(|a, b| a.score.get().total_cmp(&b.score.get()))
    }
}

/// A screening, done and recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Screening {
    /// Its id.
    pub id: ScreeningId,
    /// What came of it.
    pub status: ScreeningStatus,
    /// Who was screened.
    pub subject: Party,
    /// The wanted lists, with the version that was searched and how fresh it was.
    pub list_versions: Vec<ListState>,
    /// Versions that were loaded but not searched: how rare a word is on all lists together counts in every score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_loaded: Vec<ListVersion>,
    /// Name and version of the matching algorithm.
    pub algorithm: String,
    /// The score from which on a candidate is a match.
    pub threshold: Score,
    /// How many candidates were compared in full.
    pub candidates_scored: u32,
    /// Whether a cap left candidates out; then the status is never `no_hit`.
    pub candidates_truncated: bool,
    /// Whether more entries reached the threshold than were asked for.
    #[serde(default)]
    pub matches_truncated: bool,
    /// The matches, best first.
    pub matches: Vec<Match>,
    /// Why the status is `error`, and what else a reader must know.
    pub reasons: Vec<Reason>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Screening {
    /// The matches that nobody said to be somebody else, best first.
    pub fn standing(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|found| found.stands())
    }

    /// The matches that were said to be somebody else, best first.
    pub fn suppressed(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|found| !found.stands())
    }

    /// How many decisions were made about its matches; also its `ETag`.
    pub fn revision(&self) -> usize {
        self.matches.iter().map(|found| found.decisions.len()).sum()
    }
}
