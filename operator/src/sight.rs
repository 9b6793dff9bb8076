//! Whether the operator still sees what it reports of.
//!
//! Whoever may watch at the beginning may lose that right later; the server then ends the watch within minutes, and refuses every further
//! one. What was seen last would be reported as if it were so today.
//!
//! ```text
//! a watch is refused (403) ─► Sight ─► every object is looked at ─► condition Observed is False, and so is Ready
//! an event of that watch, or no refusal for a while ─► forgotten
//! ```

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::runtime::watcher;
use kyb_crds::{ConditionType, Reason};
use tokio::time::Instant;

use crate::verdict::{State, Verdict};

/// A watch that goes on where it ended says so only when something changes. Until then it is told by the silence after the last refusal,
/// which lasts longer than the longest wait between two tries (see [`kyb_kit::unbroken`]).
const REMEMBERED: Duration = Duration::from_secs(90);

/// The watches that the server refuses. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight(Arc<Mutex<BTreeMap<Watched, Refusal>>>);

/// A kind, and the namespace in which it is watched; none: everywhere.
pub(crate) type Watched = (String, Option<String>);

#[derive(Debug)]
struct Refusal {
    message: String,
    at: Instant,
}

impl Sight {
    /// Takes in how a watch goes on, and tells whether there is something else to be said of all objects now.
    pub(crate) fn note<T>(&self, watched: &Watched, came: &Result<T, watcher::Error>) -> bool {
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match came {
            Ok(_) => refusals.remove(watched).is_some(),
            Err(error) => refusal(error).is_some_and(|message| {
                let before = refusals.insert(watched.clone(), Refusal { message, at: now });
                before.is_none_or(|before| !before.holds(now))
            }),
        }
    }

    /// What is to be said of an object while something is not seen of what it consists of. `concerns` tells whether it has to do with a
    /// namespace; what is watched everywhere concerns everything.
    pub(crate) fn verdict(&self, concerns: impl Fn(&str) -> bool) -> Option<Verdict> {
        let refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let holds = |((_, place), refusal): &(&Watched, &Refusal)| {
            refusal.holds(now) && place.as_deref().is_none_or(&concerns)
        };
        let ((kind, _), refusal) = refusals.iter().find(holds)?;
        let message = format!(
            "the kind {kind} can no longer be watched, so what is said here may be out of date: {}; upgrade the chart kyb-operator, whose roles \
             hold what this version needs",
            refusal.message
        );
        Some(Verdict::new(ConditionType::Observed, State::Stuck, Reason::Forbidden, message))
    }
}

impl Refusal {
    fn holds(&self, now: Instant) -> bool {
        now.duration_since(self.at) < REMEMBERED
    }
}

/// What the server says where it refuses; other errors go by, and are tried again.
fn refusal(error: &watcher::Error) -> Option<String> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if status.code == 403 =>
        {
            Some(status.message.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn refused(code: u16) -> Result<(), watcher::Error> {
        let status = Status::failure("may not watch", "").with_code(code);
        Err(watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(status))))
    }

    fn everywhere(kind: &str) -> Watched {
        (kind.to_owned(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_watch_is_told_once_and_holds_until_it_goes_on_or_is_refused_no_more() {
        let (sight, jobs) = (Sight::default(), everywhere("Job"));
        assert!(sight.note(&jobs, &refused(403)) && !sight.note(&jobs, &refused(403)));
        let verdict = sight.verdict(|_| false).unwrap();
        assert!(
            verdict.state == State::Stuck
                && verdict.message.starts_with("the kind Job can no longer be watched")
        );
        assert!(verdict.message.contains("may not watch"));
        assert!(sight.note(&jobs, &Ok(())) && !sight.note(&jobs, &Ok(())));
        assert_eq!(sight.verdict(|_| true), None);

        sight.note(&jobs, &refused(403));
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(sight.verdict(|_| true), None);
        assert!(sight.note(&jobs, &refused(403)), "news again");
    }

    #[test]
    fn what_is_only_tried_again_is_no_refusal() {
        let sight = Sight::default();
        assert!(!sight.note(&everywhere("Job"), &refused(500)));
        assert!(!sight.note::<()>(&everywhere("Job"), &Err(watcher::Error::NoResourceVersion)));
        assert_eq!(sight.verdict(|_| true), None);
    }

    #[test]
    fn a_namespace_that_is_not_seen_concerns_what_lies_there() {
        let sight = Sight::default();
        sight.note(&("Job".to_owned(), Some("here".to_owned())), &refused(403));
        assert!(sight.verdict(|namespace| namespace == "here").is_some());
        assert_eq!(sight.verdict(|namespace| namespace == "there"), None);
    }
}
