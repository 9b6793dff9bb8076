//! Which fields of an object differ before and after, and who owns them now.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Change {
    /// Where: names and, for items of lists, `[name]` or `[index]`, such as `spec.template.spec.containers[gateway].image`.
    pub field: String,
    /// Before; none where the field is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// After; none where the field goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// The field managers that own it before.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub owners: BTreeSet<String>,
}

/// What the server keeps of its own accord.
const OF_THE_SERVER: [&str; 5] =
    ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"];

/// The fields that differ, but for the status and what the server keeps of its own accord.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut comparison = Comparison { managed: managed(before), path: Vec::new(), found: Vec::new() };
    comparison.value(Some(&bare(before)), Some(&bare(after)));
    comparison.found
}

/// The object without its status and what the server keeps of its own accord.
pub fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !OF_THE_SERVER.contains(&name.as_str()));
    }
    object
}

/// Managers, each with the fields that it owns, as the server writes them.
fn managed(object: &Value) -> Vec<(String, Value)> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    let entry = |entry: &Value| Some((entry["manager"].as_str()?.to_owned(), entry.get("fieldsV1")?.clone()));
    entries.filter_map(entry).collect()
}

/// One part of a path.
#[derive(Debug, Clone)]
enum Part {
    Field(String),
    /// An item of a list, whose items have names.
    Named(String),
    Index(usize),
}

struct Comparison {
    managed: Vec<(String, Value)>,
    path: Vec<Part>,
    found: Vec<Change>,
}

impl Comparison {
    fn value(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) if before == after => (),
            (Some(Value::Object(before)), Some(Value::Object(after))) => self.map(before, after),
            (Some(Value::Array(before)), Some(Value::Array(after))) => self.list(before, after),
            _ => self.differs(before, after),
        }
    }

    fn map(&mut self, before: &Map<String, Value>, after: &Map<String, Value>) {
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names {
            self.at(Part::Field(name.clone()), |inner| inner.value(before.get(name), after.get(name)));
        }
    }

    fn list(&mut self, before: &[Value], after: &[Value]) {
        let named = |name: &str, list: &[Value]| list.iter().find(|item| item["name"] == *name).cloned();
        if let (Some(old), Some(new)) = (names(before), names(after)) {
            for name in old.union(&new) {
                let (before, after) = (named(name, before), named(name, after));
                self.at(Part::Named(name.clone()), |inner| inner.value(before.as_ref(), after.as_ref()));
            }
        } else if before.len() == after.len() {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                self.at(Part::Index(index), |inner| inner.value(Some(before), Some(after)));
            }
        } else {
            self.differs(Some(&Value::Array(before.to_vec())), Some(&Value::Array(after.to_vec())));
        }
    }

    fn differs(&mut self, before: Option<&Value>, after: Option<&Value>) {
        let owns = |fields: &Value| owns(fields, &self.path);
        let owners =
            self.managed.iter().filter(|(_, fields)| owns(fields)).map(|(manager, _)| manager.clone());
        let owners = owners.collect();
        self.found.push(Change {
            field: shown(&self.path),
            from: before.cloned(),
            to: after.cloned(),
            owners,
        });
    }

    fn at(&mut self, part: Part, inner: impl FnOnce(&mut Self)) {
        self.path.push(part);
        inner(self);
        self.path.pop();
    }
}

/// The names of a list's items, where each has one of its own.
fn names(list: &[Value]) -> Option<BTreeSet<String>> {
    let names: BTreeSet<_> =
        list.iter().map(|item| item["name"].as_str().map(str::to_owned)).collect::<Option<_>>()?;
    (names.len() == list.len()).then_some(names)
}

/// Whether these managed fields (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/>, `FieldsV1`)
/// hold the field at `path`, one above it that is owned as a whole, or one below it.
fn owns(fields: &Value, path: &[Part]) -> bool {
    let Some(map) = fields.as_object() else { return false };
    let Some((part, rest)) = path.split_first() else { return true };
    if map.is_empty() {
        return true; // owned as a whole
    }
    let inner = match part {
        Part::Field(name) => map.get(&format!("f:{name}")),
        Part::Named(name) => {
            let is_it = |key: &str| {
                key.strip_prefix("k:")
                    .and_then(|key| serde_json::from_str::<Value>(key).ok())
                    .is_some_and(|key| key["name"] == *name)
            };
            map.iter().find(|(key, _)| is_it(key)).map(|(_, fields)| fields)
        }
        // Lists whose items have no names are owned as a whole, which the empty map above says.
        Part::Index(_) => None,
    };
    inner.is_some_and(|inner| owns(inner, rest))
}

fn shown(path: &[Part]) -> String {
    let shown = |(at, part): (usize, &Part)| match part {
        Part::Field(name) if name.contains(['.', '/']) => format!("[{name}]"),
        Part::Field(name) if at == 0 => name.clone(),
        Part::Field(name) => format!(".{name}"),
        Part::Named(name) => format!("[{name}]"),
        Part::Index(index) => format!("[{index}]"),
    };
    path.iter().enumerate().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(change: &Change) -> String {
        let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let owners: Vec<_> = change.owners.iter().map(String::as_str).collect();
        format!("{}: {} -> {} ({})", change.field, shown(&change.from), shown(&change.to), owners.join(","))
    }

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        changes(before, after).iter().map(line).collect()
    }

    #[test]
    fn what_the_server_keeps_and_statuses_are_not_changes() {
        let object = |version: &str, ready: bool| json!({"metadata": {"name": "one", "resourceVersion": version, "uid": version}, "status": {"ready": ready}});
        assert!(changes(&object("1", true), &object("2", false)).is_empty());
    }

    #[test]
    fn each_field_that_differs_is_named_with_who_owns_it() {
        let managed = json!([
            {"manager": "ours", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:containers": {
                "k:{\"name\":\"web\"}": {".": {}, "f:image": {}}}}}}},
            {"manager": "autoscaler", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "someone", "fieldsV1": {"f:metadata": {"f:labels": {"f:a.b/c": {}}}}},
        ]);
        let before = json!({
            "metadata": {"labels": {"a.b/c": "1"}, "managedFields": managed},
            "spec": {"replicas": 1, "template": {"containers": [{"name": "web", "image": "a"}]}},
        });
        let after = json!({
            "metadata": {"labels": {}},
            "spec": {"replicas": 2, "template": {"containers": [{"name": "side", "image": "s"}, {"name": "web", "image": "b"}]}},
        });
        assert_eq!(
            lines(&before, &after),
            [
                r#"metadata.labels[a.b/c]: "1" -> - (someone)"#,
                "spec.replicas: 1 -> 2 (autoscaler,ours)",
                r#"spec.template.containers[side]: - -> {"image":"s","name":"side"} ()"#,
                r#"spec.template.containers[web].image: "a" -> "b" (ours)"#,
            ]
        );
    }

    #[test]
    fn lists_without_names_are_compared_item_by_item_or_as_a_whole() {
        let managed = json!([{"manager": "ours", "fieldsV1": {"f:spec": {"f:ports": {}}}}]);
        let object = |ports: Value| json!({"metadata": {"managedFields": managed}, "spec": {"ports": ports}});
        assert_eq!(lines(&object(json!([1, 2])), &object(json!([1, 3]))), ["spec.ports[1]: 2 -> 3 (ours)"]);
        assert_eq!(lines(&object(json!([1])), &object(json!([1, 3]))), ["spec.ports: [1] -> [1,3] (ours)"]);
    }
}
