//! The scenarios of the [`table`](crate::table), and by what words each is refused when its grant is missing.

use futures::StreamExt as _;
use k8s_openapi::api::{
    coordination::v1::Lease,
    core::v1::{ConfigMap, Namespace, Secret},
    rbac::v1::RoleBinding,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DeleteParams, Patch, PatchParams},
    runtime::watcher,
};
use kyb_crds::{CachePolicy, RegionDeployment, RegionReport, names};
use serde_json::{Value, json};

use crate::{
    installation::SYSTEM,
    stage::{Moment, REGION, Stage, TENANT},
    table::{Child, Ours, Place, Row, Scenario},
};

/// What the API server says of children that name an owner whose finalizers the operator may not update.
const NOT_OWNER: &str = "cannot set blockOwnerDeletion";
/// And of a binding to a role that it may not bind.
const NOT_BINDER: &str = "attempting to grant RBAC permissions not currently held";

impl Row {
    /// How the API server refuses the scenario.
    pub(crate) fn refusal(&self) -> String {
        match &self.scenario {
            Scenario::Owned(_) => NOT_OWNER.to_owned(),
            Scenario::Unbound(..) => NOT_BINDER.to_owned(),
            _ => self.grant.refusal(),
        }
    }

    /// Waits until the scenario can begin.
    pub(crate) async fn prepare(&self, stage: &mut Stage) -> anyhow::Result<()> {
        match &self.scenario {
            Scenario::NameTaken(child)
            | Scenario::Lost(child)
            | Scenario::Changed(child)
            | Scenario::Surplus(child)
            | Scenario::Owned(child) => drop(stage.find(child).await?),
            Scenario::Unbound(namespace, name) => {
                drop(stage.here.found::<RoleBinding>(namespace, name).await?);
            }
            Scenario::ContextRemoved => drop(stage.find(&context()).await?),
            Scenario::KeyRotated | Scenario::KeyRevoked => {
                for secret in ["kyb-key-default", "kyb-key-more"] {
                    drop(stage.here.found::<Secret>(TENANT, secret).await?);
                }
            }
            Scenario::Election | Scenario::FirstElection => stage.nobody_leads(),
            _ => (),
        }
        stage.no_condition_says(&self.refusal()).await
    }

    /// Plays it without the grant, and gives the words by which it was refused.
    pub(crate) async fn is_refused(&self, stage: &Stage) -> anyhow::Result<String> {
        let (since, refusal) = (stage.now()?, self.refusal());
        match &self.scenario {
            Scenario::Start => {
                let ends = format!("not allowed to list {};", self.grant.resource);
                let at_the_end = if self.grant.verb == "list" { ends.as_str() } else { &refusal };
                return stage.replica_says(&[&refusal, at_the_end]).await;
            }
            Scenario::FirstElection => {
                let leases: Api<Lease> = Api::namespaced(stage.here.client.clone(), SYSTEM);
                leases.delete("kyb-operator", &DeleteParams::default()).await?;
                return stage.replica_says(&[&refusal]).await;
            }
            Scenario::Election => return stage.replica_says(&[&refusal]).await,
            Scenario::SettingsFollowed(account) => return follows_settings(stage, account, &refusal).await,
            Scenario::Reported => return reports(stage, &refusal).await,
            Scenario::NameTaken(child) => return takes_a_name(stage, child, &refusal).await,
            _ => self.provoke(stage).await?,
        }
        self.witness(stage, since).await
    }

    /// Does what makes the operator need the grant.
    async fn provoke(&self, stage: &Stage) -> anyhow::Result<()> {
        match &self.scenario {
            Scenario::Lost(child) | Scenario::Owned(child) => {
                let lost = stage.find(child).await?;
                stage.delete(child, &lost.name_any()).await
            }
            Scenario::Unbound(namespace, name) => stage.delete(&bindings(namespace), name).await,
            Scenario::Changed(child) => {
                let changed = stage.find(child).await?;
                let digest = json!({"annotations": {names::APPLIED_ANNOTATION: "changed"}});
                stage.mark(child, &changed.name_any(), digest).await
            }
            Scenario::Surplus(child) => stage.copy(child, &stage.find(child).await?).await,
            Scenario::ContextAdded => stage.change_tenant("acme", contexts(&["lending", "trade"])).await,
            Scenario::ContextRemoved => stage.change_tenant("acme", contexts(&["lending"])).await,
            Scenario::ToBeErased => stage.change_tenant("bolt", json!({"deletion": {"data": "Erase"}})).await,
            Scenario::NewSpec(kind) => new_spec(stage, *kind).await,
            Scenario::Trouble => rule(stage, Rule::Wrong).await,
            Scenario::TroubleAgain => {
                for turn in [Rule::Right, Rule::Wrong, Rule::Right, Rule::Wrong] {
                    rule(stage, turn).await?;
                }
                rule(stage, Rule::Right).await
            }
            Scenario::KeyBrought => keys(stage, json!([derived("default", 1), brought()])).await,
            Scenario::KeyAdded => keys(stage, json!([derived("default", 1), derived("more", 1)])).await,
            Scenario::KeyRotated => keys(stage, json!([derived("default", 2), derived("more", 1)])).await,
            Scenario::KeyRevoked => keys(stage, json!([derived("default", 2)])).await,
            played => anyhow::bail!("{played:?} is not the operator's doing"),
        }
    }

    /// What shows that it was refused: a condition, where the object says what is wrong with it; else the log.
    async fn witness(&self, stage: &Stage, since: Moment) -> anyhow::Result<String> {
        match &self.scenario {
            Scenario::Surplus(_) | Scenario::ContextRemoved | Scenario::KeyRevoked => {
                stage.audit_shows(&self.grant, since).await
            }
            Scenario::NewSpec(_) | Scenario::Trouble | Scenario::TroubleAgain | Scenario::ToBeErased => {
                stage.log_says(&self.refusal(), since).await
            }
            _ => stage.condition_says(&self.refusal()).await,
        }
    }
}

fn bindings(namespace: &'static str) -> Child {
    Child { resource: ApiResource::erase::<RoleBinding>(&()), place: Place::Within(namespace) }
}

/// The namespace of the context that comes and goes.
fn context() -> Child {
    Child { resource: ApiResource::erase::<Namespace>(&()), place: Place::Named("kyb-t-acme--trade") }
}

fn contexts(names: &[&str]) -> Value {
    json!({"contexts": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()})
}

/// The operator finds its children by a label. Without it the name is taken by it does not know whom, and it looks.
async fn takes_a_name(stage: &Stage, child: &Child, refusal: &str) -> anyhow::Result<String> {
    let name = stage.find(child).await?.name_any();
    let by = |manager: Value| json!({"labels": {names::MANAGED_BY_LABEL: manager}});
    stage.mark(child, &name, by(Value::Null)).await?;
    let said = stage.condition_says(refusal).await;
    stage.mark(child, &name, by(json!(names::MANAGED_BY))).await?;
    said
}

async fn new_spec(stage: &Stage, kind: Ours) -> anyhow::Result<()> {
    let (client, as_it_is) = (stage.here.client.clone(), PatchParams::default());
    match kind {
        Ours::Tenant => stage.change_tenant("bolt", json!({"displayName": "Bolt Lending"})).await?,
        Ours::Region => {
            let regions: Api<RegionDeployment> = Api::namespaced(client, REGION);
            let change = json!({"spec": {"services": {"worker": {"replicas": 2}}}});
            regions.patch("rights", &as_it_is, &Patch::Merge(change)).await?;
        }
        Ours::CachePolicy => {
            let policies: Api<CachePolicy> = Api::namespaced(client, REGION);
            let change = json!({"spec": {"hitRateTargetPercent": 50}});
            policies.patch("default", &as_it_is, &Patch::Merge(change)).await?;
        }
    }
    Ok(())
}

/// A rule of a tenant, which compiles or does not.
enum Rule {
    Right,
    Wrong,
}

/// Gives the tenant that rule, and waits until it says what becomes of it.
async fn rule(stage: &Stage, rule: Rule) -> anyhow::Result<()> {
    let (when, reason) = match rule {
        Rule::Right => ("risk.score >= 85", "Ready"),
        Rule::Wrong => ("risk.scor >= 85", "InvalidPolicy"),
    };
    let policy = json!([{"name": "critical", "when": when, "then": "reject"}]);
    stage.change_tenant("bolt", json!({"verification": {"policy": policy}})).await?;
    stage.here.tenant_says("bolt", "PolicyValid", reason).await.map(drop)
}

async fn keys(stage: &Stage, keys: Value) -> anyhow::Result<()> {
    stage.change_tenant("acme", json!({ "apiKeys": keys })).await
}

fn derived(name: &str, generation: i32) -> Value {
    json!({"name": name, "role": "ServiceAccount", "generation": generation})
}

fn brought() -> Value {
    json!({"name": "own", "role": "Guest", "secretRef": {"name": "own-key", "key": "token"}})
}

/// As `kyb_settings::cluster` does it, which gateway and worker use.
async fn follows_settings(stage: &Stage, account: &str, refusal: &str) -> anyhow::Result<String> {
    let maps: Api<ConfigMap> = Api::namespaced(as_pod(stage, account).await?, REGION);
    let labelled = watcher::Config::default().labels(names::SETTINGS_LABEL);
    let mut events = Box::pin(watcher(maps, labelled));
    while let Some(event) = events.next().await {
        match event {
            Err(why) => return refused_by(&why, refusal),
            Ok(watcher::Event::Apply(map)) => anyhow::bail!("{} is followed", map.name_any()),
            Ok(_) => (),
        }
    }
    anyhow::bail!("{refusal}: the watch has ended")
}

/// As the worker does it: looks for the report, and fills in its status.
async fn reports(stage: &Stage, refusal: &str) -> anyhow::Result<String> {
    let reports: Api<RegionReport> = Api::namespaced(as_pod(stage, names::WORKER).await?, REGION);
    let body = json!({"apiVersion": names::API_VERSION, "kind": "RegionReport", "status": {}});
    let writer = PatchParams::apply(names::WORKER_MANAGER).force();
    let reported = async {
        reports.get_opt("rights").await?;
        reports.patch_status("rights", &writer, &Patch::Apply(body)).await
    };
    match reported.await {
        Ok(_) => anyhow::bail!("it reports"),
        Err(why) => refused_by(&why, refusal),
    }
}

async fn as_pod(stage: &Stage, account: &str) -> anyhow::Result<Client> {
    Ok(stage.here.installation.plane.client_for_service_account(REGION, account).await?)
}

fn refused_by(why: &dyn std::error::Error, refusal: &str) -> anyhow::Result<String> {
    let said = why.to_string();
    anyhow::ensure!(said.contains(refusal), "refused for another reason: {said}");
    Ok(said)
}
