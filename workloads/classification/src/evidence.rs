//! What spoke for a code, in words.

use crate::{index::Candidate, query::Query, table::code_title, words::words};

/// The most pieces of evidence of one code.
const MOST: usize = 5;

/// One line for each word that matched, heaviest first.
pub(crate) fn of(candidate: &Candidate, query: &Query) -> Vec<String> {
    let terms = candidate.terms.iter().filter_map(|at| query.terms.get(*at));
    terms
        .take(MOST)
        .map(|term| {
            let word = title_word(candidate.code.code, &term.stem).unwrap_or_else(|| term.stem.clone());
            format!("title word `{word}` matches `{}`", term.said)
        })
        .collect()
}

/// The word of a code's title, or else of the nearest title above it, that has a stem.
fn title_word(code: &str, stem: &str) -> Option<String> {
    (2..=code.len())
        .rev()
        .filter_map(|digits| code_title(&code[..digits]))
        .find_map(|title| words(title).into_iter().find(|word| word.stem == stem).map(|word| word.text))
}
