//! Refuses a version that lost more than a fifth of its entries: lists shrink by a few entries at a time, and a feed that
//! suddenly lost more is more likely broken than right.

use crate::ListError;

/// The fewest entries that may follow `old`: 80 %, rounded up.
pub(crate) fn least(old: u32) -> u64 {
    (u64::from(old) * 4).div_ceil(5)
}

/// `Err` with words for the operator when `new` is below 80 % of `old`. A first version (`old` 0) is always fine.
pub fn check(old: u32, new: u32) -> Result<(), ListError> {
    if u64::from(new) < least(old) {
        return Err(ListError::Shrunk { old, new });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_may_go_and_not_one_entry_more() {
        for (old, new, fine) in [
            (0, 0, true),
            (0, 5, true),
            (1, 0, false),
            (100, 80, true),
            (100, 79, false),
            (7379, 5904, true),
            (7379, 5903, false),
            (u32::MAX, u32::MAX, true),
            (u32::MAX, 0, false),
        ] {
            assert_eq!(check(old, new).is_ok(), fine, "{old} to {new}");
        }
    }

    #[test]
    fn the_operator_reads_both_numbers_and_what_to_do() {
        let words = check(7379, 5000).unwrap_err().to_string();
        for part in ["5000", "7379", "80 %", "stays in use", "by hand"] {
            assert!(words.contains(part), "{words}");
        }
    }
}
