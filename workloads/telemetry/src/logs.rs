//! JSON logs on standard error, and traces by OTLP where configured.

use std::{env, io, panic, time::Duration};

use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    lines::{Form, Lines},
    traces,
};

/// How to log and trace.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The service's name, such as `kyb-gateway`.
    pub service: &'static str,
    /// JSON for machines, or one line of text for people.
    pub json: bool,
    /// OTLP over HTTP, such as `http://collector:4318`; no traces where `None`.
    pub otlp_endpoint: Option<String>,
}

/// How long a process waits at its end for the collector to take the last spans.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Flushes traces when dropped, which takes up to five seconds if the collector does not answer.
#[must_use = "traces are flushed when this is dropped, so keep it until the end of the process"]
#[derive(Debug)]
pub struct TelemetryGuard {
    provider: Option<SdkTracerProvider>,
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Some(Err(error)) =
            self.provider.take().map(|provider| provider.shutdown_with_timeout(FLUSH_TIMEOUT))
        {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `RUST_LOG` is no filter.
    #[error("RUST_LOG is `{text}`, which is no log filter; try `info` or `info,kyb_gateway=debug`: {source}")]
    Filter {
        /// What it is.
        text: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// `OTEL_TRACES_SAMPLER_ARG` is no share.
    #[error(
        "OTEL_TRACES_SAMPLER_ARG is `{0}`; it must be a number from 0 to 1, the share of traces to sample"
    )]
    Share(String),
    /// The sender of traces could not be made.
    #[error("traces can't be sent to {endpoint}; is it a URL such as `http://collector:4318`?")]
    Collector {
        /// The collector, without a password.
        endpoint: String,
        /// Why.
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Telemetry was set up before, here or by somebody else.
    #[error("logging is set up already; call `init` once, at the start of the process")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets up logging and tracing for the whole process; once. The filter comes from `RUST_LOG`, `info` where unset; the share
/// of traces from `OTEL_TRACES_SAMPLER_ARG`, 0.05 where unset.
pub fn init(options: &LogOptions) -> Result<TelemetryGuard, TelemetryError> {
    let filter = filter(env::var("RUST_LOG").ok().as_deref())?;
    let share = traces::share_wanted(env::var("OTEL_TRACES_SAMPLER_ARG").ok().as_deref())?;
    let endpoint = options.otlp_endpoint.as_deref();
    let provider = endpoint.map(|endpoint| traces::provider(options.service, endpoint, share)).transpose()?;
    let form = if options.json { Form::Json } else { Form::Plain };
    let lines = Lines::new(form, io::stderr).with_filter(filter);
    let spans = provider.as_ref().map(|provider| spans_layer(provider, options.service));
    // A panic before anything is set up leaves a guard that flushes what there is.
    let guard = TelemetryGuard { provider };
    tracing_subscriber::registry().with(spans).with(lines).try_init().map_err(TelemetryError::Twice)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    if options.json {
        panic::set_hook(Box::new(log_panic));
    }
    Ok(guard)
}

fn filter(setting: Option<&str>) -> Result<EnvFilter, TelemetryError> {
    let text = setting.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("info");
    EnvFilter::try_new(text).map_err(|source| TelemetryError::Filter { text: text.to_owned(), source })
}

/// Hands spans to the collector. What the sender itself and its HTTP client do is left out: tracing the sending of traces
/// would never end.
pub(crate) fn spans_layer(
    provider: &SdkTracerProvider,
    service: &'static str,
) -> impl Layer<Registry> + use<> {
    let senders = [
        "hyper",
        "hyper_util",
        "h2",
        "reqwest",
        "rustls",
        "opentelemetry",
        "opentelemetry_sdk",
        "opentelemetry_otlp",
    ];
    let targets = Targets::new().with_default(LevelFilter::INFO);
    let targets = targets.with_targets(senders.map(|sender| (sender, LevelFilter::OFF)));
    tracing_opentelemetry::layer().with_tracer(provider.tracer(service)).with_filter(targets)
}

/// A panic as a log line like any other, so that it is redacted and carries the request's id.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let what = panic.payload_as_str().unwrap_or("something that is no text");
    let backtrace = std::backtrace::Backtrace::capture();
    tracing::error!(target: "panic", place, %backtrace, "panicked: {what}");
}

#[cfg(test)]
#[path = "logs_tests.rs"]
mod tests;
