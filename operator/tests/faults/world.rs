//! What the API server has, as an onlooker sees it whom no fault befalls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt as _, stream::SelectAll};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, Secret, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject},
    runtime::{WatchStreamExt as _, watcher},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

/// Kind, namespace and name.
pub(crate) type Key = (String, Option<String>, String);

/// All objects that are the operator's business, pods aside.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<BTreeMap<Key, Value>>>);

impl World {
    /// Watches from now on; what a kubelet and a worker have to do with goes to `stand_ins`.
    pub(crate) fn watch(client: &Client, stand_ins: UnboundedSender<(String, DynamicObject)>) -> Self {
        let world = Self::default();
        let mut events = SelectAll::new();
        for resource in kinds() {
            let ours = resource.group == "kyb.dev";
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let config = watcher::Config::default();
            let config =
                if ours { config } else { config.labels("app.kubernetes.io/managed-by=kyb-operator") };
            let kind = resource.kind.clone();
            events
                .push(watcher(api, config).default_backoff().map(move |event| (kind.clone(), event)).boxed());
        }
        let seen = world.clone();
        tokio::spawn(events.for_each(move |(kind, event)| {
            if let Ok(event) = event {
                seen.take(&kind, event, &stand_ins); // an error is tried again
            }
            std::future::ready(())
        }));
        world
    }

    fn take(
        &self,
        kind: &str,
        event: watcher::Event<DynamicObject>,
        stand_ins: &UnboundedSender<(String, DynamicObject)>,
    ) {
        match event {
            watcher::Event::Apply(object) | watcher::Event::InitApply(object) => {
                if matches!(kind, "Pod" | "RegionReport") {
                    let _ = stand_ins.send((kind.to_owned(), object.clone())); // they end with the stage
                }
                if kind != "Pod" {
                    let value = serde_json::to_value(&object).unwrap_or_default();
                    self.objects().insert(key(kind, &object), value);
                }
            }
            watcher::Event::Delete(object) => drop(self.objects().remove(&key(kind, &object))),
            watcher::Event::Init => self.objects().retain(|(known, ..), _| known != kind),
            watcher::Event::InitDone => (),
        }
    }

    /// The objects that `belong`, by their keys.
    pub(crate) fn of(&self, belongs: impl Fn(&Key) -> bool) -> BTreeMap<Key, Value> {
        let objects = self.objects();
        objects
            .iter()
            .filter(|(key, _)| belongs(key))
            .map(|(key, object)| (key.clone(), object.clone()))
            .collect()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(kind: &str, object: &DynamicObject) -> Key {
    (kind.to_owned(), object.namespace(), object.name_any())
}

/// Every kind that the operator writes or looks after, and pods.
fn kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<KybTenant>(&()),
        ApiResource::erase::<RegionDeployment>(&()),
        ApiResource::erase::<CachePolicy>(&()),
        ApiResource::erase::<RegionReport>(&()),
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<Pod>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Secret>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}
