//! The database: how pods reach it, the development one, and the Job that changes its tables.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec},
        batch::v1::{Job, JobSpec},
        core::v1::{
            ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar,
            ExecAction, KeyToPath, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodSecurityContext,
            PodSpec, PodTemplateSpec, Probe, ResourceRequirements, Secret, SecretVolumeSource, Volume,
            VolumeMount, VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};
use kube::api::ApiResource;
use kyb_crds::{SecretKeyRef, names};
use kyb_kit::{Child, ChildKey};
use sha2::{Digest, Sha256};

use super::workload::{
    locked_down, object_meta, pod, port_service, selector_labels, variable, workload_meta,
};
use crate::{
    component::{DATABASE, MIGRATION},
    controllers::{
        region::validate::{Database, DevelopmentDatabase, ValidRegion},
        tenant::build::limits::quantities,
    },
    derive::RootKey,
};

/// PostgreSQL's port.
pub(super) const PORT: i32 = 5432;
/// The user that the development image runs PostgreSQL as.
const POSTGRES_USER: i64 = 26;
/// The database within the server.
const NAME: &str = "kyb";
const CREDENTIALS_AT: &str = "/etc/kyb/database";
const CA_AT: &str = "/etc/kyb/database-ca";
/// How often a failing migration is tried before it counts as failed.
const ATTEMPTS: i32 = 6;

/// Who connects. Each has a credential of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Superuser,
    Migrator,
    Runtime,
    Reader,
}

impl Role {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Migrator => "kyb_migrator",
            Self::Runtime => "kyb_runtime",
            Self::Reader => "kyb_reader",
        }
    }

    /// Its key in the Secret of the development database.
    const fn key(self) -> &'static str {
        match self {
            Self::Superuser => "superuser",
            Self::Migrator => "migrator",
            Self::Runtime => "runtime",
            Self::Reader => "reader",
        }
    }
}

/// Which Secret holds the URL of a role.
pub(crate) fn credential(region: &ValidRegion, role: Role) -> SecretKeyRef {
    match &region.database {
        Database::Development(_) => SecretKeyRef { name: names::POSTGRES.into(), key: role.key().into() },
        Database::External(external) => match role {
            Role::Superuser | Role::Migrator => external.migrator.clone(),
            Role::Runtime => external.runtime.clone(),
            Role::Reader => external.reader.clone(),
        },
    }
}

/// How a pod reaches the database as `role`: the URL is mounted as a file, so that it stands in no environment.
pub(super) fn access(region: &ValidRegion, role: Role) -> (Vec<EnvVar>, Vec<(Volume, VolumeMount)>) {
    let variable_name =
        if role == Role::Migrator { "KYB_MIGRATOR_URL_FILE" } else { "KYB_DATABASE_URL_FILE" };
    let mut environment = vec![variable(variable_name, &format!("{CREDENTIALS_AT}/url"))];
    let mut volumes = vec![mounted("database", &credential(region, role), "url", CREDENTIALS_AT)];
    if let Database::External(external) = &region.database {
        // Both are defaults of the connection: what the URL says itself wins.
        environment.push(variable("PGSSLMODE", "verify-full"));
        if let Some(ca) = &external.ca {
            environment.push(variable("PGSSLROOTCERT", &format!("{CA_AT}/ca.crt")));
            volumes.push(mounted("database-ca", ca, "ca.crt", CA_AT));
        }
    }
    (environment, volumes)
}

/// One value of a Secret as one file.
fn mounted(name: &str, reference: &SecretKeyRef, file: &str, at: &str) -> (Volume, VolumeMount) {
    let item = KeyToPath { key: reference.key.to_string(), path: file.to_owned(), mode: None };
    let source = SecretVolumeSource {
        secret_name: Some(reference.name.to_string()),
        items: Some(vec![item]),
        default_mode: Some(0o440),
        optional: None,
    };
    let volume = Volume { name: name.to_owned(), secret: Some(source), ..Volume::default() };
    (volume, mount(name, at, true))
}

fn mount(name: &str, at: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: at.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// The Job that brings the tables to the wanted version; in a development database it makes roles and database first. Its
/// name follows from all that its pods are made of: a Job's pods can't be changed, so what would change them is another Job,
/// which finds nothing to do where the tables are as wanted already.
pub(super) fn migration(region: &ValidRegion) -> Job {
    let template = migration_template(region);
    Job {
        metadata: object_meta(region, &name_of(&template), MIGRATION),
        spec: Some(JobSpec { backoff_limit: Some(ATTEMPTS), template, ..JobSpec::default() }),
        status: None,
    }
}

fn migration_template(region: &ValidRegion) -> PodTemplateSpec {
    let (mut environment, volumes) = match &region.database {
        Database::External(_) => access(region, Role::Migrator),
        Database::Development(_) => bootstrap_access(),
    };
    environment.push(variable("RUST_LOG", region.log_level));
    let command = if matches!(region.database, Database::External(_)) { "migrate" } else { "bootstrap" };
    let container = Container {
        name: MIGRATION.to_owned(),
        image: Some(region.worker.image.clone()),
        image_pull_policy: Some(region.pull_policy.to_owned()),
        args: Some(vec![command.to_owned()]),
        env: Some(environment),
        volume_mounts: Some(volumes.iter().map(|(_, mount)| mount.clone()).collect()),
        resources: Some(ResourceRequirements {
            requests: Some(quantities(&[("cpu", "50m"), ("memory", "64Mi")])),
            limits: Some(quantities(&[("cpu", "500m"), ("memory", "256Mi")])),
            claims: None,
        }),
        security_context: Some(locked_down()),
        // What it says last stands in the pod's status, and from there in the region's.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    };
    let spec = PodSpec {
        restart_policy: Some("Never".to_owned()),
        service_account_name: Some(names::MIGRATION.to_owned()),
        automount_service_account_token: Some(false),
        ..pod(region, container, volumes.into_iter().map(|(volume, _)| volume).collect())
    };
    let labels = object_meta(region, MIGRATION, MIGRATION).labels;
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(with_manager(labels)), ..ObjectMeta::default() }),
        spec: Some(spec),
    }
}

fn with_manager(labels: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut labels = labels.unwrap_or_default();
    labels.insert(names::MANAGED_BY_LABEL.to_owned(), names::MANAGED_BY.to_owned());
    labels
}

/// The name of the Job that is wanted now.
pub(crate) fn migration_name(region: &ValidRegion) -> String {
    name_of(&migration_template(region))
}

/// `kyb-migrate-` and ten hexadecimal digits.
fn name_of(template: &PodTemplateSpec) -> String {
    // Nothing in a template has keys that are no text, which is all that could fail.
    let text = serde_json::to_vec(template).unwrap_or_default();
    format!("{}-{}", names::MIGRATION, hex::encode(&Sha256::digest(text)[..5]))
}

/// All credentials of the development database, each a file of its own.
fn bootstrap_access() -> (Vec<EnvVar>, Vec<(Volume, VolumeMount)>) {
    let source = SecretVolumeSource {
        secret_name: Some(names::POSTGRES.to_owned()),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    };
    let volume = Volume { name: "database".to_owned(), secret: Some(source), ..Volume::default() };
    let environment = vec![variable("KYB_BOOTSTRAP_CREDENTIALS", CREDENTIALS_AT)];
    (environment, vec![(volume, mount("database", CREDENTIALS_AT, true))])
}

/// A single PostgreSQL pod with what it needs.
pub(super) fn development(
    region: &ValidRegion,
    database: &DevelopmentDatabase,
    root: &RootKey,
) -> Vec<Child> {
    vec![
        Child::new(&secret(region, root)),
        Child::new(&start_script(region)),
        Child::new(&port_service(region, names::POSTGRES, DATABASE, ("postgres", PORT))),
        Child::new(&stateful_set(region, database)),
    ]
}

/// The Secret of a development database, of whatever region has the namespace.
pub(crate) fn development_secret(namespace: &str) -> ChildKey {
    ChildKey::new(&ApiResource::erase::<Secret>(&()), Some(namespace), names::POSTGRES)
}

/// URLs with derived passwords, and the superuser's password by itself for the server's first start.
fn secret(region: &ValidRegion, root: &RootKey) -> Secret {
    let password = |role: Role| root.database_password(&region.namespace, &region.region, role.name());
    let host = format!("{}.{}.svc", names::POSTGRES, region.namespace);
    let url = |role: Role| {
        let database = if role == Role::Superuser { "postgres" } else { NAME };
        // One pod for development has no certificate that anybody could check.
        format!("postgres://{}:{}@{host}:{PORT}/{database}?sslmode=disable", role.name(), password(role))
    };
    let mut data: BTreeMap<String, ByteString> =
        [Role::Superuser, Role::Migrator, Role::Runtime, Role::Reader]
            .into_iter()
            .map(|role| (role.key().to_owned(), ByteString(url(role).into_bytes())))
            .collect();
    data.insert("password".to_owned(), ByteString(password(Role::Superuser).into_bytes()));
    for role in [Role::Migrator, Role::Runtime, Role::Reader] {
        data.insert(format!("{}-password", role.key()), ByteString(password(role).into_bytes()));
    }
    Secret {
        metadata: object_meta(region, names::POSTGRES, DATABASE),
        type_: Some("Opaque".to_owned()),
        data: Some(data),
        ..Secret::default()
    }
}

/// Makes the data directory beside its place and renames it when it is whole, so that a start that is cut off leaves none.
const START: &str = r#"set -eu
data=/var/lib/kyb/data
if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username=postgres --pwfile=/etc/kyb/postgres/password \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums
  echo 'host all all all scram-sha-256' >> "$data.new/pg_hba.conf"
  mv "$data.new" "$data"
fi
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
"#;

fn start_script(region: &ValidRegion) -> ConfigMap {
    ConfigMap {
        metadata: object_meta(region, names::POSTGRES, DATABASE),
        data: Some(BTreeMap::from([("start.sh".to_owned(), START.to_owned())])),
        ..ConfigMap::default()
    }
}

fn stateful_set(region: &ValidRegion, database: &DevelopmentDatabase) -> StatefulSet {
    let selector = selector_labels(region, DATABASE);
    let metadata = workload_meta(region, names::POSTGRES, DATABASE);
    let labels = Some(with_manager(metadata.labels.clone()));
    let mut spec = pod(region, server(region, database), server_volumes());
    spec.automount_service_account_token = Some(false);
    spec.security_context = spec.security_context.map(|context| PodSecurityContext {
        run_as_user: Some(POSTGRES_USER),
        run_as_group: Some(POSTGRES_USER),
        fs_group: Some(POSTGRES_USER),
        ..context
    });
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            service_name: Some(names::POSTGRES.to_owned()),
            replicas: Some(1),
            selector: LabelSelector { match_labels: Some(selector), match_expressions: None },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels, ..ObjectMeta::default() }),
                spec: Some(spec),
            },
            volume_claim_templates: Some(vec![claim(database)]),
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

fn server(region: &ValidRegion, database: &DevelopmentDatabase) -> Container {
    let ready = ["pg_isready", "--host=127.0.0.1", "--username=postgres"];
    Container {
        name: DATABASE.to_owned(),
        image: Some(database.image.clone()),
        image_pull_policy: Some(region.pull_policy.to_owned()),
        command: Some(["sh", "/etc/kyb/start/start.sh"].map(str::to_owned).to_vec()),
        ports: Some(vec![ContainerPort {
            name: Some("postgres".to_owned()),
            container_port: PORT,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        readiness_probe: Some(Probe {
            exec: Some(ExecAction { command: Some(ready.map(str::to_owned).to_vec()) }),
            period_seconds: Some(3),
            timeout_seconds: Some(3),
            failure_threshold: Some(3),
            ..Probe::default()
        }),
        resources: Some(ResourceRequirements {
            requests: Some(quantities(&[("cpu", "100m"), ("memory", "256Mi")])),
            limits: Some(quantities(&[("cpu", "1"), ("memory", "512Mi")])),
            claims: None,
        }),
        volume_mounts: Some(vec![
            mount("data", "/var/lib/kyb", false),
            mount("start", "/etc/kyb/start", true),
            mount("password", "/etc/kyb/postgres", true),
            mount("tmp", "/tmp", false),
        ]),
        security_context: Some(locked_down()),
        ..Container::default()
    }
}

fn server_volumes() -> Vec<Volume> {
    let password = SecretKeyRef { name: names::POSTGRES.into(), key: "password".into() };
    let script =
        ConfigMapVolumeSource { name: names::POSTGRES.to_owned(), ..ConfigMapVolumeSource::default() };
    vec![
        Volume { name: "start".to_owned(), config_map: Some(script), ..Volume::default() },
        mounted("password", &password, "password", "").0,
        Volume {
            name: "tmp".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        },
    ]
}

fn claim(database: &DevelopmentDatabase) -> PersistentVolumeClaim {
    let size = BTreeMap::from([("storage".to_owned(), Quantity(database.storage.clone()))]);
    PersistentVolumeClaim {
        metadata: ObjectMeta { name: Some("data".to_owned()), ..ObjectMeta::default() },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: database.storage_class.clone(),
            resources: Some(VolumeResourceRequirements { requests: Some(size), limits: None }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}
