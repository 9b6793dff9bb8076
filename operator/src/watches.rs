//! What is watched for as long as the process lives, and what tells the controllers of changes.
//!
//! ```text
//! API server ── one watch a kind ──► store, then ──► change ──► each controller that it concerns
//! ```

use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, Client, Resource,
    api::ApiResource,
    runtime::{WatchStreamExt as _, reflector, reflector::Store, watcher},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport, names};
use kyb_kit::{Live, Touched};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use crate::context::Stores;

/// Watches go on for as long as the process; they are shared by all controllers.
pub(crate) struct Watches {
    pub(crate) stores: Stores,
    pub(crate) changes: Changes,
}

/// What has changed, once the store of its kind knows it. Controllers go by these and not by watches of their own, which may be
/// ahead of the stores: whoever looked then would see the old state, and never be told again.
pub(crate) struct Changes {
    pub(crate) touched: broadcast::Sender<Option<Touched>>,
    pub(crate) tenants: broadcast::Sender<Change<KybTenant>>,
    pub(crate) regions: broadcast::Sender<Change<RegionDeployment>>,
    pub(crate) policies: broadcast::Sender<Change<CachePolicy>>,
    pub(crate) pods: broadcast::Sender<Change<Pod>>,
    pub(crate) namespaces: broadcast::Sender<Change<Namespace>>,
}

/// The object that changed or is gone; none where anything may have: after a new listing, and when changes came faster than
/// they were taken in.
pub(crate) type Change<K> = Option<Arc<K>>;

/// So many changes may wait for the slowest controller.
const BACKLOG: usize = 65_536;

impl Watches {
    pub(crate) fn start(client: &Client, live: &Live) -> Self {
        let part_of = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
        let all = watcher::Config::default;
        let (tenants, of_tenants) = follow(Api::all(client.clone()), all());
        let (regions, of_regions) = follow(Api::all(client.clone()), all());
        let (policies, of_policies) = follow(Api::all(client.clone()), all());
        let (pods, of_pods) = follow(Api::all(client.clone()), all().labels(&part_of));
        let (namespaces, of_namespaces) = follow(Api::all(client.clone()), all().labels(names::REGION_LABEL));
        let changes = Changes {
            touched: follow_children(client, live),
            tenants: of_tenants,
            regions: of_regions,
            policies: of_policies,
            pods: of_pods,
            namespaces: of_namespaces,
        };
        Self { stores: Stores { tenants, regions, policies, pods, namespaces }, changes }
    }
}

fn follow_children(client: &Client, live: &Live) -> broadcast::Sender<Option<Touched>> {
    let (touched, _) = broadcast::channel(BACKLOG);
    let mut children = stream::SelectAll::new();
    for resource in child_kinds() {
        children.push(live.follow(client, resource).boxed());
    }
    let sender = touched.clone();
    tokio::spawn(children.for_each(move |event| {
        match event {
            Ok(touched) => drop(sender.send(Some(touched))), // nobody listens before the lease is held
            Err(error) => tracing::warn!(%error, "a watch of children is tried again"),
        }
        std::future::ready(())
    }));
    touched
}

/// The kinds of our children that may be listed in the whole cluster. Secrets are not among them.
pub(crate) fn child_kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<RegionReport>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

/// Follows a kind into a store, and tells of each change that the store has taken in.
fn follow<K>(api: Api<K>, config: watcher::Config) -> (Store<K>, broadcast::Sender<Change<K>>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let (reader, writer) = reflector::store();
    let (changes, _) = broadcast::channel(BACKLOG);
    let sender = changes.clone();
    let events = reflector::reflector(writer, watcher(api, config).default_backoff());
    tokio::spawn(events.for_each(move |event| {
        let change = match event {
            Ok(watcher::Event::Apply(object) | watcher::Event::Delete(object)) => {
                Some(Some(Arc::new(object)))
            }
            Ok(watcher::Event::InitDone) => Some(None),
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
            Err(error) => {
                tracing::warn!(kind = %K::kind(&()), %error, "a watch is tried again");
                None
            }
        };
        if let Some(change) = change {
            let _ = sender.send(change); // nobody listens before the lease is held
        }
        std::future::ready(())
    }));
    (reader, changes)
}

/// Changes, for one controller. None: some were missed, and everything has to be looked at.
pub(crate) fn listen<T: Clone + Send + 'static>(
    changes: &broadcast::Sender<Option<T>>,
) -> impl Stream<Item = Option<T>> + Send + use<T> {
    stream::unfold(changes.subscribe(), |mut receiver| async {
        match receiver.recv().await {
            Ok(change) => Some((change, receiver)),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "more changes came than could be taken in; looking at everything");
                Some((None, receiver))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_missed_changes_is_told_to_look_at_everything() {
        let (sender, _) = broadcast::channel(2);
        let changes = listen(&sender);
        for number in 1..=3 {
            sender.send(Some(number)).unwrap();
        }
        drop(sender);
        assert_eq!(changes.collect::<Vec<_>>().await, [None, Some(2), Some(3)]);
    }
}
