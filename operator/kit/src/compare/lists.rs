//! Which lists of built-in kinds the server merges by a key. All others are one value, compared whole and in order.
//!
//! Source: `x-kubernetes-list-type` and `x-kubernetes-list-map-keys` in the API server's OpenAPI (Kubernetes 1.35).

use std::collections::BTreeSet;

use serde_json::Value;

/// The natural key of a list's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(&'static [&'static str]);

/// Lists named so have items with these keys, wherever they stand.
const KEYS: &[(&str, Key)] = &[
    ("containers", Key(&["name"])),
    ("initContainers", Key(&["name"])),
    ("ephemeralContainers", Key(&["name"])),
    ("env", Key(&["name"])),
    ("volumes", Key(&["name"])),
    ("volumeMounts", Key(&["mountPath"])),
    ("volumeDevices", Key(&["devicePath"])),
    ("imagePullSecrets", Key(&["name"])),
    ("secrets", Key(&["name"])),
    ("hostAliases", Key(&["ip"])),
    ("topologySpreadConstraints", Key(&["topologyKey", "whenUnsatisfiable"])),
    ("ownerReferences", Key(&["uid"])),
    ("conditions", Key(&["type"])),
];

/// The key by which the list at `path` is merged, if it is.
pub(super) fn key(path: &[String], wanted: &[Value]) -> Option<Key> {
    let name = path.last()?;
    let key = match name.as_str() {
        "ports" => ports(path, wanted)?,
        name => KEYS.iter().find(|(list, _)| *list == name)?.1,
    };
    // A custom kind may call a list of something else by the same name.
    let fits =
        wanted.iter().all(|item| item.get(key.0[0]).is_some_and(|id| id.is_string() || id.is_number()));
    let ids: BTreeSet<_> = wanted.iter().map(|item| key.of(item)).collect();
    (fits && ids.len() == wanted.len()).then_some(key)
}

/// Container ports, service ports, and those of network policies, which are one value.
fn ports(path: &[String], wanted: &[Value]) -> Option<Key> {
    let has = |field| wanted.iter().all(|item: &Value| item.get(field).is_some());
    match path {
        [spec, _] if spec == "spec" && has("port") => Some(Key(&["port", "protocol"])),
        _ if has("containerPort") => Some(Key(&["containerPort", "protocol"])),
        _ => None,
    }
}

/// Whether the list at `path` is a set, to which others may add.
pub(super) fn is_set(path: &[String]) -> bool {
    matches!(path, [metadata, name] if metadata == "metadata" && name == "finalizers")
}

impl Key {
    /// What identifies `item` in its list.
    pub(super) fn of(self, item: &Value) -> String {
        let part = |field: &&str| match item.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None if *field == "protocol" => "TCP".to_owned(), // the server's default
            None => String::new(),
        };
        self.0.iter().map(part).collect::<Vec<_>>().join(",")
    }
}
