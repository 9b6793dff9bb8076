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

use reqwest::Response;
use serde_json::{Value, json};

use super::customer::Door;

const REGION: &str = "rd/us-east-1";
const AUTOSCALER: &str = "hpa/kyb-gateway";
const GATEWAY: &str = "deployment/kyb-gateway";
/// Requests under way at the same time that wait for the database, too.
const CALLERS: usize = 16;
/// And of those that do not: on a busy machine the others alone would leave the gateway waiting.
const READERS: usize = 4;
/// Of the processor time that a gateway asks for, in per cent: so little that a busy machine gives it more than that.
const TARGET: i64 = 20;
/// One request in so many may go without an answer: on a machine that is busy enough, a gateway is taken for dead and started again.
const MOST_UNANSWERED: u64 = 1000;
/// Within this time more gateways must be wanted.
const LIMIT: Duration = Duration::from_mins(2);

/// The autoscaler sees live CPU and adds gateways; the operator never writes how many there are.
pub(crate) async fn grows_under_load(demo: &Demo, door: &Door) -> anyhow::Result<()> {
    is_easily_content(demo)?;
    let answers = Arc::new(Mutex::new(BTreeMap::<String, u64>::new()));
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
    let left_alone = |answer: &str| !answer.starts_with('2') && !answer.contains(AGAIN);
    ensure!(
        answers.keys().all(|answer| answer.starts_with(UNANSWERED) || !left_alone(answer)),
        "somebody was neither answered nor told when to come back: {answers:?}"
    );
    let unanswered: u64 =
        answers.iter().filter(|(answer, _)| left_alone(answer)).map(|(_, count)| count).sum();
    let all: u64 = answers.values().sum();
    ensure!(unanswered * MOST_UNANSWERED <= all, "{unanswered} of {all} got no answer: {answers:?}");
    nobody_but_the_autoscaler_writes_replicas(demo)
}

/// The autoscaler adds gateways from [`TARGET`] on, and there is no load yet.
fn is_easily_content(demo: &Demo) -> anyhow::Result<()> {
    demo.patch(REGION, &json!({"spec": {"services": {"gateway": {"autoscaling": {"cpuPercent": TARGET}}}}}))?;
    demo.until(|| {
        let wanted = cpu_of(&demo.get(AUTOSCALER)?["spec"]["metrics"], "target")?;
        ensure!(wanted == TARGET, "the autoscaler wants {wanted} %");
        let cpu = cpu(demo)?;
        ensure!(cpu < TARGET, "CPU {cpu} % of the request before there is a load");
        Ok(())
    })
}

async fn call(reads: bool, door: Door, answers: Arc<Mutex<BTreeMap<String, u64>>>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let answer = if reads {
            door.ask_for_description().await
        } else {
            door.ask_to_verify("Backhaus Morgenrot GmbH").await
        };
        let told = match answer {
            Ok(answer) => told(answer).await,
            Err(error) => Err(error),
        };
        let told = told.unwrap_or_else(|error| format!("{UNANSWERED}: {:#}", anyhow::Error::from(error)));
        if let Ok(mut answers) = answers.lock() {
            *answers.entry(told).or_default() += 1;
        }
    }
}

const UNANSWERED: &str = "no answer";
const AGAIN: &str = ", again in ";

/// The status; of an error its code, too, and when to come back.
async fn told(answer: Response) -> reqwest::Result<String> {
    let status = answer.status();
    let again = answer.headers().get("Retry-After").map(|after| format!("{AGAIN}{after:?} s"));
    let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
    if status.is_success() {
        return Ok(status.as_u16().to_string());
    }
    Ok(format!("{} {}{}", status.as_u16(), body["code"], again.unwrap_or_default()))
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
    cpu_of(&demo.get(AUTOSCALER)?["status"]["currentMetrics"], "current")
}

fn cpu_of(metrics: &Value, figure: &str) -> anyhow::Result<i64> {
    let metrics = metrics.as_array().context("no metrics yet")?;
    let cpu = metrics.iter().find(|metric| metric["resource"]["name"] == "cpu").context("no CPU yet")?;
    cpu["resource"][figure]["averageUtilization"].as_i64().context("no figure yet")
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
