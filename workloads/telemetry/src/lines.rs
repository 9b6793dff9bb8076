//! One line an event: JSON for machines, plain text for people, both without secrets.

use std::{
    fmt::{self, Write as _},
    io::Write as _,
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context, registry::LookupSpan};

use crate::redact;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"timestamp","level","target","message","request_id"?,"span"?,"fields"?}`.
    Json,
    /// Time, level, target, message, then `name=value` for each field.
    Plain,
}

/// Writes a line for each event. Fields of the spans around an event are part of its line.
#[derive(Debug)]
pub struct Lines<W> {
    form: Form,
    writer: W,
}

impl<W> Lines<W> {
    /// Lines of this form to that writer.
    pub fn new(form: Form, writer: W) -> Self {
        Self { form, writer }
    }
}

/// A span's fields, without secrets.
struct SpanFields(Fields);

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = Line::new(event, fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(around)) = span.extensions().get() {
                line.surround(span.name(), around);
            }
        }
        let mut text = match self.form {
            Form::Json => line.json(),
            Form::Plain => line.plain(),
        };
        text.push('\n');
        // Nobody is left to tell when the log itself can't be written.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(text.as_bytes());
    }
}

/// Fields by name, in the order of their names; `message` and what the `log` crate adds apart.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    target: Option<String>,
    values: Map<String, Value>,
}

impl Fields {
    fn text(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = redact::text(value).into_owned(),
            "log.target" => self.target = Some(value.to_owned()),
            name if name.starts_with("log.") => {}
            name => {
                let shown = redact::field(name, value).into_owned();
                self.values.insert(name.trim_start_matches("r#").to_owned(), Value::String(shown));
            }
        }
    }

    /// Numbers and truth values are no secrets.
    fn plain(&mut self, field: &Field, value: Value) {
        if !field.name().starts_with("log.") {
            self.values.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut chain = value.to_string();
        let mut source = value.source();
        while let Some(error) = source {
            let _ = write!(chain, ": {error}"); // writing into a String can't fail
            source = error.source();
        }
        self.text(field, &chain);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.plain(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value.into());
    }
}

/// A line as JSON, in the order in which people read it.
#[derive(Serialize)]
struct JsonLine<'a> {
    timestamp: String,
    level: &'static str,
    target: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// A line being put together.
struct Line {
    at: DateTime<Utc>,
    level: &'static str,
    target: String,
    own: Fields,
    request_id: Option<Value>,
    span: Option<(&'static str, Map<String, Value>)>,
}

impl Line {
    fn new(event: &Event<'_>, mut own: Fields) -> Self {
        let target = own.target.take().unwrap_or_else(|| event.metadata().target().to_owned());
        let request_id = own.values.remove("request_id");
        Self { at: Utc::now(), level: event.metadata().level().as_str(), target, own, request_id, span: None }
    }

    /// Adds the fields of the next span outwards; what is further in wins, the innermost span gives its name.
    fn surround(&mut self, name: &'static str, around: &Fields) {
        let (_, fields) = self.span.get_or_insert_with(|| (name, Map::new()));
        for (name, value) in &around.values {
            if name == "request_id" {
                self.request_id.get_or_insert_with(|| value.clone());
            } else {
                fields.entry(name).or_insert_with(|| value.clone());
            }
        }
    }

    fn json(self) -> String {
        let span = self.span.map(|(name, mut fields)| {
            fields.insert("name".to_owned(), json!(name));
            fields
        });
        let line = JsonLine {
            timestamp: self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            level: self.level,
            target: &self.target,
            message: &self.own.message,
            request_id: self.request_id,
            span,
            fields: self.own.values,
        };
        serde_json::to_string(&line).unwrap_or_default() // texts, numbers and maps of them: nothing in it can fail
    }

    /// Control characters are escaped, so that no value can begin a line of its own or move the cursor.
    fn plain(self) -> String {
        let time = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = format!("{time} {:>5} {}: {}", self.level, self.target, escape(&self.own.message));
        let around = self.span.map(|(_, fields)| fields).unwrap_or_default();
        let request_id = self.request_id.map(|id| ("request_id".to_owned(), id));
        for (name, value) in self.own.values.into_iter().chain(request_id).chain(around) {
            let shown = match value {
                Value::String(text) => escape(&text),
                other => other.to_string(),
            };
            let _ = write!(line, " {name}={shown}"); // writing into a String can't fail
        }
        line
    }
}

fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
