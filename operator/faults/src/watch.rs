//! What befalls the events of a watch. Between two of one object their order is kept, and none is lost: when a connection ends, what
//! waits comes before its end.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::Value;
use tokio::time::Instant;
use tower::BoxError;

use crate::{Fault, Faults, Life, Target, answer, service::AnyBody};

/// The body of a watch's answer, with its events going through the faults. `from` is the version that the watch begins after.
pub(crate) fn gated(body: AnyBody, life: &Life, watch: Target, from: Option<String>) -> AnyBody {
    let gate = Gate {
        lines: Lines { body, buffer: BytesMut::new() },
        faults: life.faults().clone(),
        watch,
        version: from.unwrap_or_default(),
        ready: VecDeque::new(),
        waiting: BTreeMap::new(),
        taken: 0,
        ended: false,
    };
    let frames = stream::unfold(gate, |mut gate| async move {
        let next = gate.next().await?;
        Some((next.map(Frame::data), gate))
    });
    StreamBody::new(frames).boxed_unsync()
}

struct Gate {
    lines: Lines,
    faults: Faults,
    watch: Target,
    /// Of the last event that came from the server.
    version: String,
    ready: VecDeque<Bytes>,
    /// In the order in which they are due.
    waiting: BTreeMap<(Instant, u64), Event>,
    taken: u64,
    ended: bool,
}

/// An event that waits.
struct Event {
    scope: String,
    target: Target,
    line: Bytes,
    kind: String,
    /// Whether the object's next event takes its place.
    merges: bool,
}

impl Gate {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            let due = self.waiting.first_key_value().map(|((due, _), _)| *due);
            tokio::select! {
                biased;
                () = until(due) => self.release_first(),
                line = self.lines.next() => match line {
                    Some(Ok(line)) => self.take(line),
                    Some(Err(_)) | None => self.end(), // a broken connection ends a watch as any other end does
                },
            }
        }
    }

    /// Takes in what came from the server.
    fn take(&mut self, line: Bytes) {
        let event: Value = serde_json::from_slice(&line).unwrap_or_default();
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        let before = event.pointer("/object/metadata/resourceVersion").and_then(Value::as_str);
        let before = before.map(|version| std::mem::replace(&mut self.version, version.to_owned()));
        let target = self.watch.of_event(&event["object"]);
        let whose = self.faults.attribute(&target);
        let Some((scope, target)) =
            whose.filter(|_| matches!(kind.as_str(), "ADDED" | "MODIFIED" | "DELETED"))
        else {
            return self.ready.push_back(line);
        };
        let (fault, wait) = self.faults.event(&scope, &target);
        let event = Event { scope, target, line, kind, merges: false };
        match fault {
            Some(Fault::Dropped) => self.end(),
            Some(Fault::Gone) => self.expire(),
            Some(Fault::Stale) => {
                self.faults.rewind(&self.watch, before.unwrap_or_default());
                self.expire();
            }
            Some(Fault::Duplicated) => {
                self.ready.extend([event.line.clone(), event.line]);
            }
            Some(Fault::Coalesced(span)) => self.hold(Event { merges: true, ..event }, Instant::now() + span),
            _ => self.pass(event, wait),
        }
    }

    /// Lets an event through, or wait if it has to, behind what waits of its scope already.
    fn pass(&mut self, event: Event, wait: Option<Instant>) {
        let Some(event) = self.merge(event) else { return };
        let same = |waiting: &&(Instant, u64)| {
            self.waiting.get(*waiting).is_some_and(|one| one.scope == event.scope && !one.merges)
        };
        let behind = self.waiting.keys().rev().find(same).map(|(due, _)| *due);
        match wait.max(behind) {
            Some(due) => self.hold(event, due),
            None => self.ready.push_back(event.line),
        }
    }

    fn hold(&mut self, event: Event, due: Instant) {
        self.taken += 1;
        self.waiting.insert((due, self.taken), event);
    }

    /// Puts a change into the place of the object's earlier event, where that waits for it. A deletion comes after it.
    fn merge(&mut self, event: Event) -> Option<Event> {
        // What an object is called is the same in every scope.
        let same = |(_, one): &(&(Instant, u64), &Event)| {
            one.merges && one.scope == event.scope && one.target == event.target
        };
        let Some(place) = self.waiting.iter().find(same).map(|(place, _)| *place) else { return Some(event) };
        let earlier = self.waiting.remove(&place)?;
        if event.kind != "MODIFIED" {
            self.ready.push_back(earlier.line);
            return Some(event);
        }
        // Whoever has not heard of the object yet has to hear that it is new.
        let mut merged: Value = serde_json::from_slice(&event.line).unwrap_or_default();
        merged["type"] = earlier.kind.into();
        self.ready.push_back(line_of(&merged));
        None
    }

    fn release_first(&mut self) {
        if let Some((_, event)) = self.waiting.pop_first() {
            self.ready.push_back(event.line);
        }
    }

    /// Ends the connection. Whoever watches on from the last event it saw would never get what waits here.
    fn end(&mut self) {
        while !self.waiting.is_empty() {
            self.release_first();
        }
        self.ended = true;
    }

    /// Ends the watch for good: everything is listed again.
    fn expire(&mut self) {
        self.waiting.clear();
        self.ready.push_back(line_of(&answer::gone()));
        self.ended = true;
    }
}

fn line_of(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A body by lines, each with its end.
struct Lines {
    body: AnyBody,
    buffer: BytesMut,
}

impl Lines {
    /// Can be dropped while it waits: what was read stays.
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Some(Ok(self.buffer.split_to(end + 1).freeze()));
            }
            match self.body.frame().await? {
                Ok(frame) => self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(why) => return Some(Err(why)),
            }
        }
    }
}
