//! Accepts connections, bounds what each may cost, and stops in good order.
//!
//! Stopping: `/ready` says no at once; connections are still accepted for the drain delay, until load balancers have turned
//! elsewhere; then the listener closes, requests under way finish, and usage counts go to the store.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use kyb_store::StoreError;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{
    heartbeat,
    problem::chain,
    routes,
    state::{App, AppState},
};

/// How long a connection may take to send its first request, and a request to send its headers. Also how long an idle
/// HTTP/1 connection is kept.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// The most bytes of a request's headers, give or take what one read of the socket brings.
const MOST_HEADER_BYTES: u32 = 32 * 1024;
const MOST_HEADERS: usize = 100;
const MOST_STREAMS_A_CONNECTION: u32 = 128;

/// Why a gateway stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The database's role or schema was refused; nothing was served from it.
    #[error("this database must not be served: {0}")]
    Refused(#[source] StoreError),
    /// Requests without a key were to be answered on an address that others reach.
    #[error(
        "requests without a key may be answered on a loopback address only, and {0} is none; listen on 127.0.0.1 or [::1], \
         or leave --compat-without-key-as out and give your clients keys"
    )]
    OpenToOthers(std::net::SocketAddr),
    /// The listener can't say where it listens.
    #[error("the listener's address can't be read")]
    Address(#[source] std::io::Error),
}

/// A gateway: its state and its routes.
pub struct Gateway {
    app: App,
    router: Router,
}

/// Serves until `stop`, then drains. Fails only if the database is one that must not be served from, or if others could
/// come in without a key.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    stop: CancellationToken,
) -> Result<(), GatewayError> {
    Gateway::new(state).serve(listener, stop).await
}

impl Gateway {
    /// A gateway over this state.
    pub fn new(state: AppState) -> Self {
        let app = Arc::new(state);
        Self { router: routes::router(&app), app }
    }

    /// Serves until `stop`, then drains. Fails only as [`GatewayError`] says.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<(), GatewayError> {
        self.refuse_open_to_others(&listener)?;
        let background = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(flush_usage(Arc::clone(&self.app), background.clone()));
        tasks.spawn(follow_settings(Arc::clone(&self.app), background.clone()));
        if let Some(pod) = self.app.options.pod.clone() {
            tasks.spawn(heartbeat::keep_beating(Arc::clone(&self.app), pod, background.clone()));
        }
        let connections = Connections::new(&self);
        let outcome = tokio::select! {
            refused = refused_database(&self.app) => Err(GatewayError::Refused(refused)),
            () = connections.accept_until_drained(&listener, &stop) => Ok(()),
        };
        drop(listener);
        if outcome.is_ok() {
            connections.finish(self.app.options.drain_limit).await;
        }
        background.cancel();
        tasks.close();
        tasks.wait().await;
        outcome
    }

    fn refuse_open_to_others(&self, listener: &TcpListener) -> Result<(), GatewayError> {
        let address = listener.local_addr().map_err(GatewayError::Address)?;
        let needs_no_key = self.app.options.compat.without_key_as.is_some();
        if needs_no_key && !address.ip().is_loopback() {
            return Err(GatewayError::OpenToOthers(address));
        }
        Ok(())
    }
}

/// Checks the database until that succeeds, then never resolves; resolves when it must not be served from.
async fn refused_database(app: &App) -> StoreError {
    use StoreError::{Configuration, Schema, UnsafeRole};
    let mut pause = Duration::from_millis(100);
    loop {
        match app.store.check().await {
            Ok(()) => break,
            Err(error @ (Configuration(_) | Schema(_) | UnsafeRole { .. })) => return error,
            Err(error) => {
                tracing::warn!(error = chain(&error), retry_in = ?pause, "the database could not be checked");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    app.set_checked();
    tracing::info!("the database is reachable, its role and schema are safe");
    pending().await
}

/// Hands usage counts to the store at every interval and once more at the end.
async fn flush_usage(app: App, stop: CancellationToken) {
    let flush = async || {
        if let Err(error) = app.usage.flush(&app.store).await {
            tracing::warn!(error = chain(&error), "usage counts are kept until the store takes them");
        }
    };
    while stop.run_until_cancelled(sleep(app.options.usage_interval)).await.is_some() {
        flush().await;
    }
    let _ = timeout(Duration::from_secs(5), flush()).await;
}

/// Obeys another cache policy, and forgets rate limits and results of tenants that are gone.
async fn follow_settings(app: App, stop: CancellationToken) {
    loop {
        let changed = app.settings.changed(); // before `current`, so that no change falls between the two
        let settings = app.settings.current();
        app.limits.retain(|tenant| settings.tenants.contains_key(tenant));
        app.caches.obey(&settings);
        if stop.run_until_cancelled(changed).await.is_none() {
            return;
        }
    }
}

struct Connections {
    app: App,
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    graceful: GracefulShutdown,
    room: Arc<Semaphore>,
    /// Cancelled when the time to finish is over.
    cut: CancellationToken,
}

impl Connections {
    fn new(gateway: &Gateway) -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_headers(MOST_HEADERS)
            .max_buf_size(MOST_HEADER_BYTES as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MOST_HEADER_BYTES)
            .max_concurrent_streams(MOST_STREAMS_A_CONNECTION)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20));
        Self {
            app: Arc::clone(&gateway.app),
            router: gateway.router.clone(),
            builder,
            graceful: GracefulShutdown::new(),
            room: Arc::new(Semaphore::new(gateway.app.options.most_connections)),
            cut: CancellationToken::new(),
        }
    }

    async fn accept_until_drained(&self, listener: &TcpListener, stop: &CancellationToken) {
        stop.run_until_cancelled(self.accept(listener)).await;
        self.app.stopping.cancel();
        tracing::info!(delay = ?self.app.options.drain_delay, "stopping: not ready any more, still accepting");
        let _ = timeout(self.app.options.drain_delay, self.accept(listener)).await;
    }

    async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => self.begin(stream, permit),
                Err(error) => {
                    // Out of file descriptors, for example: others have to end before this can succeed.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let _ = stream.set_nodelay(true); // only latency is at stake
        let asked = Arc::new(AtomicBool::new(false));
        let router = self.router.clone();
        let service = {
            let asked = Arc::clone(&asked);
            hyper::service::service_fn(move |request: Request<Incoming>| {
                asked.store(true, Ordering::Relaxed);
                router.clone().call(request.map(Body::new))
            })
        };
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = self.graceful.watch(connection);
        let cut = self.cut.clone();
        tokio::spawn(async move {
            let _room = permit;
            tokio::select! {
                // Whatever ends a connection is the caller's affair; requests log for themselves.
                _ = connection => {}
                () = stays_silent(&asked) => {}
                () = cut.cancelled() => {}
            }
        });
    }

    /// Lets requests under way finish, and cuts off those that take longer.
    async fn finish(self, limit: Duration) {
        let open = self.graceful.count();
        if timeout(limit, self.graceful.shutdown()).await.is_err() {
            tracing::warn!(?limit, "requests were cut off, since they did not finish in time");
        }
        self.cut.cancel();
        tracing::info!(connections = open, "stopped");
    }
}

/// Resolves when no request has come in time. hyper's own timer starts only once it knows which HTTP it speaks.
async fn stays_silent(asked: &AtomicBool) {
    sleep(HEADERS_WITHIN).await;
    if asked.load(Ordering::Relaxed) {
        pending::<()>().await;
    }
}
