//! Who held the Lease when, by the API server's own clock, and which writes came from somebody who did not.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use kyb_lab::AuditEvent;

use crate::witness::Stall;

/// Microseconds since 1970 on the API server's clock.
pub(crate) type Micros = i64;

/// The clock of this machine, which is the API server's, too.
pub(crate) fn now() -> Micros {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

/// How the operator calls itself; who it is follows.
const AGENT: &str = "kyb-operator/";

/// A write to anything but the Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// As whom the writer took part in the election.
    pub(crate) by: String,
    /// Verb and path.
    pub(crate) what: String,
    /// When its head came in.
    pub(crate) received: Micros,
    /// When it was answered; its effect, if it had any, came before.
    pub(crate) answered: Micros,
    /// The answer's code.
    pub(crate) code: u16,
}

/// A write to the Lease that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// In the order of the store.
    pub(crate) version: u64,
    /// Empty where the Lease was given up.
    pub(crate) holder: String,
    /// For how long the Lease then says that others must leave it alone.
    pub(crate) lasts: Micros,
    /// When it came in, so before it took effect.
    pub(crate) received: Micros,
}

/// Why a write is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It came in while another held the Lease, or nobody.
    NotHolder,
    /// It came in when the Lease had run out, though nobody else had taken it yet.
    RanOut,
    /// It came in in time, and took effect when another may have held the Lease already.
    Outlasted,
}

/// What the records say together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) writes: usize,
    pub(crate) takeovers: usize,
    pub(crate) late: Vec<(Fault, Write)>,
    /// Late ones that lay in a server that stood still, which say nothing about who sent them.
    pub(crate) stalled: Vec<(Fault, Write)>,
    /// How long before the end of its writer's lease the last-minute write of all was answered.
    pub(crate) closest: Option<Duration>,
}

/// What the audit log says so far.
#[derive(Debug, Default)]
pub(crate) struct History {
    claims: BTreeMap<u64, Claim>,
    writes: Vec<Write>,
}

impl History {
    /// Takes in what a replica asked for; anybody else's requests are left out.
    pub(crate) fn take(&mut self, event: &AuditEvent) -> anyhow::Result<()> {
        let Some((_, by)) = event.user_agent.strip_prefix(AGENT).and_then(|agent| agent.split_once(' '))
        else {
            return Ok(());
        };
        if !event.is_write() {
            return Ok(());
        }
        let received = micros(&event.request_received_timestamp)?;
        if event.resource() != "leases" {
            self.writes.push(Write {
                by: by.to_owned(),
                what: format!("{} {}", event.verb, event.request_uri),
                received,
                answered: micros(&event.stage_timestamp)?,
                code: event.code(),
            });
        } else if (200..300).contains(&event.code()) {
            let claim = claim(event, received).context("the answer to a write of the Lease is no Lease")?;
            self.claims.insert(claim.version, claim);
        }
        Ok(())
    }

    /// Who holds the Lease now, if anybody does.
    pub(crate) fn holder(&self) -> Option<&str> {
        let (_, last) = self.claims.last_key_value()?;
        (!last.holder.is_empty()).then_some(&last.holder)
    }

    /// Whether a replica has written anything yet.
    pub(crate) fn has_written(&self, by: &str) -> bool {
        self.writes.iter().rev().any(|write| write.by == by)
    }

    /// Whether a replica wrote something that came in or was answered between two moments.
    pub(crate) fn wrote_between(&self, by: &str, from: Micros, to: Micros) -> bool {
        self.writes.iter().any(|write| write.by == by && write.received <= to && write.answered >= from)
    }

    /// Looks at every write; `stalls` is when the server stood still.
    pub(crate) fn judge(&self, stalls: &[Stall]) -> Verdict {
        let claims: Vec<_> = self.claims.values().collect();
        let taken = |pair: &&[&Claim]| !pair[1].holder.is_empty() && pair[0].holder != pair[1].holder;
        let mut verdict = Verdict {
            writes: self.writes.len(),
            takeovers: claims.windows(2).filter(taken).count(),
            ..Verdict::default()
        };
        for write in &self.writes {
            match judge(&claims, write) {
                Ok(spare) => {
                    verdict.closest = Some(verdict.closest.map_or(spare, |closest| closest.min(spare)));
                }
                Err(fault) if stalls.iter().any(|stall| lay_in(stall, write)) => {
                    verdict.stalled.push((fault, write.clone()));
                }
                Err(fault) => verdict.late.push((fault, write.clone())),
            }
        }
        verdict
    }
}

/// Whether a write may have been sent before a stall's end and worked on after its beginning. When it was sent is not recorded:
/// what comes in right after a stall may have waited for its end.
fn lay_in(stall: &Stall, write: &Write) -> bool {
    const RIGHT_AFTER: Micros = 100_000;
    write.received <= stall.to + RIGHT_AFTER && write.answered >= stall.from
}

/// How long before the end of its writer's lease a write was answered, or why it is late.
fn judge(claims: &[&Claim], write: &Write) -> Result<Duration, Fault> {
    let known = claims.partition_point(|claim| claim.received <= write.received);
    let Some(claim) = claims[..known].last().filter(|claim| claim.holder == write.by) else {
        return Err(Fault::NotHolder);
    };
    let runs_out = claim.received + claim.lasts;
    if write.received >= runs_out {
        return Err(Fault::RanOut);
    }
    let next = claims[known..].iter().find(|claim| claim.holder != write.by).map(|claim| claim.received);
    let had_an_effect = !(400..500).contains(&write.code);
    if had_an_effect && next.is_some_and(|next| write.answered >= next) {
        return Err(Fault::Outlasted);
    }
    let end = next.map_or(runs_out, |next| next.min(runs_out));
    Ok(Duration::from_micros(u64::try_from(end - write.answered).unwrap_or(0)))
}

fn claim(event: &AuditEvent, received: Micros) -> Option<Claim> {
    let lease = event.response_object.as_ref()?;
    let spec = &lease["spec"];
    Some(Claim {
        version: lease["metadata"]["resourceVersion"].as_str()?.parse().ok()?,
        holder: spec["holderIdentity"].as_str().unwrap_or_default().to_owned(),
        lasts: spec["leaseDurationSeconds"].as_i64()? * 1_000_000,
        received,
    })
}

fn micros(timestamp: &str) -> anyhow::Result<Micros> {
    let time = chrono::DateTime::parse_from_rfc3339(timestamp);
    Ok(time.with_context(|| format!("{timestamp} is no time"))?.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    fn claim(version: u64, holder: &str, received: Micros) -> Claim {
        Claim { version, holder: holder.into(), lasts: 10 * SECOND, received: received * SECOND }
    }

    fn write(by: &str, received: Micros, answered: Micros, code: u16) -> Write {
        let (received, answered) = (received * SECOND, answered * SECOND);
        Write { by: by.into(), what: "patch /api".into(), received, answered, code }
    }

    #[test]
    fn a_write_is_in_time_only_while_its_writer_holds() {
        let first = [claim(1, "one", 0), claim(2, "one", 5)];
        let then = [claim(3, "two", 20), claim(4, "", 22), claim(5, "one", 24)];
        let claims: Vec<_> = first.iter().chain(&then).collect();
        let said = |by, received, answered, code| judge(&claims, &write(by, received, answered, code));
        let spare = |seconds| Ok(Duration::from_secs(seconds));

        assert_eq!(said("one", 1, 2, 200), spare(8), "before the renewal the Lease said no more than that");
        assert_eq!(said("one", 6, 7, 200), spare(8));
        assert_eq!(said("one", 14, 15, 200), spare(0));
        assert_eq!(said("one", 15, 16, 200), Err(Fault::RanOut));
        assert_eq!(said("one", 14, 20, 200), Err(Fault::Outlasted));
        assert_eq!(said("one", 14, 20, 504), Err(Fault::Outlasted), "what became of it is not known");
        assert_eq!(said("one", 14, 20, 409), spare(0), "it was refused");
        assert_eq!(said("one", 20, 20, 200), Err(Fault::NotHolder));
        assert_eq!(said("one", 21, 21, 409), Err(Fault::NotHolder), "it was sent, whatever came of it");
        assert_eq!(said("two", 20, 21, 200), spare(1));
        assert_eq!(said("two", 23, 23, 200), Err(Fault::NotHolder), "given up");
        assert_eq!(said("one", 24, 24, 200), spare(10));
        assert_eq!(judge(&[], &write("one", 1, 1, 200)), Err(Fault::NotHolder));
    }

    #[test]
    fn takeovers_are_counted_and_the_closest_write_is_told() {
        let claims = [claim(1, "one", 0), claim(2, "one", 5), claim(3, "two", 16), claim(4, "", 17)];
        let history = History {
            claims: claims.into_iter().map(|claim| (claim.version, claim)).collect(),
            writes: vec![write("one", 1, 1, 200), write("one", 12, 13, 200), write("three", 12, 12, 200)],
        };
        let late = vec![(Fault::NotHolder, write("three", 12, 12, 200))];
        let verdict =
            Verdict { writes: 3, takeovers: 1, closest: Some(Duration::from_secs(2)), ..Verdict::default() };
        assert_eq!(history.judge(&[]), Verdict { late: late.clone(), ..verdict });
        let stall = |from, to| [Stall { from: from * SECOND, to: to * SECOND }];
        assert_eq!(history.judge(&stall(10, 11)).late, late, "it came in later");
        assert_eq!(history.judge(&stall(13, 14)).late, late, "it was answered before");
        let judged = history.judge(&stall(11, 12));
        assert_eq!((judged.late, judged.stalled), (vec![], late));
        assert_eq!(history.holder(), None);
        assert!(history.has_written("one") && !history.has_written("two"));
        assert!(history.wrote_between("one", 13 * SECOND, 14 * SECOND));
        assert!(!history.wrote_between("one", 14 * SECOND, 15 * SECOND));
    }
}
