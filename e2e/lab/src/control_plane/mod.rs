//! A Kubernetes control plane for one test binary: etcd, kube-apiserver and kube-controller-manager as processes on free loopback
//! ports, with RBAC on and every request recorded.
//!
//! It is the real API server, so admission, defaulting, server-side apply, CEL rules, ownership and the garbage collector behave as
//! everywhere. There are no nodes: pods stay `Pending`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use kyb_lab::{ControlPlane, Options};
//!
//! let plane = ControlPlane::start(Options::default()).await?;
//! let admin = plane.client().await?;
//! let eve = plane.client_for("eve", &["auditors"]).await?;
//! let mark = plane.audit_mark().await?;
//! // … what is tested …
//! let writes = plane.audited_since(mark).await?.into_iter().filter(|event| event.is_write()).count();
//! assert_eq!(writes, 0);
//! # Ok(()) }
//! ```
//!
//! | module | what |
//! |---|---|
//! | `keeper` | the script that owns the processes and the folder, and ends with us |
//! | `ports` | free ports |
//! | `starting` | in which order, and how readiness is told |
//! | `access` | kubeconfigs and clients for users and service accounts |

mod access;
mod keeper;
mod ports;
mod starting;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use keeper::Keeper;

use crate::{
    audit::{AuditEvent, AuditLog, Mark},
    components::Layout,
    error::{LabError, Result},
};

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Also kube-controller-manager: default service accounts, garbage collection, replica sets and their pods, namespaces that
    /// end. On by default; without it a namespace that is deleted stays `Terminating`.
    pub controller_manager: bool,
    /// Further flags of kube-apiserver, such as `--feature-gates=…`.
    pub api_server_flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { controller_manager: true, api_server_flags: vec![] }
    }
}

/// A running control plane. Its processes and its folder are gone when this value is dropped, or when the process that holds it
/// ends in whatever way, SIGKILL included.
#[derive(Debug)]
pub struct ControlPlane {
    keeper: Mutex<Keeper>,
    layout: Layout,
    audit_log: AuditLog,
    admin: PathBuf,
}

/// One of the processes, for tests that break them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// Kubernetes's own controllers.
    ControllerManager,
}

impl Process {
    fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
        }
    }
}

impl ControlPlane {
    /// Starts one and waits until it is ready: a few seconds, or about four minutes more where Kubernetes has to be built first.
    pub async fn start(options: Options) -> Result<Self> {
        starting::start(options).await
    }

    /// Where the API server is: `https://127.0.0.1:…`.
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// The kubeconfig of a user that may do everything (`system:masters`, whom no role can refuse anything).
    pub fn kubeconfig(&self) -> &Path {
        &self.admin
    }

    /// `kubectl` of the server's version, as that user.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(self.layout.binaries.path("kubectl"));
        command.env("KUBECONFIG", &self.admin);
        command
    }

    /// Every request that was answered.
    pub fn audit_log(&self) -> &AuditLog {
        &self.audit_log
    }

    /// The end of the audit log, once every request that was answered until now is in it.
    pub async fn audit_mark(&self) -> Result<Mark> {
        self.settle_audit().await?;
        self.audit_log.mark()
    }

    /// The events after a mark, once every request that was answered until now is among them.
    pub async fn audited_since(&self, mark: Mark) -> Result<Vec<AuditEvent>> {
        self.settle_audit().await?;
        self.audit_log.since(mark)
    }

    /// The folder with everything: `log/`, `kubeconfigs/`, `certificates/`.
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// Stops a process in its tracks (SIGSTOP); connections stay open and nothing is answered any more when this returns.
    pub fn pause(&self, process: Process) -> Result<()> {
        let mut keeper = self.keeper();
        keeper.signal(process.name(), "STOP")?;
        keeper.until_stopped(process.name())
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self, process: Process) -> Result<()> {
        self.keeper().signal(process.name(), "CONT")
    }

    /// Kills a process (SIGKILL) and waits for its end.
    pub fn kill(&self, process: Process) -> Result<()> {
        self.keeper().kill(process.name())
    }

    /// Starts a process that was killed, and waits until the API server is ready.
    pub async fn restart(&self, process: Process) -> Result<()> {
        self.keeper().start_again(process.name())?;
        starting::ready(&self.keeper, &self.admin).await
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a request of its own and waits until it is in the log, which is written in the order of the answers.
    async fn settle_audit(&self) -> Result<()> {
        const AT_MOST: Duration = Duration::from_secs(30);
        let sentinel = format!("/version?settled-after={}", unique());
        let client = self.client().await?;
        let before = self.audit_log.mark()?;
        let request = http::Request::get(&sentinel)
            .body(vec![])
            .map_err(|error| LabError::Garbled { what: sentinel.clone(), why: error.to_string() })?;
        client.request_text(request).await.map_err(LabError::api("ask for the version"))?;
        crate::waiting::until("the audit log's next line", AT_MOST, async || {
            let seen = self.audit_log.since(before)?.iter().any(|event| event.request_uri == sentinel);
            Ok(if seen {
                Ok(())
            } else {
                Err(format!("{} has no {sentinel}", self.audit_log.path().display()))
            })
        })
        .await
    }
}

/// Different each time in this process.
fn unique() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
