//! Which look at a failing object is the next attempt, and which is not: an object is looked at whenever anything changes, its own
//! status included, so counting every look would let a failure feed itself.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Backoff;

/// When each failing object is due, by its uid. The counts that people see live in the objects' status.
#[derive(Debug, Default)]
pub struct Retries {
    backoff: Backoff,
    failing: Mutex<HashMap<String, Failing>>,
}

/// An object that fails.
#[derive(Debug)]
struct Failing {
    due: Instant,
    /// How often it has failed for each cause since it was well.
    causes: HashMap<String, u32>,
}

impl Failing {
    /// One that another process has seen fail so often.
    fn again(causes: &BTreeSet<String>, failures: i32, due: Instant) -> Self {
        let count = u32::try_from(failures).unwrap_or(1);
        Self { due, causes: causes.iter().map(|cause| (cause.clone(), count)).collect() }
    }

    /// Counts an attempt at its time; before that, only what has not failed before.
    fn count(&mut self, causes: &BTreeSet<String>, is_due: bool) {
        for cause in causes {
            let known = self.causes.get(cause).copied();
            if is_due || known.is_none() {
                self.causes.insert(cause.clone(), known.unwrap_or(0).saturating_add(1));
            }
        }
    }

    fn fewest(&self, causes: &BTreeSet<String>) -> u32 {
        causes.iter().filter_map(|cause| self.causes.get(cause)).min().copied().unwrap_or(1)
    }
}

impl Retries {
    /// How many attempts in a row have failed now, and when to make the next one. `before` is the count in the object's status. A
    /// look before its time counts nothing, nor does the first one of this process: the attempt before it was another's.
    ///
    /// The wait grows with the failures for the cause of `causes` that has failed least often since the object was well. So what begins to
    /// fail is soon tried again, however long something else has failed, and causes that take turns wait as long as one that stays.
    pub fn failed(
        &self,
        uid: &str,
        causes: &BTreeSet<String>,
        before: Option<i32>,
        now: Instant,
    ) -> (i32, Duration) {
        let mut all = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.unwrap_or(0).max(0);
        let (failures, failing) = match all.entry(uid.to_owned()) {
            Entry::Occupied(known) => {
                let failing = known.into_mut();
                let is_due = failing.due <= now;
                if !is_due && causes.iter().all(|cause| failing.causes.contains_key(cause)) {
                    return (before.max(1), failing.due - now);
                }
                failing.count(causes, is_due);
                (before.saturating_add(1), failing)
            }
            Entry::Vacant(new) => (before.max(1), new.insert(Failing::again(causes, before.max(1), now))),
        };
        let wait = self.backoff.after(failing.fewest(causes), uid);
        failing.due = now + wait;
        (failures, wait)
    }

    /// Nothing is wrong with the object, or it is gone.
    pub fn forget(&self, uid: &str) {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "8a2f";

    fn causes(causes: &[&str]) -> BTreeSet<String> {
        causes.iter().map(|cause| (*cause).to_owned()).collect()
    }

    fn one() -> BTreeSet<String> {
        causes(&["quota"])
    }

    /// Looks at an object that goes on failing, 100 times a second, for an hour.
    fn looked_at_all_the_time(mut look: impl FnMut(Option<i32>, Instant) -> i32) -> i32 {
        let begin = Instant::now();
        (0..360_000)
            .fold(None, |before, tick| Some(look(before, begin + Duration::from_millis(10 * tick))))
            .unwrap()
    }

    #[test]
    fn looking_more_often_counts_no_more_failures() {
        let retries = Retries::default();
        let count = looked_at_all_the_time(|before, now| retries.failed(UID, &one(), before, now).0);
        assert!(
            (15..30).contains(&count),
            "{count} attempts in an hour: doubling to 5 minutes, then 12 an hour"
        );
    }

    /// The twin: without the memory of when the object is due, every look is a failure.
    #[test]
    fn without_the_due_time_every_look_would_count() {
        let count = looked_at_all_the_time(|before, now| {
            let retries = Retries::default();
            retries.failed(UID, &one(), before, now);
            retries.failed(UID, &one(), before, now + Duration::from_hours(1)).0
        });
        assert!(count > 100_000, "{count}");
    }

    #[test]
    fn a_restart_counts_nothing_and_success_forgets() {
        let (retries, now) = (Retries::default(), Instant::now());
        assert_eq!(retries.failed(UID, &one(), Some(7), now).0, 7);
        retries.forget(UID);
        assert_eq!(retries.failed(UID, &one(), None, now).0, 1);
        let (count, wait) = retries.failed(UID, &one(), Some(1), now);
        assert!(count == 1 && wait <= Duration::from_millis(1100), "{count} {wait:?}");
        assert_eq!(retries.failed(UID, &one(), Some(1), now + wait).0, 2);
    }

    #[test]
    fn what_begins_to_fail_is_soon_tried_again() {
        let (now, soon) = (Instant::now(), Duration::from_millis(1100));
        for both in [causes(&["network"]), causes(&["network", "quota"])] {
            let retries = Retries::default();
            assert!(retries.failed(UID, &one(), Some(9), now).1 > Duration::from_mins(3));
            let (count, wait) = retries.failed(UID, &both, Some(9), now);
            assert!(count == 10 && wait <= soon, "{count} {wait:?}");
            let (count, again) = retries.failed(UID, &both, Some(10), now + wait);
            assert!(count == 11 && again > soon, "{count} {again:?}");
        }
    }

    #[test]
    fn causes_that_take_turns_wait_as_long_as_one_that_stays() {
        let retries = Retries::default();
        let turns = [causes(&["network"]), one()];
        let mut look = 0;
        let count = looked_at_all_the_time(|before, now| {
            look += 1;
            retries.failed(UID, &turns[look % 2], before, now).0
        });
        assert!((15..60).contains(&count), "{count} attempts in an hour");
    }
}
