//! `POST /v1/classifications`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use kyb_domain::{
    classification::{IndustryCode, Scheme},
    reason::{Reason, ReasonCode},
    text::{FreeText, Name},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::Admitted, cached, engine, extract::JsonBody, idempotency, problem::Problem, reply, state::App,
};

/// What to classify; at least one of name, description and website.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassificationRequest {
    /// The name of the business.
    #[serde(default)]
    name: Option<Name>,
    /// What it says it does.
    #[serde(default)]
    description: Option<FreeText>,
    /// Its web site; noted, not analysed yet.
    #[serde(default)]
    website: Option<Name>,
    /// The code systems wanted; all where absent.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 10)]
    schemes: Option<Vec<Scheme>>,
}

/// What the text says the business does. No results means that it did not say enough, never a guess.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClassificationAnswer {
    /// The codes, best first.
    results: Vec<IndustryCode>,
    /// How they were found.
    method: String,
    /// Version of method and code tables.
    version: String,
    /// What else to know.
    reasons: Vec<Reason>,
}

impl ClassificationRequest {
    fn check(&self) -> Result<(), Problem> {
        if self.name.is_none() && self.description.is_none() && self.website.is_none() {
            return Err(Problem::invalid_input("", "REQUIRED", "give a name, a description or both"));
        }
        if self.schemes.as_ref().is_some_and(|schemes| schemes.is_empty() || schemes.len() > 10) {
            return Err(Problem::invalid_input(
                "/schemes",
                "INVALID",
                "name 1 to 10 schemes, or leave it out for all",
            ));
        }
        Ok(())
    }

    fn wants(&self, scheme: Scheme) -> bool {
        self.schemes.as_ref().is_none_or(|schemes| schemes.contains(&scheme))
    }
}

/// Classify a business.
///
/// Industry codes with confidence from a name and a description. The same input gives the same answer, and nothing is
/// stored: `Idempotency-Key` is accepted and needs no keeping.
#[utoipa::path(
    post,
    path = "/v1/classifications",
    tag = "classifications",
    request_body = ClassificationRequest,
    responses((
        status = 200,
        description = "The codes.",
        body = ClassificationAnswer,
        headers(("X-Kyb-Cache" = String, description = "`hit` where the answer was computed for an earlier request, else `miss`.")),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(admitted): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<ClassificationRequest>,
) -> Result<Response, Problem> {
    idempotency::key(&headers)?;
    let asked = body.value;
    asked.check()?;
    let tenant = admitted.caller.tenant_id();
    let answered = engine::classify(&app, tenant, asked.name.as_ref(), asked.description.as_ref());
    let found = &answered.value;
    let mut reasons = vec![];
    if found.results.is_empty() {
        reasons.push(Reason::new(
            ReasonCode::INDUSTRY_UNCLEAR,
            "the text does not say enough to name an industry",
        ));
    }
    if asked.website.is_some() {
        reasons.push(Reason::new(
            ReasonCode::WEBSITE_NOT_ANALYSED,
            "web sites are not analysed; describe the business in words",
        ));
    }
    let results = found.results.iter().filter(|code| asked.wants(code.scheme)).cloned().collect();
    let (method, version) = (found.method.clone(), found.version.clone());
    let mut response =
        reply::json(StatusCode::OK, &ClassificationAnswer { results, method, version, reasons })?;
    response.headers_mut().insert(cached::HEADER, cached::header_value(answered.hit));
    Ok(response)
}
