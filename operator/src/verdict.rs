//! What became of each concern, and of the object as a whole.
//!
//! ```text
//! concerns, failures ─ of_concern ─► Verdict each ─┐
//! what runs, what is reported ─► Verdict each ─────┴─ summary ─► Ready, and Reconciling or Stalled ─► when to look again
//! ```

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kyb_crds::{ConditionType, Reason};
use kyb_kit::{ApplyError, Class, ConditionSet, Fact, Refusal, Retries};

use crate::concern::{Concern, Problem};

/// What became of one concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) condition: ConditionType,
    pub(crate) state: State,
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// How a concern stands. The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// As wanted.
    Well,
    /// Not wanted, or nothing to say; says so, but keeps nothing from being ready.
    Aside,
    /// Not as hoped, but it keeps nothing from being ready.
    Missed,
    /// On its way; something that is watched will change.
    Underway,
    /// It went wrong and is tried again.
    Failing,
    /// Somebody has to do something.
    Stuck,
}

impl Verdict {
    pub(crate) fn new(
        condition: ConditionType,
        state: State,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self { condition, state, reason, message: message.into() }
    }

    pub(crate) fn well(condition: ConditionType, message: impl Into<String>) -> Self {
        Self::new(condition, State::Well, Reason::Ready, message)
    }

    /// A problem stops its concern; whether a person is needed follows from its reason.
    pub(crate) fn of_problem(condition: ConditionType, problem: &Problem) -> Self {
        let state = match problem.reason {
            Reason::Progressing | Reason::Migrating => State::Underway,
            Reason::Retrying => State::Failing,
            _ => State::Stuck,
        };
        Self::new(condition, state, problem.reason, problem.message.clone())
    }

    /// What applying a concern's children gave. `done` is what to say when all went well.
    pub(crate) fn of_concern(concern: &Concern, failures: &[ApplyError], done: &str) -> Self {
        let children = match &concern.children {
            Err(problem) => return Self::of_problem(concern.condition, problem),
            Ok(children) => children,
        };
        let ours = |failure: &&ApplyError| children.iter().any(|child| child.key() == failure.child());
        let weight = |failure: &&ApplyError| (std::cmp::Reverse(failure.class()), failure.child().clone());
        match failures.iter().filter(ours).min_by_key(weight) {
            None => Self::well(concern.condition, done),
            Some(failure) => Self::of_failure(concern.condition, failure),
        }
    }

    fn of_failure(condition: ConditionType, failure: &ApplyError) -> Self {
        let reason = match failure {
            ApplyError::Stranger { .. } => Reason::NotOwned,
            ApplyError::Refused { why: Refusal::Quota, .. } => Reason::QuotaExceeded,
            ApplyError::Refused { why: Refusal::Forbidden, .. } => Reason::Forbidden,
            ApplyError::Refused { why: Refusal::Invalid, .. } => Reason::Rejected,
            ApplyError::Unserved { .. } => Reason::KindNotInstalled,
            ApplyError::Blocked { .. } | ApplyError::Terminating { .. } => Reason::Progressing,
            _ => Reason::Retrying,
        };
        let state = match failure.class() {
            Class::Retry | Class::Wait => State::Failing,
            Class::Person => State::Stuck,
        };
        Self::new(condition, state, reason, format!("{failure}{}", remedy(reason)))
    }

    /// What often goes by itself needs a person only when it lasts: after so many failures in a row. A right that was granted a
    /// moment ago is not in force at once; what a spec refers to may stand further below in the same file; a node may be on its
    /// way. Tools that wait give up on an object that is `Stalled`.
    pub(crate) fn if_it_lasts(self, failures: Option<i32>) -> Self {
        if self.state != State::Stuck || failures.unwrap_or(0) >= PASSING_AT_MOST {
            return self;
        }
        match self.reason {
            Reason::Forbidden => Self { state: State::Failing, reason: Reason::Retrying, ..self },
            Reason::ReferenceNotFound
            | Reason::SecretNotFound
            | Reason::SecretKeyNotFound
            | Reason::NamespaceNotLabelled
            | Reason::NamespaceNotPrepared
            | Reason::Unschedulable
            | Reason::CrashLooping => Self { state: State::Failing, ..self },
            _ => self,
        }
    }

    fn fact(&self) -> Fact {
        let is = matches!(self.state, State::Well | State::Aside);
        Fact::new(self.condition.as_str(), is, self.reason.as_str(), self.message.clone())
    }
}

/// Whether a condition is as it should be, as far as people need not be told: well, on its way, or what somebody asked for. That
/// nothing runs or reports yet is so of everything new; of what was well, and whose spec nobody changed, it is trouble.
pub(crate) fn as_it_should(was: Option<&Condition>, now: &Condition) -> bool {
    const NOTHING_YET: [Reason; 2] = [Reason::NoReport, Reason::ReplicasUnavailable];
    const QUIET: [Reason; 9] = [
        Reason::Ready,
        Reason::NotConfigured,
        Reason::NotUsed,
        Reason::Progressing,
        Reason::Migrating,
        Reason::SettingsPending,
        Reason::Erasing,
        Reason::Paused,
        Reason::NewerTemplates,
    ];
    let is_one_of = |reasons: &[Reason]| reasons.iter().any(|reason| reason.as_str() == now.reason);
    let broke = was.is_some_and(|was| {
        was.status == "True" && now.status != "True" && was.observed_generation == now.observed_generation
    });
    is_one_of(&QUIET) || (is_one_of(&NOTHING_YET) && !broke)
}

/// How often in a row such a failure is taken for one that goes by itself: for some seconds.
const PASSING_AT_MOST: i32 = 3;

/// What to do about a refusal: the server says what it refuses, and only sometimes what would help.
fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::QuotaExceeded => "; raise the quota, or ask for less",
        Reason::Forbidden => {
            "; upgrade the chart kyb-operator, whose roles hold what this version needs, or do what the policy asks that is named"
        }
        Reason::Rejected => "; correct the spec, or what refuses the object",
        _ => "",
    }
}

/// The conditions of an object, from those of its concerns. `ready` is what to say when all is well.
pub(crate) fn summary(generation: Option<i64>, verdicts: &[Verdict], ready: &str) -> ConditionSet {
    let worst =
        verdicts.iter().filter(|verdict| verdict.state > State::Missed).max_by_key(|verdict| verdict.state);
    // Of several that are equally urgent the first is named: they stand in the order in which they depend on each other.
    let named = worst.and_then(|worst| verdicts.iter().find(|verdict| verdict.state == worst.state));
    let head = match named {
        None => Fact::new("Ready", true, Reason::Ready.as_str(), ready),
        Some(verdict) => Fact::new("Ready", false, verdict.reason.as_str(), verdict.message.clone()),
    };
    let set =
        verdicts.iter().fold(ConditionSet::new(generation, head), |set, verdict| set.with(verdict.fact()));
    match named {
        Some(verdict) if verdict.state == State::Stuck => {
            set.stalled(verdict.reason.as_str(), verdict.message.clone())
        }
        Some(verdict) => set.reconciling(verdict.reason.as_str(), verdict.message.clone()),
        None => set,
    }
}

/// How many failures in a row there are now, and when to look again, which is soon for what has not failed before; never where nothing
/// failed, since everything that may change is watched. What needs a person is looked at again, too: not everything that a person can do
/// is seen.
pub(crate) fn next(
    retries: &Retries,
    uid: &str,
    before: Option<i32>,
    verdicts: &[Verdict],
) -> (Option<i32>, Option<Duration>) {
    let failing = verdicts.iter().filter(|verdict| verdict.state >= State::Failing);
    let cause = |verdict: &Verdict| format!("{} {}", verdict.condition.as_str(), verdict.reason.as_str());
    let causes: BTreeSet<_> = failing.map(cause).collect();
    if !causes.is_empty() {
        let (failures, wait) = retries.failed(uid, &causes, before, Instant::now());
        return (Some(failures), Some(wait));
    }
    retries.forget(uid);
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_needs_a_person_only_when_it_lasts() {
        let refused = || Verdict::new(ConditionType::KeysReady, State::Stuck, Reason::Forbidden, "no");
        let soon = Verdict::new(ConditionType::KeysReady, State::Failing, Reason::Retrying, "no");
        assert_eq!(refused().if_it_lasts(None), soon);
        assert_eq!(refused().if_it_lasts(Some(2)), soon);
        assert_eq!(refused().if_it_lasts(Some(3)), refused());
        let missing = |state| Verdict::new(ConditionType::DatabaseReady, state, Reason::SecretNotFound, "no");
        assert_eq!(
            missing(State::Stuck).if_it_lasts(Some(2)),
            missing(State::Failing),
            "it may come with the next file"
        );
        assert_eq!(missing(State::Stuck).if_it_lasts(Some(3)), missing(State::Stuck));
        let quota = || Verdict::new(ConditionType::KeysReady, State::Stuck, Reason::QuotaExceeded, "no");
        assert_eq!(quota().if_it_lasts(None), quota(), "nobody raises that by itself");
    }

    #[test]
    fn people_are_told_of_what_broke_and_not_of_what_is_not_there_yet() {
        let condition = |is: bool, reason: Reason, generation| {
            let fact = Fact::new("Ready", is, reason.as_str(), "");
            let made =
                ConditionSet::new(Some(generation), fact).onto(&[], k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
            made.into_iter().next().unwrap()
        };
        let (ready, nothing) = (condition(true, Reason::Ready, 1), condition(false, Reason::NoReport, 1));
        assert!(as_it_should(None, &nothing) && as_it_should(Some(&nothing), &ready));
        assert!(!as_it_should(Some(&ready), &nothing), "it was there");
        assert!(
            as_it_should(Some(&ready), &condition(false, Reason::NoReport, 2)),
            "somebody changed the spec"
        );
        assert!(!as_it_should(None, &condition(false, Reason::QuotaExceeded, 1)));
    }

    #[test]
    fn a_missed_target_is_false_and_keeps_nothing_from_being_ready() {
        let missed =
            Verdict::new(ConditionType::HitRateReached, State::Missed, Reason::HitRateBelowTarget, "low");
        let aside = Verdict::new(ConditionType::RedisReady, State::Aside, Reason::NotConfigured, "none");
        let conditions =
            summary(Some(1), &[missed, aside], "works").onto(&[], k8s_openapi::jiff::Timestamp::UNIX_EPOCH);
        let said: Vec<_> = conditions.iter().map(|one| (one.type_.as_str(), one.status.as_str())).collect();
        assert_eq!(said, [("HitRateReached", "False"), ("Ready", "True"), ("RedisReady", "True")]);
    }

    #[test]
    fn what_is_on_its_way_is_underway_what_may_pass_fails_and_the_rest_is_stuck() {
        let state = |reason| {
            let problem = Problem { reason, message: "why".to_owned() };
            let verdict = Verdict::of_problem(ConditionType::DatabaseReady, &problem);
            assert_eq!((verdict.condition, verdict.reason), (ConditionType::DatabaseReady, reason));
            assert_eq!(verdict.message, "why");
            verdict.state
        };
        assert_eq!([Reason::Progressing, Reason::Migrating].map(state), [State::Underway; 2]);
        assert_eq!(state(Reason::Retrying), State::Failing);
        assert_eq!([Reason::SecretNotFound, Reason::QuotaExceeded].map(state), [State::Stuck; 2]);
    }

    #[test]
    fn who_fails_is_looked_at_again_and_who_does_not_is_forgotten() {
        let retries = Retries::default();
        let well = || Verdict::well(ConditionType::DatabaseReady, "there");
        let of = |state| Verdict::new(ConditionType::KeysReady, state, Reason::Retrying, "no");
        assert_eq!(next(&retries, "uid", None, &[well()]), (None, None));
        assert_eq!(
            next(&retries, "uid", None, &[well(), of(State::Underway)]),
            (None, None),
            "it is watched"
        );
        let (failures, wait) = next(&retries, "uid", None, &[well(), of(State::Failing)]);
        assert_eq!(failures, Some(1));
        assert!(wait.is_some_and(|wait| wait > Duration::ZERO), "{wait:?}");
        assert!(
            next(&retries, "other", None, &[of(State::Stuck)]).1.is_some(),
            "a person may mend it unseen"
        );
        assert_eq!(next(&retries, "uid", Some(1), &[well()]), (None, None));
    }
}
