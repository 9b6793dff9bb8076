//! Batches: a slice at a time, taken from the queue under a lease, screened, stored.

use std::{error::Error, sync::Arc};

use chrono::{DateTime, SubsecRound as _, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    batch::BatchError,
    party::Party,
    reason::ReasonCode,
};
use kyb_store::{
    audit::AuditContext,
    batches::{Answer, Slice},
    queue::ATTEMPTS,
};
use kyb_verification::{ScreeningOptions, Watchlists};

use crate::jobs::{JobWorker, RETRY_AFTER};

impl JobWorker {
    /// Answers every subject of a slice and stores the answers. What can't be stored is left to the lease: the slice comes
    /// back.
    pub(crate) async fn work_on_slice(&self, slice: &Slice) {
        let audit = AuditContext {
            actor: Actor { kind: ActorKind::Worker, id: "batch".to_owned() },
            request_id: None,
        };
        let stored = match self.answers(slice).await {
            Some(answers) => self
                .store
                .finish_slice(slice, &answers, Utc::now().trunc_subsecs(6), &audit)
                .await
                .map(|_| ()),
            None => self.store.return_slice(slice, RETRY_AFTER).await,
        };
        if let Err(error) = stored {
            let error = &error as &dyn Error;
            tracing::warn!(batch = %slice.batch, error, "can't store a slice's answers; the slice will come back");
        }
    }

    /// An answer for every subject; `None` where it broke off and is to be tried again.
    async fn answers(&self, slice: &Slice) -> Option<Vec<Answer>> {
        if slice.attempt > ATTEMPTS {
            return Some(given_up(slice, "Every worker that tried it stopped before it was done."));
        }
        let (lists, asked) = (self.watchlists.current(), slice.clone());
        let now = Utc::now();
        let mut answers = match tokio::task::spawn_blocking(move || screen_all(&lists, asked, now)).await {
            Ok(answers) => answers,
            Err(_) if slice.attempt < ATTEMPTS => return None,
            Err(_) => {
                return Some(given_up(slice, "The screening broke off inside the worker on every attempt."));
            }
        };
        let screenings: Vec<_> = answers.iter_mut().filter_map(|(_, answer)| answer.as_mut().ok()).collect();
        match self.suppress(&slice.tenant, screenings, now).await {
            Ok(()) => Some(answers),
            Err(_) if slice.attempt < ATTEMPTS => None,
            Err(why) => Some(given_up(slice, &why.text)),
        }
    }
}

fn screen_all(lists: &Arc<Watchlists>, slice: Slice, now: DateTime<Utc>) -> Vec<Answer> {
    let options = ScreeningOptions {
        lists: slice.options.lists,
        threshold: slice.options.threshold,
        limit: slice.options.limit,
    };
    let answer = |subject: Party| {
        // A list that was taken away since the batch was asked for: not searched is not clear.
        kyb_verification::screen(lists, subject, &options, now).map_err(|error| BatchError {
            pointer: None,
            code: ReasonCode::LIST_MISSING,
            text: error.to_string(),
        })
    };
    slice.subjects.into_iter().map(|(position, subject)| (position, answer(subject))).collect()
}

fn given_up(slice: &Slice, why: &str) -> Vec<Answer> {
    let error = BatchError { pointer: None, code: ReasonCode::ATTEMPTS_EXHAUSTED, text: why.to_owned() };
    slice.subjects.iter().map(|(position, _)| (*position, Err(error.clone()))).collect()
}
