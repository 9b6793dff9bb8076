//! Who calls. yente's clients send `Authorization: ApiKey KEY` (or `Token`, or the bare key); Watchman's send what is in the address
//! that they are given: `http://kyb:KEY@host` arrives as `Authorization: Basic` (RFC 7617), the key as its password.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use kyb_domain::tenant::{KeyId, Role, TenantId};
use kyb_settings::{Caller, Snapshot};

use crate::{
    admit::admit_by,
    auth::{self, API_KEY},
    problem::{Kind, Problem},
    state::App,
};

/// What a proxy adds: then the caller is somebody behind it, and not on this machine.
const FORWARDED: [HeaderName; 3] =
    [header::FORWARDED, HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-real-ip")];

/// The middleware of every route that answers for a tenant.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let open_for = app.options.compat.without_key_as.clone();
    admit_by(&app, |request, settings| caller(request, settings, open_for.as_ref()), request, next).await
}

fn caller(request: &Request, settings: &Snapshot, open_for: Option<&TenantId>) -> Result<Caller, Problem> {
    match (key(request.headers())?, open_for) {
        (Some(key), _) => auth::by_key(&key, settings),
        (None, Some(tenant)) => nobody(request, settings, tenant),
        (None, None) => Err(refused(
            "send your API key: `Authorization: ApiKey KEY`, `X-API-Key: KEY`, or as the password of Basic",
        )),
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new(Kind::Unauthenticated, detail)
}

/// The key, from wherever it was put. Two credentials could be two tenants', so there may be one only.
fn key(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Problem> {
    let own = headers.get_all(API_KEY).iter().map(|value| Ok(value.as_bytes().to_vec()));
    let theirs =
        headers.get_all(header::AUTHORIZATION).iter().map(|value| from_authorization(value.as_bytes()));
    let mut keys = own.chain(theirs);
    let key = keys.next().transpose()?;
    if keys.next().is_some() {
        return Err(refused("send your API key once, in one header"));
    }
    Ok(key)
}

fn from_authorization(value: &[u8]) -> Result<Vec<u8>, Problem> {
    let value = value.trim_ascii();
    let Some(space) = value.iter().position(|byte| *byte == b' ') else { return Ok(value.to_vec()) };
    let (scheme, rest) = (value[..space].to_ascii_lowercase(), value[space..].trim_ascii());
    match scheme.as_slice() {
        b"apikey" | b"token" | b"bearer" => Ok(rest.to_vec()),
        b"basic" => password(rest).ok_or_else(|| refused("the Basic credentials can't be read (RFC 7617)")),
        _ => Err(refused(
            "Authorization takes `ApiKey KEY`, `Token KEY`, `Bearer KEY`, or Basic with the key as password",
        )),
    }
}

/// `user:password` in base64; the user does not matter.
fn password(encoded: &[u8]) -> Option<Vec<u8>> {
    let pair = STANDARD.decode(encoded).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// A caller without a key, of whom nothing is known but that it runs on this machine: it may read.
fn nobody(request: &Request, settings: &Snapshot, tenant: &TenantId) -> Result<Caller, Problem> {
    if !comes_from_here(request) {
        return Err(refused(
            "a request without a key must name this machine as its host and come through no proxy; send an API key",
        ));
    }
    let Some(tenant) = settings.tenants.get(tenant) else {
        return Err(Problem::new(
            Kind::Starting,
            format!(
                "requests without a key are answered for tenant `{tenant}`, which the settings do not have"
            ),
        ));
    };
    let key = KeyId::try_from("withoutkey".to_owned()).map_err(|_| Problem::internal())?;
    Ok(Caller { tenant: Arc::clone(tenant), key, role: Role::Guest, contexts: None })
}

/// Whether the request was made for a loopback host and not passed on. A web page whose name was made to point at loopback (DNS
/// rebinding) still names its own host.
fn comes_from_here(request: &Request) -> bool {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = request.uri().host().or_else(|| host.map(without_port)).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here =
        bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_here && !FORWARDED.iter().any(|name| headers.contains_key(name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_key_is_found_wherever_those_clients_can_put_it() {
        let basic = format!("Basic {}", STANDARD.encode("kyb:kyb_dev_a_b"));
        let places =
            ["ApiKey kyb_dev_a_b", "Token kyb_dev_a_b", "bearer  kyb_dev_a_b", "kyb_dev_a_b", &basic];
        for place in places {
            assert_eq!(
                key(&headers(&[("authorization", place)])).unwrap().unwrap(),
                b"kyb_dev_a_b",
                "{place}"
            );
        }
        assert_eq!(key(&headers(&[("x-api-key", "k")])).unwrap().unwrap(), b"k");
        assert!(key(&HeaderMap::new()).unwrap().is_none());
    }

    #[test]
    fn two_credentials_or_unreadable_ones_are_refused() {
        for bad in [
            &[("x-api-key", "a"), ("authorization", "ApiKey b")][..],
            &[("authorization", "Digest x")],
            &[("authorization", "Basic ????")],
            &[("authorization", "Basic a3li")],
        ] {
            assert!(key(&headers(bad)).is_err(), "{bad:?}");
        }
        let mut twice = headers(&[("authorization", "ApiKey a")]);
        twice.append(header::AUTHORIZATION, "ApiKey b".parse().unwrap());
        assert!(key(&twice).is_err());
    }

    #[test]
    fn nobody_is_let_in_through_a_proxy_or_by_another_name_of_this_machine() {
        let from = |pairs: &[(&'static str, &str)]| {
            let mut request = Request::new(Body::empty());
            *request.headers_mut() = headers(pairs);
            comes_from_here(&request)
        };
        for here in ["localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080", "LOCALHOST"] {
            assert!(from(&[("host", here)]), "{here}");
            assert!(!from(&[("host", here), ("x-forwarded-for", "203.0.113.9")]), "{here}");
        }
        for elsewhere in ["kyb.example", "203.0.113.9:8080", "127.0.0.1.evil.example", ""] {
            assert!(!from(&[("host", elsewhere)]), "{elsewhere}");
        }
        assert!(!from(&[]));
    }
}
