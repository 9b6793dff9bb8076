//! Stored businesses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{World, answer, bakery, sanctioned};

#[tokio::test]
async fn a_business_is_stored_read_changed_and_deleted() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let made = world.post("/v1/businesses", key, &bakery()).await.expect(201);
    let (location, business) = (made.header("location").to_owned(), made.json());
    assert_eq!((made.header("etag"), &business["revision"]), ("\"1\"", &json!(1)));
    let read = world.get(&location, key).await.expect(200);
    assert_eq!((read.header("etag"), read.json()["name"].as_str()), ("\"1\"", business["name"].as_str()));
    let cached = answer(world.request(Method::GET, &location, key).header("If-None-Match", "\"1\"")).await;
    assert_eq!((cached.status.as_u16(), cached.text.as_str()), (304, ""));

    let patch = |tag: &'static str, patch: Value| {
        let request = world.request(Method::PATCH, &location, key).header("If-Match", tag);
        answer(request.header("Content-Type", "application/merge-patch+json").body(patch.to_string()))
    };
    let changed = patch("\"1\"", json!({"legal_form": null, "address": {"city": "Köln"}})).await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(
        (&changed.json()["legal_form"], &changed.json()["address"]["city"]),
        (&Value::Null, &json!("Köln"))
    );
    patch("\"1\"", json!({"country": "FR"})).await.problem(412, "PRECONDITION_FAILED");
    patch("2", json!({"country": "FR"})).await.problem(400, "INVALID_HEADER");
    let refused = patch("\"2\"", json!({"country": "ZZ"})).await;
    assert_eq!(refused.problem(422, "INVALID_INPUT")["errors"][0]["pointer"], "/country");
    assert_eq!(world.get(&location, key).await.json()["country"], "DE", "what was refused changed nothing");

    let delete = |tag| answer(world.request(Method::DELETE, &location, key).header("If-Match", tag));
    delete("\"1\"").await.problem(412, "PRECONDITION_FAILED");
    assert_eq!(delete("\"2\"").await.expect(204).text, "");
    world.get(&location, key).await.problem(404, "NOT_FOUND");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn changes_without_a_tag_at_the_same_time_are_all_kept() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let path = format!("/v1/businesses/{}", world.business(key, &bakery()).await);
    let change = |patch: Value| {
        let request = world.request(Method::PATCH, &path, key).header("Content-Type", "application/json");
        answer(request.body(patch.to_string()))
    };
    let (a, b) =
        tokio::join!(change(json!({"website": "a.example"})), change(json!({"address": {"city": "Bonn"}})));
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200), "{a:?} {b:?}");
    let now = world.get(&path, key).await.json();
    assert_eq!(
        (&now["website"], &now["address"]["city"], &now["revision"]),
        (&json!("a.example"), &json!("Bonn"), &json!(3))
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn pages_lead_through_everything_once_and_a_cursor_belongs_to_its_query() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let mut stored = vec![];
    for n in 0..7 {
        stored.push(world.business(key, &json!({"name": format!("Bakery {n}")})).await);
    }
    let (mut seen, mut path) = (vec![], "/v1/businesses?limit=3".to_owned());
    let mut cursor = String::new();
    loop {
        let page = world.get(&path, key).await.expect(200).json();
        seen.extend(
            page["businesses"]
                .as_array()
                .unwrap()
                .iter()
                .map(|business| business["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
        path = format!("/v1/businesses?limit=3&cursor={next}");
    }
    stored.reverse();
    assert_eq!(seen, stored, "newest first, each once");
    for (path, code) in [
        (format!("/v1/businesses?q=bakery&cursor={cursor}"), "INVALID_CURSOR"),
        ("/v1/businesses?cursor=x".into(), "INVALID_CURSOR"),
        ("/v1/businesses?limit=0".into(), "INVALID_QUERY"),
        ("/v1/businesses?limit=51".into(), "INVALID_QUERY"),
        ("/v1/businesses?name=x".into(), "INVALID_QUERY"),
        ("/v1/businesses?q=".into(), "INVALID_QUERY"),
    ] {
        world.get(&path, key).await.problem(400, code);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_business_is_found_by_name_and_by_tax_number() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let bakery = world.business(key, &bakery()).await;
    world.business(key, &sanctioned()).await;
    for query in ["q=m%C3%BCller", "tax_id=de123456789", "q=B%C3%A4ckerei&tax_id=DE%20123%20456%20789"] {
        let page = world.get(&format!("/v1/businesses?{query}"), key).await.expect(200).json();
        let ids: Vec<_> =
            page["businesses"].as_array().unwrap().iter().map(|business| &business["id"]).collect();
        assert_eq!(ids, [&json!(bakery)], "{query}: {page}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_export_holds_everything_and_an_erasure_leaves_the_decision_alone() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let id = world.business(key, &bakery()).await;
    let asked = json!({"business": bakery(), "business_id": id});
    let verification = world.post("/v1/verifications", key, &asked).await.expect(201).json();
    let export = world.get(&format!("/v1/businesses/{id}/export"), key).await.expect(200).json();
    assert_eq!((&export["business"]["id"], &export["verifications"]), (&json!(id), &json!([verification])));

    let events = world.store.tenant(&"acme".try_into().unwrap()).audit_events(0, 100).await.unwrap();
    let actions: Vec<_> = events.iter().map(|event| serde_json::to_value(event.action).unwrap()).collect();
    assert_eq!(actions, ["business.created", "verification.completed", "business.exported"]);

    let erase = || answer(world.request(Method::POST, &format!("/v1/businesses/{id}/erase"), key));
    assert_eq!(erase().await.expect(200).json(), json!({"id": id, "verifications_blanked": 1}));
    erase().await.problem(404, "NOT_FOUND");
    let left = world
        .get(&format!("/v1/verifications/{}", verification["id"].as_str().unwrap()), key)
        .await
        .expect(200);
    assert_eq!(left.json()["decision"]["outcome"], verification["decision"]["outcome"]);
    assert!(!left.text.contains("Müller"), "{}", left.text);
    world.finish().await.unwrap();
}
