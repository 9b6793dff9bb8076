//! The page for people: plain HTML, no script, nothing loaded from elsewhere.

use std::fmt::Write;

use axum::http::HeaderValue;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::operations;
use crate::problem::Kind;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code,pre{font-family:ui-monospace,monospace;font-size:.9em}\
h2{margin-top:3rem;border-bottom:1px solid}\
section{margin:1.5rem 0;padding:.5rem 1rem;border-left:4px solid #8888}\
.method{font-weight:700;text-transform:uppercase;margin-right:.5rem}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}\
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}\
nav a{display:inline-block;margin-right:1rem}";

/// The page, and what a browser may load for it: its own style.
pub(super) struct Page {
    pub(super) html: String,
    pub(super) policy: HeaderValue,
}

pub(super) fn render(document: &Value) -> Page {
    let mut html = String::new();
    // Writing to a String can't fail.
    let _ = write_page(&mut html, document);
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'");
    Page {
        html,
        policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
    }
}

fn write_page(html: &mut String, document: &Value) -> std::fmt::Result {
    let title = text(&document["info"]["title"]);
    write!(html, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>")?;
    write!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>"
    )?;
    write!(html, "<h1>{title}</h1><p>{}</p>", text(&document["info"]["description"]))?;
    write!(html, "<p>Send your API key in <code>X-API-Key</code>. The same as a document for programs: ")?;
    write!(html, "<a href=\"/openapi.json\">/openapi.json</a>.</p><nav>")?;
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    for tag in &tags {
        write!(html, "<a href=\"#{0}\">{0}</a>", text(&tag["name"]))?;
    }
    write!(html, "<a href=\"#problems\">problems</a><a href=\"#schemas\">schemas</a></nav>")?;
    for tag in tags {
        write!(html, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", text(&tag["name"]), text(&tag["description"]))?;
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == tag["name"] {
                write_operation(html, path, method, operation)?;
            }
        }
    }
    write_problems(html)?;
    write!(html, "<h2 id=\"schemas\">Schemas</h2>")?;
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        write_schema(html, name, schema)?;
    }
    write!(html, "</body></html>")
}

fn write_operation(html: &mut String, path: &str, method: &str, operation: &Value) -> std::fmt::Result {
    write!(html, "<section><h3><span class=\"method\">{method}</span><code>{}</code></h3>", escape(path))?;
    write!(
        html,
        "<p><strong>{}</strong> {}</p>",
        text(&operation["summary"]),
        text(&operation["description"])
    )?;
    let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        write!(html, "<table><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr>")?;
        for parameter in parameters {
            let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
            let (kind, meaning) = (type_of(&parameter["schema"]), text(&parameter["description"]));
            write!(
                html,
                "<tr><td><code>{name}</code></td><td>{place}</td><td>{kind}</td><td>{meaning}</td></tr>"
            )?;
        }
        write!(html, "</table>")?;
    }
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        for (media_type, body) in content {
            write!(html, "<p>Body: <code>{}</code> {}</p>", escape(media_type), type_of(&body["schema"]))?;
        }
    }
    write!(html, "<table><tr><th>Status</th><th>Body</th><th>Meaning</th></tr>")?;
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let bodies = response["content"].as_object().into_iter().flatten();
        let body: Vec<String> = bodies.map(|(_, content)| type_of(&content["schema"])).collect();
        write!(html, "<tr><td>{}</td><td>{}</td>", escape(status), body.join(", "))?;
        write!(html, "<td>{}</td></tr>", text(&response["description"]))?;
    }
    write!(html, "</table></section>")
}

fn write_problems(html: &mut String) -> std::fmt::Result {
    write!(
        html,
        "<h2 id=\"problems\">Problems</h2><p>Errors are <code>application/problem+json</code> (RFC 9457).</p>"
    )?;
    write!(html, "<table><tr><th>Status</th><th>Code</th><th>What it means and what to do</th></tr>")?;
    for kind in Kind::ALL {
        let (status, code, meaning) = (kind.status().as_u16(), kind.code(), escape(kind.meaning()));
        write!(
            html,
            "<tr id=\"{code}\"><td>{status}</td><td><code>{code}</code></td><td>{meaning}</td></tr>"
        )?;
    }
    write!(html, "</table>")
}

fn write_schema(html: &mut String, name: &str, schema: &Value) -> std::fmt::Result {
    let name = escape(name);
    write!(
        html,
        "<section id=\"schema-{name}\"><h3><code>{name}</code></h3><p>{}</p>",
        text(&schema["description"])
    )?;
    let Some(properties) = schema["properties"].as_object() else {
        return write!(html, "<p>{}</p></section>", type_of(schema));
    };
    let required = schema["required"].as_array();
    write!(html, "<table><tr><th>Member</th><th>Type</th><th>Meaning</th></tr>")?;
    for (member, property) in properties {
        let is_required = required.is_some_and(|names| names.iter().any(|name| name == member.as_str()));
        let mark = if is_required { " (required)" } else { "" };
        let (member, kind, meaning) = (escape(member), type_of(property), text(&property["description"]));
        write!(html, "<tr><td><code>{member}</code>{mark}</td><td>{kind}</td><td>{meaning}</td></tr>")?;
    }
    write!(html, "</table></section>")
}

/// A schema in one line of HTML, with links to the named ones.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return choices.iter().map(type_of).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> =
            values.iter().map(|value| format!("<code>{}</code>", escape(&value.to_string()))).collect();
        return values.join(" ");
    }
    if schema["items"].is_object() {
        return format!("list of {}", type_of(&schema["items"]));
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(name) => escape(name),
        _ => "any".to_owned(),
    }
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_operation_and_loads_nothing() {
        let document = super::super::document();
        let page = render(&document);
        for (path, _, _) in operations(&document) {
            assert!(page.html.contains(&format!("<code>{}</code>", escape(path))), "{path}");
        }
        for forbidden in ["<script", "<link", "<img", "src=", "http:", "https:", "style=\""] {
            assert!(!page.html.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn text_can_not_become_markup() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
