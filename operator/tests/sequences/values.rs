//! Values for every field, by class, as its schema says.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    hints,
    schema::{Field, Place, Step},
    text::Demands,
};

/// What a value is for its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    // Taken:
    Typical,
    Word,
    Least,
    Most,
    Shortest,
    Longest,
    Empty,
    OneLess,
    OneMore,
    Fullest,
    Removed,
    // Refused:
    BelowLeast,
    AboveMost,
    TooShort,
    TooLong,
    PatternBroken,
    NoDate,
    UnknownWord,
    TooFew,
    TooMany,
    Twice,
    RequiredRemoved,
    OtherType,
    RuleBroken,
    /// Taken by the schema, and of no use to the platform: refused or reported. Not told by a keyword.
    Unusable,
}

impl Class {
    /// All that follow from a schema.
    pub(crate) const ALL: [Self; 24] = [
        Self::Typical,
        Self::Word,
        Self::Least,
        Self::Most,
        Self::Shortest,
        Self::Longest,
        Self::Empty,
        Self::OneLess,
        Self::OneMore,
        Self::Fullest,
        Self::Removed,
        Self::BelowLeast,
        Self::AboveMost,
        Self::TooShort,
        Self::TooLong,
        Self::PatternBroken,
        Self::NoDate,
        Self::UnknownWord,
        Self::TooFew,
        Self::TooMany,
        Self::Twice,
        Self::RequiredRemoved,
        Self::OtherType,
        Self::RuleBroken,
    ];

    /// Whether the API server takes such a value.
    pub(crate) fn is_taken(self) -> bool {
        self < Self::BelowLeast
    }

    /// Whether a field has values of this class, told by the keywords of its schema alone.
    pub(crate) fn applies_to(self, field: &Field) -> bool {
        let schema = field.schema;
        let has = |keyword: &str| schema.get(keyword).is_some();
        let at_least =
            |keyword: &str, bound: u64| schema[keyword].as_u64().is_some_and(|given| given >= bound);
        let is_list = schema["type"] == "array";
        let is_map = has("additionalProperties");
        match self {
            Self::Typical => true,
            Self::Word => has("enum") || schema["type"] == "boolean",
            Self::Least | Self::BelowLeast => has("minimum"),
            Self::Most | Self::AboveMost => has("maximum"),
            Self::Shortest => is_free_text(schema),
            Self::Longest | Self::TooLong => has("maxLength"),
            Self::Empty => is_map || (is_list && !at_least("minItems", 1)),
            Self::OneLess | Self::OneMore => is_map || is_list,
            Self::Fullest | Self::TooMany => has("maxItems") || has("maxProperties"),
            Self::Removed => field.required == Some(false),
            Self::RequiredRemoved => field.required == Some(true) && !field.place.steps.is_empty(),
            Self::TooShort => at_least("minLength", 1),
            Self::PatternBroken => has("pattern"),
            Self::NoDate => schema["format"] == "date-time",
            Self::UnknownWord => has("enum"),
            Self::TooFew => at_least("minItems", 1),
            Self::Twice => ["map", "set"].iter().any(|kind| schema["x-kubernetes-list-type"] == *kind),
            Self::OtherType => !field.place.steps.is_empty(),
            Self::RuleBroken => has("x-kubernetes-validations"),
            Self::Unusable => false,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn is_free_text(schema: &Value) -> bool {
    schema["type"] == "string" && schema.get("enum").is_none()
}

/// What a field is changed to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum To {
    Value(Value),
    Nothing,
    /// What breaks the rule with this message, laid over what is there.
    Broken {
        rule: String,
        patch: Value,
    },
}

/// The values of a class for a field; none where the class does not apply to it.
pub(crate) fn values(field: &Field, class: Class) -> Vec<To> {
    let Field { place, schema, .. } = field;
    if !class.applies_to(field) {
        return Vec::new();
    }
    match class {
        Class::Removed | Class::RequiredRemoved => return vec![To::Nothing],
        Class::RuleBroken => return broken(schema),
        _ => (),
    }
    let values = match class {
        Class::Typical => vec![sample(place, schema, 0)],
        Class::Word => words(schema),
        Class::Least => vec![schema["minimum"].clone()],
        Class::Most => vec![schema["maximum"].clone()],
        Class::BelowLeast => vec![moved(&schema["minimum"], -1.0)],
        Class::AboveMost => vec![moved(&schema["maximum"], 1.0)],
        Class::Empty | Class::TooFew => vec![filled(place, schema, 0)],
        Class::OneLess => vec![filled(place, schema, TYPICAL_ITEMS - 1)],
        Class::OneMore => vec![filled(place, schema, TYPICAL_ITEMS + 1)],
        Class::Fullest => vec![filled(place, schema, most_items(field))],
        Class::TooMany => vec![filled(place, schema, most_items(field) + 1)],
        Class::Twice => {
            let one = item(&place.below(Step::Item), schema, 0);
            vec![json!([one, one])]
        }
        Class::NoDate => vec![json!("2030-02-31T00:00:00Z")],
        Class::UnknownWord => vec![json!("of-no-list")],
        Class::OtherType => vec![of_another_type(schema)],
        _ => texts(place, schema, class),
    };
    values.into_iter().map(with_whole_numbers_whole(schema)).map(To::Value).collect()
}

fn texts(place: &Place, schema: &Value, class: Class) -> Vec<Value> {
    let demands = Demands::at(place, schema);
    let typical = sample(place, schema, 0);
    let typical = typical.as_str().unwrap_or_default();
    let text = match class {
        Class::Shortest => Some(demands.shortest(typical)),
        Class::Longest => Some(demands.longest_from(typical)),
        Class::TooShort => Some(String::new()),
        Class::TooLong => Some("a".repeat(demands.longest() + 1)),
        Class::PatternBroken => demands.breaking_the_pattern(typical),
        _ => None,
    };
    text.into_iter().map(Value::from).collect()
}

fn words(schema: &Value) -> Vec<Value> {
    schema["enum"].as_array().cloned().unwrap_or_else(|| vec![json!(true), json!(false)])
}

fn moved(number: &Value, by: f64) -> Value {
    json!(number.as_f64().unwrap_or_default() + by)
}

/// Schemas write the bounds of integers with a point.
fn with_whole_numbers_whole(schema: &Value) -> impl Fn(Value) -> Value {
    let is_whole = schema["type"] == "integer";
    move |value| match value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "bounds of integers are integers")]
        Some(number) if is_whole => json!(number as i64),
        _ => value,
    }
}

fn of_another_type(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("string") => json!(7),
        Some("integer" | "number" | "boolean") => json!("7"),
        Some("array") => json!({"not": "a list"}),
        Some("object") => json!("not an object"),
        _ => json!(true), // an integer or a string
    }
}

/// So many items have a typical list and a typical map, so that one less is not none.
const TYPICAL_ITEMS: usize = 2;

/// As many items as a list or map may have; of words no more than there are.
fn most_items(field: &Field) -> usize {
    let bound = |keyword: &str| field.schema[keyword].as_u64().and_then(|most| usize::try_from(most).ok());
    bound("maxItems").or_else(|| bound("maxProperties")).unwrap_or(TYPICAL_ITEMS)
}

/// A list or map of so many different items.
fn filled(place: &Place, schema: &Value, count: usize) -> Value {
    if let Some(values) = schema.get("additionalProperties") {
        let entry = |number| (hints::key(place, number), sample(&place.below(Step::Entry), values, 0));
        return Value::Object((0..count).map(entry).collect());
    }
    let different = different_items(schema).unwrap_or(count);
    let count = if count > most(schema) { count } else { count.min(different) };
    (0..count).map(|number| item(&place.below(Step::Item), schema, number)).collect()
}

/// An item of a list. Of the fields that are its key the last one carries the number.
fn item(place: &Place, list: &Value, number: usize) -> Value {
    let schema = &list["items"];
    let mut item = sample(place, schema, number);
    let keys = list["x-kubernetes-list-map-keys"].as_array();
    if let Some(key) = keys.and_then(|keys| keys.last()?.as_str()) {
        item[key] = sample(&place.field(key), &schema["properties"][key], number);
    }
    item
}

fn most(schema: &Value) -> usize {
    schema["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX)
}

/// How many different items there can be, where words tell them apart.
fn different_items(schema: &Value) -> Option<usize> {
    let items = &schema["items"];
    let words = |schema: &Value| schema["enum"].as_array().map(Vec::len);
    match schema["x-kubernetes-list-map-keys"].as_array().map(Vec::as_slice) {
        Some([key]) => words(&items["properties"][key.as_str()?]),
        Some(_) => None,
        None => words(items),
    }
}

/// A typical value; `number` tells those of one list apart.
pub(crate) fn sample(place: &Place, schema: &Value, number: usize) -> Value {
    if let Some(hint) = hints::typical(place) {
        return numbered(place, schema, hint, number);
    }
    match schema["type"].as_str() {
        Some("object") if schema.get("additionalProperties").is_some() => {
            filled(place, schema, TYPICAL_ITEMS)
        }
        Some("object") => object(place, schema),
        Some("array") => filled(place, schema, TYPICAL_ITEMS),
        Some("boolean") => json!(true),
        Some("integer") => {
            let least = schema["minimum"].as_f64().unwrap_or(1.0);
            with_whole_numbers_whole(schema)(moved(
                &json!(least),
                f64::from(u32::try_from(number).unwrap_or(0)),
            ))
        }
        Some("number") => json!(0.5),
        Some("string") => match schema["enum"].as_array() {
            Some(words) => words[number % words.len()].clone(),
            None => numbered(place, schema, Demands::at(place, schema).any().into(), number),
        },
        _ => json!("1"), // a quantity
    }
}

fn numbered(place: &Place, schema: &Value, value: Value, number: usize) -> Value {
    match value.as_str() {
        Some(text) if number > 0 && is_free_text(schema) => {
            Demands::at(place, schema).another(text, number).into()
        }
        _ => value,
    }
}

/// An object with every field but those that others exclude.
fn object(place: &Place, schema: &Value) -> Value {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let wanted = properties.filter(|(name, _)| {
        let comes_second = hints::rivals(place, name).iter().any(|rival| made_first(place, rival));
        !comes_second && !hints::is_left_out(&place.field(name))
    });
    wanted.map(|(name, property)| (name.clone(), sample(&place.field(name), property, 0))).collect()
}

/// The same with as little in it as the schema and the platform demand.
pub(crate) fn least(place: &Place, schema: &Value) -> Value {
    if schema["type"] == "array" {
        return Value::Array(vec![least(&place.below(Step::Item), &schema["items"])]);
    }
    let Some(properties) = schema["properties"].as_object() else { return sample(place, schema, 0) };
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let needed = properties.iter().filter(|(name, _)| is_required(name) || hints::is_needed(place, name));
    needed.map(|(name, property)| (name.clone(), least(&place.field(name), property))).collect()
}

fn made_first(object: &Place, name: &str) -> bool {
    let path = object.to_string();
    hints::RIVALS.iter().any(|(place, [first, _])| *place == path && first.contains(&name))
}

fn broken(schema: &Value) -> Vec<To> {
    let rules = schema["x-kubernetes-validations"].as_array();
    let messages = rules.into_iter().flatten().filter_map(|rule| rule["message"].as_str());
    messages
        .filter_map(|rule| Some(To::Broken { rule: rule.to_owned(), patch: hints::breaking(rule)? }))
        .collect()
}

/// The rules of a schema that nobody says how to break.
pub(crate) fn unbreakable(schema: &Value) -> Vec<String> {
    let rules = schema["x-kubernetes-validations"].as_array();
    let messages = rules.into_iter().flatten().filter_map(|rule| rule["message"].as_str());
    messages.filter(|rule| hints::breaking(rule).is_none()).map(str::to_owned).collect()
}
