//! The few things that people tell the platform by hand: pausing, resuming, new keys, revoked keys. Whoever keeps specs in Git
//! changes them there.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use kyb_crds::{ApiKeySpec, KybTenant};
use serde_json::{Value, json};

use super::{KubectlError, Where, clusters::one, tree::find_kind};

/// Which object.
#[derive(Debug, Clone, Args)]
pub(crate) struct Object {
    /// Its kind, such as `kybtenant`, `rd` or `cachepolicy`
    kind: String,
    /// Its name
    name: String,
    /// Its namespace, for kinds that have one
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    place: Where,
}

impl Object {
    /// Sets `spec.paused`.
    pub(crate) async fn pause(&self, paused: bool) -> Result<ExitCode, KubectlError> {
        let resource = find_kind(&self.kind)?;
        if resource.kind == "RegionReport" {
            return Err(KubectlError::NotFound(
                "a RegionReport can't be paused; pause its RegionDeployment".to_owned(),
            ));
        }
        let client = one(self.place.context.as_ref()).await?;
        let api: Api<DynamicObject> = match &self.namespace {
            _ if resource.kind == "KybTenant" => Api::all_with(client, &resource),
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::default_namespaced_with(client, &resource),
        };
        let spec = Patch::Merge(json!({"spec": {"paused": paused.then_some(true)}}));
        let what = format!("change {} {}", resource.kind, self.name);
        api.patch(&self.name, &PatchParams::default(), &spec).await.map_err(KubectlError::request(what))?;
        let word = if paused { "paused" } else { "resumed" };
        println!("{} {} {word}", resource.kind, self.name);
        Ok(ExitCode::SUCCESS)
    }
}

/// What to do about a tenant's keys.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Keys {
    /// Issue a new key in place of one; the old one stays valid for the overlap
    Rotate {
        #[command(flatten)]
        key: Key,
        /// How long the old key stays valid, such as 24h; as its spec says where absent
        #[arg(long, value_name = "PERIOD")]
        overlap: Option<String>,
    },
    /// Take a key out: it is refused as soon as the gateways know
    Revoke(Key),
}

/// Which key.
#[derive(Debug, Clone, Args)]
pub(crate) struct Key {
    /// The tenant, by the name of its KybTenant
    tenant: String,
    /// The key, by its name in spec.apiKeys
    #[arg(value_name = "KEY", default_value = "default")]
    name: String,
    #[command(flatten)]
    place: Where,
}

impl Keys {
    pub(crate) async fn run(&self) -> Result<ExitCode, KubectlError> {
        let (Self::Rotate { key, .. } | Self::Revoke(key)) = self;
        let api: Api<KybTenant> = Api::all(one(key.place.context.as_ref()).await?);
        let tenant = api
            .get(&key.tenant)
            .await
            .map_err(KubectlError::request(format!("read KybTenant {}", key.tenant)))?;
        let index = tenant.spec.api_keys.iter().position(|known| known.name.as_str() == key.name);
        let index = index.ok_or_else(|| {
            let names: Vec<_> = tenant.spec.api_keys.iter().map(|known| known.name.to_string()).collect();
            KubectlError::NotFound(format!(
                "KybTenant {} has no key {}; it has {}",
                key.tenant,
                key.name,
                names.join(", ")
            ))
        })?;
        let (change, done) = match self {
            Self::Revoke(_) => (revoke(&tenant.spec.api_keys, index), "revoked"),
            Self::Rotate { overlap, .. } => {
                (rotate(&tenant.spec.api_keys, index, overlap.as_ref())?, "rotated")
            }
        };
        // Bound to the version that was read, so that nobody's change is undone.
        let patch = json!({"metadata": {"resourceVersion": tenant.metadata.resource_version}, "spec": {"apiKeys": change}});
        let what = format!("change KybTenant {}", key.tenant);
        api.patch(&key.tenant, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(KubectlError::request(what))?;
        println!("key {} of KybTenant {} {done}", key.name, key.tenant);
        Ok(ExitCode::SUCCESS)
    }
}

fn revoke(keys: &[ApiKeySpec], index: usize) -> Value {
    let left = keys.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, key)| key);
    json!(left.collect::<Vec<_>>())
}

/// The next generation of a derived key.
fn rotate(keys: &[ApiKeySpec], index: usize, overlap: Option<&String>) -> Result<Value, KubectlError> {
    let mut keys = keys.to_vec();
    let Some(key) = keys.get_mut(index) else { return Ok(json!(keys)) };
    if key.secret_ref.is_some() {
        let message = format!(
            "key {} is a key of one's own: put the new one into the Secret that spec.apiKeys names",
            key.name
        );
        return Err(KubectlError::NotFound(message));
    }
    key.generation = Some(key.generation.unwrap_or(1) + 1);
    if let Some(overlap) = overlap {
        key.overlap = Some(overlap.as_str().into());
    }
    Ok(json!(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<ApiKeySpec> {
        serde_json::from_value(json!([
            {"name": "default", "role": "ServiceAccount"},
            {"name": "own", "role": "Auditor", "secretRef": {"name": "s", "key": "k"}},
        ]))
        .unwrap()
    }

    #[test]
    fn a_rotated_key_is_the_next_generation() {
        let rotated = rotate(&keys(), 0, Some(&"24h".to_owned())).unwrap();
        assert_eq!(
            rotated[0],
            json!({"name": "default", "role": "ServiceAccount", "generation": 2, "overlap": "24h"})
        );
        assert_eq!(rotated[1]["name"], "own");
        assert!(rotate(&keys(), 1, None).unwrap_err().to_string().contains("the Secret"));
    }

    #[test]
    fn a_revoked_key_is_gone_and_the_others_stay() {
        let left = revoke(&keys(), 0);
        assert_eq!((left.as_array().unwrap().len(), &left[0]["name"]), (1, &json!("own")));
    }
}
