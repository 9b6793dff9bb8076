//! All reads of a tenant's reconcile: which regions of this cluster serve it, what they report, and the keys it brings along.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt, runtime::reflector::ObjectRef};
use kyb_crds::{
    ErasureReport, ErasureState, KybTenant, Reason, RegionDeployment, RegionReportStatus, SecretKeyRef, names,
};
use kyb_domain::tenant::TenantId;
use kyb_settings::{
    ApiKey, KeyHash,
    files::{TenantFile, tenant_file_name},
};

use super::validate::{KeySource, ValidTenant};
use crate::{concern::Problem, context::Context, controllers::region::status::accepted, scope::Scope};

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Where an administrator makes the tenant's namespaces: those that are not ready for it, and why. None where the operator
    /// makes them.
    pub(crate) unprepared: Option<BTreeMap<String, Problem>>,
    /// The regions of this cluster that serve the tenant.
    pub(crate) serving: Vec<Serving>,
    /// How many regions this cluster has at all.
    pub(crate) regions_here: usize,
    /// Regions of the placement whose database holds another residency.
    pub(crate) foreign: Vec<String>,
    /// Keys brought along, by name.
    pub(crate) brought_keys: BTreeMap<String, Result<ApiKey, Problem>>,
    /// The keys in use, by id, where one that was brought along could not be read this time: an API server in trouble withdraws none.
    pub(crate) unread: BTreeMap<String, KeyHash>,
    /// The name of an elder KybTenant with the same id.
    pub(crate) elder: Option<String>,
    /// The tenant is being deleted and wants its data erased. Never of a younger one with the same id: the data is the
    /// elder's.
    pub(crate) erasing: bool,
    /// The tenant wants its data erased when it goes, and could not be held for that yet.
    pub(crate) unheld: bool,
    /// Regions whose worker has reported that the tenant is erased.
    pub(crate) erased_in: Vec<String>,
    /// Regions whose worker could not erase it, and why.
    pub(crate) not_erased: Vec<(String, String)>,
}

/// A region of this cluster that serves the tenant.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) region: String,
    pub(crate) namespace: String,
    /// The settings version that every gateway of the region has looked at; None while nothing is reported.
    pub(crate) accepted: Option<u64>,
    /// Why some pod of the region refuses the tenant's file.
    pub(crate) refused: Option<String>,
    /// The tenant's settings that the region has, if any.
    pub(crate) settings: Option<TenantFile>,
}

impl Facts {
    /// Why nothing of the tenant may be written in a namespace, if that is so.
    pub(crate) fn closed(&self, namespace: &str) -> Option<&Problem> {
        self.unprepared.as_ref()?.get(namespace)
    }
}

/// Reads everything.
pub(crate) async fn dereference(tenant: &KybTenant, valid: &ValidTenant, context: &Context) -> Facts {
    let deployments = context.serving_regions();
    let mut facts = Facts { regions_here: deployments.len(), ..Facts::default() };
    facts.elder = elder(tenant, context);
    if facts.elder.is_some() {
        return facts; // the regions serve the elder
    }
    facts.unprepared = unprepared(valid, context);
    facts.erasing = is_held(tenant) && valid.erase;
    for deployment in deployments.iter().filter(|region| valid.regions.contains(&region.spec.region.0)) {
        if deployment.spec.residency.as_str() != valid.residency {
            facts.foreign.push(deployment.spec.region.to_string());
            continue;
        }
        facts.serving.push(serving(deployment, &valid.id, context));
        match erasure(deployment, &valid.id, context) {
            Some(ErasureReport { state: ErasureState::Done, .. }) => {
                facts.erased_in.push(deployment.spec.region.to_string());
            }
            Some(ErasureReport { problem: Some(why), .. }) => {
                facts.not_erased.push((deployment.spec.region.to_string(), why));
            }
            _ => (),
        }
    }
    let may_look = context.scope.covers(&names::tenant_namespace(&valid.id));
    for key in valid.keys.iter().filter(|_| may_look) {
        if let KeySource::Brought(reference) = &key.source {
            let read = brought(&valid.id, reference, context).await;
            facts.brought_keys.insert(key.name.clone(), read);
        }
    }
    let is_unread =
        |read: &Result<_, Problem>| read.as_ref().is_err_and(|why| why.reason == Reason::Retrying);
    if facts.brought_keys.values().any(is_unread) {
        let in_use = facts.serving.first().and_then(|serving| serving.settings.as_ref());
        let keys = in_use.into_iter().flat_map(|file| &file.api_keys);
        facts.unread = keys.map(|key| (key.id.to_string(), key.hash)).collect();
    }
    facts
}

/// The tenant's settings in the namespace of a region.
fn settings(namespace: &str, tenant: &str, context: &Context) -> Option<TenantFile> {
    let map: ConfigMap = context.live.typed(Some(namespace), &names::tenant_config_map(tenant))?;
    map.data?.values().find_map(|text| serde_yaml::from_str(text).ok())
}

fn unprepared(tenant: &ValidTenant, context: &Context) -> Option<BTreeMap<String, Problem>> {
    if context.scope == Scope::Cluster {
        return None;
    }
    let places = tenant.places().iter().map(|place| &place.namespace);
    let problems = places.filter_map(|name| Some((name.clone(), lacks(name, &tenant.id, context)?)));
    Some(problems.collect())
}

/// What an administrator has to do about a namespace before the tenant's objects may lie there.
fn lacks(namespace: &str, tenant: &str, context: &Context) -> Option<Problem> {
    let label = format!("{}={tenant}", names::TENANT_LABEL);
    let message = if context.scope.covers(namespace) {
        let found = context.stores.namespaces.get(&ObjectRef::new(namespace));
        match found.filter(|namespace| namespace.metadata.deletion_timestamp.is_none()) {
            Some(found) if found.labels().get(names::TENANT_LABEL).is_some_and(|id| id == tenant) => {
                return None;
            }
            Some(_) => format!(
                "the namespace {namespace} does not carry the label {label}; an administrator has to set it: kubectl label namespace {namespace} {label}"
            ),
            None => format!(
                "the namespace {namespace} is not there; an administrator has to make it with the label {label}, and then to upgrade the chart kyb-operator, which lets the operator in"
            ),
        }
    } else {
        format!(
            "the operator does not look after the namespace {namespace}; an administrator has to make it with the label {label}, and to add it to rbac.namespaces of the chart kyb-operator"
        )
    };
    Some(Problem::new(Reason::NamespaceNotPrepared, message))
}

/// Whether it is being deleted and we have not let go of it yet.
fn is_held(tenant: &KybTenant) -> bool {
    tenant.metadata.deletion_timestamp.is_some()
        && tenant.finalizers().iter().any(|name| name == names::ERASE_FINALIZER)
}

/// Of two with the same id the elder one stays.
fn elder(tenant: &KybTenant, context: &Context) -> Option<String> {
    let age = |tenant: &KybTenant| (tenant.metadata.creation_timestamp.as_ref().map(|at| at.0), tenant.uid());
    let tenants = context.tenants();
    let same =
        |other: &&std::sync::Arc<KybTenant>| other.spec.id == tenant.spec.id && age(other) < age(tenant);
    tenants.iter().find(same).map(|other| other.name_any())
}

fn serving(deployment: &RegionDeployment, tenant: &str, context: &Context) -> Serving {
    let report = context.report(deployment).and_then(|report| report.status).unwrap_or_default();
    let namespace = deployment.namespace().unwrap_or_default();
    let refused = refused(&report, tenant);
    // A report that does not name all that is refused says nothing of those that it does not name.
    let names_all = report.counts.as_ref().and_then(|counts| counts.refused_files).unwrap_or(0)
        <= i32::try_from(report.refused.len()).unwrap_or(i32::MAX);
    Serving {
        region: deployment.spec.region.to_string(),
        accepted: accepted(&report).filter(|_| names_all),
        refused,
        settings: settings(&namespace, tenant, context),
        namespace,
    }
}

fn refused(report: &RegionReportStatus, tenant: &str) -> Option<String> {
    let name = tenant_file_name(&TenantId::try_from(tenant).ok()?);
    let file = report.refused.iter().find(|file| file.name == name)?;
    Some(format!("{} refuses {}: {}", file.pod, file.name, file.problem))
}

/// What was reported of an erasure holds for good once it is done, whether or not a worker still runs.
fn erasure(deployment: &RegionDeployment, tenant: &str, context: &Context) -> Option<ErasureReport> {
    let report = context.last_report(deployment)?.status?;
    report.erasures.into_iter().find(|erasure| erasure.tenant.as_str() == tenant)
}

/// Reads a key that the tenant brought along. The operator may read Secrets of the tenant's own namespace only.
async fn brought(tenant: &str, reference: &SecretKeyRef, context: &Context) -> Result<ApiKey, Problem> {
    let namespace = names::tenant_namespace(tenant);
    let (name, key) = (&reference.name, &reference.key);
    let problem = Problem::new;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &namespace);
    let read = secrets.get_opt(name.as_str()).await;
    let secret = read.map_err(|why| {
        problem(Reason::Retrying, format!("Secret {namespace}/{name} can't be read, will try again: {why}"))
    })?;
    let secret = secret.ok_or_else(|| {
        let what =
            format!("Secret {namespace}/{name} does not exist; create it with the API key under `{key}`");
        problem(Reason::SecretNotFound, what)
    })?;
    let value = secret.data.unwrap_or_default().remove(key.as_str()).ok_or_else(|| {
        let what = format!("Secret {namespace}/{name} has no key `{key}`; add it, or correct spec.apiKeys");
        problem(Reason::SecretKeyNotFound, what)
    })?;
    let malformed = |_| {
        let what = format!(
            "Secret {namespace}/{name} holds under `{key}` no API key; it must read `kyb_<env>_<key id>_<secret>`"
        );
        Problem::new(Reason::SecretInvalid, what)
    };
    let text =
        String::from_utf8(value.0).map_err(|_| kyb_settings::KeyError::Malformed).map_err(malformed)?;
    ApiKey::parse(text.trim_end()).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{LATELY, LONG_AGO, config_map, context, namespace_of, region, report, tenant};

    async fn read(tenant: Value, scope: Scope, others: &[Value]) -> Facts {
        let context = context(scope, &[std::slice::from_ref(&tenant), others].concat());
        let tenant: KybTenant = serde_json::from_value(tenant).unwrap();
        dereference(&tenant, &ValidTenant::of(&tenant), &context).await
    }

    /// A region that serves the tenant, whose worker reports this.
    fn serving(status: &Value) -> Vec<Value> {
        let region = [namespace_of("us-east-1", "one"), region("one", "us-east-1", LONG_AGO)];
        [&region[..], &report("one", 1, status)].concat()
    }

    fn acme() -> Value {
        tenant("acme", "acme", LATELY)
    }

    #[tokio::test]
    async fn of_two_tenants_with_one_id_the_elder_is_served() {
        let of = |other| async { read(acme(), Scope::Cluster, &[other]).await.elder };
        assert_eq!(of(tenant("first", "acme", LONG_AGO)).await.as_deref(), Some("first"));
        assert_eq!(of(tenant("zz", "acme", LATELY)).await, None, "of two that are as old the uid decides");
        assert_eq!(of(tenant("first", "other", LONG_AGO)).await, None);
        let both = [serving(&json!({})), vec![tenant("first", "acme", LONG_AGO)]].concat();
        assert!(read(acme(), Scope::Cluster, &both).await.serving.is_empty());
    }

    #[tokio::test]
    async fn regions_that_serve_it_are_told_from_others() {
        let facts = read(acme(), Scope::Cluster, &serving(&json!({}))).await;
        assert_eq!((facts.regions_here, facts.serving.len(), facts.foreign.len()), (1, 1, 0));
        assert_eq!(
            (facts.serving[0].region.as_str(), facts.serving[0].namespace.as_str()),
            ("us-east-1", "one")
        );
        let mut foreign = serving(&json!({}));
        foreign[1]["spec"]["residency"] = "EU".into();
        let facts = read(acme(), Scope::Cluster, &foreign).await;
        assert_eq!((facts.serving.len(), facts.foreign), (0, vec!["us-east-1".to_owned()]));
        let other = [namespace_of("us-west-2", "two"), region("two", "us-west-2", LONG_AGO)];
        let facts = read(acme(), Scope::Cluster, &other).await;
        assert_eq!((facts.regions_here, facts.serving.len(), facts.foreign.len()), (1, 0, 0));
    }

    #[tokio::test]
    async fn what_gateways_use_counts_as_far_as_all_that_they_refuse_is_named() {
        let of = |refused: i32, files: Value| async move {
            let gateway = json!({"name": "one", "component": "gateway", "version": "1", "settings": {"resourceVersion": "7"}});
            let counts = json!({"workloads": 1, "refusing": 0, "refusedFiles": refused, "listsFresh": "0/0"});
            let status = json!({"workloads": [gateway], "counts": counts, "refused": files});
            let mut facts = read(acme(), Scope::Cluster, &serving(&status)).await;
            let serving = facts.serving.remove(0);
            (serving.accepted, serving.refused)
        };
        let file = |name: &str| json!({"name": name, "problem": "no", "pod": "one"});
        assert_eq!(of(0, json!([])).await, (Some(7), None));
        assert_eq!(of(1, json!([])).await, (None, None), "one that is not named may be the tenant's");
        let refused = "one refuses tenant-acme.yaml: no".to_owned();
        assert_eq!(of(1, json!([file("tenant-acme.yaml")])).await, (Some(7), Some(refused)));
        assert_eq!(of(1, json!([file("tenant-other.yaml")])).await, (Some(7), None));
    }

    #[tokio::test]
    async fn an_erasure_is_known_by_its_region() {
        let of = |erasure: Value| async move {
            let facts = read(acme(), Scope::Cluster, &serving(&json!({"erasures": [erasure]}))).await;
            (facts.erased_in, facts.not_erased)
        };
        let done = json!({"tenant": "acme", "state": "Done"});
        assert_eq!(of(done).await, (vec!["us-east-1".to_owned()], vec![]));
        let failed = json!({"tenant": "acme", "state": "Failed", "problem": "locked"});
        assert_eq!(of(failed).await, (vec![], vec![("us-east-1".to_owned(), "locked".to_owned())]));
        assert_eq!(of(json!({"tenant": "acme", "state": "Running"})).await, (vec![], vec![]));
        assert_eq!(of(json!({"tenant": "other", "state": "Done"})).await, (vec![], vec![]));
    }

    #[tokio::test]
    async fn it_is_erased_when_it_goes_and_we_hold_it() {
        let of = |deleted: bool, finalizers: Value| async move {
            let mut tenant = acme();
            tenant["spec"]["deletion"] = json!({"data": "Erase"});
            tenant["metadata"]["finalizers"] = finalizers;
            if deleted {
                tenant["metadata"]["deletionTimestamp"] = LATELY.into();
            }
            read(tenant, Scope::Cluster, &[]).await.erasing
        };
        assert!(of(true, json!([names::ERASE_FINALIZER])).await);
        assert!(!of(false, json!([names::ERASE_FINALIZER])).await);
        assert!(!of(true, json!(["others"])).await);
    }

    #[tokio::test]
    async fn an_operator_of_single_namespaces_says_what_an_administrator_has_to_do() {
        let own = |labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kyb-t-acme", "labels": labels}});
        let of = |namespaces: Vec<Value>| async move {
            let scope = Scope::of(&["kyb-t-acme".to_owned(), "kyb-t-acme--lending".to_owned()]);
            let facts = read(acme(), scope, &namespaces).await;
            facts.closed("kyb-t-acme").map(|problem| (problem.reason, problem.message.clone()))
        };
        let ready = own(json!({names::TENANT_LABEL: "acme"}));
        assert_eq!(of(vec![ready.clone()]).await, None);
        let said = |answer: Option<(Reason, String)>| answer.map(|(_, message)| message).unwrap_or_default();
        assert!(said(of(vec![]).await).contains("is not there"));
        assert!(
            said(of(vec![own(json!({}))]).await)
                .contains("kubectl label namespace kyb-t-acme kyb.dev/tenant=acme")
        );
        assert!(said(of(vec![own(json!({names::TENANT_LABEL: "other"}))]).await).contains("does not carry"));
        let mut leaving = ready;
        leaving["metadata"]["deletionTimestamp"] = LATELY.into();
        assert!(said(of(vec![leaving]).await).contains("is not there"));
        let elsewhere = read(acme(), Scope::of(&["others".to_owned()]), &[]).await;
        assert!(elsewhere.closed("kyb-t-acme").unwrap().message.contains("rbac.namespaces"));
        assert!(
            read(acme(), Scope::Cluster, &[]).await.unprepared.is_none(),
            "the operator makes them itself"
        );
    }

    #[tokio::test]
    async fn a_key_whose_secret_is_not_there_is_named() {
        let mut tenant = acme();
        let own = json!({"name": "own", "role": "Guest", "secretRef": {"name": "key", "key": "value"}});
        tenant["spec"]["apiKeys"] = json!([own, {"name": "made", "role": "Guest"}]);
        let facts = read(tenant.clone(), Scope::Cluster, &[]).await;
        let problem = facts.brought_keys["own"].as_ref().unwrap_err();
        assert_eq!((facts.brought_keys.len(), problem.reason), (1, Reason::SecretNotFound));
        assert!(facts.unread.is_empty(), "it was read, and there is none");
        let blind = read(tenant, Scope::of(&["others".to_owned()]), &[]).await;
        assert!(blind.brought_keys.is_empty(), "what it may not look at is not asked for");
    }

    #[tokio::test]
    async fn the_settings_that_a_region_has_are_read_back() {
        let of = |text: &'static str| async move {
            let map = config_map("one", &names::tenant_config_map("acme"), "3", "tenant-acme.yaml", text);
            let mut facts = read(acme(), Scope::Cluster, &[serving(&json!({})), vec![map]].concat()).await;
            facts.serving.remove(0).settings.map(|file| file.display_name.to_string())
        };
        let written = "{id: acme, display_name: Acme Payments, rate_limit: {requests_per_minute: 60, burst: 1}, api_keys: []}";
        assert_eq!(of(written).await.as_deref(), Some("Acme Payments"));
        assert_eq!(of("no settings").await, None, "what can't be read is as good as none");
    }
}
