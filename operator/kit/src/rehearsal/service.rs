//! Decides about each request of the client.

use std::task::{Context, Poll};

use futures::{FutureExt as _, future::BoxFuture};
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use http_body_util::BodyExt as _;
use kube::{client::Body, core::Status};
use serde_json::{Value, json};
use tower::{BoxError, Service, ServiceExt as _};

use super::{Outcome, Rehearsal, Step, Verb, stage::not_found};

/// A cluster that has nothing; nobody asks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoServer;

impl Service<Request<Body>> for NoServer {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        std::future::ready(answer(&Err(not_found(request.uri().path()))))
    }
}

/// The rehearsal as a service around a server.
#[derive(Clone)]
pub(super) struct Rehearse<S> {
    server: S,
    rehearsal: Rehearsal,
    has_server: bool,
}

impl<S> Rehearse<S> {
    pub(super) fn new(server: S, rehearsal: Rehearsal, has_server: bool) -> Self {
        Self { server, rehearsal, has_server }
    }
}

impl<S, B> Service<Request<Body>> for Rehearse<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.server.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        async move { this.decide(request).await }.boxed()
    }
}

/// What a server answers: an object, or why not.
type Answer = Result<Value, Box<Status>>;

impl<S, B> Rehearse<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn decide(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let mut path = head.uri.path().to_owned();
        if head.method == Method::GET {
            let known = self.rehearsal.stage().object(&path).cloned();
            return answer(&match known {
                Some(Some(object)) => Ok(object),
                Some(None) => Err(not_found(&path)),
                None => self.ask(Request::from_parts(head, body)).await?,
            });
        }
        let sent = body.collect().await?.to_bytes();
        if let Some(object) = path.strip_suffix("/status") {
            let status = self.rehearsal.stage().status(object, serde_json::from_slice(&sent)?);
            return answer(&Ok(status));
        }
        if path.contains("/events.k8s.io/") {
            return answer(&Ok(serde_json::from_slice(&sent)?));
        }
        let object: Value = serde_json::from_slice(&sent).unwrap_or_default(); // a deletion may say nothing
        if let (&Method::POST, Some(name)) =
            (&head.method, object.pointer("/metadata/name").and_then(Value::as_str))
        {
            path = format!("{path}/{name}");
        }
        answer(&self.write(path, head, object).await?)
    }

    async fn write(self, path: String, head: Parts, sent: Value) -> Result<Answer, BoxError> {
        let manager = parameter(&head.uri, "fieldManager");
        let before = self.read(&path).await?;
        let is_ours = self.rehearsal.stage().is_only_here(&path);
        let verb = match (&head.method, &before) {
            (&Method::DELETE, _) => Verb::Delete,
            (_, None) if !is_ours || self.rehearsal.stage().object(&path).is_none() => Verb::Create,
            _ => Verb::Change,
        };
        let answered = if is_ours || !self.has_server {
            self.here(&path, verb, manager.as_deref(), sent)
        } else {
            let answered = self.ask(dry(head.method, &head.uri, head.headers, sent.clone())?).await?;
            answered
                .map(|object| self.rehearsal.stage().beside_others(&path, manager.as_deref(), sent, object))
        };
        let outcome = match &answered {
            Ok(after) => Outcome::Done((verb != Verb::Delete).then(|| after.clone())),
            Err(status) => Outcome::Refused(status.clone()),
        };
        let foreseen = self.rehearsal.stage().note(Step { verb, path, manager, before, outcome });
        Ok(answered.map(|answered| foreseen.unwrap_or(answered)))
    }

    /// The answer to a write where no server can give one.
    fn here(&self, path: &str, verb: Verb, manager: Option<&str>, sent: Value) -> Answer {
        let mut stage = self.rehearsal.stage();
        match (verb, stage.object(path)) {
            (Verb::Delete, Some(Some(object))) => Ok(object.clone()),
            (Verb::Delete, _) => Err(not_found(path)),
            _ => Ok(stage.imagine(path, manager, sent)),
        }
    }

    /// The object as the server has it now.
    async fn read(&self, path: &str) -> Result<Option<Value>, BoxError> {
        if !self.has_server {
            return Ok(None);
        }
        let request = Request::get(path).body(Body::empty())?;
        match self.ask(request).await? {
            Ok(object) => Ok(Some(object)),
            // Who may not read an object may still change it; then it is not known how it was.
            Err(status) if matches!(status.code, 403 | 404) => Ok(None),
            Err(status) => Err(kube::Error::Api(status).into()),
        }
    }

    async fn ask(&self, request: Request<Body>) -> Result<Answer, BoxError> {
        let response = self.server.clone().oneshot(request).await?;
        let code = response.status();
        let body = response.into_body().collect().await.map_err(Into::into)?.to_bytes();
        if code.is_success() {
            return Ok(Ok(serde_json::from_slice(&body)?));
        }
        let text = String::from_utf8_lossy(&body);
        let unknown = || Status::failure(&text, "Unknown").with_code(code.as_u16()).boxed();
        Ok(Err(serde_json::from_slice(&body).unwrap_or_else(|_| unknown())))
    }
}

fn answer(answer: &Answer) -> Result<Response<Body>, BoxError> {
    let (code, body) = match answer {
        Ok(object) => (StatusCode::OK, serde_json::to_vec(object)?),
        Err(status) => (StatusCode::from_u16(status.code)?, serde_json::to_vec(status)?),
    };
    Ok(Response::builder().status(code).header(CONTENT_TYPE, "application/json").body(Body::from(body))?)
}

/// The same request, tried and not done. A deletion says so in its options, too, since the server reads those alone where there are
/// any, and a query beside them says nothing (`DeleteResource` in `k8s.io/apiserver/pkg/endpoints/handlers`, Kubernetes 1.35).
fn dry(method: Method, uri: &Uri, headers: HeaderMap, mut sent: Value) -> Result<Request<Body>, BoxError> {
    let separator = if uri.query().is_some() { '&' } else { '?' };
    let uri: Uri = format!("{uri}{separator}dryRun=All").parse()?;
    if method == Method::DELETE && sent.is_object() {
        sent["dryRun"] = json!(["All"]);
    }
    let body = if sent.is_null() { vec![] } else { serde_json::to_vec(&sent)? };
    let mut request = Request::builder().method(method).uri(uri).body(Body::from(body))?;
    *request.headers_mut() = headers;
    request.headers_mut().remove(CONTENT_LENGTH);
    Ok(request)
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
}
