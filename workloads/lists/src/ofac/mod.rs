//! OFAC's csv files (US Treasury, "data specification" of the SDN and consolidated lists): one file of entries and two that
//! refer to it by `ent_num`. The same lists as XML are read by [`advanced`].
//!
//! | module | what |
//! |---|---|
//! | [`files`] | which three files belong together |
//! | [`table`] | bytes to records with positions, strictly |
//! | [`primary`], [`alias`], [`address`] | records to parts of an entry |
//! | [`remarks`] | weak aliases, dates, countries and identifiers out of the prose |
//! | [`whole`] | whether a file that ends well has nevertheless lost its end |

use crate::{
    Contents, ListError, ListId, Place, SourceFile,
    draft::{Draft, Drafts},
    reading::Reading,
};

mod address;
pub(crate) mod advanced;
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
        let draft = primary::draft(trio.primary, record, &mut reading)?;
        let added = drafts.add(draft);
        added.map_err(|problem| trio.primary.fault(record.line, Place::Field(1), problem))?;
    }
    let alias_owners = attach(&mut drafts, trio.alias, &aliases.records, &mut reading, alias::apply)?;
    let address_owners = attach(&mut drafts, trio.address, &addresses.records, &mut reading, address::apply)?;
    if !marked {
        whole::reaches_the_end(trio.alias, &alias_owners)?;
        whole::reaches_the_end(trio.address, &address_owners)?;
    }
    for (draft, record) in drafts.all_mut().iter_mut().zip(&entries.records) {
        primary::details(draft, record, &mut reading);
    }
    Contents::new(trio.primary, drafts, reading)
}

/// Hands every record to the entry it names. Answers which entries got one.
fn attach<const N: usize>(
    drafts: &mut Drafts,
    file: &SourceFile,
    records: &[Record<'_, N>],
    reading: &mut Reading,
    apply: fn(&mut Draft, &Record<'_, N>, &mut Reading),
) -> Result<Vec<bool>, ListError> {
    let mut owners = vec![false; drafts.all().len()];
    for record in records {
        let id = record.number(file, 0)?;
        record.number(file, 1)?;
        let Some(place) = drafts.place(id) else {
            let problem =
                format!("names entry {id}, which the primary file does not have; are the files of one day?");
            return Err(file.fault(record.line, Place::Field(1), problem));
        };
        owners[place] = true;
        apply(&mut drafts.all_mut()[place], record, reading);
    }
    Ok(owners)
}
