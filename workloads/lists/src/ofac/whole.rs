//! Whether a file whose last record is whole has nevertheless lost its end.
//!
//! A download or copy can break off exactly between two records. Three things show it:
//!
//! 1. The publisher ends each csv file with the byte 0x1A. If one of the three files has it, all must. Files that all have
//!    it are whole.
//! 2. A primary file that lost entries leaves aliases and addresses that name unknown ones; those are refused where they
//!    are read.
//! 3. Copies that went through an editor or an archive may have lost the byte in all three. The rows of all files stand
//!    in the order of the entries, and new entries are appended, so an alias or address file that lost its end leaves the
//!    last entries without rows. See [`reaches_the_end`] for how many may be.

use super::files::Trio;
use crate::{ListError, SourceFile};

/// A run of this many entries without rows can be chance in a short list.
const SHORT_RUN: usize = 10;
/// From this many entries on, "every entry has a row" is the publisher's habit and no chance.
const HABIT: usize = 20;

/// Rule 1. Answers whether the files carry the publisher's end-of-file byte.
pub(super) fn same_ending(trio: &Trio<'_>, marked: [bool; 3]) -> Result<bool, ListError> {
    if !marked.contains(&true) {
        return Ok(false);
    }
    for (file, marked) in [trio.primary, trio.alias, trio.address].into_iter().zip(marked) {
        if !marked {
            return Err(file
                .cut("the publisher's last byte (0x1A) is missing, and another of the three files has it"));
        }
    }
    Ok(true)
}

/// Rule 3. `has_row` says for each entry, in order, whether `file` has a row for it. Refused is an end without rows that
/// is longer than every run without rows before it and longer than [`SHORT_RUN`], and any that is longer than both
/// [`SHORT_RUN`] and 2 % of the list. Where every one of at least [`HABIT`] entries has a row up to the last that has one
/// (OFAC gives each entry at least one address row, empty or not), none may lack it at the end.
///
/// It can't see the loss of the very last rows of an alias file: up to ten entries, or 2 % of a long list.
pub(super) fn reaches_the_end(file: &SourceFile, has_row: &[bool]) -> Result<(), ListError> {
    let reach = has_row.iter().rposition(|has| *has).map_or(0, |last| last + 1);
    let tail = has_row.len() - reach;
    let before = has_row.get(..reach).unwrap_or_default();
    let longest = before.split(|has| *has).map(<[bool]>::len).max().unwrap_or(0);
    let allowed = if longest == 0 && reach >= HABIT {
        0
    } else {
        longest.max(SHORT_RUN).min(SHORT_RUN.max(has_row.len() / 50))
    };
    if tail > allowed {
        let problem = format!(
            "none of the last {tail} of {} entries has a row in it, though before that at most {longest} in a row have none",
            has_row.len()
        );
        return Err(file.cut(problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(runs: &[(bool, usize)]) -> bool {
        let has_row: Vec<bool> =
            runs.iter().flat_map(|(has, times)| std::iter::repeat_n(*has, *times)).collect();
        let file = SourceFile { name: "alt.csv".into(), bytes: vec![] };
        reaches_the_end(&file, &has_row).is_ok()
    }

    #[test]
    fn an_end_without_rows_is_judged_by_the_list_itself() {
        for (runs, fine) in [
            (&[(true, 100)][..], true),
            (&[(true, 100), (false, 1)], false),
            (&[(true, 5), (false, 3)], true),
            (&[(true, 1), (false, 1), (true, 98), (false, 10)], true),
            (&[(true, 1), (false, 1), (true, 98), (false, 11)], false),
            (&[(true, 500), (false, 272), (true, 6000), (false, 135)], true),
            (&[(true, 500), (false, 272), (true, 6000), (false, 140)], false),
            (&[(true, 5000), (false, 12), (true, 1000), (false, 13)], false),
            (&[(false, 5)], true),
            (&[(false, 11)], false),
            (&[], true),
        ] {
            assert_eq!(verdict(runs), fine, "{runs:?}");
        }
    }
}
