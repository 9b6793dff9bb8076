//! Requests without a key: on loopback alone, for one tenant, and only where that was said.

use kyb_gateway::{Compat, Dialect, Gateway, GatewayError, GatewayOptions};
use reqwest::Method;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, answer, ofac},
    yente::both,
};

#[tokio::test]
async fn who_is_on_this_machine_needs_no_key_where_that_is_switched_on_and_may_read_only_there() {
    let world = World::speaking(both(Some("acme")), 1_000_000).await;
    let body = serde_json::json!({"queries": {"q": {"schema": "Person", "properties": {"name": "Nicolas Maduro Moros"}}}});
    let matched =
        answer(world.request(Method::POST, "/match/default", "").json(&body)).await.expect(200).json();
    assert_eq!(matched["responses"]["q"]["results"][0]["id"], "ofac-sdn.22790");
    world.get("/v2/listinfo", "").await.expect(200);
    world.get("/v1/watchlists", "").await.problem(401, "UNAUTHENTICATED");
    world.get("/catalog", "kyb_dev_wrong_0").await.expect(401); // a wrong key is not no key
    for (name, value) in
        [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"), ("Host", "kyb.example")]
    {
        let passed_on =
            answer(world.request(Method::GET, "/catalog", "").header(name, value)).await.expect(401);
        assert!(passed_on.json()["detail"].as_str().unwrap().contains("proxy"), "{name}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_nobodys() {
    let world = World::speaking(both(Some("nobody")), 1_000_000).await;
    let answer = world.get("/catalog", "").await.expect(503);
    assert!(answer.text.contains("`nobody`"), "{answer:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused_at_the_start_with_what_to_do() {
    let compat = Compat { dialects: vec![Dialect::Yente], ..both(Some("acme")) };
    let options = GatewayOptions { compat, ..GatewayOptions::default() };
    let state = World::state(World::store().await, options, ofac());
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = Gateway::new(state).serve(listener, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, GatewayError::OpenToOthers(_)), "{refused}");
    assert!(refused.to_string().contains("listen on 127.0.0.1"), "{refused}");
}
