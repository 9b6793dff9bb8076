//! Waiting for what another process does.

use std::time::{Duration, Instant};

use crate::error::{LabError, Result};

/// Between two looks, so that looking does not slow down what is waited for.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks again and again until it is so. A look says `Ok(Ok(value))` when it is, `Ok(Err(what it saw))` while it is not yet, and
/// `Err` when it never will be.
pub(crate) async fn until<T>(
    what: &str,
    at_most: Duration,
    mut look: impl AsyncFnMut() -> Result<std::result::Result<T, String>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        match look().await? {
            Ok(value) => return Ok(value),
            Err(last) if started.elapsed() > at_most => {
                return Err(LabError::TimedOut { what: what.into(), after: at_most, last });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
