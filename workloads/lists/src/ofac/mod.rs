//! OFAC's csv files (US Treasury, "data specification" of the SDN and consolidated lists): one file of entries and two that
//! refer to it by `ent_num`.
//!
//! | module | what |
//! |---|---|
//! | [`files`] | which three files belong together |
//! | [`table`] | bytes to records with positions, strictly |
//! | [`primary`], [`alias`], [`address`] | records to parts of an entry |
//! | [`remarks`] | weak aliases, dates, countries and identifiers out of the prose |
//! | [`whole`] | whether a file that ends well has nevertheless lost its end |

use std::collections::HashMap;

use crate::{Contents, ListError, ListId, Place, SourceFile, draft::Draft, reading::Reading};

mod address;
mod alias;
pub(crate) mod files;
mod primary;
mod remarks;
mod table;
#[cfg(test)]
mod tests;
mod whole;

use files::Trio;
use table::{Record, Table};

/// Reads the three files of `list` as one.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let trio = Trio::choose(list, files)?;
    let entries: Table<'_, { primary::FIELDS }> = table::read(trio.primary)?;
    let aliases: Table<'_, { alias::FIELDS }> = table::read(trio.alias)?;
    let addresses: Table<'_, { address::FIELDS }> = table::read(trio.address)?;
    let marked = whole::same_ending(&trio, [entries.marked, aliases.marked, addresses.marked])?;

    let mut reading = Reading::default();
    let mut drafts = Drafts::default();
    for record in &entries.records {
        drafts.add(trio.primary, record, primary::draft(trio.primary, record, &mut reading)?)?;
    }
    let alias_owners = drafts.attach(trio.alias, &aliases.records, &mut reading, alias::apply)?;
    let address_owners = drafts.attach(trio.address, &addresses.records, &mut reading, address::apply)?;
    if !marked {
        whole::reaches_the_end(trio.alias, &alias_owners)?;
        whole::reaches_the_end(trio.address, &address_owners)?;
    }
    for (draft, record) in drafts.all.iter_mut().zip(&entries.records) {
        primary::details(draft, record, &mut reading);
    }
    let entries = drafts.all.into_iter().map(Draft::finish).collect();
    Ok(Contents { entries, not_understood: reading.into_counts(), stated: None })
}

/// The entries in the publisher's order, found by `ent_num`.
#[derive(Default)]
struct Drafts {
    all: Vec<Draft>,
    by_id: HashMap<String, usize>,
}

impl Drafts {
    fn add<const N: usize>(
        &mut self,
        file: &SourceFile,
        record: &Record<'_, N>,
        draft: Draft,
    ) -> Result<(), ListError> {
        let id = record.number(file, 0)?;
        if self.by_id.insert(id.to_owned(), self.all.len()).is_some() {
            return Err(file.fault(record.line, Place::Field(1), format!("entry {id} is there twice")));
        }
        self.all.push(draft);
        Ok(())
    }

    /// Hands every record to the entry it names. Answers which entries got one.
    fn attach<const N: usize>(
        &mut self,
        file: &SourceFile,
        records: &[Record<'_, N>],
        reading: &mut Reading,
        apply: fn(&mut Draft, &Record<'_, N>, &mut Reading),
    ) -> Result<Vec<bool>, ListError> {
        let mut owners = vec![false; self.all.len()];
        for record in records {
            let id = record.number(file, 0)?;
            record.number(file, 1)?;
            let Some(&at) = self.by_id.get(id) else {
                let problem = format!(
                    "names entry {id}, which the primary file does not have; are the files of one day?"
                );
                return Err(file.fault(record.line, Place::Field(1), problem));
            };
            owners[at] = true;
            apply(&mut self.all[at], record, reading);
        }
        Ok(owners)
    }
}
