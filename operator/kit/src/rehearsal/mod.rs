//! A client with which a reconcile can be tried out: it reads as always and changes nothing.
//!
//! ```text
//! reconcile ─► Client ─► rehearsal ┬ read ────────► what was rehearsed before, else the server, else "not found"
//!                                  ├ write ───────► the server with `dryRun=All`  ─► noted: before, after, or the refusal
//!                                  ├ write where the server can't know (an object of a namespace that was only rehearsed, or no
//!                                  │ server at all) ► answered here, as sent      ─► noted
//!                                  └ status, event ► answered here                ─► statuses are noted
//! ```
//!
//! So what is planned is what the reconcile itself asks for, refusals, order and all, and not what some second program thinks that
//! it would ask for. What the server alone can know (defaults, admission policies, immutable fields) is in the dry run's answer.
//!
//! | module | what |
//! |---|---|
//! | `service` | decides about each request |
//! | `stage` | what was rehearsed, and answers made from it |
//! | [`mod@changes`] | which fields differ before and after, and who owns them |

pub mod changes;
mod service;
mod stage;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::{
    Client, Config,
    client::{ClientBuilder, ConfigExt as _},
    core::Status,
};
use serde_json::Value;

pub use changes::{Change, bare, changes};
use service::{NoServer, Rehearse};
use stage::Stage;

/// What happens to an object that the cluster has taken in, as far as the reconcile waits for it: a Job that comes to its end.
/// Called with each object that is answered to a write.
pub type Foresee = fn(&mut Value);

/// How long the server may take for an answer.
const LONGEST: Duration = Duration::from_secs(30);

/// What the reconcile asked for about one object, all of its writes together.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was asked for first.
    pub verb: Verb,
    /// The object's path, such as `/api/v1/namespaces/one`.
    pub path: String,
    /// The field manager, where one was named.
    pub manager: Option<String>,
    /// The object as the server has it now, with its managed fields; none where there is none.
    pub before: Option<Value>,
    /// What came of the last write.
    pub outcome: Outcome,
}

/// What a write asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// An object that is not there.
    Create,
    /// An object that is there.
    Change,
    /// That an object goes.
    Delete,
}

/// What came of a write.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The object as it would be; none where it would be gone.
    Done(Option<Value>),
    /// The server would refuse.
    Refused(Box<Status>),
}

/// What was rehearsed with the client that was made along with it. All clones see the same.
#[derive(Clone)]
pub struct Rehearsal(Arc<Mutex<Stage>>);

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").finish_non_exhaustive() // it holds Secrets
    }
}

impl Rehearsal {
    /// A client that reads from a cluster and tries its writes there.
    pub fn in_cluster(config: &Config, foresee: Foresee) -> Result<(Client, Self), kube::Error> {
        let rehearsal = Self(Arc::new(Mutex::new(Stage::new(foresee))));
        let layer = {
            let rehearsal = rehearsal.clone();
            tower::layer::layer_fn(move |server| Rehearse::new(server, rehearsal.clone(), true))
        };
        let https = config.rustls_https_connector()?;
        let connections =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build(https);
        let service = tower::ServiceBuilder::new()
            .layer(layer)
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .timeout(LONGEST)
            .service(connections);
        Ok((ClientBuilder::new(service, config.default_namespace.clone()).build(), rehearsal))
    }

    /// A client of a cluster that has nothing.
    pub fn without_cluster(foresee: Foresee) -> (Client, Self) {
        let rehearsal = Self(Arc::new(Mutex::new(Stage::new(foresee))));
        let service = Rehearse::new(NoServer, rehearsal.clone(), false);
        (Client::new(service, "default"), rehearsal)
    }

    /// What was asked for so far, in the order in which the objects were first written.
    pub fn steps(&self) -> Vec<Step> {
        self.stage().steps.clone()
    }

    /// The newest status of each object that one was written for, by the object's path.
    pub fn statuses(&self) -> BTreeMap<String, Value> {
        self.stage().statuses.clone()
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
