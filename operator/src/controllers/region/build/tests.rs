use kyb_crds::names;
use serde_json::{Value, json};

use super::*;
use crate::controllers::region::templates::Templates;

fn region(change: impl FnOnce(&mut Value)) -> ValidRegion {
    let mut object = json!({
        "apiVersion": "kyb.dev/v1alpha1",
        "kind": "RegionDeployment",
        "metadata": {"name": "us-east-1", "namespace": "kyb-us-east-1", "uid": "uid-1"},
        "spec": {
            "region": "us-east-1",
            "residency": "US",
            "environment": "development",
            "version": "0.1.0",
            "database": {"development": {}},
            "watchlists": [{"name": "ofac-sdn", "format": "OfacCsv", "url": "https://lists.example/"}],
        },
    });
    change(&mut object["spec"]);
    ValidRegion::of(&serde_json::from_value(object).unwrap(), Templates::NEWEST)
}

pub(super) fn children(region: &ValidRegion, migration: Migration) -> Vec<Child> {
    let operator = serde_json::from_value(
        json!({"kind": "ServiceAccount", "name": "kyb-operator", "namespace": "kyb-system"}),
    );
    let facts = Facts { migration, ..Facts::default() };
    let root = RootKey::new(&[7; 32]).unwrap();
    let built = concerns(region, &facts, &operator.unwrap(), &root);
    built.into_iter().filter_map(|concern| concern.children.ok()).flatten().collect()
}

fn find<'a>(children: &'a [Child], kind: &str, name: &str) -> Option<&'a Value> {
    let is = |child: &&Child| child.key().kind == kind && child.key().name == name;
    children.iter().find(is).map(Child::body)
}

#[test]
fn nothing_serves_before_the_migration_has_succeeded() {
    let region = region(|_| ());
    for unfinished in [Migration::Running, Migration::Failed(String::new())] {
        assert!(find(&children(&region, unfinished), "Deployment", "kyb-gateway").is_none());
    }
    assert!(find(&children(&region, Migration::Succeeded), "Deployment", "kyb-gateway").is_some());
}

#[test]
fn replicas_are_never_written_under_an_autoscaler() {
    let scaled = region(|spec| {
        spec["services"] =
            json!({"gateway": {"autoscaling": {"minReplicas": 3, "maxReplicas": 20, "cpuPercent": 70}}});
    });
    let built = children(&scaled, Migration::Succeeded);
    assert_eq!(find(&built, "Deployment", "kyb-gateway").unwrap()["spec"].get("replicas"), None);
    let autoscaler = &find(&built, "HorizontalPodAutoscaler", "kyb-gateway").unwrap()["spec"];
    assert_eq!((&autoscaler["minReplicas"], &autoscaler["maxReplicas"]), (&json!(3), &json!(20)));
    assert_eq!(autoscaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"], 300);
    let fixed = children(&region(|_| ()), Migration::Succeeded);
    assert_eq!(find(&fixed, "Deployment", "kyb-gateway").unwrap()["spec"]["replicas"], 1, "the profile's");
    assert!(find(&fixed, "HorizontalPodAutoscaler", "kyb-gateway").is_none());
}

#[test]
fn every_pod_is_locked_down() {
    let all = region(|spec| spec["redis"] = json!({"development": {}}));
    let built = children(&all, Migration::Succeeded);
    let templates: Vec<&Value> =
        built.iter().filter_map(|child| child.body().pointer("/spec/template/spec")).collect();
    assert_eq!(templates.len(), 5, "gateway, worker, migration, database, Redis");
    for pod in templates {
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{pod}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for container in pod["containers"].as_array().unwrap() {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false);
            assert_eq!(context["readOnlyRootFilesystem"], true);
            assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
            assert!(container["resources"]["limits"].is_object(), "{container}");
        }
    }
}

#[test]
fn no_password_stands_in_a_pod() {
    let built = children(&region(|_| ()), Migration::Succeeded);
    let root = RootKey::new(&[7; 32]).unwrap();
    let secret = root.database_password("kyb-us-east-1", "us-east-1", "kyb_runtime");
    for child in built.iter().filter(|child| child.key().kind != "Secret") {
        assert!(!child.body().to_string().contains(&secret), "{}", child.key());
    }
}

#[test]
fn what_would_change_a_migration_is_another_one() {
    let first = database::migration_name(&region(|_| ()));
    assert_eq!(first, database::migration_name(&region(|spec| spec["residency"] = "EU".into())));
    assert_ne!(first, database::migration_name(&region(|spec| spec["version"] = "0.2.0".into())));
    let verbose = region(|spec| spec["telemetry"] = json!({"logLevel": "debug"}));
    assert_ne!(first, database::migration_name(&verbose));
}

#[test]
fn a_period_that_the_workloads_would_refuse_is_refused_here() {
    let wrong = region(|spec| {
        spec["watchlists"][0]["refresh"] = "6h".into();
        spec["watchlists"][0]["maxAge"] = "1h".into();
    });
    let problem = settings::config_map(&wrong, None).unwrap_err();
    assert!(problem.message.contains("max_age"), "{problem}");
}

#[test]
fn the_development_database_has_a_password_for_each_role_and_gateways_scale_by_what_is_used() {
    let built = children(&region(|_| ()), Migration::Succeeded);
    let secret = find(&built, "Secret", names::POSTGRES).unwrap();
    assert_eq!(secret["type"], "Opaque");
    let data = secret["data"].as_object().unwrap();
    assert_eq!(
        data.len(),
        8,
        "four addresses, the server's own password, and one of each other role: {:?}",
        data.keys()
    );

    let scaled = region(|spec| {
        let scaling = json!({"minReplicas": 2, "maxReplicas": 5, "cpuPercent": 70, "memoryPercent": 80});
        spec["services"] = json!({"gateway": {"autoscaling": scaling}});
    });
    let built = children(&scaled, Migration::Succeeded);
    let spec = &find(&built, "HorizontalPodAutoscaler", names::GATEWAY).unwrap()["spec"];
    assert_eq!((&spec["minReplicas"], &spec["maxReplicas"]), (&json!(2), &json!(5)));
    assert_eq!(spec["scaleTargetRef"]["kind"], "Deployment");
    let metrics: Vec<_> =
        spec["metrics"].as_array().unwrap().iter().map(|metric| &metric["resource"]).collect();
    let utilisation = |name: &str, percent: i32| json!({"name": name, "target": {"type": "Utilization", "averageUtilization": percent}});
    assert_eq!(metrics, [&utilisation("cpu", 70), &utilisation("memory", 80)]);
    assert_eq!(spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"], 60);
    assert_eq!(spec["behavior"]["scaleDown"]["policies"][0]["value"], 10);
}
