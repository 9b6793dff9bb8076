//! Results are kept as long as the settings say, and for their own tenant only.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{World, sanctioned, until};

const CLASSIFY: &str = "/v1/classifications";
const SCREEN: &str = "/v1/screenings";

/// How soon a changed policy must be obeyed.
const OBEYED_WITHIN: Duration = Duration::from_secs(2);

fn keep(world: &World, classes: &serde_json::Value) {
    let platform =
        json!({"lists": [], "cache": {"classes": classes, "memory": {"max_entries": 1000, "ttl": "5m"}}});
    std::fs::write(world.settings.path().join("platform.yaml"), platform.to_string()).unwrap();
}

fn both() -> serde_json::Value {
    json!([{"name": "classification", "ttl": "7d", "priority": "High"}, {"name": "sanctions", "ttl": "24h"}])
}

async fn classify(world: &World, key: &str, text: &str) -> (String, String) {
    let answer = world.post(CLASSIFY, key, &json!({"description": text})).await.expect(200);
    (answer.header("x-kyb-cache").to_owned(), answer.text)
}

/// Asks about `text` until an answer is a hit.
async fn until_kept(world: &World, text: &str) {
    until(async || classify(world, &world.acme.service, text).await.0 == "hit").await;
}

#[tokio::test]
async fn a_repeated_question_is_answered_from_memory_alike_and_never_for_another_tenant() {
    let world = World::start().await.ready().await;
    assert_eq!(
        classify(&world, &world.acme.service, "bakes bread").await.0,
        "miss",
        "nothing is kept by default"
    );
    assert_eq!(classify(&world, &world.acme.service, "bakes bread").await.0, "miss");
    keep(&world, &both());
    until_kept(&world, "bakes bread").await;
    let (hit, text) = classify(&world, &world.acme.service, "bakes bread").await;
    let (other_hit, other_text) = classify(&world, &world.other.service, "bakes bread").await;
    assert_eq!((hit.as_str(), other_hit.as_str()), ("hit", "miss"));
    assert_eq!(text, other_text, "computed twice, the same both times");
    let metrics = world.get("/metrics", "").await.expect(200).text;
    assert!(metrics.contains(r#"kyb_cache_hit_rate_ratio{cache_type="classification"} 0."#), "{metrics}");
    assert!(!metrics.contains(r#"cache_type="sanctions""#), "nobody asked");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_screening_from_memory_is_recorded_and_audited_like_any_other() {
    let world = World::start().await.ready().await;
    keep(&world, &both());
    until_kept(&world, "bakes bread").await;
    let mut subject = sanctioned();
    subject["type"] = json!("business");
    subject.as_object_mut().unwrap().remove("country");
    let body = json!({"subject": subject});
    let first = world.post(SCREEN, &world.acme.service, &body).await.expect(201);
    let second = world.post(SCREEN, &world.acme.service, &body).await.expect(201);
    assert_eq!((first.header("x-kyb-cache"), second.header("x-kyb-cache")), ("miss", "hit"));
    let (first, second) = (first.json(), second.json());
    assert_ne!(first["id"], second["id"]);
    for member in
        ["status", "subject", "list_versions", "matches", "algorithm", "threshold", "candidates_scored"]
    {
        assert_eq!(first[member], second[member], "{member}");
    }
    assert_eq!(first["status"], "in_review");
    for id in [&first["id"], &second["id"]] {
        let path = format!("{SCREEN}/{}", id.as_str().unwrap());
        world.get(&path, &world.acme.service).await.expect(200);
    }
    let acme = world.store.tenant(&"acme".parse().unwrap());
    let audited = acme.audit_events(0, 100).await.unwrap();
    assert_eq!(audited.iter().filter(|event| event.object.starts_with("scr_")).count(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_changed_policy_is_obeyed_within_two_seconds_without_a_restart() {
    let world = World::start().await.ready().await;
    keep(&world, &both());
    until_kept(&world, "bakes bread").await;

    let disabled = json!([{"name": "classification", "ttl": "7d", "enabled": false}]);
    keep(&world, &disabled);
    let changed = Instant::now();
    until(async || classify(&world, &world.acme.service, "bakes bread").await.0 == "miss").await;
    let took = changed.elapsed();
    println!("a disabled class was obeyed after {took:?}");
    assert!(took < OBEYED_WITHIN, "{took:?}");
    assert_eq!(classify(&world, &world.acme.service, "bakes bread").await.0, "miss", "and it stays so");

    keep(&world, &json!([{"name": "classification", "ttl": "1s"}]));
    until_kept(&world, "sells wine").await;
    let kept = Instant::now();
    until(async || classify(&world, &world.acme.service, "sells wine").await.0 == "miss").await;
    assert!(kept.elapsed() < OBEYED_WITHIN, "a shorter time to live: {:?}", kept.elapsed());
    world.finish().await.unwrap();
}
