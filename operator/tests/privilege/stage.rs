//! A region and two tenants, the operator that looks after them, and what can be heard of it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use k8s_openapi::api::{apps::v1::Deployment, rbac::v1::RoleBinding};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, Role, names};
use kyb_lab::Mark;
use serde_json::{Value, json};

use crate::{
    grants::Grant,
    here::Here,
    installation::{OPERATOR, Operator},
    table::{Child, Place},
};

/// The region's namespace.
pub(crate) const REGION: &str = "kyb-rights";
/// The namespace of the tenant `acme`.
pub(crate) const TENANT: &str = "kyb-t-acme";
/// That of its context.
pub(crate) const CONTEXT: &str = "kyb-t-acme--lending";

/// How long a refusal may take to be heard of, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Stage {
    pub(crate) here: Here,
    /// How long to wait for anything.
    pub(crate) patience: Duration,
    /// The replica that works.
    leader: Option<Operator>,
}

/// A moment, to tell what was said after it.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    logged: usize,
    audited: Mark,
}

impl Stage {
    /// Makes everything, and waits until there is one of each kind of child.
    pub(crate) async fn set(here: Here) -> anyhow::Result<Self> {
        let leader = Some(Operator::start(here.installation, "leader")?);
        here.region("rights").await?;
        here.tenant("acme", "rights", |spec| spec["access"] = one_of_each_role()).await?;
        here.tenant("bolt", "rights", |_| ()).await?;
        let policy = json!({"metadata": {"name": "default"}, "spec": {}});
        here.create_in::<CachePolicy>(REGION, policy).await?;
        here.migration_succeeds(REGION).await?;
        here.found::<Deployment>(REGION, "kyb-gateway").await?;
        here.found::<RoleBinding>(TENANT, "kyb-auditor-auditor").await?;
        here.tenant_says("bolt", "NamespacesReady", "Ready").await?;
        Ok(Self { here, patience: PATIENCE, leader })
    }

    /// Whoever works gives the lease up and ends.
    pub(crate) fn nobody_leads(&mut self) {
        self.leader = None;
    }

    pub(crate) fn now(&self) -> anyhow::Result<Moment> {
        Ok(Moment { logged: self.log().len(), audited: self.here.installation.plane.audit_log().mark()? })
    }

    fn log(&self) -> String {
        self.leader.as_ref().map(Operator::log).unwrap_or_default()
    }

    fn api(&self, child: &Child) -> Api<DynamicObject> {
        match child.place {
            Place::Within(namespace) => {
                Api::namespaced_with(self.here.client.clone(), namespace, &child.resource)
            }
            Place::Named(_) => Api::all_with(self.here.client.clone(), &child.resource),
        }
    }

    /// The child, as soon as there is one.
    pub(crate) async fn find(&self, child: &Child) -> anyhow::Result<DynamicObject> {
        let ours = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
        let ours = match child.place {
            Place::Within(_) => ListParams::default().labels(&ours),
            Place::Named(name) => {
                ListParams::default().labels(&ours).fields(&format!("metadata.name={name}"))
            }
        };
        let stays = |object: &DynamicObject| object.metadata.deletion_timestamp.is_none();
        self.eventually(async || Ok(self.api(child).list(&ours).await?.items.into_iter().find(stays)))
            .await?
            .with_context(|| format!("there is no {}", child.resource.kind))
    }

    /// Changes metadata of a child.
    pub(crate) async fn mark(&self, child: &Child, name: &str, metadata: Value) -> anyhow::Result<()> {
        let change = Patch::Merge(json!({ "metadata": metadata }));
        self.api(child).patch(name, &PatchParams::default(), &change).await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, child: &Child, name: &str) -> anyhow::Result<()> {
        self.api(child).delete(name, &DeleteParams::background()).await?;
        Ok(())
    }

    /// Makes another one like it, with the same marks and the same owner.
    pub(crate) async fn copy(&self, child: &Child, original: &DynamicObject) -> anyhow::Result<()> {
        let mut copy = serde_json::to_value(original)?;
        let metadata = &original.metadata;
        copy["metadata"] = json!({
            "name": format!("{}-more", original.name_any()),
            "labels": metadata.labels, "annotations": metadata.annotations,
            "ownerReferences": metadata.owner_references,
        });
        forget_what_is_unique(&mut copy);
        let copy: DynamicObject = serde_json::from_value(copy)?;
        self.api(child).create(&PostParams::default(), &copy).await?;
        Ok(())
    }

    pub(crate) async fn change_tenant(&self, name: &str, spec: Value) -> anyhow::Result<()> {
        let tenants: Api<KybTenant> = Api::all(self.here.client.clone());
        let change = Patch::Merge(json!({ "spec": spec }));
        tenants.patch(name, &PatchParams::default(), &change).await?;
        Ok(())
    }

    /// What a condition says, once some condition says `words`.
    pub(crate) async fn condition_says(&self, words: &str) -> anyhow::Result<String> {
        let said = self.eventually(async || {
            let messages = self.messages().await?;
            Ok(messages.into_iter().find(|message| message.contains(words)))
        });
        said.await?.with_context(|| format!("no condition says: {words}"))
    }

    /// Waits until no condition does.
    pub(crate) async fn no_condition_says(&self, words: &str) -> anyhow::Result<()> {
        let silent = self.eventually(async || {
            let messages = self.messages().await?;
            Ok(messages.iter().all(|message| !message.contains(words)).then_some(()))
        });
        silent.await?.with_context(|| format!("a condition still says: {words}"))
    }

    /// The messages of all conditions.
    async fn messages(&self) -> anyhow::Result<Vec<String>> {
        let client = &self.here.client;
        let tenants = Api::<KybTenant>::all(client.clone()).list(&ListParams::default()).await?;
        let regions = Api::<RegionDeployment>::all(client.clone()).list(&ListParams::default()).await?;
        let of_tenants = tenants.into_iter().filter_map(|tenant| Some(tenant.status?.conditions));
        let of_regions = regions.into_iter().filter_map(|region| Some(region.status?.conditions));
        Ok(of_tenants.chain(of_regions).flatten().map(|condition| condition.message).collect())
    }

    /// The line in which the leader logs `words`.
    pub(crate) async fn log_says(&self, words: &str, since: Moment) -> anyhow::Result<String> {
        let line = |log: &str| log.lines().find(|line| line.contains(words)).map(str::to_owned);
        let said = self.eventually(async || Ok(self.log().get(since.logged..).and_then(line)));
        said.await?.with_context(|| format!("the log does not say: {words}"))
    }

    /// The operator's request that was refused for want of the grant.
    pub(crate) async fn audit_shows(&self, grant: &Grant, since: Moment) -> anyhow::Result<String> {
        let log = self.here.installation.plane.audit_log();
        let shown = self.eventually(async || {
            let refused = log.since(since.audited)?.into_iter().find(|event| {
                event.username() == OPERATOR
                    && (event.code(), event.verb.as_str()) == (403, grant.verb.as_str())
                    && event.resource() == grant.resource
            });
            Ok(refused.map(|event| format!("403 {} {}", event.verb, event.request_uri)))
        });
        shown.await?.with_context(|| format!("no {} was refused", grant.verb))
    }

    /// What a new replica logs, once that is one of `words`. One that ends is said to have ended with its code.
    pub(crate) async fn replica_says(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut replica = Operator::start(self.here.installation, "replica")?;
        let began = Instant::now();
        loop {
            let ended = replica.ended()?; // first, so that what it said last is there
            let log = replica.log();
            let line = log.lines().find(|line| words.iter().any(|words| line.contains(words)));
            match (line, ended) {
                (Some(line), Some(how)) => return Ok(format!("{how}: {line}")),
                (Some(line), None) if !line.contains(" ends ") => return Ok(line.to_owned()),
                (None, Some(how)) => bail!("it ended with {how} and did not say {words:?}:\n{log}"),
                _ if began.elapsed() > self.patience => bail!("it does not say {words:?}:\n{log}"),
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn eventually<T>(
        &self,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Option<T>> {
        let began = Instant::now();
        loop {
            match look().await? {
                None if began.elapsed() < self.patience => tokio::time::sleep(LOOK_EVERY).await,
                seen => return Ok(seen),
            }
        }
    }
}

fn one_of_each_role() -> Value {
    let grants = Role::ALL.map(|role| {
        let name = names::tenant_cluster_role(role).trim_start_matches("kyb-tenant-");
        // A context manager manages named contexts.
        let contexts = (role == Role::ContextManager).then_some(["lending"]);
        json!({"name": name, "role": role, "contexts": contexts, "subjects": [{"kind": "User", "name": "eve"}]})
    });
    json!(grants)
}

/// What the server gave the original alone: addresses of a Service, the uid by which a Job knows its pods.
fn forget_what_is_unique(copy: &mut Value) {
    let Some(object) = copy.as_object_mut() else { return };
    object.remove("status");
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
        if spec.contains_key("backoffLimit") {
            spec.remove("selector");
        }
    }
    let labels = ["metadata", "spec/template/metadata"].map(|place| format!("/{place}/labels"));
    for labels in labels {
        let Some(labels) = copy.pointer_mut(&labels).and_then(Value::as_object_mut) else { continue };
        labels.retain(|name, _| !name.ends_with("controller-uid") && !name.ends_with("job-name"));
    }
}
