//! Monitors: made with a screening, read, paged and ended; what the worker tells is read back.

use chrono::Utc;
use kyb_domain::{
    audit::{Actor, ActorKind},
    id::AlertId,
    monitor::{Alert, Outcome, Recorded},
};
use kyb_store::{
    audit::AuditContext,
    monitors::{Checked, Loaded},
};
use kyb_verification::ScreeningOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{World, answer, listed_company, watchlists_of};

const PATH: &str = "/v1/monitors";

/// Does what a worker does when the list has a version in which a company is listed.
async fn alert_all(world: &World) {
    let lists = watchlists_of(listed_company(), "ab");
    let now = kyb_verification::compared_with(&lists);
    let audit =
        AuditContext { actor: Actor { kind: ActorKind::Worker, id: "test".into() }, request_id: None };
    let lease = std::time::Duration::from_mins(1);
    while let Some(taken) = world.store.take_monitors(&now, &Loaded::new(), lease).await.unwrap() {
        let checked = taken.monitors.iter().map(|monitor| {
            let subject = monitor.subject.clone();
            let after =
                kyb_verification::screen(&lists, subject, &ScreeningOptions::default(), Utc::now()).unwrap();
            let alert = Alert {
                id: AlertId::generate(),
                monitor_id: monitor.id,
                before: Recorded { screening_id: monitor.screening, status: monitor.outcome.status },
                after: Recorded { screening_id: after.id, status: after.status },
                changes: Outcome::of(&after).changes(&monitor.outcome, &now),
                algorithm: after.algorithm.clone(),
                created_at: Utc::now(),
            };
            Checked { monitor: monitor.id, whole_at: None, changed: Some((after, alert)) }
        });
        let checked: Vec<_> = checked.collect();
        world.store.finish_monitors(&taken, &now, &checked, Utc::now(), &audit).await.unwrap();
    }
}

#[tokio::test]
async fn a_monitor_is_screened_at_once_alerts_are_paged_and_ending_keeps_them() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let subject = json!({"type": "business", "name": "Rosoboronexport OAO"});
    let body = json!({"subject": subject, "lists": ["test-list"], "limit": 3});
    let made = world.post(PATH, key, &body).await.expect(201);
    let (monitor, location) = (made.json(), made.header("location").to_owned());
    assert_eq!((&monitor["status"], &monitor["outcome"]), (&json!("active"), &json!("in_review")));
    assert_eq!(monitor["options"], json!({"lists": ["test-list"], "limit": 3}));
    assert_eq!(monitor["compared"]["lists"][0]["list"], "test-list");
    assert_eq!(world.get(&location, key).await.expect(200).json(), monitor);
    let screening = format!("/v1/screenings/{}", monitor["screening_id"].as_str().unwrap());
    assert_eq!(world.get(&screening, key).await.expect(200).json()["status"], "in_review");

    let second = world.post(PATH, key, &json!({"subject": {"name": "Morgenrot"}})).await.expect(201).json();
    alert_all(&world).await;
    let first_page = world.get("/v1/alerts?limit=1", key).await.expect(200).json();
    let next = format!("/v1/alerts?limit=1&cursor={}", first_page["next_cursor"].as_str().unwrap());
    let second_page = world.get(&next, key).await.expect(200).json();
    assert!(second_page["next_cursor"].is_null(), "{second_page}");
    let told = world.get(&format!("{location}/alerts"), key).await.expect(200).json();
    assert_eq!(told["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(told["alerts"][0]["monitor_id"], monitor["id"]);
    assert_eq!(told["alerts"][0]["before"]["screening_id"], monitor["screening_id"]);
    let page = world.get(&format!("{PATH}?limit=1"), key).await.expect(200).json();
    assert_eq!(page["monitors"][0]["id"], second["id"]);

    let ended = answer(world.request(Method::DELETE, &location, key)).await.expect(200).json();
    assert_eq!((&ended["status"], &ended["subject"]), (&json!("ended"), &Value::Null));
    assert_eq!(answer(world.request(Method::DELETE, &location, key)).await.expect(200).json(), ended);
    assert_eq!(world.get(&format!("{location}/alerts"), key).await.expect(200).json(), told);
    world.get(&screening, key).await.expect(200);
    assert_eq!(world.get("/v1/alerts", &world.other.service).await.expect(200).json()["alerts"], json!([]));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_no_monitor_is_refused_and_who_reads_only_makes_none() {
    let world = World::start().await.ready().await;
    let subject = json!({"name": "Acme"});
    let table = [
        (json!({"subject": subject, "lists": []}), "/lists"),
        (json!({"subject": subject, "lists": ["test-list", "nowhere"]}), "/lists/1"),
        (json!({"subject": subject, "limit": 0}), "/limit"),
        (json!({"subject": subject, "treshold": 1}), "/treshold"),
    ];
    for (body, pointer) in table {
        let refused = world.post(PATH, &world.acme.service, &body).await.problem(422, "INVALID_INPUT");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let body = json!({"subject": subject});
    world.post(PATH, &world.acme.guest, &body).await.problem(403, "FORBIDDEN");
    let made = world.post(PATH, &world.acme.service, &body).await.expect(201);
    let location = made.header("location").to_owned();
    answer(world.request(Method::DELETE, &location, &world.acme.guest)).await.problem(403, "FORBIDDEN");
    world.get(&format!("{PATH}?limit=51"), &world.acme.service).await.problem(400, "INVALID_QUERY");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_same_key_makes_one_monitor() {
    let world = World::start().await.ready().await;
    let post = async || {
        let request = world.request(Method::POST, PATH, &world.acme.service).header("Idempotency-Key", "k1");
        answer(request.json(&json!({"subject": {"name": "Acme"}}))).await.expect(201)
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.json(), second.header("idempotent-replayed")), (second.json(), "true"));
    let page = world.get(PATH, &world.acme.service).await.json();
    assert_eq!(page["monitors"].as_array().unwrap().len(), 1);
    world.finish().await.unwrap();
}
