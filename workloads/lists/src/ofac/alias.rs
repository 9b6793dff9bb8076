//! The alias file: `ent_num, alt_num, type, name, remarks`.

use kyb_domain::list::NameKind;

use super::table::Record;
use crate::{draft::Draft, reading::Reading};

/// How many fields a record has.
pub(super) const FIELDS: usize = 5;

/// Gives the entry one more name.
pub(super) fn apply(draft: &mut Draft, record: &Record<'_, FIELDS>, reading: &mut Reading) {
    let kind = match record.get(2).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("aka" | "a.k.a.") => NameKind::Alias,
        Some("fka" | "f.k.a.") => NameKind::Former,
        Some("nka" | "n.k.a.") => NameKind::NowKnownAs,
        other => {
            reading.not_understood("alias type", other.unwrap_or("none"));
            NameKind::Alias
        }
    };
    match record.get(3) {
        Some(name) => draft.name(kind, name),
        None => reading.not_understood("alias", "without a name"),
    }
    if let Some(remark) = record.get(4) {
        draft.remark(remark.trim());
    }
}
