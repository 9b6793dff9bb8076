//! Watches that go on, whatever ends them.

use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::runtime::{
    WatchStreamExt as _,
    watcher::{Error, Event},
};

/// Before what has expired is listed anew: enough that a server which expires everything at once is not asked without end.
const EXPIRED: Duration = Duration::from_millis(250);

/// A watch that is tried again after each error. Most errors are signs of trouble, and the waits between tries grow, from 0.8 to 30 s and
/// as much again by chance. That the server no longer knows the version to go on from (410 Gone) is none, and nothing is known of the
/// kind until it is listed anew: this takes a moment, however often it happens, and is not passed on
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses>).
pub fn unbroken<K>(
    events: impl Stream<Item = Result<Event<K>, Error>> + Send,
) -> impl Stream<Item = Result<Event<K>, Error>> + Send
where
    K: Send,
{
    let events = events.map(|event| match event {
        Err(error) if is_expired(&error) => Ok(None),
        event => event.map(Some),
    });
    events.default_backoff().filter_map(async |event| match event.transpose() {
        None => {
            tracing::debug!("a watch has expired; listing anew");
            tokio::time::sleep(EXPIRED).await;
            None
        }
        some => some,
    })
}

/// The server says so within the answer to a watch.
fn is_expired(error: &Error) -> bool {
    matches!(error, Error::WatchError(status) if status.code == 410)
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::core::Status;
    use tokio::time::Instant;

    use super::*;

    fn ends(code: u16, times: usize) -> impl Stream<Item = Result<Event<ConfigMap>, Error>> + Send {
        let end = move || Err(Error::WatchError(Box::new(Status::failure("over", "Over").with_code(code))));
        stream::iter((0..times).map(move |_| end())).chain(stream::iter([Ok(Event::Init)]))
    }

    /// How long it takes until a list begins, and how many errors came before it.
    async fn until_listed(
        events: impl Stream<Item = Result<Event<ConfigMap>, Error>> + Send,
    ) -> (Duration, usize) {
        let began = Instant::now();
        let errors = events.take_while(|event| std::future::ready(event.is_err())).count().await;
        (began.elapsed(), errors)
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_expired_is_listed_anew_within_a_moment_however_often() {
        let (took, errors) = until_listed(unbroken(ends(410, 20))).await;
        assert!(took <= Duration::from_secs(6) && errors == 0, "{took:?}, {errors} errors");
        let (took, _) = until_listed(ends(410, 20).default_backoff()).await;
        assert!(took > Duration::from_mins(2), "without it nothing would be known of the kind for {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_other_errors_the_waits_grow() {
        let (took, errors) = until_listed(unbroken(ends(500, 20))).await;
        assert!(took > Duration::from_mins(2) && errors == 20, "{took:?}, {errors} errors");
    }
}
