//! Everyday words and what code titles say for them (`data/synonyms.csv`, ours).

use std::{collections::HashMap, sync::OnceLock};

use crate::words::{Word, words};

const CSV: &str = include_str!("../data/synonyms.csv");

/// The longest phrase of the table, in words.
pub(crate) const LONGEST_PHRASE: usize = 3;

/// Everyday phrases by their stems, each with the words it stands for.
pub(crate) fn synonyms() -> &'static HashMap<Vec<String>, Vec<Word>> {
    static SYNONYMS: OnceLock<HashMap<Vec<String>, Vec<Word>>> = OnceLock::new();
    SYNONYMS.get_or_init(|| {
        let mut synonyms: HashMap<Vec<String>, Vec<Word>> = HashMap::new();
        for (phrase, meaning) in CSV.lines().skip(1).filter_map(|row| row.split_once(',')) {
            let stems = words(phrase).into_iter().map(|word| word.stem).collect();
            synonyms.entry(stems).or_default().extend(words(meaning)); // `cleaner` and `cleaning` share a stem
        }
        synonyms
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    #[test]
    fn every_synonym_leads_to_words_of_titles() {
        let index = Index::shared();
        assert!(synonyms().len() >= 150, "{}", synonyms().len());
        for (phrase, meaning) in synonyms() {
            assert!((1..=LONGEST_PHRASE).contains(&phrase.len()), "{phrase:?}");
            for word in meaning {
                assert!(index.rarity(&word.stem).is_some(), "{phrase:?}: no title says `{}`", word.text);
            }
        }
    }
}
