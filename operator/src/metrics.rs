//! What the operator counts.

use std::sync::{Arc, atomic::AtomicU64};

use kyb_kit::Outcome;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::requests::Asked;

/// What was done to children.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Done {
    kind: &'static str,
    did: &'static str,
}

/// The kind whose objects were reconciled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

/// All counters. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    children: Family<Done, Counter>,
    reconciles: Family<OfKind, Counter>,
    api_requests: Family<Asked, Counter>,
    /// 1 while this replica holds the lease.
    pub leader: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kyb_operator");
        let (children, reconciles, leader) = (Family::default(), Family::default(), Gauge::default());
        let api_requests = Family::default();
        registry.register("children", "Children by owner's kind and what was done to them", children.clone());
        registry.register("reconciles", "Reconciles by kind", reconciles.clone());
        registry.register(
            "api_requests",
            "Requests to the API server by verb, resource and the answer's code",
            Family::clone(&api_requests),
        );
        registry.register("leader", "1 while this replica holds the lease", leader.clone());
        Self { registry: Arc::new(registry), children, reconciles, api_requests, leader }
    }
}

impl Metrics {
    /// Counts what came of applying an object's children.
    pub fn applied(&self, kind: &'static str, outcome: &Outcome) {
        let done = [
            ("created", outcome.created),
            ("updated", outcome.updated),
            ("unchanged", outcome.unchanged),
            ("pruned", outcome.pruned),
            ("failed", outcome.failures.len()),
        ];
        for (did, count) in done {
            self.children.get_or_create(&Done { kind, did }).inc_by(count as u64);
        }
        self.reconciles.get_or_create(&OfKind { kind }).inc();
    }

    /// Counts a request to the API server.
    pub(crate) fn asked(&self, asked: &Asked) {
        self.api_requests.get_or_create(asked).inc();
    }

    /// The OpenMetrics text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(), // writing to a String does not fail
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_counted_by_kind() {
        let metrics = Metrics::default();
        metrics.applied("KybTenant", &Outcome { created: 3, unchanged: 2, ..Outcome::default() });
        let text = metrics.render();
        assert!(text.contains(r#"kyb_operator_children_total{kind="KybTenant",did="created"} 3"#), "{text}");
        assert!(text.contains(r#"kyb_operator_reconciles_total{kind="KybTenant"} 1"#), "{text}");
    }
}
