//! What stands behind the parties: under which programmes they are listed, and how they are related.

use super::Book;
use crate::xml::{Element, Fault};

/// A `SanctionsEntry`: the programmes of one profile. OFAC writes them as comments on measures of the type `Program`; the
/// other measures (`Block`) say what is done, and are kept as words.
pub(super) fn entry(entry: &Element, book: &mut Book) -> Result<(), Fault> {
    book.awaited.remove(entry.required("ID")?);
    let place = place(entry, "ProfileID", book)?;
    for measure in entry.named("SanctionsMeasure") {
        let kind = book.references.words(measure, "SanctionsTypeID", "SanctionsType")?.unwrap_or_default();
        let comment = measure.get("Comment");
        let draft = &mut book.drafts.all_mut()[place];
        match (kind.as_str(), comment) {
            ("Program", Some(program)) => draft.program(&program),
            ("Program", None) => book.reading.not_understood("programme", "without a name"),
            (_, comment) => draft.words("Measure", &[kind.as_str(), &comment.unwrap_or_default()].join(" ")),
        }
    }
    for event in entry.named("EntryEvent") {
        let basis = book.references.words(event, "LegalBasisID", "LegalBasis")?;
        let draft = &mut book.drafts.all_mut()[place];
        draft.words("Legal basis", &basis.unwrap_or_default());
        event.all("Comment").for_each(|comment| draft.remark(&comment));
    }
    Ok(())
}

/// A `ProfileRelationship`: kept as words of the party that it starts from, as `Linked To` in the csv files.
pub(super) fn relation(relation: &Element, book: &mut Book) -> Result<(), Fault> {
    let from = place(relation, "From-ProfileID", book)?;
    let to = place(relation, "To-ProfileID", book)?;
    let kind = book.references.words(relation, "RelationTypeID", "RelationType")?;
    let kind = kind.unwrap_or_else(|| "Linked to".to_owned());
    let label = if relation.says("Former") { format!("Formerly {kind}") } else { kind };
    let other = book.drafts.all()[to].caption().to_owned();
    book.drafts.all_mut()[from].words(label.trim_end_matches([':', ' ']), &other);
    Ok(())
}

/// The place of the entry whose profile the attribute names.
fn place(element: &Element, attribute: &str, book: &Book) -> Result<usize, Fault> {
    let id = element.required(attribute)?;
    let missing = || element.fault(format!("names profile {id}, which no party has"));
    book.profiles.get(id).copied().ok_or_else(missing)
}
