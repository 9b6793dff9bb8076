use serde_json::{Value, json};

use super::*;
use crate::rule_cases::{Case, accepts, accepts_change, refuses, refuses_change, run};

fn good() -> Value {
    json!({
        "apiVersion": "kyb.dev/v1alpha1", "kind": "RegionDeployment",
        "metadata": {"name": "us-east-1", "namespace": "kyb-us-east-1"},
        "spec": {
            "region": "us-east-1", "residency": "US", "environment": "development", "version": "0.1.0",
            "database": {"development": {"storage": "1Gi"}},
        },
    })
}

fn spec(patch: &Value) -> Value {
    json!({"spec": patch})
}

fn secret(name: &str) -> Value {
    json!({"name": name, "key": "url"})
}

fn external() -> Value {
    json!({"external": {"migrator": secret("a"), "runtime": secret("b"), "reader": secret("c")}, "development": null})
}

#[test]
fn a_region_obeys_its_rules_and_no_rule_is_without_a_case() {
    let cases: Vec<Case> =
        [identity(), production(), data(), services(), watchlists()].into_iter().flatten().collect();
    run::<RegionDeployment>(&good(), &cases);
}

fn identity() -> Vec<Case> {
    let region = |region: &str| spec(&json!({"region": region}));
    let residency = |residency: &str| spec(&json!({"residency": residency}));
    vec![
        accepts_change(region("us-east-1"), region("us-east-1")),
        refuses_change(
            region("us-east-1"),
            region("us-west-2"),
            "region can not be changed; make a RegionDeployment for the other region instead",
        ),
        refuses(region("us--east"), "region must not contain `--`"),
        refuses_change(
            residency("US"),
            residency("EU"),
            "residency can not be changed: one database holds one residency only; make a new RegionDeployment",
        ),
    ]
}

fn production() -> Vec<Case> {
    const DATABASE: &str =
        "a production region needs database.external; a development database is one pod without backup";
    const REDIS: &str = "a production region needs redis.external, or no redis at all";
    const HTTPS: &str =
        "a production region reads watchlists over https only: a list changed on its way is worth nothing";
    let production = |patch: Value| {
        let mut whole = json!({"environment": "production", "database": external()});
        whole
            .as_object_mut()
            .into_iter()
            .for_each(|w| w.extend(patch.as_object().cloned().unwrap_or_default()));
        spec(&whole)
    };
    let list = |url: &str| json!({"watchlists": [{"name": "un", "format": "UnXml", "url": url}]});
    let files = |url: &str| json!({"watchlists": [{"name": "un", "format": "UnXml", "urls": [url]}]});
    vec![
        accepts(production(json!({}))),
        accepts(production(json!({"redis": {"external": {"url": secret("redis")}}}))),
        refuses(spec(&json!({"environment": "production"})), DATABASE),
        refuses(production(json!({"redis": {"development": {}}})), REDIS),
        accepts(production(list("https://lists.example/un.xml"))),
        refuses(production(list("http://lists.example/un.xml")), HTTPS),
        refuses(production(files("http://lists.example/un.xml")), HTTPS),
        accepts(spec(&list("http://lists.example/un.xml"))),
    ]
}

fn data() -> Vec<Case> {
    const ONE_DATABASE: &str = "database needs exactly one of external and development";
    const ONE_REDIS: &str =
        "redis needs exactly one of external and development; leave redis out to run without";
    const THREE: &str =
        "migrator, runtime and reader must be three credentials: only the migrator may change tables";
    const GROW: &str = "storage may only grow: a volume can not be made smaller";
    const CLASS: &str = "storageClassName can not be changed: the volume exists";
    let database = |database: Value| spec(&json!({"database": database}));
    let storage = |size: Value| database(json!({"development": {"storage": size}}));
    let class = |class: Value| database(json!({"development": {"storageClassName": class}}));
    let mut both = external();
    both["development"] = json!({});
    let mut same = external();
    same["external"]["reader"] = secret("b");
    vec![
        accepts(database(external())),
        refuses(database(both), ONE_DATABASE),
        refuses(database(json!({"development": null})), ONE_DATABASE),
        refuses(database(same), THREE),
        accepts_change(storage(json!("1Gi")), storage(json!("2Gi"))),
        accepts_change(storage(json!("1024Mi")), storage(json!("1Gi"))),
        accepts_change(storage(Value::Null), storage(json!("2Gi"))),
        refuses_change(storage(json!("1Gi")), storage(json!("512Mi")), GROW),
        refuses_change(storage(json!("1Gi")), storage(Value::Null), GROW),
        accepts_change(class(json!("fast")), class(json!("fast"))),
        refuses_change(class(json!("fast")), class(json!("slow")), CLASS),
        refuses_change(class(Value::Null), class(json!("slow")), CLASS),
        accepts(spec(&json!({"redis": {"development": {}}}))),
        refuses(spec(&json!({"redis": {}})), ONE_REDIS),
        refuses(
            spec(&json!({"redis": {"development": {}, "external": {"url": secret("redis")}}})),
            ONE_REDIS,
        ),
    ]
}

fn services() -> Vec<Case> {
    const EITHER: &str =
        "say either replicas or autoscaling: under an autoscaler the number of replicas is its to choose";
    const ORDER: &str = "autoscaling.minReplicas must not be above autoscaling.maxReplicas";
    const METRIC: &str = "autoscaling needs cpuPercent, memoryPercent or both to scale by";
    const NODE_PORT: &str =
        "nodePort is for a Service of type NodePort or LoadBalancer; set type, or leave nodePort out";
    const VALUE: &str = "a toleration with operator Exists must not have a value";
    const KEY: &str = "a toleration without a key tolerates everything; say operator Exists if that is meant";
    let gateway = |gateway: Value| spec(&json!({"services": {"gateway": gateway}}));
    let scale = |min: i32, max: i32| json!({"minReplicas": min, "maxReplicas": max, "cpuPercent": 70});
    let expose = |expose: Value| spec(&json!({"expose": expose}));
    let tolerate = |toleration: Value| gateway(json!({"scheduling": {"tolerations": [toleration]}}));
    vec![
        accepts(gateway(json!({"replicas": 2}))),
        accepts(gateway(json!({"autoscaling": scale(3, 20)}))),
        accepts(gateway(json!({"autoscaling": scale(3, 3)}))),
        refuses(gateway(json!({"replicas": 2, "autoscaling": scale(3, 20)})), EITHER),
        refuses(gateway(json!({"autoscaling": scale(4, 3)})), ORDER),
        refuses(gateway(json!({"autoscaling": {"minReplicas": 1, "maxReplicas": 2}})), METRIC),
        accepts(expose(json!({"port": 80}))),
        accepts(expose(json!({"type": "NodePort", "nodePort": 30080}))),
        refuses(expose(json!({"nodePort": 30080})), NODE_PORT),
        refuses(expose(json!({"type": "ClusterIP", "nodePort": 30080})), NODE_PORT),
        accepts(tolerate(json!({"key": "dedicated", "value": "kyb"}))),
        accepts(tolerate(json!({"operator": "Exists"}))),
        refuses(tolerate(json!({"key": "dedicated", "operator": "Exists", "value": "kyb"})), VALUE),
        refuses(tolerate(json!({"value": "kyb"})), KEY),
    ]
}

fn watchlists() -> Vec<Case> {
    const ONE: &str = "a watchlist needs exactly one of url and urls";
    const FOLDER: &str =
        "OFAC publishes three files: let url end in `/` to name their folder, or name each file in urls";
    const FILE: &str = "only the files of OfacCsv and UnXml have names that a folder can be searched for: let url name the file";
    const URL: &str = "url must begin with https:// or http:// and hold no user name or password";
    const URLS: &str = "urls must begin with https:// or http:// and hold no user name or password";
    let list = |format: &str, source: Value| {
        let mut whole = json!({"name": "list", "format": format});
        whole
            .as_object_mut()
            .into_iter()
            .for_each(|w| w.extend(source.as_object().cloned().unwrap_or_default()));
        spec(&json!({"watchlists": [whole]}))
    };
    vec![
        accepts(list("UnXml", json!({"url": "https://lists.example/un.xml"}))),
        accepts(list("OfacCsv", json!({"url": "http://lists.example/"}))),
        accepts(list("OfacCsv", json!({"urls": ["https://lists.example/sdn.csv"]}))),
        accepts(list("EuXml", json!({"url": "https://lists.example/eu.xml"}))),
        accepts(list("OpenSanctions", json!({"urls": ["https://lists.example/entities.ftm.json"]}))),
        refuses(list("UkCsv", json!({"url": "https://lists.example/"})), FILE),
        refuses(list("UnXml", json!({})), ONE),
        refuses(list("UnXml", json!({"url": "https://a.example", "urls": ["https://a.example"]})), ONE),
        refuses(list("OfacCsv", json!({"url": "https://lists.example/sdn.csv"})), FOLDER),
        refuses(list("UnXml", json!({"url": "ftp://lists.example/un.xml"})), URL),
        refuses(list("UnXml", json!({"url": "https://me:secret@lists.example/un.xml"})), URL),
        refuses(list("UnXml", json!({"urls": ["file:///etc/passwd"]})), URLS),
    ]
}

#[test]
fn a_folder_stands_for_the_publishers_own_files() {
    let source = |format, url: &str| WatchlistSource {
        name: "list".into(),
        format,
        url: Some(url.to_owned()),
        urls: None,
        refresh: None,
        max_age: None,
        accept_shrink: None,
    };
    let ofac = source(WatchlistFormat::OfacCsv, "http://lists/ofac/");
    let wanted = ["http://lists/ofac/sdn.csv", "http://lists/ofac/alt.csv", "http://lists/ofac/add.csv"];
    assert_eq!(ofac.file_urls(), wanted);
    assert_eq!(
        source(WatchlistFormat::UnXml, "http://lists/un/").file_urls(),
        ["http://lists/un/consolidated.xml"]
    );
    assert_eq!(source(WatchlistFormat::UnXml, "http://lists/x.xml").file_urls(), ["http://lists/x.xml"]);
}

#[test]
fn an_image_is_made_of_registry_repository_component_and_version() {
    let version = PlatformVersion::from("0.1.0");
    let default = ImageSpec::default();
    assert_eq!(default.reference("kyb-gateway", &version), "docker.io/kyb/kyb-gateway:0.1.0");
    let own = ImageSpec {
        registry: Some("registry.example:5000".into()),
        repository: Some("team/kyb".into()),
        tag: Some("main".into()),
        pull_policy: None,
    };
    assert_eq!(own.reference("kyb-worker", &version), "registry.example:5000/team/kyb/kyb-worker:main");
}

#[test]
fn a_word_of_an_enum_is_what_the_type_reads() {
    fn check<T: serde::de::DeserializeOwned + serde::Serialize>(words: &[&str]) {
        for word in words {
            let read: T = serde_json::from_value(json!(word)).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), json!(word));
        }
    }
    check::<Environment>(Environment::WORDS);
    check::<PullPolicy>(PullPolicy::WORDS);
    check::<ServiceType>(ServiceType::WORDS);
    check::<LogLevel>(LogLevel::WORDS);
    check::<TolerationOperator>(TolerationOperator::WORDS);
    check::<TaintEffect>(TaintEffect::WORDS);
    check::<WatchlistFormat>(WatchlistFormat::WORDS);
}
