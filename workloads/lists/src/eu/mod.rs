//! The EU's consolidated list of financial sanctions: one XML document (schema 1.1) of `sanctionEntity` elements whose
//! facts stand in attributes, dated in its root.
//!
//! [`entity`] makes one element one entry. Source: the files `xmlFullSanctionsList_1_1` of the Financial Sanctions Database and
//! their schema, `webgate.ec.europa.eu/fsd/fsf`.

use crate::{Contents, ListError, ListId, SourceFile, draft::Drafts, reading::Reading, xml::Document};

mod entity;

/// The root element.
pub(crate) const ROOT: &str = "export";

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "the EU's consolidated list, one XML file")?;
    let mut document = Document::open(file)?;
    let mut root = document.root(ROOT)?;
    // `2026-02-02T17:26:53.906+01:00`: the publisher's own day.
    let generated = root.element.attribute("generationDate").and_then(|text| text.get(..10));
    let stated = generated.and_then(|day| day.parse().ok());
    let (mut drafts, mut reading) = (Drafts::default(), Reading::default());
    while let Some(tag) = document.inside(&mut root)? {
        let element = document.whole(tag)?;
        if element.name != "sanctionEntity" {
            reading.not_understood("element", &element.name);
            continue;
        }
        let draft = entity::draft(&element, &mut reading).map_err(|fault| document.refuse(fault))?;
        drafts.add(draft).map_err(|problem| document.refuse(element.fault(problem)))?;
    }
    document.end()?;
    Ok(Contents { stated, ..Contents::new(file, drafts, reading)? })
}
