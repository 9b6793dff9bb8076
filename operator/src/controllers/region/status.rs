//! What a region's status says.

use kyb_crds::{
    ConditionType, Reason, RegionDeployment, RegionDeploymentStatus, RegionReportStatus, ServiceStatus,
    WatchlistState, names,
};
use kyb_kit::Live;

use super::{
    dereference::{Facts, Migration, Running},
    templates::Templates,
    validate::{Database, Redis, ValidRegion},
};
use crate::{
    component::{DATABASE, GATEWAY, REDIS, WORKER},
    context::written_version,
    verdict::{State, Verdict},
};

/// What is made of a verdict about applying, once it is known what runs.
pub(crate) fn observed(applied: Verdict, region: &ValidRegion, facts: &Facts, live: &Live) -> Verdict {
    if applied.state > State::Underway {
        return applied;
    }
    match applied.condition {
        ConditionType::DatabaseReady => database(region, facts),
        ConditionType::Migrated => migrated(region, facts),
        ConditionType::RedisReady => redis(region, facts),
        ConditionType::GatewayReady => workload(applied, &facts.gateway, "gateways"),
        ConditionType::WorkerReady => workload(applied, &facts.worker, "workers"),
        ConditionType::SettingsDelivered => delivered(region, facts, live),
        _ => applied,
    }
}

fn database(region: &ValidRegion, facts: &Facts) -> Verdict {
    let condition = ConditionType::DatabaseReady;
    if let Some(problem) = &facts.secrets {
        return Verdict::of_problem(condition, problem);
    }
    match &region.database {
        Database::Development(_) => running(condition, &facts.database, "databases"),
        // Whether it answers is seen by the migration and by the worker's report, which holds while a worker is ready, and
        // it is not while the database does not answer; here no password is known.
        Database::External(_) if schema(facts).is_some() => Verdict::well(condition, "the worker reaches it"),
        Database::External(_) => match &facts.migration {
            Migration::Failed(why) => {
                let message = format!(
                    "the migration could not use the database: {why}; see `kubectl logs -n {} job/{}`",
                    region.namespace,
                    super::build::database::migration_name(region)
                );
                Verdict::new(condition, State::Stuck, Reason::DatabaseUnreachable, message)
            }
            Migration::Delayed(problem) if problem.reason == Reason::Retrying => {
                let message = format!("the migration can not use the database: {}", problem.message);
                Verdict::new(condition, State::Failing, Reason::DatabaseUnreachable, message)
            }
            _ => Verdict::new(condition, State::Underway, Reason::NoReport, "no worker has reached it yet"),
        },
    }
}

fn migrated(region: &ValidRegion, facts: &Facts) -> Verdict {
    let condition = ConditionType::Migrated;
    let job = super::build::database::migration_name(region);
    match &facts.migration {
        Migration::Succeeded => {
            Verdict::well(condition, format!("the tables are those of version {}", region.version))
        }
        Migration::Running => {
            let message = format!("Job {}/{job} has not ended yet", region.namespace);
            Verdict::new(condition, State::Underway, Reason::Migrating, message)
        }
        Migration::Delayed(problem) => Verdict::of_problem(condition, problem),
        Migration::Failed(why) => {
            let message = format!(
                "Job {0}/{job} failed ({why}); see `kubectl logs -n {0} job/{job}`, mend the cause and delete the Job",
                region.namespace
            );
            Verdict::new(condition, State::Stuck, Reason::MigrationFailed, message)
        }
    }
}

fn redis(region: &ValidRegion, facts: &Facts) -> Verdict {
    let condition = ConditionType::RedisReady;
    match &region.redis {
        None => {
            Verdict::new(condition, State::Aside, Reason::NotConfigured, "every gateway caches for itself")
        }
        Some(Redis::External) => Verdict::well(condition, "one's own; it is not looked after"),
        Some(Redis::Development(_)) => running(condition, &facts.redis, "Redis pods"),
    }
}

/// A workload whose change waits for the migration may still run as it was, which is not what was asked for.
fn workload(applied: Verdict, running_now: &Running, what: &str) -> Verdict {
    if applied.state == State::Underway {
        return applied;
    }
    running(applied.condition, running_now, what)
}

fn running(condition: ConditionType, running: &Running, what: &str) -> Verdict {
    let enough = running.exists && running.settled && running.ready >= running.desired;
    if enough {
        return Verdict::well(condition, format!("{} {what} are ready", running.ready));
    }
    if let Some(trouble) = &running.trouble {
        return Verdict::of_problem(condition, trouble);
    }
    // No counts: they go up and down while pods come up, and each would be a write.
    let message = format!("not all wanted {what} are ready yet");
    Verdict::new(condition, State::Underway, Reason::ReplicasUnavailable, message)
}

fn delivered(region: &ValidRegion, facts: &Facts, live: &Live) -> Verdict {
    let condition = ConditionType::SettingsDelivered;
    let Some(report) = &facts.report else { return silent(condition, facts) };
    if let Some(message) = refused(report) {
        return Verdict::new(condition, State::Stuck, Reason::SettingsRefused, message);
    }
    let Some(wanted) = written_version(live, &region.namespace, names::PLATFORM_CONFIG_MAP) else {
        let message = "the settings are not written yet";
        return Verdict::new(condition, State::Underway, Reason::SettingsPending, message);
    };
    match accepted(report) {
        Some(accepted) if accepted >= wanted => {
            Verdict::well(condition, "every gateway uses the newest settings")
        }
        None => Verdict::new(condition, State::Underway, Reason::NoReport, "no gateway has reported yet"),
        Some(_) => {
            let message = "not every gateway uses the newest settings yet";
            Verdict::new(condition, State::Underway, Reason::SettingsPending, message)
        }
    }
}

/// Nothing is known, since no worker says it.
fn silent(condition: ConditionType, facts: &Facts) -> Verdict {
    let message = if facts.worker.ready > 0 {
        "the worker has not reported yet"
    } else {
        "no worker is ready, so nothing is known of it; see the condition WorkerReady"
    };
    Verdict::new(condition, State::Underway, Reason::NoReport, message)
}

/// Which file of the region's own is refused, by whom and why. A tenant's file is that tenant's trouble alone.
pub(crate) fn refused(report: &RegionReportStatus) -> Option<String> {
    let file = report.refused.iter().find(|file| !file.name.starts_with(TENANT_FILES))?;
    Some(format!("{} refuses {}: {}; the last good one stays in use", file.pod, file.name, file.problem))
}

/// How the names of tenants' files begin.
const TENANT_FILES: &str = "tenant-";

/// The least settings version of all gateways; None where there are none.
pub(crate) fn accepted(report: &RegionReportStatus) -> Option<u64> {
    let gateways = report.workloads.iter().filter(|workload| workload.component.as_str() == GATEWAY);
    let version = |workload: &kyb_crds::WorkloadReport| {
        let settings = workload.settings.as_ref()?;
        settings.resource_version.parse::<u64>().ok()
    };
    // One that has not said anything has not accepted anything.
    gateways.map(|gateway| version(gateway).unwrap_or(0)).min()
}

/// The verdict about the watchlists.
pub(crate) fn watchlists(region: &ValidRegion, facts: &Facts) -> Verdict {
    let condition = ConditionType::WatchlistsFresh;
    if region.watchlists.is_empty() {
        let message = "spec.watchlists is empty: every screening ends in an error, since nothing is compared";
        return Verdict::new(condition, State::Stuck, Reason::NoWatchlists, message);
    }
    let Some(report) = &facts.report else { return silent(condition, facts) };
    for wanted in &region.watchlists {
        let found = report.watchlists.iter().find(|list| list.name == wanted.name);
        let problem = found.and_then(|list| list.problem.clone());
        let state = found.map_or(WatchlistState::Missing, |list| list.state);
        if state == WatchlistState::Fresh {
            continue;
        }
        let why = problem.map_or_else(String::new, |why| format!(": {why}"));
        let message = format!(
            "list {} is {}{why}",
            wanted.name,
            if state == WatchlistState::Stale { "stale" } else { "missing" }
        );
        return Verdict::new(condition, State::Failing, Reason::WatchlistsStale, message);
    }
    Verdict::well(condition, "every list is in use and fresh")
}

fn schema(facts: &Facts) -> Option<i64> {
    facts.report.as_ref()?.database.as_ref()?.schema_version
}

/// Says that there are newer pod templates, if there are.
pub(crate) fn newer_templates(region: &ValidRegion) -> Option<Verdict> {
    let update = region.templates.update()?;
    Some(Verdict::new(ConditionType::TemplateUpdateAvailable, State::Aside, Reason::NewerTemplates, update))
}

/// The whole status, but for conditions and failures.
pub(crate) fn status(
    object: &RegionDeployment,
    region: &ValidRegion,
    facts: &Facts,
) -> RegionDeploymentStatus {
    let service = |name: &str, running: &Running| {
        running.exists.then(|| ServiceStatus {
            name: name.into(),
            desired: running.desired,
            ready: running.ready,
            image: running.image.clone(),
        })
    };
    let services = [
        service(GATEWAY, &facts.gateway),
        service(WORKER, &facts.worker),
        service(DATABASE, &facts.database),
        service(REDIS, &facts.redis),
    ];
    let report = facts.report.as_ref();
    RegionDeploymentStatus {
        observed_generation: object.metadata.generation,
        gateways: facts.gateway.exists.then(|| format!("{}/{}", facts.gateway.ready, facts.gateway.desired)),
        defaults: region.defaults(),
        services: services.into_iter().flatten().collect(),
        tenants: i32::try_from(facts.tenants).ok(),
        settings_version: report.and_then(accepted).map(|version| version.to_string()),
        schema_version: schema(facts),
        watchlists: report.map(|report| report.watchlists.clone()).unwrap_or_default(),
        template_revision: facts.gateway.exists.then(|| region.templates.number()),
        latest_template_revision: Some(Templates::NEWEST.number()),
        ..RegionDeploymentStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{concern::Problem, controllers::region::dereference::Running};

    #[test]
    fn without_a_report_it_is_said_whether_there_is_a_worker_at_all() {
        let facts = |ready| Facts { worker: Running { ready, ..Running::default() }, ..Facts::default() };
        let said = |ready| silent(ConditionType::WatchlistsFresh, &facts(ready));
        assert_eq!(said(1).message, "the worker has not reported yet");
        assert!(said(0).message.starts_with("no worker is ready"), "{}", said(0).message);
        assert_eq!((said(0).state, said(0).reason), (State::Underway, Reason::NoReport));
    }

    #[test]
    fn pods_count_once_all_that_are_wanted_are_ready_and_new() {
        let now = |exists, settled, ready| {
            let trouble = Some(Problem::new(Reason::CrashLooping, "it ends"));
            let running = Running { exists, settled, ready, desired: 2, trouble, ..Running::default() };
            super::running(ConditionType::GatewayReady, &running, "gateways")
        };
        assert_eq!(now(true, true, 2).message, "2 gateways are ready");
        assert_eq!(now(true, true, 3).state, State::Well);
        for (exists, settled, ready) in [(false, true, 2), (true, false, 2), (true, true, 1)] {
            assert_eq!(now(exists, settled, ready).reason, Reason::CrashLooping);
        }
        let quiet = Running { exists: true, desired: 1, ..Running::default() };
        let verdict = super::running(ConditionType::WorkerReady, &quiet, "workers");
        assert_eq!((verdict.state, verdict.reason), (State::Underway, Reason::ReplicasUnavailable));
    }

    fn report(object: serde_json::Value) -> RegionReportStatus {
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn settings_are_in_use_once_every_gateway_has_looked_at_them() {
        use serde_json::json;
        let workload = |component: &str, version: Option<&str>| {
            let settings = version.map(|version| json!({"resourceVersion": version}));
            json!({"name": "one", "component": component, "version": "1", "settings": settings})
        };
        let of = |workloads: &[serde_json::Value]| accepted(&report(json!({"workloads": workloads})));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[workload("worker", Some("3"))]), None, "workers are not asked");
        let [newer, older] = [workload("gateway", Some("12")), workload("gateway", Some("9"))];
        assert_eq!(of(&[newer.clone(), older]), Some(9), "by number, not by text");
        assert_eq!(of(&[newer, workload("gateway", None)]), Some(0), "one has said nothing");
    }

    #[test]
    fn a_refused_file_of_a_tenant_is_no_trouble_of_the_region() {
        let file = |name: &str| serde_json::json!({"pod": "one", "name": name, "problem": "no"});
        let of = |files: &[serde_json::Value]| refused(&report(serde_json::json!({"refused": files})));
        assert_eq!(of(&[file("tenant-acme.yaml")]), None);
        let said = of(&[file("tenant-acme.yaml"), file("region.yaml")]).unwrap();
        assert_eq!(said, "one refuses region.yaml: no; the last good one stays in use");
    }

    fn valid(change: impl FnOnce(&mut serde_json::Value)) -> ValidRegion {
        let mut object = crate::testing::region("one", "us-east-1", crate::testing::LONG_AGO);
        change(&mut object["spec"]);
        ValidRegion::of(&serde_json::from_value(object).unwrap(), Templates::NEWEST)
    }

    #[test]
    fn how_far_the_migration_is_is_told_with_what_to_do() {
        let of = |migration| migrated(&valid(|_| ()), &Facts { migration, ..Facts::default() });
        assert_eq!(of(Migration::Succeeded).message, "the tables are those of version 0.1.0");
        assert_eq!(
            (of(Migration::Running).state, of(Migration::Running).reason),
            (State::Underway, Reason::Migrating)
        );
        let delayed = of(Migration::Delayed(Problem::new(Reason::Unschedulable, "no room")));
        assert_eq!((delayed.reason, delayed.message.as_str()), (Reason::Unschedulable, "no room"));
        let failed = of(Migration::Failed("no such role".to_owned()));
        assert_eq!((failed.state, failed.reason), (State::Stuck, Reason::MigrationFailed));
        assert!(
            failed.message.contains("(no such role); see `kubectl logs -n one job/kyb-migrate-"),
            "{}",
            failed.message
        );
    }

    #[test]
    fn a_database_of_ones_own_is_known_by_whoever_reaches_it() {
        use serde_json::json;
        let secret = |key: &str| json!({"name": "database", "key": key});
        let external = valid(|spec| {
            spec["database"] = json!({"external": {
                "migrator": secret("migrator"), "runtime": secret("runtime"), "reader": secret("reader"),
            }});
        });
        let of = |facts: Facts| {
            let verdict = database(&external, &facts);
            (verdict.state, verdict.reason)
        };
        assert_eq!(of(Facts::default()), (State::Underway, Reason::NoReport));
        let reached = || Some(report(json!({"database": {"schemaVersion": 18}})));
        assert_eq!(of(Facts { report: reached(), ..Facts::default() }), (State::Well, Reason::Ready));
        let failed = Migration::Failed("no".to_owned());
        assert_eq!(
            of(Facts { migration: failed, ..Facts::default() }),
            (State::Stuck, Reason::DatabaseUnreachable)
        );
        let retrying = Migration::Delayed(Problem::new(Reason::Retrying, "refused"));
        assert_eq!(
            of(Facts { migration: retrying, ..Facts::default() }),
            (State::Failing, Reason::DatabaseUnreachable)
        );
        let crowded = Migration::Delayed(Problem::new(Reason::Unschedulable, "no room"));
        assert_eq!(of(Facts { migration: crowded, ..Facts::default() }), (State::Underway, Reason::NoReport));
        let secrets = Some(Problem::new(Reason::SecretNotFound, "it is not there"));
        assert_eq!(of(Facts { secrets, report: reached(), ..Facts::default() }).1, Reason::SecretNotFound);
        assert_eq!(
            database(&valid(|_| ()), &Facts::default()).reason,
            Reason::ReplicasUnavailable,
            "one of ours is a pod"
        );
    }

    #[test]
    fn lists_are_fresh_only_where_every_wanted_one_is() {
        use serde_json::json;
        let region = valid(|spec| {
            let list =
                |name: &str| json!({"name": name, "format": "OfacCsv", "url": "https://lists.example/"});
            spec["watchlists"] = json!([list("ofac-sdn"), list("ofac-consolidated")]);
        });
        let list = |name: &str, state: &str, problem: Option<&str>| json!({"name": name, "state": state, "problem": problem});
        let of = |lists: serde_json::Value| {
            let facts = Facts { report: Some(report(json!({"watchlists": lists}))), ..Facts::default() };
            let verdict = watchlists(&region, &facts);
            (verdict.state, verdict.message)
        };
        let fresh = || list("ofac-sdn", "Fresh", None);
        let all = (State::Well, "every list is in use and fresh".to_owned());
        assert_eq!(of(json!([fresh(), list("ofac-consolidated", "Fresh", None)])), all);
        let missing = (State::Failing, "list ofac-consolidated is missing".to_owned());
        assert_eq!(of(json!([fresh()])), missing);
        let stale = (State::Failing, "list ofac-consolidated is stale: too small".to_owned());
        assert_eq!(of(json!([fresh(), list("ofac-consolidated", "Stale", Some("too small"))])), stale);
        assert_eq!(watchlists(&region, &Facts::default()).reason, Reason::NoReport);
        assert_eq!(watchlists(&valid(|_| ()), &Facts::default()).reason, Reason::NoWatchlists);
    }

    #[test]
    fn only_what_was_applied_well_is_looked_at_further() {
        let context = crate::testing::context;
        let facts = Facts {
            gateway: Running { exists: true, settled: true, ..Running::default() },
            ..Facts::default()
        };
        let of = |applied: Verdict| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _entered = runtime.enter();
            observed(applied, &valid(|_| ()), &facts, &context(crate::scope::Scope::Cluster, &[]).live)
        };
        let stuck = Verdict::new(ConditionType::GatewayReady, State::Stuck, Reason::QuotaExceeded, "no");
        assert_eq!(of(stuck.clone()), stuck);
        let waits = Verdict { state: State::Underway, reason: Reason::Migrating, ..stuck };
        assert_eq!(of(waits.clone()), waits, "what runs is not what was asked for");
        let well = |condition| of(Verdict::well(condition, "in place"));
        assert_eq!(well(ConditionType::GatewayReady).message, "0 gateways are ready");
        assert_eq!(well(ConditionType::WorkerReady).reason, Reason::ReplicasUnavailable);
        assert_eq!(well(ConditionType::Migrated).reason, Reason::Migrating);
        assert_eq!(well(ConditionType::DatabaseReady).reason, Reason::ReplicasUnavailable);
        assert_eq!(well(ConditionType::RedisReady).reason, Reason::NotConfigured);
        assert_eq!(well(ConditionType::SettingsDelivered).reason, Reason::NoReport);
        assert_eq!(well(ConditionType::AccessReady).message, "in place");
    }
}
