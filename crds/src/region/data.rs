//! Where a region keeps its data: PostgreSQL and Redis, one's own or a single pod to develop with.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference_to::SecretKeyRef,
    text::{ObjectName, StorageSize},
};

/// PostgreSQL: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.external) != has(self.development)")
        .message("database needs exactly one of external and development"),
)]
pub struct Database {
    /// A PostgreSQL of one's own, version 15 or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalDatabase>,
    /// A single PostgreSQL pod that the operator runs; no backup, no failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub development: Option<DevelopmentDatabase>,
}

/// A PostgreSQL of one's own. Each role has its own connection URL (`postgres://user:password@host:5432/kyb`) in a Secret of
/// the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(
        "self.migrator.name + '/' + self.migrator.key != self.runtime.name + '/' + self.runtime.key && \
         self.migrator.name + '/' + self.migrator.key != self.reader.name + '/' + self.reader.key && \
         self.runtime.name + '/' + self.runtime.key != self.reader.name + '/' + self.reader.key"
    )
    .message("migrator, runtime and reader must be three credentials: only the migrator may change tables"),
)]
pub struct ExternalDatabase {
    /// The role that owns the tables and changes them in migrations.
    pub migrator: SecretKeyRef,
    /// The role of gateway and worker; it reads and writes rows under row-level security.
    pub runtime: SecretKeyRef,
    /// The role that only reads.
    pub reader: SecretKeyRef,
    /// The CA certificate (PEM) that signed the server's; that of the image where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretKeyRef>,
}

/// A single PostgreSQL pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(
        "!has(oldSelf.storage) || (has(self.storage) && \
         quantity(self.storage).compareTo(quantity(oldSelf.storage)) >= 0)"
    )
    .message("storage may only grow: a volume can not be made smaller"),
    validation = Rule::new(
        "has(self.storageClassName) == has(oldSelf.storageClassName) && \
         (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)"
    )
    .message("storageClassName can not be changed: the volume exists"),
)]
pub struct DevelopmentDatabase {
    /// The size of the volume, such as `1Gi`; `1Gi` where absent. It may only grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSize>,
    /// The StorageClass of the volume; the cluster's default where absent. It can not be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<ObjectName>,
    /// The image; the platform's own PostgreSQL where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), regex(pattern = "^[^\\s]+$"))]
    pub image: Option<String>,
}

/// Redis: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.external) != has(self.development)")
        .message("redis needs exactly one of external and development; leave redis out to run without"),
)]
pub struct Redis {
    /// A Redis of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRedis>,
    /// A single Redis pod that the operator runs; what it holds is gone when it restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub development: Option<DevelopmentRedis>,
}

/// A Redis of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalRedis {
    /// Its URL (`rediss://user:password@host:6379`) in a Secret of the same namespace.
    pub url: SecretKeyRef,
    /// The CA certificate (PEM) that signed the server's; that of the image where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<SecretKeyRef>,
}

/// A single Redis pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DevelopmentRedis {
    /// The image; the platform's own Redis where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), regex(pattern = "^[^\\s]+$"))]
    pub image: Option<String>,
}
