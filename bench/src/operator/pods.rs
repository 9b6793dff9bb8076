//! Tenants in a region of real pods, from the apply to `Ready` and to the first answer for their key.
//!
//! The times are this program's own, and so hold the way of every write through settings, gateways, heartbeats, the worker's
//! report and back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::wait::await_condition,
};
use kyb_crds::KybTenant;
use kyb_e2e::{Demo, demo::REGION, waiting::until};

use super::{
    ROUNDS,
    tenant::{self, Shape},
};
use crate::{figure::Figure, rounds::median};

/// How long a tenant may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Milliseconds since the apply.
struct Times {
    /// A gateway has answered a request with the tenant's key.
    served: f64,
    /// Its status says `Ready`.
    ready: f64,
}

/// Makes the region, measures in it, and takes it down.
pub(super) async fn measure() -> anyhow::Result<()> {
    let Some(demo) = Demo::new("bench", None)? else {
        eprintln!("operator: a region of pods needs root; how soon a tenant is Ready is not measured");
        return Ok(());
    };
    tokio::task::block_in_place(|| demo.script("up"))?;
    let kubeconfig = Kubeconfig::read_from(demo.kubeconfig()?)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let tenants = Api::all(Client::try_from(config)?);
    let door = kyb_e2e::Client::new(demo.open_door()?)?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let times = one(&demo, &tenants, &door, &format!("pods-{round}")).await?;
        eprintln!(
            "operator: on pods, round {round} of {ROUNDS}: {:.0} ms to the first answer, {:.0} ms to Ready",
            times.served, times.ready
        );
        rounds.push(times);
    }
    Figure::new(
        "tenant_apply_to_first_answer_on_pods",
        median(rounds.iter().map(|times| times.served)),
        "ms",
    )
    .print();
    Figure::new("tenant_apply_to_ready_on_pods", median(rounds.iter().map(|times| times.ready)), "ms")
        .print();
    Ok(())
}

async fn one(
    demo: &Demo,
    tenants: &Api<KybTenant>,
    door: &kyb_e2e::Client,
    id: &str,
) -> anyhow::Result<Times> {
    let manifest: KybTenant = serde_json::from_value(tenant::manifest(id, REGION, Shape::Usual))?;
    let begun = Instant::now();
    tenants.create(&PostParams::default(), &manifest).await?;
    let (served, ready) = tokio::join!(until_served(demo, door, id, begun), until_ready(tenants, id, begun));
    Ok(Times { served: served?, ready: ready? })
}

async fn until_served(demo: &Demo, door: &kyb_e2e::Client, id: &str, begun: Instant) -> anyhow::Result<f64> {
    let key = until("the key", PATIENCE, async || tokio::task::block_in_place(|| demo.key_of(id))).await?;
    let door = door.with_key(key);
    until("the gateway to know the key", PATIENCE, async || {
        let answer = door.get("/v1/watchlists").await?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok(milliseconds(begun))
    })
    .await
}

async fn until_ready(tenants: &Api<KybTenant>, id: &str, begun: Instant) -> anyhow::Result<f64> {
    let waiting =
        await_condition(tenants.clone(), id, |tenant: Option<&KybTenant>| tenant.is_some_and(is_ready));
    tokio::time::timeout(PATIENCE, waiting).await.context("the tenant did not get Ready")??;
    Ok(milliseconds(begun))
}

fn is_ready(tenant: &KybTenant) -> bool {
    let conditions = tenant.status.iter().flat_map(|status| &status.conditions);
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}
