//! What every request shares.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use kyb_engines::LiveWatchlists;
use kyb_settings::Settings;
use kyb_store::Store;
use kyb_telemetry::Metrics;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    cached::Caches,
    compat::{self, Compat, Directories},
    limits::RateLimits,
    openapi::Documents,
    usage::Usage,
};

/// The bounds of a gateway. The default is for loopback and tests: it drains without a delay.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// How long connections are still accepted after the stop, while `/ready` already says no, so that load balancers
    /// can turn elsewhere first.
    pub drain_delay: Duration,
    /// How long requests under way may take to finish after that.
    pub drain_limit: Duration,
    /// The longest a request may take.
    pub request_timeout: Duration,
    /// The most requests for tenants' data at once; more are refused with 503.
    pub most_requests: usize,
    /// The most connections at once; more wait to be accepted.
    pub most_connections: usize,
    /// The most event streams at once; more are refused with 503.
    pub most_streams: usize,
    /// How often usage counts are handed to the store.
    pub usage_interval: Duration,
    /// Whether callers come through TLS, which a proxy in front ends; then `Strict-Transport-Security` is sent.
    pub behind_tls: bool,
    /// The pod that this process is, where it should say in the database what it uses.
    pub pod: Option<String>,
    /// Which other services' interfaces are served beside the own one.
    pub compat: Compat,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            drain_delay: Duration::ZERO,
            drain_limit: Duration::from_secs(25),
            request_timeout: Duration::from_secs(30),
            most_requests: 512,
            most_connections: 4096,
            most_streams: 256,
            usage_interval: Duration::from_secs(10),
            behind_tls: false,
            pod: None,
            compat: Compat::default(),
        }
    }
}

/// What every request shares: the engines' data, the doors to the store, and the process's own bounds.
pub struct AppState {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) watchlists: LiveWatchlists,
    pub(crate) metrics: Metrics,
    pub(crate) options: GatewayOptions,
    pub(crate) documents: Documents,
    pub(crate) limits: RateLimits,
    pub(crate) usage: Usage,
    pub(crate) caches: Caches,
    pub(crate) directories: Directories,
    /// One permit for each request under way.
    pub(crate) requests: Semaphore,
    /// One permit for each event stream.
    pub(crate) streams: Arc<Semaphore>,
    /// One permit for each verification that is too heavy for a thread that serves sockets.
    pub(crate) heavy: Arc<Semaphore>,
    /// Cancelled when the gateway begins to stop; event streams end then.
    pub(crate) stopping: CancellationToken,
    checked: AtomicBool,
    pinged: Mutex<Option<(Instant, bool)>>,
}

/// The state as routes get it.
pub(crate) type App = Arc<AppState>;

/// How long one answer of the database to a ping is believed, so that probes can't load it.
const PING_HOLDS: Duration = Duration::from_millis(500);

impl AppState {
    /// A gateway's state over these parts. Nothing is served from the store before [`Store::check`] succeeded, which
    /// [`crate::serve`] sees to.
    pub fn new(
        store: Store,
        settings: Settings,
        watchlists: LiveWatchlists,
        metrics: Metrics,
        options: GatewayOptions,
    ) -> Self {
        let documents = Documents::build();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            store,
            caches: Caches::new(&settings.current()),
            settings,
            watchlists,
            metrics,
            limits: RateLimits::default(),
            usage: Usage::new(
                documents.endpoints.iter().cloned().chain(compat::endpoints(&options.compat)).collect(),
            ),
            directories: Directories::default(),
            requests: Semaphore::new(options.most_requests),
            streams: Arc::new(Semaphore::new(options.most_streams)),
            heavy: Arc::new(Semaphore::new(cores)),
            stopping: CancellationToken::new(),
            checked: AtomicBool::new(false),
            pinged: Mutex::new(None),
            documents,
            options,
        }
    }

    /// Whether role and schema of the database were found safe.
    pub(crate) fn is_checked(&self) -> bool {
        self.checked.load(Ordering::Acquire)
    }

    pub(crate) fn set_checked(&self) {
        self.checked.store(true, Ordering::Release);
    }

    /// Whether the database answers; asked at most once in [`PING_HOLDS`], by one request at a time.
    pub(crate) async fn is_database_alive(&self) -> bool {
        let mut pinged = self.pinged.lock().await;
        if let Some((at, alive)) = *pinged
            && at.elapsed() < PING_HOLDS
        {
            return alive;
        }
        let answer = tokio::time::timeout(Duration::from_secs(2), self.store.ping()).await;
        let alive = matches!(answer, Ok(Ok(())));
        *pinged = Some((Instant::now(), alive));
        alive
    }
}
