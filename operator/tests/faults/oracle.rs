//! When two scopes are in the same state: all of their objects, with what differs by nature taken out.
//!
//! Names of the scope read `SCOPE`. What is unique (uids, keys, digests) is numbered in the order in which it is met, so that it stays
//! comparable: a label that carries another uid than that of its owner is a difference. Times, versions, counts of failures and what
//! the API server picks (cluster addresses, ports) are taken out. Events are not looked at: they tell what happened on the way, and
//! that differs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
    sync::LazyLock,
};

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::world::Key;

/// The objects of a scope, comparable with those of another.
pub(crate) type State = BTreeMap<String, Value>;

/// What the objects of `scope` are, as far as they are to be the same.
pub(crate) fn state(scope: &str, objects: BTreeMap<Key, Value>) -> State {
    let mut named: Vec<_> =
        staying(objects).into_iter().map(|(key, object)| (name(scope, &key), trimmed(object))).collect();
    named.sort_by(|one, other| one.0.cmp(&other.0));
    for place in 1..named.len() {
        if named[place - 1].0.starts_with(&named[place].0) {
            named[place].0 = format!("{} again", named[place - 1].0); // two that differ in their digests only
        }
    }
    let mut seen = HashMap::new();
    let unique = |(name, object): (String, Value)| {
        let text = object.to_string().replace(scope, SCOPE);
        let text = TIME.replace_all(&text, "TIME");
        let text = UNIQUE.replace_all(&text, |found: &Captures<'_>| {
            let next = seen.len() + 1;
            format!("#{}", seen.entry(found[0].to_owned()).or_insert(next))
        });
        (name, serde_json::from_str(&text).unwrap_or(Value::String(text.into_owned())))
    };
    named.into_iter().map(unique).collect()
}

/// How a scope's name is written in a state.
pub(crate) const SCOPE: &str = "SCOPE";

/// A name of a scope's object as it is in any scope: without the scope, and without a digest of what the object holds.
pub(crate) fn for_any(scope: &str, name: &str) -> String {
    let name = name.replace(scope, SCOPE);
    DIGEST.replace(&name, "-DIGEST").into_owned()
}

/// Without what is on its way out, alone or with its namespace: how long that takes is the affair of Kubernetes's own controllers.
fn staying(mut objects: BTreeMap<Key, Value>) -> BTreeMap<Key, Value> {
    objects.retain(|_, object| object.pointer("/metadata/deletionTimestamp").is_none() || holds(object));
    let places: BTreeSet<String> =
        objects.keys().filter(|(kind, ..)| kind == "Namespace").map(|(.., name)| name.clone()).collect();
    // The namespaces of regions are an administrator's, and not looked at.
    let stays = |namespace: &str| !namespace.starts_with("kyb-t-") || places.contains(namespace);
    objects.retain(|(_, namespace, _), _| namespace.as_deref().is_none_or(stays));
    objects
}

/// Whether somebody has yet to let it go, other than the garbage collector.
fn holds(object: &Value) -> bool {
    let names = object.pointer("/metadata/finalizers").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).any(|name| !matches!(name, "foregroundDeletion" | "orphan"))
}

/// With which the name of an object ends that is made anew rather than changed.
static DIGEST: LazyLock<Regex> = LazyLock::new(|| regex("-[0-9a-f]{10}$"));

/// Times of RFC 3339.
static TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"));
/// Uids; digests and hashes in hexadecimal; ids of keys in base32; what a Secret holds.
static UNIQUE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{10,64}\b|\b[a-z2-7]{16}\b|secret:[A-Za-z0-9+/=]+",
    )
});

#[expect(clippy::expect_used, reason = "constants of this file")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

fn name(scope: &str, (kind, namespace, name): &Key) -> String {
    let place = namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!("{kind} {}", for_any(scope, &format!("{place}{name}")))
}

fn trimmed(mut object: Value) -> Value {
    let is_ours = object["apiVersion"].as_str().is_some_and(|group| group.starts_with("kyb.dev/"));
    let says = is_ours && object["kind"] != "RegionReport"; // a report is the worker's
    if let (Some(fields), false) = (object.as_object_mut(), says) {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        for volatile in ["creationTimestamp", "generateName"] {
            metadata.remove(volatile);
        }
        if !is_ours {
            metadata.remove("generation"); // how often it was changed on the way
        }
        if let Some(managed) = metadata.remove("managedFields") {
            metadata.insert("managedFields".to_owned(), ours(&managed));
        }
    }
    if let Some(Value::Object(status)) = object.get_mut("status") {
        status.remove("failures");
    }
    if let (true, Some(Value::Object(data))) = (object["kind"] == "Secret", object.get_mut("data")) {
        for value in data.values_mut() {
            *value = format!("secret:{}", value.as_str().unwrap_or_default()).into();
        }
    }
    strip(&mut object);
    object
}

/// The fields that each of our field managers owns.
fn ours(managed_fields: &Value) -> Value {
    let entries = managed_fields.as_array().into_iter().flatten();
    let is_ours =
        |entry: &&Value| entry["manager"].as_str().is_some_and(|one| one.starts_with("kyb-operator"));
    let by_manager = entries.filter(is_ours).map(|entry| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        let subresource = entry["subresource"].as_str().unwrap_or_default();
        let operation = entry["operation"].as_str().unwrap_or_default();
        (format!("{manager} {operation} {subresource}"), entry["fieldsV1"].clone())
    });
    Value::Object(by_manager.collect::<Map<_, _>>())
}

/// What the API server picks or counts.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for picked in ["resourceVersion", "clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort"] {
                if fields.get(picked).is_some_and(|value| !value.is_object()) {
                    fields.remove(picked);
                }
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => (),
    }
}

/// Where a state differs from the reference, a line each; empty where it does not.
pub(crate) fn differences(reference: &State, found: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for name in reference.keys().filter(|name| !found.contains_key(*name)) {
        lines.push(format!("{name} is missing"));
    }
    for (name, object) in found {
        match reference.get(name) {
            None => lines.push(format!("{name} should not be there")),
            Some(wanted) => compare(name, wanted, object, &mut lines),
        }
    }
    lines
}

fn compare(at: &str, wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(one), Value::Object(other)) => {
            let both: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            for key in both {
                compare(&format!("{at}.{key}"), &wanted[key.as_str()], &found[key.as_str()], lines);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (place, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{at}[{place}]"), one, other, lines);
            }
        }
        _ if wanted == found => (),
        _ => {
            let mut line = format!("{at}: ");
            let _ = write!(line, "{} instead of {}", brief(found), brief(wanted));
            lines.push(line);
        }
    }
}

/// As JSON, cut where it is long.
pub(crate) fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 400 { format!("{}…", &text[..text.floor_char_boundary(400)]) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "0b5c1d1e-5d0f-4a52-9a43-0123456789ab";
    const OTHER: &str = "1b5c1d1e-5d0f-4a52-9a43-0123456789ab";

    #[expect(clippy::needless_pass_by_value, reason = "all of them are written in place")]
    fn object(scope: &str, name: &str, content: Value) -> (Key, Value) {
        let namespace = format!("kyb-{scope}");
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": "7", "labels": content},
        });
        (("ConfigMap".into(), Some(namespace), name.into()), object)
    }

    #[test]
    fn two_scopes_are_the_same_up_to_their_names_and_uids() {
        let one = state("zeta-0001", BTreeMap::from([object("zeta-0001", "a", json!({"uid": UID}))]));
        let other = state("zeta-0002", BTreeMap::from([object("zeta-0002", "a", json!({"uid": OTHER}))]));
        assert_eq!(differences(&one, &other), [""; 0]);
    }

    #[test]
    fn a_missing_a_surplus_and_a_changed_object_are_differences() {
        let with = |objects: Vec<(Key, Value)>| state("zeta-0001", objects.into_iter().collect());
        let a = || object("zeta-0001", "a", json!({"one": UID, "two": UID}));
        let b = || object("zeta-0001", "b", json!({}));
        let torn = || object("zeta-0001", "a", json!({"one": UID, "two": OTHER}));
        assert_eq!(differences(&with(vec![a(), b()]), &with(vec![a()])).len(), 1);
        assert_eq!(differences(&with(vec![a()]), &with(vec![a(), b()])).len(), 1);
        assert_eq!(differences(&with(vec![a()]), &with(vec![torn()])).len(), 1, "two uids are not one");
    }

    #[test]
    fn what_is_on_its_way_out_is_gone_unless_somebody_holds_it() {
        let going = |finalizers: Value| {
            let (key, mut object) = object("zeta-0001", "a", json!({}));
            object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            object["metadata"]["finalizers"] = finalizers;
            state("zeta-0001", BTreeMap::from([(key, object)])).len()
        };
        let collected = going(json!(["foregroundDeletion"]));
        assert_eq!((going(json!([])), collected, going(json!(["kyb.dev/erase"]))), (0, 0, 1));
    }
}
