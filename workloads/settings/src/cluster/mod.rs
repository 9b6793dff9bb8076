//! The cluster source: watches the labelled ConfigMaps of one namespace.
//!
//! ```text
//! API server ── list, watch, bookmarks ──► board ── at most once in 100 ms ──► Snapshot ──► Settings
//!             └ lost: watched again after 0.1 to 5 s; the last good settings stay in use
//! ```
//!
//! Every object carries one or more files under their own names, usually one: `platform.yaml` in `kyb-settings-platform`,
//! `tenant-<id>.yaml` in `kyb-settings-tenant-<id>`.

mod board;
mod fit;

use std::{pin::pin, sync::Weak, time::Duration};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client, Config, ResourceExt,
    runtime::watcher::{self, Event, watcher},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{SettingsError, Snapshot, parsed, watch::Shared};
use board::{Board, SeenMap};

/// The label that a ConfigMap with settings carries, with any value.
pub const LABEL: &str = "kyb.dev/settings";

/// How long changes are gathered before they are read together: a burst of a thousand objects costs one reading.
const GATHER: Duration = Duration::from_millis(100);
/// The pause after the first failure of the watch; it doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The server ends a watch after so many seconds, and we go on where it ended. A connection that died without a word is
/// noticed 5 s later than that, so it must not be long: a revoked key must not live on behind a dead connection.
const WATCH_SECONDS: u32 = 30;
/// How long a connection to the API server may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Relative folders of lists are below the root: a pod has no folder of settings.
const BASE: &str = "/";

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Neither in a pod nor beside a kubeconfig.
    #[error("no cluster is configured; run in a pod with a service account, or set KUBECONFIG")]
    NotConfigured(#[source] kube::config::InferConfigError),
    /// What is configured can't be used.
    #[error("the configured cluster can't be used; check certificates and token")]
    Unusable(#[source] kube::Error),
}

/// A client for the cluster that this process runs in, or that its kubeconfig names.
pub async fn client() -> Result<Client, ClusterError> {
    let mut config = Config::infer().await.map_err(ClusterError::NotConfigured)?;
    config.connect_timeout = Some(CONNECT_WITHIN);
    Client::try_from(config).map_err(ClusterError::Unusable)
}

/// Follows a namespace until the settings' last handle is gone.
pub(crate) async fn follow(shared: Weak<Shared>, client: Client, namespace: String) {
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let config = watcher::Config::default().labels(LABEL).timeout(WATCH_SECONDS);
    let events = watcher(maps, config);
    Follower { shared, namespace, board: Board::new(BASE), pause: SHORTEST_PAUSE, build_at: None }
        .run(events)
        .await;
}

struct Follower {
    shared: Weak<Shared>,
    namespace: String,
    board: Board,
    pause: Duration,
    /// When what was gathered is read.
    build_at: Option<Instant>,
}

impl Follower {
    async fn run(mut self, events: impl Stream<Item = watcher::Result<Event<ConfigMap>>>) {
        let mut events = pin!(events);
        loop {
            let due = self.build_at;
            let build = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased; // a stream that is never empty must not keep what was gathered from being read
                () = build => self.build().await,
                event = events.next() => match event {
                    Some(Ok(event)) => self.take(event),
                    Some(Err(error)) => self.lost(&error).await,
                    None => return,
                },
            }
        }
    }

    fn take(&mut self, event: Event<ConfigMap>) {
        match event {
            Event::Init => return self.board.begin_listing(), // says nothing about the server: no pause begins anew
            Event::InitApply(map) => self.board.listed(seen(map)),
            Event::InitDone => self.board.end_listing(),
            Event::Apply(map) => self.board.applied(seen(map)),
            Event::Delete(map) => self.board.deleted(&map.name_any(), version_of(&map)),
        }
        self.pause = SHORTEST_PAUSE;
        if self.board.is_dirty() && self.build_at.is_none() {
            self.build_at = Some(Instant::now() + GATHER);
        }
    }

    /// The watch broke. What was gathered is read at once, and after a pause the watch is taken up again.
    async fn lost(&mut self, error: &watcher::Error) {
        if self.build_at.is_some() {
            self.build().await;
        }
        let problem =
            format!("the ConfigMaps of namespace `{}` can't be watched: {}", self.namespace, chain(error));
        if self.pause == SHORTEST_PAUSE {
            tracing::warn!(problem, "the last good settings stay in use");
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.refuse_unless_loaded(SettingsError::new("the settings' namespace", problem));
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Reads what changed, off the threads that serve requests, and brings it into use.
    async fn build(&mut self) {
        self.build_at = None;
        let mut board = std::mem::replace(&mut self.board, Board::new(BASE));
        let built = tokio::task::spawn_blocking(move || (board.build(), board)).await;
        let Ok((outcome, board)) = built else { return }; // the runtime is shutting down
        self.board = board;
        if let Some(shared) = self.shared.upgrade() {
            shared.take(outcome);
        }
    }
}

/// What settings need of a ConfigMap.
fn seen(map: ConfigMap) -> SeenMap {
    let (name, resource_version) = (map.name_any(), version_of(&map));
    let files = map.data.into_iter().flatten().filter(|(name, _)| parsed::is_ours(name)).collect();
    SeenMap { name, resource_version, files }
}

fn version_of(map: &ConfigMap) -> u64 {
    map.resource_version().and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// What is in use before anything was received: nobody may call.
pub(crate) fn nothing_received(namespace: &str) -> (Snapshot, SettingsError) {
    let problem = format!("waiting for ConfigMaps labelled {LABEL} in namespace `{namespace}`");
    (Snapshot::default(), SettingsError::new("the settings' namespace", problem))
}

#[cfg(test)]
mod tests;
