//! What was acknowledged survives: PostgreSQL is killed fifty times under load, the gateway five times with it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::ensure;
use kyb_e2e::{Client, Host, Ledger, Plan, Platform, waiting::until};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const KILLS: usize = 50;
const WRITERS: usize = 6;
/// Every so many kills of PostgreSQL the gateway is killed too.
const GATEWAY_TOO: usize = 10;
/// Acknowledgements between two kills, so that each kill comes under load.
const BETWEEN: usize = 20;

struct Writers {
    ledger: Arc<Ledger>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Writers {
    fn start(client: &Client) -> Self {
        let (ledger, stop, mut tasks) =
            (Arc::new(Ledger::default()), CancellationToken::new(), JoinSet::new());
        for writer in 0..WRITERS {
            let (ledger, client, stop) = (ledger.clone(), client.clone(), stop.clone());
            tasks.spawn(async move { ledger.fill(&client, writer, &stop).await });
        }
        Self { ledger, stop, tasks }
    }

    /// Waits for `more` acknowledgements.
    async fn progress(&self, more: usize) -> anyhow::Result<()> {
        let wanted = self.ledger.len() + more;
        until("acknowledgements", Duration::from_mins(1), || async {
            ensure!(
                self.ledger.len() >= wanted,
                "{} of {wanted}: {:?}",
                self.ledger.len(),
                self.ledger.unexpected()
            );
            Ok(())
        })
        .await
    }

    async fn finish(self) -> Arc<Ledger> {
        self.stop.cancel();
        self.tasks.join_all().await;
        self.ledger
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_verification_is_lost_over_fifty_kills_and_none_is_there_twice() {
    let began = Instant::now();
    let mut platform = Platform::start(Plan { durable: true, ..Plan::new() }).await.unwrap();
    let acme = platform.client("acme").unwrap();
    let writers = Writers::start(&acme);
    for kill in 1..=KILLS {
        writers.progress(BETWEEN).await.unwrap();
        platform.database.server().crash();
        if kill % GATEWAY_TOO == 0 {
            platform.replace_gateway().await.unwrap();
        }
        platform.database.server().restart().unwrap();
    }
    writers.progress(BETWEEN).await.unwrap();
    let ledger = writers.finish().await;

    let (stored, chain_holds) = audited(&platform).await.unwrap();
    println!(
        "{KILLS} kills of PostgreSQL, {} of the gateway with it: {} acknowledged, {} attempts without an answer, \
         {stored} stored, {:.0} s",
        KILLS / GATEWAY_TOO,
        ledger.len(),
        ledger.unanswered(),
        began.elapsed().as_secs_f64()
    );
    assert!(ledger.unanswered() >= KILLS as u64, "the kills came under load");
    assert_eq!(ledger.losses(&acme).await.unwrap(), Vec::<String>::new());
    assert_eq!(stored, ledger.len(), "as many stored as acknowledged: none twice");
    assert_eq!(ledger.changed_replays(&acme).await.unwrap(), Vec::<String>::new());
    assert_eq!(audited(&platform).await.unwrap().0, stored, "a replay stores nothing");
    assert!(chain_holds, "the audit chain has no gap");
    assert_eq!(ledger.unexpected(), Vec::<String>::new(), "while the database is away the answer is 503");
}

/// How many verifications stand in the tenant's audit chain, each once, and whether the chain holds.
async fn audited(platform: &Platform) -> anyhow::Result<(usize, bool)> {
    let store = platform.database.store()?.tenant(&"acme".try_into()?);
    let mut objects = std::collections::BTreeSet::new();
    let mut after = 0;
    loop {
        let events = store.audit_events(after, 1000).await?;
        let Some(last) = events.last() else { break };
        after = last.sequence;
        for event in events.into_iter().filter(|event| event.object.starts_with("ver_")) {
            ensure!(objects.insert(event.object), "a verification is recorded twice");
        }
    }
    Ok((objects.len(), store.verify_audit_chain().await?.is_none()))
}

/// The twin: the same ledger and the same kills against a server that acknowledges first and stores afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_shows_the_losses_of_a_server_that_acknowledges_before_it_stores() {
    // No worker: it would go on with what the hasty server queues.
    let plan = Plan { durable: true, worker: Host::Nowhere, ..Plan::new() };
    let platform = Platform::start(plan).await.unwrap();
    let (hasty, pending) = hasty::start(&platform).await.unwrap();
    let writers = Writers::start(&hasty);
    for _ in 0..10 {
        writers.progress(BETWEEN).await.unwrap();
        platform.database.server().crash();
        platform.database.server().restart().unwrap();
    }
    let ledger = writers.finish().await;
    until("everything to be tried", Duration::from_mins(1), || async {
        let left = pending.load(Ordering::SeqCst);
        ensure!(left == 0, "{left} are not yet tried");
        Ok(())
    })
    .await
    .unwrap();
    let losses = ledger.losses(&hasty).await.unwrap();
    println!("acknowledged before stored: {} of {} lost", losses.len(), ledger.len());
    assert!(!losses.is_empty(), "the ledger must find them");
    assert!(losses.len() < ledger.len() / 2, "all but what a kill met is stored: {}", losses[0]);
}

/// A server for `/v1/verifications` that answers 201 a few requests before it stores.
mod hasty {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{
        Json, Router,
        extract::{Path, State},
        http::{StatusCode, header},
        response::IntoResponse,
        routing::{get, post},
    };
    use kyb_domain::{
        audit::{Actor, ActorKind},
        verification::{Verification, VerificationRequest},
    };
    use kyb_e2e::{Client, Platform};
    use kyb_store::{TenantStore, audit::AuditContext};
    use tokio::sync::mpsc::{Receiver, Sender, channel};

    /// How far it may be ahead of the store.
    const AHEAD: usize = 4;

    #[derive(Clone)]
    struct Hasty {
        store: TenantStore,
        later: Sender<Verification>,
        /// Acknowledged and not yet tried to be stored.
        pending: Arc<AtomicUsize>,
    }

    pub(super) async fn start(platform: &Platform) -> anyhow::Result<(Client, Arc<AtomicUsize>)> {
        let store = platform.database.store()?.tenant(&"acme".try_into()?);
        let (later, queue) = channel(AHEAD);
        let pending = Arc::new(AtomicUsize::new(0));
        tokio::spawn(store_later(store.clone(), queue, pending.clone()));
        let routes = Router::new()
            .route("/v1/verifications", post(verify))
            .route("/v1/verifications/{id}", get(read))
            .with_state(Hasty { store, later, pending: pending.clone() });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok((Client::new(format!("http://{address}"))?, pending))
    }

    async fn verify(
        State(hasty): State<Hasty>,
        Json(request): Json<VerificationRequest>,
    ) -> (StatusCode, Json<Verification>) {
        let verification = Verification::accepted(request, None, chrono::Utc::now());
        hasty.pending.fetch_add(1, Ordering::SeqCst);
        let _ = hasty.later.send(verification.clone()).await;
        (StatusCode::CREATED, Json(verification))
    }

    async fn read(State(hasty): State<Hasty>, Path(id): Path<String>) -> axum::response::Response {
        let Ok(id) = id.parse() else { return StatusCode::NOT_FOUND.into_response() };
        match hasty.store.verification_json(id).await {
            Ok(Some(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
            Ok(None) => StatusCode::NOT_FOUND.into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }

    async fn store_later(store: TenantStore, mut queue: Receiver<Verification>, pending: Arc<AtomicUsize>) {
        let audit = AuditContext {
            actor: Actor { kind: ActorKind::System, id: "hasty".to_owned() },
            request_id: None,
        };
        while let Some(verification) = queue.recv().await {
            let _ = store.enqueue_verification(&verification, &audit, None).await;
            pending.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
