//! The clusters that are asked.

use kube::{Client, config::KubeConfigOptions};

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
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| KubectlError::Cluster {
        context: context.cloned(),
        source,
    };
    let options = KubeConfigOptions { context: context.cloned(), ..KubeConfigOptions::default() };
    let config = match context {
        Some(_) => kube::Config::from_kubeconfig(&options).await.map_err(|why| failed(Box::new(why)))?,
        None => kube::Config::infer().await.map_err(|why| failed(Box::new(why)))?,
    };
    Client::try_from(config).map_err(|why| failed(Box::new(why)))
}
