//! What stands between replicas and API server in the twins, and takes a safeguard out of what passes. Plain HTTP on the
//! replicas' side; everything but the Lease passes unchanged.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use kube::Client;
use serde_json::{Value, json};

/// What happens to requests about the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    /// The Lease tells the others that it lasts so long, whatever its holder believes.
    ShorterLease { seconds: u64 },
    /// Each takes [`SLOW`] longer, as over a long way: nothing is taken out.
    SlowLease,
    /// As slow, and a write does not say which version it replaces.
    NoVersion,
}

/// A fair part of a request's time limit at a lease of two seconds (533 ms).
const SLOW: Duration = Duration::from_millis(150);
/// The largest object that passes.
const LARGEST: usize = 4 << 20;
/// What concerns a connection and not what it carries.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING];

/// A listening wire. It ends with the runtime.
#[derive(Clone)]
pub(crate) struct Wire {
    client: Client,
    meddling: Arc<Mutex<Meddling>>,
}

impl Wire {
    /// Listens, and writes a kubeconfig that leads through it.
    pub(crate) async fn start(
        client: Client,
        meddling: Meddling,
        folder: &Path,
    ) -> anyhow::Result<(Self, PathBuf)> {
        let wire = Self { client, meddling: Arc::new(Mutex::new(meddling)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let routes = Router::new().fallback(forward).with_state(wire.clone());
        tokio::spawn(axum::serve(listener, routes).into_future());
        let path = folder.join("kubeconfig-through-the-wire");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "wire", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "wire", "user": {}}],
            "contexts": [{"name": "wire", "context": {"cluster": "wire", "user": "wire"}}],
            "current-context": "wire",
        });
        std::fs::write(&path, config.to_string())?;
        Ok((wire, path))
    }

    pub(crate) fn meddle(&self, meddling: Meddling) {
        *self.meddling.lock().unwrap_or_else(PoisonError::into_inner) = meddling;
    }

    fn meddling(&self) -> Meddling {
        *self.meddling.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(State(wire): State<Wire>, request: Request) -> Response {
    match pass(&wire, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

async fn pass(wire: &Wire, request: Request) -> anyhow::Result<Response> {
    let (mut head, body) = request.into_parts();
    let mut body = to_bytes(body, LARGEST).await?.to_vec();
    if head.uri.path().contains("/leases") {
        let meddling = wire.meddling();
        if head.method == Method::PUT {
            body = meddle(meddling, &mut head, &body)?;
        }
        if matches!(meddling, Meddling::SlowLease | Meddling::NoVersion) {
            tokio::time::sleep(SLOW).await;
        }
    }
    for name in HOP_BY_HOP {
        head.headers.remove(name);
    }
    let path = head.uri.path_and_query().context("a request without a path")?;
    head.uri = path.as_str().parse()?;
    let answer = wire.client.send(Request::from_parts(head, body.into())).await?;
    let (mut head, body) = answer.into_parts();
    for name in HOP_BY_HOP {
        head.headers.remove(name);
    }
    Ok(Response::from_parts(head, Body::new(body)))
}

/// A Lease on its way to the API server, changed.
fn meddle(meddling: Meddling, head: &mut Parts, lease: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut lease: Value = serde_json::from_slice(lease)?;
    match meddling {
        Meddling::ShorterLease { seconds } => lease["spec"]["leaseDurationSeconds"] = seconds.into(),
        Meddling::NoVersion => {
            // A Lease can't be replaced without saying which version, so this is what somebody would do who does not care.
            lease["metadata"].as_object_mut().context("no metadata")?.remove("resourceVersion");
            head.method = Method::PATCH;
            head.headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/merge-patch+json"));
        }
        Meddling::SlowLease => (),
    }
    Ok(serde_json::to_vec(&lease)?)
}
