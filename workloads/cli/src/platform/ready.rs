//! Waits until the API answers and every wanted list is loaded.

use std::{net::SocketAddr, time::Duration};

use anyhow::bail;
use kyb_engines::LiveWatchlists;

const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Asks `GET /ready` until it says yes; gives up after a minute with what it said last.
pub(crate) async fn wait(address: SocketAddr, watchlists: &LiveWatchlists) -> anyhow::Result<()> {
    let client = client()?;
    let url = format!("http://{address}/ready");
    let mut last = String::new();
    let asked = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.get(&url).send().await {
                Ok(answer) if answer.status().is_success() && watchlists.is_loaded() => return,
                Ok(answer) => last = answer.text().await.unwrap_or_default(),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    if asked.await.is_err() {
        bail!("the platform was not ready within {} s; it said last: {last}", PATIENCE.as_secs());
    }
    Ok(())
}

/// A client for loopback: no proxy, whatever the environment says.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    // an error means that somebody installed one before, which serves as well
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?)
}
