//! `/v1/monitors` and `/v1/alerts`: subjects that are looked at again whenever a list changes. The worker does that.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use chrono::{SubsecRound as _, Utc};
use kyb_domain::{
    id::{AlertId, MonitorId},
    monitor::{Alert, Compared, Monitor, MonitorOptions, MonitorStatus},
    screening::Screening,
    tenant::ContextName,
};
use kyb_verification::ScreeningError;
use serde::Serialize;
use utoipa::ToSchema;

use super::screenings::ScreeningRequest;
use crate::{
    auth::Admitted,
    engine,
    extract::{
        Id, JsonBody,
        cursor::{self, QueryHash},
        page::PageQuery,
        query::QueryOf,
    },
    idempotency::{self, Fingerprinted, Prepared},
    problem::Problem,
    reply,
    state::App,
};

const PATH: &str = "/v1/monitors";

/// Monitor a party.
///
/// It is screened at once, as by `POST /v1/screenings`, and looked at again whenever a list changes. An alert is made where the
/// outcome is another. Where no lists are named, those that later settings want count too.
#[utoipa::path(
    post,
    path = "/v1/monitors",
    tag = "monitors",
    request_body = ScreeningRequest,
    responses((
        status = 201,
        description = "Screened and recorded.",
        body = Monitor,
        headers(("Location" = String, description = "Where the monitor can be read.")),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<ScreeningRequest>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: PATH, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    let wanted = body.value;
    wanted.check()?;
    let (screening, compared) = screen(&app, &asker, &wanted).await?;
    let monitor = made(&wanted, &screening, compared, &asker);
    let prepared = Prepared {
        status: StatusCode::CREATED,
        location: format!("{PATH}/{}", monitor.id),
        body: reply::to_bytes(&monitor)?,
    };
    let kept = prepared.kept_for(pending)?;
    let whole_at = kyb_verification::whole_search_at(screening.status, monitor.created_at);
    let store = app.store.tenant(asker.caller.tenant_id());
    let written = store.create_monitor(&monitor, &screening, whole_at, &asker.audit(), kept.as_ref()).await?;
    Ok(prepared.settle(written)?.0)
}

/// Screens on the lists as they are at one moment, and says which these are.
async fn screen(
    app: &App,
    asker: &Admitted,
    wanted: &ScreeningRequest,
) -> Result<(Screening, Compared), Problem> {
    let (tenant, now) = (asker.caller.tenant_id(), Utc::now());
    let wishes = wanted.wishes();
    let options = wishes.options(&asker.caller.tenant)?;
    let lists = app.watchlists.current();
    let subject = wanted.subject.clone();
    let mut screening = match engine::screen_on(app, &lists, tenant, subject, &options, now) {
        Ok(found) => found.value,
        Err(ScreeningError::UnknownList(unknown)) => return Err(wishes.unknown_list(&unknown)),
    };
    engine::suppress(app, tenant, std::slice::from_mut(&mut screening), now).await?;
    Ok((screening, kyb_verification::compared_with(&lists)))
}

fn made(wanted: &ScreeningRequest, screening: &Screening, compared: Compared, asker: &Admitted) -> Monitor {
    let now = Utc::now().trunc_subsecs(6);
    Monitor {
        id: MonitorId::generate(),
        status: MonitorStatus::Active,
        context: asker.context.clone(),
        subject: Some(screening.subject.clone()),
        options: MonitorOptions {
            lists: wanted.lists.clone(),
            threshold: wanted.threshold,
            limit: wanted.limit,
        },
        outcome: screening.status,
        screening_id: screening.id,
        compared,
        created_at: now,
        checked_at: now,
        ended_at: None,
    }
}

/// A page of monitors.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Monitors {
    /// Newest first, ended ones too.
    monitors: Vec<Monitor>,
    /// Give it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alerts {
    /// Newest first.
    alerts: Vec<Alert>,
    /// Give it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List monitors.
#[utoipa::path(
    get,
    path = "/v1/monitors",
    tag = "monitors",
    params(PageQuery),
    responses((status = 200, description = "A page.", body = Monitors)),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    QueryOf(wanted): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let hash = QueryHash::of(&[Some("monitors"), context.map(ContextName::as_str)]);
    let (size, after) = (wanted.size()?, wanted.after(hash)?);
    let store = app.store.tenant(asker.caller.tenant_id());
    let page = store.monitors(context, after.map(MonitorId::from), size).await?;
    let last = page.monitors.last().filter(|_| page.more);
    let next_cursor = last.map(|one| cursor::after(one.id.uuid(), hash));
    reply::json(StatusCode::OK, &Monitors { monitors: page.monitors, next_cursor })
}

/// Read a monitor.
#[utoipa::path(
    get,
    path = "/v1/monitors/{id}",
    tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id.")),
    responses((status = 200, description = "The monitor.", body = Monitor)),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<MonitorId>,
) -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &find(&app, &asker, id).await?)
}

/// The monitor, if the caller gets to see it.
async fn find(app: &App, asker: &Admitted, id: MonitorId) -> Result<Monitor, Problem> {
    let found = app.store.tenant(asker.caller.tenant_id()).monitor(id).await?;
    found.filter(|monitor| asker.sees(monitor.context.as_ref())).ok_or_else(|| Problem::no_such("monitor"))
}

/// End a monitor.
///
/// Its subject is forgotten and not looked at any more; its alerts and screenings stay. A monitor that was ended before is
/// answered as it is.
#[utoipa::path(
    delete,
    path = "/v1/monitors/{id}",
    tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id.")),
    responses((status = 200, description = "The monitor, ended.", body = Monitor)),
)]
pub(crate) async fn end(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<MonitorId>,
) -> Result<Response, Problem> {
    find(&app, &asker, id).await?;
    let store = app.store.tenant(asker.caller.tenant_id());
    let ended = store.end_monitor(id, &asker.audit(), Utc::now().trunc_subsecs(6)).await?;
    reply::json(StatusCode::OK, &ended.ok_or_else(|| Problem::no_such("monitor"))?)
}

/// List a monitor's alerts.
#[utoipa::path(
    get,
    path = "/v1/monitors/{id}/alerts",
    tag = "monitors",
    params(("id" = MonitorId, Path, description = "The monitor's id."), PageQuery),
    responses((status = 200, description = "A page.", body = Alerts)),
)]
pub(crate) async fn alerts_of(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<MonitorId>,
    QueryOf(wanted): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    find(&app, &asker, id).await?;
    page_of_alerts(&app, &asker, Some(id), &wanted).await
}

/// List alerts.
///
/// Those of all monitors.
#[utoipa::path(
    get,
    path = "/v1/alerts",
    tag = "monitors",
    params(PageQuery),
    responses((status = 200, description = "A page.", body = Alerts)),
)]
pub(crate) async fn alerts(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    QueryOf(wanted): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    page_of_alerts(&app, &asker, None, &wanted).await
}

async fn page_of_alerts(
    app: &App,
    asker: &Admitted,
    monitor: Option<MonitorId>,
    wanted: &PageQuery,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let of = monitor.map(|id| id.to_string());
    let hash = QueryHash::of(&[Some("alerts"), of.as_deref(), context.map(ContextName::as_str)]);
    let (size, after) = (wanted.size()?, wanted.after(hash)?);
    let store = app.store.tenant(asker.caller.tenant_id());
    let page = store.alerts(monitor, context, after.map(AlertId::from), size).await?;
    let last = page.alerts.last().filter(|_| page.more);
    let next_cursor = last.map(|one| cursor::after(one.id.uuid(), hash));
    reply::json(StatusCode::OK, &Alerts { alerts: page.alerts, next_cursor })
}
