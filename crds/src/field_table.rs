//! The page that lists every field and rule of a kind, made from its definition.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

/// File name (`kybtenant.md`) and text of every kind's page, sorted by name.
pub fn pages() -> Vec<(String, String)> {
    let page =
        |crd: &CustomResourceDefinition| (format!("{}.md", crd.spec.names.kind.to_lowercase()), page(crd));
    crate::definitions().iter().map(page).collect()
}

fn page(crd: &CustomResourceDefinition) -> String {
    let names = &crd.spec.names;
    let mut rows = Rows::default();
    for version in &crd.spec.versions {
        let root = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        for part in ["spec", "status"] {
            if let Some(schema) = root.and_then(|root| root.properties.as_ref()?.get(part)) {
                rows.collect(part, schema);
            }
        }
    }
    let short = names.short_names.iter().flatten().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let scope = if crd.spec.scope == "Cluster" { "cluster-scoped" } else { "namespaced" };
    let mut text = format!(
        "# {kind}: every field\n\n<!-- Generated from crds/src by `make crds`; do not edit. -->\n\n`kyb.dev/v1alpha1`, {scope}, \
         short name {short}. A field in **bold** must be there.\n\n",
        kind = names.kind,
        short = short.join(", "),
    );
    text += &table("field | type | meaning", &rows.fields);
    if !rows.rules.is_empty() {
        text += "\n## What the API server refuses\n\n";
        text += &table("where | message", &rows.rules);
    }
    text
}

fn table(header: &str, rows: &[String]) -> String {
    let columns = header.split(" | ").map(|_| "---").collect::<Vec<_>>().join("|");
    let lines: Vec<String> = rows.iter().map(|row| format!("| {row} |\n")).collect();
    format!("| {header} |\n|{columns}|\n{}", lines.concat())
}

/// Rows of the two tables, in the order of the schema.
#[derive(Default)]
struct Rows {
    fields: Vec<String>,
    rules: Vec<String>,
}

impl Rows {
    fn collect(&mut self, path: &str, schema: &JSONSchemaProps) {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            self.rules.push(format!("`{path}` | {}", cell(rule.message.as_deref().unwrap_or(&rule.rule))));
        }
        for (name, property) in schema.properties.iter().flatten() {
            let field = format!("{path}.{name}");
            let required = schema.required.iter().flatten().any(|required| required == name);
            self.field(&field, property, required);
            // Conditions are the same in every API of Kubernetes.
            if name != "conditions" {
                self.collect(&field, property);
            }
        }
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            self.collect(&format!("{path}[]"), items);
        }
    }

    fn field(&mut self, path: &str, schema: &JSONSchemaProps, required: bool) {
        let mark = if required { "**" } else { "" };
        let meaning = cell(schema.description.as_deref().unwrap_or_default());
        self.fields.push(format!("{mark}`{path}`{mark} | {} | {meaning}", type_of(schema)));
    }
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn type_of(schema: &JSONSchemaProps) -> String {
    if schema.x_kubernetes_int_or_string == Some(true) {
        return "quantity".to_owned();
    }
    match schema.type_.as_deref() {
        Some("array") => list(schema),
        Some("object") => map(schema),
        Some("string") if schema.enum_.is_some() => "one of these words".to_owned(),
        Some("string") => schema.max_length.map_or("text".to_owned(), |most| format!("text, at most {most}")),
        Some("integer" | "number") => number(schema),
        Some("boolean") => "true or false".to_owned(),
        other => other.unwrap_or("any").to_owned(),
    }
}

fn list(schema: &JSONSchemaProps) -> String {
    let mut text = match &schema.items {
        Some(JSONSchemaPropsOrArray::Schema(items)) => format!("list of {}", type_of(items)),
        _ => "list".to_owned(),
    };
    if let Some(most) = schema.max_items {
        let _ = write!(text, "; at most {most} entries"); // writing to a String can't fail
    }
    if let Some(keys) = &schema.x_kubernetes_list_map_keys {
        let _ = write!(text, ", by `{}`", keys.join("`, `"));
    }
    text
}

fn map(schema: &JSONSchemaProps) -> String {
    let most = schema.max_properties.map_or(String::new(), |most| format!("; at most {most} entries"));
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => format!("map of {}{most}", type_of(values)),
        _ => "object".to_owned(),
    }
}

fn number(schema: &JSONSchemaProps) -> String {
    let whole = if schema.type_.as_deref() == Some("integer") { "whole number" } else { "number" };
    match (schema.minimum, schema.maximum) {
        (Some(least), Some(most)) => format!("{whole}, {least} to {most}"),
        (Some(least), None) => format!("{whole}, {least} and more"),
        (None, Some(most)) => format!("{whole}, at most {most}"),
        (None, None) => whole.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_type_bounds_and_need_of_a_field_and_every_rule() {
        let pages = pages();
        let text = &pages.iter().find(|(name, _)| name == "kybtenant.md").unwrap().1;
        for line in [
            "| **`spec.id`** | text, at most 40 | The tenant's id",
            "| `spec.contexts` | list of object; at most 50 entries, by `name` | Business contexts",
            "| `spec.quota` | map of quantity; at most 40 entries | What the objects",
            "| **`spec.rateLimit.burst`** | whole number, 1 to 1000000 | How many",
            "| `spec.threshold` | number, 0 to 1 | The least score",
            "| `spec.placement` | placement.home must be one of placement.regions",
        ] {
            assert!(text.contains(line), "missing: {line}\n{text}");
        }
        assert!(!text.contains("lastTransitionTime"));
    }
}
