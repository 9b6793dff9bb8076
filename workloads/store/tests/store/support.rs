//! A database for each test, and small builders.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use kyb_domain::{
    audit::{Actor, ActorKind},
    business::{Business, BusinessProfile},
    classification::Classification,
    decision::{Decision, DecisionOutcome},
    fingerprint::Fingerprint,
    id::{BusinessId, DecisionId, ScreeningId, SuppressionId},
    list::{EntryKind, NameKind},
    party::{Party, PartyKind},
    reason::{Reason, ReasonCode},
    risk::{RiskAssessment, RiskLevel},
    score::{Points, Score},
    screening::{Match, MatchDecision, MatchStatus, Screening, ScreeningStatus},
    tenant::TenantId,
    verification::{
        Check, CheckName, CheckStatus, Evidence, Findings, Source, SourceKind, Verification,
        VerificationRequest,
    },
};
use kyb_ephemeral_postgres::{EphemeralPostgres, Options};
use kyb_store::{
    ConnectOptions, Idempotency, Store, StoredResponse,
    audit::AuditContext,
    hits::{Deciding, NewSuppression},
    setup::{self, RoleLogin},
};
use sqlx::{Connection as _, PgConnection};

/// Statics are never dropped; the server goes when this process ends.
static SERVER: LazyLock<EphemeralPostgres> =
    LazyLock::new(|| EphemeralPostgres::start(&Options { durable: false, max_connections: 300 }).unwrap());

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A migrated database and its three roles.
pub(crate) struct Database<'a> {
    server: &'a EphemeralPostgres,
    pub(crate) name: String,
}

pub(crate) const MIGRATOR: &str = "kyb_migrator";
pub(crate) const RUNTIME: &str = "kyb_runtime_login";
pub(crate) const READER: &str = "kyb_reader";
const PASSWORD: &str = "it's \\ secret";

impl Database<'static> {
    pub(crate) async fn fresh() -> Self {
        Self::on(&SERVER).await
    }
}

impl<'a> Database<'a> {
    pub(crate) async fn on(server: &'a EphemeralPostgres) -> Self {
        let name = format!("kyb-test-{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let database = Self { server, name };
        database.bootstrap().await;
        database
    }

    /// The runtime role is a member of `kyb_runtime`, the reader is `kyb_reader` itself: both ways of logging in.
    pub(crate) async fn bootstrap(&self) {
        let [migrator, runtime, reader] = [MIGRATOR, RUNTIME, READER].map(login);
        setup::bootstrap(&self.server.superuser_url(), &self.name, &migrator, &runtime, &reader)
            .await
            .unwrap();
    }

    pub(crate) fn url(&self, role: &str) -> String {
        self.server.url(role, PASSWORD, &self.name)
    }

    pub(crate) fn store(&self) -> Store {
        self.store_as(RUNTIME)
    }

    pub(crate) fn store_as(&self, role: &str) -> Store {
        Store::lazy(&options(self.url(role))).unwrap()
    }

    pub(crate) async fn connect(&self, role: &str) -> PgConnection {
        PgConnection::connect(&self.url(role)).await.unwrap()
    }

    pub(crate) async fn superuser(&self) -> PgConnection {
        let url = self.server.superuser_url().replace("/postgres?", &format!("/{}?", self.name));
        PgConnection::connect(&url).await.unwrap()
    }

    pub(crate) fn superuser_store(&self) -> Store {
        let url = self.server.superuser_url().replace("/postgres?", &format!("/{}?", self.name));
        Store::lazy(&options(url)).unwrap()
    }
}

pub(crate) fn login(name: &str) -> RoleLogin {
    RoleLogin { name: name.to_owned(), password: PASSWORD.to_owned() }
}

pub(crate) fn options(url: String) -> ConnectOptions {
    ConnectOptions {
        url,
        max_connections: 8,
        acquire_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
    }
}

/// Runs statements that a test writes as the connection's role.
pub(crate) async fn run(connection: &mut PgConnection, statements: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statements).execute(connection).await.map(|_| ())
}

pub(crate) fn tenant(id: &str) -> TenantId {
    TenantId::try_from(id).unwrap()
}

/// Now, as exact as the database keeps it.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

pub(crate) fn audit() -> AuditContext {
    let actor = Actor { kind: ActorKind::ApiKey, id: "key1".to_owned() };
    AuditContext { actor, request_id: Some("req_1".to_owned()) }
}

pub(crate) fn key(key: &str, fingerprint: &str, answer: &str) -> Idempotency {
    let response =
        StoredResponse { status: 201, location: None, body: serde_json::json!({ "answer": answer }) };
    Idempotency { key: key.to_owned(), fingerprint: fingerprint.to_owned(), response }
}

pub(crate) fn profile(name: &str) -> BusinessProfile {
    BusinessProfile::named(name.try_into().unwrap())
}

pub(crate) fn business(name: &str) -> Business {
    let now = now();
    let id = BusinessId::generate();
    Business { id, context: None, profile: profile(name), revision: 1, created_at: now, updated_at: now }
}

pub(crate) fn pending(name: &str) -> Verification {
    let request = VerificationRequest { business: profile(name), business_id: None, reference: None };
    Verification::accepted(request, None, now())
}

pub(crate) fn pending_of(business: BusinessId, name: &str) -> Verification {
    let mut verification = pending(name);
    verification.request.business_id = Some(business);
    verification
}

pub(crate) fn completed(verification: Verification) -> Verification {
    let findings = findings(verification.request.business.name.as_str());
    verification.completed(findings, now())
}

pub(crate) fn screening(name: &str) -> Screening {
    Screening {
        id: ScreeningId::generate(),
        status: ScreeningStatus::NoHit,
        subject: Party::named(PartyKind::Business, name.try_into().unwrap()),
        list_versions: vec![],
        algorithm: "test/1".to_owned(),
        threshold: Score::ONE,
        also_loaded: vec![],
        candidates_scored: 0,
        candidates_truncated: false,
        matches_truncated: false,
        matches: vec![],
        reasons: vec![],
        created_at: now(),
    }
}

/// A screening with one match.
pub(crate) fn hit(name: &str) -> Screening {
    let found = Match {
        list: "test".try_into().unwrap(),
        entry_id: "7".to_owned(),
        entry_type: EntryKind::Organization,
        caption: "LISTED".to_owned(),
        matched_name: "LISTED".to_owned(),
        name_kind: NameKind::Primary,
        programs: vec![],
        score: Score::ONE,
        features: vec![],
        entry_fingerprint: Some(Fingerprint::try_from([7; 32].as_slice()).unwrap()),
        status: MatchStatus::Pending,
        suppression_id: None,
        decisions: vec![],
    };
    Screening { status: ScreeningStatus::InReview, matches: vec![found], ..screening(name) }
}

/// The subject of a screening.
pub(crate) fn subject_of(screening: &Screening) -> Fingerprint {
    Fingerprint::of_subject(&screening.subject).unwrap()
}

/// A decision about the first match of a screening.
pub(crate) struct Decided<'a> {
    screening: &'a Screening,
    pub(crate) decision: MatchDecision,
    pub(crate) suppression: Option<NewSuppression>,
    pub(crate) expected: Option<Vec<i64>>,
}

impl<'a> Decided<'a> {
    pub(crate) fn as_status(screening: &'a Screening, status: MatchStatus) -> Self {
        let decision = MatchDecision {
            id: DecisionId::generate(),
            status,
            reason: "Compared by hand.".try_into().unwrap(),
            decided_by: audit().actor,
            decided_at: now(),
            suppression_id: None,
        };
        Self { screening, decision, suppression: None, expected: None }
    }

    pub(crate) fn suppressing(screening: &'a Screening) -> Self {
        let mut decided = Self::as_status(screening, MatchStatus::FalsePositive);
        let id = SuppressionId::generate();
        decided.decision.suppression_id = Some(id);
        let entry = screening.matches[0].entry_fingerprint.unwrap();
        decided.suppression = Some(NewSuppression { id, entry, expires_at: None });
        decided
    }

    pub(crate) fn deciding(&self) -> Deciding<'_> {
        let found = &self.screening.matches[0];
        Deciding {
            screening: self.screening.id,
            subject: subject_of(self.screening),
            list: &found.list,
            entry_id: &found.entry_id,
            decision: &self.decision,
            suppression: self.suppression.clone(),
            expected: self.expected.as_deref(),
        }
    }
}

fn findings(name: &str) -> Findings {
    let reason = || Reason::new(ReasonCode::IDENTITY_UNCONFIRMED, format!("Nobody confirmed {name}."));
    let source = Source { kind: SourceKind::Applicant, name: "applicant".to_owned(), version: None };
    let evidence = Evidence { claim: format!("The name is {name}."), source };
    let check = |name| Check {
        name,
        status: CheckStatus::Warning,
        reasons: vec![reason()],
        evidence: vec![evidence.clone()],
    };
    Findings {
        checks: CheckName::ALL.map(check).into(),
        screenings: vec![screening(name)],
        classification: Classification {
            results: vec![],
            method: "test".to_owned(),
            version: "1".to_owned(),
        },
        risk: RiskAssessment {
            score: Points::try_from(10).unwrap(),
            level: RiskLevel::Low,
            factors: vec![],
            model: "test/1".to_owned(),
        },
        decision: Decision {
            outcome: DecisionOutcome::Review,
            reasons: vec![reason()],
            rule: "default/identity".to_owned(),
            policy_version: "default".to_owned(),
        },
    }
}

/// Asks again until the answer is true; for what another task or process brings about.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "not within 30 s: {what}");
        // Between two looks, so that looking does not slow down what is waited for.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
