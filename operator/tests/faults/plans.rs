//! Which plans there are: every request and event of a step in which nothing went wrong, with every fault that can befall it.

use std::{collections::BTreeMap, time::Duration};

use kyb_faults::{Fault, Plan, Point, Target, Verb};

/// Longer than what takes the operator from one request to the next, and shorter than a step may take.
const DELAY: Duration = Duration::from_millis(400);
/// So many events about one object are struck at: those of an object's own kind come over two watches, and mostly say the same.
const EVENTS: usize = 3;

/// All faults, in the order of the matrix's columns. None is [`Fault::Stale`]: the operator asks for the most recent state whenever it
/// lists, and then no server answers with an older one.
pub(crate) const FAULTS: [Fault; 18] = [
    Fault::Refused,
    Fault::Lost,
    Fault::Delayed(DELAY),
    Fault::Late(DELAY),
    Fault::Conflict,
    Fault::TooManyRequests,
    Fault::ServerError,
    Fault::Timeout,
    Fault::Forbidden,
    Fault::QuotaExceeded,
    Fault::Dropped,
    Fault::Duplicated,
    Fault::Coalesced(DELAY),
    Fault::Held(DELAY),
    Fault::Gone,
    Fault::Frozen(DELAY),
    Fault::CrashBefore,
    Fault::CrashAfter,
];

/// Every plan for a step whose requests and events these are.
pub(crate) fn of_step(targets: &BTreeMap<Target, usize>) -> Vec<Plan> {
    let points = targets.iter().flat_map(|(target, times)| {
        let at_most = if target.verb == Verb::Watch { EVENTS } else { usize::MAX };
        (1..=*times.min(&at_most)).map(move |nth| (target, nth))
    });
    let plans = points.flat_map(|(target, nth)| {
        let befalls = |fault: &Fault| befalls(*fault, target);
        FAULTS
            .into_iter()
            .filter(befalls)
            .map(move |fault| Plan::once(fault, Point::About(target.clone(), nth)))
    });
    plans.collect()
}

fn befalls(fault: Fault, target: &Target) -> bool {
    let makes = matches!(target.verb, Verb::Create | Verb::Patch) && target.subresource.is_none();
    match fault {
        Fault::Conflict | Fault::CrashBefore | Fault::CrashAfter => target.verb.is_write(),
        Fault::QuotaExceeded => makes && target.namespace.is_some(),
        fault => fault.is_of_watches() == (target.verb == Verb::Watch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(verb: Verb) -> Target {
        Target {
            verb,
            group: String::new(),
            resource: "secrets".into(),
            namespace: Some("kyb-t-SCOPE".into()),
            name: Some("key".into()),
            subresource: None,
        }
    }

    fn faults(verb: Verb) -> Vec<&'static str> {
        let plans = of_step(&BTreeMap::from([(target(verb), 1)]));
        plans.iter().map(|plan| plan.fault.as_str()).collect()
    }

    #[test]
    fn only_what_can_happen_is_planned() {
        assert_eq!(faults(Verb::Get), ["refused", "lost", "delayed", "late", "429", "500", "504", "403"]);
        assert_eq!(faults(Verb::Watch), ["dropped", "twice", "merged", "held", "410", "frozen"]);
        assert_eq!(faults(Verb::Patch).len(), 12);
        assert!(!faults(Verb::Delete).contains(&"quota"));
    }

    #[test]
    fn every_time_is_a_plan_of_its_own() {
        let plans = of_step(&BTreeMap::from([(target(Verb::Get), 2)]));
        assert_eq!(plans.len(), 2 * 8);
        assert_eq!(plans[8].to_string(), "refused at get secrets kyb-t-SCOPE/key no. 2");
    }
}
