//! What all controllers share: the client, what is known of the cluster, and who writes.

use std::{fmt::Debug, sync::Arc, time::Duration};

use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Namespace, ObjectReference, Pod},
        rbac::v1::Subject,
    },
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{
    Client, Resource, ResourceExt,
    api::ApiResource,
    runtime::reflector::{ObjectRef, Store},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport, names};
use kyb_kit::{
    Announcer, Applier, ChildKey, Live, Lookup, Names, Retries, StatusWriter, Wrote, changes_of_mind,
};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::{
    derive::RootKey,
    metrics::Metrics,
    scope::Scope,
    sight::Sight,
    verdict::as_it_should,
    watches::{BACKLOG, Change},
};

/// How objects of ours are told from others'.
pub(crate) const fn marks(manager: &'static str) -> Names {
    Names {
        manager,
        managed_by: names::MANAGED_BY,
        owner_uid: names::OWNER_UID_LABEL,
        applied: names::APPLIED_ANNOTATION,
    }
}

/// The marks of what the tenant controller writes.
pub(crate) const TENANT_MARKS: Names = marks(names::TENANT_MANAGER);
/// The marks of what the region controller writes.
pub(crate) const REGION_MARKS: Names = marks(names::REGION_MANAGER);

/// What all controllers share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) scope: Scope,
    pub(crate) sight: Sight,
    pub(crate) live: Live,
    pub(crate) tenant_applier: Applier,
    pub(crate) region_applier: Applier,
    pub(crate) statuses: StatusWriter,
    pub(crate) announcer: Announcer,
    pub(crate) retries: Retries,
    pub(crate) root: RootKey,
    /// The operator's own account, which it binds to the role that writes Secrets.
    pub(crate) operator: Subject,
    pub(crate) metrics: Metrics,
    pub(crate) stores: Stores,
    /// Whether the Secrets that specs name can be looked at; a plan without a cluster takes them to be there.
    pub(crate) sees_secrets: bool,
    /// Regions whose children were just written here: of these changes watches tell nobody.
    pub(crate) written_regions: broadcast::Sender<Change<RegionDeployment>>,
}

/// What is watched beside our children.
pub(crate) struct Stores {
    pub(crate) tenants: Store<KybTenant>,
    pub(crate) regions: Store<RegionDeployment>,
    pub(crate) policies: Store<CachePolicy>,
    pub(crate) pods: Store<Pod>,
    /// Namespaces that an administrator labelled with a region; where the operator is held to single namespaces, these, labelled or
    /// not.
    pub(crate) namespaces: Store<Namespace>,
}

impl Context {
    /// For a client that writes when it may, and what it knows of the whole cluster.
    pub(crate) fn new(
        client: Client,
        live: Live,
        stores: Stores,
        root: RootKey,
        operator: Subject,
        instance: &str,
    ) -> Self {
        Self {
            tenant_applier: Applier::new(client.clone(), TENANT_MARKS, live.clone()),
            region_applier: Applier::new(client.clone(), REGION_MARKS, live.clone()),
            statuses: StatusWriter::new(client.clone(), names::STATUS_MANAGER),
            announcer: Announcer::new(client.clone(), "kyb.dev/operator", Some(instance.to_owned())),
            retries: Retries::default(),
            metrics: Metrics::default(),
            scope: Scope::default(),
            sight: Sight::default(),
            client,
            live,
            stores,
            root,
            operator,
            sees_secrets: true,
            written_regions: broadcast::channel(BACKLOG).0,
        }
    }

    /// All regions of this cluster.
    pub(crate) fn regions(&self) -> Vec<Arc<RegionDeployment>> {
        self.stores.regions.state()
    }

    /// The regions that tenants may be handed to: those in a namespace that an administrator gave to them, and of several
    /// for one region the eldest. Whoever may only create a RegionDeployment somewhere gets no tenant's settings.
    pub(crate) fn serving_regions(&self) -> Vec<Arc<RegionDeployment>> {
        let given = |region: &Arc<RegionDeployment>| {
            self.region_of_namespace(&region.namespace().unwrap_or_default()).as_deref()
                == Some(region.spec.region.as_str())
        };
        self.regions().into_iter().filter(given).filter(|region| self.elder_of(region).is_none()).collect()
    }

    /// An elder deployment of the same region.
    pub(crate) fn elder_of(&self, region: &RegionDeployment) -> Option<Arc<RegionDeployment>> {
        let age = |region: &RegionDeployment| {
            (region.metadata.creation_timestamp.as_ref().map(|at| at.0), region.uid())
        };
        let same = |other: &Arc<RegionDeployment>| {
            other.spec.region == region.spec.region && age(other) < age(region)
        };
        self.regions().into_iter().find(same)
    }

    /// All tenants.
    pub(crate) fn tenants(&self) -> Vec<Arc<KybTenant>> {
        self.stores.tenants.state()
    }

    /// A cache policy.
    pub(crate) fn cache_policy(&self, namespace: &str, name: &str) -> Option<Arc<CachePolicy>> {
        self.stores.policies.get(&ObjectRef::new(name).within(namespace))
    }

    /// Which region an administrator gave a namespace to.
    pub(crate) fn region_of_namespace(&self, namespace: &str) -> Option<String> {
        let namespace = self.stores.namespaces.get(&ObjectRef::new(namespace))?;
        namespace.labels().get(names::REGION_LABEL).cloned()
    }

    /// What a region's worker reports, while some worker is ready: one that could not report for long is not. A report that
    /// nobody keeps true may say anything.
    pub(crate) fn report(&self, region: &RegionDeployment) -> Option<RegionReport> {
        let worker: Option<Deployment> = self.live.typed(region.namespace().as_deref(), names::WORKER);
        let ready = worker.and_then(|worker| worker.status?.ready_replicas).unwrap_or(0);
        (ready > 0).then(|| self.last_report(region)).flatten()
    }

    /// What a worker reported last, whether or not one still runs; for what can't become untrue.
    pub(crate) fn last_report(&self, region: &RegionDeployment) -> Option<RegionReport> {
        self.live.typed(region.namespace().as_deref(), &region.name_any())
    }

    /// The pods of one part of a region.
    pub(crate) fn pods_of(&self, namespace: &str, region: &str, component: &str) -> Vec<Arc<Pod>> {
        let is =
            |pod: &Pod, name: &str, value: &str| pod.labels().get(name).is_some_and(|found| found == value);
        let ours = |pod: &Arc<Pod>| {
            pod.namespace().as_deref() == Some(namespace)
                && is(pod, names::INSTANCE_LABEL, region)
                && is(pod, names::COMPONENT_LABEL, component)
        };
        self.stores.pods.state().into_iter().filter(ours).collect()
    }

    /// How many tenants a region serves.
    pub(crate) fn tenants_of(&self, region: &RegionDeployment) -> usize {
        self.tenants().iter().filter(|tenant| serves(region, tenant)).count()
    }

    /// Writes the status of an object, whose conditions were `before` and are `after`, and tells whoever looks at it what changed.
    /// Says when to look again: after `wait`, unless the status was not written.
    pub(crate) async fn tell<K, S>(
        &self,
        object: &K,
        status: &S,
        before: &[Condition],
        after: &[Condition],
        wait: Option<Duration>,
    ) -> Option<Duration>
    where
        K: Resource<DynamicType = ()> + Serialize + Debug,
        S: Serialize,
    {
        match self.statuses.write(object, status).await {
            Ok(Wrote::Yes | Wrote::Nothing) => (),
            Ok(Wrote::Outdated) => return Some(Duration::ZERO),
            Err(error) => {
                let (kind, name, error) = (K::kind(&()), object.name_any(), &error as &dyn std::error::Error);
                tracing::warn!(%kind, name, error, "can't write the status");
                return Some(wait.unwrap_or(STATUS_RETRY));
            }
        }
        let reference: ObjectReference = object.object_ref(&());
        self.announcer.announce(&reference, &changes_of_mind(before, after, as_it_should)).await;
        wait
    }
}

/// The version of a ConfigMap with settings as it is written now; none where it is not.
pub(crate) fn written_version(live: &Live, namespace: &str, name: &str) -> Option<u64> {
    let key = ChildKey::new(&ApiResource::erase::<ConfigMap>(&()), Some(namespace), name);
    let Lookup::Present(found) = live.lookup(&key) else { return None };
    found.metadata.resource_version.as_deref()?.parse().ok()
}

/// A status that could not be written is written again soon.
const STATUS_RETRY: Duration = Duration::from_secs(2);

/// Whether a region may serve a tenant: it is one of the tenant's, and of the same residency.
pub(crate) fn serves(region: &RegionDeployment, tenant: &KybTenant) -> bool {
    let placement = &tenant.spec.placement;
    placement.regions.contains(&region.spec.region) && placement.residency == region.spec.residency
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{LATELY, LONG_AGO, config_map, context, namespace_of, region, report, tenant};

    #[test]
    fn the_field_manager_that_people_read_of_is_the_one_that_hands_over() {
        assert_eq!(REGION_MARKS.handover_manager(), names::HANDOVER_MANAGER);
    }

    #[tokio::test]
    async fn tenants_are_handed_to_the_eldest_region_of_a_namespace_that_was_given_to_it() {
        let context = context(
            Scope::Cluster,
            &[
                namespace_of("us-east-1", "elder"),
                namespace_of("us-east-1", "younger"),
                namespace_of("eu-west-1", "other"),
                region("elder", "us-east-1", LONG_AGO),
                region("younger", "us-east-1", LATELY),
                region("other", "us-east-1", LONG_AGO),
                region("nobodys", "us-west-2", LONG_AGO),
            ],
        );
        let serving = context.serving_regions();
        assert_eq!(serving.iter().map(|region| region.name_any()).collect::<Vec<_>>(), ["elder"]);
        let named =
            |name: &str| context.regions().into_iter().find(|region| region.name_any() == name).unwrap();
        assert_eq!(context.elder_of(&named("elder")), None, "of two that are as old the uid decides");
        assert!(context.elder_of(&named("younger")).is_some());
        assert_eq!(context.elder_of(&named("nobodys")), None);
        assert_eq!(context.region_of_namespace("other").as_deref(), Some("eu-west-1"));
        assert_eq!(context.region_of_namespace("nobodys"), None);
    }

    #[tokio::test]
    async fn a_report_counts_while_a_worker_is_ready_to_keep_it_true() {
        for (ready, is_known) in [(1, true), (0, false)] {
            let objects =
                [vec![region("one", "us-east-1", LONG_AGO)], report("one", ready, &json!({})).to_vec()]
                    .concat();
            let context = context(Scope::Cluster, &objects);
            let region = context.regions().remove(0);
            assert_eq!(context.report(&region).is_some(), is_known);
            assert!(context.last_report(&region).is_some());
        }
    }

    #[tokio::test]
    async fn pods_are_told_by_region_and_by_what_they_do() {
        let pod = |name: &str, namespace: &str, region: &str, component: &str| {
            let labels = json!({names::INSTANCE_LABEL: region, names::COMPONENT_LABEL: component});
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels}})
        };
        let context = context(
            Scope::Cluster,
            &[
                pod("right", "one", "one", "gateway"),
                pod("elsewhere", "two", "one", "gateway"),
                pod("of-another", "one", "two", "gateway"),
                pod("worker", "one", "one", "worker"),
            ],
        );
        let pods = context.pods_of("one", "one", "gateway");
        assert_eq!(pods.iter().map(|pod| pod.name_any()).collect::<Vec<_>>(), ["right"]);
    }

    #[tokio::test]
    async fn a_region_serves_the_tenants_of_its_name_and_residency() {
        let of = |change: fn(&mut Value)| {
            let mut tenant = tenant("acme", "acme", LONG_AGO);
            change(&mut tenant);
            let objects = [tenant, region("one", "us-east-1", LONG_AGO)];
            let context = context(Scope::Cluster, &objects);
            context.tenants_of(&context.regions()[0])
        };
        assert_eq!(of(|_| ()), 1);
        assert_eq!(of(|tenant| tenant["spec"]["placement"]["residency"] = "EU".into()), 0);
        assert_eq!(of(|tenant| tenant["spec"]["placement"]["regions"] = json!(["us-west-2"])), 0);
    }

    #[tokio::test]
    async fn settings_are_known_by_the_version_that_the_server_gave_them() {
        let objects = [config_map("one", "settings", "12", "a.yaml", "")];
        let context = context(Scope::Cluster, &objects);
        assert_eq!(written_version(&context.live, "one", "settings"), Some(12));
        assert_eq!(written_version(&context.live, "one", "others"), None);
    }
}
