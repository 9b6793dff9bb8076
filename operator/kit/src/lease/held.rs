//! Whether the lease is ours at this very moment; asked before every write.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// Whether the lease is ours. Cheap to clone; all clones see the same.
#[derive(Debug, Clone)]
pub struct Held(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    until: watch::Sender<Option<Until>>,
    lost: CancellationToken,
    /// Writes that were let through and have not been answered.
    under_way: watch::Sender<usize>,
    /// When the last write that nobody waits for any more can have no effect any more.
    abandoned: Mutex<Option<Instant>>,
}

/// The end of a hold. Whichever clock comes first counts: the wall clock goes on while the machine sleeps.
#[derive(Debug, Clone, Copy)]
enum Until {
    Never,
    At { monotonic: Instant, wall: SystemTime },
}

impl Held {
    /// Not ours yet.
    pub fn nothing() -> Self {
        Self(Arc::new(Inner {
            until: watch::Sender::new(None),
            lost: CancellationToken::new(),
            under_way: watch::Sender::new(0),
            abandoned: Mutex::new(None),
        }))
    }

    /// Always ours, for a program that runs alone, such as a test.
    pub fn always() -> Self {
        let held = Self::nothing();
        held.0.until.send_replace(Some(Until::Never));
        held
    }

    /// Whether a write may be sent now.
    pub fn still_held(&self) -> bool {
        match *self.0.until.borrow() {
            None => false,
            Some(Until::Never) => true,
            Some(Until::At { monotonic, wall }) => Instant::now() < monotonic && SystemTime::now() < wall,
        }
    }

    /// Waits until the lease is ours.
    pub async fn acquired(&self) {
        // The sender is ours, so it is never gone.
        let _ = self.0.until.subscribe().wait_for(Option::is_some).await;
    }

    /// Fires when the lease is lost or given up; the process should end then, with an error unless it was asked to stop.
    pub fn lost(&self) -> CancellationToken {
        self.0.lost.clone()
    }

    /// The lease is ours until this moment.
    pub(super) fn extend(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let until = Until::At { monotonic: until, wall: SystemTime::now() + left };
        self.0.until.send_replace(Some(until));
    }

    /// The lease is not ours any more, and will not be again.
    pub(super) fn end(&self) {
        self.0.until.send_replace(None);
        self.0.lost.cancel();
    }

    /// Lets one write through, if the lease is ours. When nobody waits for it any more, it has `limit` left to have an
    /// effect.
    pub(super) fn pass(&self, limit: Duration) -> Option<Pass> {
        // Counted first: whoever waits for quiet sees either this write or that it was refused.
        self.0.under_way.send_modify(|writes| *writes += 1);
        let pass = Pass { held: self.clone(), limit, is_answered: false };
        self.still_held().then_some(pass)
    }

    /// Waits until no write that was let through can have an effect any more.
    pub(super) async fn quiet(&self) {
        let _ = self.0.under_way.subscribe().wait_for(|writes| *writes == 0).await;
        let abandoned = *self.0.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = abandoned {
            tokio::time::sleep_until(end).await;
        }
    }
}

/// A write that was let through.
#[derive(Debug)]
pub(super) struct Pass {
    held: Held,
    limit: Duration,
    is_answered: bool,
}

impl Pass {
    /// The server answered: whatever the write did, it has done.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.is_answered {
            let mut abandoned = self.held.0.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
            *abandoned = abandoned.max(Some(Instant::now() + self.limit));
        }
        self.held.0.under_way.send_modify(|writes| *writes -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_hold_ends_by_itself() {
        let held = Held::nothing();
        assert!(!held.still_held() && held.acquired().now_or_never().is_none());
        held.extend(Instant::now() + SECOND);
        assert!(held.still_held() && held.acquired().now_or_never().is_some());
        tokio::time::advance(SECOND).await;
        assert!(!held.still_held() && held.pass(SECOND).is_none());
        assert!(!held.lost().is_cancelled(), "that is for the election to say");
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_does_not_hold_on() {
        let held = Held::nothing();
        let monotonic = Instant::now() + SECOND;
        held.0.until.send_replace(Some(Until::At { monotonic, wall: SystemTime::now() - SECOND }));
        assert!(!held.still_held());
    }

    #[tokio::test(start_paused = true)]
    async fn what_ended_is_lost_for_good() {
        let held = Held::nothing();
        held.extend(Instant::now() + SECOND);
        held.end();
        assert!(!held.still_held() && held.lost().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_waits_for_answers_and_for_what_was_given_up() {
        let held = Held::always();
        let (answered, dropped) = (held.pass(SECOND).unwrap(), held.pass(5 * SECOND).unwrap());
        assert!(held.quiet().now_or_never().is_none());
        answered.answered();
        tokio::time::advance(3 * SECOND).await; // it may have left us only now
        drop(dropped);
        let start = Instant::now();
        held.quiet().await;
        assert_eq!(start.elapsed(), 5 * SECOND);
        held.quiet().now_or_never().unwrap();
    }
}
