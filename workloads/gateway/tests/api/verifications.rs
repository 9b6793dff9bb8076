//! Verifications, screenings, classifications, risk assessments and watchlists: what a caller gets when all is well.

use std::time::Duration;

use kyb_domain::audit::{Actor, ActorKind};
use kyb_store::audit::AuditContext;
use reqwest::Method;
use serde_json::json;

use crate::harness::{World, answer, bakery, sanctioned};

#[tokio::test]
async fn a_verification_is_decided_recorded_and_can_be_read_again() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let made =
        world.post("/v1/verifications", key, &json!({"business": sanctioned(), "reference": "case 7"})).await;
    let body = made.json();
    assert_eq!((made.status.as_u16(), &body["status"]), (201, &json!("completed")), "{body}");
    assert_eq!(body["request"]["reference"], "case 7");
    assert_ne!(body["decision"]["outcome"], "approve", "{body}");
    assert_eq!(body["screenings"][0]["matches"][0]["entry_id"], "18068", "{body}");
    assert!(made.header("x-request-id").starts_with("req_"));

    let location = made.header("location");
    assert_eq!(location, format!("/v1/verifications/{}", body["id"].as_str().unwrap()));
    let read = world.get(location, key).await.expect(200);
    assert_eq!(read.json(), body, "what was acknowledged is what is stored");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_promise_is_kept_by_whoever_takes_the_job_and_its_events_tell() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let request = world.request(Method::POST, "/v1/verifications", key).header("Prefer", "respond-async");
    let promised = answer(request.json(&json!({"business": bakery()}))).await.expect(202);
    assert_eq!(promised.header("preference-applied"), "respond-async");
    assert_eq!(promised.json()["status"], "pending");
    let location = promised.header("location").to_owned();

    let events = world.request(Method::GET, &format!("{location}/events"), key).send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let (told, ()) = tokio::join!(async { events.text().await.unwrap() }, complete_one_job(&world));
    assert!(told.starts_with("event: status\ndata: {"), "{told}");
    assert!(told.contains("\"status\":\"pending\"") || told.contains("\"status\":\"running\""), "{told}");
    assert!(
        told.contains("\"status\":\"completed\",\"decision\":\""),
        "the last event says what was decided: {told}"
    );
    assert_eq!(world.get(&location, key).await.json()["status"], "completed");
    world.finish().await.unwrap();
}

/// Does what a worker does.
async fn complete_one_job(world: &World) {
    let job = world.store.take_job(Duration::from_secs(30)).await.unwrap().unwrap();
    let lists = kyb_verification::Watchlists {
        screener: std::sync::Arc::new(kyb_screening::Screener::build(&[])),
        states: vec![],
    };
    let now = chrono::Utc::now();
    let policy = kyb_policy::Policy::compile(&kyb_policy::PolicySpec::default()).unwrap();
    let options = kyb_verification::ScreeningOptions::default();
    let findings = kyb_verification::verify(&lists, &policy, &options, &job.verification.request, now);
    let audit =
        AuditContext { actor: Actor { kind: ActorKind::Worker, id: "test".into() }, request_id: None };
    assert!(
        world
            .store
            .finish_job(&job, &job.verification.clone().completed(findings, now), &audit)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_business_with_many_owners_is_verified_off_the_socket_threads() {
    let world = World::start().await.ready().await;
    let mut business = bakery();
    let owner =
        |n: usize| json!({"party": {"type": "person", "name": format!("Owner {n}")}, "role": "director"});
    business["owners"] = (0..40).map(owner).collect();
    let made = world
        .post("/v1/verifications", &world.acme.service, &json!({"business": business}))
        .await
        .expect(201);
    assert_eq!(made.json()["screenings"].as_array().unwrap().len(), 41);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_screening_is_explained_recorded_and_can_be_read_again() {
    let world = World::start().await.ready().await;
    let key = &world.acme.service;
    let subject = json!({"type": "business", "name": "Rosoboronexport", "countries": ["RU"]});
    let made = world
        .post("/v1/screenings", key, &json!({"subject": subject, "lists": ["test-list"], "limit": 1}))
        .await;
    let body = made.json();
    assert_eq!((made.status.as_u16(), &body["status"]), (201, &json!("in_review")), "{body}");
    assert_eq!(body["matches"][0]["matched_name"], "ROSOBORONEXPORT", "{body}");
    assert_eq!(body["list_versions"][0]["version"]["published"], "2019-06-14", "{body}");
    assert_eq!(world.get(made.header("location"), key).await.expect(200).json(), body);

    let clear =
        world.post("/v1/screenings", key, &json!({"subject": {"name": "Bäckerei Müller"}})).await.expect(201);
    assert_eq!(clear.json()["status"], "no_hit");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_list_that_is_not_the_tenants_is_refused_rather_than_left_out() {
    let world = World::start().await.ready().await;
    for (lists, pointer) in [(json!(["test-list", "nowhere"]), "/lists/1"), (json!([]), "/lists")] {
        let asked = json!({"subject": {"name": "Acme"}, "lists": lists});
        let refused = world.post("/v1/screenings", &world.acme.service, &asked).await;
        assert_eq!(refused.problem(422, "INVALID_INPUT")["errors"][0]["pointer"], pointer);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_classification_is_a_function_of_its_input() {
    let world = World::start().await.ready().await;
    let asked = json!({"name": "Müller", "description": "bakery that bakes bread", "website": "https://mueller.example"});
    let first = world.post("/v1/classifications", &world.acme.guest, &asked).await.expect(200);
    let body = first.json();
    assert!(
        body["method"].is_string() && body["version"].is_string() && body["results"].is_array(),
        "{body}"
    );
    let reasons = body["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["code"] == "WEBSITE_NOT_ANALYSED"), "{body}");
    assert_eq!(world.post("/v1/classifications", &world.acme.guest, &asked).await.text, first.text);

    let nothing = world.post("/v1/classifications", &world.acme.guest, &json!({})).await;
    assert_eq!(nothing.problem(422, "INVALID_INPUT")["errors"][0]["code"], "REQUIRED");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_risk_is_the_sum_of_its_factors_and_names_the_lists() {
    let world = World::start().await.ready().await;
    let assessed =
        world.post("/v1/risk-assessments", &world.acme.service, &json!({"business": sanctioned()})).await;
    let body = assessed.expect(200).json();
    let points = body["factors"].as_array().unwrap().iter().map(|factor| factor["points"].as_u64().unwrap());
    assert_eq!(body["score"].as_u64().unwrap(), points.sum::<u64>(), "{body}");
    assert!(body["id"].as_str().unwrap().starts_with("rsk_"), "{body}");
    assert_eq!(body["list_versions"][0]["list"], "test-list", "{body}");
    let events = world.store.tenant(&"acme".try_into().unwrap()).audit_events(0, 100).await.unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (event.object.as_str(), &event.detail["score"]),
        (body["id"].as_str().unwrap(), &body["score"])
    );
    assert!(!event.detail.to_string().contains("Rosoboron"), "no names in the chain: {event:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_watchlists_say_their_version_and_age() {
    let world = World::start().await.ready().await;
    let lists = world.get("/v1/watchlists", &world.acme.auditor).await.expect(200).json();
    let list = &lists["watchlists"][0];
    assert_eq!(
        (list["list"].as_str(), list["label"].as_str()),
        (Some("test-list"), Some("2019-06-14+1f1f1f1f1f1f"))
    );
    assert!(list["age_seconds"].as_i64().is_some_and(|age| age < 60) && list["fresh"] == true, "{list}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn operations_routes_answer_without_a_key() {
    let world = World::start().await.ready().await;
    world.post("/v1/verifications", &world.acme.service, &json!({"business": bakery()})).await.expect(201);
    assert_eq!(world.get("/health", "").await.expect(200).json(), json!({"status": "ok"}));
    assert_eq!(world.get("/ready", "").await.expect(200).json()["ready"], true);
    let metrics = world.get("/metrics", "").await.expect(200);
    let counted = "kyb_api_requests_total{endpoint=\"/v1/verifications\",method=\"POST\",status_code=\"201\",tenant_id=\"acme\"} 1";
    assert!(metrics.text.contains(counted), "{}", metrics.text);
    let business = world.get("/metrics/business", "").await.expect(200);
    assert!(business.text.contains("kyb_business_verifications_total{"), "{}", business.text);
    assert!(!business.text.contains("kyb_api_requests_total"), "{}", business.text);
    let page = world.get("/docs", "").await.expect(200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
    assert!(page.text.contains("/v1/verifications"));
    world.finish().await.unwrap();
}
