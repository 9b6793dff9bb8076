//! What the oracles leave out, each with its reason. Nothing is left out anywhere else.

use serde_json::Value;

use crate::{change::Change, state::State, values::Class};

/// A change that is not part of sequences.
pub(crate) struct LeftOut {
    place: &'static str,
    class: Option<Class>,
    /// Whether long runs have it after all.
    only_in_short_runs: bool,
    pub(crate) reason: &'static str,
}

pub(crate) const LEFT_OUT: [LeftOut; 6] = [
    LeftOut {
        place: "RegionDeployment.expose.nodePort",
        class: None,
        only_in_short_runs: false,
        reason: "an object and its twin can't have the same port of the nodes",
    },
    LeftOut {
        place: "KybTenant.contexts",
        class: Some(Class::Fullest),
        only_in_short_runs: true,
        reason: MANY,
    },
    LeftOut {
        place: "KybTenant.access[].contexts",
        class: Some(Class::Fullest),
        only_in_short_runs: true,
        reason: MANY,
    },
    LeftOut {
        place: "KybTenant.apiKeys[].contexts",
        class: Some(Class::Fullest),
        only_in_short_runs: true,
        reason: MANY,
    },
    LeftOut { place: ".replicas", class: Some(Class::Most), only_in_short_runs: true, reason: MANY },
    LeftOut { place: ".minReplicas", class: Some(Class::Most), only_in_short_runs: true, reason: MANY },
];

const MANY: &str = "50 namespaces or 100 pods";

/// Why a change is not part of sequences, if it is not.
pub(crate) fn left_out(change: &Change, is_short: bool) -> Option<&'static LeftOut> {
    let path = change.place.to_string();
    LEFT_OUT.iter().find(|left| {
        path.ends_with(left.place)
            && left.class.is_none_or(|class| class == change.class)
            && (is_short || !left.only_in_short_runs)
    })
}

/// What an object's past leaves behind, so that a new object is different.
pub(crate) struct Past {
    pub(crate) reason: &'static str,
    /// Takes it out of what has become of the object.
    forget: fn(&mut State),
}

pub(crate) const PAST: [Past; 1] = [Past {
    reason: "a key that was replaced is accepted until its overlap ends",
    forget: forget_replaced_keys,
}];

/// The state without what is known to be left from the past.
pub(crate) fn without_past(state: &State) -> State {
    let mut state = state.clone();
    for past in PAST {
        (past.forget)(&mut state);
    }
    state
}

fn forget_replaced_keys(state: &mut State) {
    let mut ends = Vec::new();
    for key in keys(&mut state.status) {
        ends.extend(key.as_object_mut().and_then(|key| key.remove("previousUntil")));
    }
    let is_settings = |key: &String| key.starts_with("ConfigMap") && key.contains(" kyb-settings-tenant-");
    for settings in state.children.iter_mut().filter(|(key, _)| is_settings(key)).map(|(_, map)| map) {
        for file in settings["data"].as_object_mut().into_iter().flat_map(|files| files.values_mut()) {
            if let Some(keys) = file["api_keys"].as_array_mut() {
                keys.retain(|key| !ends.contains(&key["expires_at"]));
            }
        }
    }
}

fn keys(status: &mut Value) -> impl Iterator<Item = &mut Value> {
    status.get_mut("keys").and_then(Value::as_array_mut).into_iter().flatten()
}

/// A change that is reported and changes something all the same.
pub(crate) struct Effect {
    reason_of_the_report: &'static str,
    /// How the key of the child that changes begins.
    child: &'static str,
    pub(crate) reason: &'static str,
}

pub(crate) const EFFECTS: [Effect; 5] = [
    Effect {
        reason_of_the_report: "QuotaExceeded",
        child: "",
        reason: "what a quota has room for is made; Secrets of keys count against the tenant's own",
    },
    Effect { reason_of_the_report: "SecretNotFound", child: "Job kyb-NAME ", reason: WAITS },
    Effect { reason_of_the_report: "SecretKeyNotFound", child: "Job kyb-NAME ", reason: WAITS },
    Effect { reason_of_the_report: "Rejected", child: "Deployment kyb-NAME kyb-gateway", reason: NO_POD },
    Effect { reason_of_the_report: "Rejected", child: "Deployment kyb-NAME kyb-worker", reason: NO_POD },
];

const NO_POD: &str = "what the API server allows in no pod (a PriorityClass that does not exist) shows when one is made; those that run stay";

const WAITS: &str =
    "the migration with other credentials is made at once, and waits for its Secret; what serves goes on";

/// Whether a difference is a known effect of what is reported.
pub(crate) fn is_effect(report: &str, difference: &str) -> bool {
    EFFECTS.iter().any(|effect| report == effect.reason_of_the_report && difference.starts_with(effect.child))
}

/// All of it, in words.
pub(crate) fn all() -> impl Iterator<Item = String> {
    let left_out = LEFT_OUT.iter().map(|left| {
        let class = left.class.map_or_else(String::new, |class| format!(" ({class})"));
        let when = if left.only_in_short_runs { "short runs" } else { "sequences" };
        format!("not part of {when}: {}{class}: {}", left.place, left.reason)
    });
    let past = PAST.iter().map(|past| format!("not compared: {}", past.reason));
    let effects = EFFECTS.iter().map(|effect| {
        format!("{} may change {}…: {}", effect.reason_of_the_report, effect.child, effect.reason)
    });
    left_out.chain(past).chain(effects)
}
