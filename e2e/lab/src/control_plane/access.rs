//! Kubeconfigs and clients for users and service accounts.

use std::path::PathBuf;

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, Client, api::PostParams};

use super::{ControlPlane, unique};
use crate::{
    error::{LabError, Result},
    kubeconfig::{self, Identity},
};

/// How long a service account's token is good for: longer than any test.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

impl ControlPlane {
    /// A client that may do everything, bound to the tokio runtime that calls this: a test with a runtime of its own needs a
    /// client of its own.
    pub async fn client(&self) -> Result<Client> {
        kubeconfig::client(&self.admin).await
    }

    /// A client for a user that may do what the roles allow.
    pub async fn client_for(&self, user: &str, groups: &[&str]) -> Result<Client> {
        kubeconfig::client(&self.kubeconfig_for(user, groups)?).await
    }

    /// A client for a service account that exists, with a token such as its pods get.
    pub async fn client_for_service_account(&self, namespace: &str, name: &str) -> Result<Client> {
        kubeconfig::client(&self.kubeconfig_for_service_account(namespace, name).await?).await
    }

    /// A kubeconfig for a user, by impersonation: `system:authenticated` is added by the server. The audit log names the user as
    /// `impersonated_user`, which [`crate::AuditEvent::username`] knows.
    pub fn kubeconfig_for(&self, user: &str, groups: &[&str]) -> Result<PathBuf> {
        let admin = self.layout.certificates.pair("admin")?;
        self.write_kubeconfig(&Identity::As { admin: &admin, user, groups })
    }

    /// A kubeconfig for a service account that exists, with a token such as its pods get, good for a day.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let failed = || LabError::api(format!("get a token of the service account {namespace}/{name}"));
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let spec =
            TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let answer =
            accounts.create_token_request(name, &PostParams::default(), &request).await.map_err(failed())?;
        let token = answer.status.map(|status| status.token).unwrap_or_default();
        self.write_kubeconfig(&Identity::Token(&token))
    }

    /// Each under a number of its own, so that two tests never write the same file.
    fn write_kubeconfig(&self, identity: &Identity<'_>) -> Result<PathBuf> {
        let path = self.layout.kubeconfig(&format!("user-{}", unique()));
        let authority = self.layout.certificates.authority_certificate()?;
        kubeconfig::write(&path, "lab", &self.url(), &authority, identity)?;
        Ok(path)
    }
}
