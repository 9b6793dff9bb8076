//! A decision that holds for later screenings: this subject is not that listed party, as long as both stay as they are.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    audit::Actor,
    fingerprint::Fingerprint,
    id::{ScreeningId, SuppressionId},
    list::ListId,
    screening::Match,
    text::Justification,
};

/// A suppression of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suppression {
    /// Its id.
    pub id: SuppressionId,
    /// The screening whose match was decided; it says who the subject is.
    pub screening_id: ScreeningId,
    /// The list.
    pub list: ListId,
    /// The publisher's id of the entry.
    pub entry_id: String,
    /// The subject as it was screened.
    pub subject_fingerprint: Fingerprint,
    /// The entry as it was compared.
    pub entry_fingerprint: Fingerprint,
    /// Why it is somebody else.
    pub reason: Justification,
    /// By whom.
    pub created_by: Actor,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when, exclusively; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Who took it back, when and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// The end of a suppression before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Withdrawal {
    /// Why.
    pub reason: Justification,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
}

impl Suppression {
    /// Whether it holds for a match of this subject: neither expired nor withdrawn, and neither subject nor entry another
    /// than the ones that were decided about.
    pub fn holds_for(&self, subject: Fingerprint, found: &Match, now: DateTime<Utc>) -> bool {
        self.withdrawn.is_none()
            && self.expires_at.is_none_or(|end| now < end)
            && self.subject_fingerprint == subject
            && self.list == found.list
            && self.entry_id == found.entry_id
            && found.entry_fingerprint == Some(self.entry_fingerprint)
    }
}
