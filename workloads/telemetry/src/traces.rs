//! Spans to an OpenTelemetry collector by OTLP over HTTP.
//!
//! ```text
//! tracing spans ─ ShareOfAll (head sampling) ─► record all ─ KeepFailures ─► sampled, or failed ─ batch ─► collector
//! ```
//!
//! Whether a trace is sampled is decided at its start, by its parent if there is one (W3C Trace Context), else by chance:
//! 5 % of the traces. Nobody knows at its start that a request will fail, so spans that were not sampled are recorded
//! all the same, and one that failed is sent when it ends. It comes alone: the spans beside it that went well are gone by
//! then. Who wants whole failed traces lets everything through (`OTEL_TRACES_SAMPLER_ARG=1`) and samples in the collector.
//! A span failed when its status is an error (a `tracing` event of level ERROR within it, or a field
//! `otel.status_code = "ERROR"`), or when its field `status` is 500 or more.

use std::time::Duration;

use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{Link, SpanContext, SpanKind, Status, TraceFlags, TraceId},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample, Span,
        SpanData, SpanProcessor,
    },
};

use crate::{logs::TelemetryError, redact};

/// The share of traces that is sampled where nobody says otherwise.
pub const DEFAULT_SHARE: f64 = 0.05;
/// How long the collector may take over one batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
const TRACES_PATH: &str = "/v1/traces";

/// The share wanted by `OTEL_TRACES_SAMPLER_ARG`, a number from 0 to 1; [`DEFAULT_SHARE`] where it is not set.
pub fn share_wanted(setting: Option<&str>) -> Result<f64, TelemetryError> {
    let Some(text) = setting.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(DEFAULT_SHARE) };
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| TelemetryError::Share(text.to_owned()))
}

/// Sends spans of `service` to the collector at `endpoint`. The collector need not be there yet.
pub fn provider(
    service: &'static str,
    endpoint: &str,
    share: f64,
) -> Result<SdkTracerProvider, TelemetryError> {
    // The HTTP client takes the process's TLS provider. If the process has chosen one already, that one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let base = endpoint.trim_end_matches('/').trim_end_matches(TRACES_PATH);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{base}{TRACES_PATH}"))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| TelemetryError::Collector {
            endpoint: redact::text(endpoint).into_owned(),
            source,
        })?;
    let batches = BatchSpanProcessor::builder(exporter).build();
    Ok(SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(service).build())
        .with_sampler(ShareOfAll::new(share))
        .with_span_processor(KeepFailures { inner: batches })
        .build())
}

/// Samples by parent, else a share of all; records the rest, so that failures can be kept.
#[derive(Debug, Clone)]
struct ShareOfAll(Sampler);

impl ShareOfAll {
    fn new(share: f64) -> Self {
        Self(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))))
    }
}

impl ShouldSample for ShareOfAll {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result = self.0.should_sample(parent, trace, name, kind, attributes, links);
        if result.decision == SamplingDecision::Drop {
            result.decision = SamplingDecision::RecordOnly;
        }
        result
    }
}

/// Hands on what was sampled and what failed, without secrets.
#[derive(Debug)]
struct KeepFailures<P> {
    inner: P,
}

impl<P: SpanProcessor> SpanProcessor for KeepFailures<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            if !failed(&span) {
                return;
            }
            span.span_context = sampled(&span.span_context);
        }
        cleanse(&mut span);
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

fn failed(span: &SpanData) -> bool {
    let server_error = |attribute: &KeyValue| {
        attribute.key.as_str() == "status" && matches!(attribute.value, Value::I64(status) if status >= 500)
    };
    matches!(span.status, Status::Error { .. }) || span.attributes.iter().any(server_error)
}

fn sampled(context: &SpanContext) -> SpanContext {
    let flags = context.trace_flags() | TraceFlags::SAMPLED;
    SpanContext::new(
        context.trace_id(),
        context.span_id(),
        flags,
        context.is_remote(),
        context.trace_state().clone(),
    )
}

fn cleanse(span: &mut SpanData) {
    span.attributes.iter_mut().for_each(cleanse_attribute);
    for event in &mut span.events.events {
        event.name = redact::text(&event.name).into_owned().into();
        event.attributes.iter_mut().for_each(cleanse_attribute);
    }
    if let Status::Error { description } = &mut span.status {
        *description = redact::text(description).into_owned().into();
    }
}

fn cleanse_attribute(attribute: &mut KeyValue) {
    let name = attribute.key.as_str().to_owned();
    let clean = |text: &StringValue| StringValue::from(redact::field(&name, text.as_str()).into_owned());
    match &mut attribute.value {
        Value::String(text) => *text = clean(text),
        Value::Array(Array::String(texts)) => texts.iter_mut().for_each(|text| *text = clean(text)),
        _ => {} // numbers and truth values are no secrets
    }
}
