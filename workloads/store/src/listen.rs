//! Notices that some list changed, by LISTEN on a connection of its own, shared by every clone of a store.
//!
//! A notice only makes things faster: LISTEN does not work on hot standbys or through transaction pooling, and a
//! connection can be lost. Whoever waits gives a limit and then asks for the revision.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{sync::watch, task::AbortHandle};

const CHANNEL: &str = "kyb_lists";
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// One store's view of the notices: what it has not yet been told.
#[derive(Debug)]
pub(crate) struct ListNotices {
    shared: Arc<Shared>,
    told: Mutex<watch::Receiver<u64>>,
}

struct Shared {
    options: PgConnectOptions,
    changes: Arc<watch::Sender<u64>>,
    listener: OnceLock<AbortHandle>,
}

/// Without the options, which hold a password.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("listening", &self.listener.get().is_some()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

/// A clone is told again what the original was told.
impl Clone for ListNotices {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), told: Mutex::new(self.told().clone()) }
    }
}

impl ListNotices {
    pub(crate) fn new(pool: &PgPool) -> Self {
        let (changes, told) = watch::channel(0);
        let options = PgConnectOptions::clone(&pool.connect_options());
        let shared = Shared { options, changes: Arc::new(changes), listener: OnceLock::new() };
        Self { shared: Arc::new(shared), told: Mutex::new(told) }
    }

    /// Resolves at the next change that this store was not told of yet, or after `at_most`. The first call begins to listen.
    pub(crate) async fn changed(&self, at_most: Duration) {
        self.shared.listener.get_or_init(|| {
            let listener = listen(self.shared.options.clone(), Arc::clone(&self.shared.changes));
            tokio::spawn(listener).abort_handle()
        });
        let mut told = self.told().clone();
        if tokio::time::timeout(at_most, told.changed()).await.is_ok() {
            *self.told() = told;
        }
    }

    pub(crate) fn stop(&self) {
        if let Some(listener) = self.shared.listener.get() {
            listener.abort();
        }
    }

    fn told(&self) -> MutexGuard<'_, watch::Receiver<u64>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens for ever, with pauses that grow while the database can't be reached.
async fn listen(options: PgConnectOptions, changes: Arc<watch::Sender<u64>>) {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(options);
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Err(error) = listen_once(&pool, &changes, &mut pause).await {
            tracing::info!(%error, ?pause, "not listening for list changes; they are noticed at the next poll");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn listen_once(
    pool: &PgPool,
    changes: &watch::Sender<u64>,
    pause: &mut Duration,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Also once at the beginning and after a lost connection (`None`): something may have been missed.
        changes.send_modify(|count| *count = count.wrapping_add(1));
        *pause = SHORTEST_PAUSE;
        listener.try_recv().await?;
    }
}
