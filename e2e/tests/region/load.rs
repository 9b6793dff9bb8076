//! A load that one gateway can't bear comfortably, and how the region grows under it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use kyb_e2e::Demo;

use serde_json::json;

use super::customer::Door;

const REGION: &str = "rd/us-east-1";
const AUTOSCALER: &str = "hpa/kyb-gateway";
const GATEWAY: &str = "deployment/kyb-gateway";
/// Requests under way at the same time that wait for the database, too.
const CALLERS: usize = 16;
/// And of those that do not: on a busy machine the others alone would leave the gateway waiting.
const READERS: usize = 4;
/// What a gateway asks for here: so little that it gets more than that of a busy machine, too.
const SMALL_REQUEST: &str = "50m";
/// In per cent of the request; the autoscaler is content with twice as much.
const AT_REST: i64 = 35;
/// Within this time more gateways must be wanted.
const LIMIT: Duration = Duration::from_mins(2);

/// The autoscaler sees live CPU and adds gateways; the operator never writes how many there are.
pub(crate) async fn grows_under_load(demo: &Demo, door: &Door) -> anyhow::Result<()> {
    asks_for_little(demo)?;
    let answers = Arc::new(Mutex::new(BTreeMap::<u16, u64>::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS + READERS)
        .map(|number| {
            tokio::spawn(call(number < READERS, door.clone(), Arc::clone(&answers), Arc::clone(&stop)))
        })
        .collect();
    let grown = watch(demo);
    stop.store(true, Ordering::Relaxed);
    futures::future::join_all(callers).await;
    let answers = answers.lock().map_err(|_| anyhow::anyhow!("a caller panicked"))?.clone();
    eprintln!("answers by status under load: {answers:?}");
    grown?;
    ensure!(answers.keys().all(|status| *status < 500), "{answers:?}");
    nobody_but_the_autoscaler_writes_replicas(demo)
}

/// A new gateway with the small request, at rest.
fn asks_for_little(demo: &Demo) -> anyhow::Result<()> {
    let request =
        json!({"spec": {"services": {"gateway": {"resources": {"requests": {"cpu": SMALL_REQUEST}}}}}});
    demo.patch(REGION, &request)?;
    demo.until(|| {
        let gateway = demo.get(GATEWAY)?;
        let (spec, status) = (&gateway["spec"], &gateway["status"]);
        let requested = &spec["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"];
        ensure!(requested == SMALL_REQUEST, "a gateway asks for {requested}");
        let seen = &status["observedGeneration"];
        ensure!(*seen == gateway["metadata"]["generation"], "not yet seen by its controller");
        for pods in ["updatedReplicas", "readyReplicas", "replicas"] {
            ensure!(status[pods] == spec["replicas"], "{pods}: {} of {}", status[pods], spec["replicas"]);
        }
        let cpu = cpu(demo)?;
        ensure!(cpu <= AT_REST, "CPU {cpu} % of the request before there is a load");
        Ok(())
    })
}

async fn call(reads: bool, door: Door, answers: Arc<Mutex<BTreeMap<u16, u64>>>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let status =
            if reads { door.read_description().await } else { door.verify("Backhaus Morgenrot GmbH").await };
        // 0 stands for no answer at all.
        let status = status.map_or(0, |status| status.as_u16());
        if let Ok(mut answers) = answers.lock() {
            *answers.entry(status).or_default() += 1;
        }
    }
}

/// Prints each change of how many gateways are wanted and ready; content once there are more than in the beginning, and they
/// are ready.
fn watch(demo: &Demo) -> anyhow::Result<()> {
    let (begun, first) = (Instant::now(), Gateways::of(demo)?);
    eprintln!("   0.0 s  load begins: {first:?}, CPU {} % of the request", cpu(demo)?);
    let mut before = first;
    while begun.elapsed() < LIMIT || before.wanted > first.wanted {
        let now = Gateways::of(demo)?;
        let at = begun.elapsed().as_secs_f64();
        if now != before {
            eprintln!("{at:6.1} s  {now:?}, CPU {} %", cpu(demo).unwrap_or_default());
            before = now;
        }
        if now.ready > first.ready {
            return Ok(());
        }
        ensure!(begun.elapsed() < LIMIT + LIMIT, "the gateways that were added are not ready: {before:?}");
        std::thread::sleep(Duration::from_millis(500)); // between two looks
    }
    anyhow::bail!("no gateway was added within {LIMIT:?}: {}", demo.get(AUTOSCALER)?["status"])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gateways {
    wanted: i64,
    ready: i64,
}

impl Gateways {
    fn of(demo: &Demo) -> anyhow::Result<Self> {
        let gateway = demo.get(GATEWAY)?;
        let wanted = gateway["spec"]["replicas"].as_i64().context("no number of gateways is wanted")?;
        let ready = gateway["status"]["readyReplicas"].as_i64().context("no gateway is ready")?;
        Ok(Self { wanted, ready })
    }
}

/// What the autoscaler sees, in per cent of what the pods ask for.
fn cpu(demo: &Demo) -> anyhow::Result<i64> {
    let autoscaler = demo.get(AUTOSCALER)?;
    let metrics = autoscaler["status"]["currentMetrics"].as_array().context("no metrics yet")?.clone();
    let cpu = metrics.iter().find(|metric| metric["resource"]["name"] == "cpu").context("no CPU yet")?;
    cpu["resource"]["current"]["averageUtilization"].as_i64().context("no figure yet")
}

fn nobody_but_the_autoscaler_writes_replicas(demo: &Demo) -> anyhow::Result<()> {
    let gateway = demo.get(GATEWAY)?;
    let managers = gateway["metadata"]["managedFields"].as_array().context("no managed fields")?;
    let writers: Vec<_> = managers
        .iter()
        .filter(|entry| entry.pointer("/fieldsV1/f:spec/f:replicas").is_some())
        .map(|entry| entry["manager"].as_str().unwrap_or_default())
        .collect();
    ensure!(!writers.iter().any(|writer| writer.starts_with("kyb")), "written by {writers:?}");
    Ok(())
}
