//! What `init` sets up for a whole process. One test only, as a process is set up once.

use kyb_telemetry::logs::{LogOptions, TelemetryError, init};

#[test]
fn a_process_is_set_up_once_and_understands_w3c_trace_context() {
    let options = LogOptions { service: "kyb-test", json: true, otlp_endpoint: None };
    let _guard = init(&options).unwrap();
    assert!(matches!(init(&options), Err(TelemetryError::Twice(_))));
    let fields = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.fields().map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(fields, ["traceparent", "tracestate"]);
    assert!(std::panic::catch_unwind(|| panic!("logged as a line")).is_err());
}
