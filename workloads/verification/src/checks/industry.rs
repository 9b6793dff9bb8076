//! What does it do?

use kyb_domain::{
    reason::ReasonCode,
    verification::{CheckStatus, SourceKind},
};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let Some(best) = known.classification.results.first() else {
        return unclear(known);
    };
    let text = format!("The text points to {} {} (confidence {}).", best.code, best.title, best.confidence);
    let outcome = Outcome::new(CheckStatus::Success, ReasonCode::INDUSTRY_CLASSIFIED, text);
    let version = Some(known.classification.version.clone());
    let claim = format!("{} is {}: {}", best.code, best.title, best.evidence.join("; "));
    described(outcome, known).backed(claim, SourceKind::Standard, best.scheme.as_str(), version)
}

fn unclear(known: &Known<'_>) -> Outcome {
    let text = "The name and description do not say enough to name an industry.";
    let status =
        if known.business.description.is_some() { CheckStatus::Warning } else { CheckStatus::Skipped };
    let outcome = Outcome::new(status, ReasonCode::INDUSTRY_UNCLEAR, text);
    match known.business.description {
        Some(_) => described(outcome, known),
        None => outcome.because(ReasonCode::INPUT_MISSING, "No description was given."),
    }
}

fn described(outcome: Outcome, known: &Known<'_>) -> Outcome {
    match &known.business.description {
        Some(description) => {
            let start: String = description.as_str().chars().take(200).collect();
            outcome.claimed(format!("the business says: `{start}`"))
        }
        None => outcome.claimed(format!("the business is called `{}`", known.business.name)),
    }
}
