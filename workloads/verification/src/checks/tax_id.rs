//! Does the tax number belong to it? No tax authority is configured in this version.

use kyb_domain::{identifier::IdentifierKind, reason::ReasonCode, verification::CheckStatus};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let Some(number) = known.business.identifier(IdentifierKind::TaxId) else {
        return Outcome::nothing_given("tax number");
    };
    let text = "A tax number was given, and no source is configured that could confirm it.";
    Outcome::new(CheckStatus::Skipped, ReasonCode::TAX_ID_UNCONFIRMED, text)
        .claimed(format!("the tax number is `{}`", number.value))
}
