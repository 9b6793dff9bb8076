//! Whether the installation is sound. Each check says what it found and, where something is wrong, what to do.

use clap::Args;
use k8s_openapi::{
    api::{
        admissionregistration::v1::{
            MutatingWebhookConfiguration, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
        },
        apps::v1::Deployment,
        authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
        coordination::v1::Lease,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, PostParams},
};
use kyb_crds::names;
use serde::Serialize;

use super::{
    Cluster, Look,
    output::{Answer, table},
};

/// What to look at.
#[derive(Debug, Clone, Args)]
pub(crate) struct Doctor {
    /// The namespace that the operator runs in
    #[arg(long, env = "KYB_OPERATOR_NAMESPACE", default_value = "kyb-system")]
    operator_namespace: String,
    #[command(flatten)]
    pub(crate) look: Look,
}

/// All checks of all clusters.
#[derive(Debug, Serialize)]
pub(crate) struct Findings(Vec<Finding>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    #[serde(skip_serializing_if = "String::is_empty")]
    cluster: String,
    check: &'static str,
    verdict: Verdict,
    what: String,
}

/// The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Good,
    /// Nothing is wrong, but something to know.
    Note,
    /// It could not be looked at.
    Unknown,
    Bad,
}

impl Findings {
    /// Nothing bad was found.
    pub(crate) fn is_sound(&self) -> bool {
        !self.0.iter().any(|finding| finding.verdict == Verdict::Bad)
    }
}

/// What a check found.
type Found = (Verdict, String);

pub(crate) async fn doctor(wanted: &Doctor, clusters: &[Cluster]) -> Findings {
    let mut findings = Vec::new();
    for cluster in clusters {
        let (client, namespace) = (&cluster.client, wanted.operator_namespace.as_str());
        let checks: [(&'static str, Vec<Found>); 7] = [
            ("kinds", kinds(client).await),
            ("other kinds", vec![optional_kinds(client).await]),
            ("operator", vec![operator(client, namespace).await]),
            ("lease and clock", vec![lease(client, namespace).await]),
            ("protection", vec![policies(client).await]),
            ("webhooks", vec![webhooks(client).await]),
            ("your rights", vec![rights(client).await]),
        ];
        for (check, found) in checks {
            let finding = |(verdict, what)| Finding { cluster: cluster.name.clone(), check, verdict, what };
            findings.extend(found.into_iter().map(finding));
        }
    }
    Findings(findings)
}

fn unknown(error: &kube::Error) -> Found {
    (Verdict::Unknown, format!("could not be looked at: {error}"))
}

async fn kinds(client: &Client) -> Vec<Found> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut found = Vec::new();
    for wanted in kyb_crds::definitions() {
        found.push(match api.get_opt(&wanted.name_any()).await {
            Err(error) => unknown(&error),
            Ok(None) => {
                (Verdict::Bad, format!("{} is not installed; install the chart kyb-crds", wanted.name_any()))
            }
            Ok(Some(there)) => compared(&wanted, &there),
        });
    }
    found
}

/// Whether the definition that is there is the one that this program knows.
fn compared(wanted: &CustomResourceDefinition, there: &CustomResourceDefinition) -> Found {
    let name = wanted.name_any();
    let fields = |definition: &CustomResourceDefinition| {
        let versions = definition.spec.versions.iter();
        let version =
            versions.into_iter().find(|version| version.name == names::VERSION && version.served)?;
        serde_json::to_value(&version.schema).ok()
    };
    let stored = there.status.as_ref().and_then(|status| status.stored_versions.clone()).unwrap_or_default();
    match (fields(wanted), fields(there)) {
        (_, None) => {
            (Verdict::Bad, format!("{name} serves no {}; upgrade the chart kyb-crds", names::VERSION))
        }
        (Some(wanted), Some(there)) if !kyb_kit::compare::differences(&wanted, &there).is_empty() => {
            let what = format!(
                "{name} has another schema than this program knows; bring chart and program to one version"
            );
            (Verdict::Note, what)
        }
        _ => (Verdict::Good, format!("{name}: {} served, stored as {}", names::VERSION, stored.join(", "))),
    }
}

/// Kinds of others that the charts can use.
const OPTIONAL: [(&str, &str); 1] =
    [("servicemonitors.monitoring.coreos.com", "metrics.serviceMonitor of the chart needs it")];

async fn optional_kinds(client: &Client) -> Found {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut missing = Vec::new();
    for (name, what_for) in OPTIONAL {
        match api.get_opt(name).await {
            Err(error) => return unknown(&error),
            Ok(None) => missing.push(format!("{name} is not installed: {what_for}")),
            Ok(Some(_)) => (),
        }
    }
    if missing.is_empty() {
        return (Verdict::Good, "all that the charts can use is there".to_owned());
    }
    (Verdict::Note, missing.join("; "))
}

async fn operator(client: &Client, namespace: &str) -> Found {
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let ours = ListParams::default().labels("app.kubernetes.io/name=kyb-operator");
    match api.list(&ours).await {
        Err(error) => unknown(&error),
        Ok(list) => match list.items.first() {
            None => {
                let what = format!(
                    "no operator in namespace {namespace}; install the chart kyb-operator, or name the namespace with --operator-namespace"
                );
                (Verdict::Bad, what)
            }
            Some(deployment) => replicas(deployment),
        },
    }
}

fn replicas(deployment: &Deployment) -> Found {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
    let what = format!("{ready} of {wanted} replicas ready");
    match ready {
        0 => (Verdict::Bad, format!("{what}; look at its pods and their log")),
        ready if ready < wanted => (Verdict::Note, what),
        _ => (Verdict::Good, what),
    }
}

async fn lease(client: &Client, namespace: &str) -> Found {
    let api: Api<Lease> = Api::namespaced(client.clone(), namespace);
    match api.get_opt("kyb-operator").await {
        Err(error) => unknown(&error),
        Ok(None) => (
            Verdict::Bad,
            format!("there is no Lease {namespace}/kyb-operator: no operator has ever run here"),
        ),
        Ok(Some(lease)) => held(&lease, Timestamp::now()),
    }
}

/// A clock may be wrong by this much before it is worth a word.
const TOLERANCE_SECONDS: i64 = 5;

fn held(lease: &Lease, now: Timestamp) -> Found {
    let spec = lease.spec.clone().unwrap_or_default();
    let Some(holder) = spec.holder_identity.filter(|holder| !holder.is_empty()) else {
        return (Verdict::Bad, "nobody holds the lease: no operator works".to_owned());
    };
    let Some(renewed) = spec.renew_time else {
        return (Verdict::Bad, format!("{holder} has never renewed the lease"));
    };
    let age = now.as_second() - renewed.0.as_second();
    let lasts = i64::from(spec.lease_duration_seconds.unwrap_or(15));
    if age < -TOLERANCE_SECONDS {
        return (
            Verdict::Note,
            format!("{holder} renewed the lease {} s from now: its clock, or this one, is wrong", -age),
        );
    }
    if age > lasts + TOLERANCE_SECONDS {
        return (
            Verdict::Bad,
            format!(
                "{holder} renewed the lease {age} s ago, which lasts {lasts} s: it is gone, or its clock is wrong"
            ),
        );
    }
    (Verdict::Good, format!("{holder} renewed it {} s ago", age.max(0)))
}

async fn policies(client: &Client) -> Found {
    let api: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    let list = match api.list(&ListParams::default()).await {
        Err(error) => return unknown(&error),
        Ok(list) => list.items,
    };
    let ours = list.iter().filter(|binding| {
        binding.labels().get("app.kubernetes.io/name").is_some_and(|name| name == "kyb-operator")
    });
    match ours.count() {
        0 => (Verdict::Bad, "no admission policy is bound: protected tenants can be deleted; install the chart with its policies".to_owned()),
        count => (Verdict::Good, format!("{count} admission policies are bound")),
    }
}

/// Whether our kinds are among these API groups.
fn are_ours(groups: Option<Vec<String>>) -> bool {
    groups.unwrap_or_default().iter().any(|group| group == "*" || group == names::GROUP)
}

/// A webhook that has to answer before our objects can be written makes its own outage ours.
async fn webhooks(client: &Client) -> Found {
    let (all, validating, mutating) = (
        ListParams::default(),
        Api::<ValidatingWebhookConfiguration>::all(client.clone()),
        Api::<MutatingWebhookConfiguration>::all(client.clone()),
    );
    let lists = tokio::try_join!(validating.list(&all), mutating.list(&all));
    let (validating, mutating) = match lists {
        Err(error) => return unknown(&error),
        Ok(lists) => lists,
    };
    let mut found = Vec::new();
    for configuration in validating {
        let rules = configuration
            .webhooks
            .clone()
            .into_iter()
            .flatten()
            .flat_map(|hook| hook.rules.unwrap_or_default());
        if rules.into_iter().any(|rule| are_ours(rule.api_groups)) {
            found.push(configuration.name_any());
        }
    }
    for configuration in mutating {
        let rules = configuration
            .webhooks
            .clone()
            .into_iter()
            .flatten()
            .flat_map(|hook| hook.rules.unwrap_or_default());
        if rules.into_iter().any(|rule| are_ours(rule.api_groups)) {
            found.push(configuration.name_any());
        }
    }
    if found.is_empty() {
        return (Verdict::Good, "none has to answer before our objects are written".to_owned());
    }
    (Verdict::Note, format!("{} have to answer before our objects are written", found.join(", ")))
}

/// What whoever runs this may do, of what its commands need.
const NEEDED: [(&str, &str, &str); 6] = [
    ("list", names::GROUP, "kybtenants"),
    ("list", names::GROUP, "regiondeployments"),
    ("list", names::GROUP, "cachepolicies"),
    ("list", names::GROUP, "regionreports"),
    ("patch", names::GROUP, "kybtenants"),
    ("list", "", "configmaps"),
];

async fn rights(client: &Client) -> Found {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let mut missing = Vec::new();
    for (verb, group, resource) in NEEDED {
        let attributes = ResourceAttributes {
            verb: Some(verb.to_owned()),
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        match api.create(&PostParams::default(), &review).await {
            Err(error) => return unknown(&error),
            Ok(answer) if answer.status.as_ref().is_some_and(|status| status.allowed) => (),
            Ok(_) => missing.push(format!("{verb} {resource}")),
        }
    }
    if missing.is_empty() {
        return (Verdict::Good, "enough for every command of this program".to_owned());
    }
    (Verdict::Note, format!("you may not {}; commands that need it will say so", missing.join(", ")))
}

impl Answer for Findings {
    fn text(&self) -> String {
        let rows = self.0.iter().map(|finding| {
            let verdict = match finding.verdict {
                Verdict::Good => "good",
                Verdict::Note => "note",
                Verdict::Unknown => "unknown",
                Verdict::Bad => "BAD",
            };
            let check = match finding.cluster.as_str() {
                "" => finding.check.to_owned(),
                cluster => format!("{cluster}: {}", finding.check),
            };
            [check, verdict.to_owned(), finding.what.clone()]
        });
        table(["CHECK", "VERDICT", "FOUND"], rows)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lease(spec: &serde_json::Value) -> Found {
        let lease: Lease = serde_json::from_value(json!({"spec": spec})).unwrap();
        held(&lease, "2026-01-01T00:01:00Z".parse().unwrap())
    }

    #[test]
    fn a_lease_that_was_not_renewed_in_time_is_bad_and_a_clock_that_runs_ahead_is_named() {
        let at = |time: &str| {
            lease(&json!({"holderIdentity": "one", "renewTime": time, "leaseDurationSeconds": 15}))
        };
        assert_eq!(at("2026-01-01T00:00:55.000000Z").0, Verdict::Good);
        assert_eq!(at("2026-01-01T00:00:30.000000Z").0, Verdict::Bad);
        assert_eq!(at("2026-01-01T00:01:30.000000Z").0, Verdict::Note);
        assert_eq!(lease(&json!({"holderIdentity": ""})).0, Verdict::Bad);
        assert_eq!(lease(&json!({"holderIdentity": "one"})).0, Verdict::Bad);
    }

    #[test]
    fn a_definition_of_another_version_is_told_from_ours() {
        let ours = kyb_crds::definitions().remove(0);
        assert_eq!(compared(&ours, &ours).0, Verdict::Good);
        let mut other = ours.clone();
        other.spec.versions[0].schema = None;
        assert_eq!(compared(&ours, &other).0, Verdict::Note);
        let mut other = ours.clone();
        other.spec.versions[0].served = false;
        assert_eq!(compared(&ours, &other).0, Verdict::Bad);
    }

    #[test]
    fn a_lease_may_be_late_and_a_clock_wrong_by_five_seconds() {
        let after = |seconds: i64| {
            let renewed =
                format!("2026-01-01T00:{:02}:{:02}.000000Z", (60 - seconds) / 60, (60 - seconds) % 60);
            lease(&json!({"holderIdentity": "one", "renewTime": renewed, "leaseDurationSeconds": 10}))
        };
        assert_eq!(after(15), (Verdict::Good, "one renewed it 15 s ago".to_owned()));
        assert_eq!(after(16).0, Verdict::Bad);
        assert!(after(16).1.contains("16 s ago, which lasts 10 s"), "{}", after(16).1);
        assert_eq!(after(-5), (Verdict::Good, "one renewed it 0 s ago".to_owned()));
        assert_eq!(after(-6).0, Verdict::Note);
        assert!(after(-6).1.contains("6 s from now"), "{}", after(-6).1);
        // Without a duration the usual one holds.
        let usual = lease(&json!({"holderIdentity": "one", "renewTime": "2026-01-01T00:00:40.000000Z"}));
        assert_eq!(usual.0, Verdict::Good);
    }

    #[test]
    fn findings_name_their_cluster_where_there_are_several() {
        let finding = |cluster: &str, verdict| Finding {
            cluster: cluster.to_owned(),
            check: "lease",
            verdict,
            what: "found".to_owned(),
        };
        let text = Findings(vec![
            finding("", Verdict::Good),
            finding("eu", Verdict::Bad),
            finding("us", Verdict::Note),
            finding("ap", Verdict::Unknown),
        ])
        .text();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["lease", "good", "found"]);
        assert_eq!(lines[2], ["eu:", "lease", "BAD", "found"]);
        assert_eq!(lines[3], ["us:", "lease", "note", "found"]);
        assert_eq!(lines[4], ["ap:", "lease", "unknown", "found"]);
    }

    #[test]
    fn a_webhook_of_all_groups_is_one_of_ours_too() {
        let of = |groups: &[&str]| are_ours(Some(groups.iter().map(|group| (*group).to_owned()).collect()));
        assert!(of(&["*"]) && of(&["apps", "kyb.dev"]));
        assert!(!of(&["apps", ""]) && !of(&[]) && !are_ours(None));
    }
}
