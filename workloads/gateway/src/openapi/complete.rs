//! What holds for every operation: security, common headers, problems; and schemas that a validator can use.

use serde_json::{Map, Value, json};

use super::METHODS;
use crate::problem::Kind;

/// The document with everything that is the same everywhere.
pub(super) fn complete(mut document: Value) -> Value {
    document["components"]["securitySchemes"] = json!({
        "ApiKey": {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "`kyb_<env>_<key id>_<secret>`. The tenant comes from the key.",
        },
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                complete_operation(path, method, operation);
            }
        }
    }
    merge_compositions(&mut document["components"]["schemas"]);
    document
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    operation["operationId"] = json!(operation_id(path, method));
    if !path.starts_with("/v1/") {
        operation["security"] = json!([]);
        return;
    }
    operation["security"] = json!([{"ApiKey": []}]);
    let mut headers = vec![header("X-Kyb-Context", "A business context of your tenant.", 15)];
    if method == "post" {
        let description =
            "The same request with the same key is done once; for 24 hours it is answered as the first time.";
        headers.push(header("Idempotency-Key", description, 255));
    }
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.extend(headers),
        None => operation["parameters"] = Value::Array(headers),
    }
    let has_body = operation.get("requestBody").is_some();
    for kind in problems(path, method, has_body) {
        let status = kind.status().as_u16().to_string();
        let description = format!("{} (`{}`)", kind.title(), kind.code());
        let known = operation["responses"][&status]["description"].as_str().map(str::to_owned);
        operation["responses"][&status] = json!({
            "description": known.map_or(description.clone(), |known| format!("{known}; {description}")),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
    }
}

/// The problems that an operation can answer with.
fn problems(path: &str, method: &str, has_body: bool) -> Vec<Kind> {
    let mut kinds = vec![Kind::InvalidHeader, Kind::Unauthenticated, Kind::Forbidden, Kind::ContextForbidden];
    if path.contains("{id}") {
        kinds.push(Kind::NotFound);
    }
    if has_body {
        kinds.extend([Kind::MalformedJson, Kind::BodyTimeout, Kind::BodyTooLarge]);
        kinds.extend([Kind::UnsupportedMediaType, Kind::InvalidInput]);
    }
    if ["/v1/businesses", "/v1/suppressions"].contains(&path) && method == "get" {
        kinds.extend([Kind::InvalidQuery, Kind::InvalidCursor]);
    }
    if method == "post" && has_body {
        kinds.push(Kind::IdempotencyKeyReused);
    }
    if path.ends_with("/results") {
        kinds.push(Kind::NotFinished);
    }
    if method == "patch" || method == "delete" || path.ends_with("/decisions") {
        kinds.push(Kind::PreconditionFailed);
    }
    if method == "patch" {
        kinds.push(Kind::Conflict);
    }
    kinds.extend([
        Kind::RateLimited,
        Kind::Internal,
        Kind::Overloaded,
        Kind::Starting,
        Kind::Unavailable,
        Kind::Timeout,
    ]);
    kinds
}

fn header(name: &str, description: &str, longest: usize) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": longest},
    })
}

/// `get /v1/businesses/{id}/export` becomes `get_businesses_id_export`.
fn operation_id(path: &str, method: &str) -> String {
    let words =
        path.trim_start_matches("/v1").split(['/', '-', '.', '{', '}']).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Turns `allOf` of a flattened struct into one object: a part that allows no further properties would refuse the others'.
fn merge_compositions(schemas: &mut Value) {
    let parts = schemas.clone();
    for schema in schemas.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(Value::Array(all_of)) = schema.get("allOf").cloned() else { continue };
        let mut whole = Map::new();
        if let Some(description) = schema.get("description") {
            whole.insert("description".to_owned(), description.clone());
        }
        whole.insert("type".to_owned(), json!("object"));
        let (mut properties, mut required) = (Map::new(), vec![]);
        for part in &all_of {
            let (part, is_optional) = resolve(&parts, part);
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            if !is_optional {
                required.extend(part["required"].as_array().cloned().unwrap_or_default());
            }
        }
        whole.insert("properties".to_owned(), Value::Object(properties));
        whole.insert("required".to_owned(), Value::Array(required));
        *schema = Value::Object(whole);
    }
}

/// A part of a composition, and whether it may be absent (a flattened `Option` is `oneOf` null and the part).
fn resolve<'a>(schemas: &'a Value, part: &'a Value) -> (&'a Value, bool) {
    if let Some(name) = part["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return (&schemas[name], false);
    }
    match part["oneOf"]
        .as_array()
        .and_then(|choices| choices.iter().find(|choice| choice.get("$ref").is_some()))
    {
        Some(choice) => (resolve(schemas, choice).0, true),
        None => (part, false),
    }
}
