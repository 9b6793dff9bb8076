//! The settings folder that gateway and worker watch: `platform.yaml` and one file a tenant, with new keys.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use kyb_domain::tenant::KeyId;
use kyb_settings::ApiKey;
use serde_json::{Value, json};

/// A tenant to set up. Its settings are JSON, which is YAML.
#[derive(Debug, Clone)]
pub struct TenantPlan {
    /// Its id.
    pub id: String,
    /// The rules of its decision policy.
    pub rules: Value,
    /// The role of its key.
    pub role: &'static str,
}

impl TenantPlan {
    /// A tenant with the default policy and a key that may read and write.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), rules: json!([]), role: "ServiceAccount" }
    }

    /// The same with one rule, tried before the default policy.
    #[must_use]
    pub fn with_rule(self, name: &str, when: &str, then: &str) -> Self {
        Self { rules: json!([{"name": name, "when": when, "then": then}]), ..self }
    }
}

/// Where a list comes from.
#[derive(Debug, Clone)]
pub enum ListOrigin {
    /// A folder that holds the publisher's files.
    Folder(PathBuf),
    /// One URL for each of the publisher's files.
    Urls(Vec<String>),
}

/// A list to set up.
#[derive(Debug, Clone)]
pub struct ListPlan {
    /// Its id.
    pub id: String,
    /// `ofac-csv` or `un-xml`.
    pub format: &'static str,
    /// Where it comes from.
    pub origin: ListOrigin,
    /// How often it is read, in seconds.
    pub refresh_seconds: u32,
}

impl ListPlan {
    /// An OFAC list from a folder, read every second.
    pub fn ofac(folder: impl Into<PathBuf>) -> Self {
        let origin = ListOrigin::Folder(folder.into());
        Self { id: "ofac-sdn".to_owned(), format: "ofac-csv", origin, refresh_seconds: 1 }
    }

    fn settings(&self) -> Value {
        let mut settings = json!({
            "id": self.id, "format": self.format, "refresh": format!("{}s", self.refresh_seconds), "max_age": "24h",
        });
        match &self.origin {
            ListOrigin::Folder(folder) => settings["source"] = json!({ "directory": folder }),
            ListOrigin::Urls(urls) => settings["source"] = json!({ "urls": urls }),
        }
        settings
    }
}

/// A folder of settings, and the keys that stand in it by their hashes.
#[derive(Debug)]
pub struct SettingsFolder {
    folder: tempfile::TempDir,
    keys: BTreeMap<String, String>,
}

impl SettingsFolder {
    /// Writes everything.
    pub fn write(tenants: &[TenantPlan], lists: &[ListPlan]) -> anyhow::Result<Self> {
        let mut settings = Self { folder: tempfile::tempdir()?, keys: BTreeMap::new() };
        settings.set_lists(lists)?;
        for tenant in tenants {
            settings.add_tenant(tenant)?;
        }
        Ok(settings)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A tenant's API key.
    pub fn key(&self, tenant: &str) -> anyhow::Result<&str> {
        self.keys.get(tenant).map(String::as_str).with_context(|| format!("tenant `{tenant}` was not set up"))
    }

    /// Writes the lists anew.
    pub fn set_lists(&self, lists: &[ListPlan]) -> anyhow::Result<()> {
        let lists: Vec<Value> = lists.iter().map(ListPlan::settings).collect();
        self.replace("platform.yaml", &json!({ "lists": lists }))
    }

    /// Writes a tenant with a new key; the key it had before is revoked by that.
    pub fn add_tenant(&mut self, tenant: &TenantPlan) -> anyhow::Result<()> {
        let id = KeyId::try_from(format!("key{}", self.keys.len() + 1))?;
        let key = ApiKey::generate("test", &id);
        let settings = json!({
            "id": tenant.id,
            "display_name": tenant.id,
            "rate_limit": {"requests_per_minute": 10_000_000, "burst": 1_000_000},
            "api_keys": [{"id": id.as_str(), "hash": key.hash(), "role": tenant.role}],
            "verification": {"policy": tenant.rules},
        });
        self.keys.insert(tenant.id.clone(), key.reveal().to_owned());
        self.replace(&format!("tenant-{}.yaml", tenant.id), &settings)
    }

    /// Replaces a file as a whole, so that no reader sees half of it.
    fn replace(&self, name: &str, settings: &Value) -> anyhow::Result<()> {
        let new = self.path().join(format!(".{name}.new"));
        std::fs::write(&new, serde_json::to_string_pretty(settings)?)?;
        Ok(std::fs::rename(new, self.path().join(name))?)
    }
}
