//! Who calls, what they may do, and in which business context.

use axum::http::{HeaderMap, Method, header};
use chrono::Utc;
use kyb_domain::{
    audit::{Actor, ActorKind},
    tenant::{ContextName, Role},
};
use kyb_settings::{Caller, Snapshot};
use kyb_store::audit::AuditContext;

use crate::problem::{Kind, Problem, RequestTag};

/// The header that holds the key.
pub(crate) const API_KEY: &str = "x-api-key";
/// The header that picks a business context.
pub(crate) const CONTEXT: &str = "x-kyb-context";

/// POST routes that store nothing: whoever may read may ask.
const STORES_NOTHING: [&str; 2] = ["/v1/classifications", "/match/{dataset}"];

/// Routes that change what a hit means. Whoever may write may not do these.
const DECIDES: [&str; 2] =
    ["/v1/screenings/{id}/matches/{list}/{entry_id}/decisions", "/v1/suppressions/{id}/withdraw"];

/// A caller that was let in, and for which context.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) context: Option<ContextName>,
    pub(crate) request: RequestTag,
}

impl Admitted {
    /// Whether the caller, as it asked, gets to see an object of this context. Without `X-Kyb-Context` it sees all of its
    /// tenant's objects.
    pub(crate) fn sees(&self, context: Option<&ContextName>) -> bool {
        self.context.is_none() || self.context.as_ref() == context
    }

    /// How the audit chain names this request.
    pub(crate) fn audit(&self) -> AuditContext {
        AuditContext {
            actor: Actor { kind: ActorKind::ApiKey, id: self.caller.key.to_string() },
            request_id: Some(self.request.text.to_string()),
        }
    }
}

/// The caller by its key, as of these settings. The tenant comes from the key and from nothing else.
pub(crate) fn authenticate(headers: &HeaderMap, settings: &Snapshot) -> Result<Caller, Problem> {
    let refused = |detail: &str| Problem::new(Kind::Unauthenticated, detail);
    let mut keys = headers.get_all(API_KEY).iter();
    let Some(key) = keys.next() else {
        return Err(refused(if headers.contains_key(header::AUTHORIZATION) {
            "tokens in Authorization are not accepted yet; send an API key in X-API-Key"
        } else {
            "send your API key in the header X-API-Key"
        }));
    };
    if keys.next().is_some() {
        return Err(refused("send X-API-Key once"));
    }
    by_key(key.as_bytes(), settings)
}

/// The caller whose key this is.
pub(crate) fn by_key(key: &[u8], settings: &Snapshot) -> Result<Caller, Problem> {
    let refused = |detail: &str| Problem::new(Kind::Unauthenticated, detail);
    let key = std::str::from_utf8(key).ok().filter(|key| key.is_ascii());
    let key = key.ok_or_else(|| refused("the key must be ASCII, as it was handed out"))?;
    settings.authenticate(key, Utc::now()).map_err(|error| {
        refused(&format!("{error}; check that it is whole, or ask your platform team for a new one"))
    })
}

/// The context to act in, if it is one that the key may use. A key that is confined to some contexts always acts in one of
/// them, so that everything behind it need only look at the request's context.
pub(crate) fn context(headers: &HeaderMap, caller: &Caller) -> Result<Option<ContextName>, Problem> {
    let Some(value) = headers.get(CONTEXT) else {
        return match caller.contexts.as_deref() {
            None => Ok(None),
            Some([only]) => Ok(Some(only.clone())),
            Some(_) => Err(Problem::new(
                Kind::ContextForbidden,
                "this key may use some contexts only; name one in X-Kyb-Context",
            )),
        };
    };
    let name = value.to_str().unwrap_or_default();
    let context = ContextName::try_from(name)
        .map_err(|error| Problem::new(Kind::InvalidHeader, format!("X-Kyb-Context: {error}")))?;
    if caller.may_use(&context) {
        return Ok(Some(context));
    }
    let detail = format!(
        "`{context}` is not a business context that this key may use; leave X-Kyb-Context out or correct it"
    );
    Err(Problem::new(Kind::ContextForbidden, detail))
}

/// Refuses what the role does not allow. `route` is the template.
pub(crate) fn authorise(role: Role, method: &Method, route: &str) -> Result<(), Problem> {
    if allows(role, method, route) {
        return Ok(());
    }
    let detail = match role {
        Role::Auditor => "an Auditor key reads compliance data only: GET /v1/watchlists",
        Role::ServiceAccount => "this key may not decide about matches; use one of the role ContextManager",
        _ => "this key reads only; use one of the role ServiceAccount or ContextManager",
    };
    Err(Problem::new(Kind::Forbidden, detail))
}

fn allows(role: Role, method: &Method, route: &str) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match role {
        Role::Auditor => reads && route == "/v1/watchlists",
        role if DECIDES.contains(&route) => role.may_decide(),
        role => reads || role.may_write() || STORES_NOTHING.contains(&route),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_the_table_says_and_no_more() {
        let asked = [
            (Method::GET, "/v1/watchlists"),
            (Method::GET, "/v1/businesses/{id}"),
            (Method::POST, "/v1/classifications"),
            (Method::POST, "/match/{dataset}"),
            (Method::POST, "/v1/verifications"),
            (Method::PATCH, "/v1/businesses/{id}"),
            (Method::DELETE, "/v1/businesses/{id}"),
            (Method::POST, DECIDES[0]),
            (Method::POST, DECIDES[1]),
        ];
        let table = [
            (Role::SystemAdmin, [true, true, true, true, true, true, true, true, true]),
            (Role::ContextManager, [true, true, true, true, true, true, true, true, true]),
            (Role::ServiceAccount, [true, true, true, true, true, true, true, false, false]),
            (Role::Guest, [true, true, true, true, false, false, false, false, false]),
            (Role::Auditor, [true, false, false, false, false, false, false, false, false]),
        ];
        for (role, expected) in table {
            assert_eq!(
                asked.clone().map(|(method, route)| allows(role, &method, route)),
                expected,
                "{role:?}"
            );
        }
    }

    #[test]
    fn a_request_without_a_key_is_told_where_to_put_one() {
        let settings = Snapshot::default();
        let refused = |headers: HeaderMap| authenticate(&headers, &settings).unwrap_err();
        assert_eq!(refused(HeaderMap::new()).kind(), Kind::Unauthenticated);
        let bearer = [(header::AUTHORIZATION, "Bearer x".parse().unwrap())].into_iter().collect();
        assert!(format!("{:?}", refused(bearer)).contains("tokens in Authorization are not accepted yet"));
    }
}
