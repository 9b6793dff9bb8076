//! Waiting for a condition instead of sleeping for a guess.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until `look` yields a value; fails with the last reason why not once `at_most` has passed.
pub async fn until<T, F, L>(what: &str, at_most: Duration, mut look: L) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
    L: FnMut() -> F,
{
    let end = Instant::now() + at_most;
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(why) if Instant::now() >= end => {
                return Err(why.context(format!("waited {at_most:?} for {what} in vain")));
            }
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
