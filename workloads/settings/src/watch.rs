//! The handle through which running code sees the newest good settings.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use crate::{
    SettingsError, Snapshot,
    source::{Folder, Look},
};

/// The newest good settings and what became of the last attempt to load some. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Settings {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Snapshot>,
    refusal: ArcSwapOption<SettingsError>,
    changes: watch::Sender<()>,
}

impl Settings {
    /// Settings that never change.
    pub fn fixed(snapshot: Snapshot) -> Self {
        let current = ArcSwap::from_pointee(snapshot);
        Self {
            shared: Arc::new(Shared {
                current,
                refusal: ArcSwapOption::empty(),
                changes: watch::Sender::new(()),
            }),
        }
    }

    /// Reads a folder and goes on watching it, looking every `interval`, until the last clone of this handle is gone;
    /// fails only if the first reading fails. Must be called within a tokio runtime.
    pub fn watch(folder: &Path, interval: Duration) -> Result<Self, SettingsError> {
        let mut source = Folder::new(folder);
        let settings = Self::fixed(source.read()?);
        tokio::spawn(follow(Arc::downgrade(&settings.shared), source, folder.to_owned(), interval));
        Ok(settings)
    }

    /// The newest good settings.
    pub fn current(&self) -> Arc<Snapshot> {
        self.shared.current.load_full()
    }

    /// Why the newest files were refused; `None` while they are in use.
    pub fn refusal(&self) -> Option<SettingsError> {
        self.shared.refusal.load_full().map(|refusal| (*refusal).clone())
    }

    /// Resolves when other settings came into use after this call, not only after it is first awaited; so take it
    /// before [`Self::current`] and no change is missed.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = self.shared.changes.subscribe();
        async move {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await; // nobody is left who could change them
            }
        }
    }
}

/// After a look that took long the next one waits this many times as long, so that a huge folder can't keep a core busy.
const IDLE_SHARE: u32 = 4;
/// A folder that is being written is looked at this many times as often.
const WHILE_WRITTEN: u32 = 5;

impl Shared {
    /// What to do after a look: take in what was read. Gives the time until the next look.
    fn after(&self, look: Look, interval: Duration) -> Duration {
        match look {
            Look::Unchanged => interval,
            Look::Unsettled => interval / WHILE_WRITTEN,
            Look::Read(outcome) => {
                self.take(outcome);
                interval
            }
        }
    }

    /// Takes in what was read: good settings come into use, bad ones are refused and change nothing.
    fn take(&self, outcome: Result<Snapshot, SettingsError>) {
        match outcome {
            Ok(snapshot) => self.accept(snapshot),
            Err(error) => self.refuse(error),
        }
    }

    fn accept(&self, snapshot: Snapshot) {
        let before = self.refusal.swap(None);
        if snapshot.version != self.current.load().version {
            let (version, tenants) = (&snapshot.version, snapshot.tenants.len());
            tracing::info!(%version, tenants, "other settings are in use");
            self.current.store(Arc::new(snapshot));
            self.changes.send_replace(());
        } else if before.is_some() {
            tracing::info!(version = %snapshot.version, "the settings in use are whole again");
        }
    }

    fn refuse(&self, error: SettingsError) {
        if self.refusal.load().as_deref() != Some(&error) {
            let SettingsError { file, problem } = &error;
            tracing::warn!(%file, %problem, "settings refused; the last good ones stay in use");
            self.refusal.store(Some(Arc::new(error)));
        }
    }
}

/// Looks again and again, off the threads that serve requests.
async fn follow(shared: Weak<Shared>, mut source: Folder, folder: PathBuf, interval: Duration) {
    let mut pause = interval;
    loop {
        tokio::time::sleep(pause).await;
        let looking = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            (source.look(), started.elapsed(), source)
        });
        let looked = looking.await;
        let Some(shared) = shared.upgrade() else { return };
        (source, pause) = match looked {
            Ok((look, took, source)) => (source, shared.after(look, interval).max(took * IDLE_SHARE)),
            Err(stopped) if stopped.is_cancelled() => return,
            Err(_) => {
                shared.refuse(SettingsError::new(
                    "the settings' folder",
                    "reading it failed by a mistake of ours; report it",
                ));
                (Folder::new(&folder), interval)
            }
        };
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
