//! Facts out of OFAC's remarks.
//!
//! Remarks are phrases between semicolons, each a label and its value: `DOB 29 Apr 1945; Passport 1084010 (Egypt)`. Weak
//! aliases stand only here (`a.k.a. 'BNC'`). The text itself is kept whole in the entry, so nothing is lost where a phrase is not
//! understood; but it is counted, since a fact that only a person can read does not help a match.

use kyb_domain::list::{EntryKind, NameKind};

use super::table::LONGEST_REMARK;
use crate::{dates, draft::Draft, reading::Reading};

pub(super) mod identifiers;
mod phrases;
pub(super) mod prose;

use phrases::Phrase;

/// Labels of a date of birth, or of formation.
pub(super) const BORN: [&str; 2] = ["DOB", "Organization Established Date"];
/// Labels of a country that the party is of.
pub(super) const COUNTRY: [&str; 5] =
    ["nationality of registration", "nationality", "citizen", "Vessel Flag", "Other Vessel Flag"];

/// Reads all phrases of `text` into `draft`. `title` is the entry's title, which remarks often repeat.
pub(super) fn read(text: &str, title: Option<&str>, draft: &mut Draft, reading: &mut Reading) {
    let (phrases, cut) = phrases::split(text, LONGEST_REMARK);
    if cut {
        // What follows stands in a file of its own that the list is not read from; half a number must not become a fact.
        reading.not_understood("remark", "cut off at 1,000 characters");
    }
    for phrase in phrases {
        let understood = match phrase {
            Phrase::WeakAlias(name) => {
                draft.name(NameKind::Weak, name);
                true
            }
            Phrase::Words(words) => {
                dated(words, draft)
                    || of_country(words, draft, reading)
                    || identifiers::read(words, draft, reading)
                    || prose::is_known(words)
                    || title.is_some_and(|title| same(title, words))
            }
        };
        if let Phrase::Words(words) = phrase
            && !understood
        {
            reading.not_understood("remark", &label(words));
        }
    }
}

fn dated(words: &str, draft: &mut Draft) -> bool {
    let Some(date) = BORN.into_iter().find_map(|name| phrases::after(words, name)) else { return false };
    let Some(span) = dates::span(date) else { return false };
    draft.born(span);
    true
}

fn of_country(words: &str, draft: &mut Draft, reading: &mut Reading) -> bool {
    let Some(country) = COUNTRY.into_iter().find_map(|name| phrases::after(words, name)) else {
        return false;
    };
    let person = draft.kind() == EntryKind::Person;
    let known = reading.is_country(country);
    if known || person {
        draft.countries(reading.countries(country));
    }
    known || person
}

fn same(title: &str, words: &str) -> bool {
    title.trim().trim_end_matches('.').eq_ignore_ascii_case(words)
}

/// What to count a phrase under: its words before the first that holds a digit, at most four; prose has no label.
fn label(words: &str) -> String {
    let digits = |word: &&str| word.bytes().any(|b| b.is_ascii_digit());
    if let Some((label, _)) = words.split_once(':') {
        return label.to_owned();
    }
    if !words.split_whitespace().any(|word| digits(&word)) {
        return "free text".to_owned();
    }
    let words: Vec<&str> = words.split_whitespace().take_while(|word| !digits(word)).take(4).collect();
    if words.is_empty() { "a number without a label".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests;
