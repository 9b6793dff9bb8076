//! What no schema says: values that mean something to the platform, fields that exclude each other, what has to change along
//! with a field, and how a rule is broken. All of it stands here.

use serde_json::{Value, json};

use crate::schema::{Kind, Place, Step};

/// The region that serves the tenants, and the residency of all.
pub(crate) const HOME: &str = "home";
/// What every region's namespace holds: a Secret with these keys, and a PriorityClass of the cluster.
pub(crate) const CREDENTIALS: &str = "credentials";
pub(crate) const CREDENTIAL_KEYS: [&str; 5] = ["migrator", "runtime", "reader", "ca", "url"];
pub(crate) const PRIORITY_CLASS: &str = "kyb";
/// The Secret with a key of a tenant's own, and its key.
pub(crate) const OWN_KEY: (&str, &str) = ("own-key", "token");
/// The CachePolicy of every region's namespace.
pub(crate) const POLICY: &str = "default";

/// Values that mean something, where any value that fits would not do.
pub(crate) fn typical(place: &Place) -> Option<Value> {
    let value = match place.to_string().as_str() {
        "KybTenant.id" => json!("acme"),
        "KybTenant.displayName" => json!("Acme Payments"),
        "KybTenant.placement.home" | "KybTenant.placement.regions[]" | "RegionDeployment.region" => {
            json!(HOME)
        }
        "KybTenant.placement.residency" | "RegionDeployment.residency" => json!("US"),
        "KybTenant.contexts[].name" | "KybTenant.access[].contexts[]" | "KybTenant.apiKeys[].contexts[]" => {
            json!("lending")
        }
        "KybTenant.access[].role" => json!("Guest"),
        "KybTenant.egress[].cidr" => json!("2001:db8:1111:1111:1111:1111:1111:0/112"),
        "KybTenant.apiKeys[].expiresAt" => json!("2030-01-01T00:00:00.5Z"),
        "KybTenant.apiKeys[].secretRef.name" => json!(OWN_KEY.0),
        "KybTenant.apiKeys[].secretRef.key" => json!(OWN_KEY.1),
        "KybTenant.verification.policy[].when" => json!("risk.score >= 85"),
        "KybTenant.deletion.protected"
        | "KybTenant.paused"
        | "RegionDeployment.paused"
        | "CachePolicy.paused" => json!(false),
        "RegionDeployment.version" => json!("0.1.0"),
        "RegionDeployment.expose.type" => json!("ClusterIP"),
        "RegionDeployment.cachePolicy.name" => json!(POLICY),
        "RegionDeployment.database.development.storage" => json!("1Gi"),
        "RegionDeployment.watchlists[].url" => json!("https://lists.example/"),
        "RegionDeployment.watchlists[].urls[]" => json!("https://lists.example/consolidated.xml"),
        "RegionDeployment.watchlists[].refresh" => json!("6h"),
        "RegionDeployment.watchlists[].maxAge" => json!("24h"),
        path if path.ends_with(".replicas") => json!(1),
        path if path.ends_with(".scheduling.priorityClassName") => json!(PRIORITY_CLASS),
        path if path.ends_with(".tolerations[].effect") => json!("NoExecute"),
        path => return credential(path),
    };
    Some(value)
}

/// What a rule about a list demands of each of its texts.
pub(crate) fn pattern(place: &Place) -> Option<&'static str> {
    (place.to_string() == "RegionDeployment.watchlists[].urls[]").then_some("^https?://[^@ ]+$")
}

/// A reference to the Secret that is there.
fn credential(path: &str) -> Option<Value> {
    let owner = path.strip_prefix("RegionDeployment.database.external.");
    let owner = owner.or_else(|| path.strip_prefix("RegionDeployment.redis.external."))?;
    match owner.split_once('.')? {
        (_, "name") => Some(json!(CREDENTIALS)),
        (owner, _) => Some(json!(owner)),
    }
}

/// A key of a map, different for each number.
pub(crate) fn key(place: &Place, number: usize) -> String {
    let (known, further) = match place.names().next_back() {
        Some("quota") => (["requests.cpu", "pods"].as_slice(), "count/parts"),
        Some("requests" | "limits") => (["cpu", "memory"].as_slice(), "example.com/part"),
        _ => ([].as_slice(), "example.com/part"),
    };
    known.get(number).map_or_else(|| format!("{further}-{number}"), |key| (*key).to_owned())
}

/// Fields of one object that exclude each other; a typical object has those of the first group.
pub(crate) const RIVALS: [(&str, [&[&str]; 2]); 6] = [
    ("KybTenant.apiKeys[]", [&["generation", "overlap"], &["secretRef"]]),
    ("RegionDeployment.database", [&["development"], &["external"]]),
    ("RegionDeployment.redis", [&["development"], &["external"]]),
    ("RegionDeployment.services.gateway", [&["replicas"], &["autoscaling"]]),
    ("RegionDeployment.services.worker", [&["replicas"], &["autoscaling"]]),
    ("RegionDeployment.watchlists[]", [&["url"], &["urls"]]),
];

/// The fields that must go when one of an object comes.
pub(crate) fn rivals(object: &Place, name: &str) -> &'static [&'static str] {
    let path = object.to_string();
    let groups = RIVALS.iter().find(|(place, _)| *place == path).map(|(_, groups)| groups);
    match groups {
        Some([one, other]) if one.contains(&name) => other,
        Some([one, other]) if other.contains(&name) => one,
        _ => &[],
    }
}

/// Whether a typical object goes without a field.
pub(crate) fn is_left_out(place: &Place) -> bool {
    // A port of the nodes can be had only once in a cluster; only one of three kinds of subject has a namespace.
    ["RegionDeployment.expose.nodePort", "KybTenant.access[].subjects[].namespace"]
        .contains(&place.to_string().as_str())
}

/// Whether the smallest object that works has a field that the schema does not demand.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "a field, no file")]
pub(crate) fn is_needed(object: &Place, field: &str) -> bool {
    let path = object.to_string();
    match field {
        "watchlists" => path == "RegionDeployment",
        "development" => path.ends_with(".database") || path.ends_with(".redis"),
        "url" => path.ends_with(".watchlists[]"),
        "cpuPercent" => path.ends_with(".autoscaling"),
        "key" => path.ends_with(".tolerations[]"),
        _ => false,
    }
}

/// Changes what else has to change for a spec in which a place was changed to be whole again.
pub(crate) fn change_along(place: &Place, spec: &mut Value) {
    let path = place.to_string();
    match place.kind {
        Kind::KybTenant => of_a_tenant(&path, spec),
        Kind::RegionDeployment => of_a_region(&path, spec),
        Kind::CachePolicy => match path.as_str() {
            "CachePolicy.refreshAhead.fromPercent" => spec["refreshAhead"]["toPercent"] = json!(100),
            "CachePolicy.refreshAhead.toPercent" => spec["refreshAhead"]["fromPercent"] = json!(1),
            _ => (),
        },
    }
}

fn of_a_tenant(path: &str, spec: &mut Value) {
    if path.starts_with("KybTenant.contexts") {
        name_no_contexts(spec);
    } else if path.starts_with("KybTenant.access") || path.starts_with("KybTenant.apiKeys") {
        have_every_context_that_is_named(spec);
    }
    match path {
        "KybTenant.placement.home" => spec["placement"]["regions"] = json!([spec["placement"]["home"]]),
        _ if path.starts_with("KybTenant.placement.regions") => {
            spec["placement"]["home"] = spec["placement"]["regions"][0].clone();
        }
        "KybTenant.access[].subjects[].kind" | "KybTenant.access[].subjects[].namespace" => {
            let subject = &mut spec["access"][0]["subjects"][0];
            if path.ends_with("namespace") && !subject["namespace"].is_null() {
                subject["kind"] = json!("ServiceAccount");
            }
            if subject["kind"] != "ServiceAccount" {
                remove(subject, "namespace");
            } else if subject["namespace"].is_null() {
                subject["namespace"] = json!("default");
            }
        }
        _ => (),
    }
}

fn of_a_region(path: &str, spec: &mut Value) {
    match path {
        "RegionDeployment.environment" if spec["environment"] == "production" => {
            spec["database"] = external_database();
            spec["redis"] = external_redis();
        }
        "RegionDeployment.database.development" if spec["database"]["development"].is_null() => {
            spec["database"] = external_database();
        }
        "RegionDeployment.database.external" if spec["database"]["external"].is_null() => {
            spec["database"] = json!({"development": {}});
        }
        "RegionDeployment.redis.development" if spec["redis"]["development"].is_null() => {
            spec["redis"] = external_redis();
        }
        "RegionDeployment.redis.external" if spec["redis"]["external"].is_null() => {
            spec["redis"] = json!({"development": {}});
        }
        "RegionDeployment.watchlists[].url" | "RegionDeployment.watchlists[].urls"
            if spec["watchlists"][0].get("url").or(spec["watchlists"][0].get("urls")).is_none() =>
        {
            spec["watchlists"][0]["url"] = json!("https://lists.example/");
        }
        "RegionDeployment.expose.nodePort" => spec["expose"]["type"] = json!("NodePort"),
        "RegionDeployment.watchlists[].url"
        | "RegionDeployment.watchlists[].urls"
        | "RegionDeployment.watchlists[].urls[]" => spec["watchlists"][0]["format"] = json!("UnXml"),
        _ => (),
    }
    let Some((service, rest)) =
        path.strip_prefix("RegionDeployment.services.").and_then(|path| path.split_once('.'))
    else {
        return;
    };
    let service = &mut spec["services"][service];
    match rest {
        "autoscaling.minReplicas" => service["autoscaling"]["maxReplicas"] = json!(200),
        "autoscaling.cpuPercent" if service["autoscaling"].get("cpuPercent").is_none() => {
            service["autoscaling"]["memoryPercent"] = json!(70);
        }
        "autoscaling.maxReplicas" => service["autoscaling"]["minReplicas"] = json!(1),
        "scheduling.tolerations[].operator" if first(service)["operator"] == "Exists" => {
            remove(first(service), "value");
        }
        "scheduling.tolerations[].key" if first(service)["key"].is_null() => {
            first(service)["operator"] = json!("Exists");
            remove(first(service), "value");
        }
        _ => (),
    }
}

fn external_database() -> Value {
    let of = |key: &str| json!({"name": CREDENTIALS, "key": key});
    json!({"external": {"migrator": of("migrator"), "runtime": of("runtime"), "reader": of("reader")}})
}

fn external_redis() -> Value {
    json!({"external": {"url": {"name": CREDENTIALS, "key": "url"}}})
}

fn first(service: &mut Value) -> &mut Value {
    &mut service["scheduling"]["tolerations"][0]
}

fn name_no_contexts(spec: &mut Value) {
    for field in ["access", "apiKeys"] {
        for item in items(spec, field) {
            remove(item, "contexts");
            if item["role"] == "ContextManager" {
                item["role"] = json!("Guest");
            }
        }
    }
}

fn have_every_context_that_is_named(spec: &mut Value) {
    for grant in items(spec, "access") {
        if grant["role"] == "ContextManager" && grant.get("contexts").is_none() {
            grant["contexts"] = json!(["lending"]);
        }
    }
    let mut of_items =
        |field| items(spec, field).flat_map(|item| list(&item["contexts"])).collect::<Vec<_>>();
    let named = ["access", "apiKeys"].map(&mut of_items).concat();
    let mut contexts = list(&spec["contexts"]);
    for name in named {
        if !contexts.iter().any(|context| context["name"] == name) {
            contexts.push(json!({"name": name}));
        }
    }
    if !contexts.is_empty() {
        spec["contexts"] = contexts.into();
    }
}

/// The items of a list of objects.
fn items<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn remove(object: &mut Value, field: &str) -> Option<Value> {
    object.as_object_mut()?.remove(field)
}

/// How a rule is broken: how its message begins, and what to lay over the typical value (RFC 7396) that it is about.
pub(crate) fn breaking(message: &str) -> Option<Value> {
    let nowhere = json!({"name": "x", "role": "Guest", "contexts": ["nowhere"], "subjects": [{"kind": "User", "name": "eve"}]});
    let same = json!({"name": CREDENTIALS, "key": "same"});
    let table = [
        ("access names a context", json!({"access": [nowhere]})),
        (
            "apiKeys names a context",
            json!({"apiKeys": [{"name": "x", "role": "Guest", "contexts": ["nowhere"]}]}),
        ),
        ("a context may not be removed", json!({"contexts": null, "access": null, "apiKeys": null})),
        ("id can not be changed", json!("another")),
        ("id must not contain", json!("a--b")),
        ("id is reserved", json!("kube-x")),
        ("displayName must not be empty", json!(" ")),
        ("quota has a name", json!({"bananas": "1"})),
        ("placement.home must be one", json!({"home": "elsewhere"})),
        ("placement.residency can not", json!({"residency": "EU"})),
        ("a context's name must not", json!("a--b")),
        ("a context's name is reserved", json!("default")),
        ("a grant must not be named operator", json!({"name": "operator"})),
        ("a ContextManager manages", json!({"role": "ContextManager", "contexts": null})),
        ("a subject needs a namespace", json!({"kind": "ServiceAccount"})),
        ("a subject must not begin", json!({"name": "system:masters"})),
        ("cidr must be a network", json!("203.0.113.0")),
        ("cidr must not be the whole", json!("0.0.0.0/0")),
        ("generation and overlap are", json!({"generation": 1, "secretRef": {"name": "own", "key": "key"}})),
        ("generation may only grow", json!({"generation": null})),
        ("a production region needs database", json!({"environment": "production", "redis": null})),
        (
            "a production region needs redis",
            json!({"environment": "production", "redis": {"development": {}}}),
        ),
        (
            "a production region reads",
            json!({"environment": "production", "watchlists": [{"name": "un", "format": "UnXml", "url": "http://lists.example/"}]}),
        ),
        ("region can not be changed", json!("another")),
        ("region must not contain", json!("a--b")),
        ("residency can not be changed", json!("EU")),
        ("nodePort is for a Service", json!({"type": null, "nodePort": 30_000})),
        (
            "say either replicas",
            json!({"replicas": 1, "autoscaling": {"minReplicas": 1, "maxReplicas": 1, "cpuPercent": 50}}),
        ),
        ("autoscaling.minReplicas must", json!({"minReplicas": 2, "maxReplicas": 1})),
        ("autoscaling needs cpuPercent", json!({"cpuPercent": null, "memoryPercent": null})),
        ("a toleration with operator", json!({"operator": "Exists", "value": "x"})),
        ("a toleration without a key", json!({"key": null, "operator": "Equal"})),
        ("database needs exactly one", json!({"development": null, "external": null})),
        ("redis needs exactly one", json!({"development": null, "external": null})),
        ("migrator, runtime and reader", json!({"migrator": same, "runtime": same})),
        ("storage may only grow", json!({"storage": "1Mi"})),
        ("storageClassName can not", json!({"storageClassName": "another"})),
        ("a watchlist needs exactly", json!({"url": null, "urls": null})),
        (
            "OFAC publishes three",
            json!({"format": "OfacCsv", "url": "https://lists.example/sdn.csv", "urls": null}),
        ),
        ("urls must begin", json!(["ftp://lists.example/"])),
        ("url must begin", json!("ftp://lists.example/")),
        ("refreshAhead.fromPercent must", json!({"fromPercent": 50, "toPercent": 50})),
    ];
    table.into_iter().find(|(start, _)| message.starts_with(start)).map(|(_, patch)| patch)
}

/// What the spec must have been before for a rule about changes to be broken at all, laid over the typical spec.
pub(crate) fn before_breaking(message: &str) -> Value {
    match message {
        _ if message.starts_with("a context may not") => json!({"deletion": {"protected": true}}),
        _ if message.starts_with("generation may only") => {
            json!({"apiKeys": [{"name": "default", "role": "Guest", "generation": 2}]})
        }
        _ => json!({}),
    }
}

/// Values that the schema takes and the platform can't use: they must be refused, or reported. Where they stand, which field it is,
/// and what is laid over what stands there.
pub(crate) fn unusable(kind: Kind) -> Vec<(Place, &'static str, Value)> {
    let root = || Place::root(kind);
    match kind {
        Kind::KybTenant => vec![
            (
                root(),
                "when",
                json!({"verification": {"policy": [{"name": "typo", "when": "risk.scor >= 85", "then": "reject"}]}}),
            ),
            (
                root(),
                "access",
                json!({"access": [{"name": "operator", "role": "Guest", "subjects": [{"kind": "User", "name": "eve"}]}]}),
            ),
            // The other keys are as good as before.
            (root().field("apiKeys").below(Step::Item), "overlap", json!({"overlap": "99999999999d"})),
            (root(), "quota", json!({"quota": {"requests.": "1"}})),
        ],
        Kind::RegionDeployment => vec![
            (root(), "cachePolicy", json!({"cachePolicy": {"name": "none"}})),
            (
                root(),
                "external",
                json!({"database": {"development": null, "external": {
                "migrator": {"name": "none", "key": "a"}, "runtime": {"name": "none", "key": "b"}, "reader": {"name": "none", "key": "c"}}}}),
            ),
            (
                root(),
                "refresh",
                json!({"watchlists": [{"name": "un", "format": "UnXml", "url": "https://lists.example/x.xml", "refresh": "99999999999d"}]}),
            ),
            (
                root(),
                "maxAge",
                json!({"watchlists": [{"name": "un", "format": "UnXml", "url": "https://lists.example/x.xml", "refresh": "2h", "maxAge": "1h"}]}),
            ),
            (
                root(),
                "limits",
                json!({"services": {"worker": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}}}),
            ),
        ],
        Kind::CachePolicy => vec![
            (root(), "ttl", json!({"classes": [{"name": "sanctions", "ttl": "99999999999d"}]})),
            (root(), "ttl", json!({"memory": {"ttl": "99999999999d"}})),
        ],
    }
}
