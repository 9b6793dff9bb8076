//! Who may talk to the region's pods, and to whom they may talk.
//!
//! | pods | may be reached by | may reach |
//! |---|---|---|
//! | all | nobody | DNS |
//! | gateway | anybody, on its port | the database, the cache, the API server |
//! | worker | nobody | any network over TCP: publishers, the database, the API server |
//! | development database, Redis | gateway, worker and migration | nobody |
//! | migration | nobody | the database |
//!
//! The API server, and a database or Redis of one's own, are addresses that no policy can name ahead of time; so the pods
//! that need them may leave the cluster over TCP.

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

use super::{
    database, redis,
    workload::{HTTP_PORT, object_meta, selector_labels},
};
use crate::{
    component::{DATABASE, GATEWAY, MIGRATION, REDIS, WORKER},
    controllers::region::validate::ValidRegion,
};

/// The region's policies.
pub(super) fn policies(region: &ValidRegion) -> Vec<NetworkPolicy> {
    let callers = |components: &[&str]| vec![peer(among(components))];
    vec![
        policy(region, "kyb-deny-all", &[], Some(vec![]), Some(vec![])),
        policy(region, "kyb-allow-dns", &[], None, Some(vec![dns()])),
        policy(region, "kyb-gateway", &[GATEWAY], Some(vec![ingress(vec![], HTTP_PORT)]), None),
        policy(region, "kyb-outward", &[GATEWAY, WORKER, MIGRATION], None, Some(vec![any_tcp()])),
        policy(
            region,
            "kyb-database",
            &[DATABASE],
            Some(vec![ingress(callers(&[GATEWAY, WORKER, MIGRATION]), database::PORT)]),
            None,
        ),
        policy(
            region,
            "kyb-redis",
            &[REDIS],
            Some(vec![ingress(callers(&[GATEWAY, WORKER]), redis::PORT)]),
            None,
        ),
    ]
}

/// Without components, of every pod.
fn policy(
    region: &ValidRegion,
    name: &str,
    components: &[&str],
    ingress: Option<Vec<NetworkPolicyIngressRule>>,
    egress: Option<Vec<NetworkPolicyEgressRule>>,
) -> NetworkPolicy {
    let types = [(ingress.is_some(), "Ingress"), (egress.is_some(), "Egress")];
    let types = types.into_iter().filter(|(there, _)| *there).map(|(_, name)| name.to_owned());
    let selector = match components {
        [] => LabelSelector::default(),
        [one] => LabelSelector { match_labels: Some(selector_labels(region, one)), match_expressions: None },
        several => among(several),
    };
    // An empty list of rules is left out: the server does not keep it, and a type without rules allows nothing.
    NetworkPolicy {
        metadata: object_meta(region, name, components.first().copied().unwrap_or("network")),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector),
            policy_types: Some(types.collect()),
            ingress: ingress.filter(|rules| !rules.is_empty()),
            egress: egress.filter(|rules| !rules.is_empty()),
        }),
    }
}

fn among(components: &[&str]) -> LabelSelector {
    let requirement = LabelSelectorRequirement {
        key: names::COMPONENT_LABEL.to_owned(),
        operator: "In".to_owned(),
        values: Some(components.iter().map(|name| (*name).to_owned()).collect()),
    };
    LabelSelector { match_expressions: Some(vec![requirement]), match_labels: None }
}

fn peer(pods: LabelSelector) -> NetworkPolicyPeer {
    NetworkPolicyPeer { pod_selector: Some(pods), ..NetworkPolicyPeer::default() }
}

fn ingress(from: Vec<NetworkPolicyPeer>, port: i32) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule { from: (!from.is_empty()).then_some(from), ports: Some(vec![tcp(Some(port))]) }
}

fn any_tcp() -> NetworkPolicyEgressRule {
    let anywhere = |cidr: &str| NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr: cidr.to_owned(), except: None }),
        ..NetworkPolicyPeer::default()
    };
    NetworkPolicyEgressRule {
        to: Some(["0.0.0.0/0", "::/0"].map(anywhere).to_vec()),
        ports: Some(vec![tcp(None)]),
    }
}

fn dns() -> NetworkPolicyEgressRule {
    let labelled = |name: &str, value: &str| LabelSelector {
        match_labels: Some(BTreeMap::from([(name.to_owned(), value.to_owned())])),
        match_expressions: None,
    };
    let resolver = NetworkPolicyPeer {
        namespace_selector: Some(labelled("kubernetes.io/metadata.name", "kube-system")),
        pod_selector: Some(labelled("k8s-app", "kube-dns")),
        ip_block: None,
    };
    let udp = NetworkPolicyPort { protocol: Some("UDP".to_owned()), ..tcp(Some(53)) };
    NetworkPolicyEgressRule { to: Some(vec![resolver]), ports: Some(vec![udp, tcp(Some(53))]) }
}

fn tcp(port: Option<i32>) -> NetworkPolicyPort {
    NetworkPolicyPort { protocol: Some("TCP".to_owned()), port: port.map(IntOrString::Int), end_port: None }
}
