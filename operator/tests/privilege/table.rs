//! Which grant is there for what: a row for each single grant of the chart, with the scenario that is refused without it.
//!
//! docs/operations.md tells the same to people, rule by rule.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, ResourceQuota, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::RoleBinding,
};
use kube::{Resource, api::ApiResource};
use kyb_crds::RegionReport;

use crate::{
    grants::{Grant, Holder},
    installation::{OPERATOR, SYSTEM},
    stage::{CONTEXT, REGION, TENANT},
};

/// The operator's own, in the whole cluster.
const OPERATORS: &str = "kyb-operator";
/// Its election.
pub(crate) const LEASE: &str = "kyb-operator-lease";
/// Its way to the Secrets of single namespaces.
const SECRETS: &str = "kyb-operator-secrets";
/// A gateway's.
const READER: &str = "kyb-settings-reader";
/// A worker's.
const WRITER: &str = "kyb-report-writer";

/// A grant, and what needs it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) grant: Grant,
    pub(crate) scenario: Scenario,
}

/// What happens, so that a grant is needed.
#[derive(Debug, Clone)]
pub(crate) enum Scenario {
    /// A replica starts, and looks at everything.
    Start,
    /// A replica starts while nobody leads.
    Election,
    /// Nobody has ever led: there is no Lease.
    FirstElection,
    /// Somebody takes the label off a child by which the operator finds it: now it finds the name taken.
    NameTaken(Child),
    /// Somebody deletes a child.
    Lost(Child),
    /// Somebody changes a child.
    Changed(Child),
    /// There is one child more than wanted.
    Surplus(Child),
    /// Somebody deletes a child that names an owner of this kind.
    Owned(Child),
    /// Somebody deletes the RoleBinding of this namespace and name.
    Unbound(&'static str, &'static str),
    /// A tenant gets another context.
    ContextAdded,
    /// And loses it again.
    ContextRemoved,
    /// A tenant's data is to be erased when the tenant goes.
    ToBeErased,
    /// A spec of this kind changes.
    NewSpec(Ours),
    /// A tenant's rule does not compile.
    Trouble,
    /// It is corrected, and wrong again a moment later.
    TroubleAgain,
    /// A tenant brings a key along.
    KeyBrought,
    /// A tenant gets another key.
    KeyAdded,
    /// A key is rotated.
    KeyRotated,
    /// A key is revoked.
    KeyRevoked,
    /// A pod of a region follows the settings.
    SettingsFollowed(&'static str),
    /// A worker reports.
    Reported,
}

/// A kind of ours that people write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ours {
    Tenant,
    Region,
    CachePolicy,
}

/// Some child of this kind, in a namespace or, where it has none, of this name.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    pub(crate) resource: ApiResource,
    pub(crate) place: Place,
}

/// Where to find it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Within(&'static str),
    Named(&'static str),
}

fn child<K: Resource<DynamicType = ()>>(namespace: &'static str) -> Child {
    Child { resource: ApiResource::erase::<K>(&()), place: Place::Within(namespace) }
}

/// The kinds of the operator's children, each where there is one.
fn children() -> [Child; 14] {
    [
        child::<ConfigMap>(REGION),
        child::<LimitRange>(TENANT),
        child::<ResourceQuota>(TENANT),
        child::<ServiceAccount>(REGION),
        child::<Service>(REGION),
        child::<Deployment>(REGION),
        child::<StatefulSet>(REGION),
        child::<HorizontalPodAutoscaler>(REGION),
        child::<NetworkPolicy>(REGION),
        child::<PodDisruptionBudget>(REGION),
        child::<RoleBinding>(TENANT),
        child::<RegionReport>(REGION),
        child::<Job>(REGION),
        Child { resource: ApiResource::erase::<Namespace>(&()), place: Place::Named(TENANT) },
    ]
}

/// What the operator does with a child, whatever its kind. A lost one comes last: it takes a moment to come back.
fn needs_of(child: &Child) -> [(&'static str, Scenario); 5] {
    use Scenario::{Changed, ContextAdded, ContextRemoved, Lost, NameTaken, Start, Surplus};
    let named = |scenario: fn(Child) -> Scenario| scenario(child.clone());
    let (more, fewer) = match child.place {
        Place::Within(_) => (named(Lost), named(Surplus)),
        Place::Named(_) => (ContextAdded, ContextRemoved),
    };
    let get = ("get", named(NameTaken));
    let patch = ("patch", named(Changed));
    let (create, delete) = (("create", more), ("delete", fewer));
    let watch = ("watch", Start);
    match child.place {
        Place::Within(_) => [watch, get, patch, delete, create],
        Place::Named(_) => [watch, get, patch, create, delete],
    }
}

/// Every grant with its scenario, in the order in which they are tried.
pub(crate) fn table() -> Vec<Row> {
    let of_children = children().into_iter().flat_map(|child| {
        let (group, plural) = (child.resource.group.clone(), child.resource.plural.clone());
        needs_of(&child).map(|(verb, scenario)| row(OPERATORS, &group, &plural, verb, scenario))
    });
    of_children.chain(of_the_operator()).chain(of_pods()).chain(of_the_election()).collect()
}

/// What is no child.
fn of_the_operator() -> Vec<Row> {
    use Scenario::{
        KeyAdded, KeyBrought, KeyRevoked, KeyRotated, NewSpec, Owned, Start, ToBeErased, Trouble,
        TroubleAgain,
    };
    let ours = |resource, verb, scenario| row(OPERATORS, "kyb.dev", resource, verb, scenario);
    let core = |resource, verb, scenario| row(OPERATORS, "", resource, verb, scenario);
    let event = |verb, scenario| row(OPERATORS, "events.k8s.io", "events", verb, scenario);
    let secret = |verb, scenario| row(SECRETS, "", "secrets", verb, scenario);
    let bind = |role: &str, namespace, binding| {
        let bind = row(
            OPERATORS,
            "rbac.authorization.k8s.io",
            "clusterroles",
            "bind",
            Scenario::Unbound(namespace, binding),
        );
        Row { grant: Grant { name: role.to_owned(), ..bind.grant }, ..bind }
    };
    vec![
        ours("kybtenants", "list", Start),
        ours("kybtenants", "watch", Start),
        ours("regiondeployments", "list", Start),
        ours("regiondeployments", "watch", Start),
        ours("cachepolicies", "list", Start),
        ours("cachepolicies", "watch", Start),
        ours("regionreports", "list", Start),
        core("pods", "watch", Start),
        ours("kybtenants/status", "patch", NewSpec(Ours::Tenant)),
        ours("regiondeployments/status", "patch", NewSpec(Ours::Region)),
        ours("cachepolicies/status", "patch", NewSpec(Ours::CachePolicy)),
        ours("kybtenants/finalizers", "update", Owned(child::<ResourceQuota>(TENANT))),
        ours("regiondeployments/finalizers", "update", Owned(child::<Service>(REGION))),
        event("create", Trouble),
        event("patch", TroubleAgain),
        ours("kybtenants", "patch", ToBeErased),
        bind("kyb-operator-secrets", TENANT, "kyb-operator"),
        bind("kyb-settings-reader", REGION, "kyb-gateway"),
        bind("kyb-report-writer", REGION, "kyb-worker"),
        bind("kyb-tenant-system-admin", TENANT, "kyb-system-admin-system-admin"),
        bind("kyb-tenant-context-manager", CONTEXT, "kyb-context-manager-context-manager"),
        bind("kyb-tenant-service-account", TENANT, "kyb-service-account-service-account"),
        bind("kyb-tenant-guest", TENANT, "kyb-guest-guest"),
        bind("kyb-tenant-auditor", TENANT, "kyb-auditor-auditor"),
        secret("get", KeyBrought),
        secret("create", KeyAdded),
        secret("patch", KeyRotated),
        secret("delete", KeyRevoked),
    ]
}

/// What a region's gateways and workers may do.
fn of_pods() -> Vec<Row> {
    use Scenario::{Reported, SettingsFollowed};
    vec![
        row(READER, "", "configmaps", "list", SettingsFollowed("kyb-gateway")),
        row(READER, "", "configmaps", "watch", SettingsFollowed("kyb-gateway")),
        row(WRITER, "", "configmaps", "list", SettingsFollowed("kyb-worker")),
        row(WRITER, "", "configmaps", "watch", SettingsFollowed("kyb-worker")),
        row(WRITER, "kyb.dev", "regionreports", "get", Reported),
        row(WRITER, "kyb.dev", "regionreports/status", "patch", Reported),
    ]
}

/// Last, since it needs that nobody leads.
fn of_the_election() -> Vec<Row> {
    let lease = |verb, name: &str, scenario| {
        let row = row(LEASE, "coordination.k8s.io", "leases", verb, scenario);
        Row { grant: Grant { name: name.to_owned(), ..row.grant }, ..row }
    };
    vec![
        lease("get", "kyb-operator", Scenario::Election),
        lease("update", "kyb-operator", Scenario::Election),
        lease("create", "", Scenario::FirstElection),
    ]
}

fn row(role: &str, group: &str, resource: &str, verb: &str, scenario: Scenario) -> Row {
    let grant = Grant {
        role: role.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        verb: verb.to_owned(),
        name: String::new(),
    };
    Row { grant, scenario }
}

impl Row {
    /// Whether it is about what happens to a child, and not about a start.
    pub(crate) fn is_of_a_child(&self) -> bool {
        use Scenario::{Changed, Lost, NameTaken, Surplus};
        matches!(self.scenario, NameTaken(_) | Changed(_) | Surplus(_) | Lost(_))
    }

    /// Who holds the grant where the scenario plays.
    pub(crate) fn holder(&self) -> Holder {
        let (user, namespace) = match self.grant.role.as_str() {
            LEASE => (OPERATOR, SYSTEM),
            SECRETS => (OPERATOR, TENANT),
            READER => ("system:serviceaccount:kyb-rights:kyb-gateway", REGION),
            WRITER => ("system:serviceaccount:kyb-rights:kyb-worker", REGION),
            _ => (OPERATOR, ""),
        };
        Holder { user, namespace }
    }
}
