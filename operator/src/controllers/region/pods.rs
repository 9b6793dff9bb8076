//! Why pods do not come up, in words that say what to do.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::DeploymentCondition,
    core::v1::{ContainerStatus, Pod},
};
use kube::ResourceExt;
use kyb_crds::Reason;
use serde_json::Value;

use crate::concern::Problem;

/// What the pod that failed last said last; none where no pod has failed.
pub(super) fn last_words(pods: &[Arc<Pod>]) -> Option<String> {
    let ended = pods.iter().filter_map(|pod| {
        let container = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
        let end = container.state.as_ref()?.terminated.as_ref().filter(|end| end.exit_code != 0)?;
        Some((end.finished_at.clone(), end.message.clone().unwrap_or_default()))
    });
    let (_, said) = ended.max_by(|one, other| one.0.cmp(&other.0))?;
    Some(last_line(&said))
}

/// Why the API server lets no pod be made, as the Deployment's controller tells.
pub(super) fn refused_pods(conditions: &[DeploymentCondition]) -> Option<Problem> {
    let refused = conditions
        .iter()
        .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")?;
    let said = refused.message.as_deref().unwrap_or_default();
    Some(if said.contains("exceeded quota") {
        Problem::new(Reason::QuotaExceeded, format!("{said}; raise the quota, or ask for less"))
    } else {
        Problem::new(Reason::Rejected, format!("{said}; mend what refuses the pod, or the spec"))
    })
}

/// What keeps a pod from running, in words that say what to do.
pub(super) fn trouble(pod: &Pod) -> Option<Problem> {
    let name = pod.name_any();
    let status = pod.status.as_ref()?;
    let unscheduled = status.conditions.iter().flatten().find(|condition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable")
    });
    if let Some(condition) = unscheduled {
        let why = condition.message.as_deref().unwrap_or("no node has room");
        let message = format!("pod {name} can't be placed: {why}; add nodes, or ask for less");
        return Some(Problem::new(Reason::Unschedulable, message));
    }
    let containers = status.container_statuses.iter().flatten();
    containers.into_iter().find_map(|container| waits_in_vain(pod, container))
}

fn waits_in_vain(pod: &Pod, container: &ContainerStatus) -> Option<Problem> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let (name, said) = (pod.name_any(), waiting.message.as_deref().unwrap_or_default());
    let (reason, message) = match waiting.reason.as_deref().unwrap_or_default() {
        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => (
            Reason::ImagePullFailed,
            format!(
                "pod {name} has no image {}: {said}; correct spec.image or spec.version, or add imagePullSecrets",
                container.image
            ),
        ),
        "CreateContainerConfigError" | "CreateContainerError" => {
            (Reason::ReferenceNotFound, format!("pod {name} can't start: {said}; create what it refers to"))
        }
        "CrashLoopBackOff" => {
            let ended = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
            let said = last_line(ended.and_then(|end| end.message.as_deref()).unwrap_or_default());
            let namespace = pod.namespace().unwrap_or_default();
            (
                Reason::CrashLooping,
                format!(
                    "pod {name} ends again and again: {said}; see `kubectl logs -n {namespace} {name} --previous`"
                ),
            )
        }
        _ => return None,
    };
    Some(Problem::new(reason, message))
}

/// What a program said last, at most 300 characters.
fn last_line(said: &str) -> String {
    let line = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    readable(line).unwrap_or_else(|| line.to_owned()).chars().take(300).collect()
}

/// Message and error of a log line in JSON, as ours are.
fn readable(line: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let message = entry["message"].as_str()?;
    let error = entry.pointer("/fields/error").and_then(Value::as_str);
    Some(error.map_or_else(|| message.to_owned(), |error| format!("{message}: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_words_of_a_program_are_readable() {
        let ours = r#"{"level":"ERROR","message":"can't go on","fields":{"error":"the database is away"}}"#;
        assert_eq!(last_line(&format!("first\n{ours}\n\n")), "can't go on: the database is away");
        assert_eq!(last_line(r#"{"message":"bye"}"#), "bye");
        assert_eq!(last_line("panicked at main.rs\n"), "panicked at main.rs");
        assert_eq!(last_line(""), "it said nothing");
        assert_eq!(last_line(&"x".repeat(1000)).len(), 300);
    }

    fn pod(status: &serde_json::Value) -> Pod {
        let object = json!({"metadata": {"name": "one", "namespace": "place"}, "status": status});
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn what_keeps_a_pod_from_running_is_named_and_what_only_takes_time_is_not() {
        let found = |status: &serde_json::Value| trouble(&pod(status)).map(|problem| problem.reason);
        assert_eq!(found(&json!({})), None);
        let placed = |reason: &str| json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": reason}]});
        assert_eq!(found(&placed("Unschedulable")), Some(Reason::Unschedulable));
        assert_eq!(found(&placed("SchedulerError")), None);
        let waits = |reason: &str| {
            json!({"containerStatuses": [{
                "name": "main", "image": "kyb", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": reason, "message": "said"}},
            }]})
        };
        assert_eq!(found(&waits("ContainerCreating")), None);
        for reason in ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"] {
            assert_eq!(found(&waits(reason)), Some(Reason::ImagePullFailed), "{reason}");
        }
        assert_eq!(found(&waits("CrashLoopBackOff")), Some(Reason::CrashLooping));
        let message = trouble(&pod(&placed("Unschedulable"))).unwrap().message;
        assert_eq!(message, "pod one can't be placed: no node has room; add nodes, or ask for less");
    }
}
