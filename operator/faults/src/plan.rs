//! What is to go wrong, and when.

use std::{fmt, time::Duration};

use crate::{Target, Verb};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The request is not sent: nobody listens.
    Refused,
    /// The request is carried out, and its answer is lost.
    Lost,
    /// The request is sent so much later.
    Delayed(Duration),
    /// The request is carried out, and its answer comes so much later.
    Late(Duration),
    /// Answered with 409 instead of being sent.
    Conflict,
    /// Answered with 429 and `Retry-After: 1`.
    TooManyRequests,
    /// Answered with 500.
    ServerError,
    /// Answered with 504, as by a server that gave up.
    Timeout,
    /// Answered with 403, as by RBAC.
    Forbidden,
    /// Answered with 403, as by a namespace's quota.
    QuotaExceeded,
    /// Answered with 200 and what was sent, and never carried out. No server does that: it is for tests of a harness, which has to
    /// notice it.
    Vanished,
    /// The watch's connection ends instead of bringing the event; the next one brings it.
    Dropped,
    /// The event comes twice.
    Duplicated,
    /// The event is replaced by the object's next one, if that comes within this time.
    Coalesced(Duration),
    /// The scope's events of this kind come so much later, while those of other kinds go on.
    Held(Duration),
    /// The watch ends with 410 instead of bringing the event, so that everything is listed again.
    Gone,
    /// The same, and the list that follows tells of the state before the event. Only where the client lets the server choose the
    /// state (`resourceVersion=0`): whoever asks for the most recent one gets it.
    Stale,
    /// For so long nothing of the scope is seen: events of all kinds wait, and so do reads that need not be the most recent ones.
    /// Writes go on.
    Frozen(Duration),
    /// The process ends before the request is sent.
    CrashBefore,
    /// The process ends after the request was carried out, before the answer comes.
    CrashAfter,
}

impl Fault {
    /// Whether it befalls an event of a watch, and not a request.
    pub const fn is_of_watches(self) -> bool {
        use Fault::{Coalesced, Dropped, Duplicated, Frozen, Gone, Held, Stale};
        matches!(self, Dropped | Duplicated | Coalesced(_) | Held(_) | Gone | Stale | Frozen(_))
    }

    /// Whether the process ends.
    pub const fn is_of_process(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    /// A short name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Delayed(_) => "delayed",
            Self::Late(_) => "late",
            Self::Conflict => "409",
            Self::TooManyRequests => "429",
            Self::ServerError => "500",
            Self::Timeout => "504",
            Self::Forbidden => "403",
            Self::QuotaExceeded => "quota",
            Self::Vanished => "vanished",
            Self::Dropped => "dropped",
            Self::Duplicated => "twice",
            Self::Coalesced(_) => "merged",
            Self::Held(_) => "held",
            Self::Gone => "410",
            Self::Stale => "stale",
            Self::Frozen(_) => "frozen",
            Self::CrashBefore => "crash-",
            Self::CrashAfter => "-crash",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which of a scope's requests or events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// The n-th request, from 1.
    Request(usize),
    /// The n-th write, from 1.
    Write(usize),
    /// The n-th event of any watch, from 1.
    Event(usize),
    /// The n-th request, or event, about exactly this, from 1.
    About(Target, usize),
}

impl Point {
    /// Whether what is asked for counts, and at which count it is meant.
    pub(crate) fn counts(&self, target: &Target, is_event: bool) -> Option<usize> {
        let (counts, nth) = match self {
            Self::Request(nth) => (!is_event, nth),
            Self::Write(nth) => (target.verb.is_write(), nth),
            Self::Event(nth) => (is_event, nth),
            Self::About(about, nth) => (about == target && is_event == (about.verb == Verb::Watch), nth),
        };
        counts.then_some(*nth)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(nth) => write!(f, "request {nth}"),
            Self::Write(nth) => write!(f, "write {nth}"),
            Self::Event(nth) => write!(f, "event {nth}"),
            Self::About(target, nth) => write!(f, "{target} no. {nth}"),
        }
    }
}

/// What goes wrong in one scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plan {
    /// What.
    pub fault: Fault,
    /// Where it begins.
    pub at: Point,
    /// So many in a row of what is counted; [`usize::MAX`] for what never ends.
    pub times: usize,
}

impl Plan {
    /// Once.
    pub fn once(fault: Fault, at: Point) -> Self {
        Self { fault, at, times: 1 }
    }

    /// Every time, from there on.
    pub fn always(fault: Fault, at: Point) -> Self {
        Self { fault, at, times: usize::MAX }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.fault, self.at)?;
        if self.times > 1 { write!(f, " and after") } else { Ok(()) }
    }
}
