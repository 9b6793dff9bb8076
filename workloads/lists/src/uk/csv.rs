//! The list as csv: a line with the day of the report, a header, and several rows for each designation, since a row has
//! room for one name, one address and one passport. What a designation has once stands in each of its rows.

use std::collections::HashMap;

use chrono::NaiveDate;
use kyb_domain::{identifier::IdentifierKind, list::NameKind};

use super::designation::{self, FIELDS, PublishedName};
use crate::{
    Contents, ListError, ListId, SourceFile,
    csv::{Record, Table, plain},
    draft::{Draft, Drafts},
    reading::Reading,
};

/// How the first line begins: `Report Date: 05-Mar-2024`.
pub(crate) const FIRST_LINE: &str = "Report Date";

/// Columns that one thing is made of. They are read together.
const NAME: [&str; 6] = ["Name 1", "Name 2", "Name 3", "Name 4", "Name 5", "Name 6"];
const ADDRESS: [&str; 8] = [
    "Address Line 1",
    "Address Line 2",
    "Address Line 3",
    "Address Line 4",
    "Address Line 5",
    "Address Line 6",
    "Address Postal Code",
    "Address Country",
];
const PASSPORT: [&str; 2] = ["Passport number", "Passport additional information"];
const NATIONAL_ID: [&str; 2] = ["National Identifier number", "National Identifier additional information"];
const BIRTH_PLACE: [&str; 2] = ["Town of birth", "Country of birth"];
const SCRIPT: [&str; 3] = ["Name non-latin script", "Non-latin script type", "Non-latin script language"];
const NAME_TYPE: &str = "Name type";
const STRENGTH: &str = "Alias strength";
/// The column that says what a designation is about, and what it was called before.
const KIND: [&str; 2] = ["Designation Type", "Individual, Entity, Ship"];

/// Reads the one file of `list`.
pub(crate) fn read(list: &ListId, files: &[SourceFile]) -> Result<Contents, ListError> {
    let file = SourceFile::only(list, files, "the UK Sanctions List, one csv file")?;
    let text = file.text()?;
    let first = text.lines().next().unwrap_or_default();
    let stated = report_date(first);
    let dated = first.trim_start_matches('"').starts_with(FIRST_LINE);
    let start = if dated { text.find('\n').map_or(text.len(), |end| end + 1) } else { 0 };
    let mut table = Table::open(file, text, start)?;
    let columns = Columns::find(&table)?;
    let (mut drafts, mut reading) = (Drafts::default(), Reading::default());
    for unknown in columns.unknown(&table) {
        reading.not_understood("column", unknown);
    }
    for (id, rows) in columns.designations(&mut table)? {
        let draft = columns.draft(&table, &id, &rows, &mut reading)?;
        drafts.add(draft).map_err(|problem| table.refuse(&rows[0], Some(columns.id), problem))?;
    }
    Ok(Contents { stated, ..Contents::new(file, drafts, reading)? })
}

/// The day in `Report Date: 05-Mar-2024`, with or without quotes and empty fields behind.
fn report_date(line: &str) -> Option<NaiveDate> {
    let date = line.trim_matches(['"', ',']).strip_prefix(FIRST_LINE)?.trim_start_matches([':', ',', ' ']);
    ["%d-%b-%Y", "%d/%m/%Y", "%Y-%m-%d"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(date.trim(), form).ok())
}

/// Where the columns stand.
struct Columns {
    id: usize,
    kind: usize,
    name_type: usize,
    strength: Option<usize>,
    name: [Option<usize>; 6],
    script: Option<usize>,
    address: [Option<usize>; 8],
    passport: [Option<usize>; 2],
    national_id: [Option<usize>; 2],
    birth_place: [Option<usize>; 2],
    fields: Vec<(usize, usize)>,
}

impl Columns {
    fn find(table: &Table<'_>) -> Result<Self, ListError> {
        let column = |name: &str| table.column(name);
        table.required(NAME[5])?;
        let fields =
            FIELDS.iter().enumerate().filter_map(|(at, (_, name, _))| Some((table.column(name)?, at)));
        Ok(Self {
            id: table.required("Unique ID")?,
            kind: KIND.into_iter().find_map(column).map_or_else(|| table.required(KIND[0]), Ok)?,
            name_type: table.required(NAME_TYPE)?,
            strength: column(STRENGTH),
            name: NAME.map(column),
            script: column(SCRIPT[0]),
            address: ADDRESS.map(column),
            passport: PASSPORT.map(column),
            national_id: NATIONAL_ID.map(column),
            birth_place: BIRTH_PLACE.map(column),
            fields: fields.collect(),
        })
    }

    /// The columns that mean nothing to us.
    fn unknown<'t>(&self, table: &'t Table<'_>) -> Vec<&'t str> {
        let together = [
            &NAME[..],
            &ADDRESS,
            &PASSPORT,
            &NATIONAL_ID,
            &BIRTH_PLACE,
            &SCRIPT,
            &KIND,
            &[NAME_TYPE, STRENGTH],
        ];
        let read = |at: usize, name: &str| {
            self.fields.iter().any(|(column, _)| *column == at)
                || together.iter().any(|names| names.iter().any(|known| plain(known) == plain(name)))
        };
        table
            .header()
            .iter()
            .enumerate()
            .filter(|(at, name)| !read(*at, name))
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// The rows of each designation, in the order in which they are first named.
    fn designations<'t>(&self, table: &mut Table<'t>) -> Result<Vec<(String, Vec<Record<'t>>)>, ListError> {
        let mut all: Vec<(String, Vec<Record<'t>>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some(record) = table.next()? {
            let Some(id) = record.get(Some(self.id)).map(str::to_owned) else {
                return Err(table.refuse(&record, Some(self.id), "a designation has no Unique ID"));
            };
            let place = *places.entry(id.clone()).or_insert(all.len());
            match all.get_mut(place) {
                Some((_, rows)) => rows.push(record),
                None => all.push((id, vec![record])),
            }
        }
        Ok(all)
    }

    /// The entry of one designation. Refuses rows that do not agree on what it is about.
    fn draft(
        &self,
        table: &Table<'_>,
        id: &str,
        rows: &[Record<'_>],
        reading: &mut Reading,
    ) -> Result<Draft, ListError> {
        let about = |row: &Record<'_>| row.get(Some(self.kind)).map(str::to_lowercase);
        if let Some(other) = rows.iter().find(|row| about(row) != about(&rows[0])) {
            let problem = format!("designation {id} is something else in another row");
            return Err(table.refuse(other, Some(self.kind), problem));
        }
        let mut names: Vec<PublishedName> = rows.iter().filter_map(|row| self.name(row, reading)).collect();
        if names.is_empty() {
            return Err(table.refuse(&rows[0], self.name[5], format!("designation {id} has no name")));
        }
        let primary = names.remove(designation::primary(&names, reading));
        let mut draft = Draft::new(id, designation::kind(about(&rows[0]).as_deref(), reading), &primary.text);
        for name in &names {
            name.add_to(&mut draft);
        }
        for row in rows {
            self.details(row, &mut draft, reading);
        }
        Ok(draft)
    }

    fn name(&self, row: &Record<'_>, reading: &mut Reading) -> Option<PublishedName> {
        let (stated, strength) = (row.get(Some(self.name_type)), row.get(self.strength));
        PublishedName::new(self.name.map(|at| row.get(at)), stated, strength, reading)
    }

    fn details(&self, record: &Record<'_>, draft: &mut Draft, reading: &mut Reading) {
        draft.name(NameKind::OriginalScript, record.get(self.script).unwrap_or_default());
        designation::address(self.address.map(|at| record.get(at)), draft, reading);
        let texts = self.passport.map(|at| record.get(at));
        designation::document(IdentifierKind::Passport, "Passport", texts, draft, reading);
        let texts = self.national_id.map(|at| record.get(at));
        designation::document(IdentifierKind::NationalId, "National identifier", texts, draft, reading);
        let place: Vec<&str> = self.birth_place.into_iter().filter_map(|at| record.get(at)).collect();
        draft.words("Place of birth", &place.join(", "));
        for (column, at) in &self.fields {
            if let (Some(text), Some((_, label, meaning))) = (record.get(Some(*column)), FIELDS.get(*at)) {
                designation::apply(*meaning, label, text, draft, reading);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_the_report_is_read_in_every_spelling() {
        for line in [
            "Report Date: 05-Mar-2024",
            "\"Report Date: 05-Mar-2024\",,,",
            "Report Date,05/03/2024",
            "Report Date: 2024-03-05",
        ] {
            assert_eq!(report_date(line), "2024-03-05".parse().ok(), "{line}");
        }
        assert_eq!(report_date("Last Updated,Unique ID"), None);
    }
}
