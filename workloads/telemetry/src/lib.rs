//! Metrics, traces and logs: every name in one place.
//!
//! | module | what |
//! |---|---|
//! | [`metrics`], [`bounded`] | counters, histograms and gauges, and the bound on how many series a caller can make |
//! | [`logs`] | sets everything up; [`lines`] writes one line an event, JSON or plain |
//! | [`traces`] | spans to an OTLP collector: a share of all, and every failed one |
//! | [`redact`] | takes secrets out of what is logged or traced |
//!
//! The names stand in `docs/metrics.md`, and a test keeps page and code equal.

pub mod bounded;
pub mod lines;
pub mod logs;
pub mod metrics;
pub mod redact;
mod told;
pub mod traces;

pub use metrics::Metrics;
