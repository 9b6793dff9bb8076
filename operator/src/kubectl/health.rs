//! How an object is, in a few words, as far as its kind is known.

use serde::Serialize;
use serde_json::Value;

/// How an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    /// Whether nothing is to be waited for, or seen to.
    pub(crate) well: bool,
    /// In a few words.
    pub(crate) what: String,
}

impl Health {
    fn new(well: bool, what: impl Into<String>) -> Self {
        Self { well, what: what.into() }
    }

    /// Of an object as the server has it.
    pub(crate) fn of(kind: &str, object: &Value) -> Self {
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        if object["metadata"]["deletionTimestamp"].is_string() {
            return Self::new(false, "is being deleted");
        }
        match kind {
            "Deployment" | "StatefulSet" => {
                let (wanted, ready) =
                    (number("/spec/replicas").unwrap_or(1), number("/status/readyReplicas").unwrap_or(0));
                let seen = number("/status/observedGeneration") >= number("/metadata/generation");
                Self::new(seen && ready >= wanted, format!("{ready} of {wanted} ready"))
            }
            "Job" => {
                let is = |kind: &str| condition(object, kind).is_some_and(|found| found["status"] == "True");
                match (is("Complete"), is("Failed")) {
                    (true, _) => Self::new(true, "complete"),
                    (_, true) => Self::new(false, "failed"),
                    _ => Self::new(false, "runs"),
                }
            }
            "HorizontalPodAutoscaler" => {
                let (now, wanted) = (number("/status/currentReplicas"), number("/status/desiredReplicas"));
                let well = now.is_some() && now == wanted;
                Self::new(well, format!("{} of {} wanted", now.unwrap_or(0), wanted.unwrap_or(0)))
            }
            "Pod" => match object["status"]["phase"].as_str().unwrap_or("Unknown") {
                "Succeeded" => Self::new(true, "succeeded"),
                "Running" => Self::of_condition(object),
                other => Self::new(false, other.to_lowercase()),
            },
            "Namespace" => {
                let phase = object["status"]["phase"].as_str().unwrap_or("Active");
                Self::new(phase == "Active", phase.to_lowercase())
            }
            _ => Self::of_condition(object),
        }
    }

    /// Of an object with a condition `Ready`, or with none.
    fn of_condition(object: &Value) -> Self {
        match condition(object, "Ready") {
            None => Self::new(true, "is there"),
            Some(ready) if ready["status"] == "True" => Self::new(true, "ready"),
            Some(ready) => Self::new(false, ready["reason"].as_str().unwrap_or("not ready")),
        }
    }
}

/// The condition of a type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == *kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_says_how_it_is() {
        for (kind, object, well, what) in [
            (
                "Deployment",
                json!({"spec": {"replicas": 3}, "status": {"readyReplicas": 2}}),
                false,
                "2 of 3 ready",
            ),
            (
                "Deployment",
                json!({"spec": {"replicas": 3}, "status": {"readyReplicas": 3}}),
                true,
                "3 of 3 ready",
            ),
            (
                "Deployment",
                json!({"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": {"readyReplicas": 1, "observedGeneration": 1}}),
                false,
                "1 of 1 ready",
            ),
            (
                "Job",
                json!({"status": {"conditions": [{"type": "Failed", "status": "True"}]}}),
                false,
                "failed",
            ),
            ("Job", json!({}), false, "runs"),
            ("Pod", json!({"status": {"phase": "Pending"}}), false, "pending"),
            (
                "Pod",
                json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
                true,
                "ready",
            ),
            ("ConfigMap", json!({}), true, "is there"),
            (
                "ConfigMap",
                json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
                false,
                "is being deleted",
            ),
            (
                "RegionReport",
                json!({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "NoReport"}]}}),
                false,
                "NoReport",
            ),
        ] {
            assert_eq!(Health::of(kind, &object), Health::new(well, what), "{kind}: {object}");
        }
    }

    #[test]
    fn namespaces_autoscalers_and_jobs_have_rules_of_their_own() {
        for (kind, object, well, what) in [
            ("Namespace", json!({"status": {"phase": "Terminating"}}), false, "terminating"),
            ("Namespace", json!({"status": {"phase": "Active"}}), true, "active"),
            ("Namespace", json!({}), true, "active"),
            (
                "HorizontalPodAutoscaler",
                json!({"status": {"currentReplicas": 2, "desiredReplicas": 3}}),
                false,
                "2 of 3 wanted",
            ),
            (
                "HorizontalPodAutoscaler",
                json!({"status": {"currentReplicas": 3, "desiredReplicas": 3}}),
                true,
                "3 of 3 wanted",
            ),
            ("HorizontalPodAutoscaler", json!({}), false, "0 of 0 wanted"),
            (
                "Job",
                json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}),
                true,
                "complete",
            ),
            (
                "Job",
                json!({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}),
                false,
                "runs",
            ),
            ("Pod", json!({"status": {"phase": "Succeeded"}}), true, "succeeded"),
            ("Pod", json!({}), false, "unknown"),
            (
                "KybTenant",
                json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
                false,
                "not ready",
            ),
        ] {
            assert_eq!(Health::of(kind, &object), Health::new(well, what), "{kind}: {object}");
        }
    }
}
