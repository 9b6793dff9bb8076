//! `POST /v1/batches` against the whole: database, gateway, worker and a list, as `kyb serve` runs them.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{program::example_list, serve::Serving};

async fn ask(serving: &Serving, method: Method, path: &str, body: Option<&Value>) -> (u16, String) {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request =
        client.request(method, format!("{}{path}", serving.url)).header("X-API-Key", &serving.key);
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn completed(serving: &Serving, location: &str) -> Value {
    let patience = Instant::now() + Duration::from_mins(2);
    loop {
        let (status, text) = ask(serving, Method::GET, location, None).await;
        let batch: Value = serde_json::from_str(&text).unwrap();
        if batch["status"] == "completed" {
            return batch;
        }
        assert!(status == 200 && Instant::now() < patience, "{batch}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_batch_is_answered_as_single_screenings_would_be() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let serving = Serving::start(&example_list());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let subject = |number: usize| match number % 50 {
            7 => json!({"type": "business", "name": "Rosoboroneksport OAO", "countries": ["RU"]}),
            9 => json!({"type": "vegetable", "name": "Carrot"}),
            _ => json!({"type": "business", "name": format!("Backhaus Morgenrot {number}")}),
        };
        let subjects: Vec<Value> = (0..450).map(subject).collect();
        let (status, text) =
            ask(&serving, Method::POST, "/v1/batches", Some(&json!({"subjects": subjects}))).await;
        assert_eq!(status, 202, "{text}");
        let batch: Value = serde_json::from_str(&text).unwrap();
        let location = format!("/v1/batches/{}", batch["id"].as_str().unwrap());
        let done = completed(&serving, &location).await;
        assert_eq!(done["counts"], json!({"no_hit": 432, "in_review": 9, "error": 9}), "{done}");
        let (_, text) = ask(&serving, Method::GET, &format!("{location}/results"), None).await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 450);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line["index"], number);
            assert_eq!(line["error"].is_object(), number % 50 == 9, "{line}");
        }
        for number in [0, 7, 449] {
            let single = json!({"subject": subject(number)});
            let (_, text) = ask(&serving, Method::POST, "/v1/screenings", Some(&single)).await;
            let mut single: Value = serde_json::from_str(&text).unwrap();
            let mut of_batch = lines[number]["screening"].clone();
            for each in [&mut single, &mut of_batch] {
                each["id"] = json!(null);
                each["created_at"] = json!(null);
            }
            assert_eq!(of_batch, single, "{number}");
        }
    });
    let Serving { mut child, .. } = serving;
    child.kill().unwrap();
    child.wait().unwrap();
}
