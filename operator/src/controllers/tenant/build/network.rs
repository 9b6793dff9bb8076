//! Who may talk to a tenant's pods, and to whom they may talk: nobody, but for DNS, the gateways of the platform, pods of
//! the same namespace's tenant that are named by a policy of their own, and the networks that the spec lists.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::networking::v1::{
        IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
        NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, LabelSelectorRequirement},
        util::intstr::IntOrString,
    },
};
use kyb_crds::names;

use super::{Place, object_meta};
use crate::{
    component,
    controllers::tenant::validate::{Egress, ValidTenant},
};

const DNS_PORT: i32 = 53;

/// The policies of all of the tenant's namespaces.
pub(super) fn policies(tenant: &ValidTenant) -> Vec<NetworkPolicy> {
    tenant.places().iter().flat_map(|place| of_place(tenant, place)).collect()
}

fn of_place(tenant: &ValidTenant, place: &Place) -> Vec<NetworkPolicy> {
    let mut policies = vec![deny_all(place), dns(place), from_gateways(place)];
    policies.extend(tenant.egress.iter().map(|egress| to_network(place, egress)));
    policies
}

/// Selects every pod and allows nothing, both ways.
fn deny_all(place: &Place) -> NetworkPolicy {
    policy(place, "kyb-deny-all", &["Ingress", "Egress"], None, None)
}

/// Names can be resolved: the cluster's DNS pods, and no other.
fn dns(place: &Place) -> NetworkPolicy {
    let peer = NetworkPolicyPeer {
        namespace_selector: Some(labelled("kubernetes.io/metadata.name", "kube-system")),
        pod_selector: Some(labelled("k8s-app", "kube-dns")),
        ip_block: None,
    };
    let rule = NetworkPolicyEgressRule {
        ports: Some(["UDP", "TCP"].map(|protocol| port(protocol, DNS_PORT)).to_vec()),
        to: Some(vec![peer]),
    };
    policy(place, "kyb-allow-dns", &["Egress"], None, Some(vec![rule]))
}

/// Gateways, in whichever namespace serves a region, may call the tenant's own services.
fn from_gateways(place: &Place) -> NetworkPolicy {
    let has_region = LabelSelectorRequirement {
        key: names::REGION_LABEL.to_owned(),
        operator: "Exists".to_owned(),
        values: None,
    };
    let peer = NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector {
            match_expressions: Some(vec![has_region]),
            match_labels: None,
        }),
        pod_selector: Some(labelled(names::COMPONENT_LABEL, component::GATEWAY)),
        ip_block: None,
    };
    let rule = NetworkPolicyIngressRule { from: Some(vec![peer]), ports: None };
    policy(place, "kyb-allow-gateways", &["Ingress"], Some(vec![rule]), None)
}

fn to_network(place: &Place, egress: &Egress) -> NetworkPolicy {
    let peer = NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr: egress.cidr.clone(), except: None }),
        ..NetworkPolicyPeer::default()
    };
    let ports: Vec<_> = egress.ports.iter().map(|number| port("TCP", *number)).collect();
    let rule = NetworkPolicyEgressRule { to: Some(vec![peer]), ports: (!ports.is_empty()).then_some(ports) };
    policy(place, &format!("kyb-egress-{}", egress.name), &["Egress"], None, Some(vec![rule]))
}

fn policy(
    place: &Place,
    name: &str,
    types: &[&str],
    ingress: Option<Vec<NetworkPolicyIngressRule>>,
    egress: Option<Vec<NetworkPolicyEgressRule>>,
) -> NetworkPolicy {
    NetworkPolicy {
        metadata: object_meta(name, Some(&place.namespace)),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector::default()),
            policy_types: Some(types.iter().map(|name| (*name).to_owned()).collect()),
            ingress,
            egress,
        }),
    }
}

fn port(protocol: &str, number: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(number)),
        end_port: None,
    }
}

fn labelled(name: &str, value: &str) -> LabelSelector {
    let labels = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    LabelSelector { match_labels: Some(labels), match_expressions: None }
}
