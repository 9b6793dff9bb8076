//! Who may do what: people through Kubernetes, programs through API keys.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference_to::SecretKeyRef,
    schema::enum_schema,
    text::{ContextName, EntryName, ObjectName, Period, Timestamp},
};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Everything.
    SystemAdmin,
    /// Reads and writes in its own contexts.
    ContextManager,
    /// Automation: reads and writes.
    ServiceAccount,
    /// Reads.
    Guest,
    /// Compliance and audit data only.
    Auditor,
}
enum_schema!(Role, ["SystemAdmin", "ContextManager", "ServiceAccount", "Guest", "Auditor"]);

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SystemAdmin, Self::ContextManager, Self::ServiceAccount, Self::Guest, Self::Auditor];

    /// As written in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SystemAdmin => "SystemAdmin",
            Self::ContextManager => "ContextManager",
            Self::ServiceAccount => "ServiceAccount",
            Self::Guest => "Guest",
            Self::Auditor => "Auditor",
        }
    }
}

/// A grant of a role to people or programs of the cluster; becomes RoleBindings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.role != 'ContextManager' || has(self.contexts)")
        .message("a ContextManager manages named contexts; say which in contexts"),
    validation = Rule::new("self.name != 'operator'")
        .message("a grant must not be named operator; the RoleBinding kyb-operator is the operator's own"),
)]
pub struct AccessGrant {
    /// The grant's name, unique within the tenant.
    pub name: EntryName,
    /// The role: `SystemAdmin`, `ContextManager`, `ServiceAccount`, `Guest` or `Auditor`.
    pub role: Role,
    /// The contexts in whose namespaces it holds; in all of the tenant's namespaces where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub contexts: Option<Vec<ContextName>>,
    /// Who gets it; 1 to 50.
    #[schemars(length(min = 1, max = 50))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["kind".into(), "name".into()]))]
    pub subjects: Vec<Subject>,
}

/// A person or program of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(self.kind == 'ServiceAccount') == has(self.__namespace__)")
        .message("a subject needs a namespace if it is a ServiceAccount, and must not have one otherwise"),
    validation = Rule::new("!self.name.startsWith('system:')")
        .message("a subject must not begin with `system:`; those are Kubernetes' own users and groups"),
)]
pub struct Subject {
    /// What it is: `User`, `Group` or `ServiceAccount`.
    pub kind: SubjectKind,
    /// Its name, as the cluster's authentication gives it.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The namespace of a `ServiceAccount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<ObjectName>,
}

/// What a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SubjectKind {
    /// A person.
    User,
    /// A group of people.
    Group,
    /// A program in the cluster.
    ServiceAccount,
}
enum_schema!(SubjectKind, ["User", "Group", "ServiceAccount"]);

impl SubjectKind {
    /// As written in a spec and in a RoleBinding.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServiceAccount => "ServiceAccount",
        }
    }
}

/// An API key: derived by the operator, or one's own by `secretRef`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.secretRef) || (!has(self.generation) && !has(self.overlap))")
        .message("generation and overlap are for derived keys; with secretRef change the Secret instead"),
    validation = Rule::new(
        "!has(oldSelf.generation) || has(self.secretRef) || \
         (has(self.generation) ? self.generation : 1) >= oldSelf.generation"
    )
    .message("generation may only grow: an earlier one would bring a key back that was replaced"),
)]
pub struct ApiKeySpec {
    /// The key's name, unique within the tenant. The derived key and its Secret are made from it.
    #[schemars(length(max = 40))]
    pub name: EntryName,
    /// What the key's bearer may do: `SystemAdmin`, `ContextManager`, `ServiceAccount`, `Guest` or `Auditor`.
    pub role: Role,
    /// The contexts that the key may act in; all of the tenant's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub contexts: Option<Vec<ContextName>>,
    /// Raise it by one to get a new key; the one before stays valid for `overlap`. 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub generation: Option<i32>,
    /// How long the generation before stays valid after a new one came, such as `24h`. Not at all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Period>,
    /// From when on the key is refused, in UTC: `2030-01-01T00:00:00Z`. Never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// A key of one's own, in a Secret of the tenant's namespace `kyb-t-<id>`, in place of a derived one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyRef>,
}
