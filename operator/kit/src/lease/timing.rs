//! How long a lease lasts, and how soon before its end its holder stops.

use std::time::Duration;

/// The spans of a lease. [`Timing::check`] says which make sense together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For how long others leave an unchanged Lease to its holder: whole seconds, as the Lease says it.
    pub duration: Duration,
    /// So long before `duration` is over, counted from before the renewal was sent, the holder stops writing.
    pub margin: Duration,
    /// After this long a request is given up. It must fit into the margin.
    pub request_timeout: Duration,
    /// How often the holder renews.
    pub renew_every: Duration,
    /// How often the others look, and how soon a failed request is tried again.
    pub retry_every: Duration,
}

impl Default for Timing {
    /// 15 s, of which the last 5 s nobody uses; renewed every 3 s.
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            margin: Duration::from_secs(5),
            request_timeout: Duration::from_secs(4),
            renew_every: Duration::from_secs(3),
            retry_every: Duration::from_secs(2),
        }
    }
}

/// Why spans make no safe lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A Lease can't say it.
    #[error("a lease lasts a whole number of seconds, from 1 to a day, not {0:?}")]
    Duration(Duration),
    /// A request sent in the last moment could still be under way when somebody else takes over.
    #[error(
        "the margin of {margin:?} is too short: it must be at least the request timeout plus a twentieth of the duration, {least:?}"
    )]
    Margin {
        /// The margin.
        margin: Duration,
        /// The shortest that is safe.
        least: Duration,
    },
    /// One slow renewal would end the hold.
    #[error(
        "renew more often than every {0:?}: two renewals and their timeouts must fit into duration − margin"
    )]
    Renewal(Duration),
}

impl Timing {
    /// Whether the spans are safe together: the margin covers a request and clocks whose rates differ by up to a
    /// twentieth; and one renewal may fail without the hold ending.
    pub fn check(self) -> Result<Self, TimingError> {
        let day = Duration::from_hours(24);
        if self.duration.subsec_nanos() != 0 || self.duration.is_zero() || self.duration > day {
            return Err(TimingError::Duration(self.duration));
        }
        let least = self.request_timeout + self.duration / 20;
        if self.margin < least {
            return Err(TimingError::Margin { margin: self.margin, least });
        }
        if self.renew_every + self.request_timeout + self.retry_every
            > self.duration.saturating_sub(self.margin)
        {
            return Err(TimingError::Renewal(self.renew_every));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_safe_and_shorter_margins_are_not() {
        let timing = Timing::default();
        assert_eq!(timing.check(), Ok(timing));
        let short = Timing { margin: timing.request_timeout, ..timing };
        assert!(matches!(short.check(), Err(TimingError::Margin { .. })));
    }

    #[test]
    fn a_lease_that_one_failure_would_end_is_refused() {
        let seldom = Timing { renew_every: Duration::from_secs(6), ..Timing::default() };
        assert_eq!(seldom.check(), Err(TimingError::Renewal(seldom.renew_every)));
    }

    #[test]
    fn a_duration_that_a_lease_can_not_say_is_refused() {
        for duration in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(86_401)] {
            let timing = Timing { duration, ..Timing::default() };
            assert_eq!(timing.check(), Err(TimingError::Duration(duration)));
        }
    }
}
