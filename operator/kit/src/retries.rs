//! Which look at a failing object is the next attempt, and which is not: an object is looked at whenever anything changes, its own
//! status included, so counting every look would let a failure feed itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Backoff;

/// When each failing object is due, by its uid. The counts themselves live in the objects' status.
#[derive(Debug, Default)]
pub struct Retries {
    backoff: Backoff,
    due: Mutex<HashMap<String, Instant>>,
}

impl Retries {
    /// How many attempts in a row have failed now, and when to make the next one. `before` is the count in the object's status. A
    /// look before its time counts nothing, nor does the first one of this process: the attempt before it was another's.
    pub fn failed(&self, uid: &str, before: Option<i32>, now: Instant) -> (i32, Duration) {
        let mut all = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.unwrap_or(0).max(0);
        let failures = match all.get(uid) {
            Some(due) if *due > now => return (before.max(1), *due - now),
            Some(_) => before.saturating_add(1),
            None => before.max(1),
        };
        let wait = self.backoff.after(u32::try_from(failures).unwrap_or(1), uid);
        all.insert(uid.to_owned(), now + wait);
        (failures, wait)
    }

    /// Nothing is wrong with the object, or it is gone.
    pub fn forget(&self, uid: &str) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "8a2f";

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
        let count = looked_at_all_the_time(|before, now| retries.failed(UID, before, now).0);
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
            retries.failed(UID, before, now);
            retries.failed(UID, before, now + Duration::from_hours(1)).0
        });
        assert!(count > 100_000, "{count}");
    }

    #[test]
    fn a_restart_counts_nothing_and_success_forgets() {
        let (retries, now) = (Retries::default(), Instant::now());
        assert_eq!(retries.failed(UID, Some(7), now).0, 7);
        retries.forget(UID);
        assert_eq!(retries.failed(UID, None, now).0, 1);
        let (count, wait) = retries.failed(UID, Some(1), now);
        assert!(count == 1 && wait <= Duration::from_millis(1100), "{count} {wait:?}");
        assert_eq!(retries.failed(UID, Some(1), now + wait).0, 2);
    }
}
