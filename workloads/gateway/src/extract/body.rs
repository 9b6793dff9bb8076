//! JSON bodies: content type, size, time and form are checked in this order, each with its own problem.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::problem::{Kind, Problem};

/// The largest body.
pub(crate) const MOST_BYTES: usize = 1 << 20;
/// What is read and thrown away of a body that is too large, so that a caller that is still sending gets to see the answer
/// instead of a reset connection.
const MOST_DISCARDED: usize = 8 << 20;
/// How long a body may take.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// A JSON body as `T`, and its bytes for the fingerprint of `Idempotency-Key`.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    pub(crate) raw: Bytes,
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        let raw = read(&parts.headers, body).await?;
        Ok(Self { value: parse(&raw)?, raw })
    }
}

/// Accepts `application/json` and whatever is built on it, such as `application/merge-patch+json` (RFC 7396).
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Problem::new(
        Kind::UnsupportedMediaType,
        "send the body as JSON with `Content-Type: application/json`",
    ))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let declared: Option<usize> = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    // A caller that waits for `100 Continue` has not sent anything yet: answer without asking for it.
    if declared.is_some_and(|length| length > MOST_BYTES) && headers.contains_key(header::EXPECT) {
        return Err(too_large());
    }
    match tokio::time::timeout(READ_WITHIN, collect(body, declared.unwrap_or(0))).await {
        Ok(result) => result,
        Err(_) => Err(Problem::new(Kind::BodyTimeout, "send the whole body within 20 seconds")),
    }
}

async fn collect(mut body: Body, declared: usize) -> Result<Bytes, Problem> {
    let mut whole = BytesMut::with_capacity(declared.min(MOST_BYTES));
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Problem::new(Kind::MalformedJson, "the body ended early; send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > MOST_DISCARDED {
            break;
        }
        if seen <= MOST_BYTES {
            whole.extend_from_slice(&data);
        }
    }
    if seen > MOST_BYTES { Err(too_large()) } else { Ok(whole.freeze()) }
}

fn too_large() -> Problem {
    Problem::new(Kind::BodyTooLarge, format!("send at most {MOST_BYTES} bytes"))
}

/// Reads JSON; tells malformed text (line and column) from a value that is not accepted (pointer).
pub(crate) fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    if raw.trim_ascii_start().first() == Some(&b'[') {
        // serde would take the members of a struct from an array, in order; nobody who wrote that meant it.
        serde_json::from_slice::<IgnoredAny>(raw).map_err(|error| refused("", &error))?;
        return Err(Problem::invalid_input("", "WRONG_TYPE", "the body must be an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| refused(&pointer(error.path()), error.inner()))?;
    reader.end().map_err(|error| refused("", &error))?;
    Ok(value)
}

/// Reads `T` out of JSON that was already parsed.
pub(crate) fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| refused(&pointer(error.path()), error.inner()))
}

fn refused(pointer: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return Problem::new(Kind::MalformedJson, error.to_string());
    }
    let text = error.to_string();
    let detail = text.split(" at line ").next().unwrap_or(&text);
    Problem::invalid_input(pointer, code(detail), detail)
}

/// serde_json tells its data errors apart by their text alone.
fn code(detail: &str) -> &'static str {
    match detail {
        _ if detail.starts_with("missing field") => "REQUIRED",
        _ if detail.starts_with("unknown field") => "UNKNOWN_FIELD",
        _ if detail.starts_with("invalid type") => "WRONG_TYPE",
        _ => "INVALID",
    }
}

/// JSON pointer (RFC 6901 §3): `~` and `/` in names are escaped.
fn pointer(path: &Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                text.push('/');
                text.push_str(&index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                text.push('/');
                text.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::FieldError;
    use axum::response::IntoResponse;
    use kyb_domain::verification::VerificationRequest;

    async fn told(problem: Problem) -> (u16, String, Vec<FieldError>) {
        let carrier = problem.clone().into_response();
        let status = carrier.status().as_u16();
        let body = axum::body::to_bytes(problem.render(carrier, "req_1").into_body(), 1 << 20).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let text = |error: &serde_json::Value, name: &str| error[name].as_str().unwrap().to_owned();
        let code = |error: &serde_json::Value| {
            let given = text(error, "code");
            ["REQUIRED", "UNKNOWN_FIELD", "WRONG_TYPE", "INVALID"]
                .into_iter()
                .find(|known| *known == given)
                .unwrap()
        };
        let errors = errors
            .iter()
            .map(|e| FieldError { pointer: text(e, "pointer"), code: code(e), detail: text(e, "detail") })
            .collect();
        (status, body["detail"].as_str().unwrap().to_owned(), errors)
    }

    #[tokio::test]
    async fn malformed_json_names_line_and_column() {
        for bad in ["", "{", "{\"business\":\n}", "{} trailing", "nonsense", "[1,", "\u{feff}{}"] {
            let Err(problem) = parse::<VerificationRequest>(bad.as_bytes()) else { panic!("{bad:?}") };
            let (status, detail, errors) = told(problem).await;
            if status == 422 {
                assert_eq!(bad, "{} trailing", "a whole object that lacks a field comes first");
                continue;
            }
            assert_eq!((status, errors), (400, vec![]), "{bad:?}");
            assert!(detail.contains("line ") && detail.contains("column "), "{bad:?}: {detail}");
        }
    }

    #[tokio::test]
    async fn a_value_that_is_not_accepted_is_pointed_at() {
        let table = [
            (r#"{"business":{}}"#, "/business", "REQUIRED"),
            (r#"{"business":{"name":7}}"#, "/business/name", "WRONG_TYPE"),
            (r#"{"business":{"name":"..."}}"#, "/business/name", "INVALID"),
            (r#"{"business":{"name":"A","nmae":"B"}}"#, "/business/nmae", "UNKNOWN_FIELD"),
            (r#"{"business":{"name":"A","country":"ZZ"}}"#, "/business/country", "INVALID"),
            (r#"{"business":{"name":"A","trading_names":["B",""]}}"#, "/business/trading_names/1", "INVALID"),
            ("[]", "", "WRONG_TYPE"),
            ("[{\"name\":\"A\"},null,null]", "", "WRONG_TYPE"),
        ];
        for (body, pointer, code) in table {
            let Err(problem) = parse::<VerificationRequest>(body.as_bytes()) else { panic!("{body}") };
            let (status, _, errors) = told(problem).await;
            assert_eq!(status, 422, "{body}");
            let [error] = errors.as_slice() else { panic!("{body}: {errors:?}") };
            assert_eq!((error.pointer.as_str(), error.code), (pointer, code), "{body}: {error:?}");
            assert!(!error.detail.contains("line"), "{error:?}");
        }
    }

    #[test]
    fn json_and_what_is_built_on_it_is_accepted_and_nothing_else() {
        let accepted = |value: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            }
            check_content_type(&headers).is_ok()
        };
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
            assert!(accepted(Some(good)), "{good}");
        }
        for bad in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("text/json"),
            Some("image/x+json"),
        ] {
            assert!(!accepted(bad), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn one_byte_too_many_is_refused_and_the_bound_itself_is_not() {
        let none = HeaderMap::new();
        let spaces = |length: usize| Body::from(vec![b' '; length]);
        assert_eq!(read(&none, spaces(MOST_BYTES)).await.unwrap().len(), MOST_BYTES);
        assert_eq!(read(&none, spaces(MOST_BYTES + 1)).await.unwrap_err().kind(), Kind::BodyTooLarge);
    }
}
