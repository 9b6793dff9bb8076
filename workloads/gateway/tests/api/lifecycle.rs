//! Starting, losing the database, and stopping.

use std::time::Duration;

use chrono::Utc;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_gateway::{GatewayError, GatewayOptions};
use kyb_store::StoreError;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{World, answer, bakery, connect, database, until};

fn part<'a>(readiness: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    readiness["parts"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap()
}

#[tokio::test]
async fn without_a_database_it_is_alive_not_ready_and_says_so_until_there_is_one() {
    let server = EphemeralPostgres::start(&Options { durable: false, max_connections: 50 }).unwrap();
    let url = database(&server, "gateway").await;
    server.stop();
    let world = World::over(connect(url), GatewayOptions::default(), 1000).await;
    world.get("/health", "").await.expect(200);
    let unready = world.get("/ready", "").await.expect(503).json();
    assert_eq!(
        (&part(&unready, "database")["ready"], &part(&unready, "settings")["ready"]),
        (&json!(false), &json!(true))
    );
    world.post("/v1/businesses", &world.acme.service, &bakery()).await.problem(503, "STARTING");

    server.restart().unwrap();
    let world = world.ready().await;
    let id = world.business(&world.acme.service, &bakery()).await;

    server.stop();
    let lost = world.post("/v1/businesses", &world.acme.service, &bakery()).await;
    lost.problem(503, "UNAVAILABLE");
    assert_eq!(lost.header("retry-after"), "1");
    until(async || world.get("/ready", "").await.status == 503).await;
    server.restart().unwrap();
    until(async || world.get(&format!("/v1/businesses/{id}"), &world.acme.service).await.status == 200).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_database_role_that_could_go_around_row_level_security_is_never_served_from() {
    let server = EphemeralPostgres::start(&Options { durable: false, max_connections: 50 }).unwrap();
    database(&server, "gateway").await;
    let superuser = server.superuser_url().replace("/postgres?", "/gateway?");
    let world = World::over(connect(superuser), GatewayOptions::default(), 1000).await;
    let refused = world.outcome().await.unwrap_err();
    assert!(matches!(refused, GatewayError::Refused(StoreError::UnsafeRole { .. })), "{refused}");
}

#[tokio::test]
async fn a_stop_turns_readiness_off_first_and_lets_requests_under_way_finish() {
    let options = GatewayOptions { drain_delay: Duration::from_secs(1), ..GatewayOptions::default() };
    let world = World::with(options, 1000).await.ready().await;
    // A request whose body is not whole yet.
    let body = json!({"name": "Acme"}).to_string();
    let mut slow = TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/businesses HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        world.acme.service,
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&body.as_bytes()[..5]).await.unwrap();
    slow.flush().await.unwrap();

    world.stop.cancel();
    until(async || world.get("/ready", "").await.status == 503).await;
    let address = world.base.clone();
    let (finished, answered) = tokio::join!(world.finish(), async {
        until(async || TcpStream::connect(address.trim_start_matches("http://")).await.is_err()).await;
        slow.write_all(&body.as_bytes()[5..]).await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        answer
    });
    finished.unwrap();
    assert!(answered.starts_with("HTTP/1.1 201 Created\r\n"), "after the listener was closed: {answered}");
}

#[tokio::test]
async fn a_stop_ends_event_streams_instead_of_waiting_for_them() {
    let world = World::start().await.ready().await;
    let request = world
        .request(Method::POST, "/v1/verifications", &world.acme.service)
        .header("Prefer", "respond-async");
    let location =
        answer(request.json(&json!({"business": bakery()}))).await.expect(202).header("location").to_owned();
    let mut events =
        world.request(Method::GET, &format!("{location}/events"), &world.acme.service).send().await.unwrap();
    assert!(events.chunk().await.unwrap().is_some(), "the first event comes at once");
    let stopped = tokio::time::timeout(Duration::from_secs(5), world.finish()).await;
    stopped.expect("a stream of two minutes must not hold the stop up").unwrap();
}

#[tokio::test]
async fn usage_is_in_the_store_after_a_stop() {
    let world = World::start().await.ready().await;
    world.get("/v1/watchlists", &world.acme.service).await.expect(200);
    world.get("/v1/verifications/x", &world.acme.service).await.problem(404, "NOT_FOUND");
    let rows = world.store.tenant(&"acme".try_into().unwrap());
    let since = Utc::now() - Duration::from_hours(2);
    assert_eq!(rows.usage(since).await.unwrap(), [], "they are counted in memory first");
    world.finish().await.unwrap();
    let mut usage: Vec<_> = rows
        .usage(since)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.endpoint, row.requests, row.errors))
        .collect();
    usage.sort();
    assert_eq!(
        usage,
        [("GET /v1/verifications/{id}".to_owned(), 1, 1), ("GET /v1/watchlists".to_owned(), 1, 0)]
    );
}
