//! The live engines that gateway and worker share: the active watchlists, loaded, indexed and swapped as one.
//!
//! ```text
//! store: lists_revision ──► changed? ──► list_rows ──► list_files ──► kyb_lists::parse ──► Screener::rebuilt ──► swap
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`freshness`] | which state a wanted list is in; pure, takes `now` |
//! | [`follow`] | the task that keeps what is in use equal to what the store holds as active |
//!
//! Where it can fail: the store can't be reached, or a stored version can't be read. In both cases what is in use stays in
//! use, and its state says why it is not fresh.

pub mod follow;
pub mod freshness;

pub use follow::read as read_version;

use std::sync::Arc;

use arc_swap::ArcSwap;
use kyb_settings::{Settings, Tenant};
use kyb_store::Store;
use kyb_telemetry::Metrics;
use kyb_verification::{ScreeningOptions, Watchlists};
use tokio_util::sync::CancellationToken;

/// How a tenant wants its verifications screened.
pub fn screening_options(tenant: &Tenant) -> ScreeningOptions {
    ScreeningOptions { lists: tenant.lists.clone(), threshold: tenant.threshold, limit: None }
}

/// The watchlists as they stand now; swapped as a whole when a version or its freshness changes. Cheap to clone.
#[derive(Clone)]
pub struct LiveWatchlists {
    current: Arc<ArcSwap<Watchlists>>,
}

impl LiveWatchlists {
    /// Lists that never change by themselves, such as those of the command line.
    pub fn fixed(watchlists: Watchlists) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(watchlists)) }
    }

    /// Follows the store until `stop`: loads what is active beside what is in use, then swaps. Starts with every wanted list
    /// missing, so that nothing asked before the first load can come out as `no_hit`. Must be called within a tokio runtime.
    pub fn follow(store: Store, settings: Settings, metrics: Metrics, stop: CancellationToken) -> Self {
        let live = Self::fixed(follow::nothing_loaded(&settings.current().platform.lists));
        tokio::spawn(follow::Follower::new(store, settings, metrics, live.clone()).run(stop));
        live
    }

    /// What is in use.
    pub fn current(&self) -> Arc<Watchlists> {
        self.current.load_full()
    }

    /// Whether every wanted list is in use in some version; for readiness.
    pub fn is_loaded(&self) -> bool {
        self.current.load().states.iter().all(|state| state.version.is_some())
    }

    fn swap(&self, watchlists: Watchlists) {
        self.current.store(Arc::new(watchlists));
    }
}
