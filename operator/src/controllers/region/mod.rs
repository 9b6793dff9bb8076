//! `RegionDeployment`: the platform's workloads in one region.

pub(crate) mod build;
mod dereference;
mod pods;
pub(crate) mod status;
mod templates;
pub(crate) mod validate;

use std::{convert::Infallible, sync::Arc, time::Duration};

use k8s_openapi::{api::core::v1::Secret, jiff::Timestamp};
use kube::{ResourceExt, api::ApiResource, runtime::controller::Action};
use kyb_crds::{ConditionType, Reason, RegionDeployment, RegionDeploymentStatus};
use kyb_kit::{Children, Outcome, Outdated, Owner, Prune};

use crate::{
    concern::Concern,
    context::{Context, REGION_MARKS},
    controllers::leftovers,
    deletion,
    verdict::{State, Verdict, next, summary},
};
use dereference::Facts;
use templates::Templates;
use validate::ValidRegion;

/// Brings one region to what its spec says, as far as it is possible now, and says how far that is. Never waits, and never
/// fails as a whole.
pub(crate) async fn reconcile(
    object: Arc<RegionDeployment>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let Ok(before): Result<RegionDeploymentStatus, Outdated> = context.statuses.current(&*object) else {
        return Ok(Action::requeue(Duration::ZERO)); // what was seen is not what is there
    };
    if object.metadata.deletion_timestamp.is_some() {
        deletion::tell(&*object, &context).await;
        return Ok(Action::await_change()); // the garbage collector takes the children
    }
    let templates = Templates::of(&object, &context);
    let region = ValidRegion::of(&object, *templates.as_ref().unwrap_or(&Templates::NEWEST));
    let mut facts = dereference::dereference(&object, &region, &context).await;
    facts.refusal = facts.refusal.or(templates.err());
    let concerns = build::concerns(&region, &facts, &context.operator, &context.root);
    let mut verdicts = match apply(&object, &facts, &concerns, &context).await {
        Ok(outcome) => verdicts(&region, &facts, &concerns, &outcome, &context),
        // Nothing was written, but what runs goes on running, and may go wrong.
        Err(paused) if paused.state == State::Aside => {
            let mut verdicts = verdicts(&region, &facts, &concerns, &Outcome::default(), &context);
            verdicts.retain(|verdict| verdict.condition != paused.condition);
            verdicts.insert(0, paused);
            verdicts
        }
        Err(left) => vec![left],
    };
    verdicts.extend(context.sight.verdict(|namespace| namespace == region.namespace));
    let wait = report(&object, &region, &facts, &verdicts, &before, &context).await;
    Ok(wait.map_or_else(Action::await_change, Action::requeue))
}

/// Writes the children; `Err` says why nothing was written.
async fn apply(
    object: &Arc<RegionDeployment>,
    facts: &Facts,
    concerns: &[Concern],
    context: &Context,
) -> Result<Outcome, Verdict> {
    if let Some(problem) = &facts.refusal {
        return Err(Verdict::of_problem(ConditionType::AccessReady, problem));
    }
    if object.spec.paused == Some(true) {
        let message = "spec.paused is true: nothing is written; set it to false to go on";
        return Err(Verdict::new(ConditionType::AccessReady, State::Aside, Reason::Paused, message));
    }
    let wanted = concerns.iter().filter_map(|concern| concern.children.as_ref().ok()).flatten().cloned();
    let invalid =
        |why: String| Verdict::new(ConditionType::AccessReady, State::Stuck, Reason::InvalidSpec, why);
    let owner = Owner::of(object.as_ref()).map_err(|why| invalid(why.to_string()))?;
    let children = Children::of(&owner, &REGION_MARKS, wanted).map_err(|why| invalid(why.to_string()))?;
    // What could not be built, or waits for a migration, is not wanted less: only a whole build may delete.
    let whole = concerns.iter().all(|concern| concern.children.is_ok());
    let prune = if whole { prune(object) } else { Prune::nothing() };
    let outcome = context.region_applier.apply(&children, &prune).await;
    context.metrics.applied("RegionDeployment", &outcome);
    if outcome.wrote() {
        let _ = context.written_regions.send(Some(Arc::clone(object))); // a plan has no listener
    }
    Ok(outcome)
}

/// Secrets are not watched, so the one that the region may have had is named.
fn prune(object: &RegionDeployment) -> Prune {
    let secret = build::database::development_secret(&object.namespace().unwrap_or_default());
    Prune { unwatched: vec![(secret, ApiResource::erase::<Secret>(&()))], ..Prune::default() }
}

fn verdicts(
    region: &ValidRegion,
    facts: &Facts,
    concerns: &[Concern],
    outcome: &Outcome,
    context: &Context,
) -> Vec<Verdict> {
    let of = |concern: &Concern| {
        let applied =
            Verdict::of_concern(concern, &outcome.failures, "accounts and network policies are in place");
        status::observed(applied, region, facts, &context.live)
    };
    let mut verdicts: Vec<Verdict> = concerns.iter().map(of).collect();
    // In the order in which they depend on each other, so that the cause is named before what follows from it.
    verdicts.sort_by_key(|verdict| match verdict.condition {
        ConditionType::AccessReady => 0,
        ConditionType::DatabaseReady => 1,
        ConditionType::Migrated => 2,
        ConditionType::RedisReady => 3,
        ConditionType::WorkerReady => 4,
        ConditionType::GatewayReady => 5,
        _ => 6,
    });
    leftovers::mind(&mut verdicts, concerns, &outcome.failures);
    verdicts.push(status::watchlists(region, facts));
    verdicts.extend(status::newer_templates(region));
    verdicts
}

/// Writes the status, tells what changed, and says when to look again.
async fn report(
    object: &RegionDeployment,
    region: &ValidRegion,
    facts: &Facts,
    verdicts: &[Verdict],
    before: &RegionDeploymentStatus,
    context: &Context,
) -> Option<Duration> {
    let verdicts: Vec<_> =
        verdicts.iter().cloned().map(|verdict| verdict.if_it_lasts(before.failures)).collect();
    let (failures, wait) =
        next(&context.retries, &object.uid().unwrap_or_default(), before.failures, &verdicts);
    let ready = format!("region {} works", region.region);
    let conditions =
        summary(object.metadata.generation, &verdicts, &ready).onto(&before.conditions, Timestamp::now());
    let status = RegionDeploymentStatus { failures, conditions, ..status::status(object, region, facts) };
    context.tell(object, &status, &before.conditions, &status.conditions, wait).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn region() -> RegionDeployment {
        serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment",
            "metadata": {"name": "kyb", "namespace": "place"},
            "spec": {
                "region": "us-east-1", "residency": "US", "environment": "development", "version": "0.1.0",
                "database": {"development": {}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_secret_of_a_development_database_is_looked_for_though_secrets_are_not_watched() {
        let prune = prune(&region());
        let keys: Vec<_> =
            prune.unwatched.iter().map(|(key, _)| (key.kind.as_str(), key.namespace.as_deref())).collect();
        assert_eq!(keys, [("Secret", Some("place"))]);
    }

    #[test]
    fn a_worker_is_well_once_it_runs_and_not_as_soon_as_it_is_applied() {
        let valid = ValidRegion::of(&region(), Templates::NEWEST);
        let live = kyb_kit::Live::new(crate::context::REGION_MARKS);
        let applied = || Verdict::well(ConditionType::WorkerReady, "applied");
        let verdict = status::observed(applied(), &valid, &Facts::default(), &live);
        assert_eq!(verdict.reason, Reason::ReplicasUnavailable);
        let refused = Verdict::new(ConditionType::WorkerReady, State::Stuck, Reason::QuotaExceeded, "no");
        assert_eq!(status::observed(refused.clone(), &valid, &Facts::default(), &live), refused);
    }
}
