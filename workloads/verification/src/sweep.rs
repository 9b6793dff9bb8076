//! Stored subjects against what changed of the lists: a search turned round. Few entries are new and many subjects wait, so
//! the lists are narrowed to the new entries, and every subject is searched in these.
//!
//! What it says holds for the entries. How rare a word is changes a little with every version too, so a subject that was just
//! below the threshold can pass it though its entry stayed the same: whoever keeps subjects searches the whole lists from time
//! to time.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kyb_domain::{
    list::ListId,
    monitor::{Compared, Outcome, OutcomeMatch},
    party::Party,
    screening::ScreeningStatus,
};
use kyb_screening::{ALGORITHM, DEFAULT_THRESHOLD, Screener, SearchOptions};

use crate::{Watchlists, screen::ScreeningOptions};

/// How soon a subject is searched in the whole lists again, changed or not: words get rarer and commoner with every version,
/// suppressions end, and a tenant's settings change.
const WHOLE_EVERY: TimeDelta = TimeDelta::days(7);
/// The same where a list was missing or stale.
const AFTER_ERROR: TimeDelta = TimeDelta::minutes(15);

/// An entry: its list and its publisher's id.
pub type EntryKey = (ListId, String);

/// What a search on these lists compares with.
pub fn compared_with(lists: &Watchlists) -> Compared {
    Compared::with(ALGORITHM, &lists.states)
}

/// When to search a monitor of this outcome in the whole lists again.
pub fn whole_search_at(status: ScreeningStatus, now: DateTime<Utc>) -> DateTime<Utc> {
    now + if status == ScreeningStatus::Error { AFTER_ERROR } else { WHOLE_EVERY }
}

/// What changed of the lists.
pub struct Sweep {
    /// The lists as they are now, narrowed to entries that are new or say something else.
    narrowed: Screener,
    /// These, and those that are gone.
    touched: BTreeSet<EntryKey>,
}

impl Sweep {
    /// Narrows the lists to the entries that were touched: added, changed or removed.
    pub fn of(lists: &Watchlists, touched: BTreeSet<EntryKey>) -> Self {
        let narrowed =
            lists.screener.narrowed(|list, entry| touched.contains(&(list.clone(), entry.id.clone())));
        Self { narrowed, touched }
    }

    /// How many entries were touched.
    pub fn len(&self) -> usize {
        self.touched.len()
    }

    /// Whether nothing was touched.
    pub fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Whether what was touched may change the outcome of a subject: an entry that matches now, or one that matched before.
    pub fn concerns(&self, subject: &Party, options: &ScreeningOptions, before: &Outcome) -> bool {
        let matched =
            |found: &OutcomeMatch| self.touched.contains(&(found.list.clone(), found.entry_id.clone()));
        before.matches.iter().any(matched) || self.finds(subject, options)
    }

    fn finds(&self, subject: &Party, options: &ScreeningOptions) -> bool {
        let search = SearchOptions {
            lists: options.lists.clone(),
            threshold: options.threshold.unwrap_or(DEFAULT_THRESHOLD),
            limit: 1,
        };
        let found = self.narrowed.search(subject, &search);
        !found.matches.is_empty() || found.candidates_truncated
    }
}
