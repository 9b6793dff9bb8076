//! The same request twice is done once.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, World, answer, bakery, sanctioned};

async fn post(world: &World, path: &str, key: &str, body: &Value) -> Answer {
    answer(world.request(Method::POST, path, &world.acme.service).header("Idempotency-Key", key).json(body))
        .await
}

async fn stored(world: &World) -> usize {
    let page = world.get("/v1/businesses?limit=50", &world.acme.service).await.expect(200).json();
    page["businesses"].as_array().unwrap().len()
}

#[tokio::test]
async fn twenty_at_once_store_one_object_and_get_the_same_answer() {
    let world = World::start().await.ready().await;
    for (path, body) in [
        ("/v1/businesses", bakery()),
        ("/v1/verifications", json!({"business": sanctioned()})),
        ("/v1/screenings", json!({"subject": {"name": "Rosoboronexport"}})),
    ] {
        let answers = join_all((0..20).map(|_| post(&world, path, path, &body))).await;
        let bodies: BTreeSet<String> = answers.iter().map(|answer| answer.json().to_string()).collect();
        let places: BTreeSet<&str> = answers.iter().map(|answer| answer.header("location")).collect();
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        assert_eq!((bodies.len(), places.len()), (1, 1), "{bodies:?}");
        let first = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count();
        assert_eq!(first, 1, "one of them did it, the others were told so");
    }
    assert_eq!(stored(&world).await, 1);
    post(&world, "/v1/screenings", "/v1/businesses", &bakery()).await.problem(422, "INVALID_INPUT");
    post(&world, "/v1/businesses", "/v1/businesses", &sanctioned())
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(stored(&world).await, 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn without_a_key_every_request_counts() {
    let world = World::start().await.ready().await;
    for _ in 0..3 {
        world.business(&world.acme.service, &bakery()).await;
    }
    assert_eq!(stored(&world).await, 3, "the twin of the test above");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn every_post_that_stores_replays_its_answer() {
    let world = World::start().await.ready().await;
    for (n, (path, body)) in [
        ("/v1/businesses", bakery()),
        ("/v1/verifications", json!({"business": bakery()})),
        ("/v1/screenings", json!({"subject": {"name": "Rosoboronexport"}})),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("key-{n}");
        let (first, second) = (post(&world, path, &key, &body).await, post(&world, path, &key, &body).await);
        assert_eq!(second.header("idempotent-replayed"), "true", "{path}");
        assert_eq!((first.status, first.json()), (second.status, second.json()), "{path}");
        assert_eq!(first.header("location"), second.header("location"), "{path}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_key_is_its_tenants_own_and_a_bad_one_is_refused() {
    let world = World::start().await.ready().await;
    post(&world, "/v1/businesses", "shared", &bakery()).await.expect(201);
    let request = world.request(Method::POST, "/v1/businesses", &world.other.service);
    let other = answer(request.header("Idempotency-Key", "shared").json(&sanctioned())).await.expect(201);
    assert_eq!(other.header("idempotent-replayed"), "");
    for (path, body) in [
        ("/v1/businesses", bakery()),
        ("/v1/classifications", json!({"name": "A"})),
        ("/v1/risk-assessments", json!({"business": bakery()})),
    ] {
        post(&world, path, "not visible", &body).await.problem(400, "INVALID_HEADER");
    }
    world.finish().await.unwrap();
}
