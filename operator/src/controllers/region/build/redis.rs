//! The development Redis: one pod that keeps nothing.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy},
        core::v1::{Container, ContainerPort, PodTemplateSpec, Probe, ResourceRequirements, TCPSocketAction},
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use kyb_crds::names;
use kyb_kit::Child;

use super::workload::{locked_down, pod, port_service, selector_labels, workload_meta};
use crate::{
    component::REDIS,
    controllers::{region::validate::ValidRegion, tenant::build::limits::quantities},
};

/// Redis' port.
pub(super) const PORT: i32 = 6379;

/// The pod and its Service.
pub(super) fn development(region: &ValidRegion, image: &str) -> Vec<Child> {
    vec![
        Child::new(&deployment(region, image)),
        Child::new(&port_service(region, names::REDIS, REDIS, ("redis", PORT))),
    ]
}

fn deployment(region: &ValidRegion, image: &str) -> Deployment {
    let metadata = workload_meta(region, names::REDIS, REDIS);
    let mut labels = metadata.labels.clone().unwrap_or_default();
    labels.insert(names::MANAGED_BY_LABEL.to_owned(), names::MANAGED_BY.to_owned());
    let mut spec = pod(region, container(region, image), vec![]);
    spec.automount_service_account_token = Some(false);
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            strategy: Some(DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }),
            selector: LabelSelector {
                match_labels: Some(selector_labels(region, REDIS)),
                match_expressions: None,
            },
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }),
                spec: Some(spec),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

fn container(region: &ValidRegion, image: &str) -> Container {
    let arguments =
        ["--save", "", "--appendonly", "no", "--maxmemory", "96mb", "--maxmemory-policy", "allkeys-lru"];
    Container {
        name: REDIS.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some(region.pull_policy.to_owned()),
        command: Some(vec!["redis-server".to_owned()]),
        args: Some(arguments.map(str::to_owned).to_vec()),
        ports: Some(vec![ContainerPort {
            name: Some("redis".to_owned()),
            container_port: PORT,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        readiness_probe: Some(Probe {
            tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(PORT), host: None }),
            period_seconds: Some(3),
            ..Probe::default()
        }),
        resources: Some(ResourceRequirements {
            requests: Some(quantities(&[("cpu", "50m"), ("memory", "64Mi")])),
            limits: Some(quantities(&[("cpu", "250m"), ("memory", "128Mi")])),
            claims: None,
        }),
        security_context: Some(locked_down()),
        ..Container::default()
    }
}
