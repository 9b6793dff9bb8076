//! The UN Security Council Consolidated List: one XML document of `INDIVIDUAL` and `ENTITY` records, dated in its root.
//!
//! [`record`] makes one record one entry.

use chrono::NaiveDate;
use kyb_domain::list::EntryKind;

use crate::{
    Contents, ListError, ListId, SourceFile,
    draft::Drafts,
    reading::Reading,
    xml::{Document, Element, Tag},
};

mod record;
#[cfg(test)]
mod tests;

/// The root element.
pub(crate) const ROOT: &str = "CONSOLIDATED_LIST";

/// The two parts of the list, what a record is called there, and what it is about.
const SECTIONS: [(&str, &str, EntryKind); 2] =
    [("INDIVIDUALS", "INDIVIDUAL", EntryKind::Person), ("ENTITIES", "ENTITY", EntryKind::Organization)];

/// Reads the one file of `list`. Both sections must be there: a list without one is half a list.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "the UN's consolidated list, one XML file")?;
    let mut document = Document::open(file)?;
    let mut root = document.root(ROOT)?;
    let stated = generated(&root.element);
    let (mut drafts, mut reading, mut seen) = (Drafts::default(), Reading::default(), Vec::new());
    while let Some(section) = document.inside(&mut root)? {
        let Some((name, record, kind)) =
            SECTIONS.into_iter().find(|(name, ..)| *name == section.element.name)
        else {
            reading.not_understood("element", &document.whole(section)?.name);
            continue;
        };
        if seen.contains(&name) {
            return Err(document.refuse(section.element.fault(format!("has a second {name}"))));
        }
        seen.push(name);
        records(&mut document, section, (record, kind), &mut drafts, &mut reading)?;
    }
    document.end()?;
    if let Some((name, ..)) = SECTIONS.into_iter().find(|(name, ..)| !seen.contains(name)) {
        return Err(file.cut(format!("it has no {name}")));
    }
    Ok(Contents { stated, ..Contents::new(file, drafts, reading)? })
}

/// The records of one section.
fn records(
    document: &mut Document<'_>,
    mut section: Tag,
    (record, kind): (&str, EntryKind),
    drafts: &mut Drafts,
    reading: &mut Reading,
) -> Result<(), ListError> {
    while let Some(tag) = document.inside(&mut section)? {
        let element = document.whole(tag)?;
        if element.name != record {
            reading.not_understood("element", &element.name);
            continue;
        }
        let added = record::entry(kind, &element, reading).and_then(|draft| drafts.add(draft));
        added.map_err(|problem| document.refuse(element.fault(problem)))?;
    }
    Ok(())
}

/// The day in `dateGenerated="2026-02-27T00:00:09.554Z"`.
fn generated(root: &Element) -> Option<NaiveDate> {
    root.attribute("dateGenerated")?.get(..10)?.parse().ok()
}
