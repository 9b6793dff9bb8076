//! What a person says about a match is kept, and what it suppresses stays suppressed only while nothing changed.

use chrono::{TimeDelta, Utc};
use kyb_domain::{audit::AuditAction, list::Entry};
use kyb_gateway::GatewayOptions;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, World, answer, listed_company, until, watchlists_of};

/// A subject of which every attribute is known, and that is like the listed company.
fn subject() -> Value {
    json!({
        "type": "business", "name": "Rosoboroneksport", "aliases": ["Rosoboron"], "countries": ["RU"],
        "birth_date": "2000-11-04", "addresses": ["Lenina 1, Omsk"],
        "identifiers": [{"kind": "tax_id", "value": "77-18", "country": "RU"}],
    })
}

async fn screen(world: &World, key: &str, subject: &Value) -> Value {
    world.post("/v1/screenings", key, &json!({"subject": subject})).await.expect(201).json()
}

/// Status of a new screening of this subject, of its match, and the suppression it names.
async fn state(world: &World, subject: &Value) -> (String, String, Option<String>) {
    let screening = screen(world, &world.acme.service, subject).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = &screening["matches"][0];
    let said = screening["reasons"].to_string().contains("MATCHES_SUPPRESSED");
    assert_eq!(said, found["suppression_id"].is_string(), "{screening}");
    let suppression = found["suppression_id"].as_str().map(str::to_owned);
    (text(&screening["status"]), text(&found["status"]), suppression)
}

fn asked() -> (String, String, Option<String>) {
    ("in_review".into(), "pending".into(), None)
}

fn quiet(suppression: &str) -> (String, String, Option<String>) {
    ("no_hit".into(), "false_positive".into(), Some(suppression.to_owned()))
}

fn place(screening: &Value) -> String {
    let found = &screening["matches"][0];
    let part = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, list, entry) = (part(&screening["id"]), part(&found["list"]), part(&found["entry_id"]));
    format!("/v1/screenings/{id}/matches/{list}/{entry}/decisions")
}

async fn decide(world: &World, screening: &Value, body: &Value) -> Answer {
    world.post(&place(screening), &world.acme.manager, body).await
}

/// Screens, decides that it is somebody else from now on, and gives screening and suppression.
async fn suppressed(world: &World, suppress: &Value) -> (Value, String) {
    let screening = screen(world, &world.acme.service, &subject()).await;
    assert_eq!(screening["status"], "in_review", "{screening}");
    let body = json!({"status": "false_positive", "reason": "Another company.", "suppress": suppress});
    let decided = decide(world, &screening, &body).await.expect(201).json();
    (screening, decided["suppression_id"].as_str().unwrap().to_owned())
}

/// Another gateway over the same store, with another version of the list.
async fn with_list(world: &World, entry: Entry, sha256: &str) -> World {
    let lists = watchlists_of(entry, sha256);
    World::over_lists(world.store.clone(), GatewayOptions::default(), 1_000_000, lists).await.ready().await
}

#[tokio::test]
async fn a_decision_is_shown_with_who_when_and_why_and_the_status_stays_as_recorded() {
    let world = World::start().await.ready().await;
    let screening = screen(&world, &world.acme.service, &subject()).await;
    let path = format!("/v1/screenings/{}", screening["id"].as_str().unwrap());
    let before = world.get(&path, &world.acme.guest).await.expect(200);
    assert_eq!((before.header("etag"), before.json()), ("\"0\"", screening.clone()));
    for (status, reason) in [("false_positive", "Another company."), ("confirmed", "It is them after all.")] {
        let decided =
            decide(&world, &screening, &json!({"status": status, "reason": reason})).await.expect(201);
        assert_eq!(decided.header("location"), path);
    }
    let after = world.get(&path, &world.acme.guest).await.expect(200);
    let (tag, after) = (after.header("etag").to_owned(), after.json());
    assert_eq!((tag.as_str(), &after["status"]), ("\"2\"", &json!("in_review")));
    let found = &after["matches"][0];
    assert_eq!(found["status"], "confirmed");
    assert_eq!(found["decisions"][0]["reason"], "Another company.");
    assert_eq!(found["decisions"][0]["status"], "false_positive");
    assert_eq!(found["decisions"][1]["decided_by"], json!({"kind": "api_key", "id": "acmemanager"}));
    assert!(found["decisions"][1]["decided_at"].is_string(), "{found}");
    let acme = world.store.tenant(&"acme".parse().unwrap());
    let events = acme.audit_events(0, 100).await.unwrap();
    let decided: Vec<_> = events.iter().filter(|event| event.action == AuditAction::MatchDecided).collect();
    assert_eq!(decided.len(), 2);
    assert_eq!(
        (&decided[0].actor.id, &decided[0].detail["status"]),
        (&"acmemanager".to_owned(), &json!("false_positive"))
    );
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_decision_is_made_once_and_only_on_what_was_read() {
    let world = World::start().await.ready().await;
    let screening = screen(&world, &world.acme.service, &subject()).await;
    let send = async |key: &str, tag: &str| {
        let request = world.request(Method::POST, &place(&screening), &world.acme.manager);
        let body = json!({"status": "confirmed", "reason": "Same address."});
        answer(request.header("Idempotency-Key", key).header("If-Match", tag).json(&body)).await
    };
    let first = send("k1", "\"0\"").await.expect(201);
    let again = send("k1", "\"0\"").await.expect(201);
    assert_eq!((again.header("idempotent-replayed"), again.json()), ("true", first.json()));
    send("k2", "\"0\"").await.problem(412, "PRECONDITION_FAILED");
    send("k2", "\"1\"").await.expect(201);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_decision_that_says_too_little_or_too_much_is_refused_and_pointed_at() {
    let world = World::start().await.ready().await;
    let screening = screen(&world, &world.acme.service, &subject()).await;
    let past = Utc::now() - TimeDelta::seconds(1);
    let table = [
        (json!({"status": "confirmed"}), ""),
        (json!({"status": "confirmed", "reason": " "}), "/reason"),
        (json!({"status": "confirmed", "reason": "x".repeat(1001)}), "/reason"),
        (json!({"status": "cleared", "reason": "x"}), "/status"),
        (json!({"status": "confirmed", "reason": "x", "suppress": {}}), "/suppress"),
        (
            json!({"status": "false_positive", "reason": "x", "suppress": {"expires_at": past}}),
            "/suppress/expires_at",
        ),
        (json!({"status": "false_positive", "reason": "x", "until": past}), "/until"),
    ];
    for (body, pointer) in table {
        let refused = decide(&world, &screening, &body).await.problem(422, "INVALID_INPUT");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}: {refused}");
    }
    let missing = place(&screening).replace("18068", "18069");
    let body = json!({"status": "confirmed", "reason": "x"});
    world.post(&missing, &world.acme.manager, &body).await.problem(404, "NOT_FOUND");
    assert_eq!(state(&world, &subject()).await, asked());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn who_may_not_decide_is_refused_and_decides_nothing() {
    let world = World::start().await.ready().await;
    let (screening, suppression) = suppressed(&world, &json!({})).await;
    let withdraw = format!("/v1/suppressions/{suppression}/withdraw");
    for key in [&world.acme.service, &world.acme.confined, &world.acme.guest, &world.acme.auditor] {
        let body = json!({"status": "confirmed", "reason": "x"});
        world.post(&place(&screening), key, &body).await.problem(403, "FORBIDDEN");
        world.post(&withdraw, key, &json!({"reason": "x"})).await.problem(403, "FORBIDDEN");
    }
    assert_eq!(state(&world, &subject()).await, quiet(&suppression));
    world.get("/v1/suppressions", &world.acme.guest).await.expect(200);
    world.get("/v1/suppressions", &world.acme.auditor).await.problem(403, "FORBIDDEN");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_suppression_holds_for_the_same_subject_and_entry_until_it_is_withdrawn() {
    let world = World::start().await.ready().await;
    let (first, suppression) = suppressed(&world, &json!({})).await;
    assert_eq!(state(&world, &subject()).await, quiet(&suppression));
    let path = format!("/v1/screenings/{}", first["id"].as_str().unwrap());
    let recorded = world.get(&path, &world.acme.service).await.json();
    assert_eq!(
        (&recorded["status"], &recorded["matches"][0]["status"]),
        (&json!("in_review"), &json!("false_positive"))
    );

    let path = format!("/v1/suppressions/{suppression}");
    let read = world.get(&path, &world.acme.service).await.expect(200).json();
    assert_eq!((&read["reason"], &read["screening_id"]), (&json!("Another company."), &first["id"]));
    let listed = world.get("/v1/suppressions?limit=1", &world.acme.service).await.expect(200).json();
    assert_eq!(listed, json!({"suppressions": [read]}));
    let why = json!({"reason": "Decided too fast."});
    let ended = world.post(&format!("{path}/withdraw"), &world.acme.manager, &why).await.expect(200).json();
    assert_eq!(ended["withdrawn"]["reason"], "Decided too fast.");
    assert_eq!(ended["withdrawn"]["by"]["id"], "acmemanager");
    assert_eq!(state(&world, &subject()).await, asked());

    let acme = world.store.tenant(&"acme".parse().unwrap());
    let events = acme.audit_events(0, 100).await.unwrap();
    let about: Vec<_> = events.iter().filter(|event| event.object == suppression).collect();
    let actions: Vec<_> = about.iter().map(|event| event.action).collect();
    assert_eq!(actions, [AuditAction::SuppressionCreated, AuditAction::SuppressionWithdrawn]);
    assert_eq!(acme.verify_audit_chain().await.unwrap(), None);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn any_change_of_the_subject_asks_again() {
    let world = World::start().await.ready().await;
    let (_, suppression) = suppressed(&world, &json!({})).await;
    let changes = [
        ("type", json!("unknown")),
        ("name", json!("Rosoboroneksport OAO")),
        ("aliases", json!(["Rosoboron", "Rosoboroneks"])),
        ("countries", json!(["RU", "BY"])),
        ("birth_date", json!("2000-11")),
        ("addresses", json!(["Lenina 2, Omsk"])),
        ("identifiers", json!([{"kind": "tax_id", "value": "77-19", "country": "RU"}])),
    ];
    for (field, value) in changes {
        let mut other = subject();
        other[field] = value;
        assert_eq!(state(&world, &other).await, asked(), "{other}");
        if field != "name" {
            other.as_object_mut().unwrap().remove(field);
            assert_eq!(state(&world, &other).await, asked(), "{other}");
        }
    }
    let mut spelt = subject();
    spelt["name"] = json!("ROSOBORONEKSPORT");
    spelt["identifiers"][0]["value"] = json!("7718");
    assert_eq!(state(&world, &spelt).await, quiet(&suppression), "spelling is no change");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_changed_entry_asks_again_and_another_version_of_the_list_does_not() {
    let world = World::start().await.ready().await;
    let (_, suppression) = suppressed(&world, &json!({})).await;
    let mut changed = listed_company();
    changed.programs.push("RUSSIA-EO14024".into());
    let newer = with_list(&world, changed, "2f").await;
    assert_eq!(state(&newer, &subject()).await, asked());
    let same = with_list(&world, listed_company(), "3f").await;
    assert_eq!(state(&same, &subject()).await, quiet(&suppression));
    for world in [world, newer, same] {
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_expired_suppression_asks_again() {
    let world = World::start().await.ready().await;
    let end = Utc::now() + TimeDelta::seconds(8);
    suppressed(&world, &json!({"expires_at": end})).await;
    until(async || state(&world, &subject()).await == asked()).await;
    assert!(Utc::now() >= end, "not before its time");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn another_tenants_suppression_does_nothing() {
    let world = World::start().await.ready().await;
    let (screening, suppression) = suppressed(&world, &json!({})).await;
    let others = screen(&world, &world.other.service, &subject()).await;
    assert_eq!(
        (&others["status"], &others["matches"][0]["status"]),
        (&json!("in_review"), &json!("pending"))
    );
    let listed = world.get("/v1/suppressions", &world.other.manager).await.expect(200).json();
    assert_eq!(listed, json!({"suppressions": []}));
    let body = json!({"status": "confirmed", "reason": "x"});
    world.post(&place(&screening), &world.other.manager, &body).await.problem(404, "NOT_FOUND");
    assert_eq!(state(&world, &subject()).await, quiet(&suppression));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn confirming_a_match_anywhere_ends_its_suppression() {
    let world = World::start().await.ready().await;
    suppressed(&world, &json!({})).await;
    let later = screen(&world, &world.acme.service, &subject()).await;
    assert_eq!(later["status"], "no_hit");
    let body = json!({"status": "confirmed", "reason": "The register says so."});
    decide(&world, &later, &body).await.expect(201);
    let path = format!("/v1/screenings/{}", later["id"].as_str().unwrap());
    let shown = world.get(&path, &world.acme.service).await.json();
    assert_eq!(shown["matches"][0]["status"], "confirmed");
    assert_eq!(state(&world, &subject()).await, asked());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_the_cache_kept_is_suppressed_and_asked_about_like_what_was_searched() {
    let world = World::start().await.ready().await;
    let classes = json!([{"name": "sanctions", "ttl": "24h"}]);
    let platform =
        json!({"lists": [], "cache": {"classes": classes, "memory": {"max_entries": 1000, "ttl": "5m"}}});
    std::fs::write(world.settings.path().join("platform.yaml"), platform.to_string()).unwrap();
    let ask = async || {
        world.post("/v1/screenings", &world.acme.service, &json!({"subject": subject()})).await.expect(201)
    };
    until(async || ask().await.header("x-kyb-cache") == "hit").await;
    let (_, suppression) = suppressed(&world, &json!({})).await;
    let kept = ask().await;
    assert_eq!((kept.header("x-kyb-cache"), &kept.json()["status"]), ("hit", &json!("no_hit")));
    let path = format!("/v1/suppressions/{suppression}/withdraw");
    world.post(&path, &world.acme.manager, &json!({"reason": "A mistake."})).await.expect(200);
    let kept = ask().await;
    assert_eq!((kept.header("x-kyb-cache"), &kept.json()["status"]), ("hit", &json!("in_review")));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_verification_of_the_same_business_is_not_raised_by_a_suppressed_match_and_shows_it() {
    let world = World::start().await.ready().await;
    let business = json!({"business": {"name": "Rosoboroneksprot OAO", "country": "RU"}});
    let verify = async || {
        let answer = world.post("/v1/verifications", &world.acme.service, &business).await.expect(201).json();
        let checks = answer["checks"].as_array().unwrap().clone();
        let watchlist = checks.into_iter().find(|check| check["name"] == "watchlist").unwrap();
        (answer, watchlist)
    };
    let (raised, check) = verify().await;
    assert_eq!((&check["status"], &raised["risk"]["level"]), (&json!("failure"), &json!("critical")));
    let body = json!({"status": "false_positive", "reason": "Another company.", "suppress": {}});
    let decided = decide(&world, &raised["screenings"][0], &body).await.expect(201).json();

    let (quiet, check) = verify().await;
    assert_eq!(check["status"], "success", "{check}");
    assert_eq!(check["reasons"][0]["code"], "MATCHES_SUPPRESSED");
    assert!(check["evidence"].to_string().contains(decided["suppression_id"].as_str().unwrap()), "{check}");
    assert!(!quiet["risk"].to_string().contains("SANCTIONS"), "{quiet}");
    assert_eq!(quiet["screenings"][0]["matches"][0]["status"], "false_positive");
    assert_eq!(quiet["decision"]["outcome"], "review", "for want of a proof of identity");
    let assessed = json!({"business": business["business"]});
    let risk = world.post("/v1/risk-assessments", &world.acme.service, &assessed).await.expect(200).json();
    assert_eq!(risk["score"], quiet["risk"]["score"]);
    world.finish().await.unwrap();
}
