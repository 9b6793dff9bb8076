//! When to try again after a failure. The count of failures lives in the object's status, so it survives a restart.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// Waits that double with each failure in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure, before jitter.
    pub first: Duration,
    /// The longest wait, before jitter.
    pub cap: Duration,
}

impl Backoff {
    /// How long to wait after `failures` failures in a row (0 is taken as 1). It lies within a tenth of the doubled wait;
    /// where in it depends on `of` alone (an object's uid, say) and on the count, so that objects which failed together
    /// do not come back together, and the same input always gives the same wait.
    pub fn after(&self, failures: u32, of: &str) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self.first.saturating_mul(1 << doublings).min(self.cap);
        wait.saturating_mul(900 + jitter(failures, of)) / 1000
    }
}

impl Default for Backoff {
    /// 1 s doubling up to 5 min.
    fn default() -> Self {
        Self { first: Duration::from_secs(1), cap: Duration::from_mins(5) }
    }
}

/// 0 to 200, evenly spread.
fn jitter(failures: u32, of: &str) -> u32 {
    let digest = Sha256::new().chain_update(failures.to_be_bytes()).chain_update(of).finalize();
    u32::from(u16::from_be_bytes([digest[0], digest[1]])) % 201
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_near_the_doubled_first_and_never_far_above_the_cap(failures in 0u32.., of in ".{0,40}") {
            let backoff = Backoff { first: Duration::from_secs(1), cap: Duration::from_mins(5) };
            let plain = Duration::from_secs(1u64 << failures.saturating_sub(1).min(20)).min(backoff.cap);
            let wait = backoff.after(failures, &of);
            prop_assert!(wait >= plain.mul_f64(0.899) && wait <= plain.mul_f64(1.101), "{wait:?} for {plain:?}");
            prop_assert_eq!(wait, backoff.after(failures, &of));
        }
    }

    #[test]
    fn objects_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<_> =
            (0..100).map(|object| Backoff::default().after(5, &object.to_string())).collect();
        assert!(waits.len() > 60, "{} different waits of 100", waits.len());
    }
}
