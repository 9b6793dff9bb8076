//! `PATCH /v1/businesses/{id}`: JSON merge patch (RFC 7396) with optimistic concurrency.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::Utc;
use kyb_domain::{
    business::{Business, BusinessProfile},
    id::BusinessId,
};
use kyb_store::StoreError;
use serde_json::Value;

use super::{answer, find, rows};
use crate::{
    auth::Admitted,
    extract::{Id, JsonBody, body, precondition::IfMatch},
    problem::{Kind, Problem},
    state::App,
};

/// How often a change without `If-Match` is applied again to what somebody else wrote in between.
const ATTEMPTS: usize = 5;

/// Change a business.
///
/// The body is a JSON merge patch (RFC 7396) on the profile: what it names is replaced, `null` takes away, lists are replaced
/// as a whole. With `If-Match` nothing is changed unless the business is still at that revision.
#[utoipa::path(
    patch,
    path = "/v1/businesses/{id}",
    tag = "businesses",
    params(
        ("id" = BusinessId, Path, description = "The business's id."),
        ("If-Match" = Option<String>, Header, description = "The ETag of what you read."),
    ),
    request_body(
        content((serde_json::Value = "application/merge-patch+json"), (serde_json::Value = "application/json")),
        description = "The members of BusinessProfile to change.",
    ),
    responses((
        status = 200, description = "The business as it is now.", body = Business,
        headers(("ETag" = String, description = "Its new revision.")),
    )),
)]
pub(crate) async fn change(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BusinessId>,
    headers: HeaderMap,
    body: JsonBody<Value>,
) -> Result<Response, Problem> {
    let if_match = IfMatch::read(&headers)?;
    if !body.value.is_object() {
        return Err(Problem::invalid_input(
            "",
            "WRONG_TYPE",
            "the patch must be an object with the members to change",
        ));
    }
    let store = rows(&app, &asker);
    for _ in 0..ATTEMPTS {
        let current = find(&store, &asker, id).await?;
        if_match.check(current.revision)?;
        let profile = merged(&current.profile, &body.value)?;
        let written =
            store.update_business(id, &profile, Some(current.revision), &asker.audit(), Utc::now()).await;
        match written {
            Ok(Some(business)) => return answer(StatusCode::OK, &business),
            Ok(None) => return Err(Problem::no_such("business")),
            // Without a tag the caller wants its patch on whatever is there now.
            Err(StoreError::Conflict) if !matches!(if_match, IfMatch::Tags(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(Kind::Conflict, "others keep changing this business; try again"))
}

fn merged(profile: &BusinessProfile, patch: &Value) -> Result<BusinessProfile, Problem> {
    let mut target = serde_json::to_value(profile).map_err(|_| Problem::internal())?;
    merge(&mut target, patch);
    let profile: BusinessProfile = body::from_value(target)?;
    profile.check_bounds().map_err(|invalid| Problem::out_of_bounds("", &invalid))?;
    Ok(profile)
}

/// RFC 7396 §2. The depth is bounded by the JSON reader's.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_does_what_its_rfc_says() {
        // RFC 7396, appendix A.
        let table = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (mut target, patch, expected) in table {
            merge(&mut target, &patch);
            assert_eq!(target, expected, "{patch}");
        }
    }

    #[test]
    fn a_patch_that_breaks_the_profile_is_refused_and_pointed_at() {
        let profile = BusinessProfile::named("Acme".try_into().unwrap());
        assert_eq!(merged(&profile, &json!({"country": "DE"})).unwrap().country, "DE".try_into().ok());
        for bad in [json!({"name": null}), json!({"country": "ZZ"}), json!({"revision": 7})] {
            assert_eq!(merged(&profile, &bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }
}
