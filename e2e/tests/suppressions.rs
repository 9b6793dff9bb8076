//! What a person said of a match holds wherever the same subject is screened: by the gateway, and by the worker later.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use anyhow::ensure;
use kyb_e2e::{Client, ListPlan, Plan, Platform, TenantPlan, lists, waiting::until};
use serde_json::{Value, json};

const LISTED: (u32, &str) = (18068, "ROSOBORONEKSPORT OAO");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// What was queued, once it is completed.
async fn completed(client: &Client, path: &str, body: &Value, headers: &[(&str, &str)]) -> Value {
    let queued = client.post_with(path, body, headers).await.unwrap().expect(202).unwrap();
    let path = format!("{path}/{}", text(&queued["id"]));
    let done = async || {
        let found = client.get(&path).await?.expect(200)?;
        ensure!(found["status"] == "completed", "{found}");
        Ok(found)
    };
    until(&path, Duration::from_mins(1), done).await.unwrap()
}

/// The status of the listed company's screening: by itself, in a verification, in one that the worker makes, and in a batch.
async fn statuses(client: &Client) -> [String; 4] {
    let subject = json!({"type": "business", "name": LISTED.1});
    let by_itself = client.screen(&subject).await.unwrap();
    let business = json!({"name": LISTED.1});
    let verified = client.verify(&business).await.unwrap();
    let request = json!({ "business": business });
    let later = completed(client, "/v1/verifications", &request, &[("prefer", "respond-async")]).await;
    let batch = completed(client, "/v1/batches", &json!({"subjects": [subject]}), &[]).await;
    let results = client.get(&format!("/v1/batches/{}/results", text(&batch["id"]))).await.unwrap();
    let result = results.expect(200).unwrap();
    let found = [
        &by_itself["status"],
        &verified["screenings"][0]["status"],
        &later["screenings"][0]["status"],
        &result["screening"]["status"],
    ];
    found.map(|status| text(status).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppression_holds_wherever_its_subject_is_screened_and_no_longer_than_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    lists::write(folder.path(), &lists::ofac_trio(&[LISTED])).unwrap();
    let manager = TenantPlan { role: "ContextManager", ..TenantPlan::new("acme") };
    let plan = Plan { tenants: vec![manager], lists: vec![ListPlan::ofac(folder.path())], ..Plan::default() };
    let platform = Platform::start(plan).await.unwrap();
    let acme = platform.client("acme").unwrap();
    platform.fresh(&acme).await.unwrap();
    assert_eq!(statuses(&acme).await, ["in_review"; 4]);

    let screening = acme.screen(&json!({"type": "business", "name": LISTED.1})).await.unwrap();
    let path = format!("/v1/screenings/{}/matches/ofac-sdn/{}/decisions", text(&screening["id"]), LISTED.0);
    let decision = json!({"status": "false_positive", "reason": "Another company.", "suppress": {}});
    let decided = acme.post(&path, &decision).await.unwrap().expect(201).unwrap();
    assert_eq!(statuses(&acme).await, ["no_hit"; 4]);

    let withdrawal = format!("/v1/suppressions/{}/withdraw", text(&decided["suppression_id"]));
    acme.post(&withdrawal, &json!({"reason": "Decided too fast."})).await.unwrap().expect(200).unwrap();
    assert_eq!(statuses(&acme).await, ["in_review"; 4]);
}
