//! What happens to every request for a tenant's data, before its route: key, rate, role, context, room, time.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kyb_domain::tenant::TenantId;
use kyb_settings::{Caller, Snapshot};

use crate::{
    auth::{self, Admitted},
    problem::{Kind, Problem, RequestTag},
    state::App,
};

/// Left on a response: whose request it was, for metrics, usage and the log.
#[derive(Clone)]
pub(crate) struct ServedFor(pub(crate) TenantId);

/// The middleware of every `/v1` route.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    admit_by(&app, |request, settings| auth::authenticate(request.headers(), settings), request, next).await
}

/// Lets in whom `who` recognises, under the same bounds on every interface.
pub(crate) async fn admit_by(
    app: &App,
    who: impl FnOnce(&Request, &Snapshot) -> Result<Caller, Problem>,
    request: Request,
    next: Next,
) -> Response {
    if !app.settings.is_loaded() {
        let detail = "the settings have not come yet, so nobody's key is known; retry in a moment";
        return Problem::new(Kind::Starting, detail).into_response();
    }
    // The settings of this moment decide, so that a revoked key is refused from its very next request.
    let caller = match who(&request, &app.settings.current()) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let tenant = caller.tenant_id().clone();
    let allowance = app.limits.count(&tenant, caller.tenant.rate_limit);
    let mut response = match allowance.retry_after {
        Some(seconds) => {
            let detail = format!("the rate limit of tenant `{tenant}` is used up; retry after {seconds} s");
            Problem::new(Kind::RateLimited, detail).retry_after(seconds).into_response()
        }
        None => serve(app, caller, request, next).await.unwrap_or_else(IntoResponse::into_response),
    };
    allowance.write(response.headers_mut());
    response.extensions_mut().insert(ServedFor(tenant));
    response
}

async fn serve(app: &App, caller: Caller, mut request: Request, next: Next) -> Result<Response, Problem> {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    auth::authorise(caller.role, request.method(), route)?;
    let context = auth::context(request.headers(), &caller)?;
    if !app.is_checked() {
        return Err(Problem::new(
            Kind::Starting,
            "the database has not been reached and checked yet; retry in a moment",
        ));
    }
    let overloaded = |_| Problem::new(Kind::Overloaded, "too many requests are under way; retry in a moment");
    let _under_way = app.requests.try_acquire().map_err(overloaded)?;
    let tag = request.extensions().get::<RequestTag>().cloned().unwrap_or_else(RequestTag::generate);
    request.extensions_mut().insert(Arc::new(Admitted { caller, context, request: tag }));
    match tokio::time::timeout(app.options.request_timeout, next.run(request)).await {
        Ok(response) => Ok(response),
        Err(_) => Err(Problem::new(
            Kind::Timeout,
            "nothing was acknowledged; retry, for a POST with the same Idempotency-Key",
        )),
    }
}
