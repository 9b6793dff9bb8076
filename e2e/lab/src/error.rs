//! What can go wrong, and what to do about it.

use std::{path::PathBuf, time::Duration};

/// Why the lab could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Kubernetes is built from source, and there is no compiler.
    #[error(
        "the Go toolchain is missing: install Go 1.26.4 or later (https://go.dev/doc/install); the lab builds Kubernetes with it"
    )]
    NoGo,
    /// Programs that regions need.
    #[error("regions need what is missing here: {}; install it: apt-get install --no-install-recommends {}", .0.join(", "), .0.join(" "))]
    Packages(Vec<String>),
    /// Regions are network namespaces, mounts and cgroups.
    #[error("regions need root: run this as root, such as with sudo")]
    NotRoot,
    /// A file or folder that can't be read or written.
    #[error("can't {doing} {}: {source}", .path.display())]
    File {
        /// Such as `read`.
        doing: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program that can't be started.
    #[error("can't {doing}: `{command}` can't be started ({source}); is it installed and on the PATH?")]
    Spawn {
        /// What it was for.
        doing: String,
        /// With its arguments.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program that failed.
    #[error("can't {doing}: `{command}` failed ({status}). It said:\n{output}")]
    Command {
        /// What it was for.
        doing: String,
        /// With its arguments.
        command: String,
        /// Its exit code or signal.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// A component that should run has ended.
    #[error("{program} ended by itself. The end of its log:\n{log}")]
    Ended {
        /// Its name.
        program: String,
        /// The end of its log.
        log: String,
    },
    /// Something that should have come by now; where the machine is busy, trying again helps.
    #[error("{what} did not happen within {} s: {last}", .after.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
        /// What was seen last.
        last: String,
    },
    /// The API server refused, or could not be reached.
    #[error("can't {doing}: {source}")]
    Api {
        /// What was asked for.
        doing: String,
        /// Its answer.
        source: Box<kube::Error>,
    },
    /// A kubeconfig that can't be used.
    #[error("can't use the kubeconfig {}: {source}", .path.display())]
    Kubeconfig {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: Box<kube::config::KubeconfigError>,
    },
    /// A certificate that can't be made.
    #[error("can't make the certificate of {name}: {source}")]
    Certificate {
        /// Whose.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// What the lab itself wrote can't be understood: another version of it wrote it.
    #[error("can't understand {what}: {why}; if an older lab wrote it, take that down first: kyb-lab down")]
    Garbled {
        /// Which text.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// There is no such region, or too many are asked for.
    #[error("{0}")]
    Region(String),
}

impl LabError {
    /// For `map_err` of what is done to a file.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// For `map_err` of a request.
    pub(crate) fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Api { doing, source: Box::new(source) }
    }
}

/// The result of everything in the lab.
pub type Result<T> = std::result::Result<T, LabError>;
