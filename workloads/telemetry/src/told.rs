//! A gauge that says nothing until somebody has set it: a process without a source for a figure must not report a zero.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, gauge::Gauge},
};

/// A gauge without labels that is silent until it is first set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    gauge: Gauge,
    told: Arc<AtomicBool>,
}

impl Told {
    pub(crate) fn set(&self, value: i64) {
        self.gauge.set(value);
        self.told.store(true, Ordering::Release);
    }
}

impl EncodeMetric for Told {
    fn encode(&self, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.gauge.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }

    fn is_empty(&self) -> bool {
        !self.told.load(Ordering::Acquire)
    }
}
