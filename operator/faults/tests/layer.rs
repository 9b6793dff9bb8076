//! The layer around a server that is made of a closure.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams},
    client::Body,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::{BoxError, ServiceExt as _};

use kyb_faults::{Fault, Faults, Life, Plan, Point, Target};

const SPAN: Duration = Duration::from_secs(1);

/// Everything in a namespace is its scope's.
fn faults() -> Faults {
    Faults::new(|target| Some((target.namespace.clone()?, target.clone())))
}

/// What the server was asked.
type Asked = Arc<Mutex<Vec<String>>>;

/// A client through a life to a server that makes what it is asked to.
fn client(life: &Life) -> (Client, Asked) {
    let asked = Asked::default();
    let seen = asked.clone();
    let server = tower::service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let is_list = request.uri().path().ends_with("configmaps");
        let (code, object) = if is_list {
            (200, json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {}, "items": []}))
        } else {
            (201, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}))
        };
        let answer = Response::builder().status(code).body(Full::new(Bytes::from(object.to_string())));
        async move { answer.map_err(BoxError::from) }
    });
    (life.around(Client::new(server, "default")), asked)
}

async fn write(client: &Client) -> kube::Result<ConfigMap> {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "shop");
    api.patch("a", &PatchParams::apply("tests"), &Patch::Apply(body)).await
}

/// One write under a fault: what the client got, how often the server was asked, and how many objects it made.
async fn struck(fault: Fault) -> (kube::Result<ConfigMap>, usize, usize) {
    let faults = faults();
    let (client, asked) = client(&faults.life());
    faults.begin("shop", Some(Plan::once(fault, Point::Write(1))));
    let answer = write(&client).await;
    assert_eq!(faults.struck("shop"), 1);
    let asked = asked.lock().unwrap().len();
    (answer, asked, faults.record("shop").created().values().sum())
}

#[tokio::test]
async fn a_refusal_reads_as_the_servers_own_and_nothing_is_sent() {
    for (fault, code, reason, words) in [
        (Fault::Conflict, 409, "Conflict", "the object has been modified"),
        (Fault::TooManyRequests, 429, "TooManyRequests", "too many requests"),
        (Fault::ServerError, 500, "InternalError", "Internal error occurred"),
        (Fault::Timeout, 504, "Timeout", "did not complete"),
        (
            Fault::Forbidden,
            403,
            "Forbidden",
            "cannot patch resource \"configmaps\" in API group \"\" in the namespace \"shop\"",
        ),
        (Fault::QuotaExceeded, 403, "Forbidden", "exceeded quota"),
    ] {
        let (answer, asked, made) = struck(fault).await;
        let Err(kube::Error::Api(status)) = answer else { panic!("{fault}: {answer:?}") };
        assert_eq!((status.code, status.reason.as_str(), asked, made), (code, reason, 0, 0));
        assert!(status.message.contains(words), "{}", status.message);
    }
}

#[tokio::test]
async fn a_refused_connection_does_nothing_and_a_lost_answer_has_done_it() {
    let (answer, asked, made) = struck(Fault::Refused).await;
    assert!(matches!(answer, Err(kube::Error::Service(_))) && (asked, made) == (0, 0), "{answer:?}");
    let (answer, asked, made) = struck(Fault::Lost).await;
    assert!(matches!(answer, Err(kube::Error::Service(_))) && (asked, made) == (1, 1), "{answer:?}");
}

#[tokio::test]
async fn what_vanished_seems_done() {
    let (answer, asked, made) = struck(Fault::Vanished).await;
    assert!(answer.is_ok() && (asked, made) == (0, 0), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_all_that_befalls_a_delayed_request_or_answer() {
    for fault in [Fault::Delayed(SPAN), Fault::Late(SPAN)] {
        let began = Instant::now();
        let (answer, asked, made) = struck(fault).await;
        assert!(answer.is_ok() && (asked, made) == (1, 1) && began.elapsed() >= SPAN, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_late_was_done_at_once() {
    for (fault, asked_at_once) in [(Fault::Delayed(SPAN), 0), (Fault::Late(SPAN), 1)] {
        let faults = faults();
        let (client, asked) = client(&faults.life());
        faults.begin("shop", Some(Plan::once(fault, Point::Write(1))));
        assert!(tokio::time::timeout(SPAN / 2, write(&client)).await.is_err(), "{fault}");
        assert_eq!(asked.lock().unwrap().len(), asked_at_once, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_that_is_over_sends_and_hears_nothing() {
    for (fault, asked_then) in [(Fault::CrashBefore, 0), (Fault::CrashAfter, 1)] {
        let faults = faults();
        let life = faults.life();
        let (client, asked) = client(&life);
        faults.begin("shop", Some(Plan::once(fault, Point::Write(1))));
        assert!(tokio::time::timeout(SPAN, write(&client)).await.is_err(), "{fault}: no answer comes");
        life.crashed().await;
        assert!(tokio::time::timeout(SPAN, write(&client)).await.is_err(), "nor any to the next");
        assert_eq!(asked.lock().unwrap().len(), asked_then);
        let next = self::client(&faults.life());
        assert!(write(&next.0).await.is_ok(), "the next life goes on");
    }
}

#[tokio::test]
async fn a_plan_strikes_where_and_as_often_as_it_says_and_nobody_else() {
    let faults = faults();
    let (client, _) = client(&faults.life());
    faults.begin("other", Some(Plan::always(Fault::ServerError, Point::Request(1))));
    faults.begin("shop", Some(Plan { fault: Fault::ServerError, at: Point::Write(2), times: 2 }));
    let mut went = Vec::new();
    for _ in 0..4 {
        went.push(write(&client).await.is_ok());
    }
    assert_eq!(went, [true, false, false, true]);
    let record = faults.record("shop");
    assert_eq!((record.requests.len(), record.created().values().sum::<usize>()), (4, 2));
    assert_eq!(record.requests[1].code(), None);
    faults.begin("shop", None);
    assert!(write(&client).await.is_ok() && faults.record("shop").requests.len() == 1, "a new record");
}

fn event(kind: &str, name: &str, version: u32) -> Value {
    let metadata = json!({"namespace": "shop", "name": name, "resourceVersion": version.to_string()});
    json!({"type": kind, "object": {"metadata": metadata}})
}

/// What comes of these events of a watch of ConfigMaps, in which a fault befalls the scope's n-th: each with the second in which it
/// came.
async fn came(fault: Fault, nth: usize, events: Vec<Value>) -> Vec<(String, u64)> {
    let faults = faults();
    faults.begin("shop", Some(Plan::once(fault, Point::Event(nth))));
    watched(&faults, "configmaps", events).await
}

/// What comes of a watch whose connection stays open for ten seconds.
async fn watched(faults: &Faults, resource: &str, events: Vec<Value>) -> Vec<(String, u64)> {
    let service = tower::ServiceBuilder::new().layer(faults.life()).service_fn(move |_: Request<Body>| {
        let lines = events.clone().into_iter().map(|event| Bytes::from(format!("{event}\n")));
        let lines: Vec<_> = lines.map(|line| Ok::<_, BoxError>(Frame::data(line))).collect();
        let end = stream::once(tokio::time::sleep(10 * SPAN)).filter_map(|()| async { None });
        let body = StreamBody::new(stream::iter(lines).chain(Box::pin(end)));
        async move { Ok::<_, BoxError>(Response::new(body)) }
    });
    let uri = format!("/api/v1/{resource}?watch=true&resourceVersion=1");
    let mut body = service.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap().into_body();
    let (began, mut came) = (Instant::now(), Vec::new());
    while let Some(frame) = body.frame().await {
        let event: Value = serde_json::from_slice(&frame.unwrap().into_data().unwrap()).unwrap();
        let metadata = &event["object"]["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name, version) =
            (text(&event["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"]));
        came.push((format!("{kind} {name}@{version}"), began.elapsed().as_secs()));
    }
    came
}

fn three() -> Vec<Value> {
    vec![event("ADDED", "a", 2), event("MODIFIED", "a", 3), event("MODIFIED", "a", 4)]
}

fn lines(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(line, second)| ((*line).to_owned(), *second)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_ends_before_the_event() {
    assert_eq!(came(Fault::Dropped, 2, three()).await, lines(&[("ADDED a@2", 0)]));
}

#[tokio::test(start_paused = true)]
async fn an_event_comes_twice() {
    let expected = [("ADDED a@2", 0), ("MODIFIED a@3", 0), ("MODIFIED a@3", 0), ("MODIFIED a@4", 0)];
    assert_eq!(came(Fault::Duplicated, 2, three()).await, lines(&expected));
}

#[tokio::test(start_paused = true)]
async fn of_several_changes_the_last_one_comes() {
    assert_eq!(
        came(Fault::Coalesced(SPAN), 2, three()).await,
        lines(&[("ADDED a@2", 0), ("MODIFIED a@4", 0)])
    );
    assert_eq!(
        came(Fault::Coalesced(SPAN), 1, three()).await,
        lines(&[("ADDED a@3", 0), ("MODIFIED a@4", 0)]),
        "what is new stays new"
    );
    assert_eq!(
        came(Fault::Coalesced(SPAN), 3, three()).await[2],
        ("MODIFIED a@4".to_owned(), 1),
        "none follows"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deletion_takes_nothings_place() {
    let events = vec![event("ADDED", "a", 2), event("DELETED", "a", 3)];
    assert_eq!(came(Fault::Coalesced(SPAN), 1, events).await, lines(&[("ADDED a@2", 0), ("DELETED a@3", 0)]));
}

#[tokio::test(start_paused = true)]
async fn another_scopes_object_of_the_same_name_takes_nothings_place() {
    let anywhere =
        |target: &Target| Some((target.namespace.clone()?, Target { namespace: None, ..target.clone() }));
    let faults = Faults::new(anywhere);
    faults.begin("shop", Some(Plan::once(Fault::Coalesced(SPAN), Point::Event(1))));
    let mut others = event("MODIFIED", "a", 3);
    others["object"]["metadata"]["namespace"] = "other".into();
    let came = watched(&faults, "configmaps", vec![event("ADDED", "a", 2), others]).await;
    assert_eq!(came, lines(&[("MODIFIED a@3", 0), ("ADDED a@2", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_or_frozen_comes_later_in_its_order() {
    for fault in [Fault::Held(SPAN), Fault::Frozen(SPAN)] {
        let expected = [("ADDED a@2", 0), ("MODIFIED a@3", 1), ("MODIFIED a@4", 1)];
        assert_eq!(came(fault, 2, three()).await, lines(&expected), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_kind_is_held_while_others_go_on() {
    for (fault, second) in [(Fault::Held(20 * SPAN), 0), (Fault::Frozen(20 * SPAN), 10)] {
        let faults = faults();
        faults.begin("shop", Some(Plan::once(fault, Point::Event(1))));
        watched(&faults, "configmaps", vec![event("ADDED", "a", 2)]).await;
        let pods = watched(&faults, "pods", vec![event("ADDED", "b", 3)]).await;
        assert_eq!(pods, lines(&[("ADDED b@3", second)]), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_comes_before_the_connection_ends() {
    let faults = [Fault::Held(20 * SPAN), Fault::Frozen(20 * SPAN)];
    for fault in faults {
        let expected = [("ADDED a@2", 10), ("MODIFIED a@3", 10), ("MODIFIED a@4", 10)];
        assert_eq!(came(fault, 1, three()).await, lines(&expected), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_too_old_says_so() {
    for fault in [Fault::Gone, Fault::Stale] {
        assert_eq!(came(fault, 2, three()).await, lines(&[("ADDED a@2", 0), ("ERROR @", 0)]));
    }
}

#[tokio::test(start_paused = true)]
async fn only_who_lets_the_server_choose_is_taken_back() {
    for (parameters, expected) in [
        (ListParams::default().match_any(), Some("?resourceVersion=2&resourceVersionMatch=Exact")),
        (ListParams::default(), None),
    ] {
        let faults = faults();
        faults.begin("shop", Some(Plan::once(Fault::Stale, Point::Event(2))));
        watched(&faults, "configmaps", three()).await;
        let (client, asked) = client(&faults.life());
        Api::<ConfigMap>::all(client).list(&parameters).await.unwrap();
        let asked = asked.lock().unwrap().remove(0);
        match expected {
            Some(expected) => {
                assert!(asked.contains(expected), "before the event that did not come: {asked}");
            }
            None => assert!(!asked.contains("resourceVersion"), "the most recent was asked for: {asked}"),
        }
    }
}
