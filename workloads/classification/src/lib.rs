//! Industry codes from a name and a description, with confidence and abstention.
//!
//! ```text
//! name, description ─ words ─► stems ─ synonyms ─► weighted terms ─ index ─► codes ─ confidence ─► results, or none
//! ```
//!
//! The codes are the 1,012 six-digit codes of NAICS 2022. Their titles, and with less weight the titles of the groups
//! above them, are indexed by word stems; a text's words are compared with them by inverse document frequency (Spärck Jones
//! 1972), and a small table of everyday words (`data/synonyms.csv`) leads from what people say to what titles say. A
//! result names the words that spoke for it. Where they say too little there is no result: [`FLOOR`].
//!
//! `data/naics_2022.csv` holds codes and titles of all levels, facts published by the US Census Bureau, a work of the United States
//! government without copyright (17 U.S.C. § 105). Definitions are not part of it.

mod confidence;
mod evidence;
mod index;
mod query;
mod synonyms;
mod table;
mod words;

pub use confidence::FLOOR;
pub use table::code_title;

use kyb_domain::{
    classification::{Classification, IndustryCode, Scheme},
    score::Score,
    text::{FreeText, Name},
};

use crate::{index::Index, query::Query};

/// How codes are found.
pub const METHOD: &str = "kyb-titles";
/// Version of method and code tables; changes whenever an answer can change.
pub const VERSION: &str = "1+naics-2022";

/// Codes for what `name` and `description` say, at most `most`, best first; none where they say too little. The same input always
/// gives the same answer.
pub fn classify(name: Option<&Name>, description: Option<&FreeText>, most: usize) -> Classification {
    let index = Index::shared();
    let query = Query::read(name.map(Name::as_str), description.map(FreeText::as_str), index);
    let candidates = index.rank(&query);
    let results = confidence::of(&candidates, &query)
        .into_iter()
        .zip(&candidates)
        .take(most)
        .take_while(|(confidence, _)| *confidence >= FLOOR)
        .zip(1..)
        .map(|((confidence, candidate), rank)| IndustryCode {
            scheme: Scheme::Naics2022,
            code: candidate.code.code.to_owned(),
            title: candidate.code.title.to_owned(),
            confidence: Score::clamped(confidence).rounded(4),
            rank,
            evidence: evidence::of(candidate, &query),
        })
        .collect();
    Classification { results, method: METHOD.to_owned(), version: VERSION.to_owned() }
}
