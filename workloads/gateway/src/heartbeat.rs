//! What this gateway says of itself in the database, so that the worker can report it: a gateway needs no right to write to
//! the API server.

use kyb_store::heartbeats::{CacheLookups, Component, Heartbeat, RefusedFile};
use tokio_util::sync::CancellationToken;

use crate::state::App;

/// Says it until `stop`, then takes it back.
pub(crate) async fn keep_beating(app: App, pod: String, stop: CancellationToken) {
    let state = || heartbeat(&app, &pod);
    app.store.clone().keep_beating(state, || app.settings.changed(), stop.cancelled_owned()).await;
}

fn heartbeat(app: &App, pod: &str) -> Heartbeat {
    let caches = app.caches.lookups().into_iter().map(|(class, lookups)| CacheLookups {
        class: class.to_owned(),
        hits: lookups.hits,
        all: lookups.all,
    });
    // The version before the refusals: a file that comes in between may look late, but never accepted where it was refused.
    let resource_version = app.settings.current().resource_version;
    let refusals = app.settings.refusals().into_iter();
    Heartbeat {
        pod: pod.to_owned(),
        component: Component::Gateway,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        resource_version,
        refused: refusals
            .map(|refusal| RefusedFile { file: refusal.file, problem: refusal.problem })
            .collect(),
        caches: caches.collect(),
    }
}
