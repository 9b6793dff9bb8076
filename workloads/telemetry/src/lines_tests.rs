use std::sync::{Arc, Mutex};

use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// What was written, line by line.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(form: Form, doing: impl FnOnce()) -> Vec<String> {
    let paper = Paper::default();
    let writer = paper.clone();
    let subscriber = tracing_subscriber::registry().with(Lines::new(form, move || writer.clone()));
    tracing::subscriber::with_default(subscriber, doing);
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn json_line(doing: impl FnOnce()) -> Value {
    let lines = written(Form::Json, doing);
    let [line] = &lines[..] else { panic!("one line, not {lines:?}") };
    serde_json::from_str(line).unwrap()
}

#[test]
fn a_line_says_when_how_bad_where_what_and_for_which_request() {
    let mut line = json_line(|| {
        let request = tracing::info_span!("request", request_id = "req_1", tenant = tracing::field::Empty);
        request.record("tenant", "acme");
        let _in_request = request.enter();
        let _inner = tracing::info_span!("screen", lists = 2, tenant = "inner").entered();
        tracing::warn!(target: "kyb", took_us = 12_u64, fresh = true, name = ?Some("x"), "slow");
    });
    let at: DateTime<Utc> = line["timestamp"].as_str().unwrap().parse().unwrap();
    assert!((Utc::now() - at).num_seconds().abs() < 60);
    line.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(
        line,
        json!({
            "level": "WARN", "target": "kyb", "message": "slow", "request_id": "req_1",
            "span": {"name": "screen", "lists": 2, "tenant": "inner"},
            "fields": {"took_us": 12, "fresh": true, "name": "Some(\"x\")"},
        })
    );
}

const KEY: &str = "kyb_live_acme01_Zm9vYmFyMDEyMzQ1Njc4OS1hYmNkZWZnaGlqa2xtbm8";

fn log_secrets() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "only its Debug output matters")]
    struct Options {
        password: &'static str,
    }
    let error = std::io::Error::other(format!("can't reach postgres://kyb:hunter2@db/kyb with {KEY}"));
    let span = tracing::info_span!(
        "request",
        authorization = "Bearer hunter2",
        header = KEY,
        api_key = tracing::field::Empty
    );
    span.record("api_key", "hunter2");
    let _in_span = span.entered();
    tracing::error!(
        error = &error as &dyn std::error::Error,
        options = ?Options { password: "hunter2" },
        db_password = "hunter2",
        token = %"hunter2",
        "refused {KEY} for postgres://kyb:hunter2@db"
    );
}

#[test]
fn no_secret_is_written_in_either_form() {
    for form in [Form::Json, Form::Plain] {
        let line = written(form, log_secrets).concat();
        assert!(!line.contains("hunter2") && !line.contains("Zm9v"), "{line}");
        assert!(line.contains("kyb_live_acme01_[redacted]") && line.contains("kyb:[redacted]@db"), "{line}");
    }
}

#[test]
fn without_redaction_the_same_events_would_show_the_secrets() {
    let paper = Paper::default();
    let writer = paper.clone();
    let usual = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(usual), log_secrets);
    let line = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(line.contains("hunter2") && line.contains("Zm9v"), "{line}");
}

#[test]
fn no_value_can_forge_a_line() {
    let lines = written(Form::Plain, || {
        tracing::info!(name = "a\nERROR forged\u{1b}[2J", "b\r\nERROR forged");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with(r"tests: b\r\nERROR forged name=a\nERROR forged\u{1b}[2J"), "{lines:?}");
}

#[test]
fn a_json_line_begins_with_its_time() {
    let lines = written(Form::Json, || tracing::info!(a = 1, "hello"));
    assert!(lines[0].starts_with("{\"timestamp\":\"20"), "{lines:?}");
}
