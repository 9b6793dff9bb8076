//! Where objects of any kind are asked for.

use kube::{
    Client,
    api::{Api, ApiResource, DynamicObject},
};

/// The objects of a kind in a namespace; none: in the whole cluster, or of a kind that lies in none.
pub fn objects_in(client: &Client, namespace: Option<&str>, resource: &ApiResource) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}
