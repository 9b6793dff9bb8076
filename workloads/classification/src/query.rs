//! What a business says, as weighted terms.

use std::collections::HashMap;

use crate::{
    index::Index,
    synonyms::{LONGEST_PHRASE, synonyms},
    words::{Word, words},
};

/// How much a word of the name counts beside a word of the description: names are often made up.
const NAME_WEIGHT: f64 = 0.5;
/// How much a synonym counts beside the word itself.
const SYNONYM_WEIGHT: f64 = 0.8;
/// The rarity of a word that no title has: it says something that can't be matched.
const UNKNOWN_RARITY: f64 = 4.0;

/// A stem to look for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) stem: String,
    /// 0 to 1.
    pub(crate) weight: f64,
    /// The caller's words.
    pub(crate) said: String,
}

/// What a business says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// No stem twice.
    pub(crate) terms: Vec<Term>,
    /// The weight of all words said, whether any title has them or not, by rarity.
    pub(crate) mass: f64,
    by_stem: HashMap<String, usize>,
}

impl Query {
    /// Reads name and description; the first and heavier use of a stem counts.
    pub(crate) fn read(name: Option<&str>, description: Option<&str>, index: &Index) -> Self {
        let mut query = Self { terms: vec![], mass: 0.0, by_stem: HashMap::new() };
        for (text, weight) in [(description, 1.0), (name, NAME_WEIGHT)] {
            query.add(&words(text.unwrap_or_default()), weight, index);
        }
        query
    }

    fn add(&mut self, said: &[Word], weight: f64, index: &Index) {
        for word in said {
            if self.push(word, &word.text, weight) {
                self.mass += weight * index.rarity(&word.stem).unwrap_or_else(|| unknown(word));
            }
        }
        for length in 1..=LONGEST_PHRASE {
            for phrase in said.windows(length) {
                let stems: Vec<String> = phrase.iter().map(|word| word.stem.clone()).collect();
                let text = phrase.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
                for meant in synonyms().get(&stems).into_iter().flatten() {
                    self.push(meant, &text, weight * SYNONYM_WEIGHT);
                }
            }
        }
    }

    /// Adds a term, or makes it heavier; whether it is new.
    fn push(&mut self, word: &Word, said: &str, weight: f64) -> bool {
        if let Some(at) = self.by_stem.get(&word.stem) {
            let known = &mut self.terms[*at];
            known.weight = known.weight.max(weight);
            return false;
        }
        self.by_stem.insert(word.stem.clone(), self.terms.len());
        self.terms.push(Term { stem: word.stem.clone(), weight, said: said.to_owned() });
        true
    }
}

/// A synonym makes a word known that no title has.
fn unknown(word: &Word) -> f64 {
    if synonyms().contains_key(std::slice::from_ref(&word.stem)) { 1.0 } else { UNKNOWN_RARITY }
}
