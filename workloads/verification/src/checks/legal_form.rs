//! Is the legal form a known one and the same as in the name?

use kyb_domain::{
    reason::ReasonCode,
    verification::{CheckStatus, SourceKind},
};
use kyb_screening::{
    ALGORITHM,
    legal_form::{LegalForm, recognise},
};

use super::{Known, Outcome};

pub(super) fn check(known: &Known<'_>) -> Outcome {
    let name = &known.business.name;
    let in_name = recognise(name.as_str());
    let Some(given) = &known.business.legal_form else {
        return match in_name {
            Some(form) => recognised(&form).claimed(format!("the name `{name}` says `{}`", form.spelling)),
            None => Outcome::nothing_given("legal form"),
        };
    };
    // a form is recognised at the end of a name, so it needs one
    let outcome = match (recognise(&format!("Name {given}")), in_name) {
        (None, _) => {
            let text = format!("`{given}` is not a legal form that is known here.");
            Outcome::new(CheckStatus::Warning, ReasonCode::LEGAL_FORM_UNKNOWN, text)
        }
        (Some(form), Some(other)) if !form.is_equivalent(&other) => {
            let text = format!("The legal form given is `{given}`, the name says `{}`.", other.spelling);
            Outcome::new(CheckStatus::Warning, ReasonCode::LEGAL_FORM_CONFLICT, text)
        }
        (Some(form), _) => recognised(&form),
    };
    outcome.claimed(format!("the legal form is `{given}`"))
}

fn recognised(form: &LegalForm) -> Outcome {
    let text = format!("`{}` is a known legal form. Nobody has confirmed it.", form.spelling);
    let claim = format!("`{}` is a spelling of `{}`", form.spelling, form.code);
    Outcome::new(CheckStatus::Success, ReasonCode::LEGAL_FORM_RECOGNISED, text).backed(
        claim,
        SourceKind::Standard,
        "legal forms",
        Some(ALGORITHM.to_owned()),
    )
}
