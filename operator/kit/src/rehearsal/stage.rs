//! What was rehearsed so far, and answers made from it.

use std::collections::BTreeMap;

use http::StatusCode;
use kube::core::Status;
use serde_json::{Value, json};

use super::{Foresee, Outcome, Step, Verb};

/// Objects as they would be, by path; none where they would be gone.
pub(super) struct Stage {
    foresee: Foresee,
    pub(super) steps: Vec<Step>,
    pub(super) statuses: BTreeMap<String, Value>,
    objects: BTreeMap<String, Option<Value>>,
    /// What was sent for an object, by path and manager.
    sent: BTreeMap<String, BTreeMap<String, Value>>,
    /// How many uids were given out.
    uids: u64,
}

impl Stage {
    pub(super) fn new(foresee: Foresee) -> Self {
        Self {
            foresee,
            steps: Vec::new(),
            statuses: BTreeMap::new(),
            objects: BTreeMap::new(),
            sent: BTreeMap::new(),
            uids: 0,
        }
    }

    /// What was rehearsed of an object: nothing, that it would be gone, or how it would be.
    pub(super) fn object(&self, path: &str) -> Option<&Option<Value>> {
        self.objects.get(path)
    }

    /// Whether only this rehearsal knows the object, or the namespace that it is in.
    pub(super) fn is_only_here(&self, path: &str) -> bool {
        let made = |path: &str| {
            let made = |step: &Step| {
                step.path == path && step.verb == Verb::Create && matches!(step.outcome, Outcome::Done(_))
            };
            self.steps.iter().any(made)
        };
        made(path)
            || namespace_of(path).is_some_and(|namespace| made(&format!("/api/v1/namespaces/{namespace}")))
    }

    /// The object that a server would make of what this manager sent, as far as that can be told here: what it alone has written
    /// before is replaced; where others have written too, it is added to.
    pub(super) fn imagine(&mut self, path: &str, manager: Option<&str>, sent: Value) -> Value {
        let known = self.objects.get(path).cloned().flatten();
        let uid = known.as_ref().and_then(|object| object.pointer("/metadata/uid").cloned());
        let uid = uid.unwrap_or_else(|| {
            self.uids += 1;
            json!(format!("rehearsed-{}", self.uids))
        });
        // Versions start at 2; see `NO_VERSION` of the apply.
        let version = known
            .as_ref()
            .and_then(|object| object.pointer("/metadata/resourceVersion")?.as_str()?.parse().ok());
        let version: u64 = version.unwrap_or(1) + 1;
        let is_alone =
            self.steps.iter().filter(|step| step.path == path).all(|step| step.manager.as_deref() == manager);
        let mut object = match known {
            Some(known) if !is_alone => merged(known, sent),
            Some(mut known) => {
                let mut sent = sent;
                if let Some(status) = known.get_mut("status") {
                    sent["status"] = status.take();
                }
                sent
            }
            None => sent,
        };
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".into(), uid);
            metadata.insert("resourceVersion".into(), version.to_string().into());
            metadata.insert("generation".into(), json!(1));
        }
        object
    }

    /// The server's answer to a dry run, with what other managers sent before: the server has forgotten that, and would drop fields
    /// that they have taken over.
    pub(super) fn beside_others(
        &mut self,
        path: &str,
        manager: Option<&str>,
        sent: Value,
        answered: Value,
    ) -> Value {
        let Some(manager) = manager else { return answered };
        let of_object = self.sent.entry(path.to_owned()).or_default();
        let others = of_object.iter().filter(|(other, _)| *other != manager).map(|(_, sent)| sent.clone());
        let object = others.fold(answered, |object, mut sent| {
            if let Some(fields) = sent.as_object_mut() {
                fields.remove("metadata");
            }
            merged(object, sent)
        });
        of_object.insert(manager.to_owned(), sent);
        object
    }

    /// Notes a write, and gives the answer to one that would be done.
    pub(super) fn note(&mut self, mut step: Step) -> Option<Value> {
        if let Outcome::Done(Some(object)) = &mut step.outcome {
            (self.foresee)(object);
        }
        let after = match &step.outcome {
            Outcome::Done(after) => {
                self.objects.insert(step.path.clone(), after.clone());
                after.clone()
            }
            Outcome::Refused(_) => None,
        };
        match self.steps.iter_mut().find(|earlier| earlier.path == step.path) {
            Some(earlier) => *earlier = Step { verb: earlier.verb, before: earlier.before.take(), ..step },
            None => self.steps.push(step),
        }
        after
    }

    /// Notes a status and answers with the object that has it.
    pub(super) fn status(&mut self, path: &str, sent: Value) -> Value {
        self.statuses.insert(path.to_owned(), sent["status"].clone());
        self.imagine(path, None, sent)
    }
}

/// `object` with the fields of `more`.
fn merged(object: Value, more: Value) -> Value {
    match (object, more) {
        (Value::Object(mut object), Value::Object(more)) => {
            for (name, value) in more {
                let before = object.remove(&name).unwrap_or_default();
                object.insert(name, merged(before, value));
            }
            Value::Object(object)
        }
        (_, more) => more,
    }
}

/// The namespace of a path such as `/apis/apps/v1/namespaces/one/deployments/two`; none for a namespace itself.
fn namespace_of(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/namespaces/")?;
    rest.split_once('/').map(|(namespace, _)| namespace)
}

/// What a server says that has no object of that path.
pub(super) fn not_found(path: &str) -> Box<Status> {
    let name = path.rsplit('/').next().unwrap_or_default();
    Status::failure(&format!("{name} not found"), "NotFound")
        .with_code(StatusCode::NOT_FOUND.as_u16())
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_which_namespace_it_is_in() {
        assert_eq!(namespace_of("/api/v1/namespaces/one/secrets/two"), Some("one"));
        assert_eq!(namespace_of("/apis/apps/v1/namespaces/one/deployments/two"), Some("one"));
        assert_eq!(namespace_of("/api/v1/namespaces/one"), None);
        assert_eq!(namespace_of("/apis/kyb.dev/v1alpha1/kybtenants/one"), None);
    }
}
