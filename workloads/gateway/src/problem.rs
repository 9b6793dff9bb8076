//! Problem details (RFC 9457): every error that a caller can get, in one table.
//!
//! A route returns a [`Problem`]; it travels as an extension of an empty response, and `observe` writes its body, because
//! only there the request's id is known for routes, extractors and middleware alike.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kyb_domain::{Invalid, id::RequestId};
use kyb_store::StoreError;
use serde::Serialize;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:ident, $code:literal, $title:literal;)*) => {
        /// What kind of problem; one row each of status, code and title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[doc = $doc])+ $name,)* }

        impl Kind {
            /// Every kind, for the docs page.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The machine-readable code.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The same for every occurrence.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do, for the docs page.
            pub(crate) fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii(),)* }
            }
        }
    };
}

kinds! {
    /// The body is not JSON; the detail says at which line and column.
    MalformedJson = BAD_REQUEST, "MALFORMED_JSON", "The body is not valid JSON";
    /// A header has a value that is not allowed.
    InvalidHeader = BAD_REQUEST, "INVALID_HEADER", "A header is not valid";
    /// A query parameter is unknown or has a value that is not allowed.
    InvalidQuery = BAD_REQUEST, "INVALID_QUERY", "The query is not valid";
    /// The cursor is damaged or belongs to another query; begin again without it.
    InvalidCursor = BAD_REQUEST, "INVALID_CURSOR", "The cursor is not valid here";
    /// There is no API key, or it is unknown, expired or revoked.
    Unauthenticated = UNAUTHORIZED, "UNAUTHENTICATED", "No valid API key";
    /// The key's role does not allow this; use a key of another role.
    Forbidden = FORBIDDEN, "FORBIDDEN", "The key may not do this";
    /// `X-Kyb-Context` names a context that is not the tenant's or not the key's.
    ContextForbidden = FORBIDDEN, "CONTEXT_FORBIDDEN", "The context is not available to this key";
    /// There is no such object for this tenant and context, or no such route.
    NotFound = NOT_FOUND, "NOT_FOUND", "Not found";
    /// The route has other methods; the Allow header names them.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "The method is not allowed here";
    /// The body did not arrive in time; send it again.
    BodyTimeout = REQUEST_TIMEOUT, "BODY_TIMEOUT", "The body did not arrive in time";
    /// Others kept changing the object; read it and try again.
    Conflict = CONFLICT, "CONFLICT", "The object is being changed by others";
    /// The batch is still being worked off; ask again when its status is `completed`.
    NotFinished = CONFLICT, "NOT_FINISHED", "The work is not finished";
    /// The object is no longer the one that If-Match names; read it again.
    PreconditionFailed = PRECONDITION_FAILED, "PRECONDITION_FAILED", "The object has changed";
    /// The body is larger than 1 MiB.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", "The body is too large";
    /// The body must be sent as application/json.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "The content type is not supported";
    /// The body is JSON but not what the route takes; `errors` says where and why.
    InvalidInput = UNPROCESSABLE_ENTITY, "INVALID_INPUT", "The input is not valid";
    /// The Idempotency-Key was used for a different request within 24 hours; use a new one.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key belongs to another request";
    /// The tenant's rate limit is used up; wait for as long as Retry-After says.
    RateLimited = TOO_MANY_REQUESTS, "RATE_LIMITED", "Too many requests";
    /// A fault of ours; report the request id.
    Internal = INTERNAL_SERVER_ERROR, "INTERNAL", "Internal error";
    /// More requests are under way than this process takes; retry.
    Overloaded = SERVICE_UNAVAILABLE, "OVERLOADED", "Too busy";
    /// The process is starting and not ready yet; retry.
    Starting = SERVICE_UNAVAILABLE, "STARTING", "Not ready yet";
    /// The database can't be reached. Nothing was acknowledged; retry with the same Idempotency-Key.
    Unavailable = SERVICE_UNAVAILABLE, "UNAVAILABLE", "The database can't be reached";
    /// The request took longer than 30 seconds. Nothing was acknowledged; retry with the same Idempotency-Key.
    Timeout = SERVICE_UNAVAILABLE, "TIMEOUT", "The request took too long";
}

/// One thing wrong with the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer (RFC 6901) to the place in the body; empty for the whole body.
    pub(crate) pointer: String,
    /// `REQUIRED`, `UNKNOWN_FIELD`, `WRONG_TYPE`, `INVALID` or `TOO_MANY`.
    pub(crate) code: &'static str,
    /// What is wrong and what is accepted.
    pub(crate) detail: String,
}

/// What a caller is told when a request fails.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a problem.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Where this kind of problem is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every occurrence of this kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened here and what to do.
    detail: &'a str,
    /// The kind of problem, for programs.
    code: &'static str,
    /// Name this when you ask for help; also in `X-Request-Id`.
    request_id: &'a str,
    /// What is wrong with the input, where it is the input.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let mut problem = Self { kind, detail: detail.into(), errors: vec![], headers: vec![] };
        if kind == Kind::Unauthenticated {
            let challenge = HeaderValue::from_static("ApiKey realm=\"kyb\", header=\"X-API-Key\"");
            problem.headers.push((header::WWW_AUTHENTICATE, challenge));
        }
        if kind.status() == StatusCode::SERVICE_UNAVAILABLE {
            problem.headers.push((header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        problem
    }

    /// No such object, whether it never existed or is somebody else's.
    pub(crate) fn no_such(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no such {what} for this tenant and context"))
    }

    /// Something is wrong with one place of the body.
    pub(crate) fn invalid_input(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let error = FieldError { pointer: pointer.into(), code, detail: detail.into() };
        let detail = match error.pointer.as_str() {
            "" => error.detail.clone(),
            pointer => format!("{pointer}: {}", error.detail),
        };
        Self { errors: vec![error], ..Self::new(Kind::InvalidInput, detail) }
    }

    /// The first thing that is wrong with the input: where, and what.
    pub(crate) fn first_error(&self) -> (String, String) {
        let first = self.errors.first().map(|error| (error.pointer.clone(), error.detail.clone()));
        first.unwrap_or_else(|| (String::new(), self.detail.clone()))
    }

    /// More of something than a bound allows.
    pub(crate) fn out_of_bounds(pointer: &str, invalid: &Invalid) -> Self {
        Self::invalid_input(pointer, "TOO_MANY", invalid.to_string())
    }

    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "this is a fault of the service, not of the request; report the request id")
    }

    /// The same, saying which part of the request it is about.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.detail = format!("{what}: {}", self.detail);
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.retain(|(name, _)| name != header::RETRY_AFTER);
        self.headers.push((header::RETRY_AFTER, seconds.into()));
        self
    }

    /// What happened and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole answer. `carrier` is the response that brought the problem; its headers are kept.
    pub(crate) fn render(&self, mut carrier: Response, request_id: &str) -> Response {
        let body = ProblemBody {
            kind: format!("/docs#{}", self.kind.code()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            code: self.kind.code(),
            request_id,
            errors: &self.errors,
        };
        // A struct of strings and numbers always serialises.
        *carrier.body_mut() = Body::from(serde_json::to_vec(&body).unwrap_or_default());
        let media_type = HeaderValue::from_static("application/problem+json");
        carrier.headers_mut().remove(header::CONTENT_LENGTH);
        carrier.headers_mut().insert(header::CONTENT_TYPE, media_type);
        carrier
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_retryable() {
            tracing::warn!(error = chain(&error), "the database can't be reached");
            let detail = "nothing was acknowledged; retry, for a POST with the same Idempotency-Key";
            return Self::new(Kind::Unavailable, detail);
        }
        if matches!(error, StoreError::Conflict) {
            return Self::new(
                Kind::PreconditionFailed,
                "the object was changed in the meantime; read it again and retry",
            );
        }
        if matches!(error, StoreError::Erased) {
            return Self::new(Kind::Forbidden, "this tenant was erased, and its id can't be used again");
        }
        tracing::error!(error = chain(&error), "the store failed");
        Self::internal()
    }
}

/// An error and its sources in one line, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

/// A request's id and its text, made once.
#[derive(Debug, Clone)]
pub(crate) struct RequestTag {
    pub(crate) text: std::sync::Arc<str>,
}

impl RequestTag {
    pub(crate) fn generate() -> Self {
        Self { text: RequestId::generate().to_string().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(problem: Problem) -> (StatusCode, serde_json::Value) {
        let carrier = problem.clone().into_response();
        let status = carrier.status();
        let rendered = problem.render(carrier, "req_1");
        assert_eq!(rendered.headers()[header::CONTENT_TYPE], "application/problem+json");
        let bytes = axum::body::to_bytes(rendered.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_has_every_member_of_the_contract() {
        let (status, body) =
            body(Problem::invalid_input("/business/name", "INVALID", "must contain a letter")).await;
        assert_eq!(status, 422);
        assert_eq!(
            body,
            serde_json::json!({
                "type": "/docs#INVALID_INPUT", "title": "The input is not valid", "status": 422,
                "detail": "/business/name: must contain a letter", "code": "INVALID_INPUT", "request_id": "req_1",
                "errors": [{"pointer": "/business/name", "code": "INVALID", "detail": "must contain a letter"}],
            })
        );
    }

    #[test]
    fn codes_are_unique_and_every_kind_says_what_it_means() {
        let codes: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.meaning().ends_with('.')), "each meaning is a sentence");
    }

    #[test]
    fn whatever_may_be_retried_says_when() {
        for kind in Kind::ALL.iter().filter(|kind| kind.status() == StatusCode::SERVICE_UNAVAILABLE) {
            assert!(
                Problem::new(*kind, "").into_response().headers().contains_key(header::RETRY_AFTER),
                "{kind:?}"
            );
        }
    }
}
