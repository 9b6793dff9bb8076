//! What happens to every request, whatever its route: an id, a span, metrics, security headers, the body of a problem.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::Utc;
use futures::FutureExt;
use opentelemetry::propagation::Extractor;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{
    admit::ServedFor,
    problem::{Problem, RequestTag},
    reply,
    state::App,
};

/// The header that names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost middleware.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let tag = RequestTag::generate();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = span(request.headers(), &tag, &method, route);
    request.extensions_mut().insert(tag.clone());

    // A panic must cost its own request only; it is logged by the panic hook, and the caller gets no detail.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let mut response = answered.unwrap_or_else(|_| Problem::internal().into_response());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(response, &tag.text);
    }
    reply::set(&mut response, REQUEST_ID, &tag.text);
    secure(response.headers_mut(), app.options.behind_tls);
    record(&app, &span, &method, route, &response, started);
    response
}

/// One span a request. Never bodies, keys or names in it.
fn span(headers: &HeaderMap, tag: &RequestTag, method: &Method, route: &str) -> Span {
    let span = tracing::info_span!(
        "request",
        request_id = &*tag.text,
        method = method.as_str(),
        route,
        tenant = field::Empty,
        status = field::Empty,
    );
    if headers.contains_key("traceparent") {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.extract(&Headers(headers))
        });
        // It fails only where no OpenTelemetry layer is installed, and then there is no trace to belong to.
        let _ = span.set_parent(parent);
    }
    span
}

fn record(app: &App, span: &Span, method: &Method, route: &str, response: &Response, started: Instant) {
    let took = started.elapsed();
    let status = response.status().as_u16();
    // HEAD is counted as the GET that serves it; a method that we don't know must not become a label.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    let method = if KNOWN_METHODS.contains(&method) { method } else { "other" };
    let tenant = response.extensions().get::<ServedFor>().map(|served| &served.0);
    app.metrics.api_request(route, method, status, tenant, took);
    if let Some(tenant) = tenant {
        app.usage.count(tenant, method, route, status, Utc::now());
        span.record("tenant", tenant.as_str());
    }
    span.record("status", status);
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(parent: span, took_us, "answered");
}

const KNOWN_METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn secure(headers: &mut HeaderMap, behind_tls: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let strictest = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(strictest);
    if behind_tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}

/// Lets OpenTelemetry read `traceparent` and `tracestate` (W3C Trace Context).
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{Router, body::Body, middleware, routing::get};
    use kyb_engines::LiveWatchlists;
    use kyb_settings::{Settings, Snapshot};
    use kyb_store::{ConnectOptions, Store};
    use kyb_telemetry::Metrics;
    use kyb_verification::Watchlists;
    use tower::ServiceExt;

    use super::*;
    use crate::{AppState, GatewayOptions};

    fn app() -> App {
        let url = "postgres://nobody@127.0.0.1:1/none".to_owned();
        let second = Duration::from_secs(1);
        let options =
            ConnectOptions { url, max_connections: 1, acquire_timeout: second, statement_timeout: second };
        let screener = Arc::new(kyb_screening::Screener::build(&[]));
        let watchlists = LiveWatchlists::fixed(Watchlists { screener, states: vec![] });
        let settings = Settings::fixed(Snapshot::default());
        let bounds = GatewayOptions { behind_tls: true, ..GatewayOptions::default() };
        Arc::new(AppState::new(Store::lazy(&options).unwrap(), settings, watchlists, Metrics::new(), bounds))
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_request_only_and_tells_no_detail() {
        async fn panics() -> &'static str {
            panic!("the secret is 42")
        }
        let observed = middleware::from_fn_with_state(app(), observe);
        let router = Router::new().route("/panics", get(panics)).layer(observed);
        let response = router.oneshot(Request::get("/panics").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), 500);
        assert!(response.headers().contains_key(REQUEST_ID));
        assert!(response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY), "behind TLS");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("\"code\":\"INTERNAL\"") && !text.contains("secret"), "{text}");
    }
}
