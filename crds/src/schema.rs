//! From Rust types to what the API server gets.
//!
//! The derived schema says what the types say; tidying adds what they can't say and takes out what nobody needs:
//!
//! - Optional fields are not `nullable`: an API server refuses a null there, so neither rules nor readers ever meet one.
//! - Quantities get a pattern, conditions get the bounds that Kubernetes documents for them.
//! - Items of lists and values of maps need no description beside their field's.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use schemars::{Schema, SchemaGenerator, json_schema};

/// Gives an enum of plain words its schema. Derived, it would lose the field's description to the enum's own.
macro_rules! enum_schema {
    ($name:ident, [$($word:literal),+ $(,)?]) => {
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": [$($word),+]})
            }
        }

        #[cfg(test)]
        impl $name {
            /// What the schema offers, for the test that it is what the type reads.
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];
        }
    };
}
pub(crate) use enum_schema;

/// A map of labels: short values.
pub(crate) fn labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}})
}

/// A map of annotations: longer values.
pub(crate) fn annotations(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"type": "string", "maxLength": 1_024}})
}

/// The definition of a kind as the API server should get it.
pub fn definition<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut crd = K::crd();
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()).for_each(|root| {
        root.title = None;
        tidy(root);
    });
    crd
}

/// A quantity, if it is written as text: not negative, with or without a suffix.
const QUANTITY: &str = "^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";

fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.description = schema.description.take().map(|text| text.replace('\n', " "));
    if schema.x_kubernetes_int_or_string == Some(true) {
        schema.pattern = Some(QUANTITY.to_owned());
    }
    if let Some(words) = &mut schema.enum_ {
        words.retain(|word| !word.0.is_null());
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        items.description = None;
        tidy(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        values.description = None;
        tidy(values);
    }
    for (name, property) in schema.properties.iter_mut().flatten() {
        if name == "conditions" {
            bound_conditions(property);
        }
        tidy(property);
    }
}

/// `Condition` comes without the bounds that Kubernetes' own API documents for it.
fn bound_conditions(conditions: &mut JSONSchemaProps) {
    let Some(JSONSchemaPropsOrArray::Schema(condition)) = &mut conditions.items else { return };
    for (name, field) in condition.properties.iter_mut().flatten() {
        match name.as_str() {
            "type" => field.max_length = Some(316),
            "reason" => field.max_length = Some(1_024),
            "message" => field.max_length = Some(32_768),
            "status" => {
                field.enum_ = Some(["True", "False", "Unknown"].map(|word| JSON(word.into())).into());
            }
            _ => {}
        }
    }
}
