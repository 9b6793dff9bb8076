//! Limits: requests per tenant, requests at once, time, headers; keys taken back.

use std::time::Duration;

use kyb_gateway::GatewayOptions;
use reqwest::{Body, Method};
use serde_json::Value;

use crate::harness::{World, answer, tenant_file, until};

#[tokio::test]
async fn a_tenant_that_asks_too_often_is_told_when_to_come_back_and_no_other_suffers() {
    let world = World::with(GatewayOptions::default(), 3).await.ready().await;
    for left in ["2", "1", "0"] {
        let served = world.get("/v1/watchlists", &world.acme.service).await.expect(200);
        assert_eq!((served.header("x-ratelimit-limit"), served.header("x-ratelimit-remaining")), ("3", left));
    }
    let refused = world.get("/v1/watchlists", &world.acme.guest).await;
    refused.problem(429, "RATE_LIMITED");
    assert_eq!((refused.header("retry-after"), refused.header("x-ratelimit-remaining")), ("1", "0"));
    assert_eq!(refused.header("x-ratelimit-reset"), "3");
    world.get("/v1/watchlists", &world.other.service).await.expect(200);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn more_requests_at_once_than_there_is_room_for_are_turned_away_not_queued() {
    let options = GatewayOptions { most_requests: 0, ..GatewayOptions::default() };
    let world = World::with(options, 1000).await.ready().await;
    let refused = world.get("/v1/watchlists", &world.acme.service).await;
    refused.problem(503, "OVERLOADED");
    assert_eq!(refused.header("retry-after"), "1");
    world.get("/health", "").await.expect(200);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_two_seconds_and_the_tenants_other_keys_are_not() {
    let world = World::start().await.ready().await;
    world.get("/v1/watchlists", &world.acme.guest).await.expect(200);
    let file = tenant_file(world.settings.path(), &world.acme.tenant);
    let mut settings: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    settings["api_keys"].as_array_mut().unwrap().retain(|key| key["id"] != "acmeguest");
    std::fs::write(&file, settings.to_string()).unwrap();
    let revoked = std::time::Instant::now();
    until(async || world.get("/v1/watchlists", &world.acme.guest).await.status == 401).await;
    assert!(revoked.elapsed().as_secs_f64() < 2.0, "{:?}", revoked.elapsed());
    world.get("/v1/watchlists", &world.acme.service).await.expect(200);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn settings_that_are_refused_change_nothing_and_are_reported() {
    let world = World::start().await.ready().await;
    std::fs::write(tenant_file(world.settings.path(), &world.acme.tenant), "id: acme\n").unwrap();
    until(async || world.get("/ready", "").await.text.contains("last good ones are in use")).await;
    assert_eq!(world.get("/ready", "").await.status, 200);
    world.get("/v1/watchlists", &world.acme.service).await.expect(200);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_its_body() {
    let world = World::start().await.ready().await;
    let head = answer(world.request(Method::HEAD, "/v1/watchlists", &world.acme.service)).await.expect(200);
    assert_eq!(head.text, "");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_with_a_word_on_what_to_do() {
    let options = GatewayOptions { request_timeout: Duration::from_millis(200), ..GatewayOptions::default() };
    let world = World::with(options, 1000).await.ready().await;
    let endless = Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = world.request(Method::POST, "/v1/businesses", &world.acme.service);
    let given_up = answer(request.header("Content-Type", "application/json").body(endless)).await;
    let detail = given_up.problem(503, "TIMEOUT")["detail"].to_string();
    assert!(detail.contains("nothing was acknowledged") && detail.contains("Idempotency-Key"), "{detail}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let world = World::start().await.ready().await;
    let with_headers = |count: usize| {
        let request = world.request(Method::GET, "/v1/watchlists", &world.acme.service);
        answer((0..count).fold(request, |request, n| request.header(format!("X-{n}"), "x")))
    };
    assert_eq!(with_headers(50).await.status, 200);
    assert_eq!(with_headers(150).await.status, 431);
    world.finish().await.unwrap();
}
