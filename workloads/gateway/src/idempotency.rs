//! `Idempotency-Key`: the same request sent twice is done once and answered alike.
//!
//! The store keeps key and answer in the transaction of the write itself. Here the header is checked, the request's
//! fingerprint taken, and the store's word turned into an answer.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use kyb_domain::tenant::ContextName;
use kyb_store::{Idempotency, StoredResponse, Write};
use sha2::{Digest, Sha256};

use crate::{
    problem::{Kind, Problem},
    reply,
};

const HEADER: &str = "idempotency-key";

/// Says that an answer was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A key and what it stands for, before the answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    key: String,
    fingerprint: String,
}

/// The request that a key is sent with.
pub(crate) struct Fingerprinted<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) context: Option<&'a ContextName>,
    pub(crate) body: &'a [u8],
}

impl Fingerprinted<'_> {
    /// SHA-256 over the parts, each preceded by its length so that no two requests run together.
    fn fingerprint(&self) -> String {
        let context = self.context.map_or("", ContextName::as_str);
        let mut hash = Sha256::new();
        for part in [self.method.as_str().as_bytes(), self.path.as_bytes(), context.as_bytes(), self.body] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

/// The key of a request, if it carries one.
pub(crate) fn read(headers: &HeaderMap, request: &Fingerprinted<'_>) -> Result<Option<Pending>, Problem> {
    Ok(key(headers)?.map(|key| Pending { key, fingerprint: request.fingerprint() }))
}

/// The header alone, checked; for routes that store nothing.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    if second.is_some() || !visible || !(1..=255).contains(&value.len()) {
        let detail =
            "Idempotency-Key: give one value of 1 to 255 visible ASCII characters, such as a random UUID";
        return Err(Problem::new(Kind::InvalidHeader, detail));
    }
    Ok(value.to_str().ok().map(str::to_owned))
}

/// An answer, made before it is stored.
pub(crate) struct Prepared {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: Vec<u8>,
}

impl Prepared {
    /// What the store keeps for repetitions, where the caller gave a key.
    pub(crate) fn kept_for(&self, pending: Option<Pending>) -> Result<Option<Idempotency>, Problem> {
        let Some(Pending { key, fingerprint }) = pending else { return Ok(None) };
        let body = serde_json::from_slice(&self.body).map_err(|_| Problem::internal())?;
        let response =
            StoredResponse { status: self.status.as_u16(), location: Some(self.location.clone()), body };
        Ok(Some(Idempotency { key, fingerprint, response }))
    }

    /// The answer to give, whoever's it is. The flag says whether it is this request's own.
    pub(crate) fn settle(self, write: Write) -> Result<(Response, bool), Problem> {
        match write {
            Write::Done => {
                let mut response = reply::json_text(self.status, self.body);
                reply::set(&mut response, header::LOCATION, &self.location);
                Ok((response, true))
            }
            Write::Replayed(stored) => Ok((replay(&stored)?, false)),
            Write::KeyReused => {
                let detail = "this Idempotency-Key was used for a different request within the last 24 hours; use a new key";
                Err(Problem::new(Kind::IdempotencyKeyReused, detail))
            }
        }
    }
}

fn replay(stored: &StoredResponse) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(stored.status).map_err(|_| Problem::internal())?;
    let mut response = reply::json(status, &stored.body)?;
    if let Some(location) = &stored.location {
        reply::set(&mut response, header::LOCATION, location);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| {
                (HeaderName::from_static(HEADER), HeaderValue::from_bytes(value.as_bytes()).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_key_is_one_value_of_visible_ascii() {
        assert_eq!(key(&headers(&[])).unwrap(), None);
        assert_eq!(key(&headers(&["a-1"])).unwrap().as_deref(), Some("a-1"));
        for bad in [&[""][..], &["a b"], &["ä"], &["a", "b"], &[&"x".repeat(256)]] {
            assert_eq!(key(&headers(bad)).unwrap_err().kind(), Kind::InvalidHeader, "{bad:?}");
        }
    }

    #[test]
    fn any_difference_in_the_request_is_a_different_fingerprint() {
        let lending = ContextName::try_from("lending").unwrap();
        let print = |path, context, body: &[u8]| {
            Fingerprinted { method: &Method::POST, path, context, body }.fingerprint()
        };
        let prints = [
            print("/v1/screenings", None, b"{}"),
            print("/v1/businesses", None, b"{}"),
            print("/v1/screenings", Some(&lending), b"{}"),
            print("/v1/screenings", None, b"{ }"),
            print("/v1/screeningslending", None, b"{}"),
        ];
        let distinct: std::collections::BTreeSet<_> = prints.iter().collect();
        assert_eq!(distinct.len(), prints.len());
        assert_eq!(print("/v1/screenings", None, b"{}"), prints[0], "and the same request has the same one");
    }

    #[test]
    fn a_repetition_gets_the_first_answer_and_is_told_so() {
        let prepared = || Prepared {
            status: StatusCode::CREATED,
            location: "/v1/x/2".into(),
            body: b"{\"id\":2}".to_vec(),
        };
        let first = StoredResponse {
            status: 201,
            location: Some("/v1/x/1".into()),
            body: serde_json::json!({"id": 1}),
        };
        let (response, own) = prepared().settle(Write::Replayed(first)).unwrap();
        assert!(!own);
        assert_eq!(response.headers()[header::LOCATION], "/v1/x/1");
        assert_eq!(response.headers()[REPLAYED], "true");
        let (response, own) = prepared().settle(Write::Done).unwrap();
        assert!(own && !response.headers().contains_key(REPLAYED));
        assert_eq!(prepared().settle(Write::KeyReused).unwrap_err().kind(), Kind::IdempotencyKeyReused);
    }
}
