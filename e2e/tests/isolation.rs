//! Another tenant's object does not exist, on any route.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use anyhow::ensure;
use kyb_e2e::{Answer, Client, ListPlan, Plan, Platform, TenantPlan, lists, waiting::until};
use reqwest::Method;
use serde_json::{Value, json};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A route with an id in it, as the service's own OpenAPI document describes it.
#[derive(Debug)]
struct Route {
    method: Method,
    template: String,
}

async fn routes_with_ids(client: &Client) -> Vec<Route> {
    let document = client.get("/openapi.json").await.unwrap().expect(200).unwrap();
    let mut routes = Vec::new();
    for (template, operations) in
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains('{'))
    {
        for method in METHODS.iter().filter(|method| operations.get(method).is_some()) {
            routes.push(Route { method: method.to_uppercase().parse().unwrap(), template: template.clone() });
        }
    }
    // What destroys the object comes last, so that the owner still has it for the others.
    routes.sort_by_key(|route| (route.method == Method::DELETE, route.template.ends_with("/erase")));
    routes
}

/// What a tenant has: one object of each kind.
struct Owned {
    business: Value,
    verification: Value,
    /// One with a match.
    screening: Value,
    /// Of that match.
    suppression: Value,
    batch: Value,
    monitor: Value,
}

/// The listed company.
const LISTED: (u32, &str) = (18068, "ROSOBORONEKSPORT OAO");

impl Owned {
    async fn create(client: &Client) -> Self {
        let business = json!({"name": "Oak Street Dental Care LLC", "country": "US",
            "identifiers": [{"kind": "tax_id", "value": "12-3456789", "country": "US"}]});
        let created = client.post("/v1/businesses", &business).await.unwrap().expect(201).unwrap();
        let path = format!("/v1/businesses/{}", created["id"].as_str().unwrap());
        let business = client.get(&path).await.unwrap().expect(200).unwrap();
        let request = json!({"business": {"name": business["name"]}, "business_id": business["id"]});
        let verification = client.post("/v1/verifications", &request).await.unwrap().expect(201).unwrap();
        let screening = client.screen(&json!({"type": "business", "name": LISTED.1})).await.unwrap();
        let path = format!("/v1/screenings/{}", screening["id"].as_str().unwrap());
        let decision = json!({"status": "false_positive", "reason": "Another company.", "suppress": {}});
        let decisions = format!("{path}/matches/ofac-sdn/{}/decisions", LISTED.0);
        let decided = client.post(&decisions, &decision).await.unwrap().expect(201).unwrap();
        let suppression = format!("/v1/suppressions/{}", decided["suppression_id"].as_str().unwrap());
        Self {
            business,
            verification,
            screening: client.get(&path).await.unwrap().expect(200).unwrap(),
            suppression: client.get(&suppression).await.unwrap().expect(200).unwrap(),
            batch: Self::batch(client).await,
            monitor: Self::monitor(client).await,
        }
    }

    async fn monitor(client: &Client) -> Value {
        let subject = json!({"subject": {"type": "person", "name": "Ingeborg Abrahamsen"}});
        client.post("/v1/monitors", &subject).await.unwrap().expect(201).unwrap()
    }

    /// One that is completed.
    async fn batch(client: &Client) -> Value {
        let subjects = json!({"subjects": [{"type": "person", "name": "Ingeborg Abrahamsen"}]});
        let created = client.post("/v1/batches", &subjects).await.unwrap().expect(202).unwrap();
        let path = format!("/v1/batches/{}", created["id"].as_str().unwrap());
        let completed = async || {
            let batch = client.get(&path).await?.expect(200)?;
            ensure!(batch["status"] == "completed", "{batch}");
            Ok(batch)
        };
        until("the batch", Duration::from_mins(1), completed).await.unwrap()
    }

    /// The path of a route for this tenant's object. A new kind of object fails here until it is created above.
    fn path(&self, route: &Route) -> String {
        let object = match route.template.split('/').nth(2) {
            Some("businesses") => &self.business,
            Some("verifications") => &self.verification,
            Some("screenings") => &self.screening,
            Some("suppressions") => &self.suppression,
            Some("batches") => &self.batch,
            Some("monitors") => &self.monitor,
            other => panic!("{route:?}: add an object of {other:?} to this test"),
        };
        let path = route.template.replace("{id}", object["id"].as_str().unwrap());
        path.replace("{list}", "ofac-sdn").replace("{entry_id}", &LISTED.0.to_string())
    }
}

/// A platform with a list of one company, and the folder of that list. Its keys may decide about matches.
async fn with_a_list() -> (tempfile::TempDir, Platform) {
    let folder = tempfile::tempdir().unwrap();
    lists::write(folder.path(), &lists::ofac_trio(&[LISTED])).unwrap();
    let manager = |id| TenantPlan { role: "ContextManager", ..TenantPlan::new(id) };
    let tenants = vec![manager("acme"), manager("umbrella")];
    let lists = vec![ListPlan::ofac(folder.path())];
    let platform = Platform::start(Plan { tenants, lists, ..Plan::new() }).await.unwrap();
    platform.fresh(&platform.client("acme").unwrap()).await.unwrap();
    (folder, platform)
}

async fn call(client: &Client, route: &Route, path: &str) -> Answer {
    let body = match path.rsplit('/').next() {
        Some("decisions") => json!({"status": "pending", "reason": "Look again."}),
        Some("withdraw") => json!({"reason": "Look again."}),
        _ => json!({"website": "example.org"}),
    };
    let sends = route.method != Method::GET && route.method != Method::DELETE;
    let body = sends.then(|| body.to_string().into_bytes());
    client.send(route.method.clone(), path, &[("content-type", "application/json")], body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_object_is_404_on_every_route_and_stays_as_it_was() {
    let (_list, platform) = with_a_list().await;
    let (acme, umbrella) = (platform.client("acme").unwrap(), platform.client("umbrella").unwrap());
    let owned = Owned::create(&acme).await;
    let routes = routes_with_ids(&acme).await;
    assert!(routes.len() >= 7, "the document lists the routes: {routes:?}");

    for route in &routes {
        let path = owned.path(route);
        let answer = call(&umbrella, route, &path).await;
        let detail = answer
            .expect_problem(404, "NOT_FOUND")
            .unwrap_or_else(|error| panic!("{} {path}: {error}", route.method));
        let (folder, id) = path.split_at(path.find('_').unwrap() + 1);
        let rest = id.split_once('/').map_or(String::new(), |(_, rest)| format!("/{rest}"));
        let unknown =
            call(&umbrella, route, &format!("{folder}01890a5d-ac96-774b-bcce-b302099a8057{rest}")).await;
        let same = unknown.json().unwrap()["detail"] == detail;
        assert!(same, "{path}: a foreign object must look like none at all: {} and {detail}", unknown.body);
    }
    for (path, before) in [
        ("businesses", &owned.business),
        ("verifications", &owned.verification),
        ("screenings", &owned.screening),
        ("suppressions", &owned.suppression),
        ("batches", &owned.batch),
        ("monitors", &owned.monitor),
    ] {
        let path = format!("/v1/{path}/{}", before["id"].as_str().unwrap());
        assert_eq!(acme.get(&path).await.unwrap().expect(200).unwrap(), *before, "{path} is as it was");
    }
    // The twin: the same requests by the owner are no 404, so the other tenant's were not answered so for another reason.
    for route in &routes {
        let path = owned.path(route);
        let answer = call(&acme, route, &path).await;
        let erased =
            route.template.ends_with("/erase") || answer.status == 404 && route.method == Method::DELETE;
        assert!(
            erased || (200..300).contains(&answer.status),
            "{} {path}: {} {}",
            route.method,
            answer.status,
            answer.body
        );
    }
    println!("{} routes with ids, each 404 for another tenant", routes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_searches_references_and_idempotency_keys_end_at_the_tenant() {
    let (_list, platform) = with_a_list().await;
    let (acme, umbrella) = (platform.client("acme").unwrap(), platform.client("umbrella").unwrap());
    let owned = Owned::create(&acme).await;

    for query in ["", "?q=oak", "?tax_id=123456789", "?tax_id=12-3456789&q=dental"] {
        let count = async |client: &Client| {
            let page = client.get(&format!("/v1/businesses{query}")).await.unwrap().expect(200).unwrap();
            page["businesses"].as_array().unwrap().len()
        };
        assert_eq!((count(&acme).await, count(&umbrella).await), (1, 0), "/v1/businesses{query}");
    }

    let about_foreign =
        json!({"business": {"name": "Oak Street Dental Care LLC"}, "business_id": owned.business["id"]});
    let answer = umbrella.post("/v1/verifications", &about_foreign).await.unwrap();
    let detail = answer.expect_problem(422, "INVALID_INPUT").unwrap();
    assert!(detail.contains("/business_id"), "{detail}");

    // The same key of two tenants stands for two requests, whether the bodies are alike or not.
    for (key, other_name) in [("one-key", "Optiker Brunner AG"), ("another-key", "Autohaus Seidel GmbH")] {
        let post = async |client: &Client, name: &str| {
            let body = json!({"business": {"name": name}});
            let answer =
                client.post_with("/v1/verifications", &body, &[("idempotency-key", key)]).await.unwrap();
            answer.expect(201).unwrap()
        };
        let first = post(&acme, "Optiker Brunner AG").await;
        let second = post(&umbrella, other_name).await;
        assert_ne!(first["id"], second["id"]);
        assert_eq!(second["request"]["business"]["name"], other_name);
        assert_eq!(post(&acme, "Optiker Brunner AG").await, first);
    }
}
