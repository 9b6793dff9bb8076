//! The process: connects, watches, takes part in the election, and reconciles while it holds the lease.

use std::{future::Future, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use k8s_openapi::{NamespaceResourceScope, api::rbac::v1::Subject};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        Controller,
        reflector::{ObjectRef, Store},
    },
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport};
use kyb_kit::{Election, Held, LeaseSettings, Live, Timing, Touched, fenced_client};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Run,
    context::{Context, TENANT_MARKS},
    controllers::{cache_policy, region, tenant},
    derive::{RootKey, RootKeyError},
    metrics::Metrics,
    requests::counted,
    scope::{self, Scope},
    server::{self, Status},
    triggers,
    watches::{Change, Changes, Followed, Watches, listen},
};

/// Why the operator ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The API server can't be reached, or no configuration leads to one.
    #[error("can't find the cluster; run in one, or set KUBECONFIG")]
    Cluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A kind is not installed.
    #[error(
        "the kind {0} is not installed; install the chart kyb-crds, or run `kyb-operator crds | kubectl apply -f -`"
    )]
    NotInstalled(String),
    /// The operator may not read what it looks after.
    #[error(
        "not allowed to list {0}; install the chart's roles and bind them to the operator's ServiceAccount"
    )]
    NotAllowed(String),
    /// The address is taken.
    #[error("can't listen on {0}; choose another address with --listen")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    /// The lease's spans do not fit together.
    #[error("--lease-seconds is too short")]
    Timing(#[from] kyb_kit::lease::TimingError),
    /// Another replica took over.
    #[error("the lease is lost: another replica works now; this one ends, to start anew")]
    LeaseLost,
}

impl RunError {
    /// 1: started and failed. 2: refused to start.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::LeaseLost) { 1 } else { 2 }
    }
}

/// Runs in the cluster that the environment leads to, until told to stop by a signal, or until the lease is lost.
pub async fn run(config: &Run) -> Result<(), RunError> {
    let cluster = kube::Config::infer().await.map_err(|why| RunError::Cluster(Box::new(why)))?;
    run_in(cluster, config, stop_on_signal()).await
}

/// Runs in this cluster until `stop` fires, or until the lease is lost.
pub async fn run_in(
    kube_config: kube::Config,
    config: &Run,
    stop: CancellationToken,
) -> Result<(), RunError> {
    run_through(kube_config, config, stop, std::convert::identity).await
}

/// The same with something `around` the client that watches and writes: above its fence, which nothing can get around, and not
/// around the election's client.
pub async fn run_through(
    mut kube_config: kube::Config,
    config: &Run,
    stop: CancellationToken,
    around: impl FnOnce(Client) -> Client,
) -> Result<(), RunError> {
    let root = RootKey::read(&config.root_key_file)?;
    let identity = identity(config);
    kube_config.headers.extend(user_agent(&identity));
    let _ = rustls::crypto::ring::default_provider().install_default(); // whoever was first is the same provider
    let metrics = Metrics::default();
    let plain = Client::try_from(kube_config.clone()).map_err(|why| RunError::Cluster(Box::new(why)))?;
    let plain = counted(plain, &metrics);
    let scope = Scope::of(&config.namespaces);
    tracing::info!(namespaces = %scope, "looks after what lies in");
    check_kinds(&plain, &scope).await?;

    let timing = timing(config.lease_seconds);
    let held = Held::nothing();
    let client = fenced_client(&kube_config, &held, timing.request_timeout)
        .map(|client| around(counted(client, &metrics)))
        .map_err(|why| RunError::Cluster(Box::new(why)))?;
    let live = Live::new(TENANT_MARKS);
    serve(config, &live, &metrics, &stop).await?;

    let election = Election::new(plain.clone(), lease(config, &identity, timing), held.clone())?;
    let release = CancellationToken::new();
    let electing = tokio::spawn(election.run(release.clone()));
    let watches = Watches::start(&client, &live, &scope);
    tokio::select! {
        () = held.acquired() => (),
        () = stop.cancelled() => {
            release.cancel();
            let _ = electing.await; // ends by itself once it has given up
            return Ok(());
        }
    }
    metrics.leader.set(1.0);
    tracing::info!(identity, "holds the lease; reconciling");
    let account = account(&config.namespace, &config.service_account);
    let context = Context::new(client, live, watches.stores, root, account, &config.pod_name);
    let context = Arc::new(Context { metrics: metrics.clone(), scope, sight: watches.sight, ..context });
    let lost = held.lost();
    let ended = reconcile(config, context, watches.changes, &stop, &lost).await;
    metrics.leader.set(0.0);
    release.cancel();
    let _ = electing.await;
    ended
}

/// Runs the controllers until told to stop (then what is under way is finished) or until the lease is lost (then nothing is).
async fn reconcile(
    config: &Run,
    context: Arc<Context>,
    changes: Changes,
    stop: &CancellationToken,
    lost: &CancellationToken,
) -> Result<(), RunError> {
    let synced = async {
        context.live.synced().await;
        let stores = &context.stores;
        // A store that is never filled means a watch that never succeeds; that is logged, and /ready says so.
        let _ = futures::join!(
            stores.tenants.wait_until_ready(),
            stores.regions.wait_until_ready(),
            stores.policies.wait_until_ready(),
            stores.pods.wait_until_ready(),
            stores.namespaces.wait_until_ready(),
        );
    };
    tokio::select! {
        () = synced => (),
        () = stop.cancelled() => return Ok(()),
        () = lost.cancelled() => return Err(RunError::LeaseLost),
    }
    let controllers = async {
        tokio::join!(
            tenants(config, &context, &changes, stop),
            regions(config, &context, &changes, stop),
            policies(config, &context, &changes, stop),
        );
    };
    tokio::select! {
        () = controllers => Ok(()),
        () = lost.cancelled() => Err(RunError::LeaseLost),
    }
}

/// A controller for all objects of a kind, which nothing but they trigger yet, and of their statuses only what others write. It looks
/// at what is watched already; there is one watch for each kind, and a controller's own would be a second.
fn controller<K>(
    config: &Run,
    context: &Arc<Context>,
    changes: &Followed<K>,
    objects: &Store<K>,
) -> Controller<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let listed = objects.clone();
    let statuses = context.statuses.clone();
    let others = listen(&changes.all)
        .filter_map(std::future::ready)
        .filter(move |object| std::future::ready(!statuses.is_own(&**object)));
    // What is meant is looked at even where it came with a status of ours: a new listing tells of both at once.
    let each = stream::select(others, listen(&changes.meant).filter_map(std::future::ready));
    let anew = listen(&changes.all).filter(|change| std::future::ready(change.is_none()));
    let anew = anew.flat_map(move |_| stream::iter(triggers::all(&listed)));
    let at_first = stream::iter(triggers::all(objects)); // after listening began, so that nothing falls in between
    Controller::for_shared_stream(each, objects.clone())
        .reconcile_on(at_first.chain(anew))
        .with_config(kube::runtime::controller::Config::default().concurrency(config.concurrency))
}

fn tenants(
    config: &Run,
    context: &Arc<Context>,
    changes: &Changes,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let controller = controller(config, context, &changes.tenants, &context.stores.tenants);
    let of_reports = Arc::clone(context);
    let (of_regions, of_namespaces) = (context.stores.tenants.clone(), context.stores.tenants.clone());
    let reports = listen(&changes.touched).filter_map(move |touched| {
        let region = touched
            .and_then(|touched| triggers::reporting(&touched))
            .and_then(|region| of_reports.stores.regions.get(&region));
        let tenants = region.map(|region| triggers::tenants_of(&of_reports.stores.tenants, &region));
        std::future::ready(tenants)
    });
    let regions = listen(&changes.regions.meant).map(move |_| triggers::all(&of_regions));
    let namespaces = listen(&changes.namespaces.all).map(move |change| match change {
        Some(namespace) => triggers::tenants_in(&of_namespaces, &namespace.name_any()),
        None => triggers::all(&of_namespaces),
    });
    let owners = owners(changes, &context.stores.tenants);
    let controller = controller
        .reconcile_on(owners)
        .reconcile_on(reports.flat_map(stream::iter))
        .reconcile_on(regions.flat_map(stream::iter))
        .reconcile_on(namespaces.flat_map(stream::iter))
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(tenant::reconcile, never, Arc::clone(context)))
}

fn regions(
    config: &Run,
    context: &Arc<Context>,
    changes: &Changes,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let controller = controller(config, context, &changes.regions, &context.stores.regions);
    let store = context.stores.regions.clone();
    let tenants = regions_on(&changes.tenants.meant, &store, triggers::regions_of);
    let policies = regions_on(&changes.policies.meant, &store, |regions, policy| {
        triggers::regions_in(regions, &policy.namespace().unwrap_or_default())
    });
    let pods = regions_on(&changes.pods.all, &store, |regions, pod| {
        triggers::regions_in(regions, &pod.namespace().unwrap_or_default())
    });
    let namespaces = regions_on(&changes.namespaces.all, &store, |regions, namespace| {
        triggers::regions_in(regions, &namespace.name_any())
    });
    let owners = owners(changes, &store);
    let controller = controller
        .reconcile_on(owners)
        .reconcile_on(tenants)
        .reconcile_on(policies)
        .reconcile_on(pods)
        .reconcile_on(namespaces)
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(region::reconcile, never, Arc::clone(context)))
}

/// Owners of children that changed; all objects where any child may have.
fn owners<K>(changes: &Changes, objects: &Store<K>) -> impl Stream<Item = ObjectRef<K>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let objects = objects.clone();
    let each = move |touched: Change<Touched>| match touched {
        Some(touched) => triggers::owner(&touched).into_iter().collect(),
        None => triggers::all(&objects),
    };
    listen(&changes.touched).map(each).flat_map(stream::iter)
}

/// Regions to look at when an object of another kind changes; all of them where any may have.
fn regions_on<K, F>(
    changes: &broadcast::Sender<Change<K>>,
    regions: &Store<RegionDeployment>,
    concerned: F,
) -> impl Stream<Item = ObjectRef<RegionDeployment>> + Send + use<K, F>
where
    K: Send + Sync + 'static,
    F: Fn(&Store<RegionDeployment>, &K) -> Vec<ObjectRef<RegionDeployment>> + Send + 'static,
{
    let regions = regions.clone();
    let each = move |change: Change<K>| match change {
        Some(object) => concerned(&regions, &object),
        None => triggers::all(&regions),
    };
    listen(changes).map(each).flat_map(stream::iter)
}

fn policies(
    config: &Run,
    context: &Arc<Context>,
    changes: &Changes,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let policies = &context.stores.policies;
    let controller = controller(config, context, &changes.policies, policies);
    let of_children = policies.clone();
    let nearby = listen(&changes.touched).map(move |touched| match touched {
        Some(touched) => {
            triggers::policies_in(&of_children, touched.key.namespace.as_deref().unwrap_or_default())
        }
        None => triggers::all(&of_children),
    });
    // The settings that a policy becomes are written for the region that names it.
    let regions = [&changes.regions.meant, &context.written_regions].map(|changes| {
        let of_regions = policies.clone();
        let near = move |change: Change<RegionDeployment>| match change {
            Some(region) => triggers::policies_in(&of_regions, &region.namespace().unwrap_or_default()),
            None => triggers::all(&of_regions),
        };
        listen(changes).map(near).boxed()
    });
    let controller = controller
        .reconcile_on(nearby.flat_map(stream::iter))
        .reconcile_on(stream::select_all(regions).flat_map(stream::iter))
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(cache_policy::reconcile, never, Arc::clone(context)))
}

async fn drive<K, E>(
    results: impl Stream<Item = Result<(ObjectRef<K>, kube::runtime::controller::Action), E>>,
) where
    K: Resource<DynamicType = ()>,
    E: std::error::Error,
{
    results
        .for_each(|result| {
            if let Err(error) = result {
                tracing::debug!(kind = %K::kind(&()), %error, "a reconcile did not run");
            }
            std::future::ready(())
        })
        .await;
}

/// A reconcile never fails: it says in the status what went wrong, and when to look again.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the controller hands over a reference")]
fn never<K>(
    _: Arc<K>,
    error: &std::convert::Infallible,
    _: Arc<Context>,
) -> kube::runtime::controller::Action {
    match *error {}
}

/// All kinds must be there before anything is watched: a missing one is the most common mistake of an installation.
async fn check_kinds(client: &Client, scope: &Scope) -> Result<(), RunError> {
    check_kind::<KybTenant>(&[Api::all(client.clone())]).await?;
    check_kind::<RegionDeployment>(&apis(client, scope)).await?;
    check_kind::<CachePolicy>(&apis(client, scope)).await?;
    check_kind::<RegionReport>(&apis(client, scope)).await
}

fn apis<K>(client: &Client, scope: &Scope) -> Vec<Api<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    scope.places().iter().map(|place| scope::api(client, place.as_deref())).collect()
}

/// Looks where it may. One place that refuses is not enough to give up: where a namespace is gone, so is the Role in it.
async fn check_kind<K>(places: &[Api<K>]) -> Result<(), RunError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    for api in places {
        match api.list(&kube::api::ListParams::default().limit(1)).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                return Err(RunError::NotInstalled(K::kind(&()).into_owned()));
            }
            Err(kube::Error::Api(status)) if status.code == 403 => (),
            Err(why) => return Err(RunError::Cluster(Box::new(why))),
        }
    }
    Err(RunError::NotAllowed(K::plural(&()).into_owned()))
}

async fn serve(
    config: &Run,
    live: &Live,
    metrics: &Metrics,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .map_err(|why| RunError::Listen(config.listen, why))?;
    let routes = server::routes(Status { live: live.clone(), metrics: metrics.clone() });
    let serving = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::spawn(serving.into_future());
    Ok(())
}

/// A third of the lease is margin.
fn timing(seconds: u64) -> Timing {
    let duration = Duration::from_secs(seconds);
    Timing {
        duration,
        margin: duration / 3,
        request_timeout: duration * 4 / 15,
        renew_every: duration / 5,
        retry_every: duration * 2 / 15,
    }
}

fn lease(config: &Run, identity: &str, timing: Timing) -> LeaseSettings {
    LeaseSettings {
        namespace: config.namespace.clone(),
        name: "kyb-operator".to_owned(),
        identity: identity.to_owned(),
        timing,
    }
}

/// As which this process takes part in the election: no other process ever does.
fn identity(config: &Run) -> String {
    format!("{}_{:08x}", config.pod_name, rand::random::<u32>())
}

/// Audit logs name the replica behind each request as the Lease names its holder, so that who wrote what, and by what
/// right, can be told afterwards. None for a name that no header can carry.
fn user_agent(identity: &str) -> Option<(HeaderName, HeaderValue)> {
    let agent = format!("kyb-operator/{} {identity}", env!("CARGO_PKG_VERSION"));
    Some((USER_AGENT, HeaderValue::from_str(&agent).ok()?))
}

/// The operator's own account, as bindings name it.
pub(crate) fn account(namespace: &str, name: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        api_group: None,
    }
}

/// SIGTERM and SIGINT.
fn stop_on_signal() -> CancellationToken {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let told = stop.clone();
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        tracing::warn!("signals can't be received; only a kill ends this process");
        return stop;
    };
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        tracing::info!("told to stop; finishing what is under way");
        told.cancel();
    });
    stop
}
