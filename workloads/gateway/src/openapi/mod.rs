//! The OpenAPI 3.1 document and the page made from it; both are built once, when the process starts.
//!
//! Routes describe themselves (`#[utoipa::path]`); what holds for all of them is added in [`complete`].

mod complete;
mod page;

use axum::http::HeaderValue;
use bytes::Bytes;
use serde_json::Value;
use utoipa::OpenApi;

use crate::{problem::ProblemBody, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "KYB API",
        description = "Is this business real, what does it do, is anyone behind it sanctioned, how risky is it: with evidence for each claim.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemBody)),
    tags(
        (name = "verifications", description = "From what is known about a business to a decision with evidence."),
        (name = "businesses", description = "Businesses that you keep here."),
        (name = "screenings", description = "One party against the sanctions lists."),
        (name = "suppressions", description = "Matches that were decided to be somebody else, and that later screenings need not ask about again."),
        (name = "batches", description = "Many parties against the sanctions lists."),
        (name = "monitors", description = "Parties that are looked at again whenever a list changes, and the alerts that come of it."),
        (name = "classifications", description = "Industry codes."),
        (name = "risk-assessments", description = "A score and what it is made of."),
        (name = "watchlists", description = "Which lists are searched, and how fresh they are."),
        (name = "operations", description = "For whoever runs the service; no key needed."),
    ),
)]
struct Frame;

/// What is served about the interface itself.
pub(crate) struct Documents {
    /// Method and route template of every operation.
    pub(crate) endpoints: Vec<(String, String)>,
    /// `/openapi.json`.
    pub(crate) openapi: Bytes,
    /// `/docs`.
    pub(crate) page: Bytes,
    /// The content security policy of that page.
    pub(crate) page_policy: HeaderValue,
}

impl Documents {
    pub(crate) fn build() -> Self {
        let document = document();
        let page = page::render(&document);
        Self {
            endpoints: operations(&document)
                .map(|(path, method, _)| (method.to_uppercase(), path.to_owned()))
                .collect(),
            openapi: document.to_string().into(),
            page_policy: page.policy,
            page: page.html.into(),
        }
    }
}

fn document() -> Value {
    let mut document = Frame::openapi();
    document.merge(routes::open().into_openapi());
    document.merge(routes::v1().into_openapi());
    // Strings, numbers and maps with string keys always serialise.
    complete::complete(serde_json::to_value(document).unwrap_or_default())
}

/// Every operation: path, method in lower case, and what the document says about it.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods
            .filter(|(name, _)| METHODS.contains(&name.as_str()))
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_and_lists_its_errors() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        for (path, method, operation) in operations(&document) {
            let what = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["operationId"].is_string(), "{what}");
            let responses = operation["responses"].as_object().unwrap();
            if path.starts_with("/v1/") {
                assert_eq!(operation["security"], serde_json::json!([{"ApiKey": []}]), "{what}");
                for status in ["401", "403", "429", "500", "503"] {
                    assert!(responses.contains_key(status), "{what}: {status}");
                }
            }
            assert_eq!(responses.contains_key("413"), operation["requestBody"].is_object(), "{what}");
            assert_eq!(responses.contains_key("404"), path.contains("{id}"), "{what}");
        }
    }

    #[test]
    fn operation_ids_are_unique() {
        let document = document();
        let ids: Vec<_> =
            operations(&document).map(|(_, _, operation)| operation["operationId"].to_string()).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn every_reference_leads_somewhere_and_no_schema_is_left_composed() {
        fn walk(document: &Value, value: &Value) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        let target = document.pointer(reference.trim_start_matches('#'));
                        assert!(target.is_some(), "{reference}");
                    }
                    members.values().for_each(|value| walk(document, value));
                }
                Value::Array(values) => values.iter().for_each(|value| walk(document, value)),
                _ => {}
            }
        }
        let document = document();
        walk(&document, &document);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(
                schema.get("allOf").is_none(),
                "{name} refuses its own members where one part allows no others"
            );
        }
    }
}
