//! Many tasks of several tenants share a few connections; statements are cancelled and run into time limits; every row
//! that anybody sees must be of the tenant that asked. The twins take one fence away each, and the same checker sees it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::support::{
    Database, MIGRATOR, RUNTIME, audit, business, completed, now, options, pending, run, tenant,
};
use kyb_domain::{
    audit::AuditAction,
    id::{BusinessId, VerificationId},
    tenant::TenantId,
};
use kyb_store::{Store, StoreError, TenantStore, businesses::BusinessQuery, usage::UsageRow};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

const TENANTS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const SEED: u64 = 20_190_614;

/// What the tasks did and saw.
#[derive(Debug, Default)]
struct Report {
    /// Statements that were answered.
    executed: AtomicU64,
    /// Statements whose future was dropped on the way.
    cancelled: AtomicU64,
    /// Statements that the server ended at the time limit.
    timed_out: AtomicU64,
    /// Rows seen.
    rows: AtomicU64,
    /// Rows seen that are of another tenant than the one that asked, or seen without asking as any.
    foreign: AtomicU64,
}

impl Report {
    fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Relaxed)
    }
}

/// A database with rows of every tenant, and their ids.
struct World {
    store: Store,
    businesses: Vec<BusinessId>,
    verifications: Vec<VerificationId>,
}

impl World {
    async fn new(database: &Database<'_>, role: &str) -> Self {
        // Written through the safe door; then used through the role in question.
        let writer = database.store();
        let (mut businesses, mut verifications) = (vec![], vec![]);
        for name in TENANTS {
            let rows = writer.tenant(&tenant(name));
            for number in 0..10 {
                let business = business(&format!("{name} firm {number}"));
                let verification = completed(pending(&format!("{name} firm {number}")));
                rows.create_business(&business, &audit(), None).await.unwrap();
                rows.record_verification(&verification, &audit(), None).await.unwrap();
                businesses.push(business.id);
                verifications.push(verification.id);
            }
        }
        writer.close().await;
        let mut superuser = database.superuser().await;
        run(&mut superuser, SLOW_FUNCTION).await.unwrap();
        let limits = kyb_store::ConnectOptions {
            statement_timeout: Duration::from_millis(400),
            ..options(database.url(role))
        };
        Self { store: Store::lazy(&limits).unwrap(), businesses, verifications }
    }

    /// Lets tasks of every tenant run statements until `statements` were answered.
    async fn hammer(self, statements: u64) -> Report {
        let world = Arc::new(self);
        let report = Arc::new(Report::default());
        let tasks = (0..32).map(|number| {
            let (world, report) = (Arc::clone(&world), Arc::clone(&report));
            let asking = tenant(TENANTS[number % TENANTS.len()]);
            tokio::spawn(async move {
                let mut random = StdRng::seed_from_u64(SEED + number as u64);
                while report.executed.load(Ordering::Relaxed) < statements {
                    world.step(&asking, &mut random, &report).await;
                }
            })
        });
        for task in futures::future::join_all(tasks).await {
            task.unwrap();
        }
        world.store.close().await;
        Arc::into_inner(report).unwrap()
    }

    async fn step(&self, asking: &TenantId, random: &mut StdRng, report: &Report) {
        let kind = random.random_range(0..2000);
        let patience = Duration::from_micros(random.random_range(0..800));
        let impatient = random.random_ratio(1, 10);
        let statement = self.statement(asking, kind, random);
        let answer =
            if impatient { tokio::time::timeout(patience, statement).await } else { Ok(statement.await) };
        let count = |counter: &AtomicU64, by: usize| counter.fetch_add(by as u64, Ordering::Relaxed);
        match answer {
            Err(_) => drop(count(&report.cancelled, 1)),
            Ok(Err(StoreError::Unavailable(_))) => drop(count(&report.timed_out, 1)),
            Ok(Err(error)) => panic!("{error}: {error:?}"),
            Ok(Ok(owners)) => {
                count(&report.executed, 1);
                count(&report.rows, owners.len());
                count(&report.foreign, owners.iter().filter(|owner| *owner != asking.as_str()).count());
            }
        }
    }

    /// Runs one statement; gives the owner of every row that it showed.
    async fn statement(
        &self,
        asking: &TenantId,
        kind: u32,
        random: &mut StdRng,
    ) -> Result<Vec<String>, StoreError> {
        let rows = self.store.tenant(asking);
        match kind {
            0 => self.slow(asking).await,
            // Without any tenant: whatever shows is a leak, and named so.
            1..200 => self.without_tenant().await,
            200..300 => write(&rows, random).await,
            300..900 => {
                let found = rows.verification_json(*self.verifications.choose(random).unwrap()).await?;
                Ok(found.iter().map(|document| owner_of_document(document)).collect())
            }
            900..1300 => {
                let found = rows.business(*self.businesses.choose(random).unwrap()).await?;
                Ok(found.iter().map(|business| owner(business.profile.name.as_str())).collect())
            }
            1300..1500 => found(&rows, Some("firm 7")).await,
            1500..1800 => found(&rows, None).await,
            _ => {
                let events = rows.audit_events(random.random_range(0..20), 3).await?;
                Ok(events.into_iter().map(|event| event.tenant.to_string()).collect())
            }
        }
    }

    async fn slow(&self, asking: &TenantId) -> Result<Vec<String>, StoreError> {
        let call = sqlx::query_scalar("SELECT * FROM kyb.slow_read($1)").bind(asking.as_str());
        Ok(call.fetch_all(self.store.pool()).await?)
    }

    async fn without_tenant(&self) -> Result<Vec<String>, StoreError> {
        let call = sqlx::query_scalar("SELECT 'nobody, but saw ' || tenant_id FROM kyb.businesses LIMIT 3");
        Ok(call.fetch_all(self.store.pool()).await?)
    }
}

/// Sets the tenant as the real functions do and then outlasts the time limit.
const SLOW_FUNCTION: &str =
    "CREATE FUNCTION kyb.slow_read(p_tenant text) RETURNS SETOF text LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('kyb.tenant', p_tenant, true);
        PERFORM pg_sleep(5);
        RETURN QUERY SELECT b.tenant_id FROM kyb.businesses b;
    END $$";

async fn found(rows: &TenantStore, text: Option<&str>) -> Result<Vec<String>, StoreError> {
    let query = BusinessQuery { text: text.map(str::to_owned), limit: 3, ..BusinessQuery::default() };
    let page = rows.find_businesses(&query).await?;
    Ok(page.businesses.iter().map(|business| owner(business.profile.name.as_str())).collect())
}

async fn write(rows: &TenantStore, random: &mut StdRng) -> Result<Vec<String>, StoreError> {
    if random.random_ratio(1, 2) {
        rows.record_event(AuditAction::BusinessExported, "biz_x", &json!({}), &audit(), None).await?;
    } else {
        let row = UsageRow { hour: now(), endpoint: "GET /".to_owned(), requests: 1, errors: 0 };
        rows.add_usage(&[row]).await?;
    }
    Ok(vec![])
}

/// Every name in this database begins with its tenant.
fn owner(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

fn owner_of_document(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    owner(document["request"]["business"]["name"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hundred_thousand_statements_with_cancels_and_pool_reuse_show_no_foreign_row() {
    let database = Database::fresh().await;
    let world = World::new(&database, RUNTIME).await;
    let store = world.store.clone();
    let began = std::time::Instant::now();
    let report = world.hammer(100_000).await;
    println!("{report:?} in {:?}, seed {SEED}, {} tenants, 8 connections", began.elapsed(), TENANTS.len());
    assert!(store.pool().is_closed());
    assert_eq!(report.foreign(), 0);
    assert!(report.executed.into_inner() >= 100_000);
    assert!(report.rows.into_inner() >= 50_000, "the statements did show rows");
    assert!(report.cancelled.into_inner() >= 1_000, "statements were cancelled on the way");
    assert!(report.timed_out.into_inner() >= 10, "statements ran into the time limit");
    for name in TENANTS {
        assert_eq!(database.store().tenant(&tenant(name)).verify_audit_chain().await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twin_with_row_level_security_disabled_the_checker_sees_a_leak() {
    for table in ["businesses", "verifications", "audit_events"] {
        let database = Database::fresh().await;
        let mut owner = database.connect(MIGRATOR).await;
        let disable = format!("ALTER TABLE kyb.{table} DISABLE ROW LEVEL SECURITY");
        sqlx::raw_sql(sqlx::AssertSqlSafe(disable)).execute(&mut owner).await.unwrap();
        let report = World::new(&database, RUNTIME).await.hammer(500).await;
        assert!(report.foreign() > 0, "{table}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twin_an_owner_is_held_by_force_and_leaks_without_it() {
    let database = Database::fresh().await;
    let report = World::new(&database, MIGRATOR).await.hammer(500).await;
    assert_eq!(report.foreign(), 0, "{report:?}");

    let database = Database::fresh().await;
    let mut owner = database.connect(MIGRATOR).await;
    let no_force = "ALTER TABLE kyb.businesses NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE kyb.verifications NO FORCE ROW LEVEL SECURITY";
    run(&mut owner, no_force).await.unwrap();
    let report = World::new(&database, MIGRATOR).await.hammer(500).await;
    assert!(report.foreign() > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twin_a_tenant_set_for_the_session_is_seen_by_the_next_user_of_the_connection() {
    let database = Database::fresh().await;
    let for_the_session = "DO $do$ DECLARE f record; BEGIN
        FOR f IN SELECT pg_get_functiondef(p.oid) AS definition FROM pg_proc p
            WHERE p.pronamespace = 'kyb'::regnamespace AND p.prosrc LIKE '%set_config(''kyb.tenant'', p_tenant, true)%'
        LOOP EXECUTE replace(f.definition, 'p_tenant, true)', 'p_tenant, false)'); END LOOP;
        END $do$";
    let world = World::new(&database, RUNTIME).await;
    run(&mut database.superuser().await, for_the_session).await.unwrap();
    let report = world.hammer(500).await;
    assert!(report.foreign() > 0, "{report:?}");
}
