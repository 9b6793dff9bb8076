//! Does a business registry know it? No registry is configured in this version, so at best the form of a number is checked; a
//! right form is no proof that the number was issued.

use kyb_domain::{
    identifier::{Identifier, IdentifierKind, Lei},
    reason::ReasonCode,
    verification::{CheckStatus, SourceKind},
};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let country = known.business.country.map_or("", |country| country.name());
    let place = if country.is_empty() { String::new() } else { format!(" for {country}") };
    let text = format!("No registry source is configured{place}, so nothing was looked up.");
    let skipped = Outcome::new(CheckStatus::Skipped, ReasonCode::REGISTRY_NOT_CONFIGURED, text);
    let outcome = match known.business.identifier(IdentifierKind::Lei) {
        Some(lei) => with_lei(lei, skipped),
        None => skipped,
    };
    match known.business.identifier(IdentifierKind::RegistryNumber) {
        Some(number) => outcome.claimed(format!("the registry number is `{}`", number.value)),
        None if known.business.identifier(IdentifierKind::Lei).is_some() => outcome,
        None => outcome.because(ReasonCode::INPUT_MISSING, "No registry number or LEI was given."),
    }
}

fn with_lei(lei: &Identifier, skipped: Outcome) -> Outcome {
    let claim = format!("the LEI is `{}`", lei.value);
    match Lei::try_from(lei.normalised()) {
        Ok(_) => {
            let text = "The LEI has the right form and check digits. Nobody has confirmed that it was issued to this business.";
            let form = format!("`{}` has the form and the check digits of an LEI", lei.value);
            skipped.because(ReasonCode::LEI_WELL_FORMED, text).claimed(claim).backed(
                form,
                SourceKind::Standard,
                "ISO 17442",
                None,
            )
        }
        Err(refusal) => {
            let text = format!("`{}` is no LEI: it {}.", lei.value, refusal.problem);
            Outcome::new(CheckStatus::Failure, ReasonCode::LEI_INVALID, text.clone()).claimed(claim).backed(
                text,
                SourceKind::Standard,
                "ISO 17442",
                None,
            )
        }
    }
}
