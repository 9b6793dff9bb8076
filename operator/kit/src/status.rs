//! Writing a status, only when it says something else than the one that is there.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use kube::{
    Client, Resource, ResourceExt,
    api::{ApiResource, Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{compare::normalised, digest::canonical, live::version, objects::objects_in};

/// Whether a status was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// It was.
    Yes,
    /// The one that is there says the same already.
    Nothing,
    /// It was not, since the object is older than what is known to be there.
    Outdated,
}

/// The object is older than the status that was written last, which is not known any more: nothing can be built upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the object is older than its status")]
pub struct Outdated;

/// Writes the status of objects of kinds of our own, by server-side apply: all of a status belongs to one writer.
///
/// It remembers what it wrote last, so that a reconcile that still sees an older object neither writes again nor takes
/// the old conditions' times; see [`StatusWriter::current`].
#[derive(Clone)]
pub struct StatusWriter {
    client: Client,
    manager: &'static str,
    last: Arc<Mutex<HashMap<String, Last>>>,
}

#[derive(Debug, Clone)]
struct Last {
    version: u64,
    /// None once a watch has brought it: whoever looks anew has it from there, and there are many objects.
    status: Option<Value>,
}

impl StatusWriter {
    /// `manager` is the field manager of statuses, another one than that of children.
    pub fn new(client: Client, manager: &'static str) -> Self {
        Self { client, manager, last: Arc::default() }
    }

    /// The newest status known of `object`: its own, or what was written here since it was read; the default where there is none yet.
    /// Build the new conditions onto this one's. Where it is [`Outdated`], look again at once instead, since a watch has brought the newer
    /// object: whatever a status remembers would seem never to have been.
    pub fn current<K, S>(&self, object: &K) -> Result<S, Outdated>
    where
        K: Resource<DynamicType = ()> + Serialize,
        S: DeserializeOwned + Default,
    {
        let known = self.known(object).ok_or(Outdated)?;
        Ok(serde_json::from_value(known).unwrap_or_default())
    }

    /// Writes `status` unless `object` has it already. The object must be the one that was read: if it was deleted, or
    /// replaced by another of its name, the server refuses. [`Wrote::Outdated`] where it is older than what was written here, and a watch
    /// has brought that meanwhile: look again.
    pub async fn write<K, S>(&self, object: &K, status: &S) -> Result<Wrote, kube::Error>
    where
        K: Resource<DynamicType = ()> + Serialize + Debug,
        S: Serialize,
    {
        let wanted = serde_json::to_value(status).map_err(kube::Error::SerdeError)?;
        let Some(known) = self.known(object) else { return Ok(Wrote::Outdated) };
        if normalised(&wanted) == normalised(&known) {
            return Ok(Wrote::Nothing);
        }
        let resource = ApiResource::erase::<K>(&());
        let (name, namespace, uid) =
            (object.name_any(), object.namespace(), object.uid().unwrap_or_default());
        let body = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": wanted,
        });
        let api = objects_in(&self.client, namespace.as_deref(), &resource);
        let params = PatchParams::apply(self.manager).force().validation_ignore();
        let written = api.patch_status(&name, &params, &Patch::Apply(canonical(&body))).await?;
        let last = Last { version: version(&written.metadata).unwrap_or_default(), status: Some(wanted) };
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, last);
        Ok(Wrote::Yes)
    }

    /// Whether `object`, as a watch brought it, is as it was right after its status was written here, so that nobody need look at it for
    /// that.
    pub fn is_own<K: Resource<DynamicType = ()>>(&self, object: &K) -> bool {
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let own = last.get_mut(uid).filter(|last| Some(last.version) == version(object.meta()));
        // The version stays: a reconcile that began before still holds the older object, whose status must not count as the newest.
        own.map(|last| last.status = None).is_some()
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, uid: &str) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// None where it is not known any more.
    fn known<K: Resource<DynamicType = ()> + Serialize>(&self, object: &K) -> Option<Value> {
        let seen = version(object.meta()).unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let uid = object.meta().uid.as_deref().unwrap_or_default();
        match last.get(uid) {
            Some(last) if last.version > seen => return last.status.clone(),
            Some(_) => drop(last.remove(uid)), // what was seen is as new
            None => (),
        }
        let object = serde_json::to_value(object).unwrap_or_default();
        Some(object.get("status").cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use k8s_openapi::api::core::v1::Pod;
    use kube::client::Body;

    use super::*;

    /// A writer that wrote `status` as version `at` of the object `uid`, to a server that is not asked.
    fn wrote(uid: &str, at: u64, status: Option<Value>) -> StatusWriter {
        let silent =
            tower::service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let writer = StatusWriter::new(Client::new(silent, "default"), "test");
        let last = HashMap::from([(uid.to_owned(), Last { version: at, status })]);
        *writer.last.lock().unwrap() = last;
        writer
    }

    fn seen(version: &str, phase: &str) -> Pod {
        let pod = json!({
            "metadata": {"name": "one", "uid": "uid-1", "resourceVersion": version}, "status": {"phase": phase},
        });
        serde_json::from_value(pod).unwrap()
    }

    #[tokio::test]
    async fn the_newest_status_is_the_one_written_last_until_a_newer_object_was_seen() {
        let written = json!({"phase": "Running"});
        let known = |object: &Pod| wrote("uid-1", 7, Some(written.clone())).known(object);
        assert_eq!(
            known(&seen("6", "Pending")),
            Some(written.clone()),
            "the object is older than its status"
        );
        assert_eq!(known(&seen("7", "Running")), Some(written.clone()));
        assert_eq!(known(&seen("8", "Failed")), Some(json!({"phase": "Failed"})), "somebody wrote since");
        assert_eq!(wrote("uid-2", 7, None).known(&seen("6", "Pending")), Some(json!({"phase": "Pending"})));
        assert_eq!(wrote("uid-1", 7, None).known(&seen("6", "Pending")), None, "it is not known any more");
    }

    #[tokio::test]
    async fn what_is_seen_is_ones_own_writing_only_at_its_version() {
        let writer = wrote("uid-1", 7, Some(json!({})));
        assert!(!writer.is_own(&seen("6", "Pending")) && !writer.is_own(&seen("8", "Pending")));
        assert!(writer.is_own(&seen("7", "Pending")));
        assert_eq!(writer.known(&seen("6", "Pending")), None, "the version stays, the status is forgotten");
        writer.forget("uid-1");
        assert!(!writer.is_own(&seen("7", "Pending")));
    }
}
