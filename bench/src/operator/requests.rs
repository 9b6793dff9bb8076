//! What the audit log says of the operator's requests.

use anyhow::Context as _;
use kyb_lab::AuditEvent;

/// How many requests of each sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// `get` and `list`.
    pub(super) reads: usize,
    /// All that ask for a change: children, statuses, events. The lease is not among them.
    pub(super) writes: usize,
    /// Those of the writes that make events, which tell people what changed.
    pub(super) events: usize,
    /// Everything about the lease.
    pub(super) lease: usize,
    /// Watches that began.
    pub(super) watches: usize,
}

impl Requests {
    /// Those of the operator.
    pub(super) fn of(events: &[AuditEvent]) -> Self {
        let mut requests = Self::default();
        for event in events.iter().filter(|event| is_operator(event)) {
            let sort = match event.verb.as_str() {
                _ if event.resource() == "leases" => &mut requests.lease,
                "watch" if event.stage == "ResponseStarted" => &mut requests.watches,
                "watch" => continue, // the end of one that began before
                _ if event.is_write() => &mut requests.writes,
                _ => &mut requests.reads,
            };
            *sort += 1;
            requests.events += usize::from(event.is_write() && event.resource() == "events");
        }
        requests
    }
}

fn is_operator(event: &AuditEvent) -> bool {
    event.user_agent.starts_with("kyb-operator/")
}

/// The operator's reads and writes, without its lease and its watches.
pub(super) fn of_operator(events: &[AuditEvent]) -> impl Iterator<Item = &AuditEvent> {
    events.iter().filter(|event| is_operator(event) && event.resource() != "leases" && event.verb != "watch")
}

/// Milliseconds from the operator's first read or write to the answer to its last.
pub(super) fn span(events: &[AuditEvent]) -> anyhow::Result<f64> {
    let received: Vec<_> = of_operator(events).map(received).collect::<anyhow::Result<_>>()?;
    let answered: Vec<_> = of_operator(events).map(answered).collect::<anyhow::Result<_>>()?;
    let first = received.into_iter().reduce(f64::min).context("the operator asked for nothing")?;
    let last = answered.into_iter().reduce(f64::max).context("the operator asked for nothing")?;
    Ok(last - first)
}

/// When a request came in, in milliseconds since 1970.
pub(super) fn received(event: &AuditEvent) -> anyhow::Result<f64> {
    millis(&event.request_received_timestamp)
}

/// When it was answered.
pub(super) fn answered(event: &AuditEvent) -> anyhow::Result<f64> {
    millis(&event.stage_timestamp)
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2⁵²")]
fn millis(timestamp: &str) -> anyhow::Result<f64> {
    let time = chrono::DateTime::parse_from_rfc3339(timestamp);
    let time = time.with_context(|| format!("{timestamp} is no time"))?;
    Ok(time.timestamp_micros() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(verb: &str, stage: &str, resource: &str, agent: &str) -> AuditEvent {
        serde_json::from_value(serde_json::json!({
            "auditID": "1", "stage": stage, "verb": verb, "requestURI": "/", "user": {}, "userAgent": agent,
            "objectRef": {"resource": resource},
            "requestReceivedTimestamp": "2026-01-01T00:00:01.000000Z", "stageTimestamp": "2026-01-01T00:00:01.250000Z",
        }))
        .unwrap()
    }

    #[test]
    fn requests_are_told_apart_and_others_are_left_out() {
        let ours = "kyb-operator/0.1.0 a_1";
        let events = [
            event("get", "ResponseComplete", "secrets", ours),
            event("list", "ResponseComplete", "pods", ours),
            event("watch", "ResponseStarted", "pods", ours),
            event("watch", "ResponseComplete", "pods", ours),
            event("patch", "ResponseComplete", "configmaps", ours),
            event("create", "ResponseComplete", "events", ours),
            event("update", "ResponseComplete", "leases", ours),
            event("create", "ResponseComplete", "pods", "kubectl/v1.35"),
        ];
        assert_eq!(Requests::of(&events), Requests { reads: 2, writes: 2, events: 1, lease: 1, watches: 1 });
        assert_eq!(of_operator(&events).count(), 4);
        assert!((span(&events).unwrap() - 250.0).abs() < 1e-6);
    }
}
