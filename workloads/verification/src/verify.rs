//! The whole of it, in order.

use chrono::{DateTime, Utc};
use kyb_classification::classify;
use kyb_domain::{
    business::BusinessProfile,
    screening::Screening,
    verification::{Findings, VerificationRequest},
};
use kyb_policy::{Facts, Policy};
use kyb_risk::{RiskInput, assess};

use crate::{
    checks::{self, Known},
    lists::Watchlists,
    screen::{ScreeningOptions, screen_in_any_case},
};

/// The most industry codes of one verification.
const MOST_CODES: usize = 3;

/// Runs every check, screening with `options`, assesses the risk and decides. No suppression is known here.
pub fn verify(
    lists: &Watchlists,
    policy: &Policy,
    options: &ScreeningOptions,
    request: &VerificationRequest,
    now: DateTime<Utc>,
) -> Findings {
    let screenings = screen_everybody(lists, &request.business, options, now);
    judge(policy, request, screenings, now)
}

/// The second half of [`verify`]: everything that follows from the screenings, to which suppressions were applied in between.
pub fn judge(
    policy: &Policy,
    request: &VerificationRequest,
    screenings: Vec<Screening>,
    now: DateTime<Utc>,
) -> Findings {
    let business = &request.business;
    let classification = classify(Some(&business.name), business.description.as_ref(), MOST_CODES);
    let known = Known { business, screenings: &screenings, classification: &classification };
    let checks = checks::run(&known);
    let risk = assess(&RiskInput {
        business,
        checks: &checks,
        screenings: &screenings,
        classification: &classification,
        today: now.date_naive(),
    });
    let facts = Facts {
        business,
        checks: &checks,
        screenings: &screenings,
        classification: &classification,
        risk: &risk,
    };
    let decision = policy.decide(&facts);
    Findings { checks, screenings, classification, risk, decision }
}

/// The first half of [`verify`]: the business, then each owner, director and officer with what is known of themselves: a director does not inherit the
/// business's country, since a match on it would be no evidence about the director.
pub fn screen_everybody(
    lists: &Watchlists,
    business: &BusinessProfile,
    options: &ScreeningOptions,
    now: DateTime<Utc>,
) -> Vec<Screening> {
    let people = business.owners.iter().map(|link| link.party.clone());
    std::iter::once(business.party())
        .chain(people)
        .map(|party| screen_in_any_case(lists, party, options, now))
        .collect()
}
