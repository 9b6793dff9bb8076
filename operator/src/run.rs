//! The process: connects, watches, takes part in the election, and reconciles while it holds the lease.

use std::{future::Future, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::Job,
    core::v1::{ConfigMap, LimitRange, Namespace, Pod, ResourceQuota, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
    rbac::v1::{RoleBinding, Subject},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::ApiResource,
    runtime::{
        Controller, WatchStreamExt as _, reflector,
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use kyb_crds::{CachePolicy, KybTenant, RegionDeployment, RegionReport, names};
use kyb_kit::{
    Announcer, Applier, Election, Held, LeaseSettings, Live, StatusWriter, Timing, Touched, fenced_client,
};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Run,
    context::{Context, REGION_MARKS, Stores, TENANT_MARKS},
    controllers::{cache_policy, region, tenant},
    derive::{RootKey, RootKeyError},
    metrics::Metrics,
    server::{self, Status},
    triggers,
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
    let root = RootKey::read(&config.root_key_file)?;
    let _ = rustls::crypto::ring::default_provider().install_default(); // whoever was first is the same provider
    let plain = Client::try_from(kube_config.clone()).map_err(|why| RunError::Cluster(Box::new(why)))?;
    check_kinds(&plain).await?;

    let timing = timing(config.lease_seconds);
    let held = Held::nothing();
    let client = fenced_client(&kube_config, &held, timing.request_timeout)
        .map_err(|why| RunError::Cluster(Box::new(why)))?;
    let metrics = Metrics::default();
    let live = Live::new(TENANT_MARKS);
    serve(config, &live, &metrics, &stop).await?;

    let election = Election::new(plain.clone(), lease(config, timing), held.clone())?;
    let release = CancellationToken::new();
    let electing = tokio::spawn(election.run(release.clone()));
    let watches = Watches::start(&client, &live);
    tokio::select! {
        () = held.acquired() => (),
        () = stop.cancelled() => {
            release.cancel();
            let _ = electing.await; // ends by itself once it has given up
            return Ok(());
        }
    }
    metrics.leader.set(1.0);
    tracing::info!(identity = config.pod_name, "holds the lease; reconciling");
    let context = Arc::new(Context {
        tenant_applier: Applier::new(client.clone(), TENANT_MARKS, live.clone()),
        region_applier: Applier::new(client.clone(), REGION_MARKS, live.clone()),
        statuses: StatusWriter::new(client.clone(), names::STATUS_MANAGER),
        announcer: Announcer::new(client.clone(), "kyb.dev/operator", Some(config.pod_name.clone())),
        operator: account(config),
        stores: watches.stores,
        client: client.clone(),
        live,
        root,
        metrics: metrics.clone(),
    });
    let lost = held.lost();
    let ended = reconcile(config, context, watches.touched, &stop, &lost).await;
    metrics.leader.set(0.0);
    release.cancel();
    let _ = electing.await;
    ended
}

/// Watches go on for as long as the process; they are shared by all controllers.
struct Watches {
    stores: Stores,
    touched: broadcast::Sender<Touched>,
}

/// So many changes may wait for the slowest controller; beyond that it looks at everything again.
const BACKLOG: usize = 65_536;

impl Watches {
    fn start(client: &Client, live: &Live) -> Self {
        let (touched, _) = broadcast::channel(BACKLOG);
        let mut children = stream::SelectAll::new();
        for resource in child_kinds() {
            children.push(live.follow(client, resource).boxed());
        }
        let sender = touched.clone();
        tokio::spawn(children.for_each(move |event| {
            match event {
                Ok(touched) => drop(sender.send(touched)), // nobody listens before the lease is held
                Err(error) => tracing::warn!(%error, "a watch of children is tried again"),
            }
            std::future::ready(())
        }));
        let part_of = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
        let stores = Stores {
            tenants: store(Api::all(client.clone()), watcher::Config::default()),
            regions: store(Api::all(client.clone()), watcher::Config::default()),
            policies: store(Api::all(client.clone()), watcher::Config::default()),
            pods: store(Api::all(client.clone()), watcher::Config::default().labels(&part_of)),
            namespaces: store(
                Api::all(client.clone()),
                watcher::Config::default().labels(names::REGION_LABEL),
            ),
        };
        Self { stores, touched }
    }
}

/// The kinds of our children that may be listed in the whole cluster. Secrets are not among them.
fn child_kinds() -> Vec<ApiResource> {
    vec![
        ApiResource::erase::<ConfigMap>(&()),
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<HorizontalPodAutoscaler>(&()),
        ApiResource::erase::<Job>(&()),
        ApiResource::erase::<LimitRange>(&()),
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<NetworkPolicy>(&()),
        ApiResource::erase::<PodDisruptionBudget>(&()),
        ApiResource::erase::<RegionReport>(&()),
        ApiResource::erase::<ResourceQuota>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<Service>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<StatefulSet>(&()),
    ]
}

/// Follows a kind into a store.
fn store<K>(api: Api<K>, config: watcher::Config) -> Store<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let (reader, writer) = reflector::store();
    let events = reflector::reflector(writer, watcher(api, config).default_backoff());
    tokio::spawn(events.for_each(|event| {
        if let Err(error) = event {
            tracing::warn!(kind = %K::kind(&()), %error, "a watch is tried again");
        }
        std::future::ready(())
    }));
    reader
}

/// Runs the controllers until told to stop (then what is under way is finished) or until the lease is lost (then nothing is).
async fn reconcile(
    config: &Run,
    context: Arc<Context>,
    touched: broadcast::Sender<Touched>,
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
            tenants(config, &context, &touched, stop),
            regions(config, &context, &touched, stop),
            policies(config, &context, &touched, stop),
        );
    };
    tokio::select! {
        () = controllers => Ok(()),
        () = lost.cancelled() => Err(RunError::LeaseLost),
    }
}

fn tenants(
    config: &Run,
    context: &Arc<Context>,
    touched: &broadcast::Sender<Touched>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let controller =
        Controller::new(Api::<KybTenant>::all(context.client.clone()), watcher::Config::default());
    let store = controller.store();
    let (of_reports, of_regions) = (Arc::clone(context), store.clone());
    let reports = changes(touched).filter_map(move |touched| {
        let of_region = |context: &Context, touched: &Touched| {
            let namespace = touched.key.namespace.as_deref()?;
            let region = context.stores.regions.get(&ObjectRef::new(&touched.key.name).within(namespace))?;
            Some(triggers::tenants_of(&context.stores.tenants, &region))
        };
        let is_report = touched.key.kind == RegionReport::kind(&());
        std::future::ready(is_report.then(|| of_region(&of_reports, &touched)).flatten())
    });
    let api = Api::<RegionDeployment>::all(context.client.clone());
    let controller = controller
        .with_config(kube::runtime::controller::Config::default().concurrency(config.concurrency))
        .reconcile_on(changes(touched).filter_map(|touched| std::future::ready(triggers::owner(&touched))))
        .reconcile_on(reports.flat_map(stream::iter))
        .watches(api, watcher::Config::default(), move |_| triggers::all_tenants(&of_regions))
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(tenant::reconcile, never, Arc::clone(context)))
}

fn regions(
    config: &Run,
    context: &Arc<Context>,
    touched: &broadcast::Sender<Touched>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let client = &context.client;
    let controller =
        Controller::new(Api::<RegionDeployment>::all(client.clone()), watcher::Config::default());
    let (of_tenants, of_policies, of_pods, of_namespaces) =
        (controller.store(), controller.store(), controller.store(), controller.store());
    let ours = format!("{}={}", names::MANAGED_BY_LABEL, names::MANAGED_BY);
    let controller = controller
        .with_config(kube::runtime::controller::Config::default().concurrency(config.concurrency))
        .reconcile_on(changes(touched).filter_map(|touched| std::future::ready(triggers::owner(&touched))))
        .watches(Api::<KybTenant>::all(client.clone()), watcher::Config::default(), move |tenant| {
            triggers::regions_of(&of_tenants, &tenant)
        })
        .watches(Api::<CachePolicy>::all(client.clone()), watcher::Config::default(), move |policy| {
            triggers::regions_in(&of_policies, &policy.namespace().unwrap_or_default())
        })
        .watches(Api::<Pod>::all(client.clone()), watcher::Config::default().labels(&ours), move |pod| {
            triggers::regions_in(&of_pods, &pod.namespace().unwrap_or_default())
        })
        .watches(
            Api::<Namespace>::all(client.clone()),
            watcher::Config::default().labels(names::REGION_LABEL),
            move |namespace| triggers::regions_in(&of_namespaces, &namespace.name_any()),
        )
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(region::reconcile, never, Arc::clone(context)))
}

fn policies(
    config: &Run,
    context: &Arc<Context>,
    touched: &broadcast::Sender<Touched>,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let client = &context.client;
    let controller = Controller::new(Api::<CachePolicy>::all(client.clone()), watcher::Config::default());
    let (of_children, of_regions) = (controller.store(), controller.store());
    let nearby = changes(touched).filter_map(move |touched| {
        let namespace = touched.key.namespace.as_deref().unwrap_or_default();
        std::future::ready(Some(triggers::policies_in(&of_children, namespace)))
    });
    let controller = controller
        .with_config(kube::runtime::controller::Config::default().concurrency(config.concurrency))
        .reconcile_on(nearby.flat_map(stream::iter))
        .watches(Api::<RegionDeployment>::all(client.clone()), watcher::Config::default(), move |region| {
            triggers::policies_in(&of_regions, &region.namespace().unwrap_or_default())
        })
        .graceful_shutdown_on(stop.clone().cancelled_owned());
    drive(controller.run(cache_policy::reconcile, never, Arc::clone(context)))
}

/// Changes of children, for one controller.
fn changes(touched: &broadcast::Sender<Touched>) -> impl Stream<Item = Touched> + Send + use<> {
    stream::unfold(touched.subscribe(), |mut receiver| async {
        loop {
            match receiver.recv().await {
                Ok(touched) => return Some((touched, receiver)),
                // The periodic look at everything makes up for what was missed.
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "more changes came than could be taken in");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
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
async fn check_kinds(client: &Client) -> Result<(), RunError> {
    check_kind::<KybTenant>(client).await?;
    check_kind::<RegionDeployment>(client).await?;
    check_kind::<CachePolicy>(client).await?;
    check_kind::<RegionReport>(client).await
}

async fn check_kind<K>(client: &Client) -> Result<(), RunError>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let kind = K::kind(&()).into_owned();
    let api: Api<K> = Api::all(client.clone());
    match api.list(&kube::api::ListParams::default().limit(1)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Err(RunError::NotInstalled(kind)),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            Err(RunError::NotAllowed(K::plural(&()).into_owned()))
        }
        Err(why) => Err(RunError::Cluster(Box::new(why))),
    }
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

fn lease(config: &Run, timing: Timing) -> LeaseSettings {
    LeaseSettings {
        namespace: config.namespace.clone(),
        name: "kyb-operator".to_owned(),
        identity: format!("{}_{:08x}", config.pod_name, rand::random::<u32>()),
        timing,
    }
}

fn account(config: &Run) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: config.service_account.clone(),
        namespace: Some(config.namespace.clone()),
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
