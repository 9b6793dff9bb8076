//! What applying files would do, told without doing any of it.
//!
//! ```text
//! files ─ manifests ─► submit ─► World ─► Context ─► reconcile, until nothing new is asked for ─► Plan ─► text, JSON, YAML
//!                        │         ▲                      │
//!                        │         └─ lists of the cluster │
//!                        └───────── rehearsal ─────────────┘   every write is tried with `dryRun=All`, or imagined offline
//! ```
//!
//! The reconcile is the very one that the operator runs; see [`kyb_kit::rehearsal`]. What is taken for granted: that migrations
//! succeed, and without a cluster that the Secrets which specs name are there. What can't be told before: uids, and what others do to our objects meanwhile.
//!
//! | module | what |
//! |---|---|
//! | `manifests` | files to objects |
//! | `world` | what is there, with what the files change |
//! | `report` | what was rehearsed, by object and field |
//! | `show` | that as text |

mod manifests;
mod report;
mod show;
mod world;

#[cfg(test)]
pub(crate) use world::known;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, ValueEnum};
use http::header::{HeaderValue, USER_AGENT};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use kyb_crds::names;
use kyb_kit::rehearsal::Rehearsal;
use serde_json::{Value, json};

pub use manifests::ManifestError;
pub use report::{Action, ObjectChange, Plan, Problem};

use crate::{
    config::namespace,
    context::Context,
    controllers::{region, tenant},
    derive::{RootKey, RootKeyError},
    kubectl::clusters,
    run::account,
    scope::Scope,
};
use manifests::Manifests;
use world::World;

/// What to plan.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// File, folder, or `-` for standard input, with the objects that would be applied
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR|-")]
    pub files: Vec<PathBuf>,
    /// Ask no cluster: everything that the files ask for is new
    #[arg(long)]
    pub offline: bool,
    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME", conflicts_with = "offline")]
    pub context: Option<String>,
    /// How to show it
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// Copy of the installation's root key; else it is read from the Secret kyb-root-key, and where that can't be read, keys are
    /// taken to stay as they are
    #[arg(long, env = "KYB_ROOT_KEY_FILE", value_name = "FILE")]
    pub root_key_file: Option<PathBuf>,
    /// The namespace that the operator runs in
    #[arg(long, env = "KYB_OPERATOR_NAMESPACE", default_value = "kyb-system")]
    pub operator_namespace: String,
    /// The ServiceAccount that the operator runs as
    #[arg(long, env = "KYB_OPERATOR_SERVICE_ACCOUNT", default_value = "kyb-operator")]
    pub service_account: String,
    /// The namespaces that the operator is held to, with commas between (the chart's rbac.namespaces), if it is
    #[arg(long, env = "KYB_NAMESPACES", value_name = "NAMESPACE,…", value_delimiter = ',', value_parser = namespace)]
    pub namespaces: Vec<String>,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, in colour on a terminal.
    Text,
    /// One JSON object.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The files can't be taken in.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// No cluster is found.
    #[error("can't find a cluster; set KUBECONFIG, or plan from the files alone with --offline")]
    Cluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A kind is not installed.
    #[error(
        "the kind {0} is not installed; install the chart kyb-crds first, or plan from the files alone with --offline"
    )]
    NotInstalled(String),
    /// The cluster does not tell what is there.
    #[error("can't list {kind} in the cluster; it takes the right to list all that the operator looks after")]
    List {
        /// The kind.
        kind: String,
        /// What the server said.
        #[source]
        source: Box<kube::Error>,
    },
    /// Neither done nor refused.
    #[error("can't try out {object}")]
    Submit {
        /// The object of a file.
        object: String,
        /// What happened.
        #[source]
        source: Box<kube::Error>,
    },
    /// The root key is no root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// It can't be shown.
    #[error("can't write the plan")]
    Show(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Plans, shows the plan on standard output, and says by the exit code what it is: 0 nothing to do, 2 changes, 1 no plan, or
/// something that would be refused.
pub async fn run(arguments: &Arguments) -> ExitCode {
    let shown = async { show::print(&plan(arguments).await?, arguments.output) };
    match shown.await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What applying the files would do.
pub async fn plan(arguments: &Arguments) -> Result<Plan, PlanError> {
    let manifests = Manifests::read(&arguments.files)?;
    let (client, rehearsal) = connect(arguments).await?;
    let scope = Scope::of(&arguments.namespaces);
    let mut world =
        if arguments.offline { World::default() } else { World::of_cluster(&client, &scope).await? };
    if arguments.offline {
        manifests.ours.iter().try_for_each(world::obeys_rules)?;
    }
    let keys = Keys::find(arguments, &client).await?;
    world.submit(&manifests, &client).await?;
    let beyond = world.confine(&scope);
    let (live, stores) = (world.live(&scope), world.stores(&scope));
    let account = account(&arguments.operator_namespace, &arguments.service_account);
    let context = Context::new(client, live, stores, keys.root.clone(), account, "plan");
    let context = Context { scope, sees_secrets: !arguments.offline, ..context };
    rehearse(&world, &Arc::new(context), &rehearsal).await;
    let mut plan = report::of(&rehearsal, &world, keys.are_known);
    plan.notes.extend(beyond.iter().map(|other| {
        format!(
            "{other} lies in a namespace that the operator does not look after; list it in rbac.namespaces"
        )
    }));
    plan.notes
        .extend(manifests.others.iter().map(|other| format!("{other} is no kind of ours and was left out")));
    if !keys.are_known {
        plan.notes.push(
            "the root key is not known here, so keys and passwords are taken to stay as they are".to_owned(),
        );
    }
    Ok(plan)
}

/// So many times everything is looked at, at most: the workloads wait for the migration, and nothing waits for them.
const PASSES: usize = 5;

/// Reconciles everything until nothing new is asked for.
async fn rehearse(world: &World, context: &Arc<Context>, rehearsal: &Rehearsal) {
    let mut asked = None;
    for _ in 0..PASSES {
        for region in &world.regions {
            let Ok(_) = region::reconcile(Arc::new(region.clone()), Arc::clone(context)).await;
        }
        for tenant in &world.tenants {
            let Ok(_) = tenant::reconcile(Arc::new(tenant.clone()), Arc::clone(context)).await;
        }
        let now = rehearsal.steps().len();
        if asked.replace(now) == Some(now) {
            break;
        }
    }
}

async fn connect(arguments: &Arguments) -> Result<(Client, Rehearsal), PlanError> {
    if arguments.offline {
        return Ok(Rehearsal::without_cluster(migration_ends));
    }
    let _ = rustls::crypto::ring::default_provider().install_default(); // whoever was first is the same provider
    let mut config = clusters::config(arguments.context.as_ref()).await.map_err(PlanError::Cluster)?;
    config.headers.push((
        USER_AGENT,
        HeaderValue::from_static(concat!("kyb-operator-plan/", env!("CARGO_PKG_VERSION"))),
    ));
    Rehearsal::in_cluster(&config, migration_ends).map_err(|why| PlanError::Cluster(Box::new(why)))
}

/// A migration is taken to succeed, since all that comes after would not be planned otherwise.
fn migration_ends(object: &mut Value) {
    if object["kind"] == "Job" {
        object["status"]["conditions"] = json!([{"type": "Complete", "status": "True"}]);
    }
}

/// What keys and passwords are derived from.
struct Keys {
    root: RootKey,
    are_known: bool,
}

impl Keys {
    async fn find(arguments: &Arguments, client: &Client) -> Result<Self, PlanError> {
        if let Some(file) = &arguments.root_key_file {
            return Ok(Self { root: RootKey::read(file)?, are_known: true });
        }
        if !arguments.offline
            && let Some(bytes) = of_cluster(client, &arguments.operator_namespace).await
        {
            return Ok(Self { root: RootKey::new(&bytes)?, are_known: true });
        }
        // Any will do: what follows from it is not shown.
        Ok(Self { root: RootKey::new(&[0; crate::derive::ROOT_KEY_BYTES])?, are_known: false })
    }
}

/// The root key, for whoever may read it.
async fn of_cluster(client: &Client, namespace: &str) -> Option<Vec<u8>> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let secret = secrets.get(names::ROOT_KEY_SECRET).await.ok()?;
    Some(secret.data?.remove("key")?.0)
}
