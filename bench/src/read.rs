//! Reading a verification over HTTP beside a bare hyper server that answers the same bytes.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use kyb_e2e::{ListPlan, Plan, Platform};
use serde_json::json;

use crate::{
    Setup, bare,
    figure::{Figure, print_pair},
    load::{self, Measured, Requests},
    rounds::{alternate, median},
};

/// Prints answers per second and the 99th percentile of the time that one takes.
pub(crate) async fn measure(setup: &Setup) -> anyhow::Result<()> {
    let lists = vec![ListPlan { refresh_seconds: 3600, ..ListPlan::ofac(&setup.lists) }];
    let platform = Platform::start(Plan { lists, ..Plan::new() }).await?;
    let client = platform.client("acme")?;
    let stored = client.verify(&json!({"name": "Oak Street Dental Care LLC", "country": "US"})).await?;
    let path =
        format!("/v1/verifications/{}", stored["id"].as_str().context("a verification without an id")?);
    let body = client.get(&path).await?.body;
    let folder = tempfile::tempdir()?;
    let (_bare, bare) = bare::start(folder.path(), &body).await?;
    let gateway = SocketAddr::from(([127, 0, 0, 1], platform.port()));

    let request = load::get(&path, platform.settings.key("acme")?);
    let requests: Requests = Arc::new(move |_, _| request.clone());
    let load = async |server, latencies: &mut Vec<f64>| -> anyhow::Result<f64> {
        let Measured { per_second, p99_us } =
            load::run(server, setup.connections, setup.round, 200, &requests).await?;
        latencies.push(p99_us);
        Ok(per_second)
    };
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    load(gateway, &mut Vec::new()).await?; // connections of the pool are made, pages of the table are read
    let name = "get_verification_per_second";
    let pair = alternate(
        name,
        setup.rounds,
        async || load(gateway, &mut ours).await,
        async || load(bare, &mut bares).await,
    );
    let pair = pair.await?;
    print_pair(name, "1/s", &pair);
    let (ours, bares) = (median(ours.into_iter()), median(bares.into_iter()));
    Figure::new("get_verification_p99", ours, "us").beside(bares).print();
    Ok(())
}
