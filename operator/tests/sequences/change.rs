//! One change of a spec.

use std::{collections::BTreeSet, fmt, sync::LazyLock};

use serde_json::Value;

use crate::{
    hints,
    schema::{Field, Kind, Place, Step, fields},
    values::{Class, To, least, sample, values},
};

/// A field changed to a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) place: Place,
    pub(crate) class: Class,
    to: To,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, class, to } = self;
        match to {
            To::Value(value) => {
                let text: String = value.to_string().chars().take(100).collect();
                write!(f, "{place} := {text} ({class})")
            }
            To::Nothing => write!(f, "{place} taken out ({class})"),
            To::Broken { rule, .. } if *class == Class::Unusable => {
                write!(f, "{place}.{rule} that can't be used")
            }
            To::Broken { rule, .. } => write!(f, "{place} against the rule “{rule}”"),
        }
    }
}

/// Every change of one field of a kind.
pub(crate) fn changes(kind: Kind) -> Vec<Change> {
    fields(kind).iter().flat_map(|field| Class::ALL.into_iter().flat_map(|class| of(field, class))).collect()
}

/// Changes to what the schema takes and the platform can't use.
pub(crate) fn unusable(kind: Kind) -> Vec<Change> {
    let change = |(place, field, patch): (Place, &str, Value)| Change {
        place,
        class: Class::Unusable,
        to: To::Broken { rule: field.to_owned(), patch },
    };
    hints::unusable(kind).into_iter().map(change).collect()
}

/// The changes of a field to values of a class.
pub(crate) fn of(field: &Field, class: Class) -> Vec<Change> {
    let change = |to| Change { place: field.place.clone(), class, to };
    values(field, class).into_iter().map(change).collect()
}

static FULL: LazyLock<[Value; 3]> =
    LazyLock::new(|| Kind::ALL.map(|kind| sample(&Place::root(kind), kind.spec(), 0)));
static LEAST: LazyLock<[Value; 3]> =
    LazyLock::new(|| Kind::ALL.map(|kind| least(&Place::root(kind), kind.spec())));

/// A spec with every field but those that exclude others.
pub(crate) fn full_spec(kind: Kind) -> Value {
    FULL[kind as usize].clone()
}

/// A spec with what is needed and nothing else.
pub(crate) fn least_spec(kind: Kind) -> Value {
    LEAST[kind as usize].clone()
}

impl Change {
    /// The spec with this change. What is on the way to the place, and missing, is made.
    pub(crate) fn of_spec(&self, spec: &Value) -> Value {
        let mut spec = spec.clone();
        match &self.to {
            To::Value(value) => put(&self.place, &mut spec, |_| Some(value.clone())),
            To::Nothing => put(&self.place, &mut spec, |_| None),
            To::Broken { patch, .. } => put(&self.place, &mut spec, |there| Some(laid_over(there, patch))),
        }
        if self.class.is_taken() {
            hints::change_along(&self.place, &mut spec);
            take_doubles_out(self.place.kind.spec(), &mut spec);
        }
        spec
    }

    /// The names of the fields that it is about.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let told = match &self.to {
            To::Broken { rule, .. } if self.class == Class::Unusable => Some(rule.as_str()),
            _ => None,
        };
        self.place.names().chain(told)
    }

    /// What tells it from other changes in a report: fields, in the singular, and values.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.names().map(|name| name.strip_suffix('s').unwrap_or(name).to_lowercase()).collect();
        if let To::Value(value) | To::Broken { patch: value, .. } = &self.to {
            texts(value, &mut words);
        }
        words
    }

    /// The message of the rule that it breaks, and what the spec must have been before where the rule is about that.
    pub(crate) fn breaks(&self) -> Option<(&str, Value)> {
        match &self.to {
            To::Broken { rule, .. } => Some((rule, hints::before_breaking(rule))),
            To::Value(_) | To::Nothing => None,
        }
    }
}

/// The texts in a value that are too long to stand somewhere by chance.
fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() > 2 => all.push(text.to_lowercase()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, all)),
        _ => (),
    }
}

/// Puts at a place what `change` makes of what is there; nothing takes it out.
fn put(place: &Place, spec: &mut Value, change: impl FnOnce(&Value) -> Option<Value>) {
    let (mut there, mut at, mut schema) = (spec, Place::root(place.kind), place.kind.spec());
    let Some((last, way)) = place.steps.split_last() else {
        *there = change(there).unwrap_or_default();
        return;
    };
    for step in way {
        there = enter(there, &at, schema, step);
        schema = inner(schema, step);
        at = at.below(step.clone());
    }
    let target = enter(there, &at, schema, last);
    match change(target) {
        Some(value) => *target = value,
        None => leave(there, last),
    }
}

/// What a step leads to, with what it excludes gone; the least that fits where there was nothing.
fn enter<'a>(there: &'a mut Value, at: &Place, schema: &Value, step: &Step) -> &'a mut Value {
    let make = || least(&at.below(step.clone()), inner(schema, step));
    match step {
        Step::Field(name) => {
            if let Some(fields) = there.as_object_mut() {
                for rival in hints::rivals(at, name) {
                    fields.remove(*rival);
                }
            }
            if there.get(name).is_none() {
                there[name] = make();
            }
            &mut there[name]
        }
        Step::Item => {
            if there.get(0).is_none() {
                *there = Value::Array(vec![make()]);
            }
            &mut there[0]
        }
        Step::Entry => {
            let first = there.as_object().and_then(|map| map.keys().next().cloned());
            let first = first.unwrap_or_else(|| hints::key(at, 0));
            if there.get(&first).is_none() {
                there[&first] = make();
            }
            &mut there[&first]
        }
    }
}

fn leave(there: &mut Value, step: &Step) {
    if let (Step::Field(name), Some(fields)) = (step, there.as_object_mut()) {
        fields.remove(name);
    }
}

fn inner<'a>(schema: &'a Value, step: &Step) -> &'a Value {
    match step {
        Step::Field(name) => &schema["properties"][name],
        Step::Item => &schema["items"],
        Step::Entry => &schema["additionalProperties"],
    }
}

/// Leaves of items with the same key the first: an item that was changed may now have another one's.
fn take_doubles_out(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                take_doubles_out(&schema["properties"][name], field);
            }
        }
        Value::Array(items) => {
            let mut seen = BTreeSet::new();
            items.retain(|item| key_of(schema, item).is_none_or(|key| seen.insert(key)));
            for item in items {
                take_doubles_out(&schema["items"], item);
            }
        }
        _ => (),
    }
}

/// By what an item of a list is told from the others; nothing where no field is meant to.
fn key_of(list: &Value, item: &Value) -> Option<String> {
    match list["x-kubernetes-list-type"].as_str()? {
        "map" => {
            let keys = list["x-kubernetes-list-map-keys"].as_array()?.iter();
            Some(keys.map(|key| item[key.as_str().unwrap_or_default()].to_string()).collect())
        }
        "set" => Some(item.to_string()),
        _ => None,
    }
}

/// JSON Merge Patch (RFC 7396).
pub(crate) fn laid_over(target: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return patch.clone() };
    let mut fields = target.as_object().cloned().unwrap_or_default();
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            let merged = laid_over(fields.get(name).unwrap_or(&Value::Null), change);
            fields.insert(name.clone(), merged);
        }
    }
    Value::Object(fields)
}
