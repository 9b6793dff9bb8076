//! The Lease object and what it says.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};

use super::{Record, Write};

/// What a Lease says.
pub(super) fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs),
        transitions: spec.lease_transitions,
    }
}

/// The Lease that `write` makes of `before`, whose version it must be that `write` replaces. The times are for people;
/// nobody's decision depends on them.
pub(super) fn lease(name: &str, before: Option<&Lease>, write: &Write, now: Timestamp) -> Lease {
    let old = before.and_then(|lease| lease.spec.clone()).unwrap_or_default();
    let Record { holder, duration, transitions } = write.record.clone();
    let is_new = old.holder_identity != holder;
    let spec = LeaseSpec {
        acquire_time: if is_new { Some(MicroTime(now)) } else { old.acquire_time },
        renew_time: Some(MicroTime(now)),
        lease_duration_seconds: duration.and_then(|duration| i32::try_from(duration.as_secs()).ok()),
        lease_transitions: transitions,
        holder_identity: Some(holder.unwrap_or_default()),
        ..LeaseSpec::default()
    };
    let kept = before.map(|lease| lease.metadata.clone()).unwrap_or_default();
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        resource_version: write.over.clone(),
        managed_fields: None,
        ..kept
    };
    Lease { metadata, spec: Some(spec) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(holder: Option<&str>) -> Write {
        let holder = holder.map(str::to_owned);
        let record = Record { holder, duration: Some(Duration::from_secs(15)), transitions: Some(2) };
        Write { over: Some("7".into()), record }
    }

    #[test]
    fn a_lease_says_what_was_written() {
        let now = Timestamp::from_second(100).unwrap();
        for holder in [Some("me"), None] {
            let lease = lease("one", None, &write(holder), now);
            assert_eq!(record(&lease), write(holder).record);
            assert_eq!(lease.metadata.resource_version.as_deref(), Some("7"));
        }
        let nothing = Record { holder: None, duration: None, transitions: None };
        assert_eq!(record(&Lease::default()), nothing);
    }

    #[test]
    fn a_renewal_keeps_what_others_put_on_the_lease_and_the_time_it_was_acquired() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut first = lease("one", None, &write(Some("me")), at(100));
        first.metadata.labels = Some([("of".to_owned(), "others".to_owned())].into());
        let renewed = lease("one", Some(&first), &write(Some("me")), at(200));
        assert_eq!(renewed.metadata.labels, first.metadata.labels);
        let spec = renewed.spec.unwrap();
        assert_eq!(
            (spec.acquire_time, spec.renew_time),
            (Some(MicroTime(at(100))), Some(MicroTime(at(200))))
        );
    }
}
