//! A small HTTP client for the API.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

/// One answer, read in full.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body)
            .with_context(|| format!("no JSON in answer {}: {}", self.status, self.body))
    }

    /// The body as JSON, if the status is `status`.
    pub fn expect(&self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "answered {} instead of {status}: {}", self.status, self.body);
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }

    /// Its `detail`, if it is the problem `code` with `status` and says more than the title does.
    pub fn expect_problem(&self, status: u16, code: &str) -> anyhow::Result<String> {
        let problem = self.expect(status)?;
        let media_type = self.header("content-type");
        ensure!(media_type == Some("application/problem+json"), "a problem of media type {media_type:?}");
        ensure!(problem["code"] == code, "problem {} instead of {code}: {problem}", problem["code"]);
        for member in ["type", "title", "detail", "request_id"] {
            ensure!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "a problem without {member}: {problem}"
            );
        }
        let detail = problem["detail"].as_str().unwrap_or_default();
        ensure!(problem["title"] != detail, "the detail only repeats the title: {problem}");
        Ok(detail.to_owned())
    }
}

/// Speaks to one server with one API key, or with none. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Client {
    /// A client of `base`, such as `http://127.0.0.1:8080`, without a key.
    pub fn new(base: impl Into<String>) -> anyhow::Result<Self> {
        // An error means that a provider is installed already, and there is only one in this program.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build()?;
        Ok(Self { http, base: base.into(), key: None })
    }

    /// The same client with another key.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    /// Sends a request with these headers and body and reads the whole answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], None).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post_with(path, body, &[]).await
    }

    /// POST of JSON with further headers.
    pub async fn post_with(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Answer> {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, Some(body.to_string().into_bytes())).await
    }

    /// Verifies a business: `POST /v1/verifications`, done at once.
    pub async fn verify(&self, business: &Value) -> anyhow::Result<Value> {
        self.post("/v1/verifications", &serde_json::json!({ "business": business })).await?.expect(201)
    }

    /// Screens a subject: `POST /v1/screenings`. Done whether it answers 200 or 201.
    pub async fn screen(&self, subject: &Value) -> anyhow::Result<Value> {
        let answer = self.post("/v1/screenings", &serde_json::json!({ "subject": subject })).await?;
        answer.expect(if answer.status == 200 { 200 } else { 201 })
    }
}
