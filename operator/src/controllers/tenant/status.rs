//! What a tenant's status says.

use kyb_crds::{ConditionType, KybTenant, Reason, TenantRegionStatus, TenantStatus, names};
use kyb_kit::{ConditionSet, Live};

use super::{
    build::IssuedKey,
    dereference::{Facts, Serving},
    validate::{Key, KeySource, ValidTenant},
};
use crate::{
    concern::Problem,
    context::written_version,
    verdict::{State, Verdict, summary},
};

/// How a region stands with the tenant's newest settings.
fn delivery(tenant: &ValidTenant, serving: &Serving, live: &Live) -> Verdict {
    let verdict = |state, reason, message: &str| {
        let message = format!("region {}: {message}", serving.region);
        Verdict::new(ConditionType::SettingsDelivered, state, reason, message)
    };
    if let Some(why) = &serving.refused {
        let message =
            format!("{why}; the last good settings stay in use; correct the spec, or upgrade the region");
        return verdict(State::Stuck, Reason::SettingsRefused, &message);
    }
    let Some(wanted) = written_version(live, &serving.namespace, &names::tenant_config_map(&tenant.id))
    else {
        return verdict(State::Underway, Reason::SettingsPending, "the settings are not written yet");
    };
    match serving.accepted {
        None => {
            verdict(State::Underway, Reason::NoReport, "no worker reports which settings its gateways use")
        }
        Some(accepted) if accepted >= wanted => {
            verdict(State::Well, Reason::Ready, "every gateway uses the newest settings")
        }
        Some(_) => verdict(
            State::Underway,
            Reason::SettingsPending,
            "not every gateway uses the newest settings yet",
        ),
    }
}

/// How each region of this cluster stands with the tenant's newest settings, in the order of `facts.serving`.
pub(crate) fn deliveries(tenant: &ValidTenant, facts: &Facts, live: &Live) -> Vec<Verdict> {
    facts.serving.iter().map(|serving| delivery(tenant, serving, live)).collect()
}

/// The verdict about all regions.
pub(crate) fn delivered(tenant: &ValidTenant, facts: &Facts, deliveries: &[Verdict]) -> Verdict {
    let verdict = |state, reason, message: String| {
        Verdict::new(ConditionType::SettingsDelivered, state, reason, message)
    };
    if let Some(elder) = &facts.elder {
        return verdict(
            State::Missed,
            Reason::DuplicateTenant,
            format!("the regions serve KybTenant {elder}"),
        );
    }
    if let Some(foreign) = facts.foreign.first() {
        let message = format!(
            "region {foreign} holds data of another residency than {}; take it out of spec.placement.regions",
            tenant.residency
        );
        return verdict(State::Stuck, Reason::ResidencyMismatch, message);
    }
    let worst = deliveries.iter().map(|delivery| delivery.state).max();
    match worst.and_then(|worst| deliveries.iter().find(|delivery| delivery.state == worst)) {
        Some(delivery) if delivery.state > State::Well => delivery.clone(),
        Some(_) => Verdict::well(ConditionType::SettingsDelivered, "every gateway uses the newest settings"),
        None if facts.regions_here == 0 => {
            let wanted = tenant.regions.join(", ");
            let message =
                format!("this cluster has no region yet; apply a RegionDeployment for one of {wanted}");
            verdict(State::Underway, Reason::NoRegion, message)
        }
        None => {
            let message = format!(
                "served elsewhere: none of {} is a region of this cluster",
                tenant.regions.join(", ")
            );
            verdict(State::Aside, Reason::NoRegion, message)
        }
    }
}

/// How far the erasure of a tenant is that is being deleted. `asked` is whether the workers were told.
pub(crate) fn erased(facts: &Facts, asked: bool) -> Verdict {
    let verdict = |state, reason, message| Verdict::new(ConditionType::Erased, state, reason, message);
    if !asked {
        let message = "spec.paused is true, so no worker is asked to erase; set it to false to go on";
        return verdict(State::Stuck, Reason::Paused, message.to_owned());
    }
    if let Some((region, why)) = facts.not_erased.first() {
        return verdict(
            State::Failing,
            Reason::Erasing,
            format!("region {region}: {why}; it is tried again"),
        );
    }
    let waiting: Vec<_> = facts
        .serving
        .iter()
        .map(|serving| serving.region.as_str())
        .filter(|region| !facts.erased_in.iter().any(|done| done == region))
        .collect();
    let message = if waiting.is_empty() {
        "no region of this cluster holds its data any more".to_owned()
    } else {
        format!("waits until a worker of {} has reported that the data is gone", waiting.join(", "))
    };
    verdict(State::Underway, Reason::Erasing, message)
}

/// Keys that could not be read, or that are not as they should be, stop nothing but themselves.
pub(crate) fn keys<'a>(tenant: &'a ValidTenant, facts: &'a Facts, applied: Verdict) -> Verdict {
    let problem = |key: &'a Key| match &key.source {
        KeySource::Brought(_) => facts.brought_keys.get(&key.name)?.as_ref().err(),
        KeySource::Derived { overlap, .. } => overlap.as_ref().err(),
    };
    match tenant.keys.iter().find_map(problem) {
        Some(problem) if applied.state <= State::Underway => {
            Verdict::of_problem(ConditionType::KeysReady, problem)
        }
        _ => applied,
    }
}

/// What should lie in a namespace that is not prepared is not there, whatever became of the rest.
pub(crate) fn prepared(tenant: &ValidTenant, facts: &Facts, applied: Verdict) -> Verdict {
    let concerned = match applied.condition {
        ConditionType::NamespacesReady | ConditionType::AccessReady => tenant.places().len(),
        ConditionType::KeysReady if !tenant.keys.is_empty() => 1, // the tenant's own namespace, which is the first
        _ => 0,
    };
    let places = tenant.places().iter().take(concerned);
    let mut problems = places.filter_map(|place| facts.closed(&place.namespace));
    match problems.next() {
        Some(first) if applied.state < State::Stuck => {
            let more = match problems.count() {
                0 => String::new(),
                count => format!("; {count} more of the tenant's namespaces are not prepared"),
            };
            let problem = Problem::new(first.reason, format!("{}{more}", first.message));
            Verdict::of_problem(applied.condition, &problem)
        }
        _ => applied,
    }
}

/// The whole status.
pub(crate) fn status(
    object: &KybTenant,
    tenant: &ValidTenant,
    facts: &Facts,
    live: &Live,
    keys: &[IssuedKey],
    deliveries: &[Verdict],
    verdicts: &[Verdict],
) -> (TenantStatus, ConditionSet) {
    let serving: Vec<_> = facts.serving.iter().map(|serving| serving.region.as_str()).collect();
    let ready = if serving.is_empty() {
        "served elsewhere".to_owned()
    } else {
        format!("served by {}", serving.join(", "))
    };
    let conditions = summary(object.metadata.generation, verdicts, &ready);
    let is_there = |name: &&str| match &facts.unprepared {
        None => owns(live, name, object),
        Some(unprepared) => !unprepared.contains_key(*name),
    };
    let places = tenant.places().iter().map(|place| place.namespace.as_str()).filter(is_there);
    let status = TenantStatus {
        observed_generation: object.metadata.generation,
        conditions: vec![],
        namespaces: places.map(Into::into).collect(),
        regions: facts.serving.iter().zip(deliveries).map(region).collect(),
        keys: keys.iter().map(|key| key.status(tenant)).collect(),
        failures: None,
    };
    (status, conditions)
}

fn region((serving, delivery): (&Serving, &Verdict)) -> TenantRegionStatus {
    TenantRegionStatus {
        name: serving.region.as_str().into(),
        ready: delivery.state == State::Well,
        reason: Some(delivery.reason.as_str().to_owned()),
    }
}

fn owns(live: &Live, namespace: &str, object: &KybTenant) -> bool {
    let found: Option<k8s_openapi::api::core::v1::Namespace> = live.typed(None, namespace);
    let labels = found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
    labels.get(names::OWNER_UID_LABEL) == object.metadata.uid.as_ref()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        scope::Scope,
        testing::{config_map, context},
    };

    fn tenant() -> ValidTenant {
        let object = json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": "acme"},
            "spec": {
                "id": "acme", "displayName": "Acme", "plan": "starter",
                "placement": {"home": "us-east-1", "regions": ["us-east-1"], "residency": "US"},
                "contexts": [{"name": "lending"}, {"name": "trade"}],
                "apiKeys": [{"name": "default", "role": "Guest"}],
            },
        });
        ValidTenant::of(&serde_json::from_value(object).unwrap())
    }

    /// What is said of a concern that went well, where these namespaces are not prepared.
    fn said(condition: ConditionType, unprepared: &[&str]) -> (Reason, String) {
        let why = |name: &str| {
            Problem::new(Reason::NamespaceNotPrepared, format!("the namespace {name} is not there"))
        };
        let unprepared = unprepared.iter().map(|name| ((*name).to_owned(), why(name))).collect();
        let facts = Facts { unprepared: Some(unprepared), ..Facts::default() };
        let verdict = prepared(&tenant(), &facts, Verdict::well(condition, "well"));
        (verdict.reason, verdict.message)
    }

    #[test]
    fn a_namespace_that_is_not_prepared_is_told_by_what_should_lie_there() {
        use ConditionType::{AccessReady, KeysReady, NamespacesReady, PolicyValid};
        let well = (Reason::Ready, "well".to_owned());
        let lacks = |message: &str| (Reason::NamespaceNotPrepared, message.to_owned());
        assert_eq!(said(NamespacesReady, &[]), well);
        let of_a_context = ["kyb-t-acme--trade"];
        assert_eq!(said(AccessReady, &of_a_context), lacks("the namespace kyb-t-acme--trade is not there"));
        assert_eq!(said(KeysReady, &of_a_context), well, "keys lie in the tenant's own");
        let all = ["kyb-t-acme", "kyb-t-acme--lending", "kyb-t-acme--trade"];
        let message =
            "the namespace kyb-t-acme is not there; 2 more of the tenant's namespaces are not prepared";
        assert_eq!(said(NamespacesReady, &all), lacks(message));
        assert_eq!(said(KeysReady, &all), lacks("the namespace kyb-t-acme is not there"));
        assert_eq!(said(PolicyValid, &all), well);
    }

    #[test]
    fn what_needs_a_person_already_is_not_told_as_something_else() {
        let problem = Problem::new(Reason::NamespaceNotPrepared, "it is not there");
        let unprepared = Some([("kyb-t-acme".to_owned(), problem)].into());
        let facts = Facts { unprepared, ..Facts::default() };
        let stuck = Verdict::new(ConditionType::NamespacesReady, State::Stuck, Reason::QuotaExceeded, "no");
        assert_eq!(prepared(&tenant(), &facts, stuck.clone()), stuck);
        let failing = Verdict { state: State::Failing, ..stuck };
        assert_eq!(prepared(&tenant(), &facts, failing).reason, Reason::NamespaceNotPrepared);
    }

    fn serving(region: &str) -> Serving {
        Serving {
            region: region.to_owned(),
            namespace: format!("kyb-{region}"),
            accepted: None,
            refused: None,
            settings: None,
        }
    }

    #[tokio::test]
    async fn a_region_uses_the_settings_once_every_gateway_has_looked_at_the_newest() {
        let namespace = "kyb-us-east-1";
        let settings = config_map(namespace, "kyb-settings-tenant-acme", "70", "acme.json", "{}");
        let context = context(Scope::Cluster, &[settings]);
        let said = |accepted: Option<u64>| {
            let verdict = delivery(&tenant(), &Serving { accepted, ..serving("us-east-1") }, &context.live);
            (verdict.state, verdict.reason)
        };
        assert_eq!(said(None), (State::Underway, Reason::NoReport));
        assert_eq!(said(Some(69)), (State::Underway, Reason::SettingsPending), "of the settings before");
        assert_eq!(said(Some(70)), (State::Well, Reason::Ready));
        assert_eq!(said(Some(71)), (State::Well, Reason::Ready));
        let refused = Serving {
            accepted: Some(70),
            refused: Some("it is not valid".to_owned()),
            ..serving("us-east-1")
        };
        assert_eq!(delivery(&tenant(), &refused, &context.live).reason, Reason::SettingsRefused);
        let elsewhere = Serving { accepted: Some(70), ..serving("eu-west-1") };
        assert_eq!(delivery(&tenant(), &elsewhere, &context.live).reason, Reason::SettingsPending);
    }

    #[test]
    fn what_all_regions_come_to_is_what_the_worst_of_them_says() {
        let of = |facts: Facts, deliveries: &[Verdict]| {
            let verdict = delivered(&tenant(), &facts, deliveries);
            (verdict.state, verdict.reason, verdict.message)
        };
        let is = |state, reason, message: &str| (state, reason, message.to_owned());
        let region = |state, reason| Verdict::new(ConditionType::SettingsDelivered, state, reason, "said");
        let well = region(State::Well, Reason::Ready);
        let failing = region(State::Failing, Reason::SettingsRefused);

        let elder = Facts { elder: Some("other".to_owned()), ..Facts::default() };
        assert_eq!(
            of(elder, &[]),
            is(State::Missed, Reason::DuplicateTenant, "the regions serve KybTenant other")
        );
        let foreign = Facts { foreign: vec!["eu-west-1".to_owned()], ..Facts::default() };
        let said = of(foreign, std::slice::from_ref(&well));
        assert_eq!((said.0, said.1), (State::Stuck, Reason::ResidencyMismatch));
        assert!(said.2.contains("region eu-west-1 holds data of another residency than US"), "{}", said.2);
        let both = [well.clone(), failing];
        assert_eq!(of(Facts::default(), &both), is(State::Failing, Reason::SettingsRefused, "said"));
        let all = is(State::Well, Reason::Ready, "every gateway uses the newest settings");
        assert_eq!(of(Facts::default(), &[well]), all);
        let nowhere = "this cluster has no region yet; apply a RegionDeployment for one of us-east-1";
        assert_eq!(of(Facts::default(), &[]), is(State::Underway, Reason::NoRegion, nowhere));
        let others = Facts { regions_here: 1, ..Facts::default() };
        let elsewhere = "served elsewhere: none of us-east-1 is a region of this cluster";
        assert_eq!(of(others, &[]), is(State::Aside, Reason::NoRegion, elsewhere));
    }

    #[test]
    fn an_erasure_says_whom_it_waits_for_and_what_went_wrong() {
        let of = |facts: &Facts, asked| {
            let verdict = erased(facts, asked);
            (verdict.state, verdict.reason, verdict.message)
        };
        let facts = Facts { serving: vec![serving("us-east-1"), serving("us-west-2")], ..Facts::default() };
        assert_eq!(of(&facts, false).1, Reason::Paused);
        let waits = "waits until a worker of us-east-1, us-west-2 has reported that the data is gone";
        assert_eq!(of(&facts, true), (State::Underway, Reason::Erasing, waits.to_owned()));
        let half = Facts { erased_in: vec!["us-east-1".to_owned()], ..facts };
        let waits = "waits until a worker of us-west-2 has reported that the data is gone";
        assert_eq!(of(&half, true).2, waits);
        let failed =
            Facts { not_erased: vec![("us-west-2".to_owned(), "a lock is held".to_owned())], ..half };
        let why = "region us-west-2: a lock is held; it is tried again";
        assert_eq!(of(&failed, true), (State::Failing, Reason::Erasing, why.to_owned()));
        assert_eq!(of(&Facts::default(), true).2, "no region of this cluster holds its data any more");
    }
}
