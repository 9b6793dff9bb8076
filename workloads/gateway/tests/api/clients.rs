//! Clients that others wrote, against a running gateway: nomenklatura's yente enricher and Watchman's Go client.
//!
//! They are fetched by `make test-clients`, which runs these tests; a plain `cargo test` leaves them out.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{harness::World, yente::both};

/// Where `scripts/clients.sh` puts what it fetched.
fn fetched() -> PathBuf {
    std::env::var_os("KYB_CLIENTS").unwrap_or_else(|| panic!("run this by `make test-clients`")).into()
}

/// Runs a client with the gateway's address and a guest's key; gives whether it was content, and what it said.
async fn run(mut program: Command, world: &World, key: &str) -> (bool, String) {
    let program =
        program.env("KYB_URL", &world.base).env("KYB_KEY", key).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(3), program.output()).await.unwrap().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

fn enricher() -> Command {
    let mut program = Command::new(fetched().join("python/bin/python"));
    program.arg("tests/clients/yente/enrich.py");
    program
}

fn watchman() -> Command {
    Command::new(fetched().join("watchman.test"))
}

#[tokio::test]
#[ignore = "needs what `make test-clients` fetches"]
async fn the_yente_enricher_of_nomenklatura_finds_and_reads_entries() {
    let world = World::speaking(both(None), 1_000_000).await;
    let (content, said) = run(enricher(), &world, &world.acme.guest).await;
    assert!(content, "{said}");
    // The twin: without a key that is good the very same program must fail.
    let (content, said) = run(enricher(), &world, "kyb_dev_nobody_0").await;
    assert!(!content && said.contains("Authorization failure"), "{said}");
    world.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs what `make test-clients` fetches"]
async fn watchmans_go_client_finds_entries_and_reads_the_lists() {
    let world = World::speaking(both(None), 1_000_000).await;
    let (content, said) = run(watchman(), &world, &world.acme.guest).await;
    assert!(content, "{said}");
    let (content, said) = run(watchman(), &world, "kyb_dev_nobody_0").await;
    assert!(!content, "{said}");
    world.finish().await.unwrap();
}
