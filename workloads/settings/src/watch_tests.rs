use super::*;

fn snapshot(version: &str) -> Snapshot {
    Snapshot { version: version.into(), ..Snapshot::default() }
}

fn refusal() -> SettingsError {
    SettingsError::new("tenant-acme.yaml", "rate_limit: burst must be 1 to 1000000")
}

/// Whether the last good settings stay while `take` is what becomes of a bad reading, and come back without a trace.
fn the_last_good_ones_stay(take: impl Fn(&Shared, Result<Snapshot, SettingsError>)) -> bool {
    let settings = Settings::fixed(snapshot("good"));
    take(&settings.shared, Err(refusal()));
    let stayed = settings.current().version == "good" && settings.refusal() == Some(refusal());
    take(&settings.shared, Ok(snapshot("better")));
    stayed && settings.current().version == "better" && settings.refusal().is_none()
}

#[test]
fn the_last_good_settings_stay_while_newer_ones_are_refused() {
    assert!(the_last_good_ones_stay(Shared::take));
}

#[test]
fn without_the_refusal_bad_settings_would_empty_the_house() {
    assert!(!the_last_good_ones_stay(|shared, outcome| {
        shared.current.store(Arc::new(outcome.unwrap_or_default()));
    }));
}

#[tokio::test]
async fn a_change_between_the_call_and_the_wait_is_not_missed() {
    let settings = Settings::fixed(snapshot("one"));
    let changed = settings.changed();
    settings.shared.take(Ok(snapshot("two")));
    changed.await;
}

#[tokio::test]
async fn the_same_settings_and_refused_ones_are_no_change() {
    let settings = Settings::fixed(snapshot("one"));
    let mut changed = std::pin::pin!(settings.changed());
    settings.shared.take(Ok(snapshot("one")));
    settings.shared.take(Err(refusal()));
    let poll = std::future::poll_fn(|context| std::task::Poll::Ready(changed.as_mut().poll(context)));
    assert!(poll.await.is_pending());
}
