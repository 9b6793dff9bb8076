//! What this worker says of itself in the database, like every gateway.

use kyb_settings::Settings;
use kyb_store::{
    Store,
    heartbeats::{Component, Heartbeat, RefusedFile},
};
use tokio_util::sync::CancellationToken;

/// Says it until `stop`, then takes it back.
pub async fn keep_beating(store: Store, settings: Settings, pod: String, stop: CancellationToken) {
    let state = || heartbeat(&settings, &pod);
    store.keep_beating(state, || settings.changed(), stop.cancelled_owned()).await;
}

fn heartbeat(settings: &Settings, pod: &str) -> Heartbeat {
    // The version before the refusals: a file that comes in between may look late, but never accepted where it was refused.
    let resource_version = settings.current().resource_version;
    let refusals = settings.refusals().into_iter();
    Heartbeat {
        pod: pod.to_owned(),
        component: Component::Worker,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        resource_version,
        refused: refusals
            .map(|refusal| RefusedFile { file: refusal.file, problem: refusal.problem })
            .collect(),
        caches: vec![],
    }
}
