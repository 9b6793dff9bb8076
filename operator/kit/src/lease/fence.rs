//! A client that sends no write unless the lease is ours at that moment.
//!
//! Writes have connections of their own. The check is made below authentication and below any queue of the client, and
//! once more by the [connection](super::connection) each time it hands bytes over to the kernel: a process that was
//! stopped in between has sent nothing, or a part of a request, which the server refuses for what it lacks. There is no
//! retry below the check.

use std::{
    io,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use http::{Method, Request, Response, Uri, uri::PathAndQuery};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt},
};
use tower::{BoxError, Service, ServiceBuilder};

use super::{Held, connection::Connector, held::Pass};

/// How long a read may take. Watches go on for as long as they like.
const LONGEST_READ: Duration = Duration::from_secs(30);

/// The lease was not ours when a write was about to be sent; nothing was sent, or nothing complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this replica does not hold the lease, so it writes nothing")]
pub struct NotHeld;

/// The request took longer than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API server did not answer within {0:?}; it is asked again")]
pub struct TooSlow(pub Duration);

/// What of a write's time may pass until the server has it: a network that takes longer loses it. The rest is the
/// server's.
const SHARE_OF_THE_NETWORK: u32 = 4;

/// A client for `config` that reads always and writes only while `held`; each write is given up after `timeout`, which is
/// [`Timing::request_timeout`](super::Timing), and has no effect later than that after its last byte left us. Writes that
/// it refuses fail with [`kube::Error::Service`], whose source is [`NotHeld`].
pub fn fenced_client(config: &Config, held: &Held, timeout: Duration) -> Result<Client, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(config.connect_timeout);
    let connected = |connector| -> Result<Http<_, Body>, kube::Error> {
        let https = config.rustls_https_connector_with_connector::<Connector>(connector)?;
        Ok(Http::builder(TokioExecutor::new()).build(https))
    };
    let reads = connected(Connector::open(tcp.clone()))?;
    let writes = connected(Connector::fenced(tcp, held.clone(), timeout / SHARE_OF_THE_NETWORK))?;
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .service(Fence::new(reads, writes, held.clone(), timeout));
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// The check as a service around the connections.
#[derive(Debug, Clone)]
pub struct Fence<S> {
    reads: S,
    writes: S,
    held: Held,
    timeout: Duration,
}

impl<S> Fence<S> {
    /// Lets reads through to `reads` always, and writes to `writes` only while `held`, each for at most `timeout`.
    pub fn new(reads: S, writes: S, held: Held, timeout: Duration) -> Self {
        Self { reads, writes, held, timeout }
    }
}

impl<S, B> Service<Request<Body>> for Fence<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError> + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        ready!(self.reads.poll_ready(cx)).map_err(Into::into)?;
        self.writes.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !is_write(request.method()) {
            let limit = (!is_watch(request.uri())).then_some(LONGEST_READ);
            return answered(self.reads.call(request), limit, None).boxed();
        }
        let Some(pass) = self.held.pass(self.timeout) else {
            return std::future::ready(Err(NotHeld.into())).boxed();
        };
        let of_the_server = self.timeout.saturating_sub(self.timeout / SHARE_OF_THE_NETWORK);
        *request.uri_mut() = limited(request.uri(), of_the_server);
        answered(self.writes.call(request), Some(self.timeout), Some(pass)).boxed()
    }
}

async fn answered<B, E: Into<BoxError>>(
    answer: impl Future<Output = Result<Response<B>, E>>,
    limit: Option<Duration>,
    pass: Option<Pass>,
) -> Result<Response<B>, BoxError> {
    let answer = match limit {
        Some(limit) => tokio::time::timeout(limit, answer).await.map_err(|_| TooSlow(limit))?,
        None => answer.await,
    };
    if let (Some(pass), Ok(_)) = (pass, &answer) {
        pass.answered();
    }
    answer.map_err(|error| {
        let error = error.into();
        if was_refused(error.as_ref()) { NotHeld.into() } else { error }
    })
}

/// Whether the connection's check is what made the request fail.
fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    // An `io::Error` gives out the source of what it wraps, and not what it wraps.
    let wrapped = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<io::Error>().and_then(io::Error::get_ref).is_some_and(|error| was_refused(error))
    };
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.is::<NotHeld>() || wrapped(error))
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_watch(uri: &Uri) -> bool {
    uri.query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "watch=true" || pair == "follow=true"))
}

/// Asks the server, too, to give up in time.
fn limited(uri: &Uri, limit: Duration) -> Uri {
    let mut parts = uri.clone().into_parts();
    let query = uri.query().map(|query| format!("{query}&")).unwrap_or_default();
    let path = format!("{}?{query}timeout={}ms", uri.path(), limit.as_millis());
    parts.path_and_query = path.parse::<PathAndQuery>().ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
#[path = "fence_tests.rs"]
mod tests;
