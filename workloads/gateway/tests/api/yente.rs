//! yente's interface over OFAC's list of 2019: what its clients ask, and what must not look like an all-clear.

use kyb_domain::{list::Stale, tenant::TenantId};
use kyb_gateway::{Compat, Dialect, GatewayOptions};
use kyb_verification::Watchlists;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, World, answer, ofac};

pub(crate) fn both(without_key_as: Option<&str>) -> Compat {
    let without_key_as = without_key_as.map(|tenant| TenantId::try_from(tenant).unwrap());
    Compat { dialects: vec![Dialect::Yente, Dialect::Watchman], without_key_as }
}

async fn world() -> World {
    World::speaking(both(None), 1_000_000).await
}

async fn over(lists: Watchlists) -> World {
    let options = GatewayOptions { compat: both(None), ..GatewayOptions::default() };
    World::over_lists(World::store().await, options, 1_000_000, lists).await
}

fn person(name: &str) -> Value {
    json!({"queries": {"q": {"schema": "Person", "properties": {"name": [name]}}}})
}

/// Asks as yente's clients do, with the key of a guest: matching stores nothing.
async fn matched(world: &World, path: &str, body: &Value) -> Answer {
    let authorization = format!("ApiKey {}", world.acme.guest);
    answer(world.request(Method::POST, path, "").header("Authorization", authorization).json(body)).await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, about: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(body["detail"].as_str().unwrap().contains(about), "{body} should say `{about}`");
}

#[tokio::test]
async fn a_described_person_is_found_with_score_features_and_the_whole_entry() {
    let world = world().await;
    let query = json!({"queries": {"a": {"schema": "Person", "properties": {
        "name": ["Nicolas Maduro Moros"], "birthDate": ["1962-11-23"], "nationality": ["ve"], "eyeColor": "brown",
    }}}});
    let answer = matched(&world, "/match/default?algorithm=best&fuzzy=False", &query).await.expect(200);
    assert_eq!(answer.header("x-batch-size"), "1");
    let body = answer.json();
    assert_eq!((&body["limit"], &body["algorithm"]), (&json!(5), &json!(kyb_screening::ALGORITHM)), "{body}");
    let asked = &body["responses"]["a"];
    assert_eq!(
        (&asked["status"], &asked["total"]),
        (&json!(200), &json!({"value": 1, "relation": "eq"})),
        "{asked}"
    );
    assert_eq!(asked["query"]["properties"]["name"], json!(["Nicolas Maduro Moros"]));
    assert!(asked["query"]["properties"].get("eyeColor").is_none(), "what is passed over is not echoed");
    let first = &asked["results"][0];
    assert_eq!((&first["id"], &first["schema"]), (&json!("ofac-sdn.22790"), &json!("Person")), "{first}");
    assert_eq!((&first["match"], &first["target"]), (&json!(true), &json!(true)), "{first}");
    assert_eq!(first["datasets"], json!(["ofac-sdn"]));
    let properties = &first["properties"];
    assert_eq!(properties["name"], json!(["MADURO MOROS, Nicolas"]), "{properties}");
    assert_eq!(properties["birthDate"], json!(["1962-11-23"]), "{properties}");
    assert_eq!(
        (&properties["topics"], &properties["program"]),
        (&json!(["sanction"]), &json!(["VENEZUELA"]))
    );
    assert_eq!(properties["country"], json!(["ve"]), "{properties}");
    for feature in ["name", "birth_date", "country"] {
        assert_eq!(first["features"][feature], 1.0, "{first}");
        assert!(first["explanations"][feature]["detail"].is_string(), "{first}");
        assert!(body["matcher"][feature]["description"].is_string(), "{feature}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn schemata_are_those_of_the_entries_and_a_shown_id_can_be_read() {
    let world = world().await;
    let cases = [
        ("Company", "Rosoboronexport", "ofac-sdn.18782", "Organization"),
        ("Vessel", "ARTAVIL", "ofac-sdn.15036", "Vessel"),
        ("Airplane", "EP-GOM", "ofac-sdn.15431", "Airplane"),
        ("LegalEntity", "Nicolas Maduro Moros", "ofac-sdn.22790", "Person"),
    ];
    let queries: serde_json::Map<String, Value> = cases
        .iter()
        .map(|(schema, name, id, _)| {
            ((*id).to_owned(), json!({"schema": schema, "properties": {"name": name}}))
        })
        .collect();
    let body = matched(&world, "/match/ofac-sdn", &json!({"queries": queries})).await.expect(200).json();
    for (_, _, id, schema) in cases {
        let first = &body["responses"][id]["results"][0];
        assert_eq!((&first["id"], &first["schema"]), (&json!(id), &json!(schema)), "{body}");
        let read =
            world.get(&format!("/entities/{id}?nested=True"), &world.acme.guest).await.expect(200).json();
        assert_eq!((&read["id"], &read["properties"]), (&json!(id), &first["properties"]));
    }
    let vessel = &body["responses"]["ofac-sdn.15036"]["results"][0]["properties"];
    assert_eq!(vessel["imoNumber"], json!(["9187629"]), "{vessel}");
    refused(&world.get("/entities/ofac-sdn.0", &world.acme.guest).await, 404, "No such entity!");
    refused(&world.get("/entities/NK-abc", &world.acme.guest).await, 404, "No such entity!");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn threshold_decides_cutoff_shows_and_filters_leave_out() {
    let world = world().await;
    let body = person("Mohammed Ali");
    let results = async |query: &str| {
        let path = format!("/match/all?{query}");
        matched(&world, &path, &body).await.expect(200).json()["responses"]["q"]["results"]
            .as_array()
            .unwrap()
            .clone()
    };
    let by_score =
        |results: &[Value], match_is: bool| results.iter().filter(|r| r["match"] == match_is).count();
    let shown = results("threshold=0.99&cutoff=0.5&limit=100").await;
    assert!(by_score(&shown, false) > 0, "a low cutoff shows what is no match: {shown:?}");
    assert!(
        shown.iter().all(|result| (result["score"].as_f64().unwrap() >= 0.99) == (result["match"] == true))
    );
    let scores: Vec<f64> = shown.iter().map(|result| result["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert_eq!(results("threshold=0.99&cutoff=0.5&limit=1").await.len(), 1);
    assert_eq!(
        by_score(&results("limit=100").await, false),
        0,
        "the threshold is the cutoff where none is said"
    );

    let first = shown[0]["id"].as_str().unwrap();
    let without = results(&format!("threshold=0.5&exclude_entity_ids={first}&limit=100")).await;
    assert!(!without.is_empty() && without.iter().all(|result| result["id"] != *first));
    assert!(results("threshold=0.5&exclude_schema=Person").await.iter().all(|r| r["schema"] != "Person"));
    assert!(!results("threshold=0.5&topics=sanction").await.is_empty());
    assert!(results("threshold=0.5&topics=role.pep").await.is_empty());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn whichever_algorithm_is_asked_for_the_own_one_answers_and_says_so() {
    let world = world().await;
    let about = world.get("/algorithms", &world.acme.guest).await.expect(200).json();
    assert_eq!(
        (&about["default"], &about["best"]),
        (&about["algorithms"][0]["name"], &about["algorithms"][0]["name"])
    );
    let mut answers = vec![];
    for algorithm in ["best", "logic-v1", "logic-v2", kyb_screening::ALGORITHM] {
        let body = matched(
            &world,
            &format!("/match/default?algorithm={algorithm}"),
            &person("Nicolas Maduro Moros"),
        )
        .await;
        let body = body.expect(200).json();
        assert_eq!(body["algorithm"], about["default"], "{algorithm}");
        answers.push(body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    refused(
        &matched(&world, "/match/default?algorithm=logic-v99", &person("A")).await,
        400,
        "Unknown algorithm",
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_could_look_like_an_all_clear_is_an_error() {
    let world = world().await;
    let many: serde_json::Map<String, Value> =
        (0..101).map(|n| (n.to_string(), json!({"schema": "Person", "properties": {"name": "A"}}))).collect();
    let long_key = "k".repeat(256);
    let table = [
        ("/match/us_ofac_sdn", person("A"), 404, "No such dataset"),
        ("/match/default?include_dataset=us_ofac_sdn", person("A"), 400, "include_dataset"),
        ("/match/default?exclude_dataset=ofac-sdn", person("A"), 400, "no data set is left"),
        ("/match/default?changed_since=2026-01-01", person("A"), 400, "changed_since"),
        ("/match/default?threshold=high", person("A"), 400, "threshold"),
        ("/match/default?limit=501", person("A"), 400, "limit"),
        ("/match/default", json!({"queries": many}), 400, "Too many queries in one batch (limit: 100)"),
        ("/match/default", json!({"queries": {}}), 400, "No queries provided."),
        ("/match/default", json!({"queries": {"q": null}}), 400, "No queries provided."),
        ("/match/default", json!({"query": {}}), 400, "queries"),
        ("/match/default", json!({"queries": {long_key: {}}}), 400, "queries"),
        (
            "/match/default",
            json!({"queries": {"q": {"schema": "Persn", "properties": {"name": "A"}}}}),
            400,
            "q: Cannot parse",
        ),
        (
            "/match/default",
            json!({"queries": {"q": {"schema": "Person", "properties": {}}}}),
            400,
            "a name is needed",
        ),
        ("/match/default", json!({"weights": {"name": 0.5}, "queries": {}}), 400, "weights"),
        ("/match/default", json!([]), 422, "object"),
    ];
    for (path, body, status, about) in table {
        refused(&matched(&world, path, &body).await, status, about);
    }
    let key = format!("ApiKey {}", world.acme.guest);
    let raw = |body: &'static str| {
        let request = world.request(Method::POST, "/match/default", "").header("Authorization", &key);
        answer(request.header("Content-Type", "application/json").body(body))
    };
    refused(&raw("{\"queries\":").await, 400, "line 1");
    let text = world.request(Method::POST, "/match/default", "").header("Authorization", &key).body("{}");
    refused(&answer(text).await, 415, "application/json");
    let huge = json!({"queries": {"q": {"schema": "Person", "properties": {"name": "x".repeat(1 << 20)}}}});
    refused(&matched(&world, "/match/default", &huge).await, 413, "bytes");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn nothing_found_on_a_list_that_is_stale_or_missing_is_unavailable_and_a_hit_is_a_hit() {
    let stale = |version: bool| {
        let mut lists = ofac();
        let mut state = lists.states[0].clone();
        state.stale = Some(Stale { why: "HTTP 500".into() });
        if version {
            lists.states[0] = state;
        } else {
            lists.states.push(kyb_domain::list::ListState {
                list: "un-consolidated".parse().unwrap(),
                version: None,
                ..state
            });
        }
        lists
    };
    for lists in [stale(true), stale(false)] {
        let world = over(lists).await;
        crate::harness::until(async || world.get("/healthz", "").await.status == 200).await;
        crate::harness::until(async || world.get("/v1/watchlists", &world.acme.guest).await.status == 200)
            .await;
        let hit = matched(&world, "/match/default", &person("Nicolas Maduro Moros")).await.expect(200).json();
        let hit = &hit["responses"]["q"];
        assert_eq!(
            (&hit["total"]["value"], hit["reasons"].as_array().map(Vec::len)),
            (&json!(1), Some(1)),
            "{hit}"
        );
        refused(
            &matched(&world, "/match/default", &person("Quentin Zebulon Farquhar")).await,
            503,
            "HTTP 500",
        );
        refused(&world.get("/search/default?q=Zebulon+Farquhar", &world.acme.guest).await, 503, "HTTP 500");
        let catalog = world.get("/catalog", &world.acme.guest).await.expect(200).json();
        assert_eq!(catalog["index_stale"], true, "{catalog}");
        world.finish().await.unwrap();
    }
    let world = world().await;
    let clear =
        matched(&world, "/match/default", &person("Quentin Zebulon Farquhar")).await.expect(200).json();
    assert_eq!(
        clear["responses"]["q"]["results"],
        json!([]),
        "the twin: with fresh lists it is an all-clear"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_name_is_looked_up_and_single_pages_are_parts_of_the_whole() {
    let world = world().await;
    let search = async |query: &str| {
        world.get(&format!("/search/default?{query}"), &world.acme.guest).await.expect(200).json()
    };
    let all = search("q=maduro&limit=100").await;
    let results = all["results"].as_array().unwrap();
    assert!(results.len() > 1 && all["total"]["value"] == results.len(), "{all}");
    assert!(results.iter().any(|result| result["id"] == "ofac-sdn.22790"), "{all}");
    let page = search("q=maduro&limit=1&offset=1").await;
    assert_eq!((&page["results"][0], page["results"].as_array().unwrap().len()), (&results[1], 1));
    assert_eq!((&page["limit"], &page["offset"]), (&json!(1), &json!(1)));
    let facet = &all["facets"]["datasets"]["values"][0];
    assert_eq!((&facet["name"], &facet["count"]), (&json!("ofac-sdn"), &json!(results.len())), "{all}");
    let organisations = search("q=maduro&schema=Company&limit=100").await;
    let organisations = organisations["results"].as_array().unwrap();
    assert!(organisations.iter().all(|result| result["schema"] == "Organization"), "{organisations:?}");
    for (query, about) in
        [("", "q:"), ("q=%21", "q:"), ("q=a&schema=Persn", "Invalid schema"), ("q=a&limit=501", "limit")]
    {
        refused(&world.get(&format!("/search/default?{query}"), &world.acme.guest).await, 400, about);
    }
    refused(&world.get("/search/nowhere?q=a", &world.acme.guest).await, 404, "No such dataset");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_catalog_names_the_lists_with_their_versions() {
    let world = world().await;
    let catalog = world.get("/catalog", &world.acme.guest).await.expect(200).json();
    let names: Vec<&str> =
        catalog["datasets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["default", "all", "ofac-sdn"], "{catalog}");
    assert_eq!((&catalog["current"], &catalog["outdated"]), (&json!(["ofac-sdn"]), &json!([])));
    assert_eq!(catalog["datasets"][0]["children"], json!(["ofac-sdn"]));
    assert!(catalog["datasets"][2]["version"].as_str().unwrap().contains('+'), "{catalog}");
    assert_eq!(world.get("/healthz", "").await.expect(200).json(), json!({"status": "ok"}));
    assert_eq!(world.get("/readyz", "").await.expect(200).json(), json!({"status": "ok"}));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn no_key_a_wrong_key_and_a_key_that_may_not_are_told_so_in_yentes_form() {
    let world = world().await;
    for path in ["/match/default", "/search/default?q=a", "/entities/a", "/catalog", "/algorithms"] {
        let method = if path.starts_with("/match") { Method::POST } else { Method::GET };
        let with = |header: Option<String>| {
            let request = world.request(method.clone(), path, "");
            let request =
                if let Some(value) = header { request.header("Authorization", value) } else { request };
            answer(request.json(&person("A")))
        };
        refused(&with(None).await, 401, "Authorization: ApiKey");
        refused(&with(Some("ApiKey kyb_dev_nobody_0".into())).await, 401, "key");
        refused(&with(Some(format!("ApiKey {}", world.acme.auditor))).await, 403, "Auditor");
    }
    for scheme in ["ApiKey ", "Token ", "Bearer ", ""] {
        let request = world.request(Method::GET, "/catalog", "");
        let request = request.header("Authorization", format!("{scheme}{}", world.acme.guest));
        answer(request).await.expect(200);
    }
    let twice = world.request(Method::GET, "/catalog", &world.acme.guest);
    let twice = twice.header("Authorization", format!("ApiKey {}", world.other.guest));
    refused(&answer(twice).await, 401, "once");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn rate_limits_metrics_and_usage_hold_here_too() {
    let world = World::speaking(both(None), 2).await;
    for left in ["1", "0"] {
        let served = matched(&world, "/match/default", &person("Nicolas Maduro Moros")).await.expect(200);
        assert_eq!(served.header("x-ratelimit-remaining"), left);
    }
    let refused_one = matched(&world, "/match/default", &person("A")).await;
    refused(&refused_one, 429, "rate limit");
    assert_ne!(refused_one.header("retry-after"), "");
    let metrics = world.get("/metrics", "").await.expect(200).text;
    let counted =
        metrics.lines().any(|line| line.contains("/match/{dataset}") && line.contains("tenant_id=\"acme\""));
    assert!(counted, "{metrics}");
    let (store, tenant) = (world.store.clone(), TenantId::try_from("acme").unwrap());
    world.finish().await.unwrap(); // hands the counts over
    let usage = store.tenant(&tenant).usage(chrono::DateTime::UNIX_EPOCH).await.unwrap();
    let [row] = usage.as_slice() else { panic!("{usage:?}") };
    assert_eq!((row.endpoint.as_str(), row.requests, row.errors), ("POST /match/{dataset}", 3, 1));
}

#[tokio::test]
async fn nothing_of_it_is_there_unless_it_is_switched_on() {
    let world = World::start().await.ready().await;
    for path in [
        "/match/default",
        "/search/default",
        "/entities/a",
        "/catalog",
        "/algorithms",
        "/healthz",
        "/v2/search",
    ] {
        world.get(path, &world.acme.service).await.problem(404, "NOT_FOUND");
    }
    world.finish().await.unwrap();
}
