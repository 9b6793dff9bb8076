//! What every running gateway and worker says of itself, so that one of them can report for all of them.

use std::{future::Future, pin::pin, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{Store, StoreError};

/// A process says what it uses at least this often.
pub const BEAT_EVERY: Duration = Duration::from_secs(2);
/// However often something changes, a process says so no oftener than this.
const BEAT_AT_MOST_EVERY: Duration = Duration::from_millis(100);

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Its pod, 1 to 253 bytes.
    pub pod: String,
    /// What it is.
    pub component: Component,
    /// The version that it runs.
    pub version: String,
    /// The highest resource version among its settings; `None` where it has none yet, or they do not come from a cluster.
    pub resource_version: Option<u64>,
    /// Files of the settings whose newest version it does not use.
    pub refused: Vec<RefusedFile>,
    /// How often its caches hit, of late.
    pub caches: Vec<CacheLookups>,
}

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Component {
    /// The HTTP API.
    Gateway,
    /// Queued and scheduled work.
    Worker,
}

/// A file that is not in use, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedFile {
    /// Its name.
    pub file: String,
    /// What is wrong with it. Holds no key or hash.
    pub problem: String,
}

/// Look-ups of one class of results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheLookups {
    /// The class.
    pub class: String,
    /// Those that were answered from memory.
    pub hits: u64,
    /// All of them.
    pub all: u64,
}

impl Component {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Worker => "worker",
        }
    }
}

impl TryFrom<String> for Component {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "gateway" => Ok(Self::Gateway),
            "worker" => Ok(Self::Worker),
            _ => Err(format!("`{name}` is no component")),
        }
    }
}

impl Store {
    /// Notes a heartbeat and forgets those of pods that said nothing for a minute.
    pub async fn beat(&self, heartbeat: &Heartbeat) -> Result<(), StoreError> {
        let version = heartbeat.resource_version.map(i64::try_from).transpose();
        sqlx::query("SELECT kyb.beat($1, $2, $3, $4, $5, $6)")
            .bind(&heartbeat.pod)
            .bind(heartbeat.component.as_str())
            .bind(&heartbeat.version)
            .bind(version.map_err(StoreError::corrupt("resource version"))?)
            .bind(Json(&heartbeat.refused))
            .bind(Json(&heartbeat.caches))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// The newest heartbeat of every pod that gave one within a minute, by pod.
    pub async fn heartbeats(&self) -> Result<Vec<Heartbeat>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.heartbeats()");
        let rows: Vec<Row> = call.fetch_all(self.pool()).await?;
        rows.into_iter().map(Row::heartbeat).collect()
    }

    /// Takes back a pod's heartbeat, for a process that stops in good order: nobody should wait for it.
    pub async fn end_heartbeat(&self, pod: &str) -> Result<(), StoreError> {
        let call = sqlx::query("DELETE FROM kyb.workload_heartbeats WHERE pod = $1");
        call.bind(pod).execute(self.pool()).await?;
        Ok(())
    }

    /// Says what `state` gives, every [`BEAT_EVERY`] and whenever `changed` resolves, until `stop`; then takes it back. A
    /// failure is logged once and tried again.
    pub async fn keep_beating<C: Future<Output = ()>>(
        self,
        state: impl Fn() -> Heartbeat,
        changed: impl Fn() -> C,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        let mut failing = false;
        loop {
            let change = changed(); // before the state is read, so that no change falls between the two
            let outcome = self.beat(&state()).await;
            if let (Err(error), false) = (&outcome, failing) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "can't say what this process uses; going on to try");
            }
            failing = outcome.is_err();
            let pause = async {
                tokio::time::sleep(BEAT_AT_MOST_EVERY).await;
                let _ = tokio::time::timeout(BEAT_EVERY.saturating_sub(BEAT_AT_MOST_EVERY), change).await;
            };
            tokio::select! {
                () = &mut stop => break,
                () = pause => {}
            }
        }
        let _ = self.end_heartbeat(&state().pod).await; // else it is forgotten after a minute
    }
}

#[derive(FromRow)]
struct Row {
    pod: String,
    component: String,
    version: String,
    resource_version: Option<i64>,
    refused: Json<Vec<RefusedFile>>,
    caches: Json<Vec<CacheLookups>>,
}

impl Row {
    fn heartbeat(self) -> Result<Heartbeat, StoreError> {
        let version = self.resource_version.map(u64::try_from).transpose();
        Ok(Heartbeat {
            pod: self.pod,
            component: Component::try_from(self.component).map_err(StoreError::corrupt("component"))?,
            version: self.version,
            resource_version: version.map_err(StoreError::corrupt("resource version"))?,
            refused: self.refused.0,
            caches: self.caches.0,
        })
    }
}
