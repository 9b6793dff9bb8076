//! Who runs it?

use kyb_domain::{ownership::OwnershipRole, reason::ReasonCode, verification::CheckStatus};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let runs = |role| matches!(role, OwnershipRole::Director | OwnershipRole::Officer);
    let people: Vec<_> = known.business.owners.iter().filter(|link| runs(link.role)).collect();
    if people.is_empty() {
        return Outcome::nothing_given("director or officer");
    }
    let text = format!("{} directors and officers were given; each was screened.", people.len());
    let outcome = Outcome::new(CheckStatus::Success, ReasonCode::PEOPLE_GIVEN, text);
    people.into_iter().fold(outcome, |outcome, link| {
        let role = if link.role == OwnershipRole::Director { "director" } else { "officer" };
        outcome.claimed(format!("`{}` is {role}", link.party.name))
    })
}
