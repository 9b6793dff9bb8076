//! The table of risk factors: codes, points, and when each applies. Weights are our own judgement: 85 (critical) needs a
//! sanctions match or several grave facts together, and no single sign of ignorance leaves the low band (below 40).

use kyb_domain::{
    screening::{Screening, ScreeningStatus},
    verification::{Check, CheckStatus},
};

use crate::{
    RiskInput,
    countries::{CALL_FOR_ACTION, FATF_DATE, INCREASED_MONITORING, countries_of, named},
    industries::high_risk_industry,
    ownership::{KNOWN_ENOUGH, shares},
};

/// A risk factor.
#[derive(Debug, Clone, Copy)]
pub struct Factor {
    /// Its code, such as `SANCTIONS_MATCH`.
    pub code: &'static str,
    /// The points it adds, 1 to 100, before the sum is cut at 100.
    pub points: u8,
    /// What it means.
    pub meaning: &'static str,
    /// Why it applies, in words; `None` where it does not.
    pub(crate) applies: fn(&RiskInput<'_>) -> Option<String>,
}

const fn factor(
    code: &'static str,
    points: u8,
    meaning: &'static str,
    applies: fn(&RiskInput<'_>) -> Option<String>,
) -> Factor {
    Factor { code, points, meaning, applies }
}

/// Every factor, heaviest first; of equal weight, the one that stands first is listed first.
pub const FACTORS: &[Factor] = &[
    factor("SANCTIONS_MATCH", 100, "A listed party is alike and a second attribute agrees.", sanctions_match),
    factor("SANCTIONS_NAME_MATCH", 45, "A listed name is alike; nothing beside the name agrees.", name_match),
    factor("HIGH_RISK_COUNTRY", 40, "A tie to a country under a FATF call for action.", call_for_action),
    factor(
        "SCREENING_INCOMPLETE",
        25,
        "Somebody was not screened, or not against whole and current lists.",
        screening_incomplete,
    ),
    factor(
        "MONITORED_COUNTRY",
        20,
        "A tie to a country under FATF increased monitoring.",
        increased_monitoring,
    ),
    factor("HIGH_RISK_INDUSTRY", 20, "An industry that money laundering is drawn to.", high_risk_industry),
    factor("CHECK_FAILED", 20, "What was claimed does not hold.", check_failed),
    factor(
        "OWNERSHIP_OPAQUE",
        15,
        "Less than 75 per cent of the shares are accounted for.",
        ownership_opaque,
    ),
    factor("YOUNG_BUSINESS", 10, "Incorporated less than a year ago.", young_business),
    factor("IDENTITY_UNCONFIRMED", 10, "No independent source confirmed the identity.", identity_unconfirmed),
    factor("AGE_UNKNOWN", 5, "The day of incorporation is not known.", age_unknown),
    factor("ADDRESS_MISSING", 5, "No address was given.", address_missing),
    factor("INDUSTRY_UNKNOWN", 5, "It is not known what the business does.", industry_unknown),
];

fn sanctions_match(input: &RiskInput<'_>) -> Option<String> {
    matched(input.screenings, true)
}

fn name_match(input: &RiskInput<'_>) -> Option<String> {
    matched(input.screenings, false)
}

/// The best match with, or without, second evidence; one that is suppressed is no risk.
fn matched(screenings: &[Screening], second: bool) -> Option<String> {
    let all =
        screenings.iter().flat_map(|screening| screening.standing().map(move |found| (screening, found)));
    let (screening, found) = all
        .filter(|(_, found)| found.second_evidence().is_some() == second)
        .max_by(|(_, a), (_, b)| a.score.get().total_cmp(&b.score.get()))?;
    let agrees = found.second_evidence().map_or_else(
        || "nothing beside the name agrees".to_owned(),
        |feature| format!("a second attribute agrees: {}", feature.detail),
    );
    Some(format!(
        "`{}` is like `{}` (entry {} of list `{}`, score {}); {agrees}",
        screening.subject.name, found.matched_name, found.entry_id, found.list, found.score
    ))
}

fn screening_incomplete(input: &RiskInput<'_>) -> Option<String> {
    if input.screenings.is_empty() {
        return Some("nobody was screened against a watchlist".to_owned());
    }
    let incomplete = |screening: &&Screening| {
        screening.status == ScreeningStatus::Error
            || screening.candidates_truncated
            || screening.list_versions.iter().any(|list| !list.is_fresh())
    };
    let names: Vec<_> =
        input.screenings.iter().filter(incomplete).map(|s| format!("`{}`", s.subject.name)).collect();
    let first = names.first()?;
    let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
    Some(format!("{first}{more} could not be screened in full against current lists"))
}

fn call_for_action(input: &RiskInput<'_>) -> Option<String> {
    let ties = named(&countries_of(input.business), CALL_FOR_ACTION)?;
    Some(format!("a tie to {ties}, which the FATF calls for action against (list of {FATF_DATE})"))
}

fn increased_monitoring(input: &RiskInput<'_>) -> Option<String> {
    let ties = named(&countries_of(input.business), INCREASED_MONITORING)?;
    Some(format!("a tie to {ties}, under increased monitoring by the FATF (list of {FATF_DATE})"))
}

fn check_failed(input: &RiskInput<'_>) -> Option<String> {
    let failed = |check: &&Check| check.status == CheckStatus::Failure;
    let names: Vec<_> = input.checks.iter().filter(failed).map(|check| check.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("failed: {}", names.join(", ")))
}

fn ownership_opaque(input: &RiskInput<'_>) -> Option<String> {
    match shares(input.business).known() {
        Some(known) if known >= KNOWN_ENOUGH => None,
        Some(known) => Some(format!("the shares given add up to {known:.0} per cent")),
        None => Some("no owner with a share was given".to_owned()),
    }
}

/// Whole years count: a business known to have begun this year or last year, but not a year ago for certain, is young.
fn young_business(input: &RiskInput<'_>) -> Option<String> {
    let incorporated = input.business.incorporated_on?;
    let (_, latest) = incorporated.span();
    let a_year_ago = input.today.checked_sub_months(chrono::Months::new(12))?;
    (latest > a_year_ago).then(|| format!("incorporated on {incorporated}"))
}

fn age_unknown(input: &RiskInput<'_>) -> Option<String> {
    input.business.incorporated_on.is_none().then(|| "no day of incorporation was given".to_owned())
}

fn identity_unconfirmed(input: &RiskInput<'_>) -> Option<String> {
    let confirmed =
        input.checks.iter().any(|check| check.name.proves_identity() && check.is_independent_success());
    (!confirmed).then(|| "nobody but the applicant says who the business is".to_owned())
}

fn address_missing(input: &RiskInput<'_>) -> Option<String> {
    let address = input.business.address.as_ref().and_then(kyb_domain::business::Address::one_line);
    address.is_none().then(|| "no address was given".to_owned())
}

fn industry_unknown(input: &RiskInput<'_>) -> Option<String> {
    let unknown = input.classification.results.is_empty();
    unknown.then(|| "name and description do not say what the business does".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_no_code_twice() {
        assert!(FACTORS.is_sorted_by(|a, b| a.points >= b.points));
        assert!(
            FACTORS.iter().all(|factor| (1..=100).contains(&factor.points) && factor.meaning.ends_with('.'))
        );
        let mut codes: Vec<_> = FACTORS.iter().map(|factor| factor.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), FACTORS.len());
    }
}
