//! What the API server has, as an onlooker sees it whom no fault befalls.

use std::{
    collections::{BTreeMap, HashMap},
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

use crate::run::scope_in;

/// Kind, namespace and name.
pub(crate) type Key = (String, Option<String>, String);

/// All objects that are the operator's business, pods aside, by the scope that they belong to.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<HashMap<Option<String>, Place>>>);

/// What belongs to a scope, or to none.
#[derive(Default)]
struct Place {
    objects: BTreeMap<Key, Value>,
    /// How often that changed: comparing all of it takes much longer than asking for this.
    changes: u64,
}

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
                    self.change(key(kind, &object), |objects, key| objects.insert(key, value));
                }
            }
            watcher::Event::Delete(object) => {
                self.change(key(kind, &object), |objects, key| objects.remove(&key));
            }
            watcher::Event::Init => {
                for place in self.places().values_mut() {
                    place.objects.retain(|(known, ..), _| known != kind);
                    place.changes += 1;
                }
            }
            watcher::Event::InitDone => (),
        }
    }

    fn change<T>(&self, key: Key, how: impl FnOnce(&mut BTreeMap<Key, Value>, Key) -> T) {
        let (_, namespace, name) = &key;
        let scope = [namespace.as_deref(), Some(name)].into_iter().flatten().find_map(scope_in);
        let mut places = self.places();
        let place = places.entry(scope).or_default();
        how(&mut place.objects, key);
        place.changes += 1;
    }

    /// The objects of a scope, by their keys; with none those that belong to no scope.
    pub(crate) fn of(&self, scope: Option<&str>) -> BTreeMap<Key, Value> {
        let places = self.places();
        places.get(&scope.map(str::to_owned)).map(|place| place.objects.clone()).unwrap_or_default()
    }

    /// How often what a scope has changed so far.
    pub(crate) fn changes(&self, scope: &str) -> u64 {
        self.places().get(&Some(scope.to_owned())).map_or(0, |place| place.changes)
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Option<String>, Place>> {
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
