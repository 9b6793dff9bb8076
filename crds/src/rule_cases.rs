//! Cases for rules: an object, a change of it, and the one message that the change is refused with.
//!
//! Every case runs twice: against the schema as it is, and against the schema without the rule that refuses it. The second
//! run must accept; otherwise the case would prove nothing about that rule.

use kube::{CustomResourceExt, core::cel::Validator};
use serde_json::Value;

use crate::schema::definition;

/// One change.
pub(crate) struct Case {
    /// Laid over the kind's good object; what the object was before, where the rule is about a change.
    pub(crate) before: Option<Value>,
    /// Laid over the kind's good object.
    pub(crate) after: Value,
    /// What the API server says; `None` where it accepts.
    pub(crate) refusal: Option<&'static str>,
}

/// A new object that is accepted.
pub(crate) fn accepts(after: Value) -> Case {
    Case { before: None, after, refusal: None }
}

/// A new object that is refused.
pub(crate) fn refuses(after: Value, message: &'static str) -> Case {
    Case { before: None, after, refusal: Some(message) }
}

/// A change that is accepted.
pub(crate) fn accepts_change(before: Value, after: Value) -> Case {
    Case { before: Some(before), after, refusal: None }
}

/// A change that is refused.
pub(crate) fn refuses_change(before: Value, after: Value, message: &'static str) -> Case {
    Case { before: Some(before), after, refusal: Some(message) }
}

/// Runs every case, with its rule and without, and sees that no rule was forgotten.
pub(crate) fn run<K: CustomResourceExt>(good: &Value, cases: &[Case]) {
    let schema = schema::<K>();
    assert_eq!(problems(&schema, good, None), Vec::<String>::new(), "the good object");
    for case in cases {
        let (after, before) =
            (laid_over(good, &case.after), case.before.as_ref().map(|b| laid_over(good, b)));
        let wanted: Vec<String> = case.refusal.iter().map(|message| (*message).to_owned()).collect();
        assert_eq!(problems(&schema, &after, before.as_ref()), wanted, "{}", case.after);
        if let Some(message) = case.refusal {
            let twin = without_rule(&schema, message);
            assert_eq!(
                problems(&twin, &after, before.as_ref()),
                Vec::<String>::new(),
                "twin of {}",
                case.after
            );
        }
    }
    let tested = |message: &String| cases.iter().any(|case| case.refusal == Some(message.as_str()));
    let forgotten: Vec<_> = messages(&schema).into_iter().filter(|message| !tested(message)).collect();
    assert_eq!(forgotten, Vec::<String>::new(), "rules without a case");
}

fn schema<K: CustomResourceExt>() -> Value {
    let crd = definition::<K>();
    serde_json::to_value(crd.spec.versions.into_iter().next().and_then(|version| version.schema))
        .map(|mut schema| schema["openAPIV3Schema"].take())
        .unwrap_or_default()
}

fn problems(schema: &Value, after: &Value, before: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(schema, after, before) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.message.clone()).collect(),
    }
}

const RULES: &str = "x-kubernetes-validations";

fn messages(schema: &Value) -> Vec<String> {
    let own = schema.get(RULES).and_then(Value::as_array).into_iter().flatten();
    let own = own.filter_map(|rule| rule["message"].as_str().map(str::to_owned));
    let inner: Vec<String> = match schema {
        Value::Object(fields) => fields.values().flat_map(messages).collect(),
        Value::Array(items) => items.iter().flat_map(messages).collect(),
        _ => Vec::new(),
    };
    own.chain(inner).collect()
}

fn without_rule(schema: &Value, message: &str) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::Array(rules) if name == RULES => {
                    let kept = rules.iter().filter(|rule| rule["message"] != message).cloned();
                    (name.clone(), Value::Array(kept.collect()))
                }
                value => (name.clone(), without_rule(value, message)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| without_rule(item, message)).collect(),
        other => other.clone(),
    }
}

/// JSON Merge Patch (RFC 7396).
fn laid_over(target: &Value, patch: &Value) -> Value {
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
