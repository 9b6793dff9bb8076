//! Matches that somebody decided to be somebody else. They stay in the answer and say so; they call for nobody.

use chrono::{DateTime, Utc};
use kyb_domain::{
    fingerprint::Fingerprint,
    reason::{Reason, ReasonCode},
    screening::{Match, MatchStatus, Screening, ScreeningStatus},
    suppression::Suppression,
};

/// The subjects for which suppressions matter: those with matches, each once.
pub fn subjects_with_matches<'a>(screenings: impl IntoIterator<Item = &'a Screening>) -> Vec<Fingerprint> {
    let with_matches = screenings.into_iter().filter(|screening| !screening.matches.is_empty());
    let mut subjects: Vec<_> =
        with_matches.filter_map(|screening| Fingerprint::of_subject(&screening.subject)).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// Applies what is known to a screening that was just made. Where every match is suppressed, the status is what it would be
/// without them; the reasons then say that they are there. Matches that the answer does not hold could not be
/// looked at, so it stays `in_review` where there are any.
pub fn suppress(screening: &mut Screening, known: &[Suppression], now: DateTime<Utc>) {
    let Some(subject) = Fingerprint::of_subject(&screening.subject) else { return };
    for found in &mut screening.matches {
        if let Some(suppression) = known.iter().find(|one| one.holds_for(subject, found, now)) {
            found.status = MatchStatus::FalsePositive;
            found.suppression_id = Some(suppression.id);
        }
    }
    let Some(said) = told(screening) else { return };
    let all = screening.standing().count() == 0;
    if all && !screening.matches_truncated {
        let whole = screening.reasons.is_empty();
        screening.status = if whole { ScreeningStatus::NoHit } else { ScreeningStatus::Error };
    }
    screening.reasons.push(said);
    if all && screening.matches_truncated {
        let text = "More listed parties are alike than the answer holds, and all that it holds are suppressed; ask for more.";
        screening.reasons.push(Reason::new(ReasonCode::MATCHES_TRUNCATED, text));
    }
}

/// Which matches are suppressed, by which suppressions; `None` where none is.
fn told(screening: &Screening) -> Option<Reason> {
    let described = |found: &Match| {
        let by = found.suppression_id.map(|id| format!(" ({id})")).unwrap_or_default();
        format!("entry {} of list `{}`{by}", found.entry_id, found.list)
    };
    let suppressed: Vec<String> = screening.suppressed().map(described).collect();
    if suppressed.is_empty() {
        return None;
    }
    let text = format!(
        "{} of {} matches of `{}` were decided to be somebody else: {}.",
        suppressed.len(),
        screening.matches.len(),
        screening.subject.name,
        suppressed.join(", ")
    );
    Some(Reason::new(ReasonCode::MATCHES_SUPPRESSED, text))
}
