//! Changes without end: specs that change, children that somebody edits or deletes, tenants that come and go. Each makes the
//! leader write, and what nobody undoes while there is none waits for the next.

use std::time::Duration;

use k8s_openapi::api::{
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams},
};
use kyb_crds::{KybTenant, RegionDeployment};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tenants that are there all the time.
const TENANTS: usize = 6;
/// Tenants beside them that come and go; ending a namespace costs Kubernetes's own controllers much.
const GUESTS: usize = 2;
/// Between two changes.
const PACE: Duration = Duration::from_millis(16);
/// The region's name; its namespace is `kyb-home`.
const REGION: &str = "home";

/// The one who makes the changes.
pub(crate) struct Burst {
    client: Client,
    random: StdRng,
    /// Numbers guests and makes every change another one.
    count: usize,
}

/// A burst that is going on.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<usize>>,
}

impl Running {
    /// Ends it and says how many changes there were.
    pub(crate) async fn end(self) -> anyhow::Result<usize> {
        self.stop.cancel();
        self.task.await?
    }
}

impl Burst {
    /// Makes a region and its tenants.
    pub(crate) async fn prepare(client: Client) -> anyhow::Result<Self> {
        let namespace = json!({"metadata": {"name": "kyb-home", "labels": {"kyb.dev/region": REGION}}});
        let region = json!({
            "metadata": {"name": REGION, "namespace": "kyb-home"},
            "spec": {
                "region": REGION, "residency": "US", "environment": "development", "version": "0.1.0",
                "services": {"gateway": {"replicas": 1}, "worker": {"replicas": 1}},
                "database": {"development": {"storage": "1Gi"}},
                "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/", "refresh": "6h"}],
            },
        });
        create::<Namespace>(&Api::all(client.clone()), namespace).await?;
        create::<RegionDeployment>(&Api::namespaced(client.clone(), "kyb-home"), region).await?;
        let mut burst = Self { client, random: StdRng::from_os_rng(), count: 0 };
        for number in 0..TENANTS {
            burst.tenant(&id(number)).await?;
        }
        Ok(burst)
    }

    /// Goes on in the background.
    pub(crate) fn run(mut self) -> Running {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                self.change().await?;
                tokio::time::sleep(PACE).await;
            }
            Ok(self.count)
        });
        Running { stop, task }
    }

    async fn change(&mut self) -> anyhow::Result<()> {
        self.count += 1;
        let tenant = id(self.random.random_range(0..TENANTS));
        let namespace =
            if self.random.random() { format!("kyb-t-{tenant}") } else { format!("kyb-t-{tenant}--lending") };
        let done = match self.random.random_range(0..100) {
            0..60 => self.edit(&tenant, &namespace).await,
            60..80 => self.delete(&namespace).await,
            80..99 => {
                let spec = json!({"rateLimit": {"requestsPerMinute": 1000 + self.count, "burst": 500}});
                self.patch(&self.all::<KybTenant>(), &tenant, json!({"spec": spec})).await
            }
            _ => self.come_and_go().await,
        };
        done.or_else(|error| if is_in_between(&error) { Ok(()) } else { Err(error.into()) })
    }

    /// Somebody edits what the operator made.
    async fn edit(&mut self, tenant: &str, namespace: &str) -> Result<(), kube::Error> {
        match self.random.random_range(0..3) {
            0 => {
                let quota = json!({"spec": {"hard": {"services": self.count.to_string()}}});
                self.patch(&self.within::<ResourceQuota>(namespace), "kyb-tenant", quota).await
            }
            1 => {
                let policy = json!({"spec": {"policyTypes": ["Ingress", "Egress"]}});
                self.patch(&self.within::<NetworkPolicy>(namespace), "kyb-allow-dns", policy).await
            }
            _ => {
                let file = format!("tenant-{tenant}.yaml");
                let settings = json!({"data": {file: self.count.to_string()}});
                let maps = self.within::<ConfigMap>("kyb-home");
                self.patch(&maps, &format!("kyb-settings-tenant-{tenant}"), settings).await
            }
        }
    }

    async fn delete(&mut self, namespace: &str) -> Result<(), kube::Error> {
        let (api, name) = match self.random.random_range(0..3) {
            0 => (self.within::<NetworkPolicy>(namespace), "kyb-deny-all"),
            1 => (self.within::<LimitRange>(namespace), "kyb-tenant"),
            _ => (self.within::<ServiceAccount>(namespace), "kyb-tenant"),
        };
        api.delete(name, &DeleteParams::default()).await.map(drop)
    }

    /// The guest that came first goes, another one comes.
    async fn come_and_go(&mut self) -> Result<(), kube::Error> {
        let guest = self.count;
        self.tenant(&format!("guest-{guest}")).await?;
        let tenants =
            Api::<KybTenant>::all(self.client.clone()).list(&kube::api::ListParams::default()).await?;
        let mut guests: Vec<_> =
            tenants.items.into_iter().filter(|tenant| tenant.spec.id.0.starts_with("guest-")).collect();
        guests.sort_by_key(|guest| guest.metadata.creation_timestamp.clone());
        let surplus = guests.len().saturating_sub(GUESTS);
        for guest in guests.iter().take(surplus) {
            let name = guest.metadata.name.as_deref().unwrap_or_default();
            self.all::<KybTenant>().delete(name, &DeleteParams::default()).await?;
        }
        Ok(())
    }

    async fn tenant(&mut self, id: &str) -> Result<(), kube::Error> {
        let tenant = json!({
            "metadata": {"name": id},
            "spec": {
                "id": id,
                "displayName": "A tenant",
                "plan": "enterprise",
                "placement": {"home": REGION, "regions": [REGION], "residency": "US"},
                "contexts": [{"name": "lending"}],
                "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
            },
        });
        create::<KybTenant>(&Api::all(self.client.clone()), tenant).await
    }

    async fn patch(&self, api: &Api<DynamicObject>, name: &str, change: Value) -> Result<(), kube::Error> {
        api.patch(name, &PatchParams::default(), &Patch::Merge(change)).await.map(drop)
    }

    fn all<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &ApiResource::erase::<K>(&()))
    }

    fn within<K: Resource<DynamicType = ()>>(&self, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::erase::<K>(&()))
    }
}

fn id(number: usize) -> String {
    format!("tenant-{number}")
}

/// What is to be changed is not there yet, or was changed at the same time.
fn is_in_between(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if [403, 404, 409, 422].contains(&status.code))
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + serde::Serialize,
{
    let object = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    api.create(&PostParams::default(), &object).await.map(drop)
}
