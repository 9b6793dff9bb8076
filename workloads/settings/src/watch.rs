//! The handle through which running code sees the newest good settings.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{sync::watch, task::AbortHandle};

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
pub(crate) struct Shared {
    current: ArcSwap<Snapshot>,
    refusal: ArcSwapOption<SettingsError>,
    loaded: AtomicBool,
    changes: watch::Sender<()>,
    /// The task that would wait for events for ever; it ends with the last handle.
    follower: OnceLock<AbortHandle>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.get() {
            follower.abort();
        }
    }
}

impl Settings {
    /// Settings that never change.
    pub fn fixed(snapshot: Snapshot) -> Self {
        Self::with(snapshot, None)
    }

    fn with(snapshot: Snapshot, refusal: Option<SettingsError>) -> Self {
        let loaded = AtomicBool::new(refusal.is_none());
        Self {
            shared: Arc::new(Shared {
                current: ArcSwap::from_pointee(snapshot),
                refusal: ArcSwapOption::from_pointee(refusal),
                loaded,
                changes: watch::Sender::new(()),
                follower: OnceLock::new(),
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

    /// Watches the ConfigMaps of a namespace that are labelled [`crate::cluster::LABEL`], until the last clone of this
    /// handle is gone. Never fails: in a cluster settings may come later, and until they do [`Self::is_loaded`] is false
    /// and nobody may call. Must be called within a tokio runtime.
    #[cfg(feature = "cluster")]
    pub fn watch_cluster(client: kube::Client, namespace: &str) -> Self {
        let (nothing, why) = crate::cluster::nothing_received(namespace);
        let settings = Self::with(nothing, Some(why));
        let following =
            crate::cluster::follow(Arc::downgrade(&settings.shared), client, namespace.to_owned());
        let _ = settings.shared.follower.set(tokio::spawn(following).abort_handle()); // it is new, so it was not set
        settings
    }

    /// Nothing yet, for tests of a source.
    #[cfg(all(test, feature = "cluster"))]
    pub(crate) fn waiting(nothing: Snapshot, why: SettingsError) -> Self {
        Self::with(nothing, Some(why))
    }

    #[cfg(all(test, feature = "cluster"))]
    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// The newest good settings.
    pub fn current(&self) -> Arc<Snapshot> {
        self.shared.current.load_full()
    }

    /// Whether there ever were good settings. Until then [`Self::current`] holds no tenant and [`Self::refusal`] says why.
    pub fn is_loaded(&self) -> bool {
        self.shared.loaded.load(Ordering::Acquire)
    }

    /// Resolves when there are good settings.
    pub async fn loaded(&self) {
        loop {
            let changed = self.changed(); // before the look, so that no change falls between look and wait
            if self.is_loaded() {
                return;
            }
            changed.await;
        }
    }

    /// Why the newest files, or the first of them that is refused, are not in use; `None` while all are.
    pub fn refusal(&self) -> Option<SettingsError> {
        self.refusals().into_iter().next()
    }

    /// Every file whose newest version is not in use, and why; the whole set where it is refused as such.
    pub fn refusals(&self) -> Vec<SettingsError> {
        let whole = self.shared.refusal.load_full().map(|refusal| (*refusal).clone());
        whole.into_iter().chain(self.current().refused.iter().cloned()).collect()
    }

    /// Resolves when another [`Snapshot`] came into use after this call, not only after it is first awaited; so take it
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
                self.take(*outcome);
                interval
            }
        }
    }

    /// Takes in what was read: good settings come into use, bad ones are refused and change nothing.
    pub(crate) fn take(&self, outcome: Result<Snapshot, SettingsError>) {
        match outcome {
            Ok(snapshot) => self.accept(snapshot),
            Err(error) => self.refuse(error),
        }
    }

    fn accept(&self, snapshot: Snapshot) {
        let before = self.refusal.swap(None);
        let current = self.current.load_full();
        let is_first = !self.loaded.load(Ordering::Acquire);
        let same = !is_first && snapshot.version == current.version;
        if !same {
            let (version, tenants) = (&snapshot.version, snapshot.tenants.len());
            tracing::info!(%version, tenants, "other settings are in use");
        } else if before.is_some() {
            tracing::info!(version = %snapshot.version, "the settings in use are whole again");
        }
        tell_refused(&snapshot.refused, &current.refused);
        if same
            && snapshot.refused == current.refused
            && snapshot.resource_version == current.resource_version
        {
            return;
        }
        self.current.store(Arc::new(snapshot));
        self.loaded.store(true, Ordering::Release);
        self.changes.send_replace(());
    }

    fn refuse(&self, error: SettingsError) {
        if self.refusal.load().as_deref() != Some(&error) {
            let SettingsError { file, problem } = &error;
            tracing::warn!(%file, %problem, "settings refused; the last good ones stay in use");
            self.refusal.store(Some(Arc::new(error)));
        }
    }

    /// Says why there are no settings yet; that the source is away for a while is no refusal of what it gave.
    #[cfg(feature = "cluster")]
    pub(crate) fn refuse_unless_loaded(&self, error: SettingsError) {
        if !self.loaded.load(Ordering::Acquire) {
            self.refuse(error);
        }
    }
}

fn tell_refused(now: &[SettingsError], before: &[SettingsError]) {
    for SettingsError { file, problem } in now.iter().filter(|refusal| !before.contains(refusal)) {
        tracing::warn!(%file, %problem, "a file of the settings is refused; its last good version stays in use");
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
