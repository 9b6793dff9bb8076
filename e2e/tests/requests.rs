//! What callers get wrong is answered with what to do; what they repeat is done once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use kyb_e2e::{Client, Plan, Platform, TenantPlan, waiting::until};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/v1/verifications";

fn request() -> Value {
    json!({"business": {
        "name": "Bäckerei Hartmann GmbH", "country": "DE", "legal_form": "GmbH",
        "description": "Bakery that sells bread, rolls and cakes over the counter",
        "address": {"street": "Marktplatz 1", "postal_code": "70173", "city": "Stuttgart", "country": "DE"},
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_answered_with_what_to_do() {
    let platform = Platform::start(Plan::new()).await.unwrap();
    let acme = platform.client("acme").unwrap();
    let json_type = ("content-type", "application/json");
    let large = vec![b' '; (1 << 20) + 1];
    let unknown_field = br#"{"business": {"name": "Oak", "colour": "red"}}"#.to_vec();
    // Body, headers; status and code; what the detail must say.
    let mistakes = [
        (b"{\"business\": {\"name\":".to_vec(), json_type, 400, "MALFORMED_JSON", "line 1"),
        (large, json_type, 413, "BODY_TOO_LARGE", "at most"),
        (b"{}".to_vec(), ("content-type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"),
        (unknown_field, json_type, 422, "INVALID_INPUT", "colour"),
        (b"{\"business\": {\"name\": \"...\"}}".to_vec(), json_type, 422, "INVALID_INPUT", "/business/name"),
    ];
    for (body, header, status, code, says) in mistakes {
        let answer = acme.send(Method::POST, PATH, &[header], Some(body)).await.unwrap();
        let detail = answer.expect_problem(status, code).unwrap();
        assert!(detail.contains(says), "{code}: {detail}");
    }

    let strangers = [
        (platform.anonymous().clone(), "X-API-Key"),
        (platform.anonymous().with_key("kyb_test_nobody_0000000000000000000000000000000000000000000"), "ask"),
        (platform.anonymous().with_key("secret"), "form"),
    ];
    for (stranger, says) in strangers {
        let answer = stranger.post(PATH, &request()).await.unwrap();
        let detail = answer.expect_problem(401, "UNAUTHENTICATED").unwrap();
        assert!(detail.contains(says), "{detail}");
        assert!(answer.header("www-authenticate").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_within_two_seconds() {
    let mut platform = Platform::start(Plan::new()).await.unwrap();
    let old = platform.client("acme").unwrap();
    old.get("/v1/watchlists").await.unwrap().expect(200).unwrap();
    platform.settings.add_tenant(&TenantPlan::new("acme")).unwrap();
    until("the old key to be refused", Duration::from_secs(2), || async {
        let answer = old.get("/v1/watchlists").await?;
        ensure!(answer.status == 401, "{}", answer.status);
        Ok(())
    })
    .await
    .unwrap();
    let new = platform.client("acme").unwrap();
    new.get("/v1/watchlists").await.unwrap().expect(200).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_at_once_with_one_key_make_one_object_and_get_one_answer() {
    let platform = Platform::start(Plan::new()).await.unwrap();
    let acme = platform.client("acme").unwrap();
    let store = platform.database.store().unwrap().tenant(&"acme".try_into().unwrap());
    for (path, body) in [(PATH, request()), ("/v1/businesses", request()["business"].clone())] {
        let before = store.audit_events(0, 1000).await.unwrap().len();
        let post = || async { acme.post_with(path, &body, &[("idempotency-key", path)]).await };
        let answers = futures::future::join_all((0..50).map(|_| post())).await;
        let mut distinct = BTreeSet::new();
        let mut replayed = 0;
        for answer in answers {
            let answer = answer.unwrap();
            distinct.insert(answer.expect(201).unwrap().to_string());
            replayed += usize::from(answer.header("idempotent-replayed").is_some());
        }
        assert_eq!((distinct.len(), replayed), (1, 49), "{path}");
        let after = store.audit_events(0, 1000).await.unwrap().len();
        assert_eq!(after - before, 1, "{path}: one object, one audit event");
    }
    let other = json!({"business": {"name": "Optiker Brunner AG"}});
    let answer = acme.post_with(PATH, &other, &[("idempotency-key", PATH)]).await.unwrap();
    let detail = answer.expect_problem(422, "IDEMPOTENCY_KEY_REUSED").unwrap();
    assert!(detail.contains("key"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_verification_ends_as_a_synchronous_one_and_its_events_say_so() {
    let platform = Platform::start(Plan::new()).await.unwrap();
    let acme = platform.client("acme").unwrap();
    let sync = acme.post(PATH, &request()).await.unwrap().expect(201).unwrap();

    let accepted = acme.post_with(PATH, &request(), &[("prefer", "respond-async")]).await.unwrap();
    let location = accepted.header("location").unwrap().to_owned();
    assert_eq!(accepted.expect(202).unwrap()["status"], "pending");
    let statuses = statuses(&acme, &format!("{location}/events")).await;
    assert_eq!(statuses.last().map(String::as_str), Some("completed"), "{statuses:?}");
    let done = acme.get(&location).await.unwrap().expect(200).unwrap();
    assert_eq!(done["status"], "completed");
    assert_eq!(done["decision"], sync["decision"]);
    assert_eq!(done["risk"], sync["risk"]);
    assert_eq!(done["checks"], sync["checks"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_what_is_read_again() {
    let platform = Platform::start(Plan::new()).await.unwrap();
    let acme = platform.client("acme").unwrap();
    let screening = json!({"subject": {"type": "person", "name": "Ingeborg Abrahamsen"}});
    let posts =
        [(PATH, request()), ("/v1/businesses", request()["business"].clone()), ("/v1/screenings", screening)];
    for (path, body) in posts {
        let answer = acme.post(path, &body).await.unwrap();
        let created = answer.expect(201).unwrap();
        let location = answer.header("location").unwrap();
        assert_eq!(location, format!("{path}/{}", created["id"].as_str().unwrap()));
        assert_eq!(acme.get(location).await.unwrap().expect(200).unwrap(), created, "{path}");
    }
}

/// The statuses of an event stream, read to its end.
async fn statuses(client: &Client, path: &str) -> Vec<String> {
    let answer = client.get(path).await.unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"), "{:?}", answer.headers);
    let data = answer.body.lines().filter_map(|line| line.strip_prefix("data:"));
    data.map(|json| serde_json::from_str::<Value>(json).unwrap()["status"].as_str().unwrap().to_owned())
        .collect()
}
