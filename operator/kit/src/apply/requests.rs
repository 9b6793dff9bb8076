//! The requests themselves. Each carries what makes the server refuse if the object is not the one that was meant.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Client,
    api::{
        Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions,
        PropagationPolicy,
    },
};
use serde_json::{Value, json};

use super::ApplyError;
use crate::{
    ChildKey, Owner,
    children::Wanted,
    handover::{self, Step},
    objects::objects_in,
};

/// A version that no object has: etcd counts from 1, which is the empty store, so the first object has version 2. An
/// apply that carries it is refused with a conflict if the object exists; one that creates ignores it (Kubernetes 1.35,
/// `Store.Update` in `k8s.io/apiserver/pkg/registry/generic/registry`).
const NO_VERSION: &str = "1";

/// Writes for one field manager.
#[derive(Clone)]
pub(super) struct Requests {
    client: Client,
    manager: &'static str,
}

impl Requests {
    pub(super) fn new(client: Client, manager: &'static str) -> Self {
        Self { client, manager }
    }

    fn api(&self, key: &ChildKey, resource: &ApiResource) -> Api<DynamicObject> {
        objects_in(&self.client, key.namespace.as_deref(), resource)
    }

    /// Reads an object.
    pub(super) async fn get(
        &self,
        key: &ChildKey,
        resource: &ApiResource,
    ) -> Result<Option<DynamicObject>, ApplyError> {
        let read = self.api(key, resource).get_opt(&key.name).await;
        read.map_err(|error| ApplyError::of(key, error))
    }

    /// Asks whether there is still something to make `child` for: the watch of its owner's kind may not have told of a deletion that the
    /// garbage collector knows of already. It is a list of one, which whoever watches the kind may ask for.
    pub(super) async fn owner_stands(&self, child: &ChildKey, owner: &Owner) -> Result<(), ApplyError> {
        let api = objects_in(&self.client, owner.namespace.as_deref(), &owner.resource);
        let only = ListParams::default().fields(&format!("metadata.name={}", owner.name));
        let found = api.list_metadata(&only).await.map_err(|error| ApplyError::of(child, error))?;
        let stands = |found: &ObjectMeta| {
            found.uid.as_ref() == Some(&owner.uid) && (owner.is_going || found.deletion_timestamp.is_none())
        };
        if found.items.iter().any(|item| stands(&item.metadata)) {
            return Ok(());
        }
        Err(ApplyError::Ownerless { child: child.clone() })
    }

    /// Creates an object. [`ApplyError::Behind`] if there is one of that name, whoever's it is.
    ///
    /// It is an apply, not a POST, so that one field manager owns all of our fields from the first request on: fields
    /// that a POST sets belong to another entry, and would stay when we later stop applying them.
    pub(super) async fn create(&self, wanted: &Wanted) -> Result<DynamicObject, ApplyError> {
        self.apply(wanted, "resourceVersion", NO_VERSION).await
    }

    /// Applies to the object of this uid. [`ApplyError::Behind`] if it is gone or was replaced.
    ///
    /// By force: the object is ours, and fields that others decide are not in what we apply.
    pub(super) async fn update(&self, wanted: &Wanted, uid: &str) -> Result<DynamicObject, ApplyError> {
        self.apply(wanted, "uid", uid).await
    }

    async fn apply(&self, wanted: &Wanted, field: &str, value: &str) -> Result<DynamicObject, ApplyError> {
        let mut body = wanted.body.clone();
        body["metadata"][field] = json!(value);
        // An apply of a field that the server does not know is refused whatever is asked for here (a test says so); asking for more has
        // the server parse what we send once more, a tenth of all that a request costs it.
        let params = PatchParams::apply(self.manager).force().validation_ignore();
        let written = self.patch(&wanted.key, &wanted.resource, &params, &body).await;
        written.map_err(|error| ApplyError::of(&wanted.key, error))
    }

    /// Takes the step that comes before handing a field over. That somebody else owns the field already is as good.
    pub(super) async fn hand_over(&self, wanted: &Wanted, step: &Step) -> Result<(), ApplyError> {
        let params = PatchParams::apply(&step.manager);
        match self.patch(&wanted.key, &wanted.resource, &params, &step.body).await {
            Err(kube::Error::Api(status)) if handover::is_owned_by_others(&status, self.manager) => Ok(()),
            Err(error) => Err(ApplyError::of(&wanted.key, error)),
            Ok(_) => Ok(()),
        }
    }

    async fn patch(
        &self,
        key: &ChildKey,
        resource: &ApiResource,
        params: &PatchParams,
        body: &Value,
    ) -> Result<DynamicObject, kube::Error> {
        self.api(key, resource).patch(&key.name, params, &Patch::Apply(body)).await
    }

    /// Deletes exactly this version of this object; the object as it is while its finalizers run, none if it is gone.
    pub(super) async fn delete(
        &self,
        key: &ChildKey,
        resource: &ApiResource,
        object: &DynamicObject,
        propagation: PropagationPolicy,
    ) -> Result<Option<DynamicObject>, ApplyError> {
        let preconditions = Preconditions {
            resource_version: object.metadata.resource_version.clone(),
            uid: object.metadata.uid.clone(),
        };
        let params = DeleteParams { propagation_policy: Some(propagation), ..DeleteParams::default() };
        match self.api(key, resource).delete(&key.name, &params.preconditions(preconditions)).await {
            Ok(deleted) => Ok(deleted.left()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
            Err(error) => Err(ApplyError::of(key, error)),
        }
    }
}
