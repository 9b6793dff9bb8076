//! What befalls a request.

use std::{
    io,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use http::{Request, Response, StatusCode, Uri, request::Parts};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use kube::client::Body;
use serde_json::Value;
use tower::{BoxError, Service, ServiceExt as _};

use crate::{Fault, Faults, Life, Target, Verb, answer, watch};

/// A body from the server, or one that we made.
pub(crate) type AnyBody = UnsyncBoxBody<Bytes, BoxError>;

/// A service whose requests go through a life's faults.
#[derive(Debug, Clone)]
pub struct Faulty<S> {
    server: S,
    life: Life,
}

impl<S> Faulty<S> {
    pub(crate) fn new(server: S, life: Life) -> Self {
        Self { server, life }
    }
}

impl<S, B> Service<Request<Body>> for Faulty<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnyBody>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<AnyBody>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.server.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was made ready is the one that is called; its clone takes its place.
        let server = self.server.clone();
        let this = Self { server: std::mem::replace(&mut self.server, server), life: self.life.clone() };
        this.decide(request).boxed()
    }
}

impl<S, B> Faulty<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn decide(self, request: Request<Body>) -> Result<Response<AnyBody>, BoxError> {
        if self.life.is_over() {
            return std::future::pending().await;
        }
        let (mut head, body) = request.into_parts();
        let sent = body.collect_bytes().await?;
        let Some(target) = Target::of_request(&head.method, &head.uri, &sent) else {
            return self.send(head, sent).await;
        };
        let faults = self.life.faults().clone();
        read_of_earlier(&faults, &mut head, &target).await?;
        let Some((scope, known_as)) = faults.attribute(&target) else {
            return self.answered(head, sent, target).await;
        };
        let (record, fault) = faults.request(&scope, known_as);
        let strike = self.strike(fault, head, sent, target).await;
        if let Struck::Sent(code, _) = &strike {
            record.answer(code.as_u16());
        }
        strike.into_answer().await
    }

    /// Lets a fault befall a request.
    async fn strike(self, fault: Option<Fault>, head: Parts, sent: Bytes, target: Target) -> Struck {
        let life = self.life.clone();
        match fault {
            None => self.sent(head, sent, target).await,
            Some(Fault::Delayed(span)) => {
                tokio::time::sleep(span).await;
                self.sent(head, sent, target).await
            }
            Some(Fault::Late(span)) => {
                let answer = self.sent(head, sent, target).await;
                tokio::time::sleep(span).await;
                answer
            }
            Some(Fault::Refused) => Struck::Unsent(Err(broken(io::ErrorKind::ConnectionRefused))),
            Some(Fault::Lost) => self.sent(head, sent, target).await.without_answer(),
            Some(Fault::CrashBefore) => {
                life.end();
                Struck::Over
            }
            Some(Fault::CrashAfter) => {
                let strike = self.sent(head, sent, target).await;
                life.end();
                strike.in_vain()
            }
            Some(Fault::Vanished) => {
                let mut body: Value = serde_json::from_slice(&sent).unwrap_or_default();
                body["metadata"]["resourceVersion"] = i64::MAX.to_string().into(); // newer than all, as an answer is
                Struck::Unsent(Ok(answer::json_response(StatusCode::OK, &body)))
            }
            Some(fault) => match answer::refusal(fault, &target) {
                Some(refusal) => Struck::Unsent(Ok(refusal)),
                None => self.sent(head, sent, target).await, // one of watches, which befalls no request
            },
        }
    }

    async fn sent(self, head: Parts, sent: Bytes, target: Target) -> Struck {
        match self.answered(head, sent, target).await {
            Ok(answer) => Struck::Sent(answer.status(), Some(Ok(answer))),
            Err(error) => Struck::Unsent(Err(error)),
        }
    }

    /// Sends a request; the events of a watch go through the faults, too.
    async fn answered(self, head: Parts, sent: Bytes, target: Target) -> Result<Response<AnyBody>, BoxError> {
        let (life, uri) = (self.life.clone(), head.uri.clone());
        let answer = self.send(head, sent).await?;
        if target.verb != Verb::Watch || !answer.status().is_success() {
            return Ok(answer);
        }
        Ok(answer.map(|body| watch::gated(body, &life, target, parameter(&uri, "resourceVersion"))))
    }

    async fn send(self, head: Parts, sent: Bytes) -> Result<Response<AnyBody>, BoxError> {
        let request = Request::from_parts(head, Body::from(sent.to_vec()));
        let answer = self.server.oneshot(request).await.map_err(Into::into)?;
        Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}

/// A read that the server may answer from whatever state it has waits while its scope is frozen, and goes back to where a watch
/// of its kind left it. Any other read is answered with the most recent state, as it must be.
async fn read_of_earlier(faults: &Faults, head: &mut Parts, target: &Target) -> Result<(), BoxError> {
    if !matches!(target.verb, Verb::Get | Verb::List) {
        return Ok(());
    }
    let any = parameter(&head.uri, "resourceVersion").as_deref() == Some("0")
        && parameter(&head.uri, "resourceVersionMatch").is_none_or(|it| it != "Exact");
    let rewind = if target.verb == Verb::List { faults.take_rewind(target) } else { None };
    if !any {
        return Ok(());
    }
    if let Some(version) = rewind {
        head.uri = at_version(&head.uri, &version)?;
    }
    let frozen = faults.attribute(target).and_then(|(scope, _)| faults.frozen(&scope));
    if let Some(span) = frozen {
        tokio::time::sleep(span).await;
    }
    Ok(())
}

/// What became of a request.
enum Struck {
    /// The server has answered with this code; the answer, unless it is kept from the client.
    Sent(StatusCode, Option<Result<Response<AnyBody>, BoxError>>),
    /// The server does not know of it, as far as is known here.
    Unsent(Result<Response<AnyBody>, BoxError>),
    /// The process is at its end.
    Over,
}

impl Struck {
    fn without_answer(self) -> Self {
        match self {
            Self::Sent(code, _) => Self::Sent(code, Some(Err(broken(io::ErrorKind::ConnectionReset)))),
            other => other,
        }
    }

    fn in_vain(self) -> Self {
        match self {
            Self::Sent(code, _) => Self::Sent(code, None),
            _ => Self::Over,
        }
    }

    async fn into_answer(self) -> Result<Response<AnyBody>, BoxError> {
        match self {
            Self::Sent(_, Some(answer)) | Self::Unsent(answer) => answer,
            Self::Sent(_, None) | Self::Over => std::future::pending().await,
        }
    }
}

fn broken(how: io::ErrorKind) -> BoxError {
    io::Error::from(how).into()
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The same list as of an earlier version, which the store still has.
fn at_version(uri: &Uri, version: &str) -> Result<Uri, BoxError> {
    let exactly = format!("resourceVersion={version}&resourceVersionMatch=Exact");
    let others = uri.query().unwrap_or_default().split('&');
    let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("resourceVersion"));
    let query: Vec<_> = std::iter::once(exactly.as_str()).chain(others).collect();
    Ok(format!("{}?{}", uri.path(), query.join("&")).parse()?)
}
