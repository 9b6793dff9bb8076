//! What was asked for, in order.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use tokio::time::Instant;

use crate::{Target, Verb};

/// The requests and events of one scope, in order.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Requests, those that faults kept from the server included.
    pub requests: Vec<Request>,
    /// The objects that events of watches told of.
    pub events: Vec<Target>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What it was about.
    pub target: Target,
    /// When it was made.
    pub at: Instant,
    answered: Arc<OnceLock<u16>>,
}

impl Request {
    pub(crate) fn now(target: Target) -> Self {
        Self { target, at: Instant::now(), answered: Arc::default() }
    }

    /// What the server answered, whether or not the client got to know; None where it was never asked, or is still at it.
    pub fn code(&self) -> Option<u16> {
        self.answered.get().copied()
    }

    pub(crate) fn answer(&self, code: u16) {
        let _ = self.answered.set(code); // answered once only
    }

    /// Whether the server made an object.
    pub fn has_created(&self) -> bool {
        self.target.subresource.is_none() && self.target.verb.is_write() && self.code() == Some(201)
    }

    /// Whether the server took the deletion of an object.
    pub fn has_deleted(&self) -> bool {
        self.target.verb == Verb::Delete && matches!(self.code(), Some(200 | 202))
    }
}

impl Record {
    /// How often each thing was asked for or told: what a plan can strike at.
    pub fn targets(&self) -> BTreeMap<Target, usize> {
        count(self.requests.iter().map(|request| &request.target).chain(&self.events).cloned())
    }

    /// How often each object was made.
    pub fn created(&self) -> BTreeMap<Target, usize> {
        count(self.requests.iter().filter(|request| request.has_created()).map(|one| one.target.object()))
    }

    /// How often each object was deleted.
    pub fn deleted(&self) -> BTreeMap<Target, usize> {
        count(self.requests.iter().filter(|request| request.has_deleted()).map(|one| one.target.object()))
    }

    /// When something was written last.
    pub fn last_write(&self) -> Option<Instant> {
        self.requests.iter().rev().find(|request| request.target.verb.is_write()).map(|request| request.at)
    }
}

fn count<T: Ord>(of: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    counts
}
