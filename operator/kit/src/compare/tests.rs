use proptest::prelude::*;
use serde_json::json;

use super::*;

fn pointers(wanted: &Value, live: &Value) -> Vec<String> {
    differences(wanted, live).into_iter().map(|difference| difference.pointer).collect()
}

fn deployment() -> Value {
    json!({
        "metadata": {"name": "gateway", "labels": {"app": "gateway"}},
        "spec": {
            "selector": {"matchLabels": {"app": "gateway"}},
            "template": {"spec": {
                "containers": [{
                    "name": "gateway",
                    "image": "gateway:1",
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "A", "value": "1"}],
                    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}},
                }],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
                "tolerations": [],
            }},
        },
    })
}

/// What a server makes of it: defaults, other people's fields, quantities in their shortest form.
fn as_kept() -> Value {
    json!({
        "metadata": {"name": "gateway", "uid": "1", "labels": {"app": "gateway", "of": "others"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "gateway"}},
            "template": {"spec": {
                "containers": [
                    {"name": "injected", "image": "sidecar:1"},
                    {
                        "name": "gateway",
                        "image": "gateway:1",
                        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                        "env": [{"name": "Z", "value": "9"}, {"name": "A", "value": "1"}],
                        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                        "terminationMessagePath": "/dev/termination-log",
                    },
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
                "restartPolicy": "Always",
            }},
        },
        "status": {"replicas": 1},
    })
}

#[test]
fn what_the_server_adds_and_rewrites_is_no_difference() {
    assert_eq!(differences(&deployment(), &as_kept()), []);
}

#[test]
fn each_field_that_somebody_changed_is_found() {
    let container = "/spec/template/spec/containers/1";
    for (place, value, pointer) in [
        ("/metadata/labels/app".to_owned(), json!("other"), "/metadata/labels/app"),
        (format!("{container}/image"), json!("gateway:2"), "/spec/template/spec/containers/gateway/image"),
        (
            format!("{container}/env/1/value"),
            json!("2"),
            "/spec/template/spec/containers/gateway/env/A/value",
        ),
        (
            format!("{container}/resources/requests/cpu"),
            json!("501m"),
            "/spec/template/spec/containers/gateway/resources/requests/cpu",
        ),
        (format!("{container}/name"), json!("renamed"), "/spec/template/spec/containers/gateway"),
    ] {
        let mut live = as_kept();
        *live.pointer_mut(&place).unwrap() = value;
        assert_eq!(pointers(&deployment(), &live), [pointer], "{place}");
    }
}

#[test]
fn a_field_that_somebody_removed_is_found() {
    let mut live = as_kept();
    live["metadata"]["labels"].as_object_mut().unwrap().remove("app");
    assert_eq!(pointers(&deployment(), &live), ["/metadata/labels/app"]);
}

#[test]
fn a_selector_is_one_value() {
    let wanted = json!({"spec": {"podSelector": {}}});
    let narrowed = json!({"spec": {"podSelector": {"matchLabels": {"app": "x"}}}});
    assert_eq!(pointers(&wanted, &narrowed), ["/spec/podSelector/matchLabels"]);
    assert_eq!(differences(&wanted, &json!({"spec": {"podSelector": {}}})), []);
}

#[test]
fn a_rule_that_somebody_added_to_a_policy_is_found() {
    let wanted = json!({"spec": {"ingress": [{"ports": [{"port": 80}]}]}});
    let same = json!({"spec": {"ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}]}});
    assert_eq!(differences(&wanted, &same), []);
    let opened = json!({"spec": {"ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}, {}]}});
    assert_eq!(pointers(&wanted, &opened), ["/spec/ingress"]);
    let wider = json!({"spec": {"ingress": [{"ports": [{"port": 80}, {"port": 81}]}]}});
    assert_eq!(pointers(&wanted, &wider), ["/spec/ingress/0/ports"]);
}

#[test]
fn ports_of_a_service_are_merged_by_port_and_protocol() {
    let wanted = json!({"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]}});
    let live = json!({"spec": {"ports": [
        {"port": 53, "protocol": "TCP", "targetPort": 53},
        {"port": 53, "protocol": "UDP", "targetPort": 53},
    ]}});
    assert_eq!(differences(&wanted, &live), []);
}

#[test]
fn null_and_empty_are_the_same_as_absent() {
    let wanted = json!({"spec": {"a": null, "b": {}, "c": []}});
    assert_eq!(differences(&wanted, &json!({"spec": {}})), []);
    assert_eq!(differences(&wanted, &json!({"spec": {"b": null, "c": null}})), []);
    assert_eq!(pointers(&json!({"spec": {"c": []}}), &json!({"spec": {"c": [1]}})), ["/spec/c"]);
}

#[test]
fn false_zero_and_empty_text_are_values() {
    let wanted = json!({"automountServiceAccountToken": false, "data": {"a": ""}, "port": 0});
    assert_eq!(
        pointers(&wanted, &json!({"data": {}})),
        ["/automountServiceAccountToken", "/data/a", "/port"]
    );
}

#[test]
fn an_empty_variable_and_a_switch_that_is_off_are_the_same_as_absent() {
    let wanted = json!({"env": [{"name": "A", "value": ""}], "hostNetwork": false});
    assert_eq!(differences(&wanted, &json!({"env": [{"name": "A"}]})), []);
    let changed = json!({"env": [{"name": "A", "value": "1"}], "hostNetwork": true});
    assert_eq!(pointers(&wanted, &changed), ["/env/A/value", "/hostNetwork"]);
}

#[test]
fn texts_that_look_like_quantities_are_compared_as_texts() {
    let wanted =
        json!({"data": {"limits": "1Gi"}, "metadata": {"labels": {"storage": "1Gi"}}, "args": ["0.5"]});
    let live = json!({"data": {"limits": "1024Mi"}, "metadata": {"labels": {"storage": "1024Mi"}}, "args": ["500m"]});
    assert_eq!(differences(&wanted, &live).len(), 3);
}

#[test]
fn another_number_is_a_difference_and_another_way_to_write_it_is_not() {
    assert_eq!(pointers(&json!({"replicas": 2}), &json!({"replicas": 3})), ["/replicas"]);
    assert_eq!(differences(&json!({"replicas": 2}), &json!({"replicas": 2.0})), []);
}

#[test]
fn a_target_is_a_quantity_by_its_value_alone() {
    let target = |value: &str| json!({"target": {"value": value, "name": value}});
    assert_eq!(pointers(&target("1Gi"), &target("1024Mi")), ["/target/name"]);
    let elsewhere = |value: &str| json!({"label": {"value": value}});
    assert_eq!(pointers(&elsewhere("1Gi"), &elsewhere("1024Mi")), ["/label/value"]);
}

#[test]
fn a_port_by_number_is_not_a_port_by_name() {
    assert_eq!(pointers(&json!({"targetPort": 80}), &json!({"targetPort": "80"})), ["/targetPort"]);
}

#[test]
fn a_pointer_names_labels_with_slashes() {
    let wanted = json!({"metadata": {"labels": {"a/b": "1"}}});
    assert_eq!(pointers(&wanted, &json!({"metadata": {}})), ["/metadata/labels"]);
    assert_eq!(pointers(&wanted, &json!({"metadata": {"labels": {"c": ""}}})), ["/metadata/labels/a~1b"]);
}

/// Any JSON, small.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]|name|env|selector|limits", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn anything_is_found_in_itself(value in json()) {
        prop_assert_eq!(differences(&value, &value), []);
        prop_assert_eq!(differences(&value, &normalised(&value)), []);
        prop_assert_eq!(differences(&normalised(&value), &value), []);
    }

    #[test]
    fn a_value_that_is_not_there_is_found(value in json(), key in "[xyz]") {
        let wanted = json!({"spec": {key.clone(): "wanted", "rest": value.clone()}});
        let live = json!({"spec": {key.clone(): "other", "rest": value}});
        prop_assert_eq!(pointers(&wanted, &live), [format!("/spec/{key}")]);
    }
}

#[test]
fn finalizers_are_a_set_beside_those_of_others() {
    let with = |names: &[&str]| json!({"metadata": {"finalizers": names}});
    assert_eq!(pointers(&with(&["a"]), &with(&["theirs", "a"])), [""; 0]);
    assert_eq!(pointers(&with(&["a"]), &with(&["theirs"])), ["/metadata/finalizers/\"a\""]);
}
