//! One party against the wanted lists.

use chrono::{DateTime, Utc};
use kyb_domain::{
    id::ScreeningId,
    list::{ListId, ListState, ListVersion, Stale},
    party::Party,
    reason::{Reason, ReasonCode},
    score::Score,
    screening::{Feature, Match, Screening, ScreeningStatus},
};
use kyb_screening::{ALGORITHM, DEFAULT_THRESHOLD, SearchOptions, SearchResult};

use crate::lists::{Watchlists, list_problems};

/// The most matches that can be asked for.
pub const MOST_MATCHES: usize = 100;
/// The most matches where nobody asked for more or fewer.
const USUAL_MATCHES: usize = 10;
/// Scores in answers are rounded to so many decimal places.
const DIGITS: i32 = 4;

/// How to screen, where the caller said anything.
#[derive(Debug, Clone, Default)]
pub struct ScreeningOptions {
    /// Only these of the wanted lists.
    pub lists: Option<Vec<ListId>>,
    /// Another threshold than the default.
    pub threshold: Option<Score>,
    /// The most matches, 1 to 100; 10 where not said.
    pub limit: Option<usize>,
}

/// A screening that could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum ScreeningError {
    /// A list was named that this installation does not know.
    #[error("list `{0}` is not one of this installation's; see GET /v1/watchlists")]
    UnknownList(ListId),
}

/// Screens one party. Never `no_hit` while a wanted list is missing or stale, or candidates were cut.
pub fn screen(
    lists: &Watchlists,
    subject: Party,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Result<Screening, ScreeningError> {
    let states = wanted(&lists.states, options.lists.as_deref())?;
    Ok(screen_against(lists, states, subject, options, now))
}

/// Screens one party as part of a verification or for a monitor: never refused. A list that is not known here counts as missing, so the
/// answer can't be `no_hit`.
pub fn screen_in_any_case(
    lists: &Watchlists,
    subject: Party,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Screening {
    let states = match &options.lists {
        None => lists.states.clone(),
        Some(only) => only.iter().map(|list| known_or_missing(&lists.states, list)).collect(),
    };
    screen_against(lists, states, subject, options, now)
}

fn known_or_missing(states: &[ListState], list: &ListId) -> ListState {
    let known = states.iter().find(|state| state.list == *list).cloned();
    known.unwrap_or_else(|| ListState {
        list: list.clone(),
        version: None,
        checked_at: None,
        stale: Some(Stale { why: "it is not one of this installation's lists".to_owned() }),
    })
}

fn screen_against(
    lists: &Watchlists,
    states: Vec<ListState>,
    subject: Party,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Screening {
    let threshold = options.threshold.unwrap_or(DEFAULT_THRESHOLD);
    let search = SearchOptions {
        lists: Some(states.iter().map(|state| state.list.clone()).collect()),
        threshold,
        limit: options.limit.unwrap_or(USUAL_MATCHES).clamp(1, MOST_MATCHES),
    };
    let found = lists.screener.search(&subject, &search);
    let reasons = problems(&states, &found);
    let also_loaded = also_loaded(lists, &states);
    Screening {
        id: ScreeningId::generate(),
        status: status(&found, &reasons),
        subject,
        list_versions: states,
        also_loaded,
        algorithm: ALGORITHM.to_owned(),
        threshold,
        candidates_scored: found.candidates_scored,
        candidates_truncated: found.candidates_truncated,
        matches_truncated: found.matches_truncated,
        matches: found.matches.into_iter().map(rounded).collect(),
        reasons,
        created_at: now,
    }
}

/// The versions that are loaded beside those that are searched.
fn also_loaded(lists: &Watchlists, searched: &[ListState]) -> Vec<ListVersion> {
    let is_searched = |version: &&ListVersion| searched.iter().any(|state| state.list == version.list);
    let loaded = lists.screener.lists().iter().map(|list| &list.version);
    loaded.filter(|version| !is_searched(version)).cloned().collect()
}

/// The states of the lists to search, each once.
fn wanted(states: &[ListState], only: Option<&[ListId]>) -> Result<Vec<ListState>, ScreeningError> {
    let Some(only) = only else {
        return Ok(states.to_vec());
    };
    let unknown = only.iter().find(|list| !states.iter().any(|state| state.list == **list));
    if let Some(list) = unknown {
        return Err(ScreeningError::UnknownList(list.clone()));
    }
    Ok(states.iter().filter(|state| only.contains(&state.list)).cloned().collect())
}

/// What keeps the search from having been whole.
fn problems(states: &[ListState], found: &SearchResult) -> Vec<Reason> {
    let mut problems = list_problems(states);
    if found.candidates_truncated {
        let text =
            format!("More listed names were alike than the {} that were compared.", found.candidates_scored);
        problems.push(Reason::new(ReasonCode::CANDIDATES_TRUNCATED, text));
    }
    problems
}

fn status(found: &SearchResult, problems: &[Reason]) -> ScreeningStatus {
    if !found.matches.is_empty() {
        return ScreeningStatus::InReview;
    }
    if problems.is_empty() { ScreeningStatus::NoHit } else { ScreeningStatus::Error }
}

/// For people: four decimal places. A score is rounded after the threshold was applied, so nothing appears or disappears.
pub(crate) fn rounded(found: Match) -> Match {
    let unit = 10_f64.powi(DIGITS);
    let feature = |feature: Feature| Feature {
        score: feature.score.rounded(DIGITS),
        weight: (feature.weight * unit).round() / unit,
        ..feature
    };
    Match {
        score: found.score.rounded(DIGITS),
        features: found.features.into_iter().map(feature).collect(),
        ..found
    }
}
