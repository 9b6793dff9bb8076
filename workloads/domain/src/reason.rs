//! Reason codes: why a check, a screening or a decision came out as it did.

use serde::{Deserialize, Serialize};

use crate::{Invalid, invalid::checked_string};

/// A machine-readable reason: 2 to 64 capital letters, digits and `_`, such as `LIST_STALE`. The platform's own stand in
/// [`REASONS`]; a tenant's policy may name further ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "LIST_STALE"))]
#[serde(try_from = "String", into = "String")]
pub struct ReasonCode(std::borrow::Cow<'static, str>);

checked_string!(ReasonCode);

impl TryFrom<String> for ReasonCode {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        let allowed = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if allowed && (2..=64).contains(&text.len()) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new("reason code", "must be 2 to 64 of A-Z, 0-9 and `_`"))
    }
}

/// A reason code and what it means in the case at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// What it means here, in plain words.
    pub text: String,
}

impl Reason {
    /// A reason with its explanation.
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

macro_rules! reasons {
    ($($code:ident: $meaning:literal,)*) => {
        impl ReasonCode {
            $(#[doc = $meaning] pub const $code: Self = Self(std::borrow::Cow::Borrowed(stringify!($code)));)*
        }
        /// Every reason of the platform's own and its meaning, in the order of the docs page.
        pub const REASONS: &[(&str, &str)] = &[$((stringify!($code), $meaning),)*];
    };
}

reasons! {
    // Input
    INPUT_MISSING: "The check had nothing to work on: the caller gave no value for it.",
    INPUT_IMPLAUSIBLE: "The value given can't be what it is said to be.",
    NAME_WELL_FORMED: "The name reads like the name of a business. Nobody has confirmed that it exists.",
    ADDRESS_WELL_FORMED: "The address has the parts an address needs. Nobody has confirmed it.",
    ADDRESS_INCOMPLETE: "The address lacks a street, a town or a country.",
    COUNTRY_CONFLICT: "The country of registration and the country of the address differ.",
    // Registry and numbers
    REGISTRY_NOT_CONFIGURED: "No registry source is configured for this country, so nothing was looked up.",
    LEI_WELL_FORMED: "The LEI has the right form and check digits. Nobody has confirmed that it was issued to this business.",
    LEI_INVALID: "The LEI has a wrong form or wrong check digits.",
    TAX_ID_UNCONFIRMED: "A tax number was given, and no source is configured that could confirm it.",
    LEGAL_FORM_RECOGNISED: "The legal form is a known one.",
    LEGAL_FORM_UNKNOWN: "The legal form is not a known one.",
    LEGAL_FORM_CONFLICT: "The legal form given and the one inside the name differ.",
    // People
    PEOPLE_GIVEN: "Directors or officers were given; each was screened.",
    OWNERSHIP_INCOMPLETE: "The shares given add up to less than 75 per cent.",
    OWNERSHIP_EXCESSIVE: "The shares given add up to more than 100 per cent.",
    OWNERSHIP_GIVEN: "The shares given account for at least 75 per cent of the business.",
    // Industry and web site
    INDUSTRY_CLASSIFIED: "The description points to an industry code.",
    INDUSTRY_UNCLEAR: "The name and description do not say enough to name an industry.",
    WEBSITE_NOT_ANALYSED: "A web site was given; no web site analysis is configured.",
    // Watchlists
    WATCHLIST_NO_HIT: "No listed party is like the subject on any wanted list, all of them fresh.",
    WATCHLIST_NAME_MATCH: "A listed name is like the subject's; nothing beside the name agrees.",
    WATCHLIST_MATCH: "A listed name is like the subject's, and a second attribute agrees.",
    MATCHES_SUPPRESSED: "A listed party is like the subject, but was decided to be somebody else, and neither has changed since. The match is still shown.",
    MATCHES_TRUNCATED: "More listed parties are like the subject than the answer holds, and all that it holds are suppressed.",
    LIST_MISSING: "A wanted list was never read, so its entries could not be searched.",
    LIST_STALE: "A wanted list could not be refreshed in time; the last good version was searched.",
    CANDIDATES_TRUNCATED: "More listed names were alike than the search compares; some were left out.",
    SOURCE_UNREACHABLE: "A source did not answer.",
    // Verifications without a decision
    SUBJECT_UNUSABLE: "A subject of a batch can't be read or is out of bounds, so nobody was screened.",
    ATTEMPTS_EXHAUSTED: "The verification, or the screening of a batch, was tried as often as allowed and could not be finished.",
    DATA_ERASED: "The personal data was erased before the verification was finished.",
    // Decision
    ALL_CLEAR: "Screening found nothing on fresh lists, and an independent source confirmed the identity.",
    IDENTITY_UNCONFIRMED: "No source independent of the applicant confirmed the identity of the business.",
    REQUIRED_CHECK_MISSING: "A check that the policy requires was skipped, failed or could not be done.",
    RISK_HIGH: "The risk score is high.",
    RISK_CRITICAL: "The risk score is critical.",
    POLICY_RULE: "A rule of the tenant's policy decided.",
    POLICY_ERROR: "A rule of the tenant's policy could not be evaluated; a person has to look.",
    APPROVAL_NOT_ALLOWED: "A rule asked for approval, but the screening does not allow it.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_valid_code_and_explained() {
        for (code, meaning) in REASONS {
            assert!(ReasonCode::try_from(*code).is_ok(), "{code}");
            assert!(meaning.ends_with('.'), "{code}: {meaning}");
        }
    }
}
