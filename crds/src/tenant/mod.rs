//! `KybTenant`: a customer of the platform.
//!
//! The operator turns it into namespaces, quota, limits, network policies, role bindings, API keys and the runtime settings
//! of every region that its placement allows.

mod access;
mod status;
#[cfg(test)]
mod tests;
mod verification;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use access::{AccessGrant, ApiKeySpec, Role, Subject, SubjectKind};
pub use status::{TenantKeyStatus, TenantRegionStatus, TenantStatus};
pub use verification::{CheckName, Decision, PolicyRule, VerificationSpec};

use crate::{
    schema::enum_schema,
    text::{ContextName, EntryName, LabelValue, ListName, RegionName, Residency, TenantId},
};

/// A customer of the platform.
#[derive(CustomResource, Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "kyb.dev",
    version = "v1alpha1",
    kind = "KybTenant",
    plural = "kybtenants",
    shortname = "kt",
    category = "kyb",
    status = "TenantStatus",
    derive = "PartialEq",
    doc = "A customer of the platform: its namespaces, quota, access, API keys and how its businesses are decided.",
    printcolumn(name = "Id", type_ = "string", json_path = ".spec.id"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.plan"),
    printcolumn(name = "Home", type_ = "string", json_path = ".spec.placement.home"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(
        "!has(self.access) || self.access.all(a, !has(a.contexts) || a.contexts.all(c, \
         has(self.contexts) && self.contexts.exists(x, x.name == c)))"
    )
    .message("access names a context that is not in spec.contexts; add the context or correct its name"),
    validation = Rule::new(
        "!has(self.apiKeys) || self.apiKeys.all(k, !has(k.contexts) || k.contexts.all(c, \
         has(self.contexts) && self.contexts.exists(x, x.name == c)))"
    )
    .message("apiKeys names a context that is not in spec.contexts; add the context or correct its name"),
    validation = Rule::new(
        "!has(oldSelf.deletion) || !has(oldSelf.deletion.protected) || !oldSelf.deletion.protected || \
         !has(oldSelf.contexts) || oldSelf.contexts.all(o, \
         has(self.contexts) && self.contexts.exists(c, c.name == o.name))"
    )
    .message("a context may not be removed while deletion.protected is true; set it to false first, then remove the context"),
)]
pub struct KybTenantSpec {
    /// The tenant's id, a DNS label of at most 40 characters without `--`. It names the namespaces (`kyb-t-<id>`,
    /// `kyb-t-<id>--<context>`), owns the data, and can neither be changed nor used again once the tenant is erased.
    /// `default`, `system`, `platform`, `public`, `admin`, `kyb`, and whatever begins with `kube-` or `kyb-` are reserved.
    #[x_kube(
        validation = Rule::new("self == oldSelf")
            .message("id can not be changed: it owns the tenant's namespaces and data; make a new KybTenant instead"),
        validation = Rule::new("!self.contains('--')")
            .message("id must not contain `--`, which separates tenant and context in namespace names"),
        validation = Rule::new(
            "!(self in ['default', 'system', 'platform', 'public', 'admin', 'kyb']) && \
             !self.startsWith('kube-') && !self.startsWith('kyb-')"
        )
        .message("id is reserved: default, system, platform, public, admin, kyb, kube-* and kyb-* can not be used"),
    )]
    pub id: TenantId,
    /// The tenant's name for people, at most 200 characters, such as `Acme Payments`.
    #[schemars(length(max = 200))]
    #[x_kube(validation = Rule::new("self.trim().size() > 0").message("displayName must not be empty or blank"))]
    pub display_name: String,
    /// The commercial plan: `starter`, `professional` or `enterprise`. It gives the defaults of `quota` and `rateLimit`.
    pub plan: Plan,
    /// Where the tenant is served and where its data may live.
    pub placement: Placement,
    /// Business contexts inside the tenant, each with a namespace of its own; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub contexts: Vec<ContextSpec>,
    /// What the objects in each of the tenant's namespaces may use in all, as in a ResourceQuota: `requests.cpu`,
    /// `limits.memory`, `pods`, `services`, `secrets`, `count/jobs.batch` and so on. Where absent, that of the plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 40))]
    #[x_kube(validation = quota_names())]
    pub quota: BTreeMap<String, Quantity>,
    /// What a container gets that says nothing of its resources. Needed since the quota refuses such containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_defaults: Option<ContainerDefaults>,
    /// Who may do what in the tenant's namespaces; at most 50 grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub access: Vec<AccessGrant>,
    /// How many API requests the tenant may make. Where absent, that of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Networks outside the cluster that the tenant's pods may reach; all others are closed. At most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub egress: Vec<EgressRule>,
    /// The tenant's API keys. Taking one out revokes it. At most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub api_keys: Vec<ApiKeySpec>,
    /// How the tenant's businesses are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationSpec>,
    /// The watchlists that the tenant wants screened, by name; all of the region's where absent. At most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub lists: Vec<ListName>,
    /// The least score, 0 to 1, that counts as a watchlist match; the engine's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: Option<f64>,
    /// What compliance regime the tenant's workloads are under, such as `soc2-pci`; becomes a label of its namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance: Option<LabelValue>,
    /// What happens when the tenant is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<DeletionSpec>,
    /// While true the operator writes nothing for this tenant; its status stays fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// The names that a ResourceQuota knows.
fn quota_names() -> kube::core::Rule {
    kube::core::Rule::new(
        "self.all(k, k.startsWith('requests.') || k.startsWith('limits.') || k.startsWith('count/') || \
         k in ['pods', 'services', 'services.loadbalancers', 'services.nodeports', 'secrets', 'configmaps', \
         'persistentvolumeclaims', 'replicationcontrollers', 'cpu', 'memory'])",
    )
    .message(
        "quota has a name that a ResourceQuota does not know; use requests.*, limits.*, count/*, pods, services, \
         secrets, configmaps or persistentvolumeclaims",
    )
}

/// A commercial plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// To try the platform.
    Starter,
    /// For production.
    Professional,
    /// For production at scale.
    Enterprise,
}
enum_schema!(Plan, ["starter", "professional", "enterprise"]);

/// Where a tenant is served and where its data may live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.home in self.regions")
        .message("placement.home must be one of placement.regions; add it there or choose another home"),
    validation = Rule::new("self.residency == oldSelf.residency")
        .message("placement.residency can not be changed: the tenant's data lies in a database of that residency"),
)]
pub struct Placement {
    /// The region that writes the tenant's data; one of `regions`.
    pub home: RegionName,
    /// The regions that serve the tenant; 1 to 20.
    #[schemars(length(min = 1, max = 20))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub regions: Vec<RegionName>,
    /// Where the tenant's data may live, such as `US` or `EU`. Only regions of the same residency serve the tenant. It can
    /// not be changed.
    pub residency: Residency,
}

/// A business context inside a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextSpec {
    /// Its name, a DNS label of at most 15 characters without `--`; unique within the tenant.
    #[x_kube(
        validation = Rule::new("!self.contains('--')")
            .message("a context's name must not contain `--`, which separates tenant and context in namespace names"),
        validation = Rule::new("!(self in ['default', 'system']) && !self.startsWith('kube-')")
            .message("a context's name is reserved: default, system and kube-* can not be used"),
    )]
    pub name: ContextName,
    /// Its name for people; the same as `name` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub display_name: Option<String>,
    /// A quota for this context's namespace, in place of the tenant's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 40))]
    #[x_kube(validation = quota_names())]
    pub quota: BTreeMap<String, Quantity>,
}

/// What a container gets that says nothing of its resources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerDefaults {
    /// What it requests, such as `{cpu: 100m, memory: 128Mi}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub requests: BTreeMap<String, Quantity>,
    /// What it is limited to, such as `{cpu: 500m, memory: 512Mi}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 10))]
    pub limits: BTreeMap<String, Quantity>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// The sustained rate, 1 to 10,000,000.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub requests_per_minute: i32,
    /// How many requests may come at once, 1 to 1,000,000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: i32,
}

/// A network that the tenant's pods may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct EgressRule {
    /// The rule's name, unique within the tenant.
    pub name: EntryName,
    /// The network in CIDR notation, such as `203.0.113.0/24`; not `0.0.0.0/0` or `::/0`.
    #[schemars(length(min = 1, max = 43))]
    #[x_kube(
        validation = Rule::new("isCIDR(self)").message("cidr must be a network such as 203.0.113.0/24 or 2001:db8::/32"),
        validation = Rule::new("!self.endsWith('/0')")
            .message("cidr must not be the whole internet; name the networks that the tenant's pods need"),
    )]
    pub cidr: String,
    /// The TCP ports, 1 to 65535; all of them where absent. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(range(min = 1, max = 65_535)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub ports: Vec<i32>,
}

/// What happens when a tenant is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletionSpec {
    /// While true the API server refuses to delete the tenant, and to remove one of its contexts. False where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// What becomes of the tenant's data in the database: `Retain` keeps it, `Erase` has the worker erase it before the
    /// tenant goes. `Retain` where absent. Namespaces and their objects go in either case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataOnDeletion>,
}

/// What becomes of a deleted tenant's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataOnDeletion {
    /// It stays in the database.
    Retain,
    /// It is erased, and the id leaves a tombstone.
    Erase,
}
enum_schema!(DataOnDeletion, ["Retain", "Erase"]);
