//! A list publisher on loopback that can be told to misbehave.
//!
//! What is wrong with the *content* (half a document, fewer entries, an older date, garbage) is published like anything
//! else; what is wrong with the *transfer* is a [`Fault`].

use std::{
    collections::BTreeMap,
    convert::Infallible,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lists::ListFile;

/// What goes wrong with every transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every request is answered with this status.
    Status(u16),
    /// The connection breaks in the middle of the announced length.
    CutShort,
    /// The body never ends.
    Endless,
    /// One byte every 50 ms.
    Drip,
}

/// What is published now.
struct Published {
    files: BTreeMap<String, PublishedFile>,
    fault: Fault,
}

/// A file with its validators (RFC 9110 §8.8).
#[derive(Clone)]
struct PublishedFile {
    bytes: Bytes,
    etag: HeaderValue,
    last_modified: HeaderValue,
}

struct Shared {
    published: Mutex<Published>,
    requests: AtomicU64,
    not_modified: AtomicU64,
}

/// A publisher; gone when dropped.
pub struct Publisher {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    _server: DropGuard,
}

impl Publisher {
    /// Starts it on a free loopback port with nothing published. Must be called within a tokio runtime.
    pub async fn start() -> anyhow::Result<Self> {
        let published = Published { files: BTreeMap::new(), fault: Fault::None };
        let counters = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared {
            published: Mutex::new(published),
            requests: counters.0,
            not_modified: counters.1,
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new().route("/{file}", axum::routing::get(serve)).with_state(shared.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = axum::serve(listener, routes) => {}
                () = stopped.cancelled() => {}
            }
        });
        Ok(Self { address, shared, _server: stop.drop_guard() })
    }

    /// The URL of a file.
    pub fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }

    /// Publishes these files instead of the same ones before; `day` is their `Last-Modified`.
    pub fn publish(&self, files: &[ListFile], day: chrono::NaiveDate) -> anyhow::Result<()> {
        let last_modified = HeaderValue::from_str(&day.format("%a, %d %b %Y 08:00:00 GMT").to_string())?;
        for file in files {
            let bytes = Bytes::from(file.bytes.clone());
            let etag = HeaderValue::from_str(&etag(&bytes, &last_modified))?;
            let published = PublishedFile { bytes, etag, last_modified: last_modified.clone() };
            self.published().files.insert(file.name.clone(), published);
        }
        Ok(())
    }

    /// Misbehaves in this way from now on.
    pub fn misbehave(&self, fault: Fault) {
        self.published().fault = fault;
    }

    /// Requests answered so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Of these, answered with `304 Not Modified`.
    pub fn not_modified(&self) -> u64 {
        self.shared.not_modified.load(Ordering::Relaxed)
    }

    fn published(&self) -> std::sync::MutexGuard<'_, Published> {
        self.shared.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(State(shared): State<Arc<Shared>>, Path(file): Path<String>, request: HeaderMap) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let (file, fault) = {
        let published = shared.published.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = published.files.get(&file).cloned() else {
            return StatusCode::NOT_FOUND.into_response();
        };
        (file, published.fault)
    };
    if let Fault::Status(status) = fault {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
    }
    if request.get(header::IF_NONE_MATCH) == Some(&file.etag) && fault == Fault::None {
        shared.not_modified.fetch_add(1, Ordering::Relaxed);
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = transfer(fault, file.bytes);
    response.headers_mut().insert(header::ETAG, file.etag);
    response.headers_mut().insert(header::LAST_MODIFIED, file.last_modified);
    response
}

/// The same for the same content of the same day.
fn etag(bytes: &Bytes, last_modified: &HeaderValue) -> String {
    let mut hasher = DefaultHasher::new();
    (bytes, last_modified.as_bytes()).hash(&mut hasher);
    format!("\"{:x}\"", hasher.finish())
}

fn transfer(fault: Fault, bytes: Bytes) -> Response {
    match fault {
        Fault::None | Fault::Status(_) => Body::from(bytes).into_response(),
        Fault::CutShort => {
            let length = bytes.len();
            let half = futures::stream::once(async move { Ok(bytes.slice(..length / 2)) });
            let broken = futures::stream::once(async { Err(std::io::Error::other("cut short on purpose")) });
            ([(header::CONTENT_LENGTH, length)], Body::from_stream(half.chain(broken))).into_response()
        }
        Fault::Endless => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(chunk))).into_response()
        }
        Fault::Drip => {
            Body::from_stream(futures::stream::unfold(0, move |at| drip(bytes.clone(), at))).into_response()
        }
    }
}

async fn drip(bytes: Bytes, at: usize) -> Option<(Result<Bytes, Infallible>, usize)> {
    tokio::time::sleep(Duration::from_millis(50)).await;
    (at < bytes.len()).then(|| (Ok(bytes.slice(at..=at)), at + 1))
}
