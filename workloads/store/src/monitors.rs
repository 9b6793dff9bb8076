//! Monitors: stored with their first screening, taken under a lease by whoever has loaded the newest lists, and given back
//! together with what came of it in one transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kyb_domain::{
    audit::AuditAction,
    id::{AlertId, MonitorId, ScreeningId},
    list::ListId,
    monitor::{Alert, Compared, Monitor, MonitorOptions, MonitorStatus, Outcome},
    party::Party,
    screening::Screening,
    tenant::{ContextName, TenantId},
};
use serde_json::json;
use sqlx::{FromRow, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    Idempotency, Store, StoreError, TenantStore, Write,
    audit::{AuditContext, bind_entry},
    codes, findings,
    idempotency::bind_key,
    pool::{write, write_one},
};

/// The most monitors that are taken together.
pub const MOST_TAKEN: i32 = 500;

/// The most rows of a page, whatever is asked.
const MOST_ROWS: u32 = 50;

/// Which lists are loaded in which version; `None` for those that are wanted and not there.
pub type Loaded = Vec<(ListId, Option<String>)>;

/// Monitors taken by this worker until its lease ends: of one tenant, and compared with the same lists before.
#[derive(Debug, Clone)]
pub struct TakenMonitors {
    /// Whose.
    pub tenant: TenantId,
    /// What they were compared with.
    pub compared: Compared,
    /// At least one.
    pub monitors: Vec<TakenMonitor>,
    lease: Uuid,
}

/// A monitor that is due.
#[derive(Debug, Clone)]
pub struct TakenMonitor {
    /// Its id.
    pub id: MonitorId,
    /// Whether it is time to search the whole lists, whatever changed.
    pub whole: bool,
    /// Who.
    pub subject: Party,
    /// How.
    pub options: MonitorOptions,
    /// What came of the last screening that was recorded.
    pub outcome: Outcome,
    /// That screening.
    pub screening: ScreeningId,
}

/// What came of a monitor that was taken.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Which.
    pub monitor: MonitorId,
    /// When to search the whole lists next; `None` where they were not searched now.
    pub whole_at: Option<DateTime<Utc>>,
    /// What to record; `None` where the outcome is the same.
    pub changed: Option<(Screening, Alert)>,
}

/// A page of monitors, and whether there are more.
#[derive(Debug, Clone)]
pub struct MonitorPage {
    /// Newest first.
    pub monitors: Vec<Monitor>,
    /// Whether a next page exists.
    pub more: bool,
}

/// A page of alerts, and whether there are more.
#[derive(Debug, Clone)]
pub struct AlertPage {
    /// Newest first.
    pub alerts: Vec<Alert>,
    /// Whether a next page exists.
    pub more: bool,
}

impl TenantStore {
    /// Stores a monitor that was just made, with its first screening, in one transaction.
    pub async fn create_monitor(
        &self,
        monitor: &Monitor,
        screening: &Screening,
        whole_at: DateTime<Utc>,
        audit: &AuditContext,
        key: Option<&Idempotency>,
    ) -> Result<Write, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.create_monitor($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             ROW($16, $17, $18, $19, $20, $21)::kyb.audit_entry, ROW($22, $23, $24, $25, $26)::kyb.idempotency)",
        )
        .bind(self.name())
        .bind(monitor.id.uuid())
        .bind(monitor.context.as_ref().map(ContextName::as_str))
        .bind(codes::json_text(&screening.subject)?)
        .bind(codes::json_text(&monitor.options)?)
        .bind(codes::json_text(&Outcome::of(screening))?)
        .bind(codes::json_text(&monitor.compared)?)
        .bind(monitor.compared.digest())
        .bind(whole_at)
        .bind(monitor.created_at)
        .bind(screening.id.uuid())
        .bind(codes::code_of(&screening.status)?)
        .bind(codes::json_text(screening)?)
        .bind(findings::list_labels(screening))
        .bind(screening.created_at);
        let mut detail = findings::screening_detail(screening);
        detail["screening"] = json!(screening.id);
        let call = bind_entry(call, audit, AuditAction::MonitorCreated, &monitor.id.to_string(), &detail)?;
        Write::of(&write_one(&self.pool, bind_key(call, key)?).await?)
    }

    /// One monitor, ended or not.
    pub async fn monitor(&self, id: MonitorId) -> Result<Option<Monitor>, StoreError> {
        Ok(self.listed_monitors(Some(id), None, None, 1).await?.pop())
    }

    /// All monitors, ended ones too, newest first, or those of one context; at most 50 a page.
    pub async fn monitors(
        &self,
        context: Option<&ContextName>,
        after: Option<MonitorId>,
        limit: u32,
    ) -> Result<MonitorPage, StoreError> {
        let limit = limit.clamp(1, MOST_ROWS);
        // One row more than asked tells whether there is a next page.
        let mut monitors = self.listed_monitors(None, context, after, limit + 1).await?;
        let more = monitors.len() > limit as usize;
        monitors.truncate(limit as usize);
        Ok(MonitorPage { monitors, more })
    }

    async fn listed_monitors(
        &self,
        id: Option<MonitorId>,
        context: Option<&ContextName>,
        after: Option<MonitorId>,
        most: u32,
    ) -> Result<Vec<Monitor>, StoreError> {
        let call = sqlx::query_as("SELECT * FROM kyb.list_monitors($1, $2, $3, $4, $5)")
            .bind(self.name())
            .bind(id.map(MonitorId::uuid))
            .bind(context.map(ContextName::as_str))
            .bind(after.map(MonitorId::uuid))
            .bind(i32::try_from(most).unwrap_or(i32::MAX));
        let rows: Vec<MonitorRow> = call.fetch_all(&self.pool).await?;
        rows.into_iter().map(MonitorRow::monitor).collect()
    }

    /// All alerts, newest first, or those of one monitor or context; at most 50 a page.
    pub async fn alerts(
        &self,
        monitor: Option<MonitorId>,
        context: Option<&ContextName>,
        after: Option<AlertId>,
        limit: u32,
    ) -> Result<AlertPage, StoreError> {
        let limit = limit.clamp(1, MOST_ROWS);
        let call = sqlx::query_scalar("SELECT * FROM kyb.list_alerts($1, $2, $3, $4, $5)")
            .bind(self.name())
            .bind(monitor.map(MonitorId::uuid))
            .bind(context.map(ContextName::as_str))
            .bind(after.map(AlertId::uuid))
            .bind(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        let texts: Vec<String> = call.fetch_all(&self.pool).await?;
        let more = texts.len() > limit as usize;
        let texts = texts.iter().take(limit as usize);
        let alerts = texts.map(|text| codes::from_json("alert", text)).collect::<Result<_, _>>()?;
        Ok(AlertPage { alerts, more })
    }

    /// Ends a monitor and forgets its subject; gives it as it is then. One that was ended before stays as it is. `None`:
    /// there is none.
    pub async fn end_monitor(
        &self,
        id: MonitorId,
        audit: &AuditContext,
        now: DateTime<Utc>,
    ) -> Result<Option<Monitor>, StoreError> {
        let call = sqlx::query(
            "SELECT * FROM kyb.end_monitor($1, $2, $3, ROW($4, $5, $6, $7, $8, $9)::kyb.audit_entry)",
        );
        let call = call.bind(self.name()).bind(id.uuid()).bind(now);
        let call = bind_entry(call, audit, AuditAction::MonitorEnded, &id.to_string(), &json!({}))?;
        let row: Option<PgRow> = write(&self.pool, call).await?;
        row.map(|row| MonitorRow::from_row(&row)?.monitor()).transpose()
    }
}

impl Store {
    /// Takes monitors of any tenant that were compared with something else than `now`, or are to be searched whole. `None` also
    /// where `loaded` is not what the store holds as active.
    pub async fn take_monitors(
        &self,
        now: &Compared,
        loaded: &Loaded,
        lease_for: Duration,
    ) -> Result<Option<TakenMonitors>, StoreError> {
        let lease = Uuid::now_v7();
        let call =
            sqlx::query_as("SELECT * FROM kyb.take_monitors($1, $2, $3, $4, make_interval(secs => $5), $6)")
                .bind(now.digest())
                .bind(loaded.iter().map(|(list, _)| list.as_str()).collect::<Vec<_>>())
                .bind(loaded.iter().map(|(_, sha256)| sha256.as_deref()).collect::<Vec<_>>())
                .bind(lease)
                .bind(lease_for.as_secs_f64())
                .bind(MOST_TAKEN);
        let rows: Vec<TakenRow> = call.fetch_all(self.pool()).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let tenant = TenantId::try_from(first.tenant.clone()).map_err(StoreError::corrupt("tenant"))?;
        let compared = codes::from_json("versions compared with", &first.compared)?;
        let monitors = rows.into_iter().map(TakenRow::taken).collect::<Result<_, _>>()?;
        Ok(Some(TakenMonitors { tenant, compared, monitors, lease }))
    }

    /// Stores what came of monitors that were taken: which lists they were compared with, and where the outcome is another, the
    /// screening, the alert and an audit event, in one transaction. How many were still ours; of the others nothing was stored.
    pub async fn finish_monitors(
        &self,
        taken: &TakenMonitors,
        now: &Compared,
        checked: &[Checked],
        at: DateTime<Utc>,
        audit: &AuditContext,
    ) -> Result<usize, StoreError> {
        let screenings = || checked.iter().map(|one| one.changed.as_ref().map(|(screening, _)| screening));
        let alerts = || checked.iter().map(|one| one.changed.as_ref().map(|(_, alert)| alert));
        let statuses = screenings().map(|one| one.map(|one| codes::code_of(&one.status)).transpose());
        let documents = screenings().map(|one| one.map(codes::json_text).transpose());
        let outcomes = screenings().map(|one| one.map(|one| codes::json_text(&Outcome::of(one))).transpose());
        let call = sqlx::query(
            "SELECT kyb.finish_monitors($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             ROW($16, $17, $18, $19, $20, $21)::kyb.audit_entry)",
        )
        .bind(taken.tenant.as_str())
        .bind(taken.lease)
        .bind(now.digest())
        .bind(codes::json_text(now)?)
        .bind(at)
        .bind(checked.iter().map(|one| one.monitor.uuid()).collect::<Vec<_>>())
        .bind(checked.iter().map(|one| one.whole_at).collect::<Vec<_>>())
        .bind(screenings().map(|one| one.map(|one| one.id.uuid())).collect::<Vec<_>>())
        .bind(statuses.collect::<Result<Vec<_>, _>>()?)
        .bind(documents.collect::<Result<Vec<_>, _>>()?)
        .bind(screenings().map(|one| one.map(|one| findings::list_labels(one).join(" "))).collect::<Vec<_>>())
        .bind(outcomes.collect::<Result<Vec<_>, _>>()?)
        .bind(alerts().map(|one| one.map(|one| one.id.uuid())).collect::<Vec<_>>())
        .bind(alerts().map(|one| one.map(codes::json_text).transpose()).collect::<Result<Vec<_>, _>>()?)
        .bind(checked.iter().map(|one| one.changed.as_ref().map(detail)).collect::<Vec<_>>());
        // Object and detail are those of each alert; the function fills them in.
        let call = bind_entry(call, audit, AuditAction::MonitorAlerted, "", &json!({}))?;
        let kept: i32 = write_one(self.pool(), call).await?.try_get(0)?;
        usize::try_from(kept).map_err(StoreError::corrupt("count"))
    }

    /// How many monitors of all tenants were last compared with something else than `now`, or are past the time at which to
    /// search them whole; those that a worker has in hand too.
    pub async fn monitors_behind(&self, now: &Compared) -> Result<u64, StoreError> {
        let call = sqlx::query_scalar(
            "SELECT count(*) FROM kyb.monitor_watches WHERE seen <> $1 OR whole_at <= now()",
        );
        let behind: i64 = call.bind(now.digest()).fetch_one(self.pool()).await?;
        u64::try_from(behind).map_err(StoreError::corrupt("count"))
    }

    /// Gives monitors back to be taken again after `pause`. Does nothing where the lease was lost.
    pub async fn return_monitors(&self, taken: &TakenMonitors, pause: Duration) -> Result<(), StoreError> {
        let call = sqlx::query("SELECT kyb.return_monitors($1, $2, make_interval(secs => $3))");
        let call = call.bind(taken.tenant.as_str()).bind(taken.lease).bind(pause.as_secs_f64());
        call.execute(self.pool()).await?;
        Ok(())
    }
}

/// What the audit says of an alert: outcomes, versions and counts.
fn detail((screening, alert): &(Screening, Alert)) -> String {
    let mut detail = findings::screening_detail(screening);
    detail["alert"] = json!(alert.id);
    detail["screening"] = json!(screening.id);
    detail["before"] = json!(alert.before.status);
    detail["changes"] = json!(alert.changes.len());
    detail["algorithm"] = json!(alert.algorithm);
    detail.to_string()
}

#[derive(FromRow)]
struct MonitorRow {
    id: Uuid,
    context: Option<String>,
    subject: Option<String>,
    options: String,
    screening_id: Uuid,
    status: String,
    compared: String,
    created_at: DateTime<Utc>,
    checked_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl MonitorRow {
    fn monitor(self) -> Result<Monitor, StoreError> {
        let context = self.context.map(ContextName::try_from).transpose();
        Ok(Monitor {
            id: self.id.into(),
            status: if self.ended_at.is_some() { MonitorStatus::Ended } else { MonitorStatus::Active },
            context: context.map_err(StoreError::corrupt("context"))?,
            subject: self.subject.map(|text| codes::from_json("subject", &text)).transpose()?,
            options: codes::from_json("monitor options", &self.options)?,
            outcome: codes::value_of("status", self.status)?,
            screening_id: self.screening_id.into(),
            compared: codes::from_json("versions compared with", &self.compared)?,
            created_at: self.created_at,
            checked_at: self.checked_at,
            ended_at: self.ended_at,
        })
    }
}

#[derive(FromRow)]
struct TakenRow {
    tenant: String,
    monitor: Uuid,
    whole: bool,
    subject: String,
    options: String,
    outcome: String,
    screening: Uuid,
    compared: String,
}

impl TakenRow {
    fn taken(self) -> Result<TakenMonitor, StoreError> {
        Ok(TakenMonitor {
            id: self.monitor.into(),
            whole: self.whole,
            subject: codes::from_json("subject", &self.subject)?,
            options: codes::from_json("monitor options", &self.options)?,
            outcome: codes::from_json("outcome", &self.outcome)?,
            screening: self.screening.into(),
        })
    }
}
