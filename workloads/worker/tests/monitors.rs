//! A monitor through the versions of a list, on a real database: an alert when something is another, and none besides.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    fingerprint::Fingerprint,
    id::{DecisionId, MonitorId, SuppressionId},
    list::{ListFormat, ListState, Stale, Watchlist},
    monitor::{Alert, ChangeKind, Monitor, MonitorOptions, MonitorStatus},
    party::{Party, PartyKind},
    screening::{MatchDecision, MatchStatus, Screening, ScreeningStatus},
    tenant::TenantId,
};
use kyb_engines::LiveWatchlists;
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_lists::{Published, PublishedBy, SourceFile};
use kyb_settings::Settings;
use kyb_store::{
    ConnectOptions, Store, TenantStore,
    audit::AuditContext,
    hits::{Deciding, NewSuppression},
    lists::StoredFile,
    setup::RoleLogin,
};
use kyb_telemetry::Metrics;
use kyb_verification::{ScreeningOptions, Watchlists};
use kyb_worker::{jobs::JobWorker, monitors::Sweeps};

const HEADER: &str = "id,type,name,aliases,remarks";
const FIRM: &str = "Morgenrot Backhaus Westerland";

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

fn audit() -> AuditContext {
    AuditContext { actor: Actor { kind: ActorKind::ApiKey, id: "test".into() }, request_id: None }
}

struct World {
    store: Store,
    settings: Settings,
    sweeps: Sweeps,
    lists: Option<Arc<Watchlist>>,
    stale: bool,
    _folder: tempfile::TempDir,
    _postgres: EphemeralPostgres,
}

impl World {
    async fn start() -> Self {
        let postgres = EphemeralPostgres::start(&Options { durable: false, max_connections: 50 }).unwrap();
        let login = |name: &str| RoleLogin { name: name.to_owned(), password: "secret".to_owned() };
        let (migrator, runtime, reader) = (login("migrator"), login("runtime"), login("reader"));
        kyb_store::setup::bootstrap(&postgres.superuser_url(), "kyb", &migrator, &runtime, &reader)
            .await
            .unwrap();
        let store = Store::lazy(&ConnectOptions {
            url: postgres.url("runtime", "secret", "kyb"),
            max_connections: 4,
            acquire_timeout: Duration::from_secs(20),
            statement_timeout: Duration::from_secs(20),
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("platform.yaml"), "lists: []\n").unwrap();
        let tenant =
            "id: acme\ndisplay_name: Acme\nrate_limit: {requests_per_minute: 60, burst: 60}\napi_keys: []\n";
        std::fs::write(folder.path().join("tenant-acme.yaml"), tenant).unwrap();
        let settings = Settings::watch(folder.path(), Duration::from_millis(50)).unwrap();
        Self {
            store: store.unwrap(),
            settings,
            sweeps: Sweeps::default(),
            lists: None,
            stale: false,
            _folder: folder,
            _postgres: postgres,
        }
    }

    fn acme(&self) -> TenantStore {
        self.store.tenant(&TenantId::try_from("acme").unwrap())
    }

    /// Makes these entries, and forty that are always there, the active version.
    async fn publish(&mut self, entries: &[&str]) {
        let others = (0..40).map(|number| format!("F-{number},business,Kaltwasser Fjord {number} Trading,,"));
        let rows: Vec<String> = others.chain(entries.iter().map(|&entry| entry.to_owned())).collect();
        let bytes = format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes();
        let file = SourceFile { name: "own.csv".to_owned(), bytes: bytes.clone() };
        let published = Published { date: now().date_naive(), by: PublishedBy::FileTime };
        let parsed =
            kyb_lists::parse(&"own".parse().unwrap(), ListFormat::OwnCsv, &[file], published).unwrap();
        let stored = StoredFile { name: "own.csv".to_owned(), bytes };
        self.store.activate_list(&parsed.watchlist.version, &[stored], None, now()).await.unwrap();
        self.lists = Some(Arc::new(parsed.watchlist));
    }

    fn loaded(&self) -> Watchlists {
        let list = self.lists.clone().unwrap();
        let state = ListState {
            list: list.version.list.clone(),
            version: Some(list.version.clone()),
            checked_at: Some(now()),
            stale: self.stale.then(|| Stale { why: "the source did not answer".to_owned() }),
        };
        Watchlists { screener: Arc::new(kyb_screening::Screener::build(&[list])), states: vec![state] }
    }

    async fn watch(&self, name: &str) -> (Monitor, Screening) {
        let lists = self.loaded();
        let subject = Party::named(PartyKind::Business, name.try_into().unwrap());
        let mut first =
            kyb_verification::screen(&lists, subject, &ScreeningOptions::default(), now()).unwrap();
        let subjects = [Fingerprint::of_subject(&first.subject).unwrap()];
        let known = self.acme().suppressions_for(&subjects, now()).await.unwrap();
        kyb_verification::suppress(&mut first, &known, now());
        let monitor = Monitor {
            id: MonitorId::generate(),
            status: MonitorStatus::Active,
            context: None,
            subject: Some(first.subject.clone()),
            options: MonitorOptions::default(),
            outcome: first.status,
            screening_id: first.id,
            compared: kyb_verification::compared_with(&lists),
            created_at: now(),
            checked_at: now(),
            ended_at: None,
        };
        let later = now() + TimeDelta::days(7);
        self.acme().create_monitor(&monitor, &first, later, &audit(), None).await.unwrap();
        (monitor, first)
    }

    /// Works until nothing is due; how often there was something.
    async fn sweep(&self) -> usize {
        let worker = JobWorker {
            store: self.store.clone(),
            settings: self.settings.clone(),
            watchlists: LiveWatchlists::fixed(self.loaded()),
            metrics: Metrics::new(),
            sweeps: self.sweeps.clone(),
        };
        let mut rounds = 0;
        while worker.work_once().await.unwrap() {
            rounds += 1;
            assert!(rounds < 20, "the same comes again and again");
        }
        rounds
    }

    /// All alerts, oldest first.
    async fn alerts(&self) -> Vec<Alert> {
        let mut alerts = self.acme().alerts(None, None, None, 50).await.unwrap().alerts;
        alerts.reverse();
        alerts
    }

    /// How much was recorded: everything that is leaves an audit event.
    async fn recorded(&self) -> usize {
        self.acme().audit_events(0, 1000).await.unwrap().len()
    }

    async fn suppress(&self, screening: &Screening) {
        let (found, id) = (&screening.matches[0], SuppressionId::generate());
        let decision = MatchDecision {
            id: DecisionId::generate(),
            status: MatchStatus::FalsePositive,
            reason: "Another one.".to_owned().try_into().unwrap(),
            decided_by: audit().actor,
            decided_at: now(),
            suppression_id: Some(id),
        };
        let deciding = Deciding {
            screening: screening.id,
            subject: Fingerprint::of_subject(&screening.subject).unwrap(),
            list: &found.list,
            entry_id: &found.entry_id,
            decision: &decision,
            suppression: Some(NewSuppression {
                id,
                entry: found.entry_fingerprint.unwrap(),
                expires_at: None,
            }),
            expected: None,
        };
        self.acme().decide_match(&deciding, &audit(), None).await.unwrap().unwrap();
    }
}

fn told(alert: &Alert) -> (ScreeningStatus, ScreeningStatus, Vec<(&str, ChangeKind)>) {
    let changes = alert.changes.iter().map(|one| (one.entry_id.as_str(), one.change)).collect();
    (alert.before.status, alert.after.status, changes)
}

#[tokio::test]
async fn a_namesake_comes_changes_and_goes_and_each_is_told_once() {
    use ScreeningStatus::{InReview, NoHit};
    let mut world = World::start().await;
    world.publish(&[]).await;
    let (monitor, _) = world.watch(FIRM).await;
    assert_eq!((monitor.outcome, world.sweep().await), (NoHit, 0));

    let namesake = format!("N-1,business,{FIRM},,");
    world.publish(&[&namesake]).await;
    assert_eq!((world.sweep().await, world.sweep().await), (1, 0));
    let alerts = world.alerts().await;
    assert_eq!(alerts.len(), 1);
    assert_eq!(told(&alerts[0]), (NoHit, InReview, vec![("N-1", ChangeKind::Added)]));
    assert_eq!(alerts[0].changes[0].version, world.lists.as_ref().map(|list| list.version.label()));
    let recorded = world.recorded().await;

    world.publish(&[&namesake, "X-1,business,Sonnenblume Zwickau Handel,,"]).await;
    assert_eq!(world.sweep().await, 1);
    assert_eq!((world.alerts().await.len(), world.recorded().await), (1, recorded), "it is none of theirs");
    let read = world.acme().monitor(monitor.id).await.unwrap().unwrap();
    assert_eq!(read.compared, kyb_verification::compared_with(&world.loaded()), "but they were compared");

    let with_remark = format!("N-1,business,{FIRM},,Moved to Sylt.");
    world.publish(&[&with_remark]).await;
    assert_eq!(world.sweep().await, 1);
    assert_eq!(told(&world.alerts().await[1]), (InReview, InReview, vec![("N-1", ChangeKind::Changed)]));

    world.publish(&[]).await;
    assert_eq!((world.sweep().await, world.sweep().await), (1, 0));
    let alerts = world.alerts().await;
    assert_eq!(alerts.len(), 3);
    assert_eq!(told(&alerts[2]), (InReview, NoHit, vec![("N-1", ChangeKind::Removed)]));
    assert_eq!(world.acme().monitor(monitor.id).await.unwrap().unwrap().outcome, NoHit);
    for one in alerts.iter().flat_map(|alert| [alert.before, alert.after]) {
        let screening = world.acme().screening(one.screening_id).await.unwrap().unwrap();
        assert_eq!(screening.status, one.status, "the history stays");
    }
    assert_eq!(world.acme().verify_audit_chain().await.unwrap(), None);
}

#[tokio::test]
async fn a_suppressed_match_whose_entry_changes_is_told() {
    use ScreeningStatus::{InReview, NoHit};
    let mut world = World::start().await;
    world.publish(&[&format!("N-1,business,{FIRM},,")]).await;
    let (other, first) = world.watch(FIRM).await;
    world.suppress(&first).await;
    world.acme().end_monitor(other.id, &audit(), now()).await.unwrap();
    let (_, suppressed) = world.watch(FIRM).await;
    assert_eq!((first.status, suppressed.status), (InReview, NoHit));
    world.publish(&[&format!("N-1,business,{FIRM},,"), "X-1,business,Sonnenblume Zwickau Handel,,"]).await;
    world.sweep().await;
    assert!(world.alerts().await.is_empty(), "nothing of theirs changed");
    world.publish(&[&format!("N-1,business,{FIRM},,Moved to Sylt.")]).await;
    world.sweep().await;
    assert_eq!(told(&world.alerts().await[0]), (NoHit, InReview, vec![("N-1", ChangeKind::Changed)]));
}

#[tokio::test]
async fn a_stale_list_is_never_all_clear() {
    use ScreeningStatus::{Error, InReview, NoHit};
    let mut world = World::start().await;
    world.publish(&[&format!("N-1,business,{FIRM},,")]).await;
    let (monitor, first) = world.watch(FIRM).await;
    assert_eq!(first.status, InReview);
    world.stale = true;
    world.publish(&[]).await;
    world.sweep().await;
    assert_eq!(told(&world.alerts().await[0]), (InReview, Error, vec![("N-1", ChangeKind::Removed)]));
    world.stale = false;
    world.publish(&["X-1,business,Sonnenblume Zwickau Handel,,"]).await;
    world.sweep().await;
    assert_eq!(told(&world.alerts().await[1]), (Error, NoHit, vec![]), "an error is searched whole again");
    assert_eq!(world.acme().monitor(monitor.id).await.unwrap().unwrap().outcome, NoHit);
}

#[tokio::test]
async fn where_the_old_version_is_gone_everybody_is_searched_whole() {
    let mut world = World::start().await;
    world.publish(&[]).await;
    world.watch(FIRM).await;
    for number in 0..5 {
        world.publish(&[&format!("X-{number},business,Sonnenblume Zwickau {number},,")]).await;
    }
    world.publish(&[&format!("N-1,business,{FIRM},,")]).await;
    assert_eq!(world.sweep().await, 1);
    assert_eq!(world.alerts().await.len(), 1);
}
