//! Conditions built from facts: the same facts give the same conditions, whatever the time.
//!
//! They follow the Kubernetes API conventions
//! (<https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties>)
//! and what kstatus makes of them: `Ready` always, `Reconciling` and `Stalled` only while true, `observedGeneration` on
//! each, so that kubectl, Helm, Flux and Argo CD agree on what an object's state is.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// Does the object do what it is for?
pub const READY: &str = "Ready";
/// Present while work is under way that should end by itself.
pub const RECONCILING: &str = "Reconciling";
/// Present while nothing goes on until somebody acts.
pub const STALLED: &str = "Stalled";

/// The longest message that the schema of `metav1.Condition` allows, in characters.
const LONGEST_MESSAGE: usize = 32768;

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// It is.
    True,
    /// It is not.
    False,
    /// It can't be told.
    Unknown,
}

impl Is {
    /// As it stands in a condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Is {
    fn from(so: bool) -> Self {
        if so { Self::True } else { Self::False }
    }
}

/// One fact about an object: a condition without time and generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    kind: String,
    is: Is,
    reason: String,
    message: String,
}

impl Fact {
    /// `kind` is the condition's type. `reason` is CamelCase and comes from the operator's own enum of reasons, which
    /// gives its name by `AsRef<str>`. `message` is for people; it must not change while nothing changes (no times, no
    /// counts that go up and down), and is cut after 32,768 characters.
    pub fn new(
        kind: impl AsRef<str>,
        is: impl Into<Is>,
        reason: impl AsRef<str>,
        message: impl Into<String>,
    ) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
            message.truncate(end);
        }
        Self { kind: kind.as_ref().to_owned(), is: is.into(), reason: reason.as_ref().to_owned(), message }
    }

    /// The condition's type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether it is so.
    pub fn is(&self) -> Is {
        self.is
    }
}

/// All conditions of an object, as facts; the last fact of a type counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionSet {
    generation: Option<i64>,
    facts: Vec<Fact>,
}

impl ConditionSet {
    /// Facts about the object as it was at `generation` (its `metadata.generation`), of which `Ready` is always one:
    /// `ready`'s type is taken to be [`READY`].
    pub fn new(generation: Option<i64>, mut ready: Fact) -> Self {
        READY.clone_into(&mut ready.kind);
        Self { generation, facts: vec![ready] }
    }

    /// Adds a fact, or replaces the one of the same type.
    #[must_use]
    pub fn with(mut self, fact: Fact) -> Self {
        match self.facts.iter_mut().find(|known| known.kind == fact.kind) {
            Some(known) => *known = fact,
            None => self.facts.push(fact),
        }
        self
    }

    /// Says that work is under way. Left out when none is.
    #[must_use]
    pub fn reconciling(self, reason: impl AsRef<str>, message: impl Into<String>) -> Self {
        self.with(Fact::new(RECONCILING, Is::True, reason, message))
    }

    /// Says that nothing goes on until somebody acts. Left out when nobody need.
    #[must_use]
    pub fn stalled(self, reason: impl AsRef<str>, message: impl Into<String>) -> Self {
        self.with(Fact::new(STALLED, Is::True, reason, message))
    }

    /// The conditions, ordered by type. A condition keeps the time of its last transition in `existing` as long as its
    /// status is the same; else that time is `now`. Conditions in `existing` that no fact is about are dropped: the
    /// list belongs to one writer.
    pub fn onto(&self, existing: &[Condition], now: Timestamp) -> Vec<Condition> {
        let mut conditions: Vec<_> =
            self.facts.iter().map(|fact| self.condition(fact, existing, now)).collect();
        conditions.sort_by(|one, other| one.type_.cmp(&other.type_));
        conditions
    }

    fn condition(&self, fact: &Fact, existing: &[Condition], now: Timestamp) -> Condition {
        let same = |old: &&Condition| old.type_ == fact.kind && old.status == fact.is.as_str();
        let since = existing.iter().find(same).map(|old| old.last_transition_time.0);
        Condition {
            type_: fact.kind.clone(),
            status: fact.is.as_str().to_owned(),
            reason: fact.reason.clone(),
            message: fact.message.clone(),
            observed_generation: self.generation,
            last_transition_time: Time(since.unwrap_or(now)),
        }
    }
}

/// Whether two lists of conditions say the same; order and times of transition do not count.
pub fn say_the_same(one: &[Condition], other: &[Condition]) -> bool {
    let timeless = |conditions: &[Condition]| {
        let mut conditions = conditions.to_vec();
        for condition in &mut conditions {
            condition.last_transition_time = Time(Timestamp::UNIX_EPOCH);
        }
        conditions.sort_by(|one, other| one.type_.cmp(&other.type_));
        conditions
    };
    timeless(one) == timeless(other)
}

/// The condition of a type, if there is one.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ready(is: Is) -> ConditionSet {
        ConditionSet::new(Some(3), Fact::new(READY, is, "Works", "all is well"))
    }

    #[test]
    fn a_time_changes_only_with_the_status() {
        let first = ready(Is::False).onto(&[], at(10));
        assert_eq!(find(&first, READY).unwrap().last_transition_time.0, at(10));
        let again =
            ConditionSet::new(Some(4), Fact::new(READY, Is::False, "Other", "other")).onto(&first, at(20));
        assert_eq!(find(&again, READY).unwrap().last_transition_time.0, at(10));
        assert_eq!(find(&again, READY).unwrap().observed_generation, Some(4));
        let turned = ready(Is::True).onto(&again, at(30));
        assert_eq!(find(&turned, READY).unwrap().last_transition_time.0, at(30));
    }

    #[test]
    fn the_same_facts_give_equal_conditions_at_any_time() {
        let facts = ready(Is::True).with(Fact::new("Synced", true, "Done", "")).reconciling("Busy", "at it");
        let first = facts.onto(&[], at(10));
        assert_eq!(facts.onto(&first, at(99)), first);
    }

    #[test]
    fn reconciling_and_stalled_are_there_only_while_true() {
        let busy = ready(Is::False).reconciling("Busy", "at it").stalled("Stuck", "act").onto(&[], at(1));
        let kinds: Vec<_> = busy.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!(kinds, [READY, RECONCILING, STALLED]);
        assert!(busy.iter().all(|condition| condition.observed_generation == Some(3)));
        let done = ready(Is::True).onto(&busy, at(2));
        assert_eq!(done.len(), 1);
    }

    #[test]
    fn times_and_order_do_not_count_and_everything_else_does() {
        let one = ready(Is::True).stalled("Stuck", "act").onto(&[], at(1));
        let mut other = ready(Is::True).stalled("Stuck", "act").onto(&[], at(2));
        other.reverse();
        assert!(say_the_same(&one, &other));
        other[0].message.push('!');
        assert!(!say_the_same(&one, &other));
        assert!(!say_the_same(&one, &one[1..]));
    }

    #[test]
    fn a_message_is_cut_where_the_schema_would_refuse_it() {
        let fact = Fact::new("Long", true, "Long", "ü".repeat(LONGEST_MESSAGE + 5));
        assert_eq!(fact.message.chars().count(), LONGEST_MESSAGE);
    }
}
