//! What to do next about a lease, decided without I/O and without a clock of its own.

use std::time::Duration;

use super::Timing;

/// A point on our own monotonic clock: the time since some fixed moment of this process.
pub type Moment = Duration;

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; none if it was released or never held.
    pub holder: Option<String>,
    /// For how long its holder may rely on it, if it says so.
    pub duration: Option<Duration>,
    /// How often it went from one holder to another; none where that was never said, so that nobody can tell whether it
    /// is new or was just made again after somebody deleted it.
    pub transitions: Option<i32>,
}

/// Holder of a Lease that was just made, by whom nothing is held: who it belonged to before, if it was deleted, is not
/// known, so it has to be waited out like any other.
pub const NOBODY_YET: &str = "(nobody yet)";

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Nothing but time.
    Tick,
    /// The Lease was read.
    Seen {
        /// Its resourceVersion.
        version: String,
        /// What it says.
        record: Record,
    },
    /// The Lease was read, and there is none.
    Absent,
    /// Reading failed, or took too long.
    ReadFailed,
    /// Our write was accepted.
    Written {
        /// The resourceVersion that it made.
        version: String,
        /// When it was sent, or earlier.
        sent: Moment,
    },
    /// Our write was refused, because the Lease is not the version that we meant to replace.
    Conflict,
    /// Our write failed or took too long; it may have had its effect, or have it later.
    WriteFailed,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing before this moment; then [`Input::Tick`].
    Wait(Moment),
    /// Read the Lease.
    Read,
    /// Write the Lease.
    Write(Write),
    /// It is over: end the process. Nothing else ever follows.
    Lost,
}

/// A write and what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The resourceVersion that must be there; none: there must be no Lease.
    pub over: Option<String>,
    /// What the Lease is to say.
    pub record: Record,
}

/// One replica's part in the election.
#[derive(Debug, Clone)]
pub struct Elector {
    me: String,
    timing: Timing,
    seen: Option<Seen>,
    /// Whether the version we know may be outdated, since a write of ours failed or was refused.
    stale: bool,
    /// What the write under way says.
    writing: Option<Record>,
    phase: Phase,
    /// Whether a hold ends by itself; off only in the test that shows why.
    pub(super) ends_by_itself: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// None while there is no Lease.
    version: Option<String>,
    record: Record,
    /// When this version was seen first.
    since: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Candidate,
    Holder { until: Moment, renew_at: Moment },
    Over,
}

impl Elector {
    /// `me` must differ from every other replica's identity, and from that of this pod's earlier lives.
    pub fn new(me: impl Into<String>, timing: Timing) -> Self {
        let me = me.into();
        Self {
            me,
            timing,
            seen: None,
            stale: false,
            writing: None,
            phase: Phase::Candidate,
            ends_by_itself: true,
        }
    }

    /// Until when the lease is ours, if it is: at that moment it no longer is.
    pub fn held_until(&self) -> Option<Moment> {
        match self.phase {
            Phase::Holder { .. } if !self.ends_by_itself => Some(Moment::MAX),
            Phase::Holder { until, .. } => Some(until),
            Phase::Candidate | Phase::Over => None,
        }
    }

    /// Whether the lease is ours at `now`.
    pub fn holds(&self, now: Moment) -> bool {
        self.held_until().is_some_and(|until| now < until)
    }

    /// Takes in what happened and says what to do. `now` never goes back.
    pub fn step(&mut self, now: Moment, input: Input) -> Action {
        if self.phase == Phase::Over || self.held_until().is_some_and(|until| now >= until) {
            return self.lose();
        }
        match input {
            Input::Tick if self.stale || self.phase == Phase::Candidate => Action::Read,
            Input::Tick => self.decide(now),
            Input::ReadFailed => Action::Wait(now + self.timing.retry_every),
            Input::Conflict => {
                self.stale = true;
                Action::Read
            }
            Input::WriteFailed => {
                self.stale = true;
                Action::Wait(now + self.timing.retry_every)
            }
            Input::Written { version, sent } => self.written(now, version, sent),
            Input::Seen { version, record } => self.observe(now, Some(version), record),
            Input::Absent => {
                self.observe(now, None, Record { holder: None, duration: None, transitions: None })
            }
        }
    }

    /// Gives the lease up. The write that says so, if it is ours, is to be sent when nothing that it protected is under
    /// way any more; the others then need not wait.
    pub fn release(&mut self) -> Option<Write> {
        let was_held = matches!(self.phase, Phase::Holder { .. }) && !self.stale;
        self.phase = Phase::Over;
        let seen = self.seen.take().filter(|_| was_held)?;
        Some(Write { over: seen.version, record: Record { holder: None, ..seen.record } })
    }

    fn lose(&mut self) -> Action {
        self.phase = Phase::Over;
        Action::Lost
    }

    fn written(&mut self, now: Moment, version: String, sent: Moment) -> Action {
        match self.writing.take() {
            Some(record) if record.holder.as_ref() == Some(&self.me) => self.hold(now, version, record, sent),
            Some(record) => self.observe(now, Some(version), record),
            None => Action::Read,
        }
    }

    fn hold(&mut self, now: Moment, version: String, record: Record, sent: Moment) -> Action {
        let until = (sent + self.timing.duration).saturating_sub(self.timing.margin);
        let renew_at = now + self.timing.renew_every;
        self.phase = Phase::Holder { until, renew_at };
        self.stale = false;
        self.seen = Some(Seen { version: Some(version), record, since: now });
        if now >= until && self.ends_by_itself {
            return self.lose(); // the answer came too late to be of use
        }
        Action::Wait(renew_at)
    }

    fn observe(&mut self, now: Moment, version: Option<String>, record: Record) -> Action {
        self.stale = false;
        let is_mine = record.holder.as_ref() == Some(&self.me);
        if matches!(self.phase, Phase::Holder { .. }) && !is_mine {
            return self.lose();
        }
        match &mut self.seen {
            Some(seen) if seen.version == version => seen.record = record,
            _ => self.seen = Some(Seen { version, record, since: now }),
        }
        self.decide(now)
    }

    fn decide(&mut self, now: Moment) -> Action {
        let Some(seen) = &self.seen else { return Action::Read };
        let record = match (self.phase, &seen.version) {
            (Phase::Over, _) => return Action::Lost,
            (Phase::Holder { renew_at, .. }, _) if now < renew_at => return Action::Wait(renew_at),
            (Phase::Candidate, None) => self.nobodys(),
            (Phase::Candidate, Some(_)) if now < self.free_at(seen) => {
                return Action::Wait(self.free_at(seen).min(now + self.timing.retry_every));
            }
            (Phase::Holder { .. } | Phase::Candidate, _) => self.mine(&seen.record),
        };
        self.writing = Some(record.clone());
        Action::Write(Write { over: seen.version.clone(), record })
    }

    /// When nobody can rely on what was seen any more.
    fn free_at(&self, seen: &Seen) -> Moment {
        let wait = seen.record.duration.unwrap_or(self.timing.duration);
        match (&seen.record.holder, seen.record.transitions) {
            (None, Some(_)) => seen.since, // released
            // A write of ours whose answer was lost: while it says so, nobody else holds it.
            (Some(holder), _) if *holder == self.me => seen.since,
            (Some(_), _) | (None, None) => seen.since + wait,
        }
    }

    /// What the Lease says when it is ours.
    fn mine(&self, before: &Record) -> Record {
        let goes_over = before.holder.as_ref() != Some(&self.me);
        let transitions = before.transitions.unwrap_or_default().saturating_add(i32::from(goes_over));
        Record {
            holder: Some(self.me.clone()),
            duration: Some(self.timing.duration),
            transitions: Some(transitions),
        }
    }

    /// What a Lease says that is made where there was none.
    fn nobodys(&self) -> Record {
        Record {
            holder: Some(NOBODY_YET.to_owned()),
            duration: Some(self.timing.duration),
            transitions: Some(0),
        }
    }
}

#[cfg(test)]
#[path = "elector_tests.rs"]
mod tests;
