//! The clusters that are asked.

use kube::{Client, Config, config::KubeConfigOptions};

use super::KubectlError;

/// A cluster.
pub(crate) struct Cluster {
    /// The context's name; empty for the only one.
    pub(crate) name: String,
    pub(crate) client: Client,
}

/// One for each context; that of the kubeconfig where none is named.
pub(crate) async fn connect(contexts: &[String]) -> Result<Vec<Cluster>, KubectlError> {
    if contexts.is_empty() {
        return Ok(vec![Cluster { name: String::new(), client: one(None).await? }]);
    }
    let mut clusters = Vec::new();
    for context in contexts {
        clusters.push(Cluster { name: context.clone(), client: one(Some(context)).await? });
    }
    Ok(clusters)
}

/// A client for a context, or for the kubeconfig's own.
pub(crate) async fn one(context: Option<&String>) -> Result<Client, KubectlError> {
    let failed = |source: Unreachable| KubectlError::Cluster { context: context.cloned(), source };
    let config = config(context).await.map_err(failed)?;
    Client::try_from(config).map_err(|why| failed(Box::new(why)))
}

/// Why no cluster is found.
pub(crate) type Unreachable = Box<dyn std::error::Error + Send + Sync>;

/// How to reach the cluster of a context, or the one that the environment leads to.
pub(crate) async fn config(context: Option<&String>) -> Result<Config, Unreachable> {
    let Some(context) = context else { return Ok(Config::infer().await?) };
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    Ok(Config::from_kubeconfig(&options).await?)
}
