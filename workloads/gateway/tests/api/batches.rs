//! Batches: what is refused, what is told on the way, and the results.

use std::time::Duration;

use chrono::Utc;
use kyb_domain::{
    audit::{Actor, ActorKind},
    batch::BatchOptions,
};
use kyb_store::audit::AuditContext;
use kyb_verification::ScreeningOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{World, answer, listed_company, watchlists_of};

const PATH: &str = "/v1/batches";

/// Does what a worker does until nothing waits, on a list of one company.
pub(crate) async fn work_off(world: &World) -> Vec<BatchOptions> {
    let lists = watchlists_of(listed_company(), "ab");
    let audit =
        AuditContext { actor: Actor { kind: ActorKind::Worker, id: "test".into() }, request_id: None };
    let mut asked = vec![];
    while let Some(slice) = world.store.take_slice(Duration::from_secs(30)).await.unwrap() {
        let options = ScreeningOptions::default();
        let screen = |subject| kyb_verification::screen(&lists, subject, &options, Utc::now()).unwrap();
        let subjects = slice.subjects.iter().cloned();
        let answers: Vec<_> = subjects.map(|(position, subject)| (position, Ok(screen(subject)))).collect();
        assert!(world.store.finish_slice(&slice, &answers, Utc::now(), &audit).await.unwrap());
        asked.push(slice.options);
    }
    asked
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_subject_is_answered_in_order_and_a_bad_one_stops_no_other() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let mut subjects: Vec<Value> = (0..120).map(|number| json!({"name": format!("Firm {number}")})).collect();
    subjects[3] = json!({"name": 7});
    subjects[110] = json!({"name": "A", "nmae": "B"});
    subjects[111] = json!("Acme");
    let body = json!({"type": "screening", "subjects": subjects, "lists": ["test-list"], "limit": 3});
    let made = world.post(PATH, key, &body).await.expect(202);
    let batch = made.json();
    assert_eq!(
        (&batch["status"], &batch["total"], &batch["counts"]["error"]),
        (&json!("pending"), &json!(120), &json!(3))
    );
    let location = made.header("location").to_owned();
    assert_eq!(location, format!("{PATH}/{}", batch["id"].as_str().unwrap()));
    let results = format!("{location}/results");
    world.get(&results, key).await.problem(409, "NOT_FINISHED");

    let asked = work_off(&world).await;
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].limit, asked[0].lists.as_ref().unwrap()[0].as_str()), (Some(3), "test-list"));
    let done = world.get(&location, key).await.expect(200).json();
    assert_eq!(done["status"], "completed");
    assert_eq!(done["counts"], json!({"no_hit": 117, "in_review": 0, "error": 3}));
    let told = world.get(&results, key).await.expect(200);
    assert_eq!(told.header("content-type"), "application/x-ndjson");
    let told = lines(&told.text);
    assert_eq!(told.len(), 120);
    for (number, line) in told.iter().enumerate() {
        assert_eq!(line["index"], number);
        if ![3, 110, 111].contains(&number) {
            assert_eq!(line["screening"]["subject"]["name"], format!("Firm {number}"));
        }
    }
    let error = |number: usize| (&told[number]["error"]["code"], &told[number]["error"]["pointer"]);
    assert_eq!(error(3), (&json!("SUBJECT_UNUSABLE"), &json!("/name")));
    assert_eq!(error(110), (&json!("SUBJECT_UNUSABLE"), &json!("/nmae")));
    assert_eq!(error(111).0, "SUBJECT_UNUSABLE");
    let id = told[0]["screening"]["id"].as_str().unwrap();
    assert_eq!(
        world.get(&format!("/v1/screenings/{id}"), key).await.expect(200).json(),
        told[0]["screening"]
    );
    world.get(&results, &world.other.service).await.problem(404, "NOT_FOUND");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_no_batch_is_refused_with_its_place() {
    let world = World::start().await.ready().await;
    let one = json!([{"name": "Acme"}]);
    let table = [
        (json!({"subjects": []}), "/subjects"),
        (json!({"subjects": vec![json!({"name": "A"}); 10_001]}), "/subjects"),
        (json!({}), "/subjects"),
        (json!({"subjects": one, "type": "miracle"}), "/type"),
        (json!({"subjects": one, "lists": []}), "/lists"),
        (json!({"subjects": one, "lists": ["test-list", "nowhere"]}), "/lists/1"),
        (json!({"subjects": one, "limit": 0}), "/limit"),
        (json!({"subjects": one, "threshold": 2}), "/threshold"),
    ];
    for (body, pointer) in table {
        let refused = world.post(PATH, &world.acme.service, &body).await.problem(422, "INVALID_INPUT");
        let pointed = refused["errors"][0]["pointer"].as_str().unwrap();
        assert!(pointed == pointer || pointed.is_empty() && pointer == "/subjects", "{refused}");
    }
    assert!(work_off(&world).await.is_empty(), "nothing was queued");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_same_key_makes_one_batch() {
    let world = World::start().await.ready().await;
    let post = async |name: &str| {
        let request = world.request(Method::POST, PATH, &world.acme.service).header("Idempotency-Key", "k1");
        answer(request.json(&json!({"subjects": [{"name": name}]}))).await
    };
    let first = post("Acme").await.expect(202);
    let second = post("Acme").await.expect(202);
    assert_eq!((first.json(), second.header("idempotent-replayed")), (second.json(), "true"));
    post("Other").await.problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(work_off(&world).await.len(), 1);
    world.finish().await.unwrap();
}
