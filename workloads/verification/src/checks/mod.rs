//! The ten checks. Each looks at what is known and answers one question with a status, reasons and evidence; none asks anybody.

mod address;
mod industry;
mod legal_form;
mod name;
mod ownership;
mod people;
mod registry;
mod tax_id;
mod watchlist;
mod website;

use kyb_domain::{
    business::BusinessProfile,
    classification::Classification,
    reason::{Reason, ReasonCode},
    screening::Screening,
    verification::{Check, CheckName, CheckStatus, Evidence, Source, SourceKind},
};

/// What the checks look at.
pub(crate) struct Known<'a> {
    pub(crate) business: &'a BusinessProfile,
    pub(crate) screenings: &'a [Screening],
    pub(crate) classification: &'a Classification,
}

/// Every check, in the order of [`CheckName::ALL`].
pub(crate) fn run(known: &Known<'_>) -> Vec<Check> {
    CheckName::ALL.map(|name| one(name, known)).to_vec()
}

fn one(name: CheckName, known: &Known<'_>) -> Check {
    let check = match name {
        CheckName::Name => name::check,
        CheckName::Address => address::check,
        CheckName::Registry => registry::check,
        CheckName::TaxId => tax_id::check,
        CheckName::LegalForm => legal_form::check,
        CheckName::People => people::check,
        CheckName::Ownership => ownership::check,
        CheckName::Industry => industry::check,
        CheckName::Website => website::check,
        CheckName::Watchlist => watchlist::check,
    };
    let Outcome { status, reasons, evidence } = check(known);
    Check { name, status, reasons, evidence }
}

/// A check's answer before it gets its name.
pub(crate) struct Outcome {
    status: CheckStatus,
    reasons: Vec<Reason>,
    evidence: Vec<Evidence>,
}

impl Outcome {
    fn new(status: CheckStatus, code: ReasonCode, text: impl Into<String>) -> Self {
        Self { status, reasons: vec![Reason::new(code, text)], evidence: vec![] }
    }

    /// There was nothing to check.
    fn nothing_given(what: &str) -> Self {
        Self::new(CheckStatus::Skipped, ReasonCode::INPUT_MISSING, format!("No {what} was given."))
    }

    /// The applicant says so.
    fn claimed(self, claim: impl Into<String>) -> Self {
        self.backed(claim, SourceKind::Applicant, "applicant", None)
    }

    fn backed(
        mut self,
        claim: impl Into<String>,
        kind: SourceKind,
        name: &str,
        version: Option<String>,
    ) -> Self {
        let source = Source { kind, name: name.to_owned(), version };
        self.evidence.push(Evidence { claim: claim.into(), source });
        self
    }

    fn because(mut self, code: ReasonCode, text: impl Into<String>) -> Self {
        self.reasons.push(Reason::new(code, text));
        self
    }
}
