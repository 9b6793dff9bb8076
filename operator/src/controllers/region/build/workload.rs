//! What gateway and worker have in common: a Deployment of locked-down pods, spread over hosts and zones.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{
            Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
            LocalObjectReference, ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec, Probe,
            ResourceRequirements, SeccompProfile, SecurityContext, ServicePort, ServiceSpec, Toleration,
            TopologySpreadConstraint, Volume, VolumeMount,
        },
        policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use kyb_crds::names;

use crate::controllers::region::{
    templates::Templates,
    validate::{Service, ValidRegion},
};

/// The user that our images run as; it owns nothing in them.
pub(super) const NOBODY: i64 = 65_532;
/// The port that a workload serves probes and metrics on, and the gateway its API.
pub(super) const HTTP_PORT: i32 = 8080;
/// Time to finish what is under way: the gateway drains for 5 s and answers for up to 30 s.
const GRACE_SECONDS: i64 = 45;
/// A start is looked at each second, for five minutes.
const START_ATTEMPTS: i32 = 300;

/// One workload's container, before it is wrapped.
pub(super) struct Workload<'a> {
    pub(super) component: &'static str,
    pub(super) name: &'static str,
    pub(super) service: &'a Service,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<EnvVar>,
    pub(super) volumes: Vec<(Volume, VolumeMount)>,
    /// What the pods read only when they start: they are replaced when it changes.
    pub(super) restart: String,
}

/// The Deployment. `replicas` is set only where no autoscaler decides.
pub(super) fn deployment(region: &ValidRegion, workload: Workload<'_>) -> Deployment {
    let selector = selector_labels(region, workload.component);
    let one = IntOrString::Int(1);
    Deployment {
        metadata: workload_meta(region, workload.name, workload.component),
        spec: Some(DeploymentSpec {
            replicas: workload.service.replicas,
            revision_history_limit: Some(3),
            progress_deadline_seconds: Some(300),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(one),
                    max_unavailable: Some(IntOrString::Int(0)),
                }),
            }),
            selector: LabelSelector { match_labels: Some(selector.clone()), match_expressions: None },
            template: template(region, workload, &selector),
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn template(
    region: &ValidRegion,
    workload: Workload<'_>,
    selector: &BTreeMap<String, String>,
) -> PodTemplateSpec {
    let mut labels = labels(region, workload.component);
    labels.extend(selector.clone());
    labels.insert(names::MANAGED_BY_LABEL.to_owned(), names::MANAGED_BY.to_owned());
    let metadata = ObjectMeta {
        labels: Some(labels),
        annotations: Some(BTreeMap::from([(names::RESTART_ANNOTATION.to_owned(), workload.restart.clone())])),
        ..ObjectMeta::default()
    };
    let scheduling = workload.service.scheduling.clone().unwrap_or_default();
    let spec = PodSpec {
        service_account_name: Some(workload.name.to_owned()),
        priority_class_name: scheduling.priority_class_name.as_ref().map(ToString::to_string),
        node_selector: some_if_any(scheduling.node_selector),
        tolerations: some_unless_empty(scheduling.tolerations.iter().map(toleration).collect()),
        topology_spread_constraints: Some(spread(selector)),
        termination_grace_period_seconds: Some(GRACE_SECONDS),
        ..pod(
            region,
            container(region, &workload),
            workload.volumes.into_iter().map(|(volume, _)| volume).collect(),
        )
    };
    PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) }
}

/// A pod under Pod Security `restricted`, as every pod of ours.
pub(super) fn pod(region: &ValidRegion, container: Container, volumes: Vec<Volume>) -> PodSpec {
    let secrets = region.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() });
    PodSpec {
        containers: vec![container],
        volumes: some_unless_empty(volumes),
        image_pull_secrets: some_unless_empty(secrets.collect()),
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(NOBODY),
            run_as_group: Some(NOBODY),
            fs_group: Some(NOBODY),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                localhost_profile: None,
            }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

fn container(region: &ValidRegion, workload: &Workload<'_>) -> Container {
    let mut environment = common_environment(region);
    environment.extend(workload.environment.clone());
    let probes = Probes::of(region.templates);
    Container {
        name: workload.component.to_owned(),
        image: Some(workload.service.image.clone()),
        image_pull_policy: Some(region.pull_policy.to_owned()),
        args: some_unless_empty(workload.arguments.clone()),
        env: Some(environment),
        ports: Some(vec![ContainerPort {
            name: Some("http".to_owned()),
            container_port: HTTP_PORT,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        startup_probe: probes.startup,
        liveness_probe: Some(probes.liveness),
        readiness_probe: Some(probes.readiness),
        resources: Some(ResourceRequirements {
            requests: Some(workload.service.requests.clone()),
            limits: Some(workload.service.limits.clone()),
            claims: None,
        }),
        volume_mounts: some_unless_empty(workload.volumes.iter().map(|(_, mount)| mount.clone()).collect()),
        security_context: Some(locked_down()),
        // What it says last stands in the pod's status, and from there in the region's.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// No privileges, no capabilities, nothing to write to.
pub(super) fn locked_down() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        ..SecurityContext::default()
    }
}

fn common_environment(region: &ValidRegion) -> Vec<EnvVar> {
    let mut environment = vec![
        variable("KYB_LISTEN", &format!("0.0.0.0:{HTTP_PORT}")),
        from_field("KYB_SETTINGS_NAMESPACE", "metadata.namespace"),
        from_field("KYB_POD_NAME", "metadata.name"),
        variable("RUST_LOG", region.log_level),
    ];
    if let Some(endpoint) = &region.otlp_endpoint {
        environment.push(variable("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
    }
    environment
}

/// A variable with a fixed value.
pub(super) fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

fn from_field(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: path.to_owned() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value: None, value_from: Some(source) }
}

/// How a pod is looked after.
struct Probes {
    startup: Option<Probe>,
    liveness: Probe,
    readiness: Probe,
}

impl Probes {
    fn of(templates: Templates) -> Self {
        let delayed =
            |path, delay, period| Probe { initial_delay_seconds: Some(delay), ..probe(path, period) };
        match templates {
            Templates::First => Self {
                startup: None,
                liveness: delayed("/health", 30, 10),
                readiness: delayed("/ready", 5, 5),
            },
            Templates::StartupProbes => Self {
                startup: Some(Probe { failure_threshold: Some(START_ATTEMPTS), ..probe("/health", 1) }),
                liveness: probe("/health", 10),
                readiness: probe("/ready", 5),
            },
        }
    }
}

fn probe(path: &str, period: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("http".to_owned()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(3),
        failure_threshold: Some(3),
        ..Probe::default()
    }
}

/// Over hosts and zones, as far as the cluster can.
fn spread(selector: &BTreeMap<String, String>) -> Vec<TopologySpreadConstraint> {
    let over = |key: &str| TopologySpreadConstraint {
        topology_key: key.to_owned(),
        max_skew: 1,
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(LabelSelector { match_labels: Some(selector.clone()), match_expressions: None }),
        ..TopologySpreadConstraint::default()
    };
    vec![over("kubernetes.io/hostname"), over("topology.kubernetes.io/zone")]
}

fn toleration(spec: &kyb_crds::Toleration) -> Toleration {
    let operator = |operator| match operator {
        kyb_crds::TolerationOperator::Equal => "Equal",
        kyb_crds::TolerationOperator::Exists => "Exists",
    };
    let effect = |effect| match effect {
        kyb_crds::TaintEffect::NoSchedule => "NoSchedule",
        kyb_crds::TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        kyb_crds::TaintEffect::NoExecute => "NoExecute",
    };
    Toleration {
        key: spec.key.clone(),
        operator: spec.operator.map(|given| operator(given).to_owned()),
        value: spec.value.clone(),
        effect: spec.effect.map(|given| effect(given).to_owned()),
        toleration_seconds: spec.toleration_seconds,
    }
}

/// At most one pod of a workload goes at a time when a node is emptied.
pub(super) fn disruption_budget(region: &ValidRegion, component: &str, name: &str) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: object_meta(region, name, component),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector {
                match_labels: Some(selector_labels(region, component)),
                match_expressions: None,
            }),
            ..PodDisruptionBudgetSpec::default()
        }),
        status: None,
    }
}

/// A Service inside the cluster, with one port of a name and the same number on both sides.
pub(super) fn port_service(
    region: &ValidRegion,
    name: &str,
    component: &str,
    (port_name, port): (&str, i32),
) -> k8s_openapi::api::core::v1::Service {
    k8s_openapi::api::core::v1::Service {
        metadata: object_meta(region, name, component),
        spec: Some(ServiceSpec {
            selector: Some(selector_labels(region, component)),
            ports: Some(vec![ServicePort {
                name: Some(port_name.to_owned()),
                port,
                target_port: Some(IntOrString::Int(port)),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// Name, place and labels of one of the region's objects.
pub(super) fn object_meta(region: &ValidRegion, name: &str, component: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(region.namespace.clone()),
        labels: Some(labels(region, component)),
        ..ObjectMeta::default()
    }
}

/// The same for what has a pod template, with the revision that it is of.
pub(super) fn workload_meta(region: &ValidRegion, name: &str, component: &str) -> ObjectMeta {
    let revision = region.templates.number().to_string();
    let annotations = BTreeMap::from([(names::TEMPLATE_REVISION_ANNOTATION.to_owned(), revision)]);
    ObjectMeta { annotations: Some(annotations), ..object_meta(region, name, component) }
}

fn labels(region: &ValidRegion, component: &str) -> BTreeMap<String, String> {
    let mut labels = selector_labels(region, component);
    labels.extend([
        (names::PART_OF_LABEL.to_owned(), names::PART_OF.to_owned()),
        (names::REGION_LABEL.to_owned(), region.region.clone()),
        (names::ENVIRONMENT_LABEL.to_owned(), region.environment.as_str().to_owned()),
    ]);
    labels
}

/// What selects a component's pods. Never changes, since a Deployment's selector can't.
pub(super) fn selector_labels(region: &ValidRegion, component: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (names::INSTANCE_LABEL.to_owned(), region.name.clone()),
        (names::COMPONENT_LABEL.to_owned(), component.to_owned()),
    ])
}

pub(super) fn some_unless_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn some_if_any(map: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    (!map.is_empty()).then_some(map)
}
