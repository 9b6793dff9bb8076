//! Entities of OpenSanctions in the FollowTheMoney model, as JSON lines: `entities.ftm.json`, where every thing is a line
//! of its own and refers to others by id, and `targets.nested.json`, where a target holds what belongs to it.
//!
//! | module | what |
//! |---|---|
//! | [`object`] | one object with its properties, strictly |
//! | [`entity`] | a person, firm, ship or aircraft to one entry |
//! | [`context`] | addresses, sanctions and documents that belong to one |
//! | [`territory`] | codes of countries and what else they stand for |
//!
//! Other schemata (`Ownership`, `Family`, `Security` …) say nothing that an entry has a place for; they are counted under
//! `schema:`. An entity that its publisher marks as no target stands in the file for the sake of another: it is counted, too,
//! and is no entry. The format can't show that whole lines are missing at the end, except by references that lead nowhere:
//! see [`Links::attach`].
//!
//! Source: `opensanctions.org/docs/bulk/json` and the data dictionary at `opensanctions.org/reference`; properties by
//! `followthemoney.tech`.

use std::collections::{HashMap, HashSet};

use crate::{
    Contents, ListError, ListId, SourceFile,
    draft::Drafts,
    json::{self, Object},
    reading::Reading,
};

mod context;
mod entity;
mod object;
mod territory;

use context::{Address, Context};
use object::Thing;

/// As many references that lead nowhere may be the publisher's doing: its data comes from hundreds of sources.
const FEW: usize = 10;

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "OpenSanctions' entities, one file of JSON lines")?;
    let mut book = Book::default();
    json::lines(file, &mut |object: Object| book.line(&object))?;
    let Book { mut drafts, links, mut reading } = book;
    links.attach(file, &mut drafts, &mut reading)?;
    Contents::new(file, drafts, reading)
}

/// What is carried from line to line.
#[derive(Default)]
struct Book {
    drafts: Drafts,
    links: Links,
    reading: Reading,
}

impl Book {
    fn line(&mut self, object: &Object) -> Result<(), String> {
        let thing = Thing::read(object)?;
        if !self.links.ids.insert(thing.id.to_owned()) {
            return Err(format!("entity {} is there twice", thing.id));
        }
        let Some(kind) = entity::kind(thing.schema) else {
            match Context::read(&thing) {
                Some(context) => self.links.keep(&thing, context)?,
                None => self.reading.not_understood("schema", thing.schema),
            }
            return Ok(());
        };
        if object.words("target") == Some("false") {
            self.reading.not_understood("not a target", thing.schema);
            return Ok(());
        }
        let draft = entity::draft(&thing, kind, &mut self.reading)?;
        for address in thing.references("addressEntity") {
            self.links.wanted.push((thing.id.to_owned(), address.to_owned()));
        }
        self.drafts.add(draft).map(|_| ())
    }
}

/// What refers to something by its id, until all lines are read: either may come first.
#[derive(Default)]
struct Links {
    /// Every id of the file.
    ids: HashSet<String>,
    /// Addresses by id.
    addresses: HashMap<String, Address>,
    /// Entities and the addresses that they name.
    wanted: Vec<(String, String)>,
    /// What belongs to an entity, by the entity's id.
    owned: Vec<(String, Context)>,
}

impl Links {
    fn keep(&mut self, thing: &Thing<'_>, context: Context) -> Result<(), String> {
        match context {
            Context::Address(address) => {
                self.addresses.insert(thing.id.to_owned(), address);
            }
            Context::Sanction(_) | Context::Document(_) => {
                let owners = thing.references(context.owner());
                let Some((last, others)) = owners.split_last() else {
                    return Err(format!("{} {} belongs to nothing", thing.schema, thing.id));
                };
                for owner in others {
                    self.owned.push(((*owner).to_owned(), context.clone()));
                }
                self.owned.push(((*last).to_owned(), context));
            }
        }
        Ok(())
    }

    /// Gives each entity what belongs to it. What belongs to something that is no entry (a security, a target's owner) is
    /// dropped with it.
    ///
    /// References to what is not in the file at all are counted; where they are more than a few and more than 2 % of all, the
    /// file has lost its end.
    fn attach(self, file: &SourceFile, drafts: &mut Drafts, reading: &mut Reading) -> Result<(), ListError> {
        let all = self.wanted.len() + self.owned.len();
        let mut nowhere = 0;
        for (entity, address) in &self.wanted {
            match (drafts.get_mut(entity), self.addresses.get(address)) {
                (Some(draft), Some(address)) => address.apply(draft, reading),
                (_, None) if !self.ids.contains(address) => nowhere += 1,
                _ => {}
            }
        }
        for (owner, context) in &self.owned {
            match drafts.get_mut(owner) {
                Some(draft) => context.apply(draft, reading),
                None if !self.ids.contains(owner) => nowhere += 1,
                None => {}
            }
        }
        if nowhere > FEW.max(all / 50) {
            let problem = format!("{nowhere} of {all} references lead to entities that are not in it");
            return Err(file.cut(problem));
        }
        (0..nowhere).for_each(|_| reading.not_understood("reference", "to what is not in the file"));
        Ok(())
    }
}
