//! Requests to an API server that are no objects.

use kube::Client;

/// Whether it is ready, and if not, why.
pub(crate) async fn is_ready(client: &Client) -> std::result::Result<(), String> {
    let request = http::Request::get("/readyz").body(vec![]).map_err(|error| error.to_string())?;
    client.request_text(request).await.map(|_| ()).map_err(|error| error.to_string())
}
