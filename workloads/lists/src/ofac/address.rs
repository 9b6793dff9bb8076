//! The address file: `ent_num, add_num, address, city with state and postal code, country, remarks`.

use super::table::Record;
use crate::{draft::Draft, reading::Reading};

/// How many fields a record has.
pub(super) const FIELDS: usize = 6;

/// Gives the entry one more address and its country. Most rows hold only a country, many nothing at all.
pub(super) fn apply(draft: &mut Draft, record: &Record<'_, FIELDS>, reading: &mut Reading) {
    let (street, city, country) = (record.get(2), record.get(3), record.get(4));
    if street.is_some() || city.is_some() {
        draft.address([street, city, country]);
    }
    if let Some(country) = country {
        draft.countries(reading.countries(country));
    }
    if let Some(remark) = record.get(5) {
        draft.remark(remark.trim());
    }
}
