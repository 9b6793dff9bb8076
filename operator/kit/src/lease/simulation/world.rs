//! The world that the replicas live in.

use std::time::Duration;

use proptest::{prelude::*, test_runner::TestCaseError};

use super::{Chaos, END, STEP, timing};
use crate::lease::{Action, Elector, Input, Moment, Record, Timing, Write};

/// A Lease as an installation brings it.
const EMPTY: Record = Record { holder: None, duration: None, transitions: None };

/// The safeguard that a twin takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// All are in place.
    Nothing,
    /// A write replaces whatever version is there.
    Precondition,
    /// A hold goes on until something else is known.
    Deadline,
    /// A hold lasts as long as the lease.
    Margin,
    /// A Lease that something makes again claims that nobody has ever held it.
    Modesty,
}

#[derive(Debug)]
struct Server {
    version: u64,
    lease: Option<(u64, Record)>,
}

impl Server {
    fn read(&self) -> Input {
        match &self.lease {
            Some((version, record)) => Input::Seen { version: version.to_string(), record: record.clone() },
            None => Input::Absent,
        }
    }

    fn write(&mut self, write: &Write, sent: Moment, without: Without) -> Input {
        let there = self.lease.as_ref().map(|(version, _)| version.to_string());
        if without != Without::Precondition && there != write.over {
            return Input::Conflict;
        }
        self.version += 1;
        self.lease = Some((self.version, write.record.clone()));
        Input::Written { version: self.version.to_string(), sent }
    }
}

/// A request on its way to the server.
#[derive(Debug)]
struct Flight {
    node: usize,
    request: u64,
    arrives: u64,
    back: u64,
    write: Option<Write>,
    sent: Moment,
}

#[derive(Debug)]
enum Doing {
    Waiting(Moment),
    /// The request's number, when it is given up, and the answer with the world's time at which it is there.
    Asking {
        request: u64,
        writes: bool,
        until: Moment,
        answer: Option<(u64, Input)>,
    },
    /// It was asked to stop: the release is sent when nothing of its own is under way any more.
    Leaving(Moment, Write),
    Gone(u64),
}

pub(super) struct Node {
    life: u32,
    elector: Elector,
    doing: Doing,
    pub(super) last_held: Option<u64>,
}

pub(super) struct World<'a> {
    chaos: &'a Chaos,
    without: Without,
    server: Server,
    pub(super) nodes: Vec<Node>,
    flights: Vec<Flight>,
    requests: u64,
    time: u64,
    /// How often somebody began to hold.
    pub(super) holds: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(chaos: &'a Chaos, without: Without) -> Self {
        let nodes = (0..chaos.clocks.len()).map(|node| born(node, 0, without)).collect();
        let server = Server { version: 1, lease: Some((1, Record { transitions: Some(0), ..EMPTY })) };
        Self { chaos, without, server, nodes, flights: Vec::new(), requests: 0, time: 0, holds: 0 }
    }

    /// The replica's own clock.
    fn clock(&self, node: usize) -> Moment {
        let (ahead, millionths) = self.chaos.clocks[node];
        let micros = self.time * u64::try_from(1_000_000 + millionths).unwrap_or(0) / 1000;
        Duration::from_millis(ahead) + Duration::from_micros(micros)
    }

    pub(super) fn run(&mut self) -> Result<(), TestCaseError> {
        while self.time < END {
            self.meddle();
            self.land();
            for node in 0..self.nodes.len() {
                let stopped = |(who, from, length): &(usize, u64, u64)| {
                    *who == node && (*from..from + length).contains(&self.time)
                };
                if !self.chaos.pauses.iter().any(stopped) {
                    self.act(node);
                }
            }
            self.check()?;
            self.time += STEP;
        }
        Ok(())
    }

    /// Somebody deletes the Lease, and something makes it again.
    fn meddle(&mut self) {
        for (at, is_made_again) in &self.chaos.deletions {
            if at / STEP == self.time / STEP {
                self.server.lease = None;
            } else if *is_made_again && at / STEP + 20 == self.time / STEP && self.server.lease.is_none() {
                self.server.version += 1;
                let transitions = (self.without == Without::Modesty).then_some(0);
                self.server.lease = Some((self.server.version, Record { transitions, ..EMPTY }));
            }
        }
    }

    /// Requests reach the server, in the order of their arrival.
    fn land(&mut self) {
        self.flights.sort_by_key(|flight| flight.arrives);
        while self.flights.first().is_some_and(|flight| flight.arrives <= self.time) {
            let flight = self.flights.remove(0);
            let said = match &flight.write {
                Some(write) => self.server.write(write, flight.sent, self.without),
                None => self.server.read(),
            };
            if let Doing::Asking { request, answer, .. } = &mut self.nodes[flight.node].doing
                && *request == flight.request
                && flight.back < 8000
            {
                *answer = Some((self.time + flight.back, said));
            }
        }
    }

    fn act(&mut self, node: usize) {
        let now = self.clock(node);
        let stops = self.chaos.stops.iter().any(|(who, at)| *who == node && at / STEP == self.time / STEP);
        if stops && let Some(write) = self.nodes[node].elector.release() {
            self.nodes[node].doing = Doing::Leaving(now + timing().request_timeout, write);
        }
        let input = match &mut self.nodes[node].doing {
            Doing::Waiting(until) if now >= *until => Input::Tick,
            Doing::Asking { answer: Some((at, said)), .. } if *at <= self.time => said.clone(),
            Doing::Asking { writes, until, .. } if now >= *until => {
                if *writes {
                    Input::WriteFailed
                } else {
                    Input::ReadFailed
                }
            }
            Doing::Leaving(until, write) if now >= *until => {
                let write = write.clone();
                self.send(node, Some(write), now);
                self.nodes[node].doing = Doing::Gone(self.time);
                return;
            }
            Doing::Gone(since) if self.time > *since + 1000 => {
                let life = self.nodes[node].life + 1;
                let last_held = self.nodes[node].last_held;
                self.nodes[node] = Node { last_held, ..born(node, life, self.without) };
                Input::Tick
            }
            _ => return,
        };
        let action = self.nodes[node].elector.step(now, input);
        self.follow(node, now, action);
    }

    fn follow(&mut self, node: usize, now: Moment, action: Action) {
        let until = now + timing().request_timeout;
        self.nodes[node].doing = match action {
            Action::Wait(until) => Doing::Waiting(until),
            Action::Lost => Doing::Gone(self.time),
            Action::Read => {
                Doing::Asking { request: self.send(node, None, now), writes: false, until, answer: None }
            }
            Action::Write(write) => Doing::Asking {
                request: self.send(node, Some(write), now),
                writes: true,
                until,
                answer: None,
            },
        };
    }

    fn send(&mut self, node: usize, write: Option<Write>, sent: Moment) -> u64 {
        let turn = usize::try_from(self.requests).unwrap_or(0) % self.chaos.delays.len();
        let (there, back) = self.chaos.delays[turn];
        self.requests += 1;
        if there < 8000 {
            let arrives = self.time + there;
            self.flights.push(Flight { node, request: self.requests, arrives, back, write, sent });
        }
        self.requests
    }

    /// A replica that may write, and another one that could within the time that a request takes, paused or not.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let tail = 2400;
        let holders: Vec<_> =
            (0..self.nodes.len()).filter(|node| self.nodes[*node].elector.holds(self.clock(*node))).collect();
        for &holder in &holders {
            let first = self.nodes[holder].last_held.is_none_or(|last| last + STEP < self.time);
            self.holds += u32::from(first);
            self.nodes[holder].last_held = Some(self.time);
        }
        for &holder in &holders {
            for (other, node) in self.nodes.iter().enumerate().filter(|(other, _)| *other != holder) {
                let recent = node.last_held.is_some_and(|last| last + tail > self.time);
                prop_assert!(!recent, "{holder} holds at {} while {other} may still write", self.time);
            }
        }
        Ok(())
    }
}

fn born(node: usize, life: u32, without: Without) -> Node {
    let timing = Timing {
        margin: if without == Without::Margin { Duration::ZERO } else { timing().margin },
        ..timing()
    };
    let mut elector = Elector::new(format!("{node}-{life}"), timing);
    elector.ends_by_itself = without != Without::Deadline;
    Node { life, elector, doing: Doing::Waiting(Moment::ZERO), last_held: None }
}
