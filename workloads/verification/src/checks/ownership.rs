//! Who owns it?

use kyb_domain::{ownership::OwnershipRole, reason::ReasonCode, verification::CheckStatus};
use kyb_risk::{KNOWN_ENOUGH, shares};

use super::{Known, Outcome};

/// What rounding each share to a whole per cent may add to the sum.
const ROUNDING: f64 = 0.5;

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let shares = shares(known.business);
    let Some(sum) = shares.known() else {
        return Outcome::nothing_given("owner with a share");
    };
    let outcome = if sum > 100.0 + ROUNDING {
        let text = format!("The shares given add up to {sum:.1} per cent.");
        Outcome::new(CheckStatus::Failure, ReasonCode::OWNERSHIP_EXCESSIVE, text)
    } else if sum < KNOWN_ENOUGH {
        let text = format!(
            "The shares given add up to {sum:.1} per cent; somebody not named may hold a quarter or more."
        );
        Outcome::new(CheckStatus::Warning, ReasonCode::OWNERSHIP_INCOMPLETE, text)
    } else {
        let text = format!(
            "The shares given account for {sum:.1} per cent of the business. Nobody has confirmed them."
        );
        Outcome::new(CheckStatus::Success, ReasonCode::OWNERSHIP_GIVEN, text)
    };
    let owns = |role| matches!(role, OwnershipRole::Shareholder | OwnershipRole::BeneficialOwner);
    known.business.owners.iter().filter(|link| owns(link.role)).fold(outcome, |outcome, link| {
        let share = link
            .percent
            .map_or_else(|| "an unknown share".to_owned(), |share| format!("{} per cent", share.get()));
        outcome.claimed(format!("`{}` holds {share}", link.party.name))
    })
}
