//! `CachePolicy`: it owns nothing. The region controller puts it into the settings of the regions that name it; here its
//! status is kept: who uses it, and how often it hits.

use std::{convert::Infallible, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::{ResourceExt, runtime::controller::Action};
use kyb_crds::{CachePolicy, CachePolicyStatus, CacheReport, ConditionType, Reason, RegionDeployment, names};
use kyb_kit::Outdated;
use kyb_settings::files::CacheFile;

use super::region::{
    build::settings::{cache_file, written_cache},
    status::{accepted, refused},
};
use crate::{
    context::{Context, written_version},
    deletion,
    verdict::{State, Verdict, next, summary},
};

/// Brings the status up to date.
pub(crate) async fn reconcile(object: Arc<CachePolicy>, context: Arc<Context>) -> Result<Action, Infallible> {
    let Ok(before): Result<CachePolicyStatus, Outdated> = context.statuses.current(&*object) else {
        return Ok(Action::requeue(Duration::ZERO)); // what was seen is not what is there
    };
    if object.metadata.deletion_timestamp.is_some() {
        deletion::tell(&*object, &context).await;
        return Ok(Action::await_change());
    }
    let users = users(&object, &context);
    let rates = rates(&users, &context);
    let mut verdicts = vec![delivered(&object, &users, &context), hits(&object, &rates)];
    let here = object.namespace().unwrap_or_default();
    verdicts.extend(context.sight.verdict(|namespace| namespace == here));
    let (failures, wait) =
        next(&context.retries, &object.uid().unwrap_or_default(), before.failures, &verdicts);
    let ready = if users.is_empty() { "waits to be named by a region" } else { "in use" };
    let conditions = summary(object.metadata.generation, &verdicts, ready);
    let status = CachePolicyStatus {
        observed_generation: object.metadata.generation,
        conditions: conditions.onto(&before.conditions, Timestamp::now()),
        used_by: users.iter().map(|region| region.name_any().into()).collect(),
        hit_rate_percent: mean(&rates),
        hit_rates: rates,
        failures,
    };
    let wait = context.tell(&*object, &status, &before.conditions, &status.conditions, wait).await;
    Ok(wait.map_or_else(Action::await_change, Action::requeue))
}

/// The regions of the same namespace that name the policy.
fn users(policy: &CachePolicy, context: &Context) -> Vec<Arc<RegionDeployment>> {
    let (namespace, name) = (policy.namespace(), policy.name_any());
    let names_it = |region: &Arc<RegionDeployment>| {
        region.namespace() == namespace
            && region.spec.cache_policy.as_ref().is_some_and(|wanted| wanted.name.as_str() == name)
    };
    let mut users: Vec<_> = context.regions().into_iter().filter(names_it).collect();
    users.sort_by_key(|region| region.name_any());
    users
}

fn delivered(policy: &CachePolicy, users: &[Arc<RegionDeployment>], context: &Context) -> Verdict {
    let condition = ConditionType::SettingsDelivered;
    if policy.spec.paused == Some(true) {
        return Verdict::new(
            condition,
            State::Aside,
            Reason::Paused,
            "spec.paused is true: changes are not handed on",
        );
    }
    let wanted = match cache_file(&policy.spec) {
        Ok(wanted) => wanted,
        Err(problem) => return Verdict::of_problem(condition, &problem),
    };
    if users.is_empty() {
        let message = "no RegionDeployment of this namespace names it in spec.cachePolicy";
        return Verdict::new(condition, State::Aside, Reason::NotUsed, message);
    }
    let refusal = |region: &Arc<RegionDeployment>| {
        Some((region.name_any(), refused(&context.report(region)?.status?)?))
    };
    if let Some((region, why)) = users.iter().find_map(refusal) {
        return Verdict::new(
            condition,
            State::Stuck,
            Reason::SettingsRefused,
            format!("region {region}: {why}"),
        );
    }
    let waiting = users.iter().find(|region| !has(region, &wanted, context) || !uses_newest(region, context));
    match waiting {
        None => Verdict::well(condition, "every gateway obeys it"),
        Some(region) => {
            let message = format!("region {}: not every gateway obeys it yet", region.spec.region);
            Verdict::new(condition, State::Underway, Reason::SettingsPending, message)
        }
    }
}

/// Whether the settings of a region, as they are written now, are those of the policy as it is now.
fn has(region: &RegionDeployment, wanted: &CacheFile, context: &Context) -> bool {
    let written = written_cache(&context.live, &region.namespace().unwrap_or_default());
    written.as_ref() == Some(wanted)
}

fn uses_newest(region: &RegionDeployment, context: &Context) -> bool {
    let namespace = region.namespace().unwrap_or_default();
    let wanted = written_version(&context.live, &namespace, names::PLATFORM_CONFIG_MAP);
    let accepted = context.report(region).and_then(|report| accepted(report.status.as_ref()?));
    wanted.zip(accepted).is_some_and(|(wanted, accepted)| accepted >= wanted)
}

/// Of each class the lowest rate of all regions: a mean would hide the region in which it does not work.
fn rates(users: &[Arc<RegionDeployment>], context: &Context) -> Vec<CacheReport> {
    let mut rates: Vec<CacheReport> = Vec::new();
    let reports = users.iter().filter_map(|region| context.report(region)?.status);
    for rate in reports.flat_map(|status| status.caches) {
        match rates.iter_mut().find(|known| known.class == rate.class) {
            Some(known) => known.hit_rate_percent = known.hit_rate_percent.min(rate.hit_rate_percent),
            None => rates.push(rate),
        }
    }
    rates
}

fn mean(rates: &[CacheReport]) -> Option<i32> {
    let sum: i32 = rates.iter().map(|rate| rate.hit_rate_percent).sum();
    i32::try_from(rates.len()).ok().filter(|count| *count > 0).map(|count| sum / count)
}

/// A missed target is told, but keeps nothing from being ready: the cache works, it only helps less than was hoped.
fn hits(policy: &CachePolicy, rates: &[CacheReport]) -> Verdict {
    let condition = ConditionType::HitRateReached;
    match (policy.spec.hit_rate_target_percent, mean(rates)) {
        (None, _) => Verdict::new(condition, State::Aside, Reason::NotConfigured, "no target is set"),
        (Some(_), None) => {
            Verdict::new(condition, State::Aside, Reason::NoReport, "nothing was looked up yet")
        }
        (Some(target), Some(rate)) if rate >= target => {
            Verdict::well(condition, format!("the target of {target} % is met"))
        }
        (Some(target), Some(_)) => {
            let message = format!("below the target of {target} %; see status.hitRates");
            Verdict::new(condition, State::Missed, Reason::HitRateBelowTarget, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use kyb_settings::files::{PLATFORM_FILE, PlatformFile};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        scope::Scope,
        testing::{LONG_AGO, config_map, context, region, report},
    };

    fn policy(target: Option<i32>) -> CachePolicy {
        let object = json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "CachePolicy", "metadata": {"name": "own"},
            "spec": {"hitRateTargetPercent": target},
        });
        serde_json::from_value(object).unwrap()
    }

    fn rates(percents: &[i32]) -> Vec<CacheReport> {
        let rate = |percent: &i32| {
            serde_json::from_value(json!({"class": "sanctions", "hitRatePercent": percent})).unwrap()
        };
        percents.iter().map(rate).collect()
    }

    #[tokio::test]
    async fn the_mean_of_all_classes_is_held_against_the_target() {
        assert_eq!(mean(&rates(&[])), None);
        assert_eq!(mean(&rates(&[80])), Some(80));
        assert_eq!(mean(&rates(&[80, 61])), Some(70), "in whole percent");
        let reason = |target, percents: &[i32]| hits(&policy(target), &rates(percents)).reason;
        assert_eq!(reason(None, &[80]), Reason::NotConfigured);
        assert_eq!(reason(Some(70), &[]), Reason::NoReport);
        assert_eq!(reason(Some(70), &[80, 60]), Reason::Ready, "just met");
        assert_eq!(reason(Some(71), &[80, 60]), Reason::HitRateBelowTarget);
        assert_eq!(hits(&policy(Some(71)), &rates(&[70])).state, State::Missed);
    }

    /// What the policy `default` of the namespace `one` comes to, with these objects.
    fn told(objects: &[Value]) -> Verdict {
        let context = context(Scope::Cluster, objects);
        let policy = in_one();
        delivered(&policy, &users(&policy, &context), &context)
    }

    fn in_one() -> CachePolicy {
        let mut policy = policy(None);
        (policy.metadata.name, policy.metadata.namespace) =
            (Some("default".to_owned()), Some("one".to_owned()));
        policy
    }

    fn gateway(version: &str) -> Value {
        json!({"name": "gateway", "component": "gateway", "version": "1", "settings": {"resourceVersion": version}})
    }

    #[tokio::test]
    async fn regions_of_the_same_namespace_that_name_it_are_its_users() {
        let mut other = region("one", "us-west-2", LONG_AGO);
        other["metadata"]["name"] = "another".into();
        other["spec"]["cachePolicy"]["name"] = "other".into();
        let objects = [region("one", "us-east-1", LONG_AGO), region("two", "us-east-1", LONG_AGO), other];
        let users = users(&in_one(), &context(Scope::Cluster, &objects));
        assert_eq!(users.iter().map(|region| region.name_any()).collect::<Vec<_>>(), ["one"]);
    }

    #[tokio::test]
    async fn a_policy_is_obeyed_once_every_gateway_uses_the_settings_that_hold_it() {
        let written = |cache| {
            let file = PlatformFile { lists: vec![], cache, region: None, residency: None };
            let text = serde_yaml::to_string(&file).unwrap();
            config_map("one", names::PLATFORM_CONFIG_MAP, "12", PLATFORM_FILE, &text)
        };
        let newest = || written(cache_file(&in_one().spec).ok());
        let with = |settings: Option<Value>, version: &str| {
            let report = report("one", 1, &json!({"workloads": [gateway(version)]}));
            told(
                &[
                    vec![region("one", "us-east-1", LONG_AGO)],
                    report.to_vec(),
                    settings.into_iter().collect(),
                ]
                .concat(),
            )
        };
        assert_eq!(with(Some(newest()), "12").state, State::Well);
        assert_eq!(with(Some(newest()), "13").state, State::Well);
        assert_eq!(with(Some(newest()), "11").reason, Reason::SettingsPending);
        assert_eq!(with(None, "12").reason, Reason::SettingsPending);
        assert_eq!(with(Some(written(None)), "12").reason, Reason::SettingsPending, "the older rules");
        assert_eq!(told(&[]).reason, Reason::NotUsed);
        let refusing = json!({"refused": [{"name": "platform.yaml", "problem": "no", "pod": "gateway"}]});
        let refusing = told(
            &[vec![region("one", "us-east-1", LONG_AGO)], report("one", 1, &refusing).to_vec()].concat(),
        );
        assert_eq!((refusing.state, refusing.reason), (State::Stuck, Reason::SettingsRefused));
        assert!(
            refusing.message.starts_with("region one: gateway refuses platform.yaml"),
            "{}",
            refusing.message
        );
    }

    #[tokio::test]
    async fn of_each_class_the_region_in_which_it_works_worst_is_told() {
        let of = |name: &str, rates: Value| {
            [vec![region(name, "us-east-1", LONG_AGO)], report(name, 1, &json!({"caches": rates})).to_vec()]
                .concat()
        };
        let rate = |class: &str, percent: i32| json!({"class": class, "hitRatePercent": percent});
        let objects = [
            of("one", json!([rate("sanctions", 80), rate("risk", 50)])),
            of("two", json!([rate("sanctions", 70)])),
        ];
        let context = context(Scope::Cluster, &objects.concat());
        let mut users = context.regions();
        users.sort_by_key(|region| region.name_any());
        let found: Vec<_> = super::rates(&users, &context).iter().map(|rate| rate.hit_rate_percent).collect();
        assert_eq!(found, [70, 50]);
    }
}
