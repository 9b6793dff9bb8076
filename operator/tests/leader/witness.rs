//! How long the API server itself stood still, and when.
//!
//! The lease's promise rests on a server that takes a write in, or gives it up, within the lease's margin (see
//! `kyb_kit::lease`). On a machine with more to do than it can, kube-apiserver or etcd may get no processor for longer than
//! that; a write that lay in it meanwhile says nothing about the replica that sent it. So somebody who has nothing to do with
//! replicas asks the server the cheapest question that still goes through etcd, over and over.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::task::JoinHandle;

use crate::history::{Micros, now};

/// Between two questions.
const EVERY: Duration = Duration::from_millis(20);

/// When the server took long to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stall {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

/// Asks for as long as it lives.
pub(crate) struct Witness {
    stalls: Arc<Mutex<Vec<Stall>>>,
    asking: JoinHandle<()>,
}

impl Witness {
    /// Notes each answer that takes longer than `patience`.
    pub(crate) fn of(client: Client, patience: Duration) -> Self {
        let stalls = Arc::default();
        let asking = tokio::spawn(ask(client, patience, Arc::clone(&stalls)));
        Self { stalls, asking }
    }

    /// When the server stood still so far.
    pub(crate) fn stalls(&self) -> Vec<Stall> {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.asking.abort();
    }
}

async fn ask(client: Client, patience: Duration, stalls: Arc<Mutex<Vec<Stall>>>) {
    let leases = Api::<Lease>::namespaced(client, "kyb-system");
    loop {
        let from = now();
        // Without a resourceVersion etcd itself is asked. An error, too, is an answer.
        let _ = leases.get_metadata_opt("kyb-operator").await;
        let to = now();
        if u128::try_from(to - from).unwrap_or_default() > patience.as_micros() {
            stalls.lock().unwrap_or_else(PoisonError::into_inner).push(Stall { from, to });
        }
        tokio::time::sleep(EVERY).await;
    }
}
