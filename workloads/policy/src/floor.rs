//! What no rule can overrule: when a business may be approved at all.

use kyb_domain::{
    party::Party,
    reason::{Reason, ReasonCode},
    screening::{Screening, ScreeningStatus},
    verification::{CheckName, CheckStatus},
};

use crate::facts::{Facts, status_of};

/// The most reasons of one kind that a decision gives.
pub(crate) const MOST_REASONS: usize = 5;

/// Why the screening does not allow approval; empty where every party was screened, on fresh lists, without a hit
/// but suppressed ones. Nobody screened is not nothing found.
pub(crate) fn screening_obstacles(facts: &Facts<'_>) -> Vec<Reason> {
    let mut obstacles: Vec<Reason> = facts
        .screenings
        .iter()
        .filter(|screening| screening.status != ScreeningStatus::NoHit || screening.standing().count() > 0)
        .flat_map(obstacle)
        .collect();
    let unscreened =
        parties(facts).filter(|party| !facts.screenings.iter().any(|s| s.subject == *party)).map(|party| {
            let text = format!("`{}` was not screened against any watchlist.", party.name);
            Reason::new(ReasonCode::REQUIRED_CHECK_MISSING, text)
        });
    obstacles.extend(unscreened.take(MOST_REASONS));
    let watchlist = status_of(facts.checks, CheckName::Watchlist);
    let looked_at = facts.checks.iter().any(|check| check.name == CheckName::Watchlist);
    if obstacles.is_empty() && looked_at && watchlist != CheckStatus::Success {
        let text = format!("The watchlist check came out as `{}`.", watchlist.as_str());
        obstacles.push(Reason::new(ReasonCode::REQUIRED_CHECK_MISSING, text));
    }
    distinct(obstacles)
}

/// Each reason once, where it stands first: a stale list is one reason, however many people were screened against it.
pub(crate) fn distinct(reasons: impl IntoIterator<Item = Reason>) -> Vec<Reason> {
    let mut distinct: Vec<Reason> = Vec::new();
    for reason in reasons {
        if !distinct.contains(&reason) {
            distinct.push(reason);
        }
    }
    distinct
}

/// Why one screening does not allow approval.
fn obstacle(screening: &Screening) -> Vec<Reason> {
    let standing = screening.standing().count();
    if standing > 0 {
        let text = format!("{standing} listed parties are like `{}`.", screening.subject.name);
        return vec![Reason::new(ReasonCode::WATCHLIST_NAME_MATCH, text)];
    }
    // That a match is suppressed is said, but is no obstacle by itself.
    let reasons: Vec<Reason> =
        screening.reasons.iter().filter(|reason| !is_suppression(reason)).cloned().collect();
    if reasons.is_empty() {
        let text = format!("The screening of `{}` came to no result.", screening.subject.name);
        return vec![Reason::new(ReasonCode::SOURCE_UNREACHABLE, text)];
    }
    reasons
}

pub(crate) fn is_suppression(reason: &Reason) -> bool {
    reason.code == ReasonCode::MATCHES_SUPPRESSED
}

/// What an approval must say where a match was suppressed.
pub(crate) fn suppressed(facts: &Facts<'_>) -> Vec<Reason> {
    let all = facts.screenings.iter().flat_map(|screening| &screening.reasons);
    distinct(all.filter(|reason| is_suppression(reason)).take(MOST_REASONS).cloned())
}

/// The business and everybody behind it.
fn parties<'a>(facts: &Facts<'a>) -> impl Iterator<Item = Party> + use<'a> {
    let business = facts.business;
    std::iter::once(business.party()).chain(business.owners.iter().map(|link| link.party.clone()))
}

/// Required checks that did not succeed.
pub(crate) fn missing_checks(required: &[CheckName], facts: &Facts<'_>) -> Vec<Reason> {
    let missing = |name: &CheckName| {
        let status = status_of(facts.checks, *name);
        let text = format!(
            "The policy requires the check `{}`, which came out as `{}`.",
            name.as_str(),
            status.as_str()
        );
        (status != CheckStatus::Success).then(|| Reason::new(ReasonCode::REQUIRED_CHECK_MISSING, text))
    };
    required.iter().filter_map(missing).collect()
}
