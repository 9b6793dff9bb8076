//! What was rehearsed, by object and field.

use std::collections::BTreeSet;

use kyb_crds::names;
use kyb_kit::rehearsal::{Change, Outcome, Rehearsal, Step, Verb, bare, changes};
use serde::Serialize;
use serde_json::Value;

use super::world::World;

/// What applying the files would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// Objects, in the order in which they would be written first.
    pub changes: Vec<ObjectChange>,
    /// Objects of ours that would say that somebody has to do something.
    pub problems: Vec<Problem>,
    /// What else is to be known of this plan.
    pub notes: Vec<String>,
}

/// What would become of an object.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// What would be done.
    pub action: Action,
    /// Group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// None where the object is cluster-scoped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Kind and name of the object of ours that it is for; none where it stands in the files itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The fields that would differ, of an object that is there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Change>,
    /// The whole object, where it is new. Secrets show no values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    /// What the server said, where it would refuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// What would be done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is new.
    Create,
    /// It is there, and fields of it would differ.
    Change,
    /// It would go, with all that it owns or holds.
    Delete,
    /// The server would refuse.
    Refuse,
}

/// What an object of ours would say of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// Kind and name.
    pub object: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, and what to do.
    pub message: String,
}

impl Plan {
    /// How many objects there is something to do about.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

/// The plan that was rehearsed. Where keys are not known, what follows from them is left out.
pub(super) fn of(rehearsal: &Rehearsal, world: &World, keys_are_known: bool) -> Plan {
    let steps = rehearsal.steps();
    let unknown = uids_to_come(&steps);
    let mut plan = Plan { problems: problems(rehearsal, world), ..Plan::default() };
    for step in &steps {
        if let Some(mut change) = change(step, &unknown) {
            if !keys_are_known {
                change.fields.retain(|field| !follows_from_keys(&change.kind, &field.field));
            }
            if change.action != Action::Change || !change.fields.is_empty() {
                plan.changes.push(change);
            }
        }
    }
    plan
}

/// uids that the server gives when objects are made, and that nobody can tell before.
fn uids_to_come(steps: &[Step]) -> BTreeSet<String> {
    let made = steps.iter().filter(|step| step.verb == Verb::Create);
    let uid = |step: &Step| match &step.outcome {
        Outcome::Done(Some(object)) => Some(object.pointer("/metadata/uid")?.as_str()?.to_owned()),
        _ => None,
    };
    made.filter_map(uid).collect()
}

fn change(step: &Step, unknown: &BTreeSet<String>) -> Option<ObjectChange> {
    let (action, after, refusal) = match &step.outcome {
        Outcome::Refused(status) => (Action::Refuse, None, Some(status.message.clone())),
        Outcome::Done(None) if step.before.is_none() && step.verb != Verb::Delete => return None, // came and went
        Outcome::Done(None) => (Action::Delete, None, None),
        Outcome::Done(Some(after)) if step.before.is_none() => (Action::Create, Some(after), None),
        Outcome::Done(Some(after)) => (Action::Change, Some(after), None),
    };
    let object = after.or(step.before.as_ref());
    let mut fields = match (&step.before, after) {
        (Some(before), Some(after)) => readable(changes(&hidden(before, None), &hidden(after, Some(before)))),
        _ => vec![],
    };
    if action == Action::Change && fields.is_empty() {
        return None;
    }
    // It says only that something else differs, where something does.
    let digest = format!("metadata.annotations[{}]", names::APPLIED_ANNOTATION);
    if fields.iter().any(|field| field.field != digest) {
        fields.retain(|field| field.field != digest);
    }
    let text = |pointer: &str| object.and_then(|object| object.pointer(pointer)?.as_str()).map(str::to_owned);
    let (kind, namespace, name) = addressed(&step.path);
    Some(ObjectChange {
        action,
        api_version: text("/apiVersion").unwrap_or_default(),
        kind: text("/kind").unwrap_or(kind),
        namespace,
        name,
        owner: object.and_then(owner),
        fields,
        object: after.filter(|_| action == Action::Create).map(|object| shown(object, unknown)),
        refusal,
    })
}

/// The plural of the kind, the namespace and the name in a path.
fn addressed(path: &str) -> (String, Option<String>, String) {
    let parts: Vec<_> = path.split('/').collect();
    let namespace = match parts.as_slice() {
        [.., "namespaces", namespace, _, _] => Some((*namespace).to_owned()),
        _ => None,
    };
    let last = |back: usize| parts.iter().rev().nth(back).copied().unwrap_or_default().to_owned();
    (last(1), namespace, last(0))
}

fn owner(object: &Value) -> Option<String> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    Some(format!("{} {}", owner["kind"].as_str()?, owner["name"].as_str()?))
}

/// What stands in place of a Secret's value.
const HIDDEN: &str = "(secret)";
/// And in place of one that is another than before.
const HIDDEN_NEW: &str = "(another secret)";

/// The same without a Secret's values; those that are not as in `before` can be told from those that are.
fn hidden(object: &Value, before: Option<&Value>) -> Value {
    let mut object = object.clone();
    if object["kind"] != "Secret" {
        return object;
    }
    for map in ["data", "stringData"] {
        for (name, value) in object.get_mut(map).and_then(Value::as_object_mut).into_iter().flatten() {
            let is_same =
                before.is_none_or(|before| before[map].get(name).is_none_or(|before| before == value));
            *value = if is_same { HIDDEN } else { HIDDEN_NEW }.into();
        }
    }
    object
}

/// A new object as it would be, without what nobody can tell before.
fn shown(object: &Value, unknown: &BTreeSet<String>) -> Value {
    let mut object = hidden(&bare(object), None);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(names::APPLIED_ANNOTATION);
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|map| !map.is_empty()));
    }
    replace(&mut object, unknown);
    object
}

fn replace(value: &mut Value, unknown: &BTreeSet<String>) {
    match value {
        Value::String(text) if unknown.contains(text) => "(known when it is made)".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, unknown)),
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, unknown)),
        _ => (),
    }
}

/// Settings are YAML in a text; what differs is said of their fields.
fn readable(changes: Vec<Change>) -> Vec<Change> {
    let parsed =
        |value: &Option<Value>| serde_yaml::from_str(value.as_ref()?.as_str()?).ok().filter(Value::is_object);
    let unfold = |change: Change| match (parsed(&change.from), parsed(&change.to)) {
        (Some(from), Some(to)) => {
            let inner = kyb_kit::rehearsal::changes(&from, &to);
            let within = |inner: Change| Change {
                field: format!("{} {}", change.field, inner.field),
                owners: change.owners.clone(),
                ..inner
            };
            inner.into_iter().map(within).collect()
        }
        _ => vec![change],
    };
    changes.into_iter().flat_map(unfold).collect()
}

/// Whether a field's value is derived from the root key: Secrets, and the keys' ids and hashes in settings.
fn follows_from_keys(kind: &str, field: &str) -> bool {
    match kind {
        "Secret" => true,
        "ConfigMap" => {
            field.contains(" api_keys[")
                || field.ends_with(" api_keys")
                || field.contains(names::APPLIED_ANNOTATION)
        }
        _ => false,
    }
}

/// What our objects would say of themselves, or say already, that somebody has to see to.
fn problems(rehearsal: &Rehearsal, world: &World) -> Vec<Problem> {
    let statuses = rehearsal.statuses();
    let mut problems = Vec::new();
    let mut look = |kind: &str, plural: &str, namespace: Option<String>, name: String, now: Value| {
        let within = namespace.map_or_else(String::new, |namespace| format!("namespaces/{namespace}/"));
        let path = format!("/apis/{}/{within}{plural}/{name}", names::API_VERSION);
        let status = statuses.get(&path).unwrap_or(&now);
        let stalled = status["conditions"].as_array().into_iter().flatten();
        for condition in
            stalled.filter(|condition| condition["type"] == "Stalled" && condition["status"] == "True")
        {
            let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
            problems.push(Problem {
                object: format!("{kind} {name}"),
                reason: text("reason"),
                message: text("message"),
            });
        }
    };
    let json = |status: Result<Value, serde_json::Error>| status.unwrap_or_default();
    for region in &world.regions {
        let (namespace, name) =
            (region.metadata.namespace.clone(), region.metadata.name.clone().unwrap_or_default());
        look(
            "RegionDeployment",
            "regiondeployments",
            namespace,
            name,
            json(serde_json::to_value(&region.status)),
        );
    }
    for tenant in &world.tenants {
        let name = tenant.metadata.name.clone().unwrap_or_default();
        look("KybTenant", "kybtenants", None, name, json(serde_json::to_value(&tenant.status)));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_shows_which_of_its_values_change_and_none_of_them() {
        let secret = |key: &str| json!({"kind": "Secret", "metadata": {"name": "one"}, "data": {"key": key, "same": "c2FtZQ=="}});
        let (before, after) = (secret("b2xk"), secret("bmV3"));
        let found = changes(&hidden(&before, None), &hidden(&after, Some(&before)));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].field.as_str(), &found[0].to), ("data.key", &Some(json!(HIDDEN_NEW))));
        let shown = shown(&after, &BTreeSet::new()).to_string();
        assert!(!shown.contains("bmV3") && !shown.contains("c2FtZQ=="), "{shown}");
    }

    #[test]
    fn settings_are_compared_field_by_field() {
        let change = |from: &str, to: &str| Change {
            field: "data[a.yaml]".to_owned(),
            from: Some(from.into()),
            to: Some(to.into()),
            owners: BTreeSet::from(["us".to_owned()]),
        };
        let found = readable(vec![change("a: 1\nb: 2\n", "a: 1\nb: 3\n")]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].field.as_str(), found[0].owners.len()), ("data[a.yaml] b", 1));
        let plain = change("one", "two");
        assert_eq!(readable(vec![plain.clone()]), [plain]);
    }

    #[test]
    fn a_path_names_an_object() {
        let of = |path: &str| addressed(path);
        let named = |kind: &str, place: Option<&str>, name: &str| {
            (kind.to_owned(), place.map(str::to_owned), name.to_owned())
        };
        assert_eq!(of("/api/v1/namespaces/one"), named("namespaces", None, "one"));
        assert_eq!(
            of("/apis/apps/v1/namespaces/one/deployments/two"),
            named("deployments", Some("one"), "two")
        );
        assert_eq!(of("/apis/kyb.dev/v1alpha1/kybtenants/one"), named("kybtenants", None, "one"));
    }

    #[test]
    fn where_keys_are_not_known_what_follows_from_them_is_left_out() {
        assert!(follows_from_keys("Secret", "data.key"));
        assert!(follows_from_keys("ConfigMap", "data[tenant-a.yaml] api_keys[0].hash"));
        assert!(!follows_from_keys("ConfigMap", "data[tenant-a.yaml] rate_limit.burst"));
    }

    fn step(verb: Verb, before: Option<Value>, outcome: Outcome) -> Step {
        Step {
            verb,
            path: "/api/v1/namespaces/one/configmaps/own".to_owned(),
            manager: None,
            before,
            outcome,
        }
    }

    fn config(uid: &str, value: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "uid": uid}, "data": {"key": value, "of": "uid-new"}})
    }

    #[test]
    fn of_objects_that_are_made_nobody_knows_the_uid_before() {
        let made = step(Verb::Create, None, Outcome::Done(Some(config("uid-new", "one"))));
        let there = config("uid-old", "one");
        let changed = step(Verb::Change, Some(there), Outcome::Done(Some(config("uid-old", "two"))));
        let gone = step(Verb::Create, None, Outcome::Done(None));
        let unknown = uids_to_come(&[made.clone(), changed, gone]);
        assert_eq!(unknown, BTreeSet::from(["uid-new".to_owned()]));
        let change = change(&made, &unknown).unwrap();
        assert_eq!(change.object.unwrap()["data"], json!({"key": "one", "of": "(known when it is made)"}));
    }

    #[test]
    fn each_outcome_is_told_as_what_becomes_of_the_object() {
        let told =
            |step: Step| change(&step, &BTreeSet::new()).map(|change| (change.action, change.fields.len()));
        let there = || Some(config("uid", "one"));
        let after = |value: &str| Outcome::Done(Some(config("uid", value)));
        assert_eq!(told(step(Verb::Create, None, after("one"))), Some((Action::Create, 0)));
        assert_eq!(told(step(Verb::Change, there(), after("two"))), Some((Action::Change, 1)));
        assert_eq!(told(step(Verb::Change, there(), after("one"))), None, "nothing differs");
        assert_eq!(told(step(Verb::Delete, there(), Outcome::Done(None))), Some((Action::Delete, 0)));
        assert_eq!(told(step(Verb::Create, None, Outcome::Done(None))), None, "it came and went");
        let refused = Outcome::Refused(Box::new(kube::core::Status::failure("no", "Forbidden")));
        let refused = change(&step(Verb::Create, None, refused), &BTreeSet::new()).unwrap();
        assert_eq!((refused.action, refused.refusal.as_deref()), (Action::Refuse, Some("no")));
        let named = (refused.kind.as_str(), refused.namespace.as_deref(), refused.name.as_str());
        assert_eq!(named, ("configmaps", Some("one"), "own"));
    }

    #[test]
    fn the_digest_of_what_was_applied_is_told_only_where_nothing_else_is() {
        let with = |digest: &str, value: &str| {
            let mut object = config("uid", value);
            object["metadata"]["annotations"] = json!({names::APPLIED_ANNOTATION: digest});
            object
        };
        let told = |value: &str| {
            let step = step(Verb::Change, Some(with("a", "one")), Outcome::Done(Some(with("b", value))));
            let fields = change(&step, &BTreeSet::new()).unwrap().fields;
            fields.into_iter().map(|field| field.field).collect::<Vec<_>>()
        };
        assert_eq!(told("two"), ["data.key"]);
        assert_eq!(told("one"), [format!("metadata.annotations[{}]", names::APPLIED_ANNOTATION)]);
    }
}
