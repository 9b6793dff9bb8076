//! The task that keeps the lists in use equal to those that the store holds as active.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Utc;
use kyb_domain::list::{ListId, ListState, ListVersion, Watchlist};
use kyb_lists::{Published, SourceFile};
use kyb_screening::Screener;
use kyb_settings::{ListSettings, Settings};
use kyb_store::{Store, StoreError, lists::ListRow};
use kyb_telemetry::Metrics;
use kyb_verification::Watchlists;
use tokio_util::sync::CancellationToken;

use crate::{
    LiveWatchlists,
    freshness::{self, Known},
};

/// How long a lost notice can delay a swap, and how soon a list that grew too old is called stale.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is in use before anything was loaded: every wanted list missing.
pub(crate) fn nothing_loaded(wanted: &[ListSettings]) -> Watchlists {
    let missing = |list: &ListSettings| {
        freshness::state(&Known { wanted: list, row: None, loaded: None, load_error: None }, Utc::now())
    };
    Watchlists { screener: Arc::new(Screener::build(&[])), states: wanted.iter().map(missing).collect() }
}

/// What the follower knows between two looks.
pub(crate) struct Follower {
    store: Store,
    settings: Settings,
    metrics: Metrics,
    live: LiveWatchlists,
    /// The store's list revision that `rows` stand for; `None` until it was reached.
    revision: Option<i64>,
    rows: BTreeMap<ListId, ListRow>,
    loaded: BTreeMap<ListId, Arc<Watchlist>>,
    load_errors: BTreeMap<ListId, String>,
}

impl Follower {
    pub(crate) fn new(store: Store, settings: Settings, metrics: Metrics, live: LiveWatchlists) -> Self {
        let (rows, loaded, load_errors) = Default::default();
        Self { store, settings, metrics, live, revision: None, rows, loaded, load_errors }
    }

    /// Looks whenever the store gives notice, the settings change, or [`LOOK_EVERY`] has passed.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let (store, settings) = (self.store.clone(), self.settings.clone());
        loop {
            // Before the look, so that no change falls between look and wait.
            let changed = settings.changed();
            if stop.run_until_cancelled(self.look()).await.is_none() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = store.lists_changed(LOOK_EVERY) => {}
                () = changed => {}
            }
        }
    }

    async fn look(&mut self) {
        let snapshot = self.settings.current();
        let wanted = &snapshot.platform.lists;
        if let Err(error) = self.read_rows().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "can't ask for list versions; those in use stay"
            );
        }
        let mut changed = self.forget_unwanted(wanted);
        for list in wanted {
            changed |= self.load(&list.id).await;
        }
        self.publish(wanted, changed).await;
        self.metrics.active_tenants(snapshot.tenants.len());
        self.metrics.settings_refused(self.settings.refusal().is_some());
    }

    /// Reads the rows again if the store's revision moved on.
    async fn read_rows(&mut self) -> Result<(), StoreError> {
        let revision = self.store.lists_revision().await?;
        if self.revision != Some(revision) {
            self.rows =
                self.store.list_rows().await?.into_iter().map(|row| (row.list.clone(), row)).collect();
            self.revision = Some(revision);
        }
        Ok(())
    }

    fn forget_unwanted(&mut self, wanted: &[ListSettings]) -> bool {
        let before = self.loaded.len();
        self.loaded.retain(|id, _| wanted.iter().any(|list| list.id == *id));
        self.loaded.len() != before
    }

    /// Loads the active version of a list unless it is loaded already. Whether another version is loaded now.
    async fn load(&mut self, id: &ListId) -> bool {
        let Some(active) = self.rows.get(id).and_then(|row| row.active.clone()) else {
            return false;
        };
        if self.loaded.get(id).is_some_and(|list| list.version == active) {
            self.load_errors.remove(id);
            return false;
        }
        match read(&self.store, &active).await {
            Ok(list) => {
                tracing::info!(list = %id, version = active.label(), entries = active.entries, "loaded a list");
                self.loaded.insert(id.clone(), Arc::new(list));
                self.load_errors.remove(id);
                true
            }
            Err(why) => {
                if self.load_errors.insert(id.clone(), why.clone()).as_ref() != Some(&why) {
                    tracing::error!(list = %id, version = active.label(), why, "can't load the active version");
                }
                false
            }
        }
    }

    /// Swaps in a new index if a list changed, or the same index with new states if only those did.
    async fn publish(&self, wanted: &[ListSettings], changed: bool) {
        let states = self.states(wanted);
        self.metrics.watchlists(&states, Utc::now());
        let current = self.live.current();
        let screener = if changed {
            let lists: Vec<_> = self.loaded.values().cloned().collect();
            let before = current.screener.clone();
            match tokio::task::spawn_blocking(move || before.rebuilt(&lists)).await {
                Ok(screener) => Arc::new(screener),
                Err(_) => return, // the runtime is shutting down
            }
        } else {
            current.screener.clone()
        };
        if changed || states != current.states {
            self.live.swap(Watchlists { screener, states });
        }
    }

    fn states(&self, wanted: &[ListSettings]) -> Vec<ListState> {
        let now = Utc::now();
        let known = |list| Known {
            wanted: list,
            row: self.rows.get(&list.id),
            loaded: self.loaded.get(&list.id).map(|watchlist| &watchlist.version),
            load_error: self.load_errors.get(&list.id).map(String::as_str),
        };
        wanted.iter().map(|list| freshness::state(&known(list), now)).collect()
    }
}

/// Reads a stored version and makes sure that it is the one that was asked for.
pub async fn read(store: &Store, version: &ListVersion) -> Result<Watchlist, String> {
    let files = store.list_files(&version.list, &version.sha256).await.map_err(|error| error.to_string())?;
    let files = files.ok_or_else(|| format!("version {} has no stored files", version.label()))?;
    let version = version.clone();
    let parse = move || {
        let files: Vec<_> = files.into_iter().map(|f| SourceFile { name: f.name, bytes: f.bytes }).collect();
        let published = Published { date: version.published, by: version.published_by };
        let parsed =
            kyb_lists::parse(&version.list, version.format, &files, published).map_err(|e| e.to_string())?;
        let read = &parsed.watchlist.version;
        if read.sha256 != version.sha256 {
            return Err(format!("its content has SHA-256 {} instead of {}", read.sha256, version.sha256));
        }
        Ok(Watchlist { version, ..parsed.watchlist })
    };
    tokio::task::spawn_blocking(parse).await.map_err(|error| error.to_string())?
}
