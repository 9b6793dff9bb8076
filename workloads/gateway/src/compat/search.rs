//! One question from subject to certain answer.

use std::sync::Arc;

use chrono::Utc;
use kyb_domain::{
    list::{Entry, ListId, Watchlist},
    party::Party,
    reason::{Reason, ReasonCode},
    score::Score,
    screening::{Match, Screening},
};
use kyb_settings::Tenant;
use kyb_verification::{MOST_MATCHES, ScreeningError, ScreeningOptions, Watchlists};

use super::{
    directory::{self, Directory},
    params::invalid,
};
use crate::{
    engine,
    problem::{Kind, Problem},
    state::App,
};

/// The lowest score that is answered, whatever was asked for. Below it names have hardly anything in common, and there are more such
/// candidates than a search compares.
pub(super) const LEAST_CUTOFF: Score = Score::constant(0.50);

/// The lists at one moment, for one tenant.
pub(super) struct Lists {
    app: App,
    tenant: Arc<Tenant>,
    now: Arc<Watchlists>,
    directory: Arc<Directory>,
}

/// Whom to look for, and how.
pub(super) struct Question {
    subject: Party,
    /// Only these lists; all of the tenant's where `None`.
    lists: Option<Vec<ListId>>,
    /// From which score on it is a match.
    pub(super) threshold: Score,
    /// From which score on it is shown; not above the threshold.
    cutoff: Score,
}

/// The lowest score that a look-up shows: one word of a name of three or four reaches it.
const LOOK_UP_CUTOFF: Score = Score::constant(0.20);

impl Question {
    /// A look-up by whoever reads the answer: shows whatever has a good part of the name.
    pub(super) fn look_up(subject: Party, lists: Option<Vec<ListId>>, threshold: Score) -> Self {
        let cutoff = if LOOK_UP_CUTOFF < threshold { LOOK_UP_CUTOFF } else { threshold };
        Self { subject, lists, threshold, cutoff }
    }

    /// A question with scores that can be answered: neither below [`LEAST_CUTOFF`], the cutoff not above the threshold.
    pub(super) fn new(subject: Party, lists: Option<Vec<ListId>>, threshold: Score, cutoff: Score) -> Self {
        let threshold = if threshold < LEAST_CUTOFF { LEAST_CUTOFF } else { threshold };
        let cutoff = Score::clamped(cutoff.get().clamp(LEAST_CUTOFF.get(), threshold.get()));
        Self { subject, lists, threshold, cutoff }
    }
}

/// A match with its whole entry.
pub(super) struct Found<'a> {
    pub(super) by: Match,
    pub(super) list: &'a Watchlist,
    pub(super) entry: &'a Entry,
}

/// An answer that may be relied on as far as the threshold goes.
pub(super) struct Answer<'a> {
    /// Best first.
    pub(super) matches: Vec<Found<'a>>,
    /// What keeps it from being whole although there is a match.
    pub(super) reasons: Vec<Reason>,
}

/// Does `work` with the lists of this moment on a thread that serves no sockets, as many at once as there are cores. The permit goes with
/// the work: a caller that gives up must not make room for more of it.
pub(super) async fn with_lists<T: Send + 'static>(
    app: &App,
    tenant: &Arc<Tenant>,
    work: impl FnOnce(&Lists) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| Problem::internal())?;
    let (app, tenant) = (Arc::clone(app), Arc::clone(tenant));
    let task = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let now = app.watchlists.current();
        let directory = app.directories.of(&now.screener);
        work(&Lists { app, tenant, now, directory })
    });
    task.await.map_err(|_| Problem::internal())?
}

impl Lists {
    /// The lists that the tenant has, loaded or not.
    pub(super) fn states(&self) -> impl Iterator<Item = &kyb_domain::list::ListState> {
        self.now.states.iter().filter(|state| self.has(&state.list))
    }

    fn has(&self, list: &ListId) -> bool {
        self.tenant.lists.as_ref().is_none_or(|lists| lists.contains(list))
    }

    /// The tenant's threshold, or the engine's.
    pub(super) fn usual_threshold(&self) -> Score {
        self.tenant.threshold.unwrap_or(kyb_screening::DEFAULT_THRESHOLD)
    }

    /// The entry that is shown under an id, unless it is on a list that the tenant does not have.
    pub(super) fn entry(&self, id: &str) -> Option<(&Watchlist, &Entry)> {
        self.directory.entry(&self.now.screener, id).filter(|(list, _)| self.has(&list.version.list))
    }

    /// The answer, or why there is none that may be relied on.
    pub(super) fn ask(&self, question: &Question) -> Result<Answer<'_>, Problem> {
        let screening = self.screen(question, question.cutoff)?;
        let is_hit = screening.matches.iter().any(|found| found.score >= question.threshold);
        if !is_hit {
            self.make_sure(question, &screening)?;
        }
        let reasons = screening.reasons;
        let matches =
            screening.matches.into_iter().map(|found| self.whole(found)).collect::<Result<_, _>>()?;
        Ok(Answer { matches, reasons: if is_hit { reasons } else { vec![] } })
    }

    /// Refuses an answer without a match unless everything was searched. Where a low cutoff brought more candidates than are
    /// compared, those that can reach the threshold may still be few enough.
    fn make_sure(&self, question: &Question, screening: &Screening) -> Result<(), Problem> {
        let is_cut = |reasons: &[Reason]| reasons.iter().any(|r| r.code == ReasonCode::CANDIDATES_TRUNCATED);
        if let Some(reason) = screening.reasons.iter().find(|r| r.code != ReasonCode::CANDIDATES_TRUNCATED) {
            return Err(Problem::new(Kind::Starting, format!("there is no certain answer: {}", reason.text)));
        }
        if is_cut(&screening.reasons)
            && (question.cutoff == question.threshold
                || is_cut(&self.screen(question, question.threshold)?.reasons))
        {
            return Err(invalid(
                "there is no certain answer: more listed names are alike than a search compares; send a fuller name",
            ));
        }
        Ok(())
    }

    fn screen(&self, question: &Question, cutoff: Score) -> Result<Screening, Problem> {
        let options = ScreeningOptions {
            lists: question.lists.clone().or_else(|| self.tenant.lists.clone()),
            threshold: Some(cutoff),
            limit: Some(MOST_MATCHES),
        };
        let subject = question.subject.clone();
        let found = engine::screen_on(&self.app, &self.now, &self.tenant.id, subject, &options, Utc::now());
        found.map(|found| found.value).map_err(|ScreeningError::UnknownList(list)| {
            // What the caller named was looked up before, so it is the settings that name it.
            tracing::error!(
                list = list.as_str(),
                "a tenant's settings name a list that the platform does not have"
            );
            Problem::internal()
        })
    }

    /// Every match is of these very lists, so its entry is there.
    fn whole(&self, by: Match) -> Result<Found<'_>, Problem> {
        let id = directory::id(&by.list, &by.entry_id);
        let (list, entry) = self.directory.entry(&self.now.screener, &id).ok_or_else(Problem::internal)?;
        Ok(Found { by, list, entry })
    }
}
