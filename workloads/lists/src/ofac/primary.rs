//! The primary file: `ent_num, name, type, program, title, call sign, vessel type, tonnage, gross registered tonnage,
//! vessel flag, vessel owner, remarks`.

use kyb_domain::{identifier::IdentifierKind, list::EntryKind};

use super::{remarks, table::Record};
use crate::{ListError, Place, SourceFile, draft::Draft, reading::Reading};

/// How many fields a record has.
pub(super) const FIELDS: usize = 12;

const NAME: usize = 1;
const TYPE: usize = 2;
const PROGRAM: usize = 3;
const TITLE: usize = 4;
const CALL_SIGN: usize = 5;
const VESSEL_FLAG: usize = 9;
const REMARKS: usize = 11;
/// Fields that an entry has no place of its own for; they are kept as words at the end of its remarks.
const IN_WORDS: [(usize, &str); 5] = [
    (TITLE, "Title"),
    (6, "Vessel type"),
    (7, "Tonnage"),
    (8, "Gross registered tonnage"),
    (10, "Vessel owner"),
];

/// The entry with its own name, kind and programmes. Several programmes are written `SDGT] [SDT`.
pub(super) fn draft(
    file: &SourceFile,
    record: &Record<'_, FIELDS>,
    reading: &mut Reading,
) -> Result<Draft, ListError> {
    let id = record.number(file, 0)?;
    let Some(name) = record.get(NAME) else {
        return Err(file.fault(record.line, Place::Field(2), format!("entry {id} has no name")));
    };
    let kind = match record.get(TYPE).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("individual") => EntryKind::Person,
        Some("vessel") => EntryKind::Vessel,
        Some("aircraft") => EntryKind::Aircraft,
        None | Some("entity") => EntryKind::Organization,
        Some(other) => {
            reading.not_understood("type", other);
            EntryKind::Organization
        }
    };
    let mut draft = Draft::new(id, kind, name);
    let programs = record.get(PROGRAM).unwrap_or_default().split(['[', ']']);
    programs.map(str::trim).filter(|program| !program.is_empty()).for_each(|program| draft.program(program));
    Ok(draft)
}

/// Everything else that the record says. It comes after aliases and addresses, so that good names stand before weak ones
/// and the country of an address before that of a passport.
pub(super) fn details(draft: &mut Draft, record: &Record<'_, FIELDS>, reading: &mut Reading) {
    if let Some(flag) = record.get(VESSEL_FLAG) {
        draft.countries(reading.countries(flag));
    }
    if let Some(sign) = record.get(CALL_SIGN)
        && !draft.identifier(IdentifierKind::Other, sign, None)
    {
        reading.not_understood("call sign", sign);
    }
    if let Some(text) = record.get(REMARKS) {
        draft.remark(text.trim());
        remarks::read(text, record.get(TITLE), draft, reading);
    }
    for (field, label) in IN_WORDS {
        if let Some(text) = record.get(field) {
            draft.words(label, text);
        }
    }
}
