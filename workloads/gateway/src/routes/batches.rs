//! `POST /v1/batches`, `GET /v1/batches/{id}`, `GET /v1/batches/{id}/results`.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use bytes::Bytes;
use chrono::{SubsecRound as _, Utc};
use futures::{Stream, TryStreamExt as _, stream};
use kyb_domain::{
    batch::{Batch, BatchCounts, BatchError, BatchKind, BatchOptions, BatchStatus, MOST_SUBJECTS},
    id::BatchId,
    list::ListId,
    party::Party,
    reason::ReasonCode,
    score::Score,
    screening::Screening,
};
use kyb_store::{
    StoreError, TenantStore,
    batches::{Item, SLICE, StoredAnswer},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::screenings::Wishes;
use crate::{
    auth::Admitted,
    extract::{Id, JsonBody, body},
    idempotency::{self, Fingerprinted, Prepared},
    problem::{Kind, Problem},
    reply,
    state::App,
};

const PATH: &str = "/v1/batches";

/// Whom to screen, and how: as in `POST /v1/screenings`, for many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    /// What to do with every subject.
    #[serde(rename = "type", default)]
    kind: BatchKind,
    /// Who. A subject that can't be used does not stop the others; its answer is an error.
    #[schema(value_type = Vec<Party>, min_items = 1, max_items = 10_000)]
    subjects: Vec<serde_json::Value>,
    /// Only these of the tenant's lists; all where absent.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100)]
    lists: Option<Vec<ListId>>,
    /// The score from which on a candidate is a match; the tenant's or the engine's own where absent.
    #[serde(default)]
    threshold: Option<Score>,
    /// The most matches for each subject; 10 where absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// One line of the results: the answer for the subject at `index`, either a screening or an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// Place of the subject in the request, from 0.
    index: u32,
    /// As `POST /v1/screenings` would have answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    screening: Option<Screening>,
    /// Why the subject could not be screened.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<BatchError>,
}

impl BatchRequest {
    fn items(&mut self) -> Result<Vec<Item>, Problem> {
        let subjects = std::mem::take(&mut self.subjects);
        if !(1..=MOST_SUBJECTS).contains(&subjects.len()) {
            let code = if subjects.is_empty() { "INVALID" } else { "TOO_MANY" };
            return Err(Problem::invalid_input("/subjects", code, "give 1 to 10,000 subjects"));
        }
        Ok(subjects.into_iter().map(item).collect())
    }

    /// The same wishes and the same rules as of a single screening.
    fn options(&self, app: &App, asker: &Admitted) -> Result<BatchOptions, Problem> {
        let wishes = Wishes { lists: self.lists.as_deref(), threshold: self.threshold, limit: self.limit };
        wishes.check()?;
        let options = wishes.options(&asker.caller.tenant)?;
        let known = &app.watchlists.current().states;
        let unknown = |list: &&ListId| !known.iter().any(|state| state.list == **list);
        if let Some(unknown) = options.lists.iter().flatten().find(unknown) {
            return Err(wishes.unknown_list(unknown));
        }
        Ok(BatchOptions { lists: options.lists, threshold: options.threshold, limit: options.limit })
    }
}

/// Reads a subject. What is wrong with one is told in its answer.
fn item(subject: serde_json::Value) -> Item {
    let party: Party = body::from_value(subject).map_err(|problem| unusable(&problem))?;
    party.check_bounds().map_err(|invalid| unusable(&Problem::out_of_bounds("", &invalid)))?;
    Ok(party)
}

fn unusable(problem: &Problem) -> BatchError {
    let (pointer, detail) = problem.first_error();
    BatchError { pointer: Some(pointer), code: ReasonCode::SUBJECT_UNUSABLE, text: detail }
}

/// Screen many parties.
///
/// The batch is recorded and answered with 202 before any work is done. Read it until its status is `completed`, then its
/// results. Every subject gets an answer: a screening, which can also be read by its id, or an error.
#[utoipa::path(
    post,
    path = "/v1/batches",
    tag = "batches",
    request_body = BatchRequest,
    responses((
        status = 202,
        description = "Recorded and queued.",
        body = Batch,
        headers(("Location" = String, description = "Where the batch can be read.")),
    )),
)]
pub(crate) async fn create(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    headers: HeaderMap,
    body: JsonBody<BatchRequest>,
) -> Result<Response, Problem> {
    let context = asker.context.as_ref();
    let request = Fingerprinted { method: &Method::POST, path: PATH, context, body: &body.raw };
    let pending = idempotency::read(&headers, &request)?;
    let mut wanted = body.value;
    let options = wanted.options(&app, &asker)?;
    let items = wanted.items()?;
    let batch = accepted(wanted.kind, &items, &asker)?;
    let prepared = Prepared {
        status: StatusCode::ACCEPTED,
        location: format!("{PATH}/{}", batch.id),
        body: reply::to_bytes(&batch)?,
    };
    let kept = prepared.kept_for(pending)?;
    let store = app.store.tenant(asker.caller.tenant_id());
    let written = store.create_batch(&batch, &options, &items, &asker.audit(), kept.as_ref()).await?;
    Ok(prepared.settle(written)?.0)
}

fn accepted(kind: BatchKind, items: &[Item], asker: &Admitted) -> Result<Batch, Problem> {
    let count = |number: usize| u32::try_from(number).map_err(|_| Problem::internal());
    let error = count(items.iter().filter(|item| item.is_err()).count())?;
    Ok(Batch {
        id: BatchId::generate(),
        kind,
        status: BatchStatus::Pending,
        context: asker.context.clone(),
        total: count(items.len())?,
        counts: BatchCounts { error, ..BatchCounts::default() },
        created_at: Utc::now().trunc_subsecs(6),
        completed_at: None,
    })
}

/// Read a batch.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}",
    tag = "batches",
    params(("id" = BatchId, Path, description = "The batch's id.")),
    responses((status = 200, description = "The batch, and how far it has come.", body = Batch)),
)]
pub(crate) async fn read(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BatchId>,
) -> Result<Response, Problem> {
    reply::json(StatusCode::OK, &batch(&app, &asker, id).await?)
}

async fn batch(app: &App, asker: &Admitted, id: BatchId) -> Result<Batch, Problem> {
    let found = app.store.tenant(asker.caller.tenant_id()).batch(id).await?;
    found.filter(|batch| asker.sees(batch.context.as_ref())).ok_or_else(|| Problem::no_such("batch"))
}

/// Read the results of a batch.
///
/// One JSON object a line, in the order of the request, once the batch is `completed`; 409 before that. If the stream breaks
/// off, the connection is cut, so that a part is never taken for the whole; there are as many lines as the batch has subjects.
#[utoipa::path(
    get,
    path = "/v1/batches/{id}/results",
    tag = "batches",
    params(("id" = BatchId, Path, description = "The batch's id.")),
    responses((
        status = 200, description = "An answer for every subject.", body = BatchAnswer, content_type = "application/x-ndjson",
    )),
)]
pub(crate) async fn results(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<BatchId>,
) -> Result<Response, Problem> {
    let batch = batch(&app, &asker, id).await?;
    if batch.status != BatchStatus::Completed {
        let done = batch.counts.no_hit + batch.counts.in_review + batch.counts.error;
        let detail = format!(
            "{done} of {} subjects have their answer; retry when the batch is completed",
            batch.total
        );
        return Err(Problem::new(Kind::NotFinished, detail));
    }
    let store = app.store.tenant(asker.caller.tenant_id());
    Ok(reply::text("application/x-ndjson", Body::from_stream(lines(store, id))))
}

/// Every answer as a line, read from the store a slice at a time.
fn lines(store: TenantStore, id: BatchId) -> impl Stream<Item = Result<Bytes, StoreError>> {
    let slices = stream::try_unfold(-1, move |after| {
        let store = store.clone();
        async move {
            let answers = store.batch_results(id, after, SLICE).await?;
            let last = answers.last().map(|last| last.index);
            Ok::<_, StoreError>(last.map(|last| (answers, last)))
        }
    });
    slices.map_ok(|answers| stream::iter(answers.into_iter().map(line).map(Ok))).try_flatten()
}

/// The stored texts are passed on, not read.
fn line(StoredAnswer { index, text }: StoredAnswer) -> Bytes {
    Bytes::from(match text {
        Ok(screening) => format!("{{\"index\":{index},\"screening\":{screening}}}\n"),
        Err(error) => format!("{{\"index\":{index},\"error\":{error}}}\n"),
    })
}
