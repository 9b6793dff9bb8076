//! What does its web site say? No web site analysis is configured in this version.

use kyb_domain::{reason::ReasonCode, verification::CheckStatus};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let Some(website) = &known.business.website else {
        return Outcome::nothing_given("web site");
    };
    let text = "A web site was given; no web site analysis is configured.";
    Outcome::new(CheckStatus::Skipped, ReasonCode::WEBSITE_NOT_ANALYSED, text)
        .claimed(format!("the web site is `{website}`"))
}
