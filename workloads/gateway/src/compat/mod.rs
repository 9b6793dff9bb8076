//! The interfaces of two services that people screen with today, yente and Watchman, so that their clients can be pointed here.
//!
//! ```text
//! yente's client ────► yente ────┐                        ┌─► engine (the own search, caches, metrics)
//!                                ├─ access ─► params ─► search
//! Watchman's client ─► watchman ─┘                        └─► directory (a match's whole entry)
//! ```
//!
//! | module | what |
//! |---|---|
//! | `access` | who calls: the own keys, wherever those clients can put them; or nobody, on loopback, if that was switched on |
//! | `errors` | a problem in the form that those clients read |
//! | `params` | query strings; what is not known is passed over and logged, as those services do |
//! | `directory` | entries by the id that is shown for them |
//! | `search` | one question from subject to certain answer |
//! | `yente`, `watchman` | routes, questions read and answers written, a folder each |
//!
//! The score is the own one, whatever algorithm was asked for, and nothing is recorded: these interfaces answer, and
//! `/v1/screenings` keeps evidence. Whatever would make an empty answer look like an all-clear is an error here: a list that is missing
//! or stale, candidates that were left out, a data set that is not there, a filter that is not known. `docs/migrating.md` says what differs.
//!
//! Where it can fail: no or a wrong key (401), a key that may not (403), a data set or entity that is not there (404), a question
//! that can't be read or answered as it stands (400, 413, 415, 422), too many questions (429), lists that can't be trusted or a
//! process that is starting or full (503).

mod access;
mod directory;
mod errors;
mod params;
mod search;
mod watchman;
mod yente;

use axum::Router;
use kyb_domain::tenant::TenantId;

pub(crate) use directory::Directories;

use crate::state::App;

/// A service whose interface can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Dialect {
    /// OpenSanctions' yente: /match, /search, /entities, /catalog, /algorithms, /healthz, /readyz.
    Yente,
    /// Moov's Watchman: /v2/search, /v2/listinfo.
    Watchman,
}

/// Which other services' interfaces are served, and for whom.
#[derive(Debug, Clone, Default)]
pub struct Compat {
    /// The services; none unless asked for.
    pub dialects: Vec<Dialect>,
    /// The tenant for which requests without a key are answered. [`crate::serve`] refuses it unless it listens on loopback.
    pub without_key_as: Option<TenantId>,
}

impl Compat {
    fn speaks(&self, dialect: Dialect) -> bool {
        self.dialects.contains(&dialect)
    }
}

/// The routes of what is switched on.
pub(crate) fn router(app: &App) -> Router<App> {
    let compat = &app.options.compat;
    let mut router = Router::new();
    if compat.speaks(Dialect::Yente) {
        router = router.merge(yente::router(app));
    }
    if compat.speaks(Dialect::Watchman) {
        router = router.merge(watchman::router(app));
    }
    router
}

/// Method and route template of everything that is counted for a tenant.
pub(crate) fn endpoints(compat: &Compat) -> impl Iterator<Item = (String, String)> {
    let yente = yente::ENDPOINTS.iter().filter(|_| compat.speaks(Dialect::Yente));
    let watchman = watchman::ENDPOINTS.iter().filter(|_| compat.speaks(Dialect::Watchman));
    yente.chain(watchman).map(|(method, route)| ((*method).to_owned(), (*route).to_owned()))
}
