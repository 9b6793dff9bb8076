//! Subjects that are kept and looked at again whenever a list changes, and the alerts that come of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    fingerprint::Fingerprint,
    id::{AlertId, MonitorId, ScreeningId},
    list::{ListId, ListState, ListVersion},
    party::Party,
    score::Score,
    screening::{Screening, ScreeningStatus},
    tenant::ContextName,
};

/// Whether a monitor is still looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MonitorStatus {
    /// Its subject is compared with every version of its lists.
    Active,
    /// Somebody ended it: its subject is not kept any more, its alerts and screenings are.
    Ended,
}

/// How the subject is to be screened, as the caller asked. What is absent is as the tenant's settings say at that time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonitorOptions {
    /// Only these lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lists: Option<Vec<ListId>>,
    /// The score from which on a candidate is a match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Score>,
    /// The most matches; 10 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// A monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Monitor {
    /// Its id.
    pub id: MonitorId,
    /// Whether it is still looked at.
    pub status: MonitorStatus,
    /// The business context it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextName>,
    /// Who is looked at; absent once it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Party>,
    /// How.
    pub options: MonitorOptions,
    /// What came of the last screening that was recorded for it.
    pub outcome: ScreeningStatus,
    /// That screening.
    pub screening_id: ScreeningId,
    /// Which versions of the lists it was last compared with, and by which algorithm.
    pub compared: Compared,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last compared.
    pub checked_at: DateTime<Utc>,
    /// When it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// What a subject was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Compared {
    /// Name and version of the matching algorithm.
    pub algorithm: String,
    /// The loaded version of each of the installation's lists, by list.
    pub lists: Vec<ListVersion>,
}

impl Compared {
    /// The versions that are loaded.
    pub fn with(algorithm: &str, states: &[ListState]) -> Self {
        let mut lists: Vec<_> = states.iter().filter_map(|state| state.version.clone()).collect();
        lists.sort_by(|a, b| a.list.cmp(&b.list));
        Self { algorithm: algorithm.to_owned(), lists }
    }

    /// The version of a list.
    pub fn version(&self, list: &ListId) -> Option<&ListVersion> {
        self.lists.iter().find(|version| version.list == *list)
    }

    /// Tells one from any other: by the algorithm, and by list and content. 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("kyb-compared-1\n{}\n", self.algorithm));
        for version in &self.lists {
            hash.update(format!("{} {}\n", version.list, version.sha256));
        }
        hex::encode(hash.finalize())
    }
}

/// What a screening came to, as far as a change of it is worth an alert. Scores are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The status.
    pub status: ScreeningStatus,
    /// The matches, by list and entry.
    pub matches: Vec<OutcomeMatch>,
    /// Whether more entries matched than the answer holds.
    #[serde(default)]
    pub matches_truncated: bool,
}

/// A match of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutcomeMatch {
    /// The list.
    pub list: ListId,
    /// The publisher's id of the entry.
    pub entry_id: String,
    /// The entry as it was compared.
    pub entry_fingerprint: Option<Fingerprint>,
    /// Whether a suppression held.
    pub suppressed: bool,
}

impl Outcome {
    /// Of a screening to which suppressions were applied.
    pub fn of(screening: &Screening) -> Self {
        let mut matches: Vec<_> = screening
            .matches
            .iter()
            .map(|found| OutcomeMatch {
                list: found.list.clone(),
                entry_id: found.entry_id.clone(),
                entry_fingerprint: found.entry_fingerprint,
                suppressed: !found.stands(),
            })
            .collect();
        matches.sort_unstable();
        Self { status: screening.status, matches, matches_truncated: screening.matches_truncated }
    }

    /// Whether somebody has to be told: the status or a match is another. That there are more matches than the answer
    /// holds, or no longer, is none by itself.
    pub fn differs(&self, before: &Self) -> bool {
        self.status != before.status || self.matches != before.matches
    }

    /// Whether it can't be said from the entries that changed alone whether it would be the same today: the search was
    /// not whole, more matched than is kept, or suppressions play a part, which end in other ways too.
    pub fn needs_a_whole_search(&self) -> bool {
        self.status == ScreeningStatus::Error
            || self.matches_truncated
            || self.matches.iter().any(|found| found.suppressed)
    }

    /// How the matches differ from those before, by list and entry; with the versions that were searched now.
    pub fn changes(&self, before: &Self, now: &Compared) -> Vec<MatchChange> {
        let mut sides: BTreeMap<(&ListId, &str), [Option<&OutcomeMatch>; 2]> = BTreeMap::new();
        for (side, outcome) in [before, self].into_iter().enumerate() {
            for found in &outcome.matches {
                sides.entry((&found.list, found.entry_id.as_str())).or_default()[side] = Some(found);
            }
        }
        let change = |((list, entry_id), sides): ((&ListId, &str), [Option<&OutcomeMatch>; 2])| {
            let change = match sides {
                [None, _] => ChangeKind::Added,
                [Some(_), None] => ChangeKind::Removed,
                [Some(before), Some(after)] if before == after => return None,
                [Some(_), Some(_)] => ChangeKind::Changed,
            };
            let version = now.version(list).map(ListVersion::label);
            Some(MatchChange { list: list.clone(), entry_id: entry_id.to_owned(), change, version })
        };
        sides.into_iter().filter_map(change).collect()
    }
}

/// How a match differs from the last one with its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// The entry says something else, or a suppression holds now or does no longer.
    Changed,
    /// It is not there any more: the entry was delisted, or is not alike enough any more.
    Removed,
}

/// A match that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatchChange {
    /// The list.
    pub list: ListId,
    /// The publisher's id of the entry.
    pub entry_id: String,
    /// How.
    pub change: ChangeKind,
    /// The version of the list that was searched now; absent where the list is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A screening and its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recorded {
    /// The screening.
    pub screening_id: ScreeningId,
    /// What came of it.
    pub status: ScreeningStatus,
}

/// What a monitor has to say: its outcome is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose.
    pub monitor_id: MonitorId,
    /// The screening recorded before.
    pub before: Recorded,
    /// The screening that differs; it says on which versions of which lists.
    pub after: Recorded,
    /// The matches that differ. Empty where only the status does.
    pub changes: Vec<MatchChange>,
    /// Name and version of the matching algorithm.
    pub algorithm: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entry_id: &str, suppressed: bool) -> OutcomeMatch {
        OutcomeMatch {
            list: "ofac-sdn".parse().unwrap(),
            entry_id: entry_id.to_owned(),
            entry_fingerprint: None,
            suppressed,
        }
    }

    fn outcome(status: ScreeningStatus, matches: Vec<OutcomeMatch>) -> Outcome {
        Outcome { status, matches, matches_truncated: false }
    }

    #[test]
    fn what_differs_is_told_match_by_match() {
        let now = Compared { algorithm: "a/1".into(), lists: vec![] };
        let before =
            outcome(ScreeningStatus::InReview, vec![found("1", false), found("2", false), found("3", false)]);
        let after =
            outcome(ScreeningStatus::InReview, vec![found("2", true), found("3", false), found("4", false)]);
        let told: Vec<_> =
            after.changes(&before, &now).into_iter().map(|one| (one.entry_id, one.change)).collect();
        let wanted = [("1", ChangeKind::Removed), ("2", ChangeKind::Changed), ("4", ChangeKind::Added)];
        assert_eq!(told, wanted.map(|(id, kind)| (id.to_owned(), kind)));
        assert!(after.differs(&before) && !after.differs(&after));
        assert!(after.changes(&after, &now).is_empty());
    }

    #[test]
    fn an_error_is_an_outcome_and_is_searched_whole_again() {
        let clear = outcome(ScreeningStatus::NoHit, vec![]);
        let error = outcome(ScreeningStatus::Error, vec![]);
        assert!(error.differs(&clear) && clear.differs(&error));
        assert!(error.needs_a_whole_search() && !clear.needs_a_whole_search());
        assert!(outcome(ScreeningStatus::NoHit, vec![found("1", true)]).needs_a_whole_search());
    }

    #[test]
    fn another_algorithm_or_content_is_another_digest() {
        let with = |algorithm: &str, sha256: &str| {
            let version = ListVersion {
                list: "ofac-sdn".parse().unwrap(),
                format: crate::list::ListFormat::OfacCsv,
                published: "2026-01-01".parse().unwrap(),
                published_by: crate::list::PublishedBy::HttpHeader,
                sha256: sha256.to_owned(),
                entries: 1,
            };
            Compared { algorithm: algorithm.to_owned(), lists: vec![version] }.digest()
        };
        assert_eq!(with("a/1", "00"), with("a/1", "00"));
        assert_ne!(with("a/1", "00"), with("a/2", "00"));
        assert_ne!(with("a/1", "00"), with("a/1", "01"));
    }
}
