//! Whatever a caller gets wrong is answered with a problem that says what to do.

use reqwest::{Body, Method};
use serde_json::json;

use crate::harness::{World, answer, bakery};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_wrong_body_is_told_what_is_wrong_with_it() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let post = |content_type: &'static str, body: String| {
        let request =
            world.request(Method::POST, "/v1/verifications", key).header("Content-Type", content_type);
        answer(request.body(body))
    };
    let malformed = post("application/json", "{\"business\": {\n\"name\": }}".into()).await;
    let detail = malformed.problem(400, "MALFORMED_JSON")["detail"].to_string();
    assert!(detail.contains("line 2 column 9"), "{detail}");
    post("text/plain", json!({"business": bakery()}).to_string())
        .await
        .problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let too_long = format!("{{\"business\": {{\"name\": \"{}\"}}}}", "x".repeat(MIB));
    post("application/json", too_long).await.problem(413, "BODY_TOO_LARGE");
    let invalid =
        post("application/json", json!({"business": {"name": "Acme", "owners": "none"}}).to_string()).await;
    let body = invalid.problem(422, "INVALID_INPUT");
    assert_eq!(
        (&body["errors"][0]["pointer"], &body["errors"][0]["code"]),
        (&json!("/business/owners"), &json!("WRONG_TYPE"))
    );
    let owner = json!({"party": {"name": "A"}, "role": "officer"});
    let crowded = json!({"business": {"name": "Acme", "owners": vec![owner; 201]}});
    let body = post("application/json", crowded.to_string()).await.problem(422, "INVALID_INPUT");
    assert_eq!(body["errors"][0]["code"], "TOO_MANY");
    let wordy = json!({"business": bakery(), "reference": "x".repeat(201)});
    let body = post("application/json", wordy.to_string()).await.problem(422, "INVALID_INPUT");
    assert_eq!(body["errors"][0]["pointer"], "/reference");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_endless_body_of_unknown_length_is_cut_off() {
    let world = World::start().await.ready().await;
    let chunks = futures::stream::iter((0..5).map(|_| Ok::<_, std::io::Error>(vec![b' '; MIB / 2])));
    let request = world.request(Method::POST, "/v1/screenings", &world.acme.service);
    let refused =
        answer(request.header("Content-Type", "application/json").body(Body::wrap_stream(chunks))).await;
    refused.problem(413, "BODY_TOO_LARGE");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_unknown_route_or_method_or_id_is_told_so() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    for path in ["/", "/v1", "/v1/nowhere", "/v2/verifications", "/v1/verifications/"] {
        world.get(path, key).await.problem(404, "NOT_FOUND");
    }
    for path in [
        "/v1/verifications/x",
        "/v1/businesses/ver_01890a5d-ac96-774b-bcce-b302099a8057",
        "/v1/screenings/%00",
    ] {
        world.get(path, key).await.problem(404, "NOT_FOUND");
    }
    let refused = answer(world.request(Method::PUT, "/v1/businesses", key)).await;
    refused.problem(405, "METHOD_NOT_ALLOWED");
    let mut allowed: Vec<&str> = refused.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_told_what_would_be() {
    let world = World::start().await.ready().await;
    let path = "/v1/watchlists";
    let detail =
        |answer: crate::harness::Answer| answer.problem(401, "UNAUTHENTICATED")["detail"].to_string();
    assert!(detail(world.get(path, "").await).contains("X-API-Key"));
    assert!(detail(world.get(path, "hello").await).contains("kyb_<env>_<key id>_<secret>"));
    let mut wrong = world.acme.service.clone();
    wrong.replace_range(wrong.len() - 4.., "AAAA");
    assert!(detail(world.get(path, &wrong).await).contains("unknown, expired or revoked"));
    let bearer = world.request(Method::GET, path, "").bearer_auth("eyJhbGciOiJub25lIn0.e30.");
    assert!(detail(answer(bearer).await).contains("not accepted yet"));
    let twice =
        world.request(Method::GET, path, &world.acme.service).header("X-API-Key", &world.acme.service);
    assert!(detail(answer(twice).await).contains("once"));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn every_answer_is_guarded_and_large_ones_are_compressed() {
    let world = World::start().await.ready().await;
    for path in ["/health", "/v1/nowhere", "/docs", "/v1/watchlists"] {
        let answer = world.get(path, &world.acme.service).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}: only behind TLS");
    }
    let request = |path: &str| world.request(Method::GET, path, "").header("Accept-Encoding", "gzip").send();
    // The client unpacks by itself and takes the header away; what is left tells by its absence.
    let large = request("/openapi.json").await.unwrap();
    assert!(
        large.headers().get("content-length").is_none() && large.headers()["vary"] == "accept-encoding",
        "{large:?}"
    );
    let small = request("/health").await.unwrap();
    assert_eq!(small.headers()["content-length"], "15");
    world.finish().await.unwrap();
}
