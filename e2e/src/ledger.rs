//! What the API acknowledged, kept outside of it, so that a loss shows.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Answer, Client},
    names::ORDINARY_FIRMS,
};

/// The path that everything goes to.
const PATH: &str = "/v1/verifications";

/// What was acknowledged, by idempotency key.
#[derive(Debug, Default)]
pub struct Ledger {
    acknowledged: Mutex<BTreeMap<String, Value>>,
    unanswered: AtomicU64,
    /// Answers that no fault of the database explains.
    unexpected: Mutex<Vec<String>>,
}

impl Ledger {
    /// Posts one verification after the other with an idempotency key each, and enters those that were acknowledged. One
    /// that was not is repeated with its key until it is. On `stop` the one in hand is finished first.
    pub async fn fill(&self, client: &Client, writer: usize, stop: &CancellationToken) {
        for number in 0_usize.. {
            if stop.is_cancelled() {
                return;
            }
            let key = format!("writer-{writer}-{number}");
            let answer = self.post_until_acknowledged(client, &key).await;
            self.lock().insert(key, answer);
        }
    }

    /// How many were acknowledged.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often a request got no answer, or 503, and was repeated.
    pub fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// Answers that were neither 201 nor 503.
    pub fn unexpected(&self) -> Vec<String> {
        self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ids of everything acknowledged.
    pub fn ids(&self) -> anyhow::Result<Vec<String>> {
        let id = |answer: &Value| answer["id"].as_str().map(str::to_owned).context("an answer without an id");
        self.lock().values().map(id).collect()
    }

    /// Reads everything back; one line for each verification that is gone or not what was acknowledged.
    pub async fn losses(&self, client: &Client) -> anyhow::Result<Vec<String>> {
        let mut losses = Vec::new();
        let acknowledged = self.lock().clone();
        for (key, expected) in acknowledged {
            let id = expected["id"].as_str().unwrap_or_default();
            let answer = client.get(&format!("{PATH}/{id}")).await?;
            if answer.status != 200 {
                losses.push(format!("{key}: {id} is gone: {}", answer.status));
            } else if answer.json()? != expected {
                losses.push(format!("{key}: {id} changed from {expected} to {}", answer.body));
            }
        }
        Ok(losses)
    }

    /// Posts everything again with its key; one line for each that is not answered as it was.
    pub async fn changed_replays(&self, client: &Client) -> anyhow::Result<Vec<String>> {
        let mut changed = Vec::new();
        let acknowledged = self.lock().clone();
        for (key, expected) in acknowledged {
            let answer = post(client, &key).await?;
            if answer.status != 201 || answer.json()? != expected {
                changed.push(format!("{key}: {} {} instead of {expected}", answer.status, answer.body));
            }
        }
        Ok(changed)
    }

    async fn post_until_acknowledged(&self, client: &Client, key: &str) -> Value {
        loop {
            match post(client, key).await {
                Ok(answer) if answer.status == 201 => match answer.json() {
                    Ok(json) => return json,
                    Err(error) => self.note(format!("{key}: {error:#}")),
                },
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => self.note(format!("{key}: {} {}", answer.status, answer.body)),
                Err(_) => {} // the connection broke: what became of the request is unknown
            }
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn note(&self, unexpected: String) {
        self.unexpected.lock().unwrap_or_else(PoisonError::into_inner).push(unexpected);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same body for the same key, so that a repetition is one.
async fn post(client: &Client, key: &str) -> anyhow::Result<Answer> {
    let at = key.bytes().map(usize::from).sum::<usize>() % ORDINARY_FIRMS.len();
    let (name, country) = ORDINARY_FIRMS[at];
    let body = json!({"business": {"name": name, "country": country}, "reference": key});
    client.post_with(PATH, &body, &[("idempotency-key", key)]).await
}
