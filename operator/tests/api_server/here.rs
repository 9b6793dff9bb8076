//! What a test works with: ways to make things, and to wait for what becomes of them.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use k8s_openapi::{
    api::core::v1::{Namespace, Pod},
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::installation::Installation;

/// How long anything may take before a test gives up; on a busy machine most things take a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// An installation, and a client of the test's own runtime that may do everything.
pub(crate) struct Here {
    pub(crate) installation: &'static Installation,
    pub(crate) client: Client,
}

impl Here {
    /// With a client of this test's own.
    pub(crate) async fn of(installation: &'static Installation) -> anyhow::Result<Self> {
        Ok(Self { client: installation.plane.client().await?, installation })
    }

    /// Makes a namespace.
    pub(crate) async fn namespace(&self, name: &str, labels: Value) -> anyhow::Result<()> {
        let namespace: Namespace =
            serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}}))?;
        Api::all(self.client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// A labelled namespace with a development region in it.
    pub(crate) async fn region(&self, region: &str) -> anyhow::Result<()> {
        let namespace = format!("kyb-{region}");
        self.namespace(&namespace, json!({"kyb.dev/region": region})).await?;
        self.create_in::<RegionDeployment>(&namespace, region_deployment(region)).await?;
        Ok(())
    }

    /// Makes a tenant.
    pub(crate) async fn tenant(
        &self,
        id: &str,
        home: &str,
        change: impl FnOnce(&mut Value),
    ) -> anyhow::Result<KybTenant> {
        let mut spec = json!({
            "id": id,
            "displayName": "Acme Payments",
            "plan": "enterprise",
            "placement": {"home": home, "regions": [home], "residency": "US"},
            "contexts": [{"name": "lending"}],
            "apiKeys": [{"name": "default", "role": "ServiceAccount", "generation": 1}],
        });
        change(&mut spec);
        let tenant: KybTenant = serde_json::from_value(json!({
            "apiVersion": "kyb.dev/v1alpha1", "kind": "KybTenant", "metadata": {"name": id}, "spec": spec,
        }))?;
        Ok(Api::all(self.client.clone()).create(&PostParams::default(), &tenant).await?)
    }

    /// Makes an object of a namespaced kind.
    pub(crate) async fn create_in<K>(&self, namespace: &str, object: Value) -> anyhow::Result<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + Serialize + DeserializeOwned,
    {
        let object: K = serde_json::from_value(object)?;
        Ok(Api::namespaced(self.client.clone(), namespace).create(&PostParams::default(), &object).await?)
    }

    /// Says of the migration's pod, which no kubelet runs, that it succeeded; the Job's own controller does the rest.
    pub(crate) async fn migration_succeeds(&self, namespace: &str) -> anyhow::Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let of_job = ListParams::default().labels("app.kubernetes.io/component=migration");
        self.until("the migration's pod", || async { Ok(!pods.list(&of_job).await?.items.is_empty()) })
            .await?;
        let succeeded = json!({"status": {"phase": "Succeeded"}});
        for pod in pods.list(&of_job).await? {
            let (name, patch) = (pod.name_any(), Patch::Merge(&succeeded));
            match pods.patch_status(&name, &PatchParams::default(), &patch).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => (), // gone with its Job
                answer => drop(answer?),
            }
        }
        Ok(())
    }

    /// Says so of every migration of a namespace that comes, for as long as it is polled; ends only with an error.
    pub(crate) async fn all_migrations_succeed(&self, namespace: &str) -> anyhow::Error {
        loop {
            if let Err(why) = self.migration_succeeds(namespace).await {
                return why;
            }
            tokio::time::sleep(Duration::from_millis(100)).await; // between two looks
        }
    }

    /// Says of a region's migration that it succeeded, and of its worker that it runs: without a worker no report counts.
    pub(crate) async fn worker_runs(&self, region: &str) -> anyhow::Result<()> {
        let namespace = format!("kyb-{region}");
        self.migration_succeeds(&namespace).await?;
        self.worker_is_ready(region, true).await
    }

    /// Says of a region's worker that it is ready or not, in place of the kubelet.
    pub(crate) async fn worker_is_ready(&self, region: &str, ready: bool) -> anyhow::Result<()> {
        self.pods_are_ready(&format!("kyb-{region}"), "worker", ready).await
    }

    /// The same for the pods of any component.
    pub(crate) async fn pods_are_ready(
        &self,
        namespace: &str,
        component: &str,
        ready: bool,
    ) -> anyhow::Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let wanted = ListParams::default().labels(&format!("app.kubernetes.io/component={component}"));
        self.until("a pod", || async { Ok(!pods.list(&wanted).await?.items.is_empty()) }).await?;
        let is = if ready { "True" } else { "False" };
        let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": is}]}});
        for pod in pods.list(&wanted).await? {
            pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
        }
        Ok(())
    }

    /// Writes what a region's worker would report: one gateway that uses the settings up to `version`.
    pub(crate) async fn report(&self, region: &str, version: u64) -> anyhow::Result<()> {
        let settings = json!({"resourceVersion": version.to_string()});
        self.report_also(
            region,
            json!({
                "workloads": [{"name": "kyb-gateway-0", "component": "gateway", "version": "0.1.0", "settings": settings}],
                "watchlists": [{"name": "ofac-sdn", "state": "Fresh"}],
                "database": {"schemaVersion": 1},
            }),
        )
        .await
    }

    /// Changes parts of what is reported.
    pub(crate) async fn report_also(&self, region: &str, status: Value) -> anyhow::Result<()> {
        let reports: Api<RegionReport> = Api::namespaced(self.client.clone(), &format!("kyb-{region}"));
        let change = Patch::Merge(json!({ "status": status }));
        reports.patch_status(region, &PatchParams::default(), &change).await?;
        Ok(())
    }

    /// Waits until the condition of a tenant has the reason, and gives its message.
    pub(crate) async fn tenant_says(&self, name: &str, kind: &str, reason: &str) -> anyhow::Result<String> {
        let api: Api<KybTenant> = Api::all(self.client.clone());
        self.says(&api, name, kind, reason).await
    }

    /// The same for a region.
    pub(crate) async fn region_says(
        &self,
        namespace: &str,
        name: &str,
        kind: &str,
        reason: &str,
    ) -> anyhow::Result<String> {
        let api: Api<RegionDeployment> = Api::namespaced(self.client.clone(), namespace);
        self.says(&api, name, kind, reason).await
    }

    /// The same for a cache policy.
    pub(crate) async fn policy_says(
        &self,
        namespace: &str,
        name: &str,
        kind: &str,
        reason: &str,
    ) -> anyhow::Result<String> {
        let api: Api<CachePolicy> = Api::namespaced(self.client.clone(), namespace);
        self.says(&api, name, kind, reason).await
    }

    async fn says<K>(&self, api: &Api<K>, name: &str, kind: &str, reason: &str) -> anyhow::Result<String>
    where
        K: Clone + Debug + Serialize + DeserializeOwned,
    {
        let began = Instant::now();
        loop {
            let object = serde_json::to_value(api.get(name).await?)?;
            let conditions: Option<Vec<Condition>> =
                serde_json::from_value(object["status"]["conditions"].clone())?;
            let found = condition(&conditions.unwrap_or_default(), kind);
            if let Some(found) = &found
                && found.reason == reason
            {
                return Ok(found.message.clone());
            }
            if began.elapsed() > PATIENCE {
                bail!("waited for {reason} in vain; found {found:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something is so.
    pub(crate) async fn until<F>(&self, what: &str, mut so: impl FnMut() -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<bool>>,
    {
        let began = Instant::now();
        while !so().await? {
            if began.elapsed() > PATIENCE {
                bail!("waited for {what} in vain");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// An object of a namespaced kind, once it exists.
    pub(crate) async fn found<K>(&self, namespace: &str, name: &str) -> anyhow::Result<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        self.until(&format!("{} {namespace}/{name}", K::kind(&())), || async {
            Ok(api.get_opt(name).await?.is_some())
        })
        .await?;
        api.get_opt(name).await?.with_context(|| format!("{name} is gone again"))
    }

    /// Waits until there is none of that name.
    pub(crate) async fn gone<K>(&self, namespace: &str, name: &str) -> anyhow::Result<()>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let what = format!("{} {namespace}/{name} to be gone", K::kind(&()));
        self.until(&what, || async { Ok(api.get_opt(name).await?.is_none()) }).await
    }

    /// The names of a namespace's objects of a kind.
    pub(crate) async fn names<K>(&self, namespace: &str) -> anyhow::Result<Vec<String>>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
        K: Clone + Debug + DeserializeOwned,
    {
        let api: Api<K> = Api::namespaced(self.client.clone(), namespace);
        let mut names: Vec<_> =
            api.list(&ListParams::default()).await?.iter().map(ResourceExt::name_any).collect();
        names.sort();
        Ok(names)
    }
}

fn condition(conditions: &[Condition], kind: &str) -> Option<Condition> {
    conditions.iter().find(|condition| condition.type_ == kind).cloned()
}

/// A development region of the same name.
pub(crate) fn region_deployment(region: &str) -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "RegionDeployment",
        "metadata": {"name": region, "namespace": format!("kyb-{region}")},
        "spec": {
            "region": region,
            "residency": "US",
            "environment": "development",
            "version": "0.1.0",
            "services": {"gateway": {"autoscaling": {"minReplicas": 3, "maxReplicas": 20, "cpuPercent": 70}}, "worker": {"replicas": 1}},
            "database": {"development": {"storage": "1Gi"}},
            "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/", "refresh": "6h"}],
        },
    })
}
