//! That no field of any kind, and no class of values that applies to one, goes untried.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    change::{changes, full_spec, least_spec, of},
    schema::{Field, Kind, fields},
    values::{Class, unbreakable},
};

/// The keywords that some class looks at, or that say nothing of values.
const KNOWN_KEYWORDS: [&str; 20] = [
    "additionalProperties",
    "description",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-validations",
];

/// How many values of each class a field gets; none where the class applies and nothing is made.
fn row(field: &Field) -> BTreeMap<Class, usize> {
    let applying = Class::ALL.into_iter().filter(|class| class.applies_to(field));
    applying.map(|class| (class, of(field, class).len())).collect()
}

fn holes(field: &Field) -> Vec<String> {
    let untried = row(field).into_iter().filter(|(_, values)| *values == 0);
    let untried = untried.map(|(class, _)| format!("{}: no value for {class}", field.place));
    let keywords = field.schema.as_object().into_iter().flatten().map(|(keyword, _)| keyword);
    let unknown = keywords.filter(|keyword| !KNOWN_KEYWORDS.contains(&keyword.as_str()));
    let unknown = unknown.map(|keyword| format!("{}: nothing tries the keyword {keyword}", field.place));
    let rules = unbreakable(field.schema).into_iter();
    let rules = rules.map(|rule| format!("{}: nothing breaks the rule “{rule}”", field.place));
    untried.chain(unknown).chain(rules).collect()
}

#[test]
fn every_field_is_tried_with_every_class_that_applies_to_it() {
    let fields: Vec<Field> = Kind::ALL.into_iter().flat_map(fields).collect();
    let widest = fields.iter().map(|field| field.place.to_string().len()).max().unwrap_or_default();
    for field in &fields {
        let tried: Vec<String> = row(field)
            .into_iter()
            .map(|(class, values)| if values == 1 { class.to_string() } else { format!("{class}×{values}") })
            .collect();
        println!("{:widest$}  {}", field.place.to_string(), tried.join(" "));
    }
    let changes: usize = Kind::ALL.into_iter().map(|kind| changes(kind).len()).sum();
    println!("{} fields, {changes} changes", fields.len());
    assert_eq!(fields.iter().flat_map(holes).collect::<Vec<_>>(), [""; 0]);
}

/// The twin: a field that comes with a keyword, a rule or a pattern that nothing tries is a hole.
#[test]
fn a_field_that_nobody_thought_of_is_a_hole() {
    let with = |schema: Value| Field {
        place: fields(Kind::CachePolicy)[0].place.field("new"),
        schema: Box::leak(Box::new(schema)),
        required: Some(false),
    };
    assert_eq!(holes(&with(json!({"type": "integer", "minimum": 1}))), [""; 0]);
    let rule = json!([{"rule": "self != 7", "message": "seven is taken"}]);
    for (schema, hole) in [
        (json!({"type": "integer", "multipleOf": 5}), "nothing tries the keyword multipleOf"),
        (json!({"type": "integer", "x-kubernetes-validations": rule}), "nothing breaks the rule"),
        (json!({"type": "string", "maxLength": 9, "pattern": "^.*$"}), "no value for PatternBroken"),
    ] {
        let holes = holes(&with(schema));
        assert!(holes.iter().any(|found| found.contains(hole)), "{hole} is not in {holes:?}");
    }
}

#[test]
fn changes_of_one_field_are_different_and_rules_take_the_good_ones() {
    for kind in Kind::ALL {
        for spec in [full_spec(kind), least_spec(kind)] {
            assert_eq!(kind.broken_rules(&spec, None), [""; 0], "{spec:#}");
            let refused: BTreeSet<String> = changes(kind)
                .iter()
                .filter(|change| change.class.is_taken())
                .filter_map(|change| {
                    let broken = kind.broken_rules(&change.of_spec(&spec), None);
                    (!broken.is_empty()).then(|| format!("{change}: {broken:?}"))
                })
                .collect();
            assert!(refused.is_empty(), "{refused:#?}");
        }
    }
}
