//! Is it, or anyone behind it, sanctioned? Success only where everybody was screened on fresh lists without a hit. A match
//! that is suppressed is told and counted, but is no hit.

use kyb_domain::{
    list::{ListState, ListVersion},
    reason::{Reason, ReasonCode},
    screening::{Match, Screening, ScreeningStatus},
    verification::{CheckStatus, SourceKind},
};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let screenings = known.screenings;
    let matches: Vec<_> = screenings.iter().flat_map(|s| s.standing().map(move |found| (s, found))).collect();
    let status = if matches.iter().any(|(_, found)| found.second_evidence().is_some()) {
        CheckStatus::Failure
    } else if !matches.is_empty() {
        CheckStatus::Warning
    } else if screenings.is_empty() || screenings.iter().any(|s| s.status != ScreeningStatus::NoHit) {
        CheckStatus::Error
    } else {
        CheckStatus::Success
    };
    let mut reasons: Vec<Reason> =
        matches.iter().map(|(screening, found)| match_reason(screening, found)).collect();
    for reason in screenings.iter().flat_map(|screening| &screening.reasons) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    if reasons.is_empty() {
        reasons.push(no_hit_or_nothing(status, screenings));
    }
    let outcome = Outcome { status, reasons, evidence: vec![] };
    let outcome = suppressed(screenings)
        .fold(outcome, |outcome, (screening, found)| with_suppressed(outcome, screening, found));
    searched(screenings)
        .fold(outcome, |outcome, (state, hits)| with_list(outcome, state, hits, screenings.len()))
}

fn match_reason(screening: &Screening, found: &Match) -> Reason {
    let alike = format!(
        "`{}` is like `{}`, entry {} of list `{}`, score {}",
        screening.subject.name, found.matched_name, found.entry_id, found.list, found.score
    );
    match found.second_evidence() {
        Some(second) => Reason::new(ReasonCode::WATCHLIST_MATCH, format!("{alike}; and {}.", second.detail)),
        None => {
            Reason::new(ReasonCode::WATCHLIST_NAME_MATCH, format!("{alike}; nothing beside the name agrees."))
        }
    }
}

fn no_hit_or_nothing(status: CheckStatus, screenings: &[Screening]) -> Reason {
    if status == CheckStatus::Success {
        let text = format!(
            "No listed party is like any of those screened ({}: the business and whoever is behind it).",
            screenings.len()
        );
        return Reason::new(ReasonCode::WATCHLIST_NO_HIT, text);
    }
    Reason::new(ReasonCode::LIST_MISSING, "Nobody was screened.")
}

/// Each list once, and how many matches were found on it.
fn searched(screenings: &[Screening]) -> impl Iterator<Item = (&ListState, usize)> {
    let hits = |state: &ListState| {
        screenings.iter().flat_map(|s| &s.matches).filter(|found| found.list == state.list).count()
    };
    screenings
        .first()
        .into_iter()
        .flat_map(|first| &first.list_versions)
        .map(move |state| (state, hits(state)))
}

fn suppressed(screenings: &[Screening]) -> impl Iterator<Item = (&Screening, &Match)> {
    let of = |screening| Screening::suppressed(screening).map(move |found| (screening, found));
    screenings.iter().flat_map(of)
}

fn with_suppressed(outcome: Outcome, screening: &Screening, found: &Match) -> Outcome {
    let state = screening.list_versions.iter().find(|state| state.list == found.list);
    let version = state.and_then(|state| state.version.as_ref()).map(ListVersion::label);
    let by = found.suppression_id.map(|id| format!(", suppression {id}")).unwrap_or_default();
    let claim = format!(
        "`{}` is like `{}`, entry {}, score {}; decided to be somebody else{by}",
        screening.subject.name, found.matched_name, found.entry_id, found.score
    );
    outcome.backed(claim, SourceKind::Watchlist, found.list.as_str(), version)
}

fn with_list(outcome: Outcome, state: &ListState, hits: usize, parties: usize) -> Outcome {
    let Some(version) = &state.version else { return outcome };
    let claim =
        format!("{hits} of its {} entries are like one of the {parties} parties screened", version.entries);
    outcome.backed(claim, SourceKind::Watchlist, state.list.as_str(), Some(version.label()))
}
