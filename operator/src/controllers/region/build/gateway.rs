//! The HTTP API: Deployment, Service, autoscaler, disruption budget.

use k8s_openapi::{
    api::{
        autoscaling::v2::{
            CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
            HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget,
            ResourceMetricSource,
        },
        core::v1::{Service, ServicePort, ServiceSpec},
    },
    apimachinery::pkg::util::intstr::IntOrString,
};
use kyb_crds::{Autoscaling, names};
use kyb_kit::Child;

use super::{
    database,
    workload::{self, HTTP_PORT, Workload, object_meta, selector_labels},
};
use crate::{component::GATEWAY, controllers::region::validate::ValidRegion};

/// Everything of the gateway.
pub(super) fn gateway(region: &ValidRegion) -> Vec<Child> {
    let mut children = vec![
        deployment(region),
        Child::new(&service(region)),
        Child::new(&workload::disruption_budget(region, GATEWAY, names::GATEWAY)),
    ];
    children
        .extend(region.gateway.autoscaling.as_ref().map(|scaling| Child::new(&autoscaler(region, scaling))));
    children
}

fn deployment(region: &ValidRegion) -> Child {
    let (environment, volumes) = database::access(region, database::Role::Runtime);
    let deployment = workload::deployment(
        region,
        Workload {
            component: GATEWAY,
            name: names::GATEWAY,
            service: &region.gateway,
            arguments: vec![],
            environment,
            volumes,
            restart: region.restart_digest(),
        },
    );
    let child = Child::new(&deployment);
    if region.gateway.autoscaling.is_some() { child.leaving_replicas() } else { child }
}

fn service(region: &ValidRegion) -> Service {
    let expose = &region.expose;
    let mut metadata = object_meta(region, names::GATEWAY, GATEWAY);
    metadata.annotations = (!expose.annotations.is_empty()).then(|| expose.annotations.clone());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(expose.service_type.map_or("ClusterIP", kyb_crds::ServiceType::as_str).to_owned()),
            selector: Some(selector_labels(region, GATEWAY)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: expose.port.unwrap_or(80),
                target_port: Some(IntOrString::Int(HTTP_PORT)),
                node_port: expose.node_port,
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// Up fast, down slowly: double every 15 s after a minute of load, a tenth less every minute after five of calm.
fn autoscaler(region: &ValidRegion, scaling: &Autoscaling) -> HorizontalPodAutoscaler {
    let metrics = [("cpu", scaling.cpu_percent), ("memory", scaling.memory_percent)];
    let rules = |window: i32, percent: i32, period: i32| HPAScalingRules {
        stabilization_window_seconds: Some(window),
        select_policy: Some("Max".to_owned()),
        policies: Some(vec![HPAScalingPolicy {
            type_: "Percent".to_owned(),
            value: percent,
            period_seconds: period,
        }]),
        tolerance: None,
    };
    HorizontalPodAutoscaler {
        metadata: object_meta(region, names::GATEWAY, GATEWAY),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: names::GATEWAY.to_owned(),
            },
            min_replicas: Some(scaling.min_replicas),
            max_replicas: scaling.max_replicas,
            metrics: Some(
                metrics.into_iter().filter_map(|(name, percent)| Some(utilisation(name, percent?))).collect(),
            ),
            behavior: Some(HorizontalPodAutoscalerBehavior {
                scale_up: Some(rules(60, 100, 15)),
                scale_down: Some(rules(300, 10, 60)),
            }),
        }),
        status: None,
    }
}

fn utilisation(name: &str, percent: i32) -> MetricSpec {
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: name.to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(percent),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}
