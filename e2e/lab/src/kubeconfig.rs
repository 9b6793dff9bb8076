//! Kubeconfig files: where an API server is, how to know it, and who one is.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use serde_json::{Value, json};

use crate::{
    certificates::Pair,
    error::{LabError, Result},
    files,
};

/// How a client shows who it is.
#[derive(Debug, Clone)]
pub(crate) enum Identity<'a> {
    /// By a client certificate, whose common name is the user and whose organisation the group.
    Certificate(&'a Pair),
    /// By impersonation, which the owner of the certificate must be allowed. A certificate of ours can name one group only.
    As { admin: &'a Pair, user: &'a str, groups: &'a [&'a str] },
    /// By a token, such as a service account's.
    Token(&'a str),
}

/// Writes a kubeconfig with one cluster, one user and one context, all called `name`.
pub(crate) fn write(
    path: &Path,
    name: &str,
    url: &str,
    authority: &str,
    identity: &Identity<'_>,
) -> Result<()> {
    let cluster = json!({"server": url, "certificate-authority-data": STANDARD.encode(authority)});
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user(identity)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    });
    let text = serde_yaml::to_string(&config)
        .map_err(|error| LabError::Garbled { what: "a kubeconfig".into(), why: error.to_string() })?;
    files::write(path, text, true)
}

fn user(identity: &Identity<'_>) -> Value {
    match identity {
        Identity::Certificate(pair) => certificate(pair),
        Identity::Token(token) => json!({"token": token}),
        Identity::As { admin, user, groups } => {
            let mut value = certificate(admin);
            value["as"] = json!(user);
            value["as-groups"] = json!(groups);
            value
        }
    }
}

fn certificate(pair: &Pair) -> Value {
    json!({
        "client-certificate-data": STANDARD.encode(&pair.certificate),
        "client-key-data": STANDARD.encode(&pair.key),
    })
}

/// A client for the current context of a kubeconfig, bound to the tokio runtime that calls this.
pub(crate) async fn client(path: &Path) -> Result<Client> {
    let unusable = |source| LabError::Kubeconfig { path: path.to_owned(), source: Box::new(source) };
    let file = Kubeconfig::read_from(path).map_err(unusable)?;
    let mut config =
        Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(unusable)?;
    config.proxy_url = None; // never for what is on this machine
    Client::try_from(config).map_err(LabError::api("make a client"))
}
