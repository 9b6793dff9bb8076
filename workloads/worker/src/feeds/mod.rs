//! Keeps every wanted list fresh: one task a list, so that a slow publisher delays no other.

pub mod accept;
pub mod fetch;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use kyb_settings::{ListSettings, ListSource, Settings};
use kyb_store::{
    Store, StoreError,
    lists::{ListRow, StoredFile},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use accept::Refused;
use fetch::{Client, FetchError, Fetched};

/// How soon a list is tried again after a failure, at most; a shorter `refresh` wins.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// How often the store is asked whether somebody else refreshed a list meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a refresh did not happen.
#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Folder(#[from] kyb_lists::ListError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refreshes the lists that the settings want, until `stop`. When other lists are wanted the tasks begin anew; other changes
/// of the settings, such as a new tenant, must not break off a download.
pub async fn keep_fresh(client: Client, store: Store, settings: Settings, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wanted = settings.current().platform.lists.clone();
        let mut feeds = JoinSet::new();
        for list in wanted.clone() {
            feeds.spawn(Feed { client: client.clone(), store: store.clone(), list }.run());
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = other_lists(&settings, &wanted) => {}
        }
        feeds.shutdown().await; // safe at any point: a version is activated in one transaction
    }
}

/// Resolves when other lists are wanted than these.
async fn other_lists(settings: &Settings, wanted: &[ListSettings]) {
    loop {
        let changed = settings.changed(); // before `current`, so that no change falls between the two
        if settings.current().platform.lists != wanted {
            return;
        }
        changed.await;
    }
}

/// One list and its source.
struct Feed {
    client: Client,
    store: Store,
    list: ListSettings,
}

impl Feed {
    async fn run(self) {
        let mut last_attempt = None;
        loop {
            if let Ok(row) = self.row().await
                && is_due(&self.list, row.as_ref(), last_attempt, Utc::now())
            {
                last_attempt = Some(Utc::now());
                self.refresh_and_note(row).await;
            }
            tokio::time::sleep(LOOK_EVERY.min(self.list.refresh)).await;
        }
    }

    async fn row(&self) -> Result<Option<ListRow>, StoreError> {
        let rows = self.store.list_rows().await?;
        Ok(rows.into_iter().find(|row| row.list == self.list.id))
    }

    /// Refreshes, and notes a failure in the store, where gateways see it.
    async fn refresh_and_note(&self, row: Option<ListRow>) {
        let Err(error) = self.refresh(row).await else { return };
        let why = chain(&error);
        tracing::warn!(list = %self.list.id, why, "can't refresh a list; the last good version stays");
        if let Err(error) = self.store.list_failed(&self.list.id, &why, Utc::now()).await {
            tracing::warn!(list = %self.list.id, error = &error as &dyn std::error::Error, "can't note the failure");
        }
    }

    async fn refresh(&self, row: Option<ListRow>) -> Result<(), RefreshError> {
        let fetched = self.fetch(row.as_ref()).await?;
        let Fetched::Files { files, published, validators } = fetched else {
            return Ok(self.store.list_unchanged(&self.list.id, Utc::now()).await?);
        };
        let active = row.and_then(|row| row.active);
        let accepted = accept::accept(&self.list, files, published, active.as_ref()).await?;
        let (version, files) = (accepted.version, accepted.files);
        tracing::info!(list = %self.list.id, version = version.label(), entries = version.entries, "read a list");
        Ok(self.store.activate_list(&version, &files, validators.as_ref(), Utc::now()).await?)
    }

    async fn fetch(&self, row: Option<&ListRow>) -> Result<Fetched, RefreshError> {
        match &self.list.source {
            ListSource::Directory(folder) => {
                let (folder, list, format) = (folder.clone(), self.list.id.clone(), self.list.format);
                let read = move || fetch::from_folder(&folder, &list, format);
                Ok(tokio::task::spawn_blocking(read).await.map_err(|_| FetchError::Stopped)??)
            }
            ListSource::Urls(urls) => {
                let stored = self.stored_files(row).await?;
                let validators = row.and_then(|row| row.validators.as_ref());
                Ok(self.client.download(urls, validators, &stored).await?)
            }
        }
    }

    /// The files of the active version, by name: what a `304 Not Modified` refers to.
    async fn stored_files(&self, row: Option<&ListRow>) -> Result<BTreeMap<String, StoredFile>, StoreError> {
        let Some(active) = row.and_then(|row| row.active.as_ref()) else { return Ok(BTreeMap::new()) };
        let files = self.store.list_files(&self.list.id, &active.sha256).await?.unwrap_or_default();
        Ok(files.into_iter().map(|file| (file.name.clone(), file)).collect())
    }
}

/// Whether a list should be read now: nobody read it within `refresh`, and we did not just fail to.
fn is_due(
    list: &ListSettings,
    row: Option<&ListRow>,
    last_attempt: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    let passed = |since: Option<DateTime<Utc>>, span: Duration| {
        since.is_none_or(|since| now - since >= TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX))
    };
    let failed = row.is_some_and(|row| row.last_error.is_some());
    let read_lately = !failed && !passed(row.and_then(|row| row.checked_at), list.refresh);
    !read_lately && passed(last_attempt, list.refresh.min(RETRY_AFTER))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

#[cfg(test)]
mod tests {
    use kyb_domain::list::ListFormat;

    use super::*;

    const NOON: &str = "2026-01-02T12:00:00Z";

    fn hourly() -> ListSettings {
        ListSettings {
            id: "ofac-sdn".parse().unwrap(),
            format: ListFormat::OfacCsv,
            source: ListSource::Urls(vec![]),
            refresh: Duration::from_hours(1),
            max_age: Duration::from_hours(24),
            accept_shrink: None,
        }
    }

    fn row(checked_at: Option<&str>, last_error: Option<&str>) -> ListRow {
        ListRow {
            list: "ofac-sdn".parse().unwrap(),
            active: None,
            checked_at: checked_at.map(|at| at.parse().unwrap()),
            last_error: last_error.map(str::to_owned),
            validators: None,
        }
    }

    fn due_at_noon(row: Option<&ListRow>, last_attempt: Option<&str>) -> bool {
        is_due(&hourly(), row, last_attempt.map(|at| at.parse().unwrap()), NOON.parse().unwrap())
    }

    #[test]
    fn a_list_is_read_at_once_when_nobody_ever_did() {
        assert!(due_at_noon(None, None));
        assert!(due_at_noon(Some(&row(None, None)), None));
    }

    #[test]
    fn a_list_that_another_worker_read_within_the_hour_is_left_alone() {
        assert!(!due_at_noon(Some(&row(Some("2026-01-02T11:00:01Z"), None)), None));
        assert!(due_at_noon(Some(&row(Some("2026-01-02T11:00:00Z"), None)), None));
    }

    #[test]
    fn a_failure_is_repeated_after_a_minute_and_not_before() {
        let failed = row(Some("2026-01-02T11:58:00Z"), Some("HTTP 500"));
        assert!(due_at_noon(Some(&failed), None), "a new worker tries at once");
        assert!(!due_at_noon(Some(&failed), Some("2026-01-02T11:59:01Z")));
        assert!(due_at_noon(Some(&failed), Some("2026-01-02T11:59:00Z")));
    }
}
