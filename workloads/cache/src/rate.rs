//! How often look-ups hit, lately: a rate since the start would say nothing of a change an hour ago.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Look-ups count for this long at least, and for twice as long at most.
pub const WINDOW: Duration = Duration::from_mins(5);

/// How many look-ups there were, and how many of them hit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Answered from memory.
    pub hits: u64,
    /// All of them.
    pub all: u64,
}

impl Lookups {
    /// Hits by all, 0 to 1; `None` where nobody looked.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people; counts stay far below 2^52")]
    pub fn hit_rate(self) -> Option<f64> {
        (self.all > 0).then(|| self.hits as f64 / self.all as f64)
    }
}

impl std::ops::Add for Lookups {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { hits: self.hits + other.hits, all: self.all + other.all }
    }
}

/// Counts of the window under way, and of the one before.
#[derive(Debug)]
pub(crate) struct Rate {
    hits: AtomicU64,
    all: AtomicU64,
    before: Mutex<Before>,
}

#[derive(Debug)]
struct Before {
    began: Instant,
    counts: Lookups,
}

impl Rate {
    pub(crate) fn new(now: Instant) -> Self {
        let before = Mutex::new(Before { began: now, counts: Lookups::default() });
        Self { hits: AtomicU64::new(0), all: AtomicU64::new(0), before }
    }

    pub(crate) fn count(&self, hit: bool) {
        self.hits.fetch_add(u64::from(hit), Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    /// The look-ups of the last [`WINDOW`] to twice that. Whoever asks after a window ended begins the next one.
    pub(crate) fn lately(&self, now: Instant) -> Lookups {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_duration_since(before.began);
        if age >= WINDOW {
            // A look-up between these two lines is counted in one figure only: no more than a rounding.
            let ended = Lookups {
                hits: self.hits.swap(0, Ordering::Relaxed),
                all: self.all.swap(0, Ordering::Relaxed),
            };
            before.counts = if age < 2 * WINDOW { ended } else { Lookups::default() };
            before.began = now;
        }
        let current =
            Lookups { hits: self.hits.load(Ordering::Relaxed), all: self.all.load(Ordering::Relaxed) };
        before.counts + current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_ups_count_for_one_window_and_are_forgotten_after_two() {
        let start = Instant::now();
        let rate = Rate::new(start);
        assert_eq!(rate.lately(start).hit_rate(), None);
        for hit in [true, true, true, false] {
            rate.count(hit);
        }
        let lookups = Lookups { hits: 3, all: 4 };
        assert_eq!(rate.lately(start + WINDOW), lookups);
        rate.count(false);
        assert_eq!(rate.lately(start + WINDOW), Lookups { hits: 3, all: 5 });
        assert_eq!(rate.lately(start + 2 * WINDOW), Lookups { hits: 0, all: 1 });
        assert_eq!(rate.lately(start + 5 * WINDOW), Lookups::default());
        assert_eq!(lookups.hit_rate(), Some(0.75));
    }
}
