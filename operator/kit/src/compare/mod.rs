//! Would applying what we want change a live object? Every wanted field must be there with its wanted value; what else
//! is there belongs to the server or to others.
//!
//! The comparison knows what the API server does to a value on its way in: it drops nulls and empty maps and lists,
//! rewrites quantities, adds defaults, and merges certain lists by a key. Where it knows too little it says that
//! something differs, which costs one request that changes nothing, never that nothing does.

mod lists;
mod quantity;

use serde_json::{Map, Value};

pub use quantity::same_quantity;

/// Maps that the server treats as one value: a key that somebody added changes what they mean.
const ATOMIC_MAPS: [&str; 6] =
    ["podSelector", "namespaceSelector", "labelSelector", "selector", "matchLabels", "nodeSelector"];

/// Switches of built-in kinds that the server does not keep while they are off, and that are off where they are absent.
const OFF_WHERE_ABSENT: [&str; 7] =
    ["hostNetwork", "hostPID", "hostIPC", "readOnly", "stdin", "tty", "publishNotReadyAddresses"];

/// A wanted field that is not there with its wanted value.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where: a JSON pointer into the wanted object.
    pub pointer: String,
    /// What the live object has there instead. It may be secret: show the pointer only.
    pub found: Option<Value>,
}

/// All wanted fields that `live` does not have. `apiVersion` and `kind` are not compared: items of a list lack them.
pub fn differences(wanted: &Value, live: &Value) -> Vec<Difference> {
    let mut comparison = Comparison { path: Vec::new(), found: Vec::new() };
    comparison.value(wanted, Some(live));
    comparison.found
}

/// `value` without nulls, empty maps and empty lists, at any depth: two values that say the same become equal.
pub fn normalised(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(key, value)| (key.clone(), normalised(value)));
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(normalised).collect()),
        other => other.clone(),
    }
}

/// Whether the server may keep this as no value at all.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

struct Comparison {
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Comparison {
    fn value(&mut self, wanted: &Value, live: Option<&Value>) {
        match (wanted, live) {
            (Value::Object(wanted), Some(Value::Object(live))) => self.map(wanted, live),
            (Value::Array(wanted), Some(Value::Array(live))) => self.list(wanted, live),
            (wanted, live) => {
                let says_nothing = is_empty(wanted) || self.means_nothing(wanted);
                let absent = says_nothing && live.is_none_or(is_empty);
                if !absent && !live.is_some_and(|live| self.same_scalar(wanted, live)) {
                    self.differs(live);
                }
            }
        }
    }

    fn map(&mut self, wanted: &Map<String, Value>, live: &Map<String, Value>) {
        if self.path.last().is_some_and(|name| ATOMIC_MAPS.contains(&name.as_str())) {
            for (name, live) in
                live.iter().filter(|(name, live)| !wanted.contains_key(*name) && !is_empty(live))
            {
                self.at(name, |inner| inner.differs(Some(live)));
            }
        }
        let compared = |name: &str| !(self.path.is_empty() && matches!(name, "apiVersion" | "kind"));
        let compared: Vec<_> = wanted.iter().filter(|(name, _)| compared(name)).collect();
        for (name, wanted) in compared {
            self.at(name, |inner| inner.value(wanted, live.get(name)));
        }
    }

    fn list(&mut self, wanted: &[Value], live: &[Value]) {
        if let Some(key) = lists::key(&self.path, wanted) {
            for wanted in wanted {
                let id = key.of(wanted);
                self.at(&id, |inner| inner.value(wanted, live.iter().find(|live| key.of(live) == id)));
            }
        } else if lists::is_set(&self.path) {
            for wanted in wanted.iter().filter(|wanted| !live.contains(wanted)) {
                self.at(&wanted.to_string(), |inner| inner.differs(None));
            }
        } else if wanted.len() == live.len() {
            for (index, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                self.at(&index.to_string(), |inner| inner.value(wanted, Some(live)));
            }
        } else {
            self.differs(Some(&Value::Array(live.to_vec())));
        }
    }

    fn same_scalar(&self, wanted: &Value, live: &Value) -> bool {
        match (wanted, live) {
            (Value::Number(wanted), Value::Number(live)) if wanted.as_f64() == live.as_f64() => true,
            _ if wanted == live => true,
            _ => quantity::is_expected_at(&self.path) && same_quantity(wanted, live),
        }
    }

    /// Whether the server drops this value here, since it means the same as none.
    fn means_nothing(&self, wanted: &Value) -> bool {
        match (self.path.as_slice(), wanted) {
            ([.., name], Value::Bool(false)) => OFF_WHERE_ABSENT.contains(&name.as_str()),
            ([.., env, _, value], Value::String(text)) => env == "env" && value == "value" && text.is_empty(),
            _ => false,
        }
    }

    fn at(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        inner(self);
        self.path.pop();
    }

    fn differs(&mut self, found: Option<&Value>) {
        let escaped = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let pointer = self.path.iter().map(escaped).collect();
        self.found.push(Difference { pointer, found: found.cloned() });
    }
}

#[cfg(test)]
mod tests;
