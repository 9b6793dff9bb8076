//! Statuses and events are written when they say something new.

use k8s_openapi::{
    api::{core::v1::Service, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::Condition,
    jiff::Timestamp,
};
use kube::{
    Api, Resource,
    api::{DeleteParams, ListParams, PostParams},
};
use kyb_kit::{Announcer, ConditionSet, Fact, Outdated, StatusWriter, Wrote, changes_of_mind};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bench::{Bench, plane, typed};

/// What a Service's status can say.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

async fn service(bench: &Bench) -> Service {
    let body = json!({"metadata": {"name": "one"}, "spec": {"ports": [{"port": 80}]}});
    bench.api().create(&PostParams::default(), &typed(body)).await.unwrap()
}

fn conditions(reason: &str, before: &[Condition], second: i64) -> Vec<Condition> {
    let ready = Fact::new("Ready", reason == "Works", reason, "for the test");
    ConditionSet::new(Some(1), ready).onto(before, Timestamp::from_second(second).unwrap())
}

#[tokio::test]
async fn a_status_that_says_the_same_is_not_written_again() {
    let bench = Bench::new("status").await;
    let statuses = StatusWriter::new(bench.client.clone(), "kit-test-status");
    let seen = service(&bench).await;
    let first = Status { conditions: conditions("Works", &[], 100) };
    assert_eq!(statuses.write(&seen, &first).await.unwrap(), Wrote::Yes);

    let mark = plane().await.audit_mark().await.unwrap();
    // A reconcile that still sees the object without its status, and one that sees it with.
    let with: Service = bench.api().get("one").await.unwrap();
    for object in [&seen, &with] {
        let known: Status = statuses.current(object).unwrap();
        let again = Status { conditions: conditions("Works", &known.conditions, 200) };
        assert_eq!(statuses.write(object, &again).await.unwrap(), Wrote::Nothing);
    }
    let restarted = StatusWriter::new(bench.client.clone(), "kit-test-status");
    assert_eq!(restarted.write(&with, &first).await.unwrap(), Wrote::Nothing);
    assert!(!bench.asked_since(mark).await.iter().any(kyb_lab::AuditEvent::is_write));

    assert!(!statuses.is_own(&seen) && !restarted.is_own(&with));
    assert!(!statuses.is_own(&with), "what was looked at is remembered no longer");

    let changed = Status { conditions: conditions("Broken", &first.conditions, 300) };
    assert_eq!(statuses.write(&with, &changed).await.unwrap(), Wrote::Yes);
    let now: Service = bench.api().get("one").await.unwrap();
    assert!(statuses.is_own(&now));
    // A reconcile that began before the watch brought that: what it sees says the same as `first`, and the server does not.
    assert_eq!(statuses.current::<_, Status>(&with).unwrap_err(), Outdated);
    assert_eq!(statuses.write(&with, &first).await.unwrap(), Wrote::Outdated);
    assert_eq!(statuses.write(&now, &changed).await.unwrap(), Wrote::Nothing);
    assert_eq!(now.status.unwrap().conditions.unwrap(), changed.conditions);
}

#[tokio::test]
async fn a_status_is_not_written_to_an_object_of_the_same_name() {
    let bench = Bench::new("status-of-another").await;
    let statuses = StatusWriter::new(bench.client.clone(), "kit-test-status");
    let seen = service(&bench).await;
    let services: Api<Service> = bench.api();
    services.delete("one", &DeleteParams::default()).await.unwrap();
    let status = Status { conditions: conditions("Works", &[], 100) };
    assert!(statuses.write(&seen, &status).await.is_err());
    service(&bench).await;
    assert!(statuses.write(&seen, &status).await.is_err());
    assert!(services.get("one").await.unwrap().status.unwrap().conditions.is_none());
}

#[tokio::test]
async fn trouble_makes_one_event_and_its_end_another() {
    let bench = Bench::new("events").await;
    let object = service(&bench).await.object_ref(&());
    let ours = "kit.test/operator";
    let announcer = Announcer::new(bench.client.clone(), ours, Some("pod-1".into()));
    let (none, works, broken) = (vec![], conditions("Works", &[], 100), conditions("Broken", &[], 200));
    let fine = |_: Option<&Condition>, now: &Condition| now.reason == "Works";
    let tell = async |before: &[Condition], after: &[Condition]| {
        announcer.announce(&object, &changes_of_mind(before, after, fine)).await;
    };
    // Kubernetes' controllers may have something to say about the Service, too.
    let said = async || {
        let events = bench.api::<Event>().list(&ListParams::default()).await.unwrap();
        let ours =
            events.items.into_iter().filter(|event| event.reporting_controller.as_deref() == Some(ours));
        let mut said: Vec<_> =
            ours.map(|event| (event.reason.unwrap(), event.type_.unwrap(), event.note.unwrap())).collect();
        said.sort();
        said
    };
    tell(&none, &works).await;
    assert_eq!(said().await, []);
    for (before, after) in [(&works, &broken), (&works, &broken), (&broken, &works), (&none, &works)] {
        tell(before, after).await;
    }
    let expected = [("Broken", "Warning"), ("Works", "Normal")];
    let expected = expected.map(|(reason, kind)| (reason.into(), kind.into(), "for the test".to_owned()));
    assert_eq!(said().await, expected);
}
