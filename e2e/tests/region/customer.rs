//! A customer of the region: asks it, can't be deleted while protected, leaves, is erased.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kyb_e2e::demo::{Demo, NAMESPACE};
use reqwest::{Response, StatusCode};
use serde_json::json;

use super::promise;

const TENANT: &str = "kybtenant/acme";

/// A way into the region from this machine, with a customer's key.
#[derive(Clone)]
pub(crate) struct Door {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Door {
    pub(crate) fn open(demo: &Demo) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?,
            url: demo.open_door()?,
            key: demo.key_of("acme")?,
        })
    }

    pub(crate) async fn verify(&self, name: &str) -> reqwest::Result<StatusCode> {
        Ok(self.ask_to_verify(name).await?.status())
    }

    pub(crate) async fn ask_to_verify(&self, name: &str) -> reqwest::Result<Response> {
        let body = json!({"business": {"name": name, "country": "DE"}});
        let request = self.client.post(format!("{}/v1/verifications", self.url));
        let request = request.header("X-API-Key", &self.key).header("Prefer", "wait=20");
        request.json(&body).send().await
    }

    /// What costs the gateway processor time and nobody else.
    pub(crate) async fn ask_for_description(&self) -> reqwest::Result<Response> {
        self.client.get(format!("{}/openapi.json", self.url)).send().await
    }
}

pub(crate) fn is_protected(demo: &Demo) -> anyhow::Result<()> {
    let refusal = demo.kubectl(&["delete", TENANT]).err().context("a protected tenant was deleted")?;
    ensure!(refusal.to_string().contains("protected"), "{refusal:#}");
    let fewer = json!({"spec": {"contexts": [{"name": "lending"}], "access": null}});
    let refusal = demo.patch(TENANT, &fewer).err().context("a context of a protected tenant was removed")?;
    ensure!(refusal.to_string().contains("protected"), "{refusal:#}");
    Ok(())
}

/// Its namespaces and its key go; what `Retain` keeps stays in the database.
pub(crate) async fn leaves(demo: &Demo, door: &Door) -> anyhow::Result<()> {
    ensure!(door.verify("Before the end").await? == StatusCode::CREATED);
    promise("a customer who leaves takes everything but the data", || {
        demo.patch(TENANT, &json!({"spec": {"deletion": {"protected": false}}}))?;
        demo.kubectl(&["delete", TENANT, "--timeout=120s"])?;
        demo.until(|| {
            let left = demo.kubectl(&["get", "namespaces", "-o", "name", "-l", "kyb.dev/tenant=acme"])?;
            ensure!(left.is_empty(), "left: {left}");
            Ok(())
        })?;
        let settings = demo.kubectl(&["-n", NAMESPACE, "get", "configmap", "kyb-settings-tenant-acme"]);
        ensure!(settings.is_err(), "the settings of the tenant are still there");
        ensure!(rows(demo, "acme")? > 0, "Retain keeps the data");
        Ok(())
    })?;
    kyb_e2e::waiting::until("the key to be refused", Duration::from_secs(20), async || {
        let answer = door.verify("After the end").await?;
        ensure!(answer == StatusCode::UNAUTHORIZED, "{answer}");
        Ok(())
    })
    .await
}

const SHORT_LIVED: &str = "
apiVersion: kyb.dev/v1alpha1
kind: KybTenant
metadata: {name: brief}
spec:
  id: brief
  displayName: Brief Encounter
  plan: starter
  placement: {home: us-east-1, regions: [us-east-1], residency: US}
  contexts: [{name: trade}]
  apiKeys: [{name: default, role: ServiceAccount, generation: 1}]
  deletion: {protected: false, data: Erase}
";

/// `Erase` waits for the worker, and the worker erases.
pub(crate) fn is_erased(demo: &Demo) -> anyhow::Result<()> {
    promise("a customer with `Erase` is gone only when the worker has erased the data", || {
        demo.apply(SHORT_LIVED)?;
        demo.until_condition("kybtenant/brief", "Ready", "Ready")?;
        demo.kubectl(&["delete", "kybtenant/brief", "--timeout=120s"])?;
        ensure!(
            query(
                demo,
                "SELECT count(*) FROM kyb.tenant_erasures WHERE tenant = 'brief' AND finished_at IS NOT NULL"
            )? == 1
        );
        Ok(())
    })
}

fn rows(demo: &Demo, tenant: &str) -> anyhow::Result<i64> {
    query(demo, &format!("SELECT count(*) FROM kyb.verifications WHERE tenant_id = '{tenant}'"))
}

/// As the superuser, whom row-level security does not bind.
fn query(demo: &Demo, statement: &str) -> anyhow::Result<i64> {
    let shell =
        r#"PGPASSWORD="$(cat /etc/kyb/postgres/password)" psql -h 127.0.0.1 -U postgres -d kyb -Atc "$0""#;
    let said =
        demo.kubectl(&["-n", NAMESPACE, "exec", "kyb-postgres-0", "--", "sh", "-c", shell, statement])?;
    said.trim().parse().with_context(|| said.clone())
}
