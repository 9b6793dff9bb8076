//! Another tenant's object is not there, on any route. The routes are taken from the OpenAPI document, so that a new one
//! can't be forgotten.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Keys, World, answer, bakery};

/// Every operation: method, path template, and what the document says.
async fn operations(world: &World) -> Vec<(Method, String, Value)> {
    let document = world.get("/openapi.json", "").await.expect(200).json();
    let mut operations = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Ok(method @ (Method::GET | Method::POST | Method::PATCH | Method::DELETE | Method::PUT)) =
                method.to_uppercase().parse()
            {
                operations.push((method, path.clone(), operation.clone()));
            }
        }
    }
    assert!(operations.len() >= 20, "{operations:?}");
    operations
}

/// One object of each kind.
struct Objects {
    business: String,
    verification: String,
    screening: String,
    /// A suppression of that screening's match.
    suppression: String,
    batch: String,
    monitor: String,
}

impl Objects {
    async fn of(world: &World, keys: &Keys, key: &str, context: Option<&str>) -> Self {
        let make = async |path: &str, body: Value| {
            let mut request = world.request(Method::POST, path, key).json(&body);
            if let Some(context) = context {
                request = request.header("X-Kyb-Context", context);
            }
            let made = answer(request).await;
            assert!(made.status.is_success(), "{made:?}");
            made.json()["id"].as_str().unwrap().to_owned()
        };
        let subject = json!({"subject": {"name": "Rosoboronexport OAO"}});
        let screening = make("/v1/screenings", subject).await;
        let path = format!("/v1/screenings/{screening}/matches/test-list/18068/decisions");
        let decided = json!({"status": "false_positive", "reason": "It is somebody else.", "suppress": {}});
        let decided = world.post(&path, &keys.manager, &decided).await.expect(201).json();
        let batch = make("/v1/batches", json!({"subjects": [{"name": "Acme"}]})).await;
        crate::batches::work_off(world).await;
        let watched = json!({"subject": {"name": "Acme"}});
        Self {
            monitor: make("/v1/monitors", watched).await,
            batch,
            suppression: decided["suppression_id"].as_str().unwrap().to_owned(),
            screening,
            business: make("/v1/businesses", bakery()).await,
            verification: make("/v1/verifications", json!({"business": bakery()})).await,
        }
    }

    /// The path of one of these objects. A route of a kind that is not known here fails the test until it is added.
    fn fill(&self, template: &str) -> String {
        let id = match template.split('/').nth(2) {
            Some("businesses") => &self.business,
            Some("verifications") => &self.verification,
            Some("screenings") => &self.screening,
            Some("batches") => &self.batch,
            Some("monitors") => &self.monitor,
            Some("suppressions") => &self.suppression,
            _ => panic!("add an object for {template} to this test"),
        };
        template.replace("{id}", id).replace("{list}", "test-list").replace("{entry_id}", "18068")
    }
}

async fn ask(world: &World, method: &Method, path: &str, key: &str, operation: &Value) -> Answer {
    let request = world.request(method.clone(), path, key);
    answer(if operation["requestBody"].is_object() { request.json(&body_of(path)) } else { request }).await
}

/// The least that a route about an object takes.
fn body_of(path: &str) -> Value {
    match path.rsplit('/').next() {
        Some("decisions") => json!({"status": "pending", "reason": "Look again."}),
        Some("withdraw") => json!({"reason": "Look again."}),
        _ => json!({}),
    }
}

/// Reads first, what destroys last, so that each finds its object.
fn order(method: &Method, path: &str) -> u8 {
    match (method.as_str(), path) {
        ("GET", _) => 0,
        ("PATCH", _) => 1,
        ("POST", _) => 2,
        _ => 3,
    }
}

#[tokio::test]
async fn another_tenants_object_is_404_on_every_route() {
    let world = World::start().await.ready().await;
    let mut about_objects = operations(&world).await;
    about_objects.retain(|(_, path, _)| path.contains("{id}"));
    about_objects.sort_by_key(|(method, path, _)| order(method, path));
    assert!(about_objects.len() >= 8, "{about_objects:?}");
    let objects = Objects::of(&world, &world.acme, &world.acme.service, None).await;
    for (method, template, operation) in &about_objects {
        let path = objects.fill(template);
        ask(&world, method, &path, &world.other.manager, operation).await.problem(404, "NOT_FOUND");
    }
    // The same requests by the owner find their objects: without that the test above could not fail.
    for (method, template, operation) in &about_objects {
        // Erasing and deleting each need a business of their own.
        let objects = Objects::of(&world, &world.acme, &world.acme.service, None).await;
        let found = ask(&world, method, &objects.fill(template), &world.acme.manager, operation).await;
        assert!(found.status.is_success(), "{method} {template}: {found:?}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_list_shows_no_business_of_another_tenant_and_a_verification_may_not_name_one() {
    let world = World::start().await.ready().await;
    let id = world.business(&world.acme.service, &bakery()).await;
    for query in ["", "?q=m%C3%BCller", "?tax_id=DE123456789"] {
        let page =
            world.get(&format!("/v1/businesses{query}"), &world.other.service).await.expect(200).json();
        assert_eq!(page["businesses"], json!([]), "{query}");
    }
    let asked = json!({"business": bakery(), "business_id": id});
    let refused = world.post("/v1/verifications", &world.other.service, &asked).await;
    assert_eq!(refused.problem(422, "INVALID_INPUT")["errors"][0]["pointer"], "/business_id");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_key_confined_to_a_context_sees_nothing_of_the_others() {
    let world = World::start().await.ready().await;
    let own = Objects::of(&world, &world.acme, &world.acme.confined, None).await;
    let others = Objects::of(&world, &world.acme, &world.acme.service, Some("onboarding")).await;
    let key = &world.acme.confined;
    for path in [
        "/v1/businesses/{id}",
        "/v1/businesses/{id}/export",
        "/v1/verifications/{id}",
        "/v1/batches/{id}",
        "/v1/monitors/{id}",
        "/v1/monitors/{id}/alerts",
    ] {
        world.get(&own.fill(path), key).await.expect(200);
        world.get(&others.fill(path), key).await.problem(404, "NOT_FOUND");
    }
    let page = world.get("/v1/businesses", key).await.json();
    let ids: Vec<_> = page["businesses"].as_array().unwrap().iter().map(|business| &business["id"]).collect();
    assert_eq!(ids, [&json!(own.business)]);
    let page = world.get("/v1/monitors", key).await.json();
    let ids: Vec<_> = page["monitors"].as_array().unwrap().iter().map(|monitor| &monitor["id"]).collect();
    assert_eq!(ids, [&json!(own.monitor)]);
    let elsewhere =
        answer(world.request(Method::GET, "/v1/businesses", key).header("X-Kyb-Context", "onboarding")).await;
    elsewhere.problem(403, "CONTEXT_FORBIDDEN");
    let unknown = answer(
        world.request(Method::GET, "/v1/businesses", &world.acme.service).header("X-Kyb-Context", "x"),
    )
    .await;
    unknown.problem(403, "CONTEXT_FORBIDDEN");
    let malformed = answer(
        world.request(Method::GET, "/v1/businesses", &world.acme.service).header("X-Kyb-Context", "X Y"),
    )
    .await;
    malformed.problem(400, "INVALID_HEADER");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn every_route_of_the_document_is_served_and_needs_a_key_where_it_says_so() {
    let world = World::start().await.ready().await;
    let objects = Objects::of(&world, &world.acme, &world.acme.service, None).await;
    for (method, template, operation) in operations(&world).await {
        let path = if template.contains("{id}") { objects.fill(&template) } else { template.clone() };
        let anonymous = ask(&world, &method, &path, "", &operation).await;
        if operation["security"] == json!([]) {
            assert_eq!(anonymous.status, 200, "{method} {template}: {anonymous:?}");
            continue;
        }
        anonymous.problem(401, "UNAUTHENTICATED");
        assert!(anonymous.header("www-authenticate").contains("X-API-Key"), "{anonymous:?}");
        let guest = ask(&world, &method, &path, &world.acme.guest, &operation).await;
        let auditor = ask(&world, &method, &path, &world.acme.auditor, &operation).await;
        if template != "/v1/watchlists" {
            auditor.problem(403, "FORBIDDEN");
        }
        if method != Method::GET && template != "/v1/classifications" {
            guest.problem(403, "FORBIDDEN");
        }
    }
    world.finish().await.unwrap();
}
