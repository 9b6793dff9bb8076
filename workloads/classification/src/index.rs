//! The index over code titles: which stem speaks for which code, and how much.

use std::{collections::HashMap, sync::OnceLock};

use crate::{
    query::Query,
    table::{Code, code_title, codes},
    words::words,
};

/// How much a title's word counts by the level it stands on: the code's own, then its parents' of five to two digits.
const LEVEL_WEIGHTS: [(usize, f64); 5] = [(6, 1.0), (5, 0.6), (4, 0.5), (3, 0.35), (2, 0.3)];
/// How much a title counts that says it holds what is not special: a hotel is a casino hotel only where somebody says so.
const GENERAL: f64 = 1.05;
/// How many of the best codes are looked at.
const MOST_CANDIDATES: usize = 50;

/// A stem of a code's titles.
struct Posting {
    code: usize,
    weight: f64,
}

/// A six-digit code and what its titles weigh.
struct Document {
    code: Code,
    /// The weight of its own title's words, by rarity.
    own: f64,
    /// Whether the title says that it holds what is not special: `Other …`, `… (except …)`.
    general: bool,
}

/// A stem: how much it tells codes apart, and which codes' titles have it.
struct Stem {
    rarity: f64,
    postings: Vec<Posting>,
}

/// The index. About 1,000 codes and 2,000 stems, below 1 MiB.
pub(crate) struct Index {
    documents: Vec<Document>,
    stems: HashMap<String, Stem>,
}

/// A code, how well it fits, and which of the query's terms spoke for it.
pub(crate) struct Candidate {
    pub(crate) code: Code,
    pub(crate) score: f64,
    /// The share of its own title, by rarity, that the query says: 0 to 1.
    pub(crate) covered: f64,
    /// Indexes of the query's terms that matched, heaviest first.
    pub(crate) terms: Vec<usize>,
}

impl Index {
    /// The index of this process, built at first use.
    pub(crate) fn shared() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(Self::build)
    }

    fn build() -> Self {
        let leaves: Vec<Code> = codes().filter(|code| code.code.len() == 6).collect();
        let mut postings: HashMap<String, Vec<Posting>> = HashMap::new();
        for (at, leaf) in leaves.iter().enumerate() {
            for (stem, weight) in weights(leaf.code) {
                postings.entry(stem).or_default().push(Posting { code: at, weight });
            }
        }
        let stem = |postings: Vec<Posting>| Stem { rarity: rarity(&postings, leaves.len()), postings };
        let stems = postings.into_iter().map(|(text, postings)| (text, stem(postings))).collect();
        let mut index = Self { documents: vec![], stems };
        index.documents = leaves.into_iter().map(|code| index.document(code)).collect();
        index
    }

    fn document(&self, code: Code) -> Document {
        let own = own_stems(code.title).iter().filter_map(|stem| self.rarity(stem)).sum();
        let general = code.title.starts_with("Other ")
            || code.title.starts_with("All Other ")
            || code.title.contains("(except ");
        Document { code, own, general }
    }

    /// How much a stem tells codes apart; `None` where no title has it.
    pub(crate) fn rarity(&self, stem: &str) -> Option<f64> {
        self.stems.get(stem).map(|stem| stem.rarity)
    }

    /// The codes that the query's terms speak for, best first; equal ones in the order of the table.
    pub(crate) fn rank(&self, query: &Query) -> Vec<Candidate> {
        let mut found: HashMap<usize, Vec<(usize, f64, f64)>> = HashMap::new();
        for (at, term) in query.terms.iter().enumerate() {
            let Some(Stem { rarity, postings }) = self.stems.get(&term.stem) else { continue };
            for posting in postings {
                let score = term.weight * posting.weight * rarity;
                let own = if posting.weight >= 1.0 { rarity * term.weight } else { 0.0 };
                found.entry(posting.code).or_default().push((at, score, own));
            }
        }
        let mut ranked: Vec<Candidate> =
            found.into_iter().map(|(at, terms)| self.candidate(at, terms)).collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.code.code.cmp(b.code.code)));
        ranked.truncate(MOST_CANDIDATES);
        ranked
    }

    /// A title that is said whole fits better than one of which only a part is: half of the score hangs on that.
    fn candidate(&self, at: usize, mut terms: Vec<(usize, f64, f64)>) -> Candidate {
        let document = &self.documents[at];
        let sum: f64 = terms.iter().map(|(_, score, _)| score).sum();
        let own: f64 = terms.iter().map(|(_, _, own)| own).sum();
        let covered = if document.own > 0.0 { (own / document.own).min(1.0) } else { 0.0 };
        let general = if document.general { GENERAL } else { 1.0 };
        terms.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Candidate {
            code: document.code,
            score: sum * (0.5 + 0.5 * covered) * general,
            covered,
            terms: terms.into_iter().map(|(at, _, _)| at).collect(),
        }
    }
}

/// The logarithm of how few codes have a stem; where it stands in parents' titles only, a code has it in part.
#[expect(clippy::cast_precision_loss, reason = "about a thousand codes")]
fn rarity(postings: &[Posting], codes: usize) -> f64 {
    let having: f64 = postings.iter().map(|posting| posting.weight).sum();
    (1.0 + codes as f64 / (having + 0.5)).ln()
}

fn own_stems(title: &str) -> Vec<String> {
    let mut stems: Vec<String> = words(title).into_iter().map(|word| word.stem).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

/// Every stem of a code's title and its parents', with its largest weight.
fn weights(code: &str) -> HashMap<String, f64> {
    let mut weights: HashMap<String, f64> = HashMap::new();
    for (digits, weight) in LEVEL_WEIGHTS {
        for word in words(code_title(&code[..digits]).unwrap_or_default()) {
            let known = weights.entry(word.stem).or_insert(0.0);
            *known = known.max(weight);
        }
    }
    weights
}
