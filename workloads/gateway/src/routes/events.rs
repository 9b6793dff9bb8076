//! `GET /v1/verifications/{id}/events`: status changes as server-sent events, until the status is final.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use kyb_domain::{decision::DecisionOutcome, id::VerificationId, verification::VerificationStatus};
use serde::Serialize;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use utoipa::ToSchema;

use crate::{
    auth::Admitted,
    extract::Id,
    problem::{Kind, Problem},
    routes::verifications::{self, Glance},
    state::App,
};

/// How often the store is asked.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a stream lasts at most; a caller that wants more connects again.
const LONGEST: Duration = Duration::from_mins(2);

/// The data of one event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusEvent {
    /// Which verification.
    id: VerificationId,
    /// How far it has come.
    status: VerificationStatus,
    /// What was decided, once it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<DecisionOutcome>,
}

struct Follower {
    app: App,
    asker: Arc<Admitted>,
    id: VerificationId,
    /// What was said last.
    said: Option<VerificationStatus>,
    until: Instant,
    _room: OwnedSemaphorePermit,
}

/// Follow a verification.
///
/// Server-sent events named `status`: one at once, one for each change, the last with a final status. A stream ends after two
/// minutes or when the server stops; connect again then.
#[utoipa::path(
    get,
    path = "/v1/verifications/{id}/events",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification's id.")),
    responses((status = 200, description = "Events.", body = StatusEvent, content_type = "text/event-stream")),
)]
pub(crate) async fn follow(
    State(app): State<App>,
    Extension(asker): Extension<Arc<Admitted>>,
    Id(id): Id<VerificationId>,
) -> Result<Response, Problem> {
    let full =
        |_| Problem::new(Kind::Overloaded, "too many event streams are open; read the verification instead");
    let room = Arc::clone(&app.streams).try_acquire_owned().map_err(full)?;
    let first = verifications::text(&app, &asker, id).await?;
    let follower = Follower { app, asker, id, said: None, until: Instant::now() + LONGEST, _room: room };
    let events = events(follower, Glance::at(&first)?);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response())
}

fn events(follower: Follower, first: Glance) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((follower, Some(first)), async |(mut follower, first)| {
        let glance = match first {
            Some(glance) => glance,
            None => follower.next().await?,
        };
        follower.said = Some(glance.status);
        Some((Ok(event(follower.id, &glance)), (follower, None)))
    })
}

fn event(id: VerificationId, glance: &Glance) -> Event {
    let decision = glance.decision.as_ref().map(|decision| decision.outcome);
    let data = StatusEvent { id, status: glance.status, decision };
    // A struct of strings always serialises.
    Event::default().event("status").json_data(data).unwrap_or_default()
}

impl Follower {
    /// The next change of status; `None` when the stream should end.
    async fn next(&mut self) -> Option<Glance> {
        if self.said.is_some_and(VerificationStatus::is_final) {
            return None;
        }
        while Instant::now() < self.until {
            self.app.stopping.run_until_cancelled(tokio::time::sleep(INTERVAL)).await?;
            let text = verifications::text(&self.app, &self.asker, self.id).await.ok()?;
            let glance = Glance::at(&text).ok()?;
            if Some(glance.status) != self.said {
                return Some(glance);
            }
        }
        None
    }
}
