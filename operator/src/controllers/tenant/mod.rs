//! `KybTenant`: a customer of the platform.

pub(crate) mod build;
mod dereference;
mod finalize;
pub(crate) mod plan;
mod status;
pub(crate) mod validate;

use std::{convert::Infallible, sync::Arc, time::Duration};

use chrono::Utc;
use k8s_openapi::{api::core::v1::Secret, jiff::Timestamp};
use kube::{ResourceExt, api::ApiResource, runtime::controller::Action};
use kyb_crds::{ConditionType, KybTenant, Reason, TenantKeyStatus, TenantStatus, names};
use kyb_kit::{Child, ChildKey, Children, Outcome, Owner, Prune};

use crate::{
    concern::Concern,
    context::{Context, TENANT_MARKS},
    controllers::leftovers,
    deletion,
    verdict::{State, Verdict, next},
};
use build::IssuedKey;
use dereference::Facts;
use validate::{Key, KeySource, ValidTenant};

/// Brings one tenant to what its spec says, as far as it is possible now, and says how far that is. Never waits, and never
/// fails as a whole: what went wrong stands in the status, and the time to look again follows from it.
pub(crate) async fn reconcile(object: Arc<KybTenant>, context: Arc<Context>) -> Result<Action, Infallible> {
    let tenant = ValidTenant::of(&object);
    let mut facts = dereference::dereference(&object, &tenant, &context).await;
    let before: TenantStatus = context.statuses.current(&*object).unwrap_or_default();
    if object.metadata.deletion_timestamp.is_some() && !facts.erasing {
        // The garbage collector takes the children; the status of an object that goes at once would only race with its end.
        deletion::tell(&*object, &context).await;
        let wait = finalize::finalize(&object, &tenant, &facts, &context).await;
        return Ok(wait.map_or_else(Action::await_change, Action::requeue));
    }
    let held = if object.metadata.deletion_timestamp.is_none() {
        finalize::finalize(&object, &tenant, &facts, &context).await
    } else {
        None
    };
    facts.unheld = tenant.erase && held.is_some();
    let keys = build::issue(&tenant, &facts, &before.keys, &context.root, Utc::now());
    let concerns = build::concerns(&tenant, &facts, &keys, &context.operator);
    let secrets = revoked(&keys, &before).map(|known| key_secret(&tenant, known)).collect();
    let applied = apply(&object, &facts, &concerns, secrets, &context).await;
    let deliveries = status::deliveries(&tenant, &facts, &context.live);
    let verdicts = verdicts(&tenant, &facts, &concerns, &applied).into_iter();
    let mut verdicts: Vec<_> = verdicts.map(|verdict| verdict.if_it_lasts(before.failures)).collect();
    verdicts.push(status::delivered(&tenant, &facts, &deliveries));
    let unseen = context.sight.verdict(|namespace| names::is_tenants(&tenant.id, namespace));
    verdicts.extend(unseen.map(|verdict| verdict.if_it_lasts(before.failures)));
    if facts.erasing {
        // First, since everything else waits for it.
        verdicts.insert(0, status::erased(&facts, object.spec.paused != Some(true)));
    }
    let lingering = lingering(&tenant, &keys, &facts, &before, &applied);
    let reported =
        Reported { keys: &keys, lingering, deliveries: &deliveries, verdicts: &verdicts, before: &before };
    let wait = report(&object, &tenant, &facts, &reported, &context).await;
    let released =
        if facts.erasing { finalize::finalize(&object, &tenant, &facts, &context).await } else { held };
    let wait = released.or(wait);
    Ok(wait.map_or_else(Action::await_change, Action::requeue))
}

/// What was done, or why nothing was.
enum Applied {
    /// What came of it.
    Done(Outcome),
    /// Nothing was written, and this is why.
    Left(State, Reason, String),
}

/// Keys that are not derived any more: the spec does not name them, or brings its own. Secrets are not watched, so it is the status
/// that remembers them.
fn revoked<'a>(keys: &[IssuedKey], before: &'a TenantStatus) -> impl Iterator<Item = &'a TenantKeyStatus> {
    let is_derived = |key: &Key| matches!(key.source, KeySource::Derived { .. });
    let derived =
        move |known: &str| keys.iter().any(|key| key.wanted.name == known && is_derived(&key.wanted));
    before.keys.iter().filter(move |known| !derived(known.name.as_str()))
}

/// Those of them whose Secret may be there still: forgotten now, it would stay for ever.
fn lingering(
    tenant: &ValidTenant,
    keys: &[IssuedKey],
    facts: &Facts,
    before: &TenantStatus,
    applied: &Applied,
) -> Vec<TenantKeyStatus> {
    let is_open = facts.closed(&names::tenant_namespace(&tenant.id)).is_none();
    let is_gone = |known: &TenantKeyStatus| match applied {
        Applied::Done(outcome) if is_open && !facts.erasing => {
            let secret = key_secret(tenant, known);
            !outcome.failures.iter().any(|failure| *failure.child() == secret)
        }
        Applied::Done(_) | Applied::Left(..) => false,
    };
    let is_named = |known: &TenantKeyStatus| tenant.keys.iter().any(|key| key.name == known.name.as_str());
    revoked(keys, before).filter(|known| !is_named(known) && !is_gone(known)).cloned().collect()
}

fn key_secret(tenant: &ValidTenant, known: &TenantKeyStatus) -> ChildKey {
    let (resource, namespace) = (ApiResource::erase::<Secret>(&()), names::tenant_namespace(&tenant.id));
    ChildKey::new(&resource, Some(&namespace), &names::key_secret(known.name.as_str()))
}

async fn apply(
    object: &KybTenant,
    facts: &Facts,
    concerns: &[Concern],
    revoked: Vec<ChildKey>,
    context: &Context,
) -> Applied {
    if let Some(elder) = &facts.elder {
        let message =
            format!("KybTenant {elder} has the id {} already; delete one of the two", object.spec.id);
        return Applied::Left(State::Stuck, Reason::DuplicateTenant, message);
    }
    if object.spec.paused == Some(true) {
        let message = "spec.paused is true: nothing is written; set it to false to go on".to_owned();
        return Applied::Left(State::Aside, Reason::Paused, message);
    }
    let wanted = concerns.iter().filter_map(|concern| concern.children.as_ref().ok()).flatten().cloned();
    let children = match children(object, wanted) {
        Ok(children) => children,
        Err(why) => return Applied::Left(State::Stuck, Reason::InvalidSpec, why),
    };
    let outcome = context.tenant_applier.apply(&children, &prune(facts, concerns, revoked)).await;
    context.metrics.applied("KybTenant", &outcome);
    Applied::Done(outcome)
}

/// What could not be built is not wanted less: without settings nothing goes that the regions go on using, which is their settings and
/// the namespaces of the contexts in them. Rights and keys that were taken away go all the same.
fn prune(facts: &Facts, concerns: &[Concern], revoked: Vec<ChildKey>) -> Prune {
    if facts.erasing {
        return Prune::nothing();
    }
    let whole = concerns.iter().all(|concern| concern.children.is_ok());
    let secrets = revoked.into_iter().map(|key| (key, ApiResource::erase::<Secret>(&()))).collect();
    // A label that was taken off is no wish to have what lies there deleted.
    let unprepared = facts.unprepared.iter().flatten().map(|(namespace, _)| namespace);
    let serving = facts.serving.iter().filter(|_| !whole).map(|region| &region.namespace);
    let spared = unprepared.chain(serving).cloned().collect();
    Prune { namespaces: whole, unwatched: secrets, spared, ..Prune::default() }
}

fn children(object: &KybTenant, wanted: impl Iterator<Item = Child>) -> Result<Children, String> {
    let owner = Owner::of(object).map_err(|why| why.to_string())?;
    Children::of(&owner, &TENANT_MARKS, wanted).map_err(|why| why.to_string())
}

fn verdicts(tenant: &ValidTenant, facts: &Facts, concerns: &[Concern], applied: &Applied) -> Vec<Verdict> {
    let outcome = match applied {
        Applied::Done(outcome) => outcome,
        Applied::Left(state, reason, message) => {
            return vec![Verdict::new(ConditionType::NamespacesReady, *state, *reason, message.clone())];
        }
    };
    let of = |concern: &Concern| {
        let done = match concern.condition {
            ConditionType::NamespacesReady => "namespaces, quota and network policies are in place",
            ConditionType::AccessReady => "role bindings and service accounts are in place",
            ConditionType::KeysReady => "every API key is issued",
            _ => "the rules compile",
        };
        Verdict::of_concern(concern, &outcome.failures, done)
    };
    let mut verdicts: Vec<Verdict> = concerns.iter().map(of).collect();
    leftovers::mind(&mut verdicts, concerns, &outcome.failures);
    let looked_at = |verdict: Verdict| match verdict.condition {
        ConditionType::KeysReady => status::keys(tenant, facts, verdict),
        _ => verdict,
    };
    verdicts.into_iter().map(looked_at).map(|verdict| status::prepared(tenant, facts, verdict)).collect()
}

/// What a status is made of, beside the tenant itself.
struct Reported<'a> {
    keys: &'a [IssuedKey],
    lingering: Vec<TenantKeyStatus>,
    deliveries: &'a [Verdict],
    verdicts: &'a [Verdict],
    before: &'a TenantStatus,
}

/// Writes the status, tells what changed, and says when to look again.
async fn report(
    object: &KybTenant,
    tenant: &ValidTenant,
    facts: &Facts,
    reported: &Reported<'_>,
    context: &Context,
) -> Option<Duration> {
    let Reported { keys, lingering, deliveries, verdicts, before } = reported;
    let (mut status, conditions) =
        status::status(object, tenant, facts, &context.live, keys, deliveries, verdicts);
    let (failures, wait) =
        next(&context.retries, &object.uid().unwrap_or_default(), before.failures, verdicts);
    status.failures = failures;
    status.keys.extend(lingering.iter().cloned());
    status.conditions = conditions.onto(&before.conditions, Timestamp::now());
    let ends = keys.iter().filter_map(|key| (key.previous.as_ref()?.until - Utc::now()).to_std().ok());
    let wait = wait.into_iter().chain(ends).min();
    context.tell(object, &status, &before.conditions, &status.conditions, wait).await
}
