//! OFAC's lists in the Advanced Sanctions Data Model (`sdn_advanced.xml`, `cons_advanced.xml`): normalised tables in one
//! XML document, which refer to each other by number.
//!
//! | module | what |
//! |---|---|
//! | [`references`] | the document's own dictionary: what `AliasTypeID="1400"` means |
//! | [`location`], [`paper`] | addresses and documents, which stand before the parties that have them |
//! | [`party`], [`feature`], [`period`] | one `DistinctParty` to one entry |
//! | [`sanction`] | programmes and relations, which stand behind the parties |
//!
//! An entry has its `FixedRef` as id, the `ent_num` of the csv files, so a list keeps its ids when its format changes.
//! Numbers are looked up and never known by heart: OFAC adds to the dictionary. A number that it lacks is refused.
//!
//! Source: "SDN Advanced Sanctions Data Model XML Explanatory Notes" and `ADVANCED_XML.xsd`, both at
//! `sanctionslist.ofac.treas.gov`.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::{
    Contents, ListError, ListId, SourceFile,
    draft::Drafts,
    reading::Reading,
    xml::{Document, Element, Fault, Position, Tag},
};

mod feature;
mod location;
mod paper;
mod party;
mod period;
mod references;
mod sanction;

use references::References;

/// The root element.
pub(crate) const ROOT: &str = "Sanctions";

/// The parts of the document in the schema's order. What refers stands behind what it refers to, so one pass suffices.
const SECTIONS: [&str; 8] = [
    "DateOfIssue",
    "ReferenceValueSets",
    "Locations",
    "IDRegDocuments",
    "DistinctParties",
    "ProfileRelationships",
    "SanctionsEntries",
    "SanctionsEntryLinks",
];
/// The parts without which the document is no list.
const REQUIRED: [&str; 3] = ["ReferenceValueSets", "DistinctParties", "SanctionsEntries"];

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "OFAC's advanced list, one XML file")?;
    let mut document = Document::open(file)?;
    let mut root = document.root(ROOT)?;
    let format_version = root.element.attribute("Version").map(str::to_owned);
    let mut book = Book::default();
    let mut ranks = Vec::new();
    while let Some(section) = document.inside(&mut root)? {
        let Some(rank) = SECTIONS.into_iter().position(|name| name == section.element.name) else {
            book.reading.not_understood("element", &document.whole(section)?.name);
            continue;
        };
        if ranks.last().is_some_and(|last| *last >= rank) {
            let problem = format!("{} stands behind {}", SECTIONS[rank], SECTIONS[ranks[ranks.len() - 1]]);
            return Err(document.refuse(section.element.fault(problem)));
        }
        ranks.push(rank);
        book.section(&mut document, section)?;
    }
    document.end()?;
    if let Some(missing) =
        REQUIRED.into_iter().find(|name| !ranks.iter().any(|rank| SECTIONS[*rank] == *name))
    {
        return Err(file.cut(format!("it has no {missing}")));
    }
    book.close().map_err(|fault| document.refuse(fault))?;
    let stated = book.issued;
    Ok(Contents { stated, format_version, ..Contents::new(file, book.drafts, book.reading)? })
}

/// What is carried from one part of the document to the next.
#[derive(Default)]
struct Book {
    issued: Option<NaiveDate>,
    references: References,
    /// By `Location/@ID`.
    places: HashMap<String, location::Place>,
    /// By `Identity/@ID`, until their party takes them.
    papers: HashMap<String, Vec<paper::Paper>>,
    drafts: Drafts,
    /// Places in `drafts` by `Profile/@ID`.
    profiles: HashMap<String, usize>,
    /// `SanctionsEntry/@ID`s that a party names, until they come.
    awaited: HashMap<String, Position>,
    reading: Reading,
}

impl Book {
    fn section(&mut self, document: &mut Document<'_>, mut section: Tag) -> Result<(), ListError> {
        match section.element.name.as_str() {
            "DateOfIssue" => {
                let issued = document.whole(section)?;
                self.issued = period::day(&issued).map(|date| date.span().0);
            }
            "ReferenceValueSets" => {
                let sets = document.whole(section)?;
                self.references = References::read(sets).map_err(|fault| document.refuse(fault))?;
            }
            _ => {
                while let Some(tag) = document.inside(&mut section)? {
                    let element = document.whole(tag)?;
                    self.item(&element).map_err(|fault| document.refuse(fault))?;
                }
            }
        }
        Ok(())
    }

    /// One row of the tables.
    fn item(&mut self, element: &Element) -> Result<(), Fault> {
        match element.name.as_str() {
            "Location" => {
                let place = location::read(element, &self.references, &mut self.reading)?;
                self.places.insert(element.required("ID")?.to_owned(), place);
            }
            "IDRegDocument" => {
                let paper = paper::read(element, &self.references)?;
                self.papers.entry(element.required("IdentityID")?.to_owned()).or_default().push(paper);
            }
            "DistinctParty" => self.party(element)?,
            "ProfileRelationship" => sanction::relation(element, self)?,
            "SanctionsEntry" => sanction::entry(element, self)?,
            other => self.reading.not_understood("element", other),
        }
        Ok(())
    }

    fn party(&mut self, element: &Element) -> Result<(), Fault> {
        let (draft, profile) = party::read(element, self)?;
        for named in profile.named("SanctionsEntryReference") {
            self.awaited.insert(named.required("SanctionsEntryID")?.to_owned(), named.position());
        }
        let place = self.drafts.add(draft).map_err(|problem| element.fault(problem))?;
        let id = profile.required("ID")?;
        match self.profiles.insert(id.to_owned(), place) {
            Some(_) => Err(profile.fault(format!("profile {id} is there twice"))),
            None => Ok(()),
        }
    }

    /// Refuses a document whose parties name sanctions that are not there. Papers that no party took are counted: nothing
    /// is missing from an entry because of them.
    fn close(&mut self) -> Result<(), Fault> {
        for _ in self.papers.values().flatten() {
            self.reading.not_understood("document", "of an identity that is not there");
        }
        match self.awaited.iter().min_by_key(|(id, _)| *id) {
            Some((id, position)) => {
                Err(position.fault(format!("names sanctions entry {id}, which is not there")))
            }
            None => Ok(()),
        }
    }
}
