//! What holds for the schema of every kind.

use kyb_crds::definitions;
use serde_json::{Map, Value};

/// Every schema of every kind with its path, Kubernetes' own `Condition` left out below its list.
fn schemas() -> Vec<(String, Map<String, Value>)> {
    let mut all = Vec::new();
    for crd in definitions() {
        let kind = crd.spec.names.kind.clone();
        for version in &crd.spec.versions {
            let validation = serde_json::to_value(&version.schema).unwrap_or_default();
            walk(&kind, &validation["openAPIV3Schema"], &mut all);
        }
    }
    all
}

fn walk(path: &str, schema: &Value, all: &mut Vec<(String, Map<String, Value>)>) {
    let Value::Object(schema) = schema else { return };
    all.push((path.to_owned(), schema.clone()));
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, all);
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(key) {
            walk(&format!("{path}{mark}"), inner, all);
        }
    }
}

fn offenders(offends: impl Fn(&str, &Map<String, Value>) -> bool) -> Vec<String> {
    schemas().into_iter().filter(|(path, schema)| offends(path, schema)).map(|(path, _)| path).collect()
}

fn text<'a>(schema: &'a Map<String, Value>, key: &str) -> &'a str {
    schema.get(key).and_then(Value::as_str).unwrap_or_default()
}

const NONE: [String; 0] = [];

#[test]
fn the_walk_sees_every_kind_and_its_depths() {
    let paths: Vec<String> = schemas().into_iter().map(|(path, _)| path).collect();
    for path in [
        "KybTenant.spec.access[].subjects[].kind",
        "RegionDeployment.spec.services.gateway.resources.requests{}",
        "CachePolicy.status.conditions[].type",
        "RegionReport.status.refused[].name",
    ] {
        assert!(paths.iter().any(|seen| seen == path), "{path} in {paths:#?}");
    }
}

#[test]
fn no_schema_fills_in_what_the_user_did_not_write() {
    assert_eq!(offenders(|_, schema| schema.contains_key("default")), NONE);
}

#[test]
fn no_number_has_a_format_that_servers_warn_about() {
    let known = ["", "int32", "int64", "double", "date-time"];
    assert_eq!(offenders(|_, schema| !known.contains(&text(schema, "format"))), NONE);
}

#[test]
fn every_field_is_explained() {
    let is_field = |path: &str| path.contains('.') && !path.ends_with("[]") && !path.ends_with("{}");
    let unexplained = |path: &str, schema: &Map<String, Value>| {
        is_field(path) && !path.ends_with(".metadata") && text(schema, "description").len() < 5
    };
    assert_eq!(offenders(unexplained), NONE);
}

#[test]
fn every_list_is_bounded_and_says_how_it_merges() {
    let offends = |_: &str, schema: &Map<String, Value>| {
        text(schema, "type") == "array"
            && !(schema.contains_key("maxItems")
                && match text(schema, "x-kubernetes-list-type") {
                    "map" => schema.contains_key("x-kubernetes-list-map-keys"),
                    "set" => true,
                    _ => false,
                })
    };
    // Nothing in a toleration is a key, so managers replace the whole list.
    let atomic_on_purpose = |path: &String| path.ends_with(".scheduling.tolerations");
    let rest: Vec<String> = offenders(offends).into_iter().filter(|path| !atomic_on_purpose(path)).collect();
    assert_eq!(rest, NONE);
}

#[test]
fn every_text_and_map_is_bounded() {
    let unbounded = |path: &str, schema: &Map<String, Value>| {
        let below_spec_or_status = path.contains(".spec") || path.contains(".status");
        let bounded_text = schema.contains_key("maxLength") || schema.contains_key("enum");
        let is_map = schema.get("additionalProperties").is_some_and(Value::is_object);
        below_spec_or_status
            && ((text(schema, "type") == "string" && text(schema, "format") != "date-time" && !bounded_text)
                || (is_map && !schema.contains_key("maxProperties")))
    };
    assert_eq!(offenders(unbounded), NONE);
}

#[test]
fn nothing_is_kept_that_no_field_describes_and_nothing_is_null() {
    let loose = |_: &str, schema: &Map<String, Value>| {
        schema.contains_key("x-kubernetes-preserve-unknown-fields")
            || schema.contains_key("nullable")
            || schema.get("enum").and_then(Value::as_array).is_some_and(|words| words.contains(&Value::Null))
    };
    assert_eq!(offenders(loose), NONE);
}

#[test]
fn every_rule_has_a_message_for_people() {
    let silent = |_: &str, schema: &Map<String, Value>| {
        let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
        rules
            .into_iter()
            .flatten()
            .any(|rule| rule.get("message").and_then(Value::as_str).is_none_or(|m| m.len() < 20))
    };
    assert_eq!(offenders(silent), NONE);
}

#[test]
fn every_kind_is_in_the_category_has_a_status_and_shows_its_age() {
    for crd in definitions() {
        let kind = &crd.spec.names.kind;
        assert_eq!(crd.spec.names.categories.as_deref(), Some(&["kyb".to_owned()][..]), "{kind}");
        assert_eq!(crd.spec.names.short_names.as_ref().map(Vec::len), Some(1), "{kind}");
        for version in &crd.spec.versions {
            assert!(version.subresources.as_ref().is_some_and(|sub| sub.status.is_some()), "{kind}");
            let columns = version.additional_printer_columns.iter().flatten();
            assert!(columns.into_iter().any(|column| column.type_ == "date"), "{kind}");
        }
    }
}
