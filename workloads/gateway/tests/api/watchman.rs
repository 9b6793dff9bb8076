//! Watchman's interface over OFAC's list of 2019.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{Answer, World, answer},
    yente::both,
};

#[track_caller]
fn refused(answer: &Answer, status: u16, about: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(body["error"].as_str().unwrap().contains(about), "{body} should say `{about}`");
}

#[tokio::test]
async fn a_person_is_found_in_watchmans_form() {
    let world = World::speaking(both(None), 1_000_000).await;
    let path = "/v2/search?type=person&name=Nicolas+Maduro+Moros&birthDate=1962-11-23&minMatch=0.9&limit=1&gender=male";
    let body = world.get(path, &world.acme.guest).await.expect(200).json();
    assert_eq!(body["query"]["entityType"], "person");
    let [found] = body["entities"].as_array().unwrap().as_slice() else { panic!("{body}") };
    let identity = json!({
        "name": found["name"], "entityType": found["entityType"], "sourceList": found["sourceList"], "sourceID": found["sourceID"],
    });
    let expected = json!({
        "name": "MADURO MOROS, Nicolas", "entityType": "person", "sourceList": "us_ofac", "sourceID": "22790",
    });
    assert_eq!(identity, expected);
    assert!(found["match"].as_f64().unwrap() >= 0.9, "{found}");
    assert_eq!(found["person"]["birthDate"], "1962-11-23T00:00:00Z", "{found}");
    assert_eq!(found["sanctionsInfo"]["programs"], json!(["VENEZUELA"]), "{found}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn only_entries_of_the_type_that_was_asked_for_come_and_each_brings_its_part() {
    let world = World::speaking(both(None), 1_000_000).await;
    for (kind, name, id) in [
        ("business", "Rosoboronexport", "18782"),
        ("organization", "Rosoboronexport", "18782"),
        ("vessel", "ARTAVIL", "15036"),
        ("aircraft", "EP-GOM", "15431"),
    ] {
        let path = format!("/v2/search?type={kind}&name={name}&limit=100");
        let body = world.get(&path, &world.acme.guest).await.expect(200).json();
        let entities = body["entities"].as_array().unwrap();
        assert_eq!(entities[0]["sourceID"], id, "{kind}: {body}");
        let alike =
            |entity: &serde_json::Value| entity["entityType"] == kind && entity[kind]["name"].is_string();
        assert!(entities.iter().all(alike), "{kind}: {body}");
    }
    let person = world.get("/v2/search?type=person&name=ARTAVIL&minMatch=0.9", &world.acme.guest).await;
    assert_eq!(person.expect(200).json()["entities"], json!([]), "a ship is no person");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn lists_are_told_with_counts_and_hashes() {
    let world = World::speaking(both(None), 1_000_000).await;
    let info = world.get("/v2/listinfo", &world.acme.guest).await.expect(200).json();
    assert!(info["lists"]["us_ofac"].as_u64().unwrap() > 7_000, "{info}");
    assert_eq!(info["listHashes"]["us_ofac"].as_str().unwrap().len(), 64, "{info}");
    assert!(info["endedAt"].as_str().unwrap().ends_with('Z') && info["version"].is_string(), "{info}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_key_may_be_the_password_of_the_address_and_errors_have_watchmans_form() {
    let world = World::speaking(both(None), 1_000_000).await;
    let ask = async |password: &str| {
        let basic = format!("Basic {}", STANDARD.encode(format!("kyb:{password}")));
        let request = world.request(Method::GET, "/v2/search?type=vessel&name=ARTAVIL", "");
        answer(request.header("Authorization", basic)).await
    };
    ask(&world.acme.guest).await.expect(200);
    refused(&ask("kyb_dev_nobody_0").await, 401, "key");
    refused(&world.get("/v2/search?type=person&name=A", "").await, 401, "API key");
    refused(&world.get("/v2/listinfo", "").await, 401, "API key");
    let long = "x".repeat(501);
    for (query, about) in [
        ("name=A", "missing type"),
        ("type=ship&name=A", "type"),
        ("type=vessel&imoNumber=9187629", "name"),
        ("type=person&name=%21%21", "name"),
        (&format!("type=person&name={long}"), "name"),
        (&format!("type=person&name=A{}", "&altNames=B".repeat(60)), "at most 50"),
        (&format!("type=person&name=A{}", "&x=1".repeat(600)), "parameters"),
    ] {
        refused(&world.get(&format!("/v2/search?{query}"), &world.acme.guest).await, 400, about);
    }
    world.finish().await.unwrap();
}
