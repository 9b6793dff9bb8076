//! A client that sends no write unless the lease is ours at that moment.
//!
//! The check is the last thing before the connection, below authentication and below any queue of the client, and it is
//! made once more when the connection asks for the body: a process that was stopped in between has sent at most the head
//! of a request, which the server refuses for its missing body. There is no retry below the check.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Method, Request, Response, Uri, uri::PathAndQuery};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt},
};
use tower::{BoxError, Service, ServiceBuilder};

use super::{Held, held::Pass};

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

/// A client for `config` that reads always and writes only while `held`; each write is given up after `timeout`, which is
/// [`Timing::request_timeout`](super::Timing). Writes that it refuses fail with
/// [`kube::Error::Service`], whose source is [`NotHeld`].
pub fn fenced_client(config: &Config, held: &Held, timeout: Duration) -> Result<Client, kube::Error> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_connect_timeout(config.connect_timeout);
    let https = config.rustls_https_connector_with_connector(connector)?;
    let http: Http<_, FencedBody> = Http::builder(TokioExecutor::new()).build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .service(Fence::new(http, held.clone(), timeout));
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// The check as a service around the connection.
#[derive(Debug, Clone)]
pub struct Fence<S> {
    inner: S,
    held: Held,
    timeout: Duration,
}

impl<S> Fence<S> {
    /// Lets writes through to `inner` only while `held`, each for at most `timeout`.
    pub fn new(inner: S, held: Held, timeout: Duration) -> Self {
        Self { inner, held, timeout }
    }
}

impl<S, B> Service<Request<Body>> for Fence<S>
where
    S: Service<Request<FencedBody>, Response = Response<B>>,
    S::Error: Into<BoxError> + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !is_write(request.method()) {
            let limit = (!is_watch(request.uri())).then_some(LONGEST_READ);
            let answer = self.inner.call(request.map(|body| FencedBody { body, held: None }));
            return answered(answer, limit, None).boxed();
        }
        let Some(pass) = self.held.pass(self.timeout) else {
            return std::future::ready(Err(NotHeld.into())).boxed();
        };
        let mut request = request.map(|body| FencedBody { body, held: Some(self.held.clone()) });
        *request.uri_mut() = limited(request.uri(), self.timeout);
        answered(self.inner.call(request), Some(self.timeout), Some(pass)).boxed()
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

/// Whether the body's check is what made the request fail.
fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<NotHeld>)
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

/// The body of a request, which fails when it is asked for after the lease has passed.
#[derive(Debug)]
pub struct FencedBody {
    body: Body,
    held: Option<Held>,
}

impl HttpBody for FencedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.held.as_ref().is_some_and(|held| !held.still_held()) {
            return Poll::Ready(Some(Err(NotHeld.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[path = "fence_tests.rs"]
mod tests;
