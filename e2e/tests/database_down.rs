//! A database that is away takes nothing down with it: no restart, no lie, and service again as soon as it is back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::time::Duration;

use anyhow::ensure;
use kyb_e2e::{Client, Database, Plan, Platform, waiting::until};
use serde_json::json;

/// How soon an outage must show, and how soon its end.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_waits_for_its_database_and_outlives_it() {
    let database = Database::start(false).await.unwrap();
    database.server().stop();

    // Down at start.
    let mut platform = Platform::on(database, Plan::new()).await.unwrap();
    until("/health", SOON, || alive(platform.anonymous())).await.unwrap();
    is_down(&platform).await;
    assert!(!platform.gateway().unwrap().has_ended());
    let first = platform.gateway().unwrap().pid();

    // Up: served without a restart.
    platform.database.server().restart().unwrap();
    platform.ready().await.unwrap();
    let acme = platform.client("acme").unwrap();
    let stored = acme.verify(&json!({"name": "Oak Street Dental Care LLC", "country": "US"})).await.unwrap();
    let path = format!("/v1/verifications/{}", stored["id"].as_str().unwrap());

    // Down again, in good order and by a crash; what was stored is served afterwards.
    for crash in [false, true] {
        if crash {
            platform.database.server().crash();
        } else {
            platform.database.server().stop();
        }
        is_down(&platform).await;
        platform.database.server().restart().unwrap();
        until("the stored verification", SOON, || async {
            let answer = acme.get(&path).await?;
            ensure!(answer.expect(200)? == stored);
            Ok(())
        })
        .await
        .unwrap();
        let business = json!({"name": "Optiker Brunner AG"});
        until("a new verification", SOON, || acme.verify(&business)).await.unwrap();
        platform.ready().await.unwrap();
    }
    assert_eq!(platform.gateway().unwrap().pid(), first, "no restart");
    assert_eq!(platform.gateway().unwrap().stop().unwrap(), 0, "stops in good order");
}

async fn alive(client: &Client) -> anyhow::Result<()> {
    let answer = client.get("/health").await?;
    ensure!(answer.status == 200, "{}", answer.status);
    Ok(())
}

/// `/ready` and every route of a tenant's data say 503 and when to come again, `/health` stays 200.
async fn is_down(platform: &Platform) {
    until("/ready to say no", SOON, || async {
        let answer = platform.anonymous().get("/ready").await?;
        ensure!(answer.status == 503, "{}", answer.status);
        Ok(())
    })
    .await
    .unwrap();
    let acme = platform.client("acme").unwrap();
    let business = json!({"name": "Bäckerei Hartmann GmbH"});
    let requests = [
        acme.post("/v1/verifications", &json!({ "business": business })).await,
        acme.post("/v1/businesses", &business).await,
        acme.get("/v1/businesses/biz_01890a5d-ac96-774b-bcce-b302099a8057").await,
    ];
    for answer in requests {
        let answer = answer.unwrap();
        let problem = answer.expect(503).unwrap();
        let code = problem["code"].as_str().unwrap();
        assert!(["UNAVAILABLE", "STARTING"].contains(&code), "{problem}");
        let detail = answer.expect_problem(503, code).unwrap();
        assert!(detail.contains("retry"), "{detail}");
        assert!(
            answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
            "{:?}",
            answer.headers
        );
    }
    alive(platform.anonymous()).await.unwrap();
}
