//! One control plane for all tests here; each test has a namespace, an owner and watches of its own.

use std::time::{Duration, Instant};

use futures::StreamExt;
use k8s_openapi::api::{
    apps::v1::Deployment,
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, Role, RoleBinding},
};
use kube::{
    Api, Client,
    api::{ApiResource, PostParams},
};
use kyb_kit::{Applier, Child, Children, Live, Names, Outcome, Owner, Prune};
use kyb_lab::{AuditEvent, ControlPlane, Mark, Options};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{sync::OnceCell, task::JoinSet};

pub(crate) const NAMES: Names = Names {
    manager: "kit-test",
    managed_by: "kit-test",
    owner_uid: "kit.test/owner-uid",
    applied: "kit.test/applied",
};

pub(crate) async fn plane() -> &'static ControlPlane {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    PLANE.get_or_init(async || ControlPlane::start(Options::default()).await.unwrap()).await
}

pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Waits for something that another process does.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
    }
}

/// A namespace, an owner, and an operator that watches.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) namespace: &'static str,
    pub(crate) owner: Owner,
    pub(crate) live: Live,
    pub(crate) applier: Applier,
    watches: JoinSet<()>,
}

impl Bench {
    pub(crate) async fn new(namespace: &'static str) -> Self {
        Self::through(namespace, |client| client).await
    }

    /// The same with an operator whose requests take this way.
    pub(crate) async fn through(namespace: &'static str, way: impl FnOnce(Client) -> Client) -> Self {
        let client = plane().await.client().await.unwrap();
        let place = typed::<Namespace>(json!({"metadata": {"name": namespace}}));
        Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &place).await.unwrap();
        let owner = new_owner(&client, namespace).await;
        Self::of(way(client), namespace, owner).await
    }

    /// The same after a restart of the operator: nothing is remembered.
    pub(crate) async fn restarted(&self) -> Self {
        Self::of(self.client.clone(), self.namespace, self.owner.clone()).await
    }

    async fn of(client: Client, namespace: &'static str, owner: Owner) -> Self {
        let live = Live::new(NAMES);
        let mut watches = JoinSet::new();
        for kind in watched() {
            let stream = live.follow(&client, kind);
            watches.spawn(stream.for_each(|_| async {}));
        }
        live.synced().await;
        let applier = Applier::new(client.clone(), NAMES, live.clone());
        Self { client, namespace, owner, live, applier, watches }
    }

    /// From now on the operator sees nothing of what others do.
    pub(crate) async fn look_away(&mut self) {
        self.watches.shutdown().await;
    }

    pub(crate) fn children(&self, children: impl IntoIterator<Item = Child>) -> Children {
        Children::of(&self.owner, &NAMES, children).unwrap()
    }

    pub(crate) async fn apply(&self, children: impl IntoIterator<Item = Child>) -> Outcome {
        self.applier.apply(&self.children(children), &Prune::default()).await
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    pub(crate) fn config_map(&self, name: &str, data: &Value) -> Child {
        let body = json!({"metadata": {"name": name, "namespace": self.namespace}, "data": data});
        Child::from_json(body, ApiResource::erase::<ConfigMap>(&()))
    }

    /// A new one, made by somebody else.
    pub(crate) async fn strangers_config_map(&self, name: &str) -> ConfigMap {
        let body = json!({"metadata": {"name": name}, "data": {"a": "theirs"}});
        self.api().create(&PostParams::default(), &typed(body)).await.unwrap()
    }

    pub(crate) async fn config_map_now(&self, name: &str) -> ConfigMap {
        self.api().get(name).await.unwrap()
    }

    /// What was asked about this namespace in our name since the mark.
    pub(crate) async fn asked_since(&self, mark: Mark) -> Vec<AuditEvent> {
        let events = plane().await.audited_since(mark).await.unwrap();
        let here = |event: &AuditEvent| {
            let object = event.object_ref.as_ref();
            object.is_some_and(|object| object.namespace == self.namespace)
                && event.username() == "kubernetes-admin"
        };
        events.into_iter().filter(here).collect()
    }
}

/// A cluster-scoped object that owns others.
pub(crate) async fn new_owner(client: &Client, name: &str) -> Owner {
    let owner = typed::<ClusterRole>(json!({"metadata": {"name": format!("owner-{name}")}, "rules": []}));
    Owner::of(&Api::all(client.clone()).create(&PostParams::default(), &owner).await.unwrap()).unwrap()
}

/// All that the tests make, but for Secrets, which an operator does not watch.
fn watched() -> [ApiResource; 13] {
    [
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<Role>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
    ]
}
