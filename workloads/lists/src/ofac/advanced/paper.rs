//! An `IDRegDocument`: a number under which somebody registered a party.

use super::references::References;
use crate::{
    draft::Draft,
    ofac::remarks::identifiers,
    reading::Reading,
    xml::{Element, Fault},
};

/// A document as published.
#[derive(Debug)]
pub(super) struct Paper {
    label: String,
    number: Option<String>,
    country: Option<String>,
    comment: Option<String>,
}

/// Reads a document.
pub(super) fn read(document: &Element, references: &References) -> Result<Paper, Fault> {
    Ok(Paper {
        label: references.words(document, "IDRegDocTypeID", "IDRegDocType")?.unwrap_or_default(),
        number: document.get("IDRegistrationNo"),
        country: references.words(document, "IssuedBy-CountryID", "Country")?,
        comment: document.get("Comment"),
    })
}

/// Gives the entry its number.
pub(super) fn apply(paper: &Paper, draft: &mut Draft, reading: &mut Reading) {
    let Some(number) = &paper.number else {
        reading.not_understood("document", "without a number");
        return;
    };
    identifiers::apply(&paper.label, number, paper.country.as_deref(), draft, reading);
    if let Some(comment) = &paper.comment {
        draft.words(&format!("{} {number}", paper.label), comment);
    }
}
