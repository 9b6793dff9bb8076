//! Names, matching and explanations: a subject and the watchlists in, scored and explained matches out.
//!
//! ```text
//! text ─ normalise ─ legal_form, word_class ─ name          words with classes, and legal forms apart
//! article, alternatives                                     articles written with their noun, several names in one field
//! meaning, numbers, syllables, abjad, ordinary              what a word means, sounds like, and says about who is meant
//! lists ─ index ─ candidates                                which listed names are worth a full comparison
//! name + name ─ spelling (word by word) ─ align ─ weigh     how alike two names are
//! party + entry ─ evidence                                  what agrees or contradicts beside the name
//! search ─ explain                                          the best name of each entry, scored and put into words
//! ```
//!
//! A score is made of steps that a match's features repeat: the name's similarity, what different legal forms take from it,
//! then each piece of evidence. The weights of the features add up to the score. Without evidence beside the name the score
//! is the name's.
//!
//! Kinds never keep an entry from being found. Where a person is compared with a body, or a business with a person, the name
//! counts a little less unless it is the very same; a party of unknown kind is compared with all alike.

mod abjad;
mod align;
mod alternatives;
mod article;
mod evidence;
mod explain;
mod index;
pub mod legal_form;
mod meaning;
mod name;
mod normalise;
mod numbers;
mod ordinary;
mod search;
mod spelling;
mod syllables;
mod weigh;
mod word_class;

use std::sync::Arc;

use kyb_domain::{
    list::{Entry, ListId, Watchlist},
    party::{Party, PartyKind},
    score::Score,
    screening::Match,
};

use index::Index;
use word_class::Style;

/// Name and version of the algorithm; changes whenever a score can change.
pub const ALGORITHM: &str = "kyb-names/5";

/// The most candidates that one search compares in full; if there are more, the result says so. It takes some 70 ms, and a list of a
/// million names to come to so many.
pub const MOST_CANDIDATES: usize = 50_000;

/// The threshold where nobody asked for another.
///
/// Chosen on 226 labelled pairs and on ordinary names against a list of 7,379 entries: F1 is 0.902 here and 0.911 at best (at
/// 0.75), while of 50,000 made-up names 40 are flagged here. `tests/labelled_pairs.rs` and
/// `tests/real_list.rs` print the figures.
pub const DEFAULT_THRESHOLD: Score = Score::constant(0.80);

/// An immutable index over whole lists; cheap to share, replaced as a whole when a list changes.
pub struct Screener {
    index: Index,
}

/// What to search and how much to return.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// Only these lists; `None` for all.
    pub lists: Option<Vec<ListId>>,
    /// The score from which on a candidate is a match. Names of which no word agrees that tells one name from others are not
    /// looked for; they come to 0.4 at most.
    pub threshold: Score,
    /// The most matches to return, best first.
    pub limit: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { lists: None, threshold: DEFAULT_THRESHOLD, limit: 10 }
    }
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct SearchResult {
    /// Matches at or above the threshold, best first; ties by list, then by the publisher's id.
    pub matches: Vec<Match>,
    /// How many candidates were compared in full.
    pub candidates_scored: u32,
    /// Whether a cap left candidates out.
    pub candidates_truncated: bool,
    /// Whether more entries reached the threshold than were asked for.
    pub matches_truncated: bool,
}

impl Screener {
    /// Indexes every name of every list.
    pub fn build(lists: &[Arc<Watchlist>]) -> Self {
        Self { index: Index::build(lists) }
    }

    /// The same as [`build`](Self::build) of these lists. What this one knows of entries that have not changed is taken over, so that it
    /// takes a fraction of the time.
    #[must_use]
    pub fn rebuilt(&self, lists: &[Arc<Watchlist>]) -> Self {
        Self { index: self.index.rebuilt(lists) }
    }

    /// Searches all names of the subject; one match for each entry, by its best name.
    ///
    /// The same lists, subject and options give the same result, in the same order.
    pub fn search(&self, subject: &Party, options: &SearchOptions) -> SearchResult {
        search::search(&self.index, subject, options, MOST_CANDIDATES)
    }

    /// The same by comparing every listed name in full, which takes hundreds of times as long: it shows whether the index leaves
    /// anything out.
    pub fn search_every_name(&self, subject: &Party, options: &SearchOptions) -> SearchResult {
        search::search_every_name(&self.index, subject, options)
    }

    /// The same lists narrowed to some of their entries, to ask of many subjects whether these few concern them. A search finds what
    /// a search of the whole finds among these, score for score, at a cost that goes by their number.
    #[must_use]
    pub fn narrowed(&self, keep: impl Fn(&ListId, &Entry) -> bool) -> Self {
        Self { index: self.index.narrowed(keep) }
    }

    /// The lists that are searched.
    pub fn lists(&self) -> &[Arc<Watchlist>] {
        self.index.lists()
    }

    /// Roughly how many bytes the index takes beside the lists.
    pub fn heap_bytes(&self) -> usize {
        self.index.heap_bytes()
    }
}

/// How alike two names of one kind are, without any other attribute and without knowing how rare their words are.
/// Names of unknown kind are read both as a person's and as a body's, and the better reading counts, unless one of them has
/// a legal form or a word that only organisations have.
///
/// ```
/// use kyb_domain::party::PartyKind;
/// use kyb_screening::{DEFAULT_THRESHOLD, score_names};
/// let score = score_names(PartyKind::Business, "Rosoboronexport OAO", "Рособоронэкспорт");
/// assert!(score >= DEFAULT_THRESHOLD);
/// ```
pub fn score_names(kind: PartyKind, a: &str, b: &str) -> Score {
    let score = match kind {
        PartyKind::Person => weigh::score(a, b, Style::Person),
        PartyKind::Business => weigh::score(a, b, Style::Organisation),
        PartyKind::Unknown if weigh::is_a_body(a) || weigh::is_a_body(b) => {
            weigh::score(a, b, Style::Organisation)
        }
        PartyKind::Unknown => weigh::score(a, b, Style::Person).max(weigh::score(a, b, Style::Organisation)),
    };
    Score::clamped(score)
}
