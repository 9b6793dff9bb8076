//! A metric family that can't grow without end.
//!
//! Every distinct set of label values is a series that this process and every Prometheus behind it keep for good. Labels
//! come from known tenants and route templates, but a mistake in a caller must not become a memory leak, so each family
//! takes so many sets and counts what comes later under labels that say `other`.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, TypedMetric, family::Family},
};

/// The most label sets of one family.
pub const MOST_SERIES: usize = 20_000;

/// What labels the series beyond the bound, and values that are not known ones.
pub const OTHER: &str = "other";

/// Labels that can be folded together.
pub trait Fold {
    /// The same labels with every value that is not from a small fixed set replaced by [`OTHER`].
    #[must_use]
    fn folded(&self) -> Self;
}

/// A family of at most [`MOST_SERIES`] series and the few folded ones.
#[derive(Debug)]
pub(crate) struct Bounded<S, M, C = fn() -> M> {
    family: Family<S, M, C>,
    /// How many series were made; two threads that make the same one at once count it twice, which errs to the safe side.
    made: Arc<AtomicUsize>,
}

impl<S, M> Bounded<S, M>
where
    S: Clone + Hash + Eq + Fold,
    M: Clone,
{
    pub(crate) fn new(make: fn() -> M) -> Self {
        Self { family: Family::new_with_constructor(make), made: Arc::default() }
    }

    /// The metric for `labels`, or for their folded form where there are too many already.
    pub(crate) fn get(&self, labels: &S) -> M {
        if let Some(metric) = self.family.get(labels) {
            return metric.clone();
        }
        if self.made.fetch_add(1, Ordering::Relaxed) < MOST_SERIES {
            return self.family.get_or_create_owned(labels);
        }
        self.made.store(MOST_SERIES, Ordering::Relaxed); // it must not overflow
        self.family.get_or_create_owned(&labels.folded())
    }
}

impl<S, M, C: Clone> Clone for Bounded<S, M, C> {
    fn clone(&self) -> Self {
        Self { family: self.family.clone(), made: Arc::clone(&self.made) }
    }
}

impl<S, M> EncodeMetric for Bounded<S, M>
where
    S: Clone + Hash + Eq + EncodeLabelSet,
    M: EncodeMetric + TypedMetric + Clone,
{
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.family.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.family.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.family.is_empty()
    }
}
